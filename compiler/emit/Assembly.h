// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Kernels of instructions as assembly text, for GNU and LLVM assemblers alike.
#pragma once

#include "dialects/m4/M4Ops.h"

#include <string>
#include <vector>

namespace thimble::emit {

/// The body of `kernel`, whose registers must be allocated: one instruction, label or directive a
/// string, with entry and exit. Labels are local numbers, so any number of copies can be in a file.
std::vector<std::string> assemblyOf(m4::KernelOp kernel);

/// Whether it needs the FPU's registers.
bool usesFpu(m4::KernelOp kernel);

} // namespace thimble::emit
