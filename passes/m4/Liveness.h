// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// When the registers of a kernel hold something that is still read.
#pragma once

#include "dialects/m4/M4Ops.h"

#include "llvm/ADT/DenseMap.h"

namespace thimble::m4 {

/// Slots from `start` to `end`, both included. An operation at position p reads at slot 2p and
/// writes at slot 2p + 1.
struct LiveInterval {
  int start, end;
  bool overlaps(const LiveInterval &other) const {
    return start <= other.end && other.start <= end;
  }
};
using LiveIntervals = llvm::SmallVector<LiveInterval, 2>;

/// Positions number the operations of a kernel in the order of the text. A value that a loop reads
/// and that comes from outside lives until the loop's end.
class Liveness {
public:
  explicit Liveness(KernelOp kernel);

  /// Disjoint and ascending; several where a value is not needed in the first body of an `m4.if`.
  const LiveIntervals &of(mlir::Value value) const { return intervals.find(value)->second; }
  int positionOf(mlir::Operation *op) const { return positions.find(op)->second; }
  /// All registers, in the order of their definitions.
  llvm::ArrayRef<mlir::Value> values() const { return order; }
  int slots() const { return 2 * count + 2; }

private:
  void number(mlir::Block &block);
  void add(mlir::Value value, int defined);
  LiveIntervals lifeOf(mlir::Value value, int defined) const;
  void extend(LiveIntervals &life, mlir::Block *block, int from,
              llvm::ArrayRef<mlir::Operation *> users) const;

  int count = 0;
  llvm::DenseMap<mlir::Operation *, int> positions;
  llvm::DenseMap<mlir::Value, LiveIntervals> intervals;
  llvm::SmallVector<mlir::Value> order;
};

} // namespace thimble::m4
