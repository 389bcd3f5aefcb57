// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The m4 dialect: instructions of the Cortex-M4.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <string>

namespace thimble::m4 {

/// How an instruction is timed (Arm Cortex-M4 TRM, instruction timing table).
struct Timing {
  enum Kind {
    Alu,          // 1
    Wide,         // two instructions of 1
    Load,         // 2; 1 right after another load whose result is not its address
    LoadMultiple, // 1 + registers
    Store,        // 1
    FpuLoad,      // 2
  };
  Kind kind = Alu;
  unsigned registers = 1;
};

/// Core registers that can be allocated: r0 to r12 and lr.
constexpr int numGprs = 14;
/// lr, after r0 to r12.
constexpr int linkRegister = 13;
constexpr int numFprs = 32;

/// MOV or MVN can make `value`.
bool isModifiedImmediate(uint32_t value);
/// Eight bits anywhere in a word: any instruction with modified immediates takes it.
bool isShiftedByte(uint32_t value);

} // namespace thimble::m4

#include "dialects/m4/M4Dialect.h.inc"
#include "dialects/m4/M4Interfaces.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/m4/M4Types.h.inc"

#define GET_OP_CLASSES
#include "dialects/m4/M4Ops.h.inc"

namespace thimble::m4 {

/// Whether every operation of `kernel`, whose registers are physical, finds in them what it reads.
mlir::LogicalResult verifyAllocation(KernelOp kernel);

/// The runtime function that computes `op`, or an empty string where `op` is
/// no pure instruction on words.
llvm::StringRef runtimeFunction(mlir::Operation *op);

} // namespace thimble::m4
