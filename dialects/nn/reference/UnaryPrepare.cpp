// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/ElementwiseUnary.h"
#include "dialects/nn/reference/Lut.h"
#include "runtime/thimble_elementwise.h"

#include <cmath>

namespace thimble {

int32_t ReluParams::apply(int32_t x) const {
  if (clampOnly)
    return range.clamp(x);
  return range.clamp(
      thimble_wrapping_add(requantize(x - inputZeroPoint, multiplier), outputZeroPoint));
}

ReluParams prepareRelu(const UnaryParams &params, const TensorType &in, const TensorType &out) {
  float low = 0.0f, high = std::numeric_limits<float>::infinity();
  if (params.op == UnaryOp::Relu6)
    high = 6.0f;
  if (params.op == UnaryOp::ReluN1To1 || params.op == UnaryOp::Relu0To1)
    high = 1.0f;
  if (params.op == UnaryOp::ReluN1To1)
    low = -1.0f;

  ReluParams prepared;
  prepared.clampOnly =
      params.op == UnaryOp::Relu6 && params.rule == Rule::Micro && in.element != ElementType::UInt8;
  // A clamp without rescaling counts in the input's quantization.
  const TensorType &side = prepared.clampOnly ? in : out;
  const ClampRange storage = storageRange(out.element);
  auto quantized = [&](float bound) {
    const double steps = std::round(bound / side.scale());
    const double value = steps + side.zeroPoint();
    return static_cast<int32_t>(
        std::min<double>(storage.high, std::max<double>(storage.low, value)));
  };
  prepared.range = {quantized(low), std::isinf(high) ? storage.high : quantized(high)};
  if (prepared.clampOnly)
    prepared.range.low = in.zeroPoint();
  // TFLite Micro's package divides doubles, LiteRT floats.
  const bool floats = params.rule == Rule::Litert || out.element == ElementType::UInt8;
  const float ratio = in.scale() / out.scale();
  const double from = in.scale(), to = out.scale();
  prepared.multiplier = quantizeMultiplier(floats ? static_cast<double>(ratio) : from / to);
  prepared.inputZeroPoint = in.zeroPoint();
  prepared.outputZeroPoint = out.zeroPoint();
  return prepared;
}

int32_t LeakyReluParams::apply(int32_t x) const {
  const int32_t value = x - inputZeroPoint;
  int32_t scaled = requantize(value, value >= 0 ? identity : slope);
  if (value < 0 && negativeSlope)
    scaled = thimble_wrapping_sub(0, scaled);
  return range.clamp(thimble_wrapping_add(outputZeroPoint, scaled));
}

LeakyReluParams prepareLeakyRelu(const UnaryParams &params, const TensorType &in,
                                 const TensorType &out) {
  LeakyReluParams prepared;
  // TFLite Micro's package multiplies doubles, LiteRT floats.
  const bool floats = params.rule == Rule::Litert || out.element == ElementType::UInt8;
  const double from = in.scale(), alpha = params.alpha, to = out.scale();
  const float rounded = in.scale() * params.alpha / out.scale();
  const double slope = floats ? static_cast<double>(rounded) : from * alpha / to;
  prepared.slope = quantizeMultiplier(std::fabs(slope));
  prepared.negativeSlope = slope < 0.0;
  const float ratio = in.scale() / out.scale();
  prepared.identity = quantizeMultiplier(floats ? static_cast<double>(ratio) : from / to);
  prepared.inputZeroPoint = in.zeroPoint();
  prepared.outputZeroPoint = out.zeroPoint();
  prepared.range = storageRange(out.element);
  return prepared;
}

int32_t AbsParams::apply(int32_t x) const {
  const int32_t value = std::abs(x - inputZeroPoint);
  return range.clamp(
      thimble_wrapping_add(rescale ? requantize(value, multiplier) : value, outputZeroPoint));
}

AbsParams prepareAbs(const TensorType &in, const TensorType &out) {
  AbsParams prepared;
  prepared.rescale = in.scale() != out.scale();
  prepared.multiplier = quantizeMultiplier(static_cast<double>(in.scale() / out.scale()));
  prepared.inputZeroPoint = in.zeroPoint();
  prepared.outputZeroPoint = out.zeroPoint();
  prepared.range = storageRange(out.element);
  return prepared;
}

int32_t RsqrtParams::apply(int32_t x) const {
  const int32_t root =
      thimble_rsqrt_scaled(x - inputZeroPoint, multiplier.multiplier, multiplier.shift);
  return range.clamp(thimble_wrapping_add(root, outputZeroPoint));
}

RsqrtParams prepareRsqrt(const TensorType &in, const TensorType &out) {
  RsqrtParams prepared;
  const double from = in.scale(), to = out.scale();
  const double scale = std::sqrt(from) * to;
  prepared.multiplier = quantizeMultiplier(1.0 / scale);
  prepared.inputZeroPoint = in.zeroPoint();
  prepared.outputZeroPoint = out.zeroPoint();
  prepared.range = storageRange(out.element);
  return prepared;
}

SigmoidParams prepareSigmoidInt16(UnaryOp op, const TensorType &in) {
  // The kernels expect three integer bits; scales of 2^-12 (and 2^-11 for TANH) are
  // handled by a shift alone, with the factor 3 that the table's step of 1/24 wants.
  const double log2 = std::log2(static_cast<double>(in.scale()));
  const int32_t rounded = static_cast<int32_t>(std::round(log2));
  const int32_t shift = 12 + rounded;
  const bool powerOfTwo = std::fabs(log2 - rounded) < 1e-3;
  if (powerOfTwo && (shift == 0 || (shift == 1 && op == UnaryOp::Tanh)))
    return {3 << shift, 0};
  SigmoidParams prepared;
  double multiplier = static_cast<double>(in.scale()) * 4096.0 * 3.0;
  for (; multiplier <= 32767.0 / 2.0 && prepared.shift <= 30; ++prepared.shift)
    multiplier *= 2.0;
  prepared.multiplier = static_cast<int32_t>(std::min(multiplier, 2147483647.0));
  return prepared;
}

bool unaryInterpolates(const UnaryParams &params) {
  switch (params.op) {
  case UnaryOp::Exp:
  case UnaryOp::Log:
  case UnaryOp::Gelu:
    return true;
  case UnaryOp::Rsqrt:
    return params.rule == Rule::Litert;
  default:
    return false;
  }
}

std::vector<int16_t> unaryTableInt16(const UnaryParams &params, const TensorType &in,
                                     const TensorType &out) {
  auto function = [&](float x) {
    if (params.op == UnaryOp::Log && x <= 0.0f)
      return static_cast<float>(-32768 - out.zeroPoint()) * out.scale();
    if (params.op == UnaryOp::Rsqrt && x <= 0.0f)
      return 32767.0f * out.scale();
    return evaluateUnaryFloat(params, x);
  };
  return int16Table({in.scale(), in.zeroPoint()}, {out.scale(), out.zeroPoint()}, function);
}

} // namespace thimble
