// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/reference/Resize.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace thimble {

std::vector<BilinearTap<float>> bilinearTaps(int64_t inputSize, int64_t outputSize,
                                             ResizeGrid grid) {
  bool corners = grid.alignCorners && outputSize > 1;
  float scale = static_cast<float>(inputSize - corners) / static_cast<float>(outputSize - corners);
  int32_t last = static_cast<int32_t>(inputSize) - 1;
  std::vector<BilinearTap<float>> taps;
  taps.reserve(outputSize);
  for (int64_t i = 0; i < outputSize; ++i) {
    float at = grid.halfPixelCenters ? (static_cast<float>(i) + 0.5f) * scale - 0.5f
                                     : static_cast<float>(i) * scale;
    int32_t lower = std::clamp(static_cast<int32_t>(std::floor(at)), 0, last);
    int32_t upper = std::min(static_cast<int32_t>(std::ceil(at)), last);
    taps.push_back({lower, upper, at - static_cast<float>(lower)});
  }
  return taps;
}

std::vector<BilinearTap<int32_t>> bilinearIntegerTaps(int64_t inputSize, int64_t outputSize,
                                                      ResizeGrid grid) {
  constexpr int32_t one = 1 << 10;
  bool corners = grid.alignCorners && outputSize > 1;
  int32_t inputSpan = static_cast<int32_t>(inputSize - corners);
  int32_t outputSpan = static_cast<int32_t>(outputSize - corners);
  int32_t scale = (one * inputSpan + outputSpan / 2) / outputSpan;
  int32_t last = static_cast<int32_t>(inputSize) - 1;
  std::vector<BilinearTap<int32_t>> taps;
  taps.reserve(outputSize);
  for (int32_t i = 0; i < outputSize; ++i) {
    int32_t at = grid.halfPixelCenters ? i * scale + scale / 2 - one / 2 : i * scale;
    int32_t lower = std::clamp(at / one, 0, last);
    int32_t upper = std::min((at + one - 1) / one, last);
    taps.push_back({lower, upper, at - one * lower});
  }
  return taps;
}

std::vector<int32_t> nearestRows(int64_t inputSize, int64_t outputSize, ResizeGrid grid) {
  bool corners = grid.alignCorners && outputSize > 1;
  float scale = static_cast<float>(inputSize - corners) / static_cast<float>(outputSize - corners);
  float offset = grid.halfPixelCenters ? 0.5f : 0.0f;
  std::vector<int32_t> rows;
  rows.reserve(outputSize);
  for (int64_t i = 0; i < outputSize; ++i) {
    float at = (static_cast<float>(i) + offset) * scale;
    // A single row is rounded too when corners are aligned.
    float row = grid.alignCorners ? std::round(at) : std::floor(at);
    rows.push_back(std::min(static_cast<int32_t>(row), static_cast<int32_t>(inputSize) - 1));
  }
  return rows;
}

namespace {

/// Calls `blend(upper left, upper right, lower left, lower right, row tap, column
/// tap)` for each channel of each output pixel.
template <typename T, typename Weight, typename Blend>
void interpolate(const Tensor &input, Tensor &out, const std::vector<BilinearTap<Weight>> &rows,
                 const std::vector<BilinearTap<Weight>> &columns, Blend blend) {
  int64_t width = input.shape()[2], channels = input.shape()[3];
  const T *picture = input.as<T>();
  T *y = out.as<T>();
  for (int64_t n = 0; n < input.shape()[0]; ++n) {
    for (const BilinearTap<Weight> &row : rows)
      for (const BilinearTap<Weight> &column : columns) {
        const T *lowerLeft = picture + (row.lower * width + column.lower) * channels;
        const T *lowerRight = picture + (row.lower * width + column.upper) * channels;
        const T *upperLeft = picture + (row.upper * width + column.lower) * channels;
        const T *upperRight = picture + (row.upper * width + column.upper) * channels;
        for (int64_t c = 0; c < channels; ++c)
          *y++ = blend(lowerLeft[c], lowerRight[c], upperLeft[c], upperRight[c], row.weight,
                       column.weight);
      }
    picture += input.shape()[1] * width * channels;
  }
}

template <typename T> void interpolateFloat(const Tensor &input, Tensor &out, ResizeGrid grid) {
  constexpr float half = std::is_integral_v<T> ? 0.5f : 0.0f;
  interpolate<T>(
      input, out, bilinearTaps(input.shape()[1], out.shape()[1], grid),
      bilinearTaps(input.shape()[2], out.shape()[2], grid),
      [](float lowerLeft, float lowerRight, float upperLeft, float upperRight, float v, float h) {
        // The order of the additions is TFLite's.
        float sum = lowerLeft * (1 - v) * (1 - h) + upperLeft * v * (1 - h) +
                    lowerRight * (1 - v) * h + upperRight * v * h + half;
        return static_cast<T>(sum);
      });
}

template <typename T> void interpolateInteger(const Tensor &input, Tensor &out, ResizeGrid grid) {
  constexpr int64_t one = 1 << 10;
  interpolate<T>(input, out, bilinearIntegerTaps(input.shape()[1], out.shape()[1], grid),
                 bilinearIntegerTaps(input.shape()[2], out.shape()[2], grid),
                 [](int64_t lowerLeft, int64_t lowerRight, int64_t upperLeft, int64_t upperRight,
                    int64_t v, int64_t h) {
                   int64_t sum = lowerLeft * (one - v) * (one - h) + upperLeft * v * (one - h) +
                                 lowerRight * (one - v) * h + upperRight * v * h;
                   int64_t half = sum > 0 ? one * one / 2 : -one * one / 2;
                   return static_cast<T>((sum + half) / (one * one));
                 });
}

} // namespace

void resizeBilinear(const Tensor &input, Tensor &out, ResizeGrid grid) {
  switch (input.type.element) {
  case ElementType::Float32:
    return interpolateFloat<float>(input, out, grid);
  case ElementType::UInt8:
    return interpolateFloat<uint8_t>(input, out, grid);
  case ElementType::Int8:
    return interpolateInteger<int8_t>(input, out, grid);
  case ElementType::Int16:
    return interpolateInteger<int16_t>(input, out, grid);
  default:
    assert(false && "inputs must be float32, uint8, int8 or int16");
    std::abort();
  }
}

void resizeNearestNeighbor(const Tensor &input, Tensor &out, ResizeGrid grid) {
  std::vector<int32_t> rows = nearestRows(input.shape()[1], out.shape()[1], grid);
  std::vector<int32_t> columns = nearestRows(input.shape()[2], out.shape()[2], grid);
  int64_t width = input.shape()[2];
  size_t pixelBytes = input.shape()[3] * byteSize(input.type.element);
  const std::byte *picture = input.data.data();
  std::byte *to = out.data.data();
  for (int64_t n = 0; n < input.shape()[0]; ++n) {
    for (int32_t row : rows)
      for (int32_t column : columns) {
        std::memcpy(to, picture + (row * width + column) * pixelBytes, pixelBytes);
        to += pixelBytes;
      }
    picture += input.shape()[1] * width * pixelBytes;
  }
}

} // namespace thimble
