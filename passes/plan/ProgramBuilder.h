// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// From operators with chosen kernels and chains to a program of buffers and streams.
#pragma once

#include "dialects/mcu/MCUOps.h"
#include "passes/plan/Layers.h"

namespace thimble {

/// Attribute of an argument: its type in the model, where the network takes it with another shape.
inline constexpr llvm::StringLiteral typeOfCallerAttr = "mcu.type_of_caller";

/// Builds the program `name` of what is chosen for `layers`, before their function, which stays as
/// it is.
mcu::ProgramOp buildProgram(Layers &layers, llvm::StringRef name);

} // namespace thimble
