// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The m4 dialect: the inner loops.

#ifndef THIMBLE_M4_OPS
#define THIMBLE_M4_OPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def M4_Dialect : Dialect {
  let name = "m4";
  let cppNamespace = "::thimble::m4";
  let summary = "instructions of the Cortex-M4's DSP extension";
  let description = [{
    Operations are instructions on 32-bit values. Each has a portable definition in
    `runtime/thimble_dsp.h`, the function `thimble_<mnemonic>`, which both emitters call: on a core with
    the DSP extension it is the instruction, elsewhere plain arithmetic with the same result.
  }];
}

class M4_Op<string mnemonic, list<Trait> traits = []> : Op<M4_Dialect, mnemonic, traits>;

// Pure instructions on words: all operands and the result are i32.
class M4_WordOp<string mnemonic, string formula, dag args>
    : M4_Op<mnemonic, [Pure, SameOperandsAndResultType]> {
  let summary = formula;
  let arguments = args;
  let results = (outs I32:$result);
  let assemblyFormat = "operands attr-dict";
  let extraClassDeclaration = [{
    /// The function of the runtime that computes this.
    static ::llvm::StringRef getRuntimeFunction() { return "thimble_}] # mnemonic # [{"; }
  }];
}
class M4_DualOp<string mnemonic, string formula> : M4_WordOp<mnemonic, formula, (ins I32:$a, I32:$b)>;
class M4_AccumulateOp<string mnemonic, string formula>
    : M4_WordOp<mnemonic, formula, (ins I32:$a, I32:$b, I32:$acc)>;

def M4_SmladOp : M4_AccumulateOp<"smlad", "acc + a.lo * b.lo + a.hi * b.hi">;
def M4_SmladxOp : M4_AccumulateOp<"smladx", "acc + a.lo * b.hi + a.hi * b.lo">;
def M4_SmlabbOp : M4_AccumulateOp<"smlabb", "acc + a.lo * b.lo">;
def M4_SmlabtOp : M4_AccumulateOp<"smlabt", "acc + a.lo * b.hi">;
def M4_SmlatbOp : M4_AccumulateOp<"smlatb", "acc + a.hi * b.lo">;
def M4_SmlattOp : M4_AccumulateOp<"smlatt", "acc + a.hi * b.hi">;
def M4_SmuadOp : M4_DualOp<"smuad", "a.lo * b.lo + a.hi * b.hi">;
def M4_SmmulOp : M4_DualOp<"smmul", "high word of a * b">;
def M4_SmmlarOp : M4_AccumulateOp<"smmlar", "high word of (acc << 32) + a * b + 2^31">;
def M4_SmmlaOp : M4_AccumulateOp<"smmla", "high word of (acc << 32) + a * b">;
def M4_Sadd16Op : M4_DualOp<"sadd16", "sums of the halves">;
def M4_Ssub16Op : M4_DualOp<"ssub16", "differences of the halves">;
// Two instructions each, as SSUB8 hands its flags to SEL.
def M4_Smax8Op : M4_DualOp<"smax8", "larger of each pair of bytes">;
def M4_Smin8Op : M4_DualOp<"smin8", "smaller of each pair of bytes">;
def M4_Sxtb16Op : M4_WordOp<"sxtb16", "bytes 0 and 2, sign-extended to halves", (ins I32:$a)>;
def M4_Sxtb16Ror8Op : M4_WordOp<"sxtb16_ror8", "bytes 1 and 3, sign-extended to halves", (ins I32:$a)>;
def M4_PkhbtOp : M4_DualOp<"pkhbt", "a.lo with b.lo as the high half"> {
  let extraClassDeclaration = [{
    static ::llvm::StringRef getRuntimeFunction() { return "thimble_pkhbt16"; }
  }];
}
def M4_PkhtbOp : M4_DualOp<"pkhtb", "b.hi as the low half with a.hi as the high half"> {
  let extraClassDeclaration = [{
    static ::llvm::StringRef getRuntimeFunction() { return "thimble_pkhtb16"; }
  }];
}

def M4_SsatOp : M4_Op<"ssat", [Pure, SameOperandsAndResultType]> {
  let summary = "value saturated to a signed number of bits";
  let arguments = (ins I32:$value, ConfinedAttr<I32Attr, [IntMinValue<1>, IntMaxValue<32>]>:$bits);
  let results = (outs I32:$result);
  let assemblyFormat = "$value `to` $bits attr-dict";
}

def M4_LoadWordOp : M4_Op<"load_word", [MemoryEffects<[MemRead]>]> {
  let summary = "four bytes, at any alignment, as a word";
  let description = "`index` counts elements of the buffer, which are of 8, 16 or 32 bits.";
  let arguments = (ins MemRefRankOf<[AnyInteger], [1]>:$buffer, Index:$index);
  let results = (outs I32:$result);
  let assemblyFormat = "$buffer `[` $index `]` attr-dict `:` type($buffer)";
}
def M4_StoreWordOp : M4_Op<"store_word", [MemoryEffects<[MemWrite]>]> {
  let summary = "stores a word, at any alignment";
  let arguments = (ins I32:$value, MemRefRankOf<[AnyInteger], [1]>:$buffer, Index:$index);
  let assemblyFormat = "$value `,` $buffer `[` $index `]` attr-dict `:` type($buffer)";
}

#endif // THIMBLE_M4_OPS
