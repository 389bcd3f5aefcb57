// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Constant tables.
#pragma once

#include "mlir/Dialect/MemRef/IR/MemRef.h"

#include <string>

namespace thimble::emit {

/// The definition of `global` as a static const array, or failure with an error reported on it.
/// `macro` is the prefix of the model's macros.
mlir::FailureOr<std::string> printConstant(mlir::memref::GlobalOp global, llvm::StringRef macro);

} // namespace thimble::emit
