// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Slices cut out of tensors, and lists of them in words.
#pragma once

#include "dialects/nn/reference/Tensor.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/BitVector.h"

namespace thimble {

inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value tensor) {
  return llvm::cast<mlir::RankedTensorType>(tensor.getType()).getShape();
}

/// The elements of `tensor` whose index along every axis is in that axis's set, in order.
std::vector<std::byte> sliceData(const Tensor &tensor, llvm::ArrayRef<llvm::BitVector> indices);
/// The type of a tensor of `type` cut like that: scales of channels are cut too.
mlir::RankedTensorType sliceType(mlir::RankedTensorType type,
                                 llvm::ArrayRef<llvm::BitVector> indices);

/// "0-3, 7".
std::string listIndices(const llvm::BitVector &indices);

} // namespace thimble
