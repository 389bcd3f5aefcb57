// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Which channels, rows and columns of each tensor the results of a network depend on.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/DenseMap.h"

#include <functional>

namespace thimble {

/// One axis of a tensor.
struct TensorAxis {
  mlir::Value tensor;
  int64_t axis;
};

/// Sets of live indices start empty and grow until the live slices alone make a network with the
/// same results: every operator gets all that the live slices of its results depend on, and has the
/// form of an operator (an elementwise one has operands of one shape). What an operator that is not
/// known here reads or writes stays whole, as do the network's inputs and outputs.
///
/// Weights and biases are tensors like others, cut along with what they belong to. A weight of zero
/// reads nothing. A constant with several uses ties its users together: give each its own.
class LiveSlices {
public:
  explicit LiveSlices(mlir::func::FuncOp function);

  const llvm::BitVector &live(mlir::Value tensor, int64_t axis) const;
  /// Whether all of `tensor` is live.
  bool isWhole(mlir::Value tensor) const;
  /// Whether nothing is. Its users are then dead too, or concatenations that do without it.
  bool isDead(mlir::Value tensor) const;

private:
  using Axes = llvm::SmallVector<TensorAxis, 4>;
  struct Window;

  void addRules(mlir::Operation *op);
  void addConvolution(mlir::Operation *op);
  void addDepthwise(mlir::Operation *op);
  void addFullyConnected(mlir::Operation *op);
  void addWindow(mlir::Operation *op, const Window &window);
  void addReads(mlir::Operation *op, TensorAxis outputs, TensorAxis inputs);
  void addElementwise(mlir::Operation *op);
  void addReduction(mlir::Operation *op);
  void addPieces(mlir::Value whole, mlir::ValueRange pieces, int64_t axis);
  void addSlice(mlir::Operation *op);
  void addPad(mlir::Operation *op);

  void keep(TensorAxis axis);
  void keep(mlir::Value tensor);
  /// Index `offset` + i of `whole` is live with index i of `part`.
  void tie(TensorAxis whole, TensorAxis part, int64_t offset = 0);
  /// The elements of the boxes that `a` and `b` span are live together, in row-major order.
  void tieElements(Axes a, Axes b);
  llvm::BitVector elementsOf(const Axes &axes) const;

  void grow();
  bool fillEmpty(mlir::Operation *op);
  llvm::BitVector &set(TensorAxis axis);

  llvm::DenseMap<mlir::Value, llvm::SmallVector<llvm::BitVector, 4>> sets;
  /// Each grows some sets where others have grown, and says whether it did.
  std::vector<std::function<bool()>> rules;
};

} // namespace thimble
