// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// NAME.report.html: what NAME.report.json says, as a page that stands alone.
#pragma once

#include "compiler/support/Result.h"

#include "llvm/ADT/StringRef.h"

#include <string>

namespace thimble {

/// The page of the report whose JSON text is given. The same text gives the same bytes. The page
/// loads nothing, runs no script, and shows names of any bytes as text.
Result<std::string> htmlReport(llvm::StringRef json);

} // namespace thimble
