// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Types and constants of nn as the reference kernels' tensors, and back.
#pragma once

#include "dialects/nn/reference/Tensor.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <optional>
#include <string>

namespace thimble::nn {

/// The tensor type that `type` stands for; none, with the reason in `*why` if
/// given, where the type is no ranked tensor with positive static dimensions of
/// at most 2^31 - 1 bytes and an element type of nn: i1, i8, ui8, i16, i32,
/// i64, f32, or a uniform quantization to f32 of i8, u8, i16 or i32 over the
/// full range (axis less than the rank, a scale for each index, zero points in
/// range, 0 where it is per channel).
std::optional<TensorType> toTensorType(mlir::Type type, std::string *why = nullptr);

/// The inverse of `toTensorType`.
mlir::RankedTensorType fromTensorType(mlir::MLIRContext *context, const TensorType &type);

/// `type` with the storage type as element type: i8 for `!quant.uniform<i8:f32, ...>`,
/// ui8 for `!quant.uniform<u8:f32, ...>`, ...: the type of `nn.constant`'s attribute.
mlir::RankedTensorType storageType(mlir::RankedTensorType type);

/// Whether `value` (dense or dense_resource) fits `type`: storage type, shape,
/// size of the resource.
bool checkConstant(mlir::ElementsAttr value, mlir::Type type, std::string *why = nullptr);

/// The data of `value` (dense or dense_resource, of `type`'s storage type and
/// shape) as a tensor of `type`; none, with the reason in `*why`, otherwise.
std::optional<Tensor> toTensor(mlir::ElementsAttr value, mlir::Type type,
                               std::string *why = nullptr);

/// The data of `tensor`, of its storage type: a resource called `name` (made
/// unique) where it is large, so that text stays readable and is not hashed.
mlir::ElementsAttr toAttribute(mlir::MLIRContext *context, const Tensor &tensor,
                               llvm::StringRef name = "constant");

} // namespace thimble::nn
