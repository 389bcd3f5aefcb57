// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// A small embedded language for kernels of instructions: C++ calls build the operations of an
// `m4.kernel` on virtual registers. Loads need not be grouped, and registers need no numbers:
// passes do both. The same calls, with no operations to build, count cycles and bytes: that is how
// a kernel is priced before it is chosen.
//
//   AsmBuilder a(builder);
//   Reg sum = a.constant(0);
//   a.loop(16, {sum, x, w}, [&] {
//     sum = a.smlad(a.loadPost(x, 4), a.loadPost(w, 4), sum);
//   });
//   a.store(sum, out);
#pragma once

#include "passes/m4/Cycles.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace thimble {

/// A word in a core register, at some time. Copying the object copies no register.
struct Reg {
  mlir::Value value;
};
/// A word in a register of the FPU: a place to keep what the core registers cannot hold, at one
/// cycle each way.
struct SReg {
  mlir::Value value;
};
using Regs = llvm::SmallVector<Reg, 8>;
using SRegs = llvm::SmallVector<SReg, 32>;

/// A second operand that the barrel shifter changes for free.
struct Shifted {
  Reg reg;
  const char *kind = nullptr; // lsl, lsr, asr, ror; null for none
  int amount = 0;
  Shifted(Reg reg) : reg(reg) {}
  Shifted(Reg reg, const char *kind, int amount) : reg(reg), kind(kind), amount(amount) {}
};
inline Shifted lsl(Reg r, int n) { return {r, "lsl", n}; }
inline Shifted lsr(Reg r, int n) { return {r, "lsr", n}; }
inline Shifted asr(Reg r, int n) { return {r, "asr", n}; }
inline Shifted ror(Reg r, int n) { return {r, "ror", n}; }

/// A variable whose register a loop or branch changes.
struct Carried {
  mlir::Value *value;
  Carried(Reg &r) : value(&r.value) {}
  Carried(SReg &s) : value(&s.value) {}
};
using Variables = llvm::SmallVector<Carried, 8>;

/// Widths of loads: word, signed and unsigned byte and halfword. Stores take the unsigned ones.
enum class Width { Word, S8, U8, S16, U16 };

class AsmBuilder {
public:
  using Body = llvm::function_ref<void()>;

  /// Counts only.
  AsmBuilder() = default;
  /// Builds at `builder`'s insertion point, inside an `m4.kernel`.
  explicit AsmBuilder(mlir::OpBuilder &builder);

  /// What has been built costs this, without saving registers.
  const m4::Cost &cost() const { return counter.total(); }

  //===-- Arithmetic --------------------------------------------------------------------------===//
  Reg constant(int64_t value);
  Reg copy(Reg a);
  Reg add(Reg a, Shifted b);
  Reg add(Reg a, int64_t value);
  Reg sub(Reg a, Shifted b);
  /// b - a.
  Reg rsb(Reg a, Shifted b);
  Reg rsb(Reg a, int64_t value);
  Reg bitAnd(Reg a, Shifted b);
  Reg bitAnd(Reg a, int64_t value);
  Reg bitOr(Reg a, Shifted b);
  Reg bitXor(Reg a, Shifted b);
  Reg bitXor(Reg a, int64_t value);
  Reg shiftLeft(Reg a, int64_t bits);
  Reg shiftRight(Reg a, int64_t bits);
  Reg shiftRightLogical(Reg a, int64_t bits);
  Reg shiftLeftBy(Reg a, Reg bits);
  Reg shiftRightBy(Reg a, Reg bits);
  Reg mul(Reg a, Reg b);
  Reg mla(Reg a, Reg b, Reg acc);
  Reg smulbb(Reg a, Reg b);
  Reg smulbt(Reg a, Reg b);
  Reg smultb(Reg a, Reg b);
  Reg smultt(Reg a, Reg b);
  Reg smuad(Reg a, Reg b);
  Reg smlad(Reg a, Reg b, Reg acc);
  Reg smladx(Reg a, Reg b, Reg acc);
  Reg smlabb(Reg a, Reg b, Reg acc);
  Reg smlabt(Reg a, Reg b, Reg acc);
  Reg smlatb(Reg a, Reg b, Reg acc);
  Reg smlatt(Reg a, Reg b, Reg acc);
  Reg smlawb(Reg a, Reg b, Reg acc);
  Reg smlawt(Reg a, Reg b, Reg acc);
  Reg smmul(Reg a, Reg b);
  Reg smmla(Reg a, Reg b, Reg acc);
  Reg smmlar(Reg a, Reg b, Reg acc);
  /// The 64-bit sum high:low += a.lo * b.lo + a.hi * b.hi.
  void smlald(Reg a, Reg b, Reg &low, Reg &high);
  /// high:low += a * b.
  void smlal(Reg a, Reg b, Reg &low, Reg &high);
  std::pair<Reg, Reg> smull(Reg a, Reg b);
  /// 64-bit sums by ADDS and ADC.
  Reg adds(Reg a, Reg b);
  Reg adc(Reg a, Reg b);
  Reg sadd16(Reg a, Reg b);
  Reg ssub16(Reg a, Reg b);
  Reg smax8(Reg a, Reg b);
  Reg smin8(Reg a, Reg b);
  Reg sxtb16(Reg a);
  Reg sxtb16Ror8(Reg a);
  Reg uxtb16(Shifted a);
  Reg sxtab16(Reg a, Shifted b);
  Reg sxtb(Shifted a);
  Reg uxtb(Shifted a);
  Reg sxth(Shifted a);
  /// a.lo with the high half of `b` after a left shift (PKHBT).
  Reg packBottom(Reg a, Shifted b);
  /// a.hi with the low half of `b` after a right shift (PKHTB).
  Reg packTop(Reg a, Shifted b);
  Reg ssat(int bits, Shifted a);
  Reg usat(int bits, Shifted a);

