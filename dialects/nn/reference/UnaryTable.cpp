// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/ElementwiseUnary.h"
#include "runtime/thimble_fixed_point.h"
#include "runtime/thimble_math.h"

#include <cmath>

namespace thimble {

namespace {

/// int8 LOGISTIC and TANH: the input is scaled to fixed point with four integer
/// bits; beyond `radius` the result saturates (logistic_common.cc, tanh.cc).
struct FixedSigmoid {
  QuantizedMultiplier multiplier;
  int32_t radius = 0;
};

FixedSigmoid prepareFixedSigmoid(const TensorType &in) {
  constexpr int integerBits = 4, fractionBits = 31 - integerBits;
  FixedSigmoid prepared;
  // Not quantizeMultiplier: neither tiny nor huge scales are special here.
  int exponent = 0;
  const double fraction =
      std::frexp(static_cast<double>(in.scale()) * (1 << fractionBits), &exponent);
  const double rounded = std::round(fraction * 2147483648.0);
  prepared.multiplier = {static_cast<int32_t>(std::min(rounded, 2147483647.0)), exponent};
  const double largest = static_cast<double>((1 << integerBits) - 1) * (1 << fractionBits);
  prepared.radius =
      static_cast<int32_t>(std::min(std::floor(std::ldexp(largest, -exponent)), 2147483647.0));
  return prepared;
}

int32_t logisticInt8(const FixedSigmoid &p, int32_t x) {
  if (x <= -p.radius)
    return -128;
  if (x >= p.radius)
    return 127;
  const int32_t result = thimble_logistic_fixed(requantize(x, p.multiplier), 4);
  return std::clamp(thimble_rounding_divide_by_pot(result, 23) - 128, -128, 127);
}

int32_t tanhInt8(const FixedSigmoid &p, int32_t x) {
  if (x <= -p.radius)
    return -128;
  if (x >= p.radius)
    return 127;
  const int32_t result = thimble_tanh_fixed(requantize(x, p.multiplier), 4);
  return std::clamp(thimble_rounding_divide_by_pot(result, 24), -128, 127);
}

/// HARD_SWISH on 16-bit intermediate values (hard_swish_common.cc, hard_swish.h).
struct HardSwishParams {
  int32_t inputZeroPoint = 0, outputZeroPoint = 0;
  int16_t outputMultiplier = 0, reluMultiplier = 0;
  int32_t outputExponent = 0, reluExponent = 0;
};

int16_t upperHalf(int32_t multiplier) {
  constexpr int32_t half = 1 << 15;
  if (multiplier >= std::numeric_limits<int32_t>::max() - half)
    return std::numeric_limits<int16_t>::max();
  return static_cast<int16_t>((multiplier + half) >> 16);
}

HardSwishParams prepareHardSwish(const TensorType &in, const TensorType &out) {
  HardSwishParams prepared;
  prepared.inputZeroPoint = in.zeroPoint();
  prepared.outputZeroPoint = out.zeroPoint();
  const float fineScale = (1.0f / 128.0f) * in.scale();
  const QuantizedMultiplier output =
      quantizeMultiplier(static_cast<double>(fineScale / out.scale()));
  const QuantizedMultiplier relu =
      quantizeMultiplier(static_cast<double>(fineScale / (3.0f / 32768.0f)));
  prepared.outputMultiplier = upperHalf(output.multiplier);
  prepared.outputExponent = output.shift;
  prepared.reluMultiplier = upperHalf(relu.multiplier);
  prepared.reluExponent = relu.shift;
  return prepared;
}

int32_t hardSwish(const HardSwishParams &p, int32_t x, ClampRange range) {
  const int16_t fine = static_cast<int16_t>((x - p.inputZeroPoint) * 128);
  const int16_t scaled = thimble_rounding_doubling_high_mul_i16(fine, p.outputMultiplier);
  // relu6(x + 3) / 6 as a fraction of 2^15: x / 3 saturates at -1 and 1, then moves up.
  int16_t gate = fine;
  if (p.reluExponent > 0)
    gate = thimble_saturating_shl_i16(gate, p.reluExponent - 1);
  gate = thimble_rounding_doubling_high_mul_i16(gate, p.reluMultiplier);
  if (p.reluExponent > 0)
    gate = thimble_saturating_shl_i16(gate, 1);
  if (p.reluExponent < 0)
    gate =
        static_cast<int16_t>(thimble_rounding_divide_by_pot(gate, std::min(31, -p.reluExponent)));
  gate = static_cast<int16_t>((gate + (1 << 15)) >> 1);
  const int16_t product = thimble_doubling_high_mul_i16(gate, scaled);
  const int32_t shift = std::clamp(-p.outputExponent, 0, 31);
  const int16_t result =
      static_cast<int16_t>(thimble_rounding_divide_by_pot(product, shift) + p.outputZeroPoint);
  return range.clamp(result);
}

/// An operator on floats between dequantization and quantization
/// (kernels/internal/common.h LUTPopulateInt8; elu.cc PopulateLookupTable).
int32_t throughFloat(const UnaryParams &params, int32_t x, const TensorType &in,
                     const TensorType &out, ClampRange range) {
  const float value = in.scale() * static_cast<float>(x - in.zeroPoint());
  if (params.op == UnaryOp::Sqrt) {
    // Truncates (LiteRT elementwise.cc SqrtEvalQuantized).
    const float root = thimble_sqrtf(std::max(value, 0.0f)) / out.scale();
    const double shifted = std::trunc(static_cast<double>(root)) + out.zeroPoint();
    return static_cast<int32_t>(std::min<double>(std::max<double>(shifted, range.low), range.high));
  }
  float result;
  if (params.op == UnaryOp::Log && value <= 0.0f)
    result = static_cast<float>(range.low - out.zeroPoint()) * out.scale();
  else if (params.op == UnaryOp::Elu && params.rule == Rule::Micro)
    result = value < 0.0f ? thimble_expf(value) - 1.0f : value;
  else if (params.op == UnaryOp::Logistic)
    result = 1.0f / (1.0f + thimble_expf(-value));
  else
    result = evaluateUnaryFloat(params, value);
  const float inverse = 1.0f / out.scale();
  const float stored = std::round(result * inverse) + static_cast<float>(out.zeroPoint());
  // An infinite or too large result saturates.
  if (!(stored > static_cast<float>(range.low)))
    return range.low;
  return stored >= static_cast<float>(range.high) ? range.high : static_cast<int32_t>(stored);
}

} // namespace

std::vector<uint8_t> unaryTable(const UnaryParams &params, const TensorType &in,
                                const TensorType &out) {
  const bool isSigned = in.element == ElementType::Int8;
  const bool fixed = isSigned && params.rule == Rule::Micro;
  const ClampRange inRange = storageRange(in.element), range = storageRange(out.element);
  std::vector<uint8_t> table(256);
  auto fill = [&](auto function) {
    for (int32_t x = inRange.low; x <= inRange.high; ++x)
      table[static_cast<uint8_t>(x)] = static_cast<uint8_t>(function(x));
  };
  auto viaFloat = [&] { fill([&](int32_t x) { return throughFloat(params, x, in, out, range); }); };

  switch (params.op) {
  case UnaryOp::Relu:
  case UnaryOp::Relu6:
  case UnaryOp::ReluN1To1:
  case UnaryOp::Relu0To1:
    fill([relu = prepareRelu(params, in, out)](int32_t x) { return relu.apply(x); });
    break;
  case UnaryOp::LeakyRelu:
    fill([leaky = prepareLeakyRelu(params, in, out)](int32_t x) { return leaky.apply(x); });
    break;
  case UnaryOp::Neg:
    // On stored numbers, wrapping, as LiteRT does.
    fill([](int32_t x) { return -x; });
    break;
  case UnaryOp::Abs:
    fill([abs = prepareAbs(in, out)](int32_t x) { return abs.apply(x); });
    break;
  case UnaryOp::Rsqrt:
    fill([rsqrt = prepareRsqrt(in, out)](int32_t x) { return rsqrt.apply(x); });
    break;
  case UnaryOp::HardSwish:
    fill([&, p = prepareHardSwish(in, out)](int32_t x) { return hardSwish(p, x, range); });
    break;
  case UnaryOp::Logistic:
    if (fixed)
      fill([zero = in.zeroPoint(), p = prepareFixedSigmoid(in)](int32_t x) {
        return logisticInt8(p, x - zero);
      });
    else
      viaFloat();
    break;
  case UnaryOp::Tanh:
    if (fixed)
      fill([zero = in.zeroPoint(), p = prepareFixedSigmoid(in)](int32_t x) {
        return tanhInt8(p, x - zero);
      });
    else
      viaFloat();
    break;
  default:
    viaFloat();
    break;
  }
  return table;
}

} // namespace thimble
