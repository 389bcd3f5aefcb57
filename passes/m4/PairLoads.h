// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Putting loads behind one another.
#pragma once

#include "dialects/m4/M4Ops.h"

namespace thimble::m4 {

/// Moves each load up to the last one before it, where a core register is free all the way.
void pairLoads(KernelOp kernel);

} // namespace thimble::m4
