// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The m4 dialect: instructions on registers only, and the structure around them.

#ifndef THIMBLE_M4_REGISTER_OPS
#define THIMBLE_M4_REGISTER_OPS

include "dialects/m4/M4Base.td"

//===-- Arithmetic --------------------------------------------------------------------------===//

class M4_RegOp<string mnemonic, string text, dag args, dag outs = (outs M4_Gpr:$result), list<Trait> traits = [Pure]>
    : M4_InstructionOp<mnemonic, text, "Timing::Alu", args, outs, traits>;

// The second operand may be shifted: {shift = "lsl", amount = 8}.
class M4_ShiftableOp<string mnemonic, string text, string formula>
    : M4_RegOp<mnemonic, text, (ins M4_Gpr:$a, M4_Gpr:$b, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount)> {
  let summary = formula;
}
def M4_AddOp : M4_ShiftableOp<"add", "add.w %r, %0, %1", "a + b">;
def M4_SubOp : M4_ShiftableOp<"sub", "sub.w %r, %0, %1", "a - b">;
def M4_RsbOp : M4_ShiftableOp<"rsb", "rsb.w %r, %0, %1", "b - a">;
def M4_AndOp : M4_ShiftableOp<"and", "and.w %r, %0, %1", "a & b">;
def M4_OrrOp : M4_ShiftableOp<"orr", "orr.w %r, %0, %1", "a | b">;
def M4_EorOp : M4_ShiftableOp<"eor", "eor.w %r, %0, %1", "a ^ b">;
def M4_BicOp : M4_ShiftableOp<"bic", "bic.w %r, %0, %1", "a & ~b">;
def M4_PackBottomOp : M4_ShiftableOp<"pack_bottom", "pkhbt %r, %0, %1", "PKHBT: a.lo with the high half of b, shifted left">;
def M4_PackTopOp : M4_ShiftableOp<"pack_top", "pkhtb %r, %0, %1", "PKHTB: a.hi with the low half of b, shifted right">;

def M4_AddImmOp : M4_RegOp<"add_imm", "", (ins M4_Gpr:$a, I64Attr:$value)> {
  let summary = "a + value; -4095 to 4095 or a modified immediate";
  let textCode = "return addText(getValueAttr(), \"%r, %0\");";
}
def M4_RsbImmOp : M4_RegOp<"rsb_imm", "rsb.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_AndImmOp : M4_RegOp<"and_imm", "and.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_OrrImmOp : M4_RegOp<"orr_imm", "orr.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_EorImmOp : M4_RegOp<"eor_imm", "eor.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_LslOp : M4_RegOp<"lsl", "lsl.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_LsrOp : M4_RegOp<"lsr", "lsr.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_AsrOp : M4_RegOp<"asr", "asr.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_RorOp : M4_RegOp<"ror", "ror.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value)>;
def M4_LslByOp : M4_RegOp<"lsl_by", "lsl.w %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b)>;
def M4_AsrByOp : M4_RegOp<"asr_by", "asr.w %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b)>;

def M4_ConstantOp : M4_RegOp<"constant", "", (ins I64Attr:$value)> {
  let summary = "a number in a register: one instruction, or MOVW and MOVT";
  let textCode = "return constantText(static_cast<uint32_t>(getValue()));";
  let timingCode = "return Timing{isModifiedImmediate(static_cast<uint32_t>(getValue())) ? Timing::Alu : Timing::Wide};";
}
def M4_CopyOp : M4_RegOp<"copy", "mov.w %r, %0", (ins M4_Gpr:$a)>;

