// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Convolutions as products of patches with filters, a block of pixels by channels at a time.
#pragma once

#include "passes/kernels/asm/Patch.h"

namespace thimble {

/// How weights lie in their words.
enum class WeightForm {
  /// Each half is 256 * odd + even: weights of two channels and two taps a word. SMLAD with the
  /// word
  /// adds up 256 * odd + even, with its even bytes (SXTB16) even; the difference is 256 * odd.
  ByteMix,
  /// Two taps of one channel, times a power of two that makes up for the channel's smaller shift.
  Halves,
};

/// How accumulators become outputs.
struct FormScaling {
  OutputScaling output;
  /// Bits by which each channel's accumulator is scaled.
  std::vector<int> bits;
};
/// The scaling of a layer's accumulators in this form; none where its weights do not fit, or an
/// output has no proof.
std::optional<FormScaling> scalingFor(const ConvLayer &layer, WeightForm form);

/// What the accumulators of two channels start with: mixed, even.
using ByteMixBiases = std::array<int32_t, 2>;
/// The biases and offsets of two channels, the even one's but for its low byte: the even sum has to
/// be multiplied by 256 yet.
ByteMixBiases byteMixBiases(const ConvLayer &layer, const OutputScaling &scaling, size_t even,
                            size_t odd);
/// What is missing of the offsets of up to four even channels, a byte each.
int32_t byteMixFineOffsets(const OutputScaling &scaling, llvm::ArrayRef<size_t> evenChannels);
/// The byte of an even channel, of a block of so many; nothing if there is no word.
std::optional<Reg> fineOffset(AsmBuilder &a, std::optional<Reg> word, int64_t channel,
                              int64_t channels);
Val fineOffset(KernelBuilder &b, Val word, Val channel);
/// Mixed and even sums become even and odd ones, both times 256 and with their offsets.
void separateByteMix(AsmBuilder &a, llvm::MutableArrayRef<Reg> first,
                     llvm::MutableArrayRef<Reg> second, std::optional<Reg> fine);
/// One of the two, from the products of its weights.
Val separateByteMix(KernelBuilder &b, Val isOdd, Val products, Val mixedBias, Val evenBias,
                    Val fine);

/// Products of a patch with all filters, and what comes out of them.
///
/// Constants, for each group of channels: biases, the words of each pair of taps, the even
/// channels' fine offsets if there are any, the channels' scalings, and where groups overlap the
/// step to the next group's outputs.
struct PatchProducts {
  const ConvLayer &layer;
  Patch patch;
  WeightForm form;
  FormScaling scaling;
  /// A block: pixels by channels.
  int64_t pixels, channels;

  enum Place {
    /// In the frame, at offsets that the unrolled code knows: no pointer.
    Frame,
    /// Where a pointer walks: products are a loop.
    Pointer,
    /// In S registers as far as they go, the rest in the frame.
    Registers,
  };
  Place place;

  int64_t groups() const { return (layer.shape.outC + channels - 1) / channels; }
  int64_t firstChannel(int64_t group) const {
    return std::max<int64_t>(0, std::min(group * channels, layer.shape.outC - channels));
  }
  bool hasSteps() const { return groups() > 1 && layer.shape.outC % channels != 0; }
  int64_t pairsOfTaps() const { return layer.shape.kH * layer.shape.kW * patch.pairs().count(); }
  int64_t wordsOfPair() const { return form == WeightForm::ByteMix ? channels / 2 : channels; }
  bool hasFineOffsets() const {
    return form == WeightForm::ByteMix && scaling.output.form == OutputScaling::Fold;
  }
  /// Within a group's words: the scaling of a channel, and the end.
  int64_t scalingWord(int64_t channel) const {
    return channels + pairsOfTaps() * wordsOfPair() + hasFineOffsets() +
           channel * scaling.output.constantWords();
  }
  int64_t groupWords() const { return scalingWord(channels) + hasSteps(); }

  std::vector<int32_t> table() const;
  /// Computes one row of outputs: of the picture, the row, the table, and where the patch is too
  /// large for the stack, the scratch that holds it after a word with the row's number; else that
  /// number.
  AsmKernel kernel() const;
  bool isInArena() const;

private:
  int32_t weightWord(int64_t group, int64_t word, int64_t ky, int64_t kx, int64_t pair) const;
};

} // namespace thimble
