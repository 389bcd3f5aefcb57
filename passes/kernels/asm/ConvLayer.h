// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// An int8 convolution with constant weights as the kernels of instructions see it.
#pragma once

#include "passes/kernels/Kernel.h"
#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/OutputScaling.h"

namespace thimble {

/// Sizes of a convolution with one group.
struct ConvShape {
  int64_t inH = 1, inW = 1, inC = 1, outH = 1, outW = 1, outC = 1, kH = 1, kW = 1;
  int64_t strideH = 1, strideW = 1, dilationH = 1, dilationW = 1, padTop = 0, padLeft = 0;

  int64_t depth() const { return kH * kW * inC; }
  int64_t inputElements() const { return inH * inW * inC; }
  bool leavesRows() const {
    return padTop > 0 || (outH - 1) * strideH - padTop + (kH - 1) * dilationH >= inH;
  }
  bool leavesColumns() const {
    return padLeft > 0 || (outW - 1) * strideW - padLeft + (kW - 1) * dilationW >= inW;
  }
  /// Names the shape, for the names of kernels.
  std::string suffix() const;
};

/// All accumulators of the interval give one output.
bool isConstantOutput(const RequantPerChannel &requant, size_t channel, AccumulatorInterval sum);

/// Weights are read as stored inputs multiply them: the input's zero point is part of the biases,
/// and stands in for what lies outside of the picture.
struct ConvLayer {
  int64_t pictures = 1;
  ConvShape shape;
  RequantPerChannel requant;
  std::shared_ptr<const Tensor> filter;
  std::vector<int64_t> biases;
  /// Of each channel's accumulator, bias included.
  std::vector<AccumulatorInterval> intervals;

  int32_t weight(int64_t output, int64_t ky, int64_t kx, int64_t channel) const {
    const ConvShape &s = shape;
    return filter->as<int8_t>()[((output * s.kH + ky) * s.kW + kx) * s.inC + channel];
  }
  /// The channel has one output for all inputs: its accumulator may wrap.
  bool isConstant(size_t channel) const {
    return isConstantOutput(requant, channel, intervals[channel]);
  }
  /// The largest magnitude of its accumulator; none where that does not matter.
  int64_t reach(size_t channel) const {
    return isConstant(channel)
               ? 0
               : std::max(std::abs(intervals[channel].low), std::abs(intervals[channel].high));
  }
  /// How accumulators that are scaled by `bits` become outputs, as the code of as many layers as
  /// possible does it.
  std::optional<OutputScaling> scaling(llvm::ArrayRef<int> bits) const;
  /// By how many bits each channel's accumulator is scaled, from `least` up and `most` for the
  /// channel with the largest right shift: more for the others, so that all end with one shift, as
  /// far as `fits` goes. None where a channel cannot be scaled by `least`.
  std::vector<int> accumulatorBits(int least, int most,
                                   llvm::function_ref<bool(size_t channel, int bits)> fits) const;
};

/// The layer that `op` computes; none if it is not an int8 convolution with constant weights and
/// biases. A few groups are one with weights of zero between them. Pixels of a 1x1 convolution that
/// takes each are one long row.
std::optional<ConvLayer> convLayerOf(nn::NNOperator op, const KernelOperands &operands);
std::optional<ConvLayer> convLayerOf(const KernelQuery &query);

/// Compares with any number that is not negative.
void compareWith(AsmBuilder &a, Reg value, int64_t number);

/// Runs `body` with the first pixel of each block of a row. The last block overlaps the one before
/// where `width` is no multiple of `block`. Only S registers live from block to block.
void forBlocks(AsmBuilder &a, int64_t width, int64_t block, Variables carried,
               llvm::function_ref<void(Reg)> body);

/// Two halves of a word.
int32_t halves(int64_t low, int64_t high);

} // namespace thimble
