// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/m4/M4Ops.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace thimble::m4;

#include "dialects/m4/M4Dialect.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/m4/M4Ops.cpp.inc"

void M4Dialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/m4/M4Ops.cpp.inc"
      >();
}

llvm::StringRef thimble::m4::runtimeFunction(Operation *op) {
  return llvm::TypeSwitch<Operation *, llvm::StringRef>(op)
      .Case<SmladOp, SmladxOp, SmlabbOp, SmlabtOp, SmlatbOp, SmlattOp, SmuadOp, SmmulOp, SmmlarOp,
            SmmlaOp, Sadd16Op, Ssub16Op, Sxtb16Op, Sxtb16Ror8Op, PkhbtOp, PkhtbOp>(
          [](auto word) { return word.getRuntimeFunction(); })
      .Default([](Operation *) { return llvm::StringRef(); });
}