  //===-- S registers -------------------------------------------------------------------------===//
  SReg toS(Reg a);
  Reg toR(SReg a);
  SReg copy(SReg a);

  //===-- Memory ------------------------------------------------------------------------------===//
  // Offsets are in bytes. `table` loads read constants that nothing writes.
  Reg load(Reg base, int64_t offset = 0, Width width = Width::Word);
  Reg loadTable(Reg base, int64_t offset = 0, Width width = Width::Word);
  Reg loadPost(Reg &base, int64_t step, Width width = Width::Word);
  Reg loadTablePost(Reg &base, int64_t step, Width width = Width::Word);
  Reg loadIndexed(Reg base, Reg index, int shift = 0, Width width = Width::Word);
  Reg loadTableIndexed(Reg base, Reg index, int shift = 0, Width width = Width::Word);
  /// LDM: `count` consecutive words from an aligned address, which moves past them.
  Regs loadTableMultiple(Reg &base, size_t count);
  Regs loadMultiple(Reg &base, size_t count);
  void store(Reg value, Reg base, int64_t offset = 0, Width width = Width::Word);
  void storePost(Reg value, Reg &base, int64_t step, Width width = Width::Word);
  void storeIndexed(Reg value, Reg base, Reg index, Width width = Width::Word);
  /// The frame: scratch on the stack, at fixed offsets.
  Reg loadFrame(int64_t offset, Width width = Width::Word);
  void storeFrame(Reg value, int64_t offset, Width width = Width::Word);
  SReg loadFrameS(int64_t offset);
  SReg loadS(Reg base, int64_t offset = 0);
  void storeFrameS(SReg value, int64_t offset);
  Reg frameAddress(int64_t offset);
  /// Moves the frame's origin; see `m4.move_frame` for what must not lie below it.
  void moveFrame(int64_t step);

  //===-- Control -----------------------------------------------------------------------------===//
  // `carried` names the variables that the body assigns and that live on: into the next trip, or
  // after the end. A variable that the body only reads is not listed.

  /// Runs `body` `trips` times, counting down in a core register. One trip is no loop, none is
  /// nothing.
  void loop(int64_t trips, Variables carried, Body body);
  /// The same with the counter in an S register: two cycles a trip more, no core register.
  void loopS(int64_t trips, Variables carried, Body body);
  /// Repeats `body` while the last of its instructions that sets flags leaves "not equal": `trips`
  /// times, for costs.
  void repeat(int64_t trips, Variables carried, Body body);
  /// Repeats while `pointer` is not `end`: `trips` times in all, at least once. `pointer` is
  /// carried.
  void loopUntil(Reg &pointer, Reg end, int64_t trips, Variables carried, Body body);
  void loopUntil(Reg &pointer, SReg end, int64_t trips, Variables carried, Body body);
  /// Repeats while the last comparison of `body` says "not equal": `trips` times in all.
  void loopWhileNotEqual(int64_t trips, Variables carried, Body body) {
    repeat(trips, carried, body);
  }

  /// Flags, for what follows at once.
  void compare(Reg a, Reg b);
  void compare(Reg a, int64_t value);
  Reg subs(Reg a, int64_t value);
  /// Where the flags meet `condition` ("eq", "lo", ...): `then`, else `otherwise`. `taken` of `of`
  /// executions take it: for costs.
  void branch(llvm::StringRef condition, int64_t taken, int64_t of, Variables carried, Body then,
              Body otherwise = nullptr);
  /// One of two values by the flags, without a branch.
  Reg select(llvm::StringRef condition, Reg then, Reg otherwise);

private:
  template <typename Op, typename... Args> Reg pure(Args... args);
  template <typename Op> Reg shiftable(Reg a, Shifted b);
  template <typename Op> Reg withShift(llvm::ArrayRef<Reg> operands, const Shifted &last);
  Reg loadFrom(Reg base, int64_t offset, Width width, bool table);
  Reg loadAndStep(Reg &base, int64_t step, Width width, bool table);
  Reg loadAt(Reg base, Reg index, int shift, Width width, bool table);
  Regs loadSeveral(Reg &base, size_t count, bool table);
  void count(m4::Timing timing, Reg address = {}, bool table = false);
  mlir::StringAttr text(llvm::StringRef value) { return builder->getStringAttr(value); }
  mlir::IntegerAttr number(int64_t value) { return builder->getI64IntegerAttr(value); }

  mlir::OpBuilder *builder = nullptr;
  m4::CycleCounter counter;
  mlir::Value lastLoaded;
};

} // namespace thimble
