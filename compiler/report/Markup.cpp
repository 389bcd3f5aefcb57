// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/report/Markup.h"

#include "compiler/support/Quote.h"

namespace thimble::report {

std::string markup(llvm::StringRef untrusted, size_t limit) {
  std::string result;
  for (char c : escapeName(std::string_view(untrusted.data(), untrusted.size()), limit))
    switch (c) {
    case '&':
      result += "&amp;";
      break;
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '"':
      result += "&quot;";
      break;
    case '\'':
      result += "&#39;";
      break;
    default:
      result += c;
    }
  return result;
}

std::string markupName(llvm::StringRef untrusted, size_t limit) {
  return untrusted.empty() ? "(no name)" : markup(untrusted, limit);
}

} // namespace thimble::report