def M4_MulOp : M4_RegOp<"mul", "mul %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b)>;
def M4_MlaOp : M4_RegOp<"mla", "mla %r, %0, %1, %2", (ins M4_Gpr:$a, M4_Gpr:$b, M4_Gpr:$acc)>;
def M4_MlsOp : M4_RegOp<"mls", "mls %r, %0, %1, %2", (ins M4_Gpr:$a, M4_Gpr:$b, M4_Gpr:$acc)>;
def M4_SmulbbOp : M4_RegOp<"smulbb", "smulbb %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b)>;
def M4_SmulbtOp : M4_RegOp<"smulbt", "smulbt %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b)>;
def M4_SmultbOp : M4_RegOp<"smultb", "smultb %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b)>;
def M4_SmulttOp : M4_RegOp<"smultt", "smultt %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b)>;
def M4_SmlawbOp : M4_RegOp<"smlawb", "smlawb %r, %0, %1, %2", (ins M4_Gpr:$a, M4_Gpr:$b, M4_Gpr:$acc)> {
  let summary = "acc + (a * b.lo >> 16), the product of 48 bits";
}
def M4_SmlawtOp : M4_RegOp<"smlawt", "smlawt %r, %0, %1, %2", (ins M4_Gpr:$a, M4_Gpr:$b, M4_Gpr:$acc)>;
class M4_LongOp<string mnemonic> : M4_RegOp<mnemonic, mnemonic # " %r, %s, %0, %1",
    (ins M4_Gpr:$a, M4_Gpr:$b, M4_Gpr:$low, M4_Gpr:$high), (outs M4_Gpr:$low_result, M4_Gpr:$high_result)> {
  let tiedCode = "return {{2, 0}, {3, 1}};";
}
def M4_SmlalOp : M4_LongOp<"smlal">;
def M4_SmlaldOp : M4_LongOp<"smlald">;
def M4_SmlalbbOp : M4_LongOp<"smlalbb">;
def M4_SmlalbtOp : M4_LongOp<"smlalbt">;
def M4_SmlaltbOp : M4_LongOp<"smlaltb">;
def M4_SmlalttOp : M4_LongOp<"smlaltt">;
def M4_SmullOp : M4_RegOp<"smull", "smull %r, %s, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b), (outs M4_Gpr:$low, M4_Gpr:$high)>;
def M4_AddsOp : M4_RegOp<"adds", "adds.w %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b), (outs M4_Gpr:$result), []> {
  let summary = "a + b; sets the flags";
  let setsFlagsCode = "return true;";
}
def M4_AdcOp : M4_RegOp<"adc", "adc.w %r, %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b), (outs M4_Gpr:$result), []> {
  let summary = "a + b + carry";
  let readsFlagsCode = "return true;";
}
def M4_SxtbOp : M4_RegOp<"sxtb", "sxtb.w %r, %0", (ins M4_Gpr:$a, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount)>;
def M4_UxtbOp : M4_RegOp<"uxtb", "uxtb.w %r, %0", (ins M4_Gpr:$a, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount)>;
def M4_SxthOp : M4_RegOp<"sxth", "sxth.w %r, %0", (ins M4_Gpr:$a, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount)>;
def M4_Uxtb16Op : M4_RegOp<"uxtb16", "uxtb16 %r, %0", (ins M4_Gpr:$a, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount)>;
def M4_Sxtab16Op : M4_RegOp<"sxtab16", "sxtab16 %r, %0, %1",
    (ins M4_Gpr:$a, M4_Gpr:$b, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount)>;
def M4_UsatOp : M4_RegOp<"usat", "usat %r, #%{bits}, %0", (ins M4_Gpr:$a, I64Attr:$bits, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount)>;

//===-- Between core and FPU ----------------------------------------------------------------===//

def M4_ToSOp : M4_RegOp<"to_s", "vmov %r, %0", (ins M4_Gpr:$a), (outs M4_Fpr:$result)> {
  let summary = "VMOV: keeps a word in an S register";
}
def M4_ToROp : M4_RegOp<"to_r", "vmov %r, %0", (ins M4_Fpr:$a)> {
  let summary = "VMOV: the word of an S register";
}
def M4_CopySOp : M4_RegOp<"copy_s", "vmov.f32 %r, %0", (ins M4_Fpr:$a), (outs M4_Fpr:$result)>;

