// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/reference/Pool.h"

#include "runtime/thimble_math.h"

#include <cstdlib>

namespace thimble {

PoolClamp preparePool(const TensorType &output, Activation activation) {
  PoolClamp result;
  result.real = floatActivationRange(activation);
  if (output.element != ElementType::Float32)
    result.stored = quantizedActivationRange(activation, output);
  return result;
}

namespace {

/// Folds each window channel by channel, in order of rows and columns:
/// acc = fold(acc, element) from `initial`, then `finish(acc, elements folded)`.
template <typename T, typename Acc, typename Fold, typename Finish>
void pool(const Tensor &input, Tensor &out, const PoolWindow &window, Acc initial, Fold fold,
          Finish finish) {
  int64_t height = input.shape()[1], width = input.shape()[2], channels = input.shape()[3];
  const T *x = input.as<T>();
  T *y = out.as<T>();
  std::vector<Acc> accs(channels);
  for (int64_t n = 0; n < out.shape()[0]; ++n)
    for (int64_t outY = 0; outY < out.shape()[1]; ++outY)
      for (int64_t outX = 0; outX < out.shape()[2]; ++outX) {
        int64_t originY = outY * window.strideH - window.pads.top;
        int64_t originX = outX * window.strideW - window.pads.left;
        int64_t top = std::max<int64_t>(originY, 0);
        int64_t left = std::max<int64_t>(originX, 0);
        int64_t bottom = std::min(originY + window.filterH, height);
        int64_t right = std::min(originX + window.filterW, width);
        std::fill(accs.begin(), accs.end(), initial);
        for (int64_t inY = top; inY < bottom; ++inY)
          for (int64_t inX = left; inX < right; ++inX) {
            const T *pixel = x + ((n * height + inY) * width + inX) * channels;
            for (int64_t c = 0; c < channels; ++c)
              accs[c] = fold(accs[c], pixel[c]);
          }
        int64_t count = std::max<int64_t>(bottom - top, 0) * std::max<int64_t>(right - left, 0);
        for (int64_t c = 0; c < channels; ++c)
          *y++ = static_cast<T>(finish(accs[c], static_cast<int32_t>(count)));
      }
}

template <typename T>
void averageOfIntegers(const Tensor &input, Tensor &out, const PoolWindow &window,
                       const PoolClamp &clamp) {
  pool<T>(
      input, out, window, int32_t{0}, [](int32_t acc, int32_t x) { return acc + x; },
      [&](int32_t sum, int32_t count) {
        int32_t half = sum > 0 ? count / 2 : -(count / 2);
        return clamp.stored.clamp((sum + half) / std::max(count, 1));
      });
}

template <typename T>
void maximumOfIntegers(const Tensor &input, Tensor &out, const PoolWindow &window,
                       const PoolClamp &clamp) {
  pool<T>(
      input, out, window, std::numeric_limits<T>::lowest(),
      [](T acc, T x) { return std::max(acc, x); },
      [&](T maximum, int32_t) { return clamp.stored.clamp(maximum); });
}

} // namespace

void averagePool2d(const Tensor &input, Tensor &out, const PoolWindow &window,
                   const PoolClamp &clamp) {
  switch (input.type.element) {
  case ElementType::Float32:
    return pool<float>(
        input, out, window, 0.0f, [](float acc, float x) { return acc + x; },
        [&](float sum, int32_t count) {
          return clamp.real.clamp(sum / static_cast<float>(count));
        });
  case ElementType::Int8:
    return averageOfIntegers<int8_t>(input, out, window, clamp);
  case ElementType::UInt8:
    return averageOfIntegers<uint8_t>(input, out, window, clamp);
  case ElementType::Int16:
    return averageOfIntegers<int16_t>(input, out, window, clamp);
  default:
    assert(false && "inputs must be float32, uint8, int8 or int16");
    std::abort();
  }
}

void maxPool2d(const Tensor &input, Tensor &out, const PoolWindow &window, const PoolClamp &clamp) {
  switch (input.type.element) {
  case ElementType::Float32:
    return pool<float>(
        input, out, window, std::numeric_limits<float>::lowest(),
        [](float acc, float x) { return std::max(acc, x); },
        [&](float maximum, int32_t) { return clamp.real.clamp(maximum); });
  case ElementType::Int8:
    return maximumOfIntegers<int8_t>(input, out, window, clamp);
  case ElementType::UInt8:
    return maximumOfIntegers<uint8_t>(input, out, window, clamp);
  case ElementType::Int16:
    return maximumOfIntegers<int16_t>(input, out, window, clamp);
  default:
    assert(false && "inputs must be float32, uint8, int8 or int16");
    std::abort();
  }
}

void l2Pool2d(const Tensor &input, Tensor &out, const PoolWindow &window, const PoolClamp &clamp) {
  pool<float>(
      input, out, window, 0.0f, [](float acc, float x) { return acc + x * x; },
      [&](float sum, int32_t count) {
        return clamp.real.clamp(thimble_sqrtf(sum / static_cast<float>(count)));
      });
}

} // namespace thimble
