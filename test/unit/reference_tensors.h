// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Short ways to write down tensors in tests of the reference kernels.
#pragma once

#include "dialects/nn/reference/Tensor.h"

#include <initializer_list>

namespace thimble::test {

/// A type with one scale and zero point; scale 0 stands for no quantization.
template <typename T>
TensorType tensorType(std::vector<int64_t> shape, float scale = 0.0f, int32_t zeroPoint = 0) {
  TensorType type;
  type.element = elementTypeOf<T>();
  type.shape = std::move(shape);
  if (scale != 0.0f)
    type.quantization = Quantization{{scale}, {zeroPoint}, -1};
  return type;
}

template <typename T> Tensor tensor(const TensorType &type, std::initializer_list<T> values) {
  Tensor result(type);
  assert(static_cast<int64_t>(values.size()) == type.elements());
  std::copy(values.begin(), values.end(), result.as<T>());
  return result;
}

template <typename T> std::vector<T> values(const Tensor &t) {
  return std::vector<T>(t.as<T>(), t.as<T>() + t.elements());
}

} // namespace thimble::test