//===-- Memory ------------------------------------------------------------------------------===//
// Without a base, the address is in the frame: [sp, #offset]. `kind`: w, sb, ub, sh, uh.
// `table`: reads constants that no store of the kernel changes.

def M4_LoadOp : M4_InstructionOp<"load", "", "Timing::Load",
    (ins Optional<M4_Gpr>:$base, M4_LoadKind:$kind, DefaultValuedAttr<I64Attr, "0">:$offset, UnitAttr:$table),
    (outs M4_Gpr:$value), [MemoryEffects<[MemRead]>]> {
  let summary = "LDR, LDRB, LDRSB, LDRH or LDRSH [base, #offset]";
  let textCode = "return memoryText(\"ldr\", getKind(), \"%r\", getBase() ? \"%0\" : \"sp\", getOffset());";
}
def M4_LoadPostOp : M4_InstructionOp<"load_post", "", "Timing::Load",
    (ins M4_Gpr:$base, M4_LoadKind:$kind, I64Attr:$step, UnitAttr:$table),
    (outs M4_Gpr:$value, M4_Gpr:$next), [MemoryEffects<[MemRead]>]> {
  let summary = "loads from base, which then moves by `step`";
  let textCode = "return \"ldr\" + kindSuffix(getKind()) + \" %r, [%0], #%{step}\";";
  let tiedCode = "return {{0, 1}};";
}
def M4_LoadIndexedOp : M4_InstructionOp<"load_indexed", "", "Timing::Load",
    (ins M4_Gpr:$base, M4_Gpr:$index, M4_LoadKind:$kind, OptionalAttr<M4_ShiftKind>:$shift, OptionalAttr<I64Attr>:$amount, UnitAttr:$table),
    (outs M4_Gpr:$value), [MemoryEffects<[MemRead]>]> {
  let summary = "loads from base + index, index shifted left by up to 3";
  let textCode = "return \"ldr\" + kindSuffix(getKind()) + \".w %r, [%0, %1\" + (getAmount() ? \", lsl #\" + std::to_string(*getAmount()) : std::string()) + \"]\";";
}
def M4_LoadMultipleOp : M4_InstructionOp<"load_multiple", "", "Timing::LoadMultiple, static_cast<unsigned>(getValues().size())",
    (ins M4_Gpr:$base, UnitAttr:$table), (outs Variadic<M4_Gpr>:$values), [MemoryEffects<[MemRead]>]> {
  let summary = "LDM: consecutive words into ascending registers";
  let textCode = "return \"ldm.w %0, {%results}\";";
}
def M4_LoadMultiplePostOp : M4_InstructionOp<"load_multiple_post", "", "Timing::LoadMultiple, static_cast<unsigned>(getValues().size())",
    (ins M4_Gpr:$base, UnitAttr:$table), (outs M4_Gpr:$next, Variadic<M4_Gpr>:$values), [MemoryEffects<[MemRead]>]> {
  let summary = "LDM with the base moved past what was read";
  let textCode = "return \"ldm.w %0!, {%results}\";";
  let tiedCode = "return {{0, 0}};";
}
def M4_StoreOp : M4_InstructionOp<"store", "", "Timing::Store",
    (ins M4_Gpr:$value, Optional<M4_Gpr>:$base, M4_StoreKind:$kind, DefaultValuedAttr<I64Attr, "0">:$offset),
    (outs), [MemoryEffects<[MemWrite]>]> {
  let summary = "STR, STRB or STRH [base, #offset]; `kind`: w, b, h";
  let textCode = "return memoryText(\"str\", getKind(), \"%0\", getBase() ? \"%1\" : \"sp\", getOffset());";
}
def M4_StorePostOp : M4_InstructionOp<"store_post", "", "Timing::Store",
    (ins M4_Gpr:$value, M4_Gpr:$base, M4_StoreKind:$kind, I64Attr:$step), (outs M4_Gpr:$next), [MemoryEffects<[MemWrite]>]> {
  let summary = "stores at base, which then moves by `step`";
  let textCode = "return \"str\" + kindSuffix(getKind()) + \" %0, [%1], #%{step}\";";
  let tiedCode = "return {{1, 0}};";
}
def M4_StoreIndexedOp : M4_InstructionOp<"store_indexed", "", "Timing::Store",
    (ins M4_Gpr:$value, M4_Gpr:$base, M4_Gpr:$index, StrAttr:$kind), (outs), [MemoryEffects<[MemWrite]>]> {
  let summary = "stores at base + index";
  let textCode = "return \"str\" + kindSuffix(getKind()) + \".w %0, [%1, %2]\";";
}
def M4_LoadSOp : M4_InstructionOp<"load_s", "", "Timing::FpuLoad",
    (ins Optional<M4_Gpr>:$base, DefaultValuedAttr<I64Attr, "0">:$offset, UnitAttr:$table),
    (outs M4_Fpr:$value), [MemoryEffects<[MemRead]>]> {
  let summary = "VLDR: a word into an S register";
  let textCode = "return memoryText(\"vldr\", \"w\", \"%r\", getBase() ? \"%0\" : \"sp\", getOffset());";
}
def M4_StoreSOp : M4_InstructionOp<"store_s", "", "Timing::FpuLoad",
    (ins M4_Fpr:$value, Optional<M4_Gpr>:$base, DefaultValuedAttr<I64Attr, "0">:$offset),
    (outs), [MemoryEffects<[MemWrite]>]> {
  let summary = "VSTR: the word of an S register into memory";
  let textCode = "return memoryText(\"vstr\", \"w\", \"%0\", getBase() ? \"%1\" : \"sp\", getOffset());";
}
def M4_FrameAddressOp : M4_RegOp<"frame_address", "", (ins I64Attr:$offset), (outs M4_Gpr:$result), [MemoryEffects<[MemRead]>]> {
  let summary = "the address of a place in the frame";
  let textCode = "return addText(getOffsetAttr(), \"%r, sp\");";
}
def M4_MoveFrameOp : M4_RegOp<"move_frame", "", (ins I64Attr:$step), (outs), [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "moves the stack pointer within the frame";
  let description = [{
    With the stack pointer as a pointer that walks over the frame, a loop has one more register. Interrupts
    overwrite what lies below it: only words that are not read again may be there.
  }];
  let textCode = "return addText(getStepAttr(), \"sp, sp\");";
}

