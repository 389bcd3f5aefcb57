// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// How often an inference reads and writes each buffer.
#pragma once

#include "dialects/mcu/MCUOps.h"

namespace thimble {

/// Estimated loads and stores of words of each root buffer in RAM during an inference of
/// `program`, before its kernels are lowered. An operator that multiplies and accumulates loads
/// its activations once for four products, the rest of what a firing touches is read or written
/// once; docs/Memory.md has the rules.
llvm::MapVector<mlir::Value, int64_t> accessesOf(mcu::ProgramOp program);

} // namespace thimble
