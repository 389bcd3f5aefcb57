// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace thimble {

/// `name` fit for a line of a terminal or, once that has been escaped by its own rules, of a page:
/// backslashes, control characters, bytes that are not UTF-8 and the Unicode characters that break
/// lines or change the direction of text are escaped (\n, \x1b, \u202e). What is longer than
/// `limit` characters is cut and ends in `...`. For any input the result is valid UTF-8.
std::string escapeName(std::string_view name, size_t limit = 64);

/// `escapeName` in double quotes, those within escaped: fit for a message. Not for C, HTML or JSON.
std::string quoteName(std::string_view name, size_t limit = 64);

} // namespace thimble
