// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Cortex-M4 instructions on `Val`s, and what the kernels that use them share.
#pragma once

#include "dialects/nn/reference/Conv.h"
#include "passes/kernels/Kernel.h"

namespace thimble::dsp {

// The operations of m4, on words. The builder is that of the first operand.
Val smlad(Val a, Val b, Val acc);
Val smlabb(Val a, Val b, Val acc);
Val smlatt(Val a, Val b, Val acc);
Val sadd16(Val a, Val b);
Val ssub16(Val a, Val b);
/// The larger and the smaller of each pair of signed bytes.
Val smax8(Val a, Val b);
Val smin8(Val a, Val b);
/// Bytes 0 and 2, and bytes 1 and 3, sign-extended to 16 bits.
Val sxtb16(Val word);
Val sxtb16Ror8(Val word);
Val smmul(Val a, Val b);
Val smmla(Val a, Val b, Val acc);
Val smmlar(Val a, Val b, Val acc);
Val ssat(Val value, int bits);
/// The halves of a word, sign-extended.
Val lowHalf(Val word);
Val highHalf(Val word);

/// Kernels of this folder compute int8 operators on cores with the DSP extension.
bool appliesTo(const KernelQuery &query);

/// Scaling of accumulators to int8 by multipliers that differ by channel, in four to seven
/// instructions: with C = 2^(e-1) + (zp << e),
///   t = C + (acc >> 31);  (smmlar(2 acc, q, t) >> e), saturated
/// is `thimble_requantize_double` and the zero point's addition. The high multiplication of the
/// doubled accumulator is gemmlowp's saturating rounding doubling one; adding the sign before the
/// rounding shift rounds halves away from zero.
///
/// Where a channel does not meet the conditions (a right shift of 1 to 22 bits, an accumulator that
/// can be doubled) all channels are scaled by the runtime's function.
class Int8Requant {
public:
  /// `bounds`: the largest magnitude of each channel's accumulator.
  Int8Requant(KernelBuilder &b, const RequantPerChannel &requant, llvm::ArrayRef<int64_t> bounds);

  /// The int8 value of channel `channel`, in a word. `channel` is an index.
  Val apply(Val accumulator, Val channel);

private:
  Val fast(Val accumulator, Val channel);

  KernelBuilder &b;
  const RequantPerChannel &requant;
  bool isFast = true;
  /// The right shift of all channels, if it is the same.
  std::optional<int32_t> commonShift;
  std::vector<int32_t> multipliers, addends, shifts;
};

} // namespace thimble::dsp
