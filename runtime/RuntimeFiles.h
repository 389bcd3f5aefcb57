// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// The runtime as data inside the compiler: the headers, which are written next to generated C, and
// the Cortex-M4 bitcode, which is linked into objects. The contents are embedded at build time.
#ifndef THIMBLE_RUNTIME_RUNTIMEFILES_H
#define THIMBLE_RUNTIME_RUNTIMEFILES_H

#include <cstddef>
#include <string_view>

namespace thimble {

struct RuntimeFile {
  const char *name; // without folder
  std::string_view contents;
};

/// A range over static storage.
struct RuntimeFileList {
  const RuntimeFile *first;
  size_t count;
  const RuntimeFile *begin() const { return first; }
  const RuntimeFile *end() const { return first + count; }
  size_t size() const { return count; }
};

/// The headers generated C includes, `thimble_runtime.h` among them.
RuntimeFileList runtimeHeaders();

/// LLVM bitcode of every runtime function, external linkage, thumbv7em. The functions name no
/// processor, features or float ABI: they take the target machine's. To be linked into a module,
/// internalized and stripped of what is unused. thimble_sqrtf is the integer algorithm here; where
/// there is an FPU llvm.sqrt gives the same bits.
std::string_view runtimeBitcode();

} // namespace thimble

#endif // THIMBLE_RUNTIME_RUNTIMEFILES_H
