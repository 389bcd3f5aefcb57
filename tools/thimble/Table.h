// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace thimble::driver {

/// Prints rows of cells as columns. The first `leftAligned` columns begin at the left, the others,
/// numbers, end at the right.
void printTable(llvm::ArrayRef<std::vector<std::string>> rows, size_t leftAligned);

} // namespace thimble::driver
