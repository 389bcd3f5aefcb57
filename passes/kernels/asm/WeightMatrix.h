// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The weights of outputs that are sums over one row of inputs, as kernels pack them.
#pragma once

#include "passes/kernels/asm/OutputScaling.h"

namespace thimble {

/// S[o] = biases[o] + sum over k of at(o, k) * x[k], for inputs as they are stored: both zero
/// points are folded in.
struct WeightMatrix {
  int64_t outputs = 0, depth = 0;
  std::vector<int16_t> weights; // by output
  std::vector<int64_t> biases;
  /// Of S, for any int8 inputs.
  std::vector<AccumulatorInterval> intervals;

  int16_t at(int64_t output, int64_t k) const {
    return weights[static_cast<size_t>(output * depth + k)];
  }
  /// Two weights share 16 bits as 256 * odd + even: neither is below -127, so no lane overflows.
  bool fitsByteMix() const;
  /// The most bits up to `most` by which all weights fit 16 bits and all S a word when scaled;
  /// negative if there are none.
  int scaleBits(int most) const;
};

/// The weights of a filter outputs x depth of int8; `bias` may be null.
WeightMatrix foldWeights(const Tensor &filter, const Tensor *bias,
                         const RequantPerChannel &requant);

} // namespace thimble
