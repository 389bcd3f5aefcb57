// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// RAM over time: each buffer a rectangle of the steps in which it lives and the bytes that it has.
#pragma once

#include "compiler/report/ReportFile.h"

#include "llvm/Support/raw_ostream.h"

namespace thimble::report {

/// Writes an SVG element for each region that has buffers.
void writeMemoryCharts(llvm::raw_ostream &os, const Report &report);

} // namespace thimble::report
