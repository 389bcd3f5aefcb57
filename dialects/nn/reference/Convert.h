// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// CAST, QUANTIZE and DEQUANTIZE: between element types and between quantizations.
#pragma once

#include "dialects/nn/reference/Quantize.h"
#include "dialects/nn/reference/Tensor.h"

namespace thimble {

/// Between any two element types. Floats truncate towards zero and saturate, NaN
/// becomes 0 (undefined in the reference's cast.cc); integers wrap; anything but 0 is
/// true.
void evaluateCast(const Tensor &in, Tensor &out);

/// QUANTIZE: float32 to any integer, or one quantized integer type (int8, uint8,
/// int16, int32) to another. Chosen by the input's type.
void evaluateQuantize(const Tensor &in, Tensor &out);

/// DEQUANTIZE: int8, uint8, int16 or int32, per tensor or per channel, to float32.
void evaluateDequantize(const Tensor &in, Tensor &out);

/// round(x / scale) + zeroPoint, clamped to `range`; ties away from zero, infinities
/// saturate and NaN gives the lowest value (reference/quantize.h AffineQuantize).
int32_t quantizeFloat(float x, float scale, int32_t zeroPoint, ClampRange range);

/// scale * (x - zeroPoint) rounded to float once (reference/dequantize.h, which
/// multiplies doubles: for integers of up to 24 bits one float multiplication is the
/// same number).
float dequantizeInteger(int32_t x, float scale, int32_t zeroPoint);

/// Integer to integer (quantize_common.cc, reference/requantize.h).
struct RequantizeParams {
  QuantizedMultiplier multiplier;
  int32_t inputZeroPoint = 0, outputZeroPoint = 0;
  ClampRange range;

  int32_t apply(int32_t x) const {
    return range.clamp(thimble_wrapping_add(
        requantize(thimble_wrapping_sub(x, inputZeroPoint), multiplier), outputZeroPoint));
  }
};
RequantizeParams prepareRequantize(const TensorType &in, const TensorType &out);

} // namespace thimble
