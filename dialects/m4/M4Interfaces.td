// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What scheduling, allocation, cycle counting and printing ask of an instruction.

#ifndef THIMBLE_M4_INTERFACES
#define THIMBLE_M4_INTERFACES

include "mlir/IR/OpBase.td"

def M4_Instruction : OpInterface<"Instruction"> {
  let cppNamespace = "::thimble::m4";
  let description = "An operation that is one instruction on registers.";
  let methods = [
    InterfaceMethod<"Its class in the core's timing table, and how many registers it moves.",
      "::thimble::m4::Timing", "getTiming">,
    InterfaceMethod<[{
      Its assembly text with `%r`, `%s` for results, `%0`, `%1`, ... for operands, and `%{name}` for
      integer attributes.
    }], "std::string", "getText">,
    InterfaceMethod<[{
      Results that the instruction makes by changing an operand in place: pairs (operand, result) that
      have one register.
    }], "::llvm::SmallVector<std::pair<unsigned, unsigned>, 2>", "getTied", (ins), "",
      "return {};">,
    InterfaceMethod<"Results written before all operands are read: in registers of their own.",
      "bool", "isEarlyClobber", (ins), "", "return false;">,
    InterfaceMethod<"Sets the flags that a branch or conditional instruction reads.",
      "bool", "setsFlags", (ins), "", "return false;">,
    InterfaceMethod<"Reads the flags.", "bool", "readsFlags", (ins), "", "return false;">,
  ];
}

#endif // THIMBLE_M4_INTERFACES
