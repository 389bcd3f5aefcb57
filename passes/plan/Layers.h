// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What is decided about the operators of a network before it becomes a program: which run row by row, and
// which kernel computes each.
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

/// What a plan has to reach.
struct PlanGoal {
  Objective objective = Objective::Speed;
  /// Bytes for tensors, scratch and stack.
  std::optional<int64_t> ramLimit;
};

class Layers {
public:
  /// `function` outlives this.
  Layers(mlir::func::FuncOp function, const Aliases &aliases, const Target &target);

  /// Decides. Fails with an error on an operator that no kernel can compute.
  mlir::LogicalResult choose(const PlanGoal &goal);

  llvm::MutableArrayRef<Layer> all() { return layers; }
  /// The chain that begins with layer `index`, if one does.
  const Chain *chainAt(size_t index) const;
  /// What tensors are to `Chain`.
  mlir::Value tensor(int number) const { return tensors[static_cast<size_t>(number)]; }
  /// The operator of one firing of a layer of a chain.
  nn::NNOperator tileOf(const Layer &layer) { return tiles.tileOf(layer.op, layer.height); }

private:
  mlir::LogicalResult list();
  void describe();
  int numberOf(mlir::Value tensor);
  void use(mlir::Value tensor, int step);
  void stream(const PlanGoal &goal);
  void explainChains() const;
  void count();
  std::vector<TileChoice> tileChoices(int layer, int64_t height);
  void select(const PlanGoal &goal);

  mlir::func::FuncOp function;
  const Aliases &aliases;
  const Target &target;
  RowTiles tiles;
  std::vector<Layer> layers;
  RowNetwork network;
  llvm::SmallVector<mlir::Value> tensors;
  llvm::DenseMap<mlir::Value, int> numbers;
  StreamPlan plan;
};

} // namespace thimble
