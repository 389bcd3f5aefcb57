// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// When the bytes of buffers matter.
#pragma once

#include "dialects/mcu/MCUOps.h"

namespace thimble::mcu {

/// Steps count from 0: one for each kernel or call that runs by itself, one for each firing of a stream.
struct Life {
  int64_t first, last; // inclusive
};

struct Lives {
  /// Of each root buffer in RAM. Inputs are live from before the first step (-1), outputs until after the last
  /// (`steps`), state from the one to the other.
  llvm::MapVector<mlir::Value, Life> buffers;
  /// The steps of each kernel or call.
  llvm::MapVector<mlir::Operation *, llvm::SmallVector<int64_t, 1>> stages;
  int64_t steps = 0;
};
Lives livesOf(ProgramOp program);

} // namespace thimble::mcu
