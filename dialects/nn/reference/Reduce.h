// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reductions over any set of axes. Elements are accumulated in row-major order of the
// input, as the reference does: it decides how float sums round.
#pragma once

#include "dialects/nn/reference/Quantize.h"
#include "dialects/nn/reference/Tensor.h"

namespace thimble {

enum class ReduceOp : uint8_t { Mean, Sum, Max, Min, Prod, Any, All };

/// float32, int8, uint8, int16, int32, int64; Any and All: bool; Prod: not on
/// quantized tensors.
bool reduceSupports(ReduceOp op, ElementType type);

/// Reduces the axes (each in [0, rank), repetitions allowed) of `in`. The shape of
/// `out` may keep or drop them. The mean of plain integers truncates.
void evaluateReduce(ReduceOp op, const std::vector<int64_t> &axes, const Tensor &in, Tensor &out);

/// Elements that fall into one result.
int64_t reducedElements(const std::vector<int64_t> &shape, const std::vector<int64_t> &axes);

/// Quantized MEAN and SUM: out = clamp(zeroPoint + (sum - offset) * multiplier), sum
/// an int32 (reference/reduce.h QuantizedMeanOrSum). For MEAN the multiplier includes
/// the division by `count` elements: shifted left as far as it goes, then divided.
struct SumParams {
  QuantizedMultiplier multiplier;
  int32_t offset = 0;
  int32_t outputZeroPoint = 0;
  ClampRange range;

  int32_t apply(int32_t sum) const {
    return range.clamp(thimble_wrapping_add(
        requantize(thimble_wrapping_sub(sum, offset), multiplier), outputZeroPoint));
  }
};
/// `op`: Mean or Sum.
SumParams prepareSum(ReduceOp op, const TensorType &in, const TensorType &out, int64_t count);

/// ARG_MIN, ARG_MAX: `out` is int32 or int64 and lacks `axis`. Of equal elements the
/// first wins; NaN loses against everything (reference/arg_min_max.h).
void evaluateArgMin(const Tensor &in, int64_t axis, Tensor &out);
void evaluateArgMax(const Tensor &in, int64_t axis, Tensor &out);

} // namespace thimble
