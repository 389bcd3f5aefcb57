// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Quantization arithmetic that TFLite Micro does while it prepares an operator:
// fixed-point multipliers, clamp ranges of fused activations, paddings. Kernels,
// lowerings and the importer all take the numbers from here.
#pragma once

#include "dialects/nn/reference/Tensor.h"
#include "runtime/thimble_fixed_point.h"

#include <algorithm>

namespace thimble {

/// How an accumulator is scaled to the output: in fixed point, rounded twice as
/// TFLite Micro does (doubling high multiplication, then shift), or by a double,
/// rounded once, half away from zero, as LiteRT's FULLY_CONNECTED does.
enum class Rounding : uint8_t { Double, Single };

/// The real number multiplier * 2^(shift - 31). A multiplier that is not zero
/// has 31 significant bits.
struct QuantizedMultiplier {
  int32_t multiplier = 0;
  int32_t shift = 0;

  bool operator==(const QuantizedMultiplier &o) const {
    return multiplier == o.multiplier && shift == o.shift;
  }
};

/// Fixed-point form of `real`, rounded half away from zero. Magnitudes below
/// 2^-32 become zero; shifts above 30 saturate to the largest number.
/// TFLite's `QuantizeMultiplier` (kernels/internal/quantization_util.cc).
QuantizedMultiplier quantizeMultiplier(double real);

/// acc * m as TFLite's `MultiplyByQuantizedMultiplier` for int32.
inline int32_t requantize(int32_t acc, QuantizedMultiplier m) {
  return thimble_requantize_double(acc, m.multiplier, m.shift);
}
/// The same for int64 accumulators, which use the multiplier rounded to 16 bits
/// and round once, up. |acc| < 2^47 and m.shift < 8.
inline int32_t requantize(int64_t acc, QuantizedMultiplier m) {
  return thimble_requantize_i64(acc, m.multiplier, m.shift);
}

/// acc * scale as the kernels do that LiteRT gives scales instead of multipliers;
/// what does not fit in 32 bits saturates.
int32_t requantizeReal(int64_t acc, double scale);

/// Activations that TFLite fuses into other operators.
enum class Activation : uint8_t { None, Relu, ReluN1To1, Relu6 };

/// Closed interval of stored integers.
struct ClampRange {
  int32_t low = 0;
  int32_t high = 0;

  int32_t clamp(int32_t x) const { return std::min(std::max(x, low), high); }
};

/// Closed interval of floats. NaN passes `clamp` unchanged.
struct FloatRange {
  float low = std::numeric_limits<float>::lowest();
  float high = std::numeric_limits<float>::max();

  float clamp(float x) const { return std::min(std::max(x, low), high); }
};

/// All values of a stored integer type of at most 32 bits.
ClampRange storageRange(ElementType type);

/// Where `activation` clamps the stored integers of a tensor of type `output`
/// (int8, uint8 or int16). TFLite's `CalculateActivationRangeQuantized`
/// (kernels/kernel_util.cc).
ClampRange quantizedActivationRange(Activation activation, const TensorType &output);

/// Where `activation` clamps floats. TFLite's `CalculateActivationRange`: without
/// an activation infinities still become the largest finite float.
FloatRange floatActivationRange(Activation activation);

enum class Padding : uint8_t { Same, Valid };

/// Rows and columns of zeros around a picture.
struct Pads {
  int top = 0, bottom = 0, left = 0, right = 0;
};

/// One axis of a sliding window: sizes in elements.
struct WindowAxis {
  int input = 0;
  int filter = 0;
  int stride = 1;
  int dilation = 1;

  /// Elements that the dilated filter spans.
  int span() const { return (filter - 1) * dilation + 1; }
  /// Window positions. TFLite's `ComputeOutSize` (kernels/padding.h).
  int outputSize(Padding padding) const;
  /// Zeros before and after the axis; an odd one goes after it. TFLite's
  /// `ComputePaddingWithOffset`.
  int padBefore(Padding padding) const;
  int padAfter(Padding padding) const;

private:
  int totalPadding(Padding padding) const;
};

/// Explicit paddings of a window over a picture.
Pads computePads(Padding padding, const WindowAxis &height, const WindowAxis &width);

} // namespace thimble
