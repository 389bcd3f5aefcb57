// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// When the bytes of buffers matter.
#pragma once

#include "dialects/mcu/MCUOps.h"

#include <map>

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

  /// The part of `life` that is within the steps: none, with `last` before `first`, of an input's
  /// bytes that no step reads.
  Life withinSteps(const Life &life) const;
};
Lives livesOf(ProgramOp program);

/// The bytes that are live in each step.
std::vector<int64_t> liveBytes(const Lives &lives);

/// The first step in which most bytes are live; -1 if all inputs, before the first step, are more.
struct Peak {
  int64_t step = 0;
  int64_t bytes = 0;
  /// What they belong to, in the order of the classes.
  std::map<Lifetime, int64_t> byLifetime;
};
Peak peakOf(const Lives &lives);

} // namespace thimble::mcu
