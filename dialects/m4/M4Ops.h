// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The m4 dialect: instructions of the Cortex-M4.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/m4/M4Dialect.h.inc"

#define GET_OP_CLASSES
#include "dialects/m4/M4Ops.h.inc"

namespace thimble::m4 {

/// The runtime function that computes `op`, or an empty string where `op` is
/// no pure instruction on words.
llvm::StringRef runtimeFunction(mlir::Operation *op);

} // namespace thimble::m4
