// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The buffers of a program as a problem of placement.
#pragma once

#include "dialects/mcu/MCUOps.h"
#include "passes/analysis/Placement.h"

namespace thimble {

/// The root buffers in RAM of `program`, and what is to be placed for each.
llvm::MapVector<mlir::Value, PlacementBuffer> placementBuffersOf(mcu::ProgramOp program);

/// Places the buffers of `program`, see `PlacementOptions` for the limit.
Placement placeBuffersOf(mcu::ProgramOp program, int64_t nodeLimit);

/// Makes rings of `program` lazy where its buffers then fit less RAM: first fit of one ring after
/// another. What is free of two rings for a while can be the same bytes, behind the rows of one and
/// in front of those of the other. The placement of the result.
Placement placeWithLazyRings(mcu::ProgramOp program, int64_t nodeLimit);

} // namespace thimble
