// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reference convolutions. Pictures are N,H,W,C. Types: float32 throughout;
// int8 pictures with int8 weights and int32 bias; uint8 pictures and weights with
// int32 bias; int16 pictures with int8 weights and int32 or int64 bias.
#pragma once

#include "dialects/nn/reference/Quantize.h"

namespace thimble {

/// How a filter slides over a picture. The paddings at the bottom and right are
/// implied by the output's size; kernels do not read them.
struct Window2D {
  int strideH = 1, strideW = 1;
  int dilationH = 1, dilationW = 1;
  Pads pads;
};

/// From an accumulator to an output element: everything that a kernel with a
/// weight matrix needs besides the data. Float kernels use `floatClamp` only.
struct RequantPerChannel {
  /// One for each output channel, all equal where the filter has one scale.
  std::vector<QuantizedMultiplier> multipliers;
  /// With Rounding::Single, what the multipliers stand for; else empty.
  std::vector<double> scales;
  int32_t inputZeroPoint = 0;
  /// Not zero only for uint8 weights and for per-tensor FULLY_CONNECTED.
  int32_t filterZeroPoint = 0;
  int32_t outputZeroPoint = 0;
  ClampRange clamp;
  FloatRange floatClamp;
  Rounding rounding = Rounding::Double;
  /// Accumulate and requantize in 64 bits: int16 pictures, unless the bias is
  /// int32 and the operator one that tells the two apart.
  bool wideAccumulator = false;

  /// The output element for channel `c` before it is narrowed.
  template <typename Acc> int32_t finish(Acc acc, int64_t c) const {
    int32_t scaled = rounding == Rounding::Double ? requantize(acc, multipliers[c])
                                                  : requantizeReal(acc, scales[c]);
    return clamp.clamp(thimble_wrapping_add(scaled, outputZeroPoint));
  }
  float finish(float acc, int64_t) const { return floatClamp.clamp(acc); }
};

/// TFLM's `ConvPrepare` and `PopulateConvolutionQuantizationParams`. `bias` may be
/// null: an int16 convolution then accumulates in 64 bits.
RequantPerChannel prepareConv(const TensorType &input, const TensorType &filter,
                              const TensorType *bias, const TensorType &output,
                              Activation activation, Rounding rounding = Rounding::Double);

/// The same for depthwise and transposed convolutions, whose int16 kernels
/// accumulate in 64 bits whatever the bias.
RequantPerChannel prepareDepthwiseConv(const TensorType &input, const TensorType &filter,
                                       const TensorType &output, Activation activation,
                                       Rounding rounding = Rounding::Double);
RequantPerChannel prepareTransposeConv(const TensorType &input, const TensorType &filter,
                                       const TensorType &output, Activation activation,
                                       Rounding rounding = Rounding::Double);

/// filter O,KH,KW,I with input channels a multiple of I: that many groups. `out`
/// has its type set. TFLite's `ConvPerChannel` and `reference_ops::Conv`.
void conv2d(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
            const Window2D &window, const RequantPerChannel &requant);

/// filter 1,KH,KW,C*M: output channel o reads input channel o / M. TFLite's
/// `DepthwiseConvPerChannel` and `reference_ops::DepthwiseConv`.
void depthwiseConv2d(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                     const Window2D &window, const RequantPerChannel &requant);

/// filter O,KH,KW,I. Strides are those of the output; dilations must be 1. TFLite's
/// `TransposeConv`.
void transposeConv2d(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                     const Window2D &window, const RequantPerChannel &requant);

} // namespace thimble
