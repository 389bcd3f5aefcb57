// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "llvm/ADT/StringRef.h"

namespace thimble::report {

/// The page's style sheet, style.css.
llvm::StringRef styleSheet();

} // namespace thimble::report
