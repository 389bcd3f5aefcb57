// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Checks of attributes shared by the inferShapes of several operators. Each
// emits an error on the operation that names the legal values.
#pragma once

#include "dialects/nn/NNOps.h"

namespace thimble::nn::detail {

/// Attributes and intermediate sizes stay below this, so that kernels can use
/// int for them and int64 for products of two.
constexpr int64_t largest = std::numeric_limits<int32_t>::max();

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}
inline int64_t elementsOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getNumElements();
}

/// `values` has `count` entries in [low, high].
mlir::LogicalResult checkEntries(mlir::Operation *op, llvm::StringRef name,
                                 llvm::ArrayRef<int64_t> values, int64_t count, int64_t low,
                                 int64_t high = largest);
mlir::LogicalResult checkRank(mlir::Operation *op, llvm::StringRef name, mlir::Value value,
                              int64_t rank);
/// axis in [0, rank).
mlir::LogicalResult checkAxis(mlir::Operation *op, int64_t axis, int64_t rank);
/// Entries are in [0, rank) and differ.
mlir::LogicalResult checkAxes(mlir::Operation *op, llvm::StringRef name,
                              llvm::ArrayRef<int64_t> axes, int64_t rank);

/// Extent that does not exceed `largest`.
mlir::LogicalResult checkExtent(mlir::Operation *op, int64_t extent);

} // namespace thimble::nn::detail
