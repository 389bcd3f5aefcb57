// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Convolutions of all kinds and matrix products of integers, by constant weights, as one loop nest,
// and between which numbers their sums lie.
#pragma once

#include "dialects/nn/NNOps.h"
#include "dialects/nn/reference/Conv.h"

namespace thimble {

/// The least and the greatest number that a sum or an output can be.
struct Range {
  int64_t low = 0;
  int64_t high = 0;

  bool isConstant() const { return low == high; }
};

/// At each of its positions (pixels of the result, rows of a matrix) an operator computes, for
/// every channel,
///     sum = bias[channel] + sum over taps and d < depth of
///           weight(channel, tap, d) * input[pixel(position, tap)][firstInput(channel) + d]
/// in integers that wrap, and then its output from the sum. Inputs and weights have their zero
/// points subtracted; a tap in the padding adds nothing.
class MacLayer {
public:
  /// None where `op` is another operator, or its filter or bias is not constant or of floats.
  static std::optional<MacLayer> of(mlir::Operation *op);

  int64_t positions() const { return batches * outH * outW; }
  int64_t taps() const { return kH * kW; }
  int64_t channels() const { return outChannels; }
  int64_t inputChannels() const { return inChannels; }
  int64_t depth() const { return tapDepth; }
  /// The pixel of the input, counted in row-major order, or -1 in the padding.
  int64_t pixel(int64_t position, int64_t tap) const;
  int64_t firstInput(int64_t channel) const { return channel / channelsPerInput * tapDepth; }
  /// Where the filter has a weight.
  int64_t weightAt(int64_t channel, int64_t tap, int64_t d) const {
    return channel * channelStride + tap * tapStride + d;
  }
  int32_t weight(int64_t channel, int64_t tap, int64_t d) const {
    return weights[static_cast<size_t>(weightAt(channel, tap, d))];
  }
  int64_t bias(int64_t channel) const { return biases[static_cast<size_t>(channel)]; }
  const RequantPerChannel &requant() const { return numbers; }

  /// Range of the sum of `channel` at a position whose taps lie on `pixels` (-1: padding), of an
  /// input within [low, high], elements of the whole tensor with the zero point subtracted.
  Range sum(int64_t channel, llvm::ArrayRef<int64_t> pixels, llvm::ArrayRef<int32_t> low,
            llvm::ArrayRef<int32_t> high) const;
  /// Range of the output of `channel` for sums in a range that does not take wrapping into account.
  /// Scaling and clamping never decrease, so the ends decide, unless something would overflow.
  Range output(int64_t channel, Range sum) const;
  /// Whether `sum` is one that the accumulator can hold.
  bool fitsAccumulator(int64_t sum) const;

private:
  MacLayer() = default;
  void readWindow(llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> dilations,
                  llvm::ArrayRef<int64_t> pads);
  bool readConstants(mlir::Operation *op);
  int64_t finish(int64_t sum, int64_t channel) const;

  // The geometry; a matrix product has pictures of one row and filters of one tap.
  int64_t batches = 1, inH = 1, inW = 1, outH = 1, outW = 1, kH = 1, kW = 1;
  int64_t strideH = 1, strideW = 1, dilationH = 1, dilationW = 1, top = 0, left = 0;
  bool transposed = false;
  int64_t inChannels = 1, outChannels = 1, tapDepth = 1, channelsPerInput = 1;
  int64_t channelStride = 0, tapStride = 0;

  std::vector<int32_t> weights;
  std::vector<int64_t> biases;
  RequantPerChannel numbers;
};

/// The stored integers of `tensor` less `zeroPoint`; for 8, 16 and 32 bits.
std::vector<int32_t> readIntegers(const Tensor &tensor, int32_t zeroPoint = 0);

/// What `value` holds if it is a constant.
std::optional<Tensor> constantTensor(mlir::Value value);

} // namespace thimble