//===-- Conditions --------------------------------------------------------------------------===//

def M4_CompareOp : M4_RegOp<"compare", "cmp.w %0, %1", (ins M4_Gpr:$a, M4_Gpr:$b), (outs), []> {
  let setsFlagsCode = "return true;";
}
def M4_CompareImmOp : M4_RegOp<"compare_imm", "", (ins M4_Gpr:$a, I64Attr:$value), (outs), []> {
  let textCode = "return signedText(getValueAttr(), \"cmp.w %0, #\", \"cmn.w %0, #\");";
  let setsFlagsCode = "return true;";
}
def M4_SubsOp : M4_RegOp<"subs", "subs.w %r, %0, #%{value}", (ins M4_Gpr:$a, I64Attr:$value), (outs M4_Gpr:$result), []> {
  let summary = "a - value; sets the flags";
  let setsFlagsCode = "return true;";
}
def M4_SelectOp : M4_RegOp<"select", "it %{condition}\\nmov%{condition} %r, %1", (ins M4_Gpr:$otherwise, M4_Gpr:$then, M4_Condition:$condition), (outs M4_Gpr:$result), []> {
  let summary = "`then` where the flags meet the condition, else `otherwise`";
  let tiedCode = "return {{0, 0}};";
  let timingCode = "return Timing{Timing::Wide};";
  let readsFlagsCode = "return true;";
}

//===-- Structure ---------------------------------------------------------------------------===//

