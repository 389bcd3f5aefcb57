// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The axis of time: steps, and which layers run where.
#pragma once

#include "compiler/report/ReportFile.h"

namespace thimble::report {

/// Steps in a row that are labelled together: one layer that runs whole, or layers that take turns.
struct Stretch {
  int64_t firstStep, lastStep;
  int64_t firstLayer, lastLayer; // -1 if none runs
};

/// Positions of steps. The firings of streams are many and short: a step that is the only one of
/// its layer is as wide as several of them, so that it can be seen.
class StepAxis {
public:
  explicit StepAxis(const Report &report);

  /// Where a step begins.
  int64_t at(int64_t step) const { return begins[static_cast<size_t>(step)]; }
  int64_t width() const { return begins.back(); }
  llvm::ArrayRef<Stretch> stretches() const { return parts; }

private:
  bool runsOnce(int64_t step) const;
  void place();
  void divide();

  const Report &report;
  std::vector<int64_t> firings, lastFiring; // by layer
  std::vector<int64_t> begins;              // by step, and the end
  std::vector<Stretch> parts;
};

} // namespace thimble::report
