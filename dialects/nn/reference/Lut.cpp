// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/reference/Lut.h"

#include <algorithm>
#include <cmath>

namespace thimble {

std::vector<int16_t> int16Table(LutScale input, LutScale output,
                                const std::function<float(float)> &function) {
  constexpr int steps = 512;
  // Every operation is rounded to float, in the order that TFLite has.
  float lowest = input.scale * static_cast<float>(-32768 - input.zeroPoint);
  float highest = input.scale * static_cast<float>(32767 - input.zeroPoint);
  float outputLowest = output.scale * static_cast<float>(-32768 - output.zeroPoint);
  float outputHighest = output.scale * static_cast<float>(32767 - output.zeroPoint);
  float step = (highest - lowest) / steps;
  float halfStep = step / 2;
  float inverseScale = 65536.0f / (outputHighest - outputLowest);
  auto stored = [](float x) {
    return static_cast<int16_t>(std::min(std::max(x, -32768.0f), 32767.0f));
  };

  std::vector<int16_t> table(steps + 1);
  for (int i = 0; i < steps; ++i) {
    float x = lowest + static_cast<float>(i) * step;
    float next = function(lowest + static_cast<float>(i + 1) * step) * inverseScale;
    float sample = std::round(function(x) * inverseScale);
    float middle = std::round(function(x + halfStep) * inverseScale);
    float interpolated = std::round((next + sample) / 2);
    table[i] = stored(sample - std::round((interpolated - middle) / 2));
  }
  table[steps] = stored(std::round(function(highest) * inverseScale));
  return table;
}

} // namespace thimble
