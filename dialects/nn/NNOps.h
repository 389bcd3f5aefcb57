// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The nn dialect: operators, attributes and interfaces. Shapes and constants
// are converted from and to the reference kernels' tensors by NNTypes.h.
#pragma once

#include "dialects/nn/NNMovement.h"
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "dialects/nn/reference/ElementwiseUnary.h"
#include "dialects/nn/reference/Reduce.h"
#include "dialects/nn/reference/Tensor.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/nn/NNOpsDialect.h.inc"
#include "dialects/nn/NNOpsEnums.h.inc"

namespace thimble {
struct RequantPerChannel;
}

namespace thimble::nn {

class NNOperator;

/// What the generated operator classes call; not for others.
namespace detail {
using Shapes = llvm::SmallVectorImpl<llvm::SmallVector<int64_t>>;

mlir::LogicalResult verifyOperator(mlir::Operation *op);
UnaryParams unaryParams(mlir::Operation *op, UnaryOp kind);
mlir::LogicalResult sameShape(mlir::Operation *op, Shapes &shapes);
mlir::LogicalResult broadcastShape(mlir::Operation *op, Shapes &shapes);
mlir::LogicalResult reducedShape(mlir::Operation *op, llvm::ArrayRef<int64_t> axes, bool keepDims,
                                 Shapes &shapes);
mlir::LogicalResult evaluateUnary(mlir::Operation *op, llvm::ArrayRef<const Tensor *> inputs,
                                  llvm::MutableArrayRef<Tensor> outputs);
mlir::LogicalResult evaluateBinary(mlir::Operation *op, llvm::ArrayRef<const Tensor *> inputs,
                                   llvm::MutableArrayRef<Tensor> outputs);
mlir::LogicalResult evaluateMovement(mlir::Operation *op, llvm::ArrayRef<const Tensor *> inputs,
                                     llvm::MutableArrayRef<Tensor> outputs);
mlir::LogicalResult evaluateReduction(mlir::Operation *op, llvm::ArrayRef<int64_t> axes,
                                      llvm::ArrayRef<const Tensor *> inputs,
                                      llvm::MutableArrayRef<Tensor> outputs);
} // namespace detail

/// The results of an operator whose operands are all `nn.constant`: one
/// elements attribute a result, of storage type. Fails, without a message,
/// where an operand is not constant or evaluation refuses.
llvm::FailureOr<llvm::SmallVector<mlir::Attribute>> foldConstants(NNOperator op);

/// How `op`, a convolution of any kind or a matrix product, gets from accumulators to its result.
RequantPerChannel requantOf(mlir::Operation *op);

} // namespace thimble::nn

#include "dialects/nn/NNInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/nn/NNOpsAttributes.h.inc"
#define GET_OP_CLASSES
#include "dialects/nn/NNOps.h.inc"
