// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reference normalizations along the last axis.
#pragma once

#include "dialects/nn/reference/Quantize.h"

namespace thimble {

/// Integer bits of the fixed-point argument of exp() and of the sum of exps in
/// the 8-bit kernels.
constexpr int softmaxDiffBits = 5;
constexpr int softmaxSumBits = 12;

/// What softmax kernels compute with.
struct SoftmaxParams {
  float beta = 1.0f;
  /// Integers: takes the distance from the row's maximum to the argument of exp.
  QuantizedMultiplier diff;
  /// 8 bits: distances below this count as minus infinity.
  int32_t diffMin = 0;
  /// log_softmax of 8 bits: takes an argument of exp back to a distance.
  QuantizedMultiplier reverse;
  /// int16: exp(x) for x in [-10, 0], and 1 / (1 + x) for x in [0, 1].
  std::vector<int16_t> expTable, reciprocalTable;
};

/// TFLM's `CalculateSoftmaxParams` (softmax_common.cc).
SoftmaxParams prepareSoftmax(const TensorType &input, float beta);
/// TFLM's `CalculateOpData` (log_softmax.cc): beta is 1.
SoftmaxParams prepareLogSoftmax(const TensorType &input);

/// exp(beta x) / sum of exp(beta x). float32; int8 to int8 or int16; uint8; int16
/// to int16. TFLite's `reference_ops::Softmax` and `SoftmaxInt16`.
void softmax(const Tensor &input, Tensor &out, const SoftmaxParams &params);

/// Logarithm of softmax. float32; int8 or uint8 with output scale 1/16. TFLite's
/// `reference_ops::LogSoftmax`.
void logSoftmax(const Tensor &input, Tensor &out, const SoftmaxParams &params);

/// x / sqrt(sum of x^2). float32; int8 or uint8 with output scale 1/128. TFLite's
/// `L2Normalization` of `reference_ops` and `reference_integer_ops`.
void l2Normalization(const Tensor &input, Tensor &out);

} // namespace thimble
