// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The boards' descriptions, embedded at build time.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace thimble {

/// The text of each targets/boards/NAME.json, ordered by name.
llvm::ArrayRef<llvm::StringLiteral> boardFiles();

} // namespace thimble