def M4_KernelOp : M4_Op<"kernel", [Symbol, IsolatedFromAbove, SingleBlock]> {
  let summary = "a function of instructions";
  let description = [{
    Arguments arrive in r0 to r3. `frame` is the scratch that it has on the stack, in bytes, besides the
    registers that it saves. `cycles` is there once they are counted: of one call, from the static
    costs. The function named by `portable` computes the same from the same operands.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, DefaultValuedAttr<I64Attr, "0">:$frame,
    OptionalAttr<FlatSymbolRefAttr>:$portable, OptionalAttr<I64Attr>:$cycles);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    mlir::Block &getBlock() { return getBody().front(); }
  }];
}
def M4_ReturnOp : M4_Op<"return", [Terminator, HasParent<"KernelOp">]> {
  let summary = "the end of a kernel";
  let assemblyFormat = "attr-dict";
}
def M4_LoopOp : M4_Op<"loop", [SingleBlock]> {
  let summary = "repeats its body while the last comparison says `condition`";
  let description = [{
    The body ends with `m4.next`, which jumps back where the flags meet the condition; the last instruction of
    the body that sets flags decides. `trips` is how often the body runs, for costs. Carried registers are
    operands, block arguments, operands of `m4.next` and results: each is one register all the time.
  }];
  let arguments = (ins Variadic<M4_AnyRegister>:$initial, I64Attr:$trips, DefaultValuedStrAttr<M4_Condition, "ne">:$condition);
  let results = (outs Variadic<M4_AnyRegister>:$final);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    mlir::Block &getBlock() { return getBody().front(); }
  }];
}
def M4_NextOp : M4_Op<"next", [Terminator, HasParent<"LoopOp">]> {
  let summary = "the next trip, or the end of the loop";
  let arguments = (ins Variadic<M4_AnyRegister>:$carried);
  let assemblyFormat = "($carried^ `:` type($carried))? attr-dict";
}
def M4_IfOp : M4_Op<"if", [NoRegionArguments]> {
  let summary = "runs one of two bodies, by the flags";
  let description = [{
    `taken` of `of` executions run the first body, for costs. Results have one register in both.
  }];
  let arguments = (ins M4_Condition:$condition, DefaultValuedAttr<I64Attr, "1">:$taken, DefaultValuedAttr<I64Attr, "2">:$of);
  let results = (outs Variadic<M4_AnyRegister>:$values);
  let regions = (region SizedRegion<1>:$then, MaxSizedRegion<1>:$otherwise);
  let assemblyFormat = "$condition `taken` $taken `of` $of $then (`else` $otherwise^)? attr-dict (`:` type($values)^)?";
  let hasRegionVerifier = 1;
}
def M4_YieldOp : M4_Op<"yield", [Terminator, HasParent<"IfOp">]> {
  let summary = "the end of a body";
  let arguments = (ins Variadic<M4_AnyRegister>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def M4_CallOp : M4_Op<"call", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "calls a kernel from code that is not registers yet";
  let description = [{
    Passes the addresses of the elements `offsets` of `buffers`, then `words`. `writes` lists the buffers that the
    kernel changes. Where the code is not for a core with the DSP extension, the kernel's portable function
    is called.

    ```mlir
    m4.kernel @conv_1x1(%x: !m4.gpr, %y: !m4.gpr, %w: !m4.gpr) {
      m4.return
    }
    func.func @row(%x: memref<64xi8>, %y: memref<64xi8>, %w: memref<96xi32>, %i: index, %zero: index) {
      m4.call @conv_1x1(%x, %y, %w) at (%i, %i, %zero) writes [1] : memref<64xi8>, memref<64xi8>, memref<96xi32>
      return
    }
    ```
  }];
  let hasVerifier = 1;
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<MemRefRankOf<[AnyType], [1]>>:$buffers, Variadic<Index>:$offsets,
    Variadic<I32>:$words, DenseI64ArrayAttr:$writes);
  let assemblyFormat = [{
    $kernel `(` $buffers `)` `at` `(` $offsets `)` (`words` `(` $words^ `)`)? `writes` $writes attr-dict `:` type($buffers)
  }];
}

#endif // THIMBLE_M4_REGISTER_OPS
