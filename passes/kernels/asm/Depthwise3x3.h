// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What the kernels of depthwise 3x3 convolutions share: constants, how they come into registers,
// and the portable code.
//
// Weights lie in the high byte of the half of a word that multiplies them. So accumulators are 256
// times the layer's, which is what scaling to the output wants, at no cost.
#pragma once

#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/DepthwiseLayer.h"

namespace thimble {

class Depthwise3x3 {
public:
  DepthwiseLayer layer;
  OutputScaling scaling;
  /// Pixels are multiplied as they are stored: the zero point is part of the biases, for windows
  /// that lie on the picture. Otherwise pixels are multiplied less the zero point.
  bool isFolded = false;
  /// Code is for any number of channels, with one output of each: their number is data.
  bool hasAnyChannels = false;

  /// None if `layer` is none, of another filter or stride, padded by more than one, not what `fits`
  /// wants, or without a proved scaling.
  static std::optional<Depthwise3x3> create(std::optional<DepthwiseLayer> layer, int64_t stride,
                                            bool isFolded,
                                            llvm::function_ref<bool(const ConvShape &)> fits);

  const ConvShape &shape() const { return layer.shape; }
  /// How far the window of the last output leaves the picture at its end.
  static int64_t padBottom(const ConvShape &shape);
  static int64_t padRight(const ConvShape &shape);
  int64_t padBottom() const { return padBottom(shape()); }
  int64_t padRight() const { return padRight(shape()); }
  /// Names the shape and all else that code depends on.
  std::string suffix() const;

  /// What code for any number of channels reads at the start of the constants: channels, groups of
  /// four, by how much the second group overlaps the first, bytes of an input and of an output row.
  enum Header { Channels, Groups, Overlap, InputRow, OutputRow, headerWords };
  int64_t headerBytes() const { return hasAnyChannels ? 4 * headerWords : 0; }
  /// Constants by channel: the bytes w1, w0, w2 for each column of the filter, and words, at any
  /// address: the bias and those of the scaling.
  std::vector<int8_t> table() const;
  static constexpr int64_t weightBytes = 9;
  int64_t channelBytes() const { return weightBytes + 4 * (1 + scaling.constantWords()); }
  int64_t tableBytes() const { return headerBytes() + channelBytes() * shape().outC; }

  /// One channel's constants in registers; `upper` holds (w0, w1) of each column, `lower` (w1, w2).
  struct Channel {
    Regs upper, lower;
    SReg bias;
    SRegs scaling;
  };
  /// Loads those at `table`, which moves on to the next channel.
  Channel loadChannel(AsmBuilder &a, SReg &table) const;
  /// The zero point, negated, in both halves.
  Reg minusZeroPoints(AsmBuilder &a) const;
  /// The scaling's constants in core registers.
  Regs constants(AsmBuilder &a, const Channel &channel) const;

  /// `outputRows` rows, of which the first has its window at row `firstRow` (which may be negative)
  /// of the `inputRows` rows at `buffers[0]`. The other buffers are output and table.
  void portable(KernelBuilder &b, llvm::ArrayRef<Buffer> buffers, Val inputRows, Val outputRows,
                Val firstRow) const;
  /// The same for the whole picture.
  void portable(KernelBuilder &b, llvm::ArrayRef<Buffer> buffers) const;

  /// The buffers of all these kernels.
  std::vector<AsmKernel::BufferParameter> buffers() const {
    return {{"input", ElementType::Int8},
            {"output", ElementType::Int8, true},
            {"table", ElementType::Int8}};
  }

private:
  int32_t zeroPointProducts(int64_t output) const;
};

} // namespace thimble
