// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace thimble {

/// `name` in double quotes, fit for a message on a terminal: control characters,
/// quotes, backslashes, bytes that are not UTF-8 and the Unicode characters that break
/// lines or change the direction of text are escaped (\n, \x1b, \u202e). What is longer
/// than `limit` characters is cut and ends in `...`. For any input the result is valid
/// UTF-8 on one line. Not for C, HTML or JSON: those escape by their own rules.
std::string quoteName(std::string_view name, size_t limit = 64);

} // namespace thimble
