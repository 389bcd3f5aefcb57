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

Reg OutputScaling::emit(AsmBuilder &a, Reg accumulator, llvm::ArrayRef<Reg> constants) const {
  Reg sum;
  if (form == Fold) {
    sum = a.smmul(accumulator, constants[0]);
  } else {
    Reg addend = constants[1];
    if (form == Signed)
      addend = a.add(a.bitAnd(constants[2], asr(accumulator, 31)), addend);
    sum = a.smmla(accumulator, constants[0], addend);
  }
  const Saturation &s = saturation;
  Shifted shifted = shift ? asr(sum, shift) : Shifted(sum);
  Reg out = s.isUnsigned ? a.usat(s.bits, shifted) : a.ssat(s.bits, shifted);
  if (s.isTwice)
    out = a.ssat(8, a.add(out, s.between));
  return s.after ? a.add(out, s.after) : out;
}

Val OutputScaling::emit(KernelBuilder &b, Val accumulator, llvm::ArrayRef<Val> constants) const {
  KernelBuilder::NoOverflow proved(b);
  Val sum;
  if (form == Fold) {
    sum = dsp::smmul(accumulator, constants[0]);
  } else {
    Val addend = constants[1];
    if (form == Signed)
      addend = (constants[2] & (accumulator >> 31)) + addend;
    sum = dsp::smmla(accumulator, constants[0], addend);
  }
  const Saturation &s = saturation;
  Val shifted = shift ? sum >> shift : sum;
  Val out = s.isUnsigned ? b.clamp(shifted, ClampRange{0, (1 << s.bits) - 1})
                         : dsp::ssat(shifted, s.bits);
  if (s.isTwice)
    out = dsp::ssat(out + s.between, 8);
  return s.after ? out + s.after : out;
}

std::string OutputScaling::suffix() const {
  auto number = [](int32_t value) {
    return (value < 0 ? "m" : "") + std::to_string(std::abs(value));
  };
  static constexpr const char *forms[] = {"f", "a", "s"};
  std::string name = forms[form] + std::to_string(shift);
  const Saturation &s = saturation;
  if (s.isUnsigned)
    name += "u" + std::to_string(s.bits);
  if (s.isTwice)
    name += "b" + number(s.between);
  if (s.after)
    name += "p" + number(s.after);
  return name;
}
