// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What the developer tools know: every dialect that Thimble makes or uses, every pass, and each
// phase as a pipeline of its name.
#pragma once

#include "compiler/Phases.h"

#include "mlir/IR/DialectRegistry.h"

namespace thimble {

/// Adds the dialects of all phases, and what registers their bytes with MLIR's tools.
void registerDialects(mlir::DialectRegistry &registry);
/// Registers the passes, MLIR's that phases use, and a pipeline "phase-NAME" for each phase, which
/// has the options of a compilation for the Cortex-M4.
void registerPassesAndPhases();

} // namespace thimble
