// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/reference/Softmax.h"

#include "dialects/nn/reference/Lut.h"
#include "runtime/thimble_math.h"

#include <cmath>
#include <cstdlib>

namespace thimble {

namespace {

/// TFLite's `PreprocessSoftmaxScaling` and `CalculateInputRadius`.
void prepareFixedPoint(SoftmaxParams &params, float inputScale) {
  double real = double{params.beta} * double{inputScale} * (1 << (31 - softmaxDiffBits));
  params.diff = quantizeMultiplier(std::min(real, 2147483647.0));
  double largest = ((1 << softmaxDiffBits) - 1) * std::ldexp(1.0, 31 - softmaxDiffBits);
  params.diffMin = -static_cast<int32_t>(std::floor(std::ldexp(largest, -params.diff.shift)));
}

} // namespace

SoftmaxParams prepareSoftmax(const TensorType &input, float beta) {
  SoftmaxParams params;
  params.beta = beta;
  if (input.element == ElementType::Float32)
    return params;
  if (input.element != ElementType::Int16) {
    prepareFixedPoint(params, input.scale());
    return params;
  }
  // Distances [-65535, 0] stand for [-10, 0]: smaller exps are negligible.
  params.diff = quantizeMultiplier(double{input.scale()} * double{beta} / (10.0 / 65535.0));
  // The tables have the bits of TFLM's, so exp is as exact as that of a good C library here.
  constexpr float range = 65535.0f;
  params.expTable = int16Table({10.0f / range, 32767}, {2.0f / range, 0},
                               [](float x) { return static_cast<float>(std::exp(double{x})); });
  params.reciprocalTable = int16Table({1.0f / range, -32768}, {2.0f / range, 0},
                                      [](float x) { return 1.0f / (1.0f + x); });
  return params;
}

SoftmaxParams prepareLogSoftmax(const TensorType &input) {
  SoftmaxParams params;
  if (input.element == ElementType::Float32)
    return params;
  prepareFixedPoint(params, input.scale());
  params.reverse =
      quantizeMultiplier((1 << (31 - params.diff.shift)) / double(params.diff.multiplier));
  return params;
}

namespace {

/// Calls `run(row of input, row of out, length)` for each row.
template <typename In, typename Out, typename Run>
void forEachRow(const Tensor &input, Tensor &out, Run run) {
  int64_t depth = input.shape().back();
  const In *x = input.as<In>();
  Out *y = out.as<Out>();
  for (int64_t i = 0; i < input.elements(); i += depth)
    run(x + i, y + i, depth);
}

/// exp of a distance from the maximum, without integer bits.
int32_t fixedExp(int32_t diff, const SoftmaxParams &params) {
  return thimble_exp_on_negative_values(requantize(diff, params.diff), softmaxDiffBits);
}

/// The sum of the exps of a row, with softmaxSumBits integer bits.
template <typename T>
int32_t sumOfExps(const T *x, int64_t depth, int32_t maximum, const SoftmaxParams &params) {
  int32_t sum = 0;
  for (int64_t c = 0; c < depth; ++c)
    if (x[c] - maximum >= params.diffMin)
      sum = thimble_saturating_add(
          sum, thimble_rounding_divide_by_pot(fixedExp(x[c] - maximum, params), softmaxSumBits));
  return sum;
}

template <typename In, typename Out>
void softmaxRow(const In *x, Out *y, int64_t depth, const SoftmaxParams &params) {
  constexpr ClampRange range = {std::numeric_limits<Out>::min(), std::numeric_limits<Out>::max()};
  int32_t maximum = *std::max_element(x, x + depth);
  int32_t bitsOverUnit = 0;
  int32_t scale =
      thimble_reciprocal(sumOfExps(x, depth, maximum, params), softmaxSumBits, &bitsOverUnit);
  int32_t shift = bitsOverUnit + 31 - 8 * static_cast<int32_t>(sizeof(Out));
  if (shift > 31) // in TFLite not defined; nothing is left of the shares
    scale = 0, shift = 31;
  for (int64_t c = 0; c < depth; ++c) {
    int32_t diff = x[c] - maximum;
    if (diff < params.diffMin) {
      y[c] = static_cast<Out>(range.low);
      continue;
    }
    int32_t share = thimble_rounding_doubling_high_mul(scale, fixedExp(diff, params));
    y[c] = static_cast<Out>(range.clamp(thimble_rounding_divide_by_pot(share, shift) + range.low));
  }
}

void softmaxRowInt16(const int16_t *x, int16_t *y, int64_t depth, const SoftmaxParams &params) {
  constexpr ClampRange int16Range = {-32768, 32767};
  auto table = [&](int32_t at, const std::vector<int16_t> &values) {
    return static_cast<int16_t>(thimble_lut_i16(int16Range.clamp(at), values.data()));
  };
  int32_t maximum = *std::max_element(x, x + depth);
  int32_t sum = 0; // 15 fraction bits, as the exps, which wait in y
  for (int64_t c = 0; c < depth; ++c) {
    y[c] = table(requantize(x[c] - maximum, params.diff) + 32767, params.expTable);
    sum = thimble_saturating_add(sum, y[c]);
  }
  // sum = 2^k (1 + f): the table gives 1 / (1 + f) for f moved to [-32768, 32767].
  int32_t zeros = thimble_clz(static_cast<uint32_t>(sum));
  int64_t normalized = ((int64_t{sum} << (zeros - 1)) + (1 << 13)) >> 14;
  int64_t reciprocal =
      table(static_cast<int32_t>(normalized) - (1 << 15) - (1 << 16), params.reciprocalTable);
  int shift = 31 - zeros;
  for (int64_t c = 0; c < depth; ++c) {
    int64_t share = (y[c] * reciprocal + (int64_t{1} << (shift - 1))) >> shift;
    y[c] = static_cast<int16_t>(std::clamp<int64_t>(share, 0, 32767));
  }
}

void softmaxRowFloat(const float *x, float *y, int64_t depth, const SoftmaxParams &params) {
  float maximum = std::numeric_limits<float>::lowest();
  for (int64_t c = 0; c < depth; ++c)
    maximum = std::max(maximum, x[c]);
  float sum = 0.0f;
  for (int64_t c = 0; c < depth; ++c) {
    y[c] = thimble_expf((x[c] - maximum) * params.beta);
    sum += y[c];
  }
  for (int64_t c = 0; c < depth; ++c)
    y[c] /= sum;
}

template <typename T>
void logSoftmaxRow(const T *x, T *y, int64_t depth, const SoftmaxParams &params) {
  constexpr ClampRange range = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  constexpr int outputBits = 4;
  int32_t maximum = *std::max_element(x, x + depth);
  int32_t logSum =
      thimble_log_fixed(sumOfExps(x, depth, maximum, params), softmaxSumBits, softmaxDiffBits);
  // Below this distance the difference with logSum would overflow.
  int32_t lowest = thimble_wrapping_add(logSum, std::numeric_limits<int32_t>::min());
  int32_t diffMin = std::max(params.diffMin - 1, requantize(lowest, params.reverse));
  for (int64_t c = 0; c < depth; ++c) {
    int32_t diff = x[c] - maximum;
    if (diff <= diffMin) {
      y[c] = static_cast<T>(range.low);
      continue;
    }
    int32_t log =
        thimble_rounding_divide_by_pot(thimble_wrapping_sub(requantize(diff, params.diff), logSum),
                                       31 - softmaxDiffBits - outputBits);
    y[c] = static_cast<T>(range.clamp(log + range.high));
  }
}

void logSoftmaxRowFloat(const float *x, float *y, int64_t depth) {
  float maximum = std::numeric_limits<float>::lowest();
  for (int64_t c = 0; c < depth; ++c)
    maximum = std::max(maximum, x[c]);
  float sum = 0.0f;
  for (int64_t c = 0; c < depth; ++c)
    sum += thimble_expf(x[c] - maximum);
  float logSum = thimble_logf(sum);
  for (int64_t c = 0; c < depth; ++c)
    y[c] = x[c] - maximum - logSum;
}

/// x - zero point, times 128 / norm, plus `outputZero`.
template <typename T>
void l2NormalizationRow(const T *x, T *y, int64_t depth, int32_t zeroPoint, int32_t outputZero) {
  constexpr ClampRange range = {std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  int32_t sum = 0;
  for (int64_t c = 0; c < depth; ++c) {
    int32_t diff = x[c] - zeroPoint;
    sum = thimble_wrapping_add(sum, diff * diff);
  }
  QuantizedMultiplier inverse;
  thimble_inverse_sqrt_multiplier(sum, /*reverse_shift=*/-1, &inverse.multiplier, &inverse.shift);
  for (int64_t c = 0; c < depth; ++c) {
    int32_t diff = x[c] - zeroPoint;
    // The factor 128 is a shift for int8 and a product for uint8: they round differently.
    int32_t scaled = std::is_signed_v<T> ? requantize(diff, {inverse.multiplier, inverse.shift + 7})
                                         : requantize(128 * diff, inverse);
    y[c] = static_cast<T>(range.clamp(scaled + outputZero));
  }
}

void l2NormalizationRowFloat(const float *x, float *y, int64_t depth) {
  float sum = 0.0f;
  for (int64_t c = 0; c < depth; ++c)
    sum += x[c] * x[c];
  float norm = std::max(thimble_sqrtf(sum), 1e-6f);
  for (int64_t c = 0; c < depth; ++c)
    y[c] = x[c] / norm;
}

} // namespace

void softmax(const Tensor &input, Tensor &out, const SoftmaxParams &params) {
  auto bytes = [&](auto *x, auto *y, int64_t depth) { softmaxRow(x, y, depth, params); };
  switch (input.type.element) {
  case ElementType::Float32:
    return forEachRow<float, float>(input, out, [&](const float *x, float *y, int64_t depth) {
      softmaxRowFloat(x, y, depth, params);
    });
  case ElementType::Int8:
    if (out.type.element == ElementType::Int16)
      return forEachRow<int8_t, int16_t>(input, out, bytes);
    return forEachRow<int8_t, int8_t>(input, out, bytes);
  case ElementType::UInt8:
    return forEachRow<uint8_t, uint8_t>(input, out, bytes);
  case ElementType::Int16:
    return forEachRow<int16_t, int16_t>(
        input, out,
        [&](const int16_t *x, int16_t *y, int64_t depth) { softmaxRowInt16(x, y, depth, params); });
  default:
    assert(false && "inputs must be float32, uint8, int8 or int16");
    std::abort();
  }
}

void logSoftmax(const Tensor &input, Tensor &out, const SoftmaxParams &params) {
  auto bytes = [&](auto *x, auto *y, int64_t depth) { logSoftmaxRow(x, y, depth, params); };
  switch (input.type.element) {
  case ElementType::Float32:
    return forEachRow<float, float>(input, out, logSoftmaxRowFloat);
  case ElementType::Int8:
    return forEachRow<int8_t, int8_t>(input, out, bytes);
  case ElementType::UInt8:
    return forEachRow<uint8_t, uint8_t>(input, out, bytes);
  default:
    assert(false && "inputs must be float32, uint8 or int8");
    std::abort();
  }
}

void l2Normalization(const Tensor &input, Tensor &out) {
  int32_t zeroPoint = input.type.zeroPoint();
  switch (input.type.element) {
  case ElementType::Float32:
    return forEachRow<float, float>(input, out, l2NormalizationRowFloat);
  case ElementType::Int8:
    return forEachRow<int8_t, int8_t>(input, out, [&](const int8_t *x, int8_t *y, int64_t depth) {
      l2NormalizationRow(x, y, depth, zeroPoint, 0);
    });
  case ElementType::UInt8:
    return forEachRow<uint8_t, uint8_t>(input, out,
                                        [&](const uint8_t *x, uint8_t *y, int64_t depth) {
                                          l2NormalizationRow(x, y, depth, zeroPoint, 128);
                                        });
  default:
    assert(false && "inputs must be float32, uint8 or int8");
    std::abort();
  }
}

} // namespace thimble
