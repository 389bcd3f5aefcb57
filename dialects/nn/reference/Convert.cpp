// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Convert.h"
#include "runtime/thimble_elementwise.h"

#include <cmath>
#include <type_traits>

namespace thimble {

namespace {

/// Calls body with a value of the C++ type that stores `type`.
template <typename Body> void withType(ElementType type, Body body) {
  switch (type) {
  case ElementType::Bool:
    return body(bool());
  case ElementType::Int8:
    return body(int8_t());
  case ElementType::UInt8:
    return body(uint8_t());
  case ElementType::Int16:
    return body(int16_t());
  case ElementType::Int32:
    return body(int32_t());
  case ElementType::Int64:
    return body(int64_t());
  case ElementType::Float32:
    return body(float());
  }
}

template <typename To, typename From> To castOne(From x) {
  if constexpr (std::is_same_v<To, bool>) {
    return x != From(0);
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // 2^bits as a float is exact, the largest integer may not be.
    const float limit = std::ldexp(1.0f, std::numeric_limits<To>::digits);
    if (!(x == x))
      return 0;
    if (x >= limit)
      return std::numeric_limits<To>::max();
    if (x < static_cast<float>(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    return static_cast<To>(x);
  } else {
    return static_cast<To>(x);
  }
}

} // namespace

void evaluateCast(const Tensor &in, Tensor &out) {
  withType(in.type.element, [&](auto from) {
    withType(out.type.element, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const From *source = in.as<From>();
      To *target = out.as<To>();
      for (int64_t i = 0, n = out.elements(); i < n; ++i)
        target[i] = castOne<To>(source[i]);
    });
  });
}

int32_t quantizeFloat(float x, float scale, int32_t zeroPoint, ClampRange range) {
  const double stored = static_cast<double>(std::round(x / scale)) + zeroPoint;
  if (!(stored > range.low))
    return range.low;
  return stored >= range.high ? range.high : static_cast<int32_t>(stored);
}

float dequantizeInteger(int32_t x, float scale, int32_t zeroPoint) {
  return thimble_dequantize_i32(x, scale, zeroPoint);
}

RequantizeParams prepareRequantize(const TensorType &in, const TensorType &out) {
  return {quantizeMultiplier(static_cast<double>(in.scale()) / static_cast<double>(out.scale())),
          in.zeroPoint(), out.zeroPoint(), storageRange(out.element)};
}

void evaluateQuantize(const Tensor &in, Tensor &out) {
  const ClampRange range = storageRange(out.type.element);
  const RequantizeParams rescale = prepareRequantize(in.type, out.type);
  const float scale = out.type.scale();
  const int32_t zeroPoint = out.type.zeroPoint();
  auto run = [&](auto from, auto to) {
    using From = decltype(from);
    using To = decltype(to);
    const From *source = in.as<From>();
    To *target = out.as<To>();
    for (int64_t i = 0, n = out.elements(); i < n; ++i) {
      if constexpr (std::is_same_v<From, float>)
        target[i] = static_cast<To>(quantizeFloat(source[i], scale, zeroPoint, range));
      else
        target[i] = static_cast<To>(rescale.apply(static_cast<int32_t>(source[i])));
    }
  };
  withType(in.type.element, [&](auto from) {
    withType(out.type.element, [&](auto to) {
      using To = decltype(to);
      if constexpr (std::is_integral_v<To> && sizeof(To) <= 4 && !std::is_same_v<To, bool>)
        run(from, to);
      else
        assert(false && "quantized tensors are integers of at most 32 bits");
    });
  });
}

void evaluateDequantize(const Tensor &in, Tensor &out) {
  float *target = out.as<float>();
  const int64_t count = out.elements();
  const Quantization quantization = in.type.quantization.value_or(Quantization{{1.0f}, {0}, -1});
  // Along the quantized axis an index repeats for `inner` elements.
  int64_t inner = count, channels = 1;
  if (quantization.perChannel()) {
    inner = 1;
    for (int64_t d = quantization.axis + 1; d < in.type.rank(); ++d)
      inner *= in.shape()[d];
    channels = in.shape()[quantization.axis];
  }
  withType(in.type.element, [&](auto from) {
    using From = decltype(from);
    const From *source = in.as<From>();
    for (int64_t i = 0; i < count; ++i) {
      const size_t channel = static_cast<size_t>(i / inner % channels);
      target[i] = dequantizeInteger(static_cast<int32_t>(source[i]), quantization.scales[channel],
                                    quantization.zeroPoints[channel]);
    }
  });
}

} // namespace thimble
