// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// From an accumulator to an int8 output in two to four instructions, proved equal to the reference
// for every accumulator that can occur.
//
// A layer's output is a monotone step function of its accumulator S. So a cheaper sequence is equal
// to the reference's if it is at both sides of each of the at most 255 steps within the interval of
// S.
#pragma once

#include "dialects/nn/reference/Conv.h"
#include "passes/kernels/KernelBuilder.h"
#include "passes/kernels/asm/AsmBuilder.h"

namespace thimble {

/// The numbers that an accumulator S can be, bias and zero point included.
struct AccumulatorInterval {
  int64_t low = 0, high = 0;
};

/// What a kernel hands to its last instructions: A = 2^scale * S in 32 bits.
struct ScaledAccumulator {
  int scale = 0;                // bits; the same for all channels, or more where weights carry more
  AccumulatorInterval interval; // of S
};

class OutputScaling {
public:
  enum Form {
    /// smmul A, q; ssat asr E. The offset is part of the bias.
    Fold,
    /// smmla A, q, C; ssat asr E.
    Add,
    /// and t, D, A asr 31; add t, C; smmla A, q, t; ssat asr E.
    Signed,
  };
  struct Channel {
    int32_t multiplier = 0; // q
    int32_t addend = 0;     // C
    int32_t signAddend = 0; // D
    /// To add to A by way of the bias.
    int32_t offset = 0;
  };
  /// The clamp as saturations: the first to `bits` is part of the scaling, which makes outputs that
  /// are `delta` larger; then come `between`, a second one to `width` bits and `after`.
  struct Saturation {
    int width = 8; // of outputs
    bool isUnsigned = false;
    int bits = 8;
    int32_t delta = 0;
    bool isTwice = false;
    int32_t between = 0, after = 0;
  };
  /// As cheap as it clamps to `clamp` within signed numbers of `width` bits.
  static Saturation saturationFor(ClampRange clamp, int width = 8);

  /// The cheapest form that is proved for all channels; none where a channel has no proof (a left
  /// shift, an accumulator that does not fit). `mayOffset`: the bias can take offsets. The shift is
  /// a multiple of `shiftStep` up to `mostShift`: with fewer shifts more layers share code, but
  /// multipliers have fewer bits.
  static std::optional<OutputScaling> solve(const RequantPerChannel &requant,
                                            llvm::ArrayRef<ScaledAccumulator> accumulators,
                                            bool mayOffset, int mostShift = 32, int shiftStep = 1);
  /// With one of few shifts, best 12, so that layers share code, unless another makes a cheaper
  /// form.
  static std::optional<OutputScaling> solveShared(const RequantPerChannel &requant,
                                                  llvm::ArrayRef<ScaledAccumulator> accumulators,
                                                  bool mayOffset);

  Form form = Fold;
  int shift = 0; // E, the same for all channels
  Saturation saturation;
  std::vector<Channel> channels;

  /// Words of constants that `emit` takes for a channel, in this order: q, C, D.
  int constantWords() const { return form == Fold ? 1 : form == Add ? 2 : 3; }
  void appendConstants(size_t channel, std::vector<int32_t> &table) const;
  /// Instructions for one output, stores not counted; clamps that saturation does not do add to it.
  int instructions() const;

  /// The int8 in a word.
  Reg emit(AsmBuilder &a, Reg accumulator, llvm::ArrayRef<Reg> constants) const;
  /// The same in portable code.
  Val emit(KernelBuilder &b, Val accumulator, llvm::ArrayRef<Val> constants) const;

  // The two parts of it, for kernels whose form and shift are known when they run. Between them
  // comes the shift.
  static Reg scale(AsmBuilder &a, Form form, Reg accumulator, llvm::ArrayRef<Reg> constants);
  static Val scale(KernelBuilder &b, Form form, Val accumulator, llvm::ArrayRef<Val> constants);
  static Reg saturate(AsmBuilder &a, const Saturation &how, Shifted sum);
  static Val saturate(KernelBuilder &b, const Saturation &how, Val sum);

  /// Names what the emitted code depends on, for the kernel's name.
  std::string suffix() const;
  static std::string suffix(const Saturation &how);

private:
  static std::optional<OutputScaling> solveAnew(const RequantPerChannel &requant,
                                                llvm::ArrayRef<ScaledAccumulator> accumulators,
                                                bool mayOffset, int mostShift, int shiftStep);
};

} // namespace thimble
