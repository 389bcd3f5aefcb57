// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Interval arithmetic over a network: between which stored numbers every element of every integer
// tensor lies, whatever the network's inputs.
#pragma once

#include "passes/analysis/MacLayer.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace thimble {

/// The least and the greatest tensor that a value can be, element by element.
struct Interval {
  Tensor low, high;

  bool isConstant() const { return low.data == high.data; }
};

/// Every element has its own interval, so borders are as exact as the rest. That costs little: the
/// interval of a window depends on those of the pixels that it covers, and pixels differ near
/// borders only, so a layer of products is evaluated for a handful of its positions.
class Intervals {
public:
  explicit Intervals(mlir::func::FuncOp function);

  /// Null where nothing is known, or no more than the range of an input's type. Tensors that are
  /// not of 8 or 16 bits are known if they are constant.
  const Interval *lookup(mlir::Value value) const;

private:
  const Interval *find(mlir::Value value);
  void visit(nn::NNOperator op);
  std::optional<Interval> evaluateBetween(nn::NNOperator op);

  llvm::DenseMap<mlir::Value, std::unique_ptr<Interval>> known;
};

/// The positions of `layer` by what its windows see of an input: one position of each class.
struct PositionClasses {
  /// The class of each position.
  std::vector<size_t> classOf;
  /// For each class, the pixels that the taps of one of its positions lie on, -1 in the padding.
  std::vector<std::vector<int64_t>> pixels;
};
PositionClasses classifyPositions(const MacLayer &layer, const Interval &input);

} // namespace thimble
