// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The mcu dialect: types and operations.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/mcu/MCUEnums.h.inc"
#include "dialects/mcu/MCUDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/mcu/MCUTypes.h.inc"

#define GET_OP_CLASSES
#include "dialects/mcu/MCUOps.h.inc"

namespace thimble::mcu {

/// The buffer that `buffer` is a part of, and where in it: aliases followed to
/// their end. Offset in bytes.
struct Place {
  mlir::Value root;
  int64_t byteOffset;
};
Place resolve(mlir::Value buffer);

/// The offset in the arena of a placed buffer, aliases followed. The buffer's
/// root must be an input or a buffer with an offset.
int64_t arenaOffset(mlir::Value buffer);

} // namespace thimble::mcu
