// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reference pooling over windows of N,H,W,C pictures. Padding takes no part.
#pragma once

#include "dialects/nn/reference/Quantize.h"

namespace thimble {

/// Size, step and paddings of the window; bottom and right are implied by the
/// output's size.
struct PoolWindow {
  int filterH = 1, filterW = 1;
  int strideH = 1, strideW = 1;
  Pads pads;
};

/// Where the fused activation clamps. Input and output share their quantization.
struct PoolClamp {
  ClampRange stored;
  FloatRange real;
};

/// TFLM's `PoolingPrepare`.
PoolClamp preparePool(const TensorType &output, Activation activation);

/// Mean, of integers rounded half away from zero. float32, int8, uint8, int16.
/// TFLite's `AveragePool` of `reference_ops` and `reference_integer_ops`.
void averagePool2d(const Tensor &input, Tensor &out, const PoolWindow &window,
                   const PoolClamp &clamp);

/// Maximum. float32, int8, uint8, int16. TFLite's `MaxPool`.
void maxPool2d(const Tensor &input, Tensor &out, const PoolWindow &window, const PoolClamp &clamp);

/// Square root of the mean of squares. float32. TFLite's `reference_ops::L2Pool`.
void l2Pool2d(const Tensor &input, Tensor &out, const PoolWindow &window, const PoolClamp &clamp);

} // namespace thimble
