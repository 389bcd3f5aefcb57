// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators that compute every element of their result from the element at the same place, and
// what follows for elements of few bits: the function can be written down by trying all values.
#pragma once

#include "dialects/nn/NNOps.h"

namespace thimble {

/// Whether `op` has one result, each element of which depends only on the elements at the same
/// place of its varying operands; its other operands are constants of one value.
bool isPointwise(mlir::Operation *op);

/// The operands of a pointwise `op` that are not constants of one value, each once.
llvm::SmallVector<mlir::Value, 2> varyingOperands(mlir::Operation *op);

/// Tensors of one axis by the values they are samples of.
using Samples = llvm::DenseMap<mlir::Value, Tensor>;

/// The result of a pointwise `op` on samples of its varying operands, all of the same length, by
/// the reference kernel. Fails where that refuses.
llvm::FailureOr<Tensor> evaluatePointwise(nn::NNOperator op, const Samples &samples);

/// Whether tensors of `type` store integers of 8 or 16 bits, so that all can be tried.
bool hasFewValues(const TensorType &type);
/// Every value that an element of `type` can store, in ascending order.
Tensor allValues(const TensorType &type);

/// The stored results of a pointwise `op` with one varying operand for every value that this can
/// store, in ascending order. Fails where the operand or result has more than 16 bits or floats.
llvm::FailureOr<std::vector<int32_t>> tabulate(nn::NNOperator op);

} // namespace thimble
