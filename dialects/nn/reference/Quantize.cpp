// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/reference/Quantize.h"

#include <cmath>

namespace thimble {

QuantizedMultiplier quantizeMultiplier(double real) {
  if (real == 0.0)
    return {};
  int exponent = 0;
  double fraction = std::frexp(real, &exponent); // 0.5 <= |fraction| < 1
  int64_t bits = std::llround(std::ldexp(fraction, 31));
  if (bits == int64_t{1} << 31) { // rounded up to 1.0
    bits /= 2;
    ++exponent;
  }
  if (exponent < -31)
    return {};
  if (exponent > 30)
    return {std::numeric_limits<int32_t>::max(), 30};
  return {static_cast<int32_t>(bits), exponent};
}

int32_t requantizeReal(int64_t acc, double scale) {
  return static_cast<int32_t>(
      std::clamp(std::round(static_cast<double>(acc) * scale), -2147483648.0, 2147483647.0));
}

ClampRange storageRange(ElementType type) {
  switch (type) {
  case ElementType::Bool:
    return {0, 1};
  case ElementType::Int8:
    return {-128, 127};
  case ElementType::UInt8:
    return {0, 255};
  case ElementType::Int16:
    return {-32768, 32767};
  default:
    return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
  }
}

ClampRange quantizedActivationRange(Activation activation, const TensorType &output) {
  ClampRange range = storageRange(output.element);
  auto stored = [&](float real) {
    // A scale so small that the bound is out of reach saturates.
    float steps = std::clamp(std::round(real / output.scale()), -1e9f, 1e9f);
    return output.zeroPoint() + static_cast<int32_t>(steps);
  };
  switch (activation) {
  case Activation::None:
    break;
  case Activation::Relu:
    range.low = std::max(range.low, stored(0.0f));
    break;
  case Activation::ReluN1To1:
    range = {std::max(range.low, stored(-1.0f)), std::min(range.high, stored(1.0f))};
    break;
  case Activation::Relu6:
    range = {std::max(range.low, stored(0.0f)), std::min(range.high, stored(6.0f))};
    break;
  }
  return range;
}

FloatRange floatActivationRange(Activation activation) {
  FloatRange range;
  switch (activation) {
  case Activation::None:
    break;
  case Activation::Relu:
    range.low = 0.0f;
    break;
  case Activation::ReluN1To1:
    range = {-1.0f, 1.0f};
    break;
  case Activation::Relu6:
    range = {0.0f, 6.0f};
    break;
  }
  return range;
}

int WindowAxis::outputSize(Padding padding) const {
  if (padding == Padding::Same)
    return (input + stride - 1) / stride;
  return std::max(0, (input + stride - span()) / stride);
}

int WindowAxis::totalPadding(Padding padding) const {
  return std::max(0, (outputSize(padding) - 1) * stride + span() - input);
}

int WindowAxis::padBefore(Padding padding) const { return totalPadding(padding) / 2; }

int WindowAxis::padAfter(Padding padding) const {
  return totalPadding(padding) - padBefore(padding);
}

Pads computePads(Padding padding, const WindowAxis &height, const WindowAxis &width) {
  return {height.padBefore(padding), height.padAfter(padding), width.padBefore(padding),
          width.padAfter(padding)};
}

} // namespace thimble
