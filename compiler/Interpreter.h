// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The reference interpreter: runs a network of nn operator by operator on the host. The oracle that
// generated code is compared with.
#pragma once

#include "dialects/nn/reference/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <vector>

namespace thimble {

/// Called after each operator with its results.
using LayerObserver = llvm::function_ref<void(mlir::Operation *, llvm::ArrayRef<const Tensor *>)>;

/// Runs `function` on `inputs`, one for each argument with the argument's type. Fails, with an
/// error on the operator, where an operator has no evaluation.
mlir::FailureOr<std::vector<Tensor>> interpret(mlir::func::FuncOp function,
                                               llvm::ArrayRef<Tensor> inputs,
                                               LayerObserver observer = nullptr);

} // namespace thimble
