// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dialects/nn/reference/Quantize.h"
#include "dialects/nn/reference/Tensor.h"

namespace thimble {

/// ADD_N on equal shapes: float32 and int32 (summed in operand order), int8 operands
/// that are quantized alike (add_n.cc).
void evaluateAddN(const std::vector<const Tensor *> &ins, Tensor &out);

/// Quantized ADD_N. The reference's accumulator starts at `start`, the scaled image of
/// a stored zero, not at 0 (reference/add_n.h).
struct AddNParams {
  static constexpr int32_t leftShift = 20;
  int32_t inputOffset = 0, outputOffset = 0;
  int32_t start = 0;
  QuantizedMultiplier input, output;
  ClampRange range;

  int32_t scale(int32_t x) const {
    return requantize(thimble_wrapping_shl(x + inputOffset, leftShift), input);
  }
  int32_t finish(int32_t sum) const {
    return range.clamp(thimble_wrapping_add(requantize(sum, output), outputOffset));
  }
};
AddNParams prepareAddN(const TensorType &in, const TensorType &out);

/// SELECT and SELECT_V2 on any element type: elements of `x` where `condition` (bool),
/// else of `y`; stored values are copied. Operands broadcast to `out`; with
/// `firstDimension` (SELECT with a condition of rank 1 on operands of higher rank) the
/// condition runs along the first dimension instead of the last.
void evaluateSelect(const Tensor &condition, const Tensor &x, const Tensor &y, bool firstDimension,
                    Tensor &out);

} // namespace thimble
