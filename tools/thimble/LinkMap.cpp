// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/LinkMap.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"

using namespace thimble;
using llvm::StringRef;

/// The next word of `line`, which loses it.
static StringRef takeWord(StringRef &line) {
  auto [word, rest] = line.ltrim().split(' ');
  line = rest;
  return word;
}

driver::FlashUse driver::readLinkMap(StringRef map, llvm::function_ref<bool(StringRef)> counts) {
  FlashUse use;
  // Sections that were left out are listed before.
  StringRef rest = map.split("Linker script and memory map").second, section;
  while (!rest.empty()) {
    StringRef line;
    std::tie(line, rest) = rest.split('\n');
    // " .text.name  ADDRESS SIZE FILE"; a long name has a line of its own.
    bool named = line.starts_with(" .");
    if (named)
      section = takeWord(line);
    if (!named && !line.starts_with("     "))
      section = "";
    uint64_t address = 0, size = 0;
    if (section.empty() || takeWord(line).getAsInteger(0, address) ||
        takeWord(line).getAsInteger(0, size))
      continue;
    if (counts(llvm::sys::path::filename(line.trim()))) {
      if (section.starts_with(".text") || section.starts_with(".ARM.ex"))
        use.code += static_cast<int64_t>(size);
      else if (section.starts_with(".rodata") || section.starts_with(".data"))
        use.constants += static_cast<int64_t>(size);
    }
    section = "";
  }
  return use;
}
