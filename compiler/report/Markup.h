// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Texts within HTML and SVG.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <string>

namespace thimble::report {

/// Any bytes as the text of an element or of an attribute in double quotes, in HTML and in XML.
/// What is longer than `limit` characters is cut.
std::string markup(llvm::StringRef untrusted, size_t limit = 64);

/// As `markup`, with a word where there is no name.
std::string markupName(llvm::StringRef untrusted, size_t limit = 64);

} // namespace thimble::report
