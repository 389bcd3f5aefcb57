// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Tables that stand for a function of an int16 tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace thimble {

/// Affine quantization of one side of a table.
struct LutScale {
  float scale = 1.0f;
  int32_t zeroPoint = 0;
};

/// 513 samples of `function` at every 128th int16, for interpolation by
/// thimble_lut_i16. Each sample is moved by half of the error that interpolation
/// makes midway to the next one. TFLite's `LUTPopulateInt16<float>`
/// (kernels/internal/common.h).
std::vector<int16_t> int16Table(LutScale input, LutScale output,
                                const std::function<float(float)> &function);

} // namespace thimble
