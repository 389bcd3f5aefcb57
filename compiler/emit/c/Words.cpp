// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Words that hold packed halves or bytes are uint32_t in the runtime, numbers int32_t; in MLIR both
// are i32. This says which is which.
#include "compiler/emit/c/FunctionPrinter.h"

#include "dialects/m4/M4Ops.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace thimble::emit {

bool takesUnsigned(OpOperand &use) {
  Operation *op = use.getOwner();
  const unsigned i = use.getOperandNumber();
  if (isa<m4::StoreWordOp>(op))
    return i == 0;
  if (isa<m4::SmmulOp, m4::SmmlarOp, m4::SmmlaOp, m4::SsatOp>(op))
    return false;
  if (auto called = dyn_cast<func::CallOp>(op))
    return called.getCallee() == "thimble_clz" || called.getCallee() == "thimble_bits_float";
  return !m4::runtimeFunction(op).empty() && i < 2; // operand 2 is an accumulator
}

bool givesUnsigned(Operation *op) {
  if (auto called = dyn_cast<func::CallOp>(op))
    return called.getCallee() == "thimble_float_bits";
  return isa<m4::Sadd16Op, m4::Ssub16Op, m4::Sxtb16Op, m4::Sxtb16Ror8Op, m4::Smax8Op, m4::Smin8Op,
             m4::PkhbtOp, m4::PkhtbOp>(op);
}

bool isWord(Value value) { return llvm::all_of(value.getUses(), takesUnsigned); }

} // namespace thimble::emit
