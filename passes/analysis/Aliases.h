// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Which tensors are a run of the bytes of another, so that nothing moves.
#pragma once

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace thimble {

/// Where the elements of one tensor lie within another, as one run.
struct Run {
  mlir::Value whole;
  int64_t elementOffset;
};

/// The tensors of a function that need no place of their own: what a reshape, slice or split reads
/// is the result already, and what a concatenation joins can be computed where it belongs.
class Aliases {
public:
  explicit Aliases(mlir::func::FuncOp function);

  /// The run that `tensor` is, if it is one.
  std::optional<Run> lookup(mlir::Value tensor) const;
  bool isAlias(mlir::Value tensor) const { return runs.contains(tensor); }
  /// The tensor that `tensor` is a part of and that is part of no other; itself if it is no alias.
  mlir::Value rootOf(mlir::Value tensor) const;
  /// Whether another tensor is a run of `tensor`.
  bool isAliased(mlir::Value tensor) const { return wholes.contains(tensor); }
  /// Whether `op` has nothing to do: all that it would move is where it belongs.
  bool movesNothing(mlir::Operation *op) const { return idle.contains(op); }
  /// Whether the only result of `op` can have the place of an operand, if that is not read later.
  bool canTakeOver(mlir::Operation *op, unsigned operand) const;

private:
  void findReads(mlir::Operation *op);
  void findWrites(mlir::Operation *op);
  bool isFreelyPlaced(mlir::Value value) const;
  void add(mlir::Value part, Run run);

  llvm::DenseMap<mlir::Value, Run> runs;
  llvm::DenseSet<mlir::Value> wholes;
  /// Results that are runs of an operand.
  llvm::DenseSet<mlir::Value> reads;
  llvm::SmallPtrSet<mlir::Operation *, 8> idle;
};

} // namespace thimble
