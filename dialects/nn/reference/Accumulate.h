// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What the kernels with weight matrices share: dot products that wrap, biases of
// any type, and the choice of C++ types for tensor types.
#pragma once

#include "dialects/nn/reference/Tensor.h"

#include <cstdlib>
#include <type_traits>

namespace thimble::detail {

/// The type to add in: unsigned for integers, so that overflow wraps.
template <typename Acc> struct Wrapping {
  using type = std::make_unsigned_t<Acc>;
};
template <> struct Wrapping<float> {
  using type = float;
};

template <typename Acc> Acc wrappingAdd(Acc a, Acc b) {
  using U = typename Wrapping<Acc>::type;
  return static_cast<Acc>(static_cast<U>(a) + static_cast<U>(b));
}

/// acc + sum of (x[i] - zeroX) * (w[i] - zeroW), in order of i.
template <typename Acc, typename X, typename W>
Acc dot(Acc acc, const X *x, const W *w, int64_t n, int32_t zeroX, int32_t zeroW) {
  if constexpr (std::is_same_v<Acc, float>) {
    for (int64_t i = 0; i < n; ++i)
      acc += x[i] * w[i];
    return acc;
  } else {
    using U = typename Wrapping<Acc>::type;
    U sum = static_cast<U>(acc);
    for (int64_t i = 0; i < n; ++i)
      sum += static_cast<U>((x[i] - zeroX) * (w[i] - zeroW));
    return static_cast<Acc>(sum);
  }
}

/// The bias widened to accumulators; zeros where there is none.
template <typename Acc> std::vector<Acc> readBias(const Tensor *bias, int64_t channels) {
  std::vector<Acc> result(channels, Acc{0});
  if (!bias)
    return result;
  auto read = [&](auto *data) {
    for (int64_t c = 0; c < channels; ++c)
      result[c] = static_cast<Acc>(data[c]);
  };
  switch (bias->type.element) {
  case ElementType::Float32:
    read(bias->as<float>());
    break;
  case ElementType::Int16:
    read(bias->as<int16_t>());
    break;
  case ElementType::Int32:
    read(bias->as<int32_t>());
    break;
  case ElementType::Int64:
    read(bias->as<int64_t>());
    break;
  default:
    assert(false && "bias must be float32, int16, int32 or int64");
    std::abort();
  }
  return result;
}

/// Stands for a type in an argument list.
template <typename T> struct Type {
  using type = T;
};

/// Calls `run(Type<X>, Type<W>, Type<Acc>)` with the element types of pictures,
/// weights and accumulators. The operator's verifier admits nothing else.
template <typename Run>
void withTypes(ElementType input, ElementType weights, bool wideAccumulator, Run run) {
  switch (input) {
  case ElementType::Float32:
    return run(Type<float>{}, Type<float>{}, Type<float>{});
  case ElementType::UInt8:
    return run(Type<uint8_t>{}, Type<uint8_t>{}, Type<int32_t>{});
  case ElementType::Int8:
    return run(Type<int8_t>{}, Type<int8_t>{}, Type<int32_t>{});
  case ElementType::Int16:
    assert(weights == ElementType::Int8);
    if (wideAccumulator)
      return run(Type<int16_t>{}, Type<int8_t>{}, Type<int64_t>{});
    return run(Type<int16_t>{}, Type<int8_t>{}, Type<int32_t>{});
  default:
    assert(false && "inputs must be float32, uint8, int8 or int16");
    std::abort();
  }
  (void)weights;
}

} // namespace thimble::detail
