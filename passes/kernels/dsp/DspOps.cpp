// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/dsp/DspOps.h"

#include "dialects/m4/M4Ops.h"
#include "passes/kernels/Accumulator.h"

using namespace mlir;
using namespace thimble;

template <typename Op> static Val emit(Val a, llvm::ArrayRef<Val> rest = {}) {
  KernelBuilder &b = a.getBuilder();
  SmallVector<Value> operands{a.value()};
  for (Val v : rest)
    operands.push_back(v.value());
  return Val(b, Op::create(b.ir(), b.loc(), b.ir().getI32Type(), operands));
}

Val dsp::smlad(Val a, Val x, Val acc) { return emit<m4::SmladOp>(a, {x, acc}); }
Val dsp::smlabb(Val a, Val x, Val acc) { return emit<m4::SmlabbOp>(a, {x, acc}); }
Val dsp::smlatt(Val a, Val x, Val acc) { return emit<m4::SmlattOp>(a, {x, acc}); }
Val dsp::sadd16(Val a, Val x) { return emit<m4::Sadd16Op>(a, {x}); }
Val dsp::ssub16(Val a, Val x) { return emit<m4::Ssub16Op>(a, {x}); }
Val dsp::smax8(Val a, Val x) { return emit<m4::Smax8Op>(a, {x}); }
Val dsp::smin8(Val a, Val x) { return emit<m4::Smin8Op>(a, {x}); }
Val dsp::sxtb16(Val word) { return emit<m4::Sxtb16Op>(word); }
Val dsp::sxtb16Ror8(Val word) { return emit<m4::Sxtb16Ror8Op>(word); }
Val dsp::smmul(Val a, Val x) { return emit<m4::SmmulOp>(a, {x}); }
Val dsp::smmla(Val a, Val x, Val acc) { return emit<m4::SmmlaOp>(a, {x, acc}); }
Val dsp::smmlar(Val a, Val x, Val acc) { return emit<m4::SmmlarOp>(a, {x, acc}); }
Val dsp::lowHalf(Val word) { return (word << 16) >> 16; }
Val dsp::highHalf(Val word) { return word >> 16; }
Val dsp::ssat(Val value, int bits) {
  KernelBuilder &b = value.getBuilder();
  return Val(b, m4::SsatOp::create(b.ir(), b.loc(), b.ir().getI32Type(), value.value(),
                                   b.ir().getI32IntegerAttr(bits), StringAttr(), IntegerAttr()));
}

bool dsp::appliesTo(const KernelQuery &q) {
  return q.target.dsp && q.inputs[0].element == ElementType::Int8 &&
         q.outputs[0].element == ElementType::Int8;
}

dsp::Int8Requant::Int8Requant(KernelBuilder &b, const RequantPerChannel &requant,
                              ArrayRef<int64_t> bounds)
    : b(b), requant(requant) {
  constexpr int32_t mostShift = 22; // zp << e stays within 32 bits with room for the sum
  isFast = requant.rounding == Rounding::Double;
  for (auto [m, bound] : llvm::zip(requant.multipliers, bounds)) {
    int32_t right = -m.shift;
    isFast &= right >= 1 && right <= mostShift && bound < (int64_t(1) << 30);
    if (!isFast)
      return;
    multipliers.push_back(m.multiplier);
    shifts.push_back(right);
    addends.push_back((int32_t(1) << (right - 1)) +
                      requant.outputZeroPoint * (int32_t(1) << right));
  }
  if (llvm::all_equal(shifts))
    commonShift = shifts.front();
}

Val dsp::Int8Requant::fast(Val accumulator, Val channel) {
  bool alike = commonShift && llvm::all_equal(multipliers);
  Val multiplier =
      alike ? b.i32(multipliers.front())
            : b.load(b.table<int32_t>("multipliers", multipliers), channel, "multiplier");
  Val shift = commonShift ? b.i32(*commonShift)
                          : b.load(b.table<int32_t>("shifts", shifts), channel, "shift");
  Val addend = commonShift ? b.i32(addends.front())
                           : b.load(b.table<int32_t>("addends", addends), channel, "addend");
  KernelBuilder::NoOverflow proved(b);
  return smmlar(accumulator + accumulator, multiplier, addend + (accumulator >> 31)) >> shift;
}

Val dsp::Int8Requant::apply(Val accumulator, Val channel) {
  if (isFast) {
    Val scaled = ssat(fast(accumulator, channel), 8);
    if (requant.clamp.low > -128)
      scaled = b.max(scaled, b.i32(requant.clamp.low));
    if (requant.clamp.high < 127)
      scaled = b.min(scaled, b.i32(requant.clamp.high));
    return scaled;
  }
  Val scaled = scaleAccumulator(b, requant, accumulator, channel);
  return b.clamp(scaled + requant.outputZeroPoint, requant.clamp);
}
