// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/support/Quote.h"

#include <cstdint>
#include <cstdio>

namespace thimble {
namespace {

/// Length of the UTF-8 sequence at the start of `text` and its code point; length
/// 0 if it is not well formed (overlong, surrogate, too large or cut off).
size_t decode(std::string_view text, uint32_t &point) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  uint8_t first = byte(0);
  if (first < 0x80) {
    point = first;
    return 1;
  }
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return 0;
  point = first & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  bool surrogate = point >= 0xd800 && point < 0xe000;
  return point < least[length] || surrogate || point > 0x10ffff ? 0 : length;
}

/// Characters that do not show, break a line, or reorder the text around them.
bool isHidden(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xe0000 && c <= 0xe0fff) || (c & 0xfffe) == 0xfffe;
}

std::string escape(std::string_view name, size_t limit, bool withQuotes) {
  std::string result;
  size_t shown = 0;
  for (size_t i = 0; i < name.size(); ++shown) {
    if (shown == limit)
      return result + "...";
    uint32_t point = 0;
    size_t length = decode(name.substr(i), point);
    char escape[16];
    if (length == 0) {
      std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<uint8_t>(name[i]));
      result += escape;
      length = 1;
    } else if (point == '\\' || (withQuotes && point == '"')) {
      result += '\\';
      result += name[i];
    } else if (point == '\n') {
      result += "\\n";
    } else if (isHidden(point)) {
      std::snprintf(escape, sizeof escape, point < 0x100 ? "\\x%02x" : "\\u%04x",
                    static_cast<unsigned>(point));
      result += escape;
    } else {
      result += name.substr(i, length);
    }
    i += length;
  }
  return result;
}

} // namespace

std::string escapeName(std::string_view name, size_t limit) { return escape(name, limit, false); }

std::string quoteName(std::string_view name, size_t limit) {
  return '"' + escape(name, limit, true) + '"';
}

} // namespace thimble
