// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace thimble::driver {

/// Bytes of flash.
struct FlashUse {
  int64_t code = 0, constants = 0;
};

/// What the files for which `counts` holds have in flash, by a map that GNU ld wrote. A member of
/// an archive is called "libm.a(expf.o)".
FlashUse readLinkMap(llvm::StringRef map, llvm::function_ref<bool(llvm::StringRef file)> counts);

} // namespace thimble::driver
