// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The buffers of a program as a problem of placement.
#pragma once

#include "dialects/mcu/MCUOps.h"
#include "passes/analysis/Placement.h"

namespace thimble {

/// The root buffers in RAM of `program`, and what is to be placed for each.
llvm::MapVector<mlir::Value, PlacementBuffer> placementBuffersOf(mcu::ProgramOp program);

} // namespace thimble
