// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/WeightMatrix.h"

#include "llvm/ADT/STLExtras.h"

using namespace thimble;

bool WeightMatrix::fitsByteMix() const {
  return llvm::all_of(weights, [](int16_t w) { return w >= -127 && w <= 127; }) &&
         scaleBits(8) == 8;
}

int WeightMatrix::scaleBits(int most) const {
  int64_t weight = 0, sum = 0;
  for (int16_t w : weights)
    weight = std::max<int64_t>(weight, w < 0 ? -(w + 1) : w);
  for (const AccumulatorInterval &i : intervals)
    sum = std::max({sum, -(i.low + 1), i.high});
  int bits = most;
  while (bits >= 0 && (weight << bits > INT16_MAX || sum << bits > INT32_MAX))
    --bits;
  return bits;
}

WeightMatrix thimble::foldWeights(const Tensor &filter, const Tensor *bias,
                                  const RequantPerChannel &requant) {
  constexpr int64_t least = std::numeric_limits<int8_t>::min();
  constexpr int64_t largest = std::numeric_limits<int8_t>::max();
  WeightMatrix m;
  m.outputs = filter.shape().front();
  m.depth = filter.elements() / m.outputs;
  const int8_t *source = filter.as<int8_t>();
  m.weights.reserve(static_cast<size_t>(filter.elements()));
  for (int64_t o = 0; o < m.outputs; ++o) {
    int64_t sum = 0, low = 0, high = 0;
    for (int64_t k = 0; k < m.depth; ++k) {
      int64_t w = *source++ - requant.filterZeroPoint;
      m.weights.push_back(static_cast<int16_t>(w));
      sum += w;
      low += w * (w > 0 ? least : largest);
      high += w * (w > 0 ? largest : least);
    }
    int64_t start = (bias ? bias->as<int32_t>()[o] : 0) - sum * requant.inputZeroPoint;
    m.biases.push_back(start);
    m.intervals.push_back({start + low, start + high});
  }
  return m;
}
