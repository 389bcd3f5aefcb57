// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The m4 dialect: instructions of the DSP extension, on i32 values or registers.

#ifndef THIMBLE_M4_OPS
#define THIMBLE_M4_OPS

include "mlir/Interfaces/InferTypeOpInterface.td"
include "dialects/m4/M4Base.td"

// Pure instructions on words: all operands and the result are i32, or all are registers.
class M4_WordOp<string mnemonic, string text, string formula, dag args>
    : M4_InstructionOp<mnemonic, text, "Timing::Alu", args, (outs M4_Word:$result), [Pure, M4_SameWords]> {
  let summary = formula;
  let extraClassDeclaration = [{
    /// The function of the runtime that computes this.
    static ::llvm::StringRef getRuntimeFunction() { return "thimble_}] # mnemonic # [{"; }
  }];
}
class M4_DualOp<string mnemonic, string formula>
    : M4_WordOp<mnemonic, mnemonic # " %r, %0, %1", formula, (ins M4_Word:$a, M4_Word:$b)>;
class M4_AccumulateOp<string mnemonic, string formula>
    : M4_WordOp<mnemonic, mnemonic # " %r, %0, %1, %2", formula, (ins M4_Word:$a, M4_Word:$b, M4_Word:$acc)>;

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
class M4_SelectBytesOp<string mnemonic, string which, string formula>
    : M4_WordOp<mnemonic, "ssub8 %r, %0, %1\\nsel %r, " # which, formula, (ins M4_Word:$a, M4_Word:$b)> {
  let timingCode = "return Timing{Timing::Wide};";
  let clobberCode = "return true;";
}
def M4_Smax8Op : M4_SelectBytesOp<"smax8", "%0, %1", "larger of each pair of bytes">;
def M4_Smin8Op : M4_SelectBytesOp<"smin8", "%1, %0", "smaller of each pair of bytes">;
def M4_Sxtb16Op : M4_WordOp<"sxtb16", "sxtb16 %r, %0", "bytes 0 and 2, sign-extended to halves", (ins M4_Word:$a)>;
def M4_Sxtb16Ror8Op : M4_WordOp<"sxtb16_ror8", "sxtb16 %r, %0, ror #8", "bytes 1 and 3, sign-extended to halves", (ins M4_Word:$a)>;
def M4_PkhbtOp : M4_WordOp<"pkhbt", "pkhbt %r, %0, %1, lsl #16", "a.lo with b.lo as the high half", (ins M4_Word:$a, M4_Word:$b)> {
  let extraClassDeclaration = [{
    static ::llvm::StringRef getRuntimeFunction() { return "thimble_pkhbt16"; }
  }];
}
def M4_PkhtbOp : M4_WordOp<"pkhtb", "pkhtb %r, %0, %1, asr #16", "b.hi as the low half with a.hi as the high half", (ins M4_Word:$a, M4_Word:$b)> {
  let extraClassDeclaration = [{
    static ::llvm::StringRef getRuntimeFunction() { return "thimble_pkhtb16"; }
  }];
}

def M4_SsatOp : M4_InstructionOp<"ssat", "ssat %r, #%{bits}, %0", "Timing::Alu",
    (ins M4_Word:$value, ConfinedAttr<I32Attr, [IntMinValue<1>, IntMaxValue<32>]>:$bits, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount),
    (outs M4_Word:$result), [Pure, M4_SameWords]> {
  let summary = "value saturated to a signed number of bits, on registers after a shift";
  let hasVerifier = 1;
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

include "dialects/m4/M4RegisterOps.td"

#endif // THIMBLE_M4_OPS
