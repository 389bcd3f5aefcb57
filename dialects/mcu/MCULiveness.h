// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// When the bytes of buffers matter.
#pragma once

#include "dialects/mcu/MCUOps.h"

namespace thimble::mcu {

/// Bytes [begin, end) of a buffer matter in steps [first, last]. Steps count from 0: one for each
/// kernel or call that runs by itself, one for each firing of a stream. What an input holds matters
/// from before the first step
/// (-1), an output's bytes until after the last (`Lives::steps`), those of a state always.
struct Life {
  int64_t first, last;
  int64_t begin, end;
};

struct Lives {
  /// Of each root buffer in RAM: ordered by `first`, no byte twice in a step. A tensor that a
  /// stream walks through has a life for each row that comes or goes by itself.
  llvm::MapVector<mlir::Value, llvm::SmallVector<Life, 1>> buffers;
  /// The steps of each kernel or call.
  llvm::MapVector<mlir::Operation *, llvm::SmallVector<int64_t, 1>> stages;
  int64_t steps = 0;
};
Lives livesOf(ProgramOp program);

} // namespace thimble::mcu
