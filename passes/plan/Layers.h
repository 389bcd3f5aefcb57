// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What is decided about the operators of a network before it becomes a program: which run row by
// row, and which kernel computes each.
#pragma once

#include "passes/analysis/Aliases.h"
#include "passes/analysis/Selection.h"
#include "passes/analysis/Streaming.h"
#include "passes/kernels/RowTiles.h"

namespace thimble {

/// An operator that has something to compute.
struct Layer {
  nn::NNOperator op;
  /// Rows of a firing; 0 where it computes its whole result at once.
  int64_t height = 0;
  int64_t firings = 1;
  /// Bytes of all tensors that are live while it runs.
  int64_t liveBytes = 0;
  llvm::SmallVector<Candidate> candidates; // costs are those of one firing
  size_t chosen = 0;

  const Candidate &kernel() const { return candidates[chosen]; }
};

class Layers {
public:
  /// `function` outlives this.
  Layers(mlir::func::FuncOp function, const Aliases &aliases, const Target &target,
         bool inputByRows);

  /// Lists the kernels. Fails with an error on an operator that none can compute.
  mlir::LogicalResult list();
  /// Chooses kernels for whole tensors.
  void choose(Objective objective);
  /// Chooses chains and kernels: the fastest within `ramBytes` of arena and stack, see
  /// `StreamSearch::fastest`. False if nothing is.
  bool choose(Objective objective, int64_t ramBytes, double price);
  /// Chooses the fastest within the RAM of one operator at a time that takes the rows of the input
  /// as they come. False if nothing does.
  bool chooseByRows(Objective objective);
  /// The chains that there could be; made when first asked for.
  const StreamSearch &search();

  /// Estimates for what is chosen.
  int64_t cycles() const;
  int64_t stackBytes() const;
  /// Remarks on what is chosen.
  void explain();

  llvm::MutableArrayRef<Layer> all() { return layers; }
  mlir::func::FuncOp getFunction() const { return function; }
  const Aliases &getAliases() const { return aliases; }
  /// Whether the caller hands over the input row by row.
  bool isInputByRows() const { return inputByRows; }
  /// The chain that begins with layer `index`, if one does.
  const Chain *chainAt(size_t index) const;
  /// What tensors are to `Chain`.
  mlir::Value tensor(int number) const { return tensors[static_cast<size_t>(number)]; }
  /// The operator of one firing of a layer of a chain.
  nn::NNOperator tileOf(const Layer &layer) { return tiles.tileOf(layer.op, layer.height); }

private:
  void describe();
  int numberOf(mlir::Value tensor);
  void forEachWhole(mlir::Value tensor, llvm::function_ref<void(RowTensor &)> body);
  void apply(StreamPlan chosen);
  void explainChains() const;
  std::vector<TileChoice> tileChoices(int layer, int64_t height);
  void select(Objective objective, std::optional<RamLimit> limit);

  mlir::func::FuncOp function;
  const Aliases &aliases;
  const Target &target;
  bool inputByRows;
  RowTiles tiles;
  std::vector<Layer> layers;
  RowNetwork network;
  llvm::SmallVector<mlir::Value> tensors;
  llvm::DenseMap<mlir::Value, int> numbers;
  std::vector<llvm::SmallVector<Candidate>> ofWhole;                  // candidates, by layer
  std::map<std::pair<int, int64_t>, std::vector<TileChoice>> choices; // by layer and height
  std::unique_ptr<StreamSearch> streams;
  StreamPlan plan;
};

} // namespace thimble
