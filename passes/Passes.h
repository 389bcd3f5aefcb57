// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The passes.
#pragma once

#include "mlir/Pass/Pass.h"

#include <string>

namespace thimble {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

} // namespace thimble
