// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace thimble {

/// Whose arithmetic an operator follows where TFLite Micro's reference kernels and
/// LiteRT's differ. Types that TFLite Micro lacks (uint8) always follow LiteRT.
enum class Rule : uint8_t { Micro, Litert };

} // namespace thimble
