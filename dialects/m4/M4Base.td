// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The m4 dialect: types and base classes.

#ifndef THIMBLE_M4_BASE
#define THIMBLE_M4_BASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "dialects/m4/M4Interfaces.td"

def M4_Dialect : Dialect {
  let name = "m4";
  let cppNamespace = "::thimble::m4";
  let summary = "instructions of the Cortex-M4";
  let description = [{
    Operations are instructions. The packed multiplications and their kin work on `i32` values, where
    each is a call of its portable definition `thimble_<mnemonic>` of `runtime/thimble_dsp.h`, and on
    registers (`!m4.gpr`, `!m4.fpr`) in an `m4.kernel`, where each is exactly that instruction.
  }];
  let useDefaultTypePrinterParser = 1;
}

class M4_Register<string name, string mnemonicText, string prefix, string text> : TypeDef<M4_Dialect, name> {
  let mnemonic = mnemonicText;
  let summary = text;
  let description = "Virtual, or physical where it has a number: `!m4." # mnemonicText # "<" # prefix # "4>`.";
  let parameters = (ins DefaultValuedParameter<"int", "-1">:$number);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let builders = [TypeBuilder<(ins CArg<"int", "-1">:$number), [{ return $_get($_ctxt, number); }]>];
  let skipDefaultBuilders = 1;
  let extraClassDeclaration = [{
    bool isVirtual() const { return getNumber() < 0; }
    /// The assembler's name: r4, s0.
    std::string getName() const;
  }];
}
def M4_Gpr : M4_Register<"Gpr", "gpr", "r", "a core register">;
def M4_Fpr : M4_Register<"Fpr", "fpr", "s", "a single-precision register of the FPU, which holds any word">;
def M4_AnyRegister : AnyTypeOf<[M4_Gpr, M4_Fpr]>;
def M4_Word : AnyTypeOf<[I32, M4_Gpr]>;

// A text that is one of a few.
class M4_OneOf<list<string> words, string what> : ConfinedAttr<StrAttr, [AttrConstraint<
    CPred<"::llvm::is_contained({\"" # !interleave(words, "\", \"") # "\"}, ::llvm::cast<::mlir::StringAttr>($_self).getValue())">, what>]>;
def M4_LoadKind : M4_OneOf<["w", "b", "sb", "ub", "h", "sh", "uh"], "of a load">;
def M4_StoreKind : M4_OneOf<["w", "b", "h"], "of a store">;
def M4_ShiftKind : M4_OneOf<["lsl", "lsr", "asr", "ror"], "of a shift">;
def M4_Condition : M4_OneOf<["eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc", "hi", "ls", "ge", "lt", "gt", "le"], "of a condition">;

class M4_Op<string mnemonic, list<Trait> traits = []> : Op<M4_Dialect, mnemonic, traits>;

// Operands and results are all i32 or all registers.
def M4_SameWords : PredOpTrait<"operands and result are all i32 or all registers",
    CPred<"::llvm::all_equal(::llvm::map_range($_op.getOperandTypes(), [](::mlir::Type t) { return t.isInteger(); })) && "
          "$_op.getOperand(0).getType().isInteger() == $_op.getResult(0).getType().isInteger()">>;

// Instructions are all written alike: operands, attributes, and types unless all are i32.
class M4_InstructionOp<string mnemonic, string text, string timing, dag args, dag outs, list<Trait> traits>
    : M4_Op<mnemonic, !listconcat(traits, [DeclareOpInterfaceMethods<M4_Instruction, ["getTied", "isEarlyClobber", "setsFlags", "readsFlags"]>])> {
  let arguments = args;
  let results = outs;
  let hasCustomAssemblyFormat = 1;
  // What the interface's methods answer; an instruction overrides what differs.
  string textCode = "return \"" # text # "\";";
  string timingCode = "return Timing{" # timing # "};";
  string tiedCode = "return {};";
  string clobberCode = "return false;";
  string setsFlagsCode = "return false;";
  string readsFlagsCode = "return false;";
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser, ::mlir::OperationState &state) {
      return parseInstruction(parser, state);
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) { printInstruction(printer, *this); }
    std::string $cppClass::getText() { }] # textCode # [{ }
    Timing $cppClass::getTiming() { }] # timingCode # [{ }
    ::llvm::SmallVector<std::pair<unsigned, unsigned>, 2> $cppClass::getTied() { }] # tiedCode # [{ }
    bool $cppClass::isEarlyClobber() { }] # clobberCode # [{ }
    bool $cppClass::setsFlags() { }] # setsFlagsCode # [{ }
    bool $cppClass::readsFlags() { }] # readsFlagsCode # [{ }
  }];
}

#endif // THIMBLE_M4_BASE
