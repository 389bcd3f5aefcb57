// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The instructions of an output scaling, and the same in portable code.
#include "passes/kernels/asm/OutputScaling.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace thimble;

void OutputScaling::appendConstants(size_t channel, std::vector<int32_t> &table) const {
  const Channel &c = channels[channel];
  const int32_t words[] = {c.multiplier, c.addend, c.signAddend};
  table.insert(table.end(), words, words + constantWords());
}

int OutputScaling::instructions() const {
  return (form == Signed ? 4 : 2) + (saturation.isTwice ? 2 : 0) + (saturation.after ? 1 : 0);
}

Reg OutputScaling::scale(AsmBuilder &a, Form form, Reg accumulator, llvm::ArrayRef<Reg> constants) {
  if (form == Fold)
    return a.smmul(accumulator, constants[0]);
  Reg addend = constants[1];
  if (form == Signed)
    addend = a.add(a.bitAnd(constants[2], asr(accumulator, 31)), addend);
  return a.smmla(accumulator, constants[0], addend);
}

Val OutputScaling::scale(KernelBuilder &b, Form form, Val accumulator,
                         llvm::ArrayRef<Val> constants) {
  if (form == Fold)
    return dsp::smmul(accumulator, constants[0]);
  KernelBuilder::NoOverflow proved(b);
  Val addend = constants[1];
  if (form == Signed)
    addend = (constants[2] & (accumulator >> 31)) + addend;
  return dsp::smmla(accumulator, constants[0], addend);
}

Reg OutputScaling::saturate(AsmBuilder &a, const Saturation &how, Shifted sum) {
  Reg out = how.isUnsigned ? a.usat(how.bits, sum) : a.ssat(how.bits, sum);
  if (how.isTwice)
    out = a.ssat(how.width, a.add(out, how.between));
  return how.after ? a.add(out, how.after) : out;
}

Val OutputScaling::saturate(KernelBuilder &b, const Saturation &how, Val sum) {
  KernelBuilder::NoOverflow proved(b);
  Val out =
      how.isUnsigned ? b.clamp(sum, ClampRange{0, (1 << how.bits) - 1}) : dsp::ssat(sum, how.bits);
  if (how.isTwice)
    out = dsp::ssat(out + how.between, how.width);
  return how.after ? out + how.after : out;
}

Reg OutputScaling::emit(AsmBuilder &a, Reg accumulator, llvm::ArrayRef<Reg> constants) const {
  Reg sum = scale(a, form, accumulator, constants);
  return saturate(a, saturation, shift ? asr(sum, shift) : Shifted(sum));
}

Val OutputScaling::emit(KernelBuilder &b, Val accumulator, llvm::ArrayRef<Val> constants) const {
  return saturate(b, saturation, scale(b, form, accumulator, constants) >> shift);
}

std::string OutputScaling::suffix(const Saturation &how) {
  auto number = [](int32_t value) {
    return (value < 0 ? "m" : "") + std::to_string(std::abs(value));
  };
  std::string name;
  if (how.isUnsigned)
    name += "u" + std::to_string(how.bits);
  if (how.isTwice)
    name += "b" + number(how.between);
  if (how.after)
    name += "p" + number(how.after);
  return name;
}

std::string OutputScaling::suffix() const {
  static constexpr const char *forms[] = {"f", "a", "s"};
  return forms[form] + std::to_string(shift) + suffix(saturation);
}
