// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/report/StepAxis.h"

#include <algorithm>

namespace thimble::report {

StepAxis::StepAxis(const Report &report)
    : report(report), firings(report.layers.size()), lastFiring(report.layers.size()) {
  for (size_t step = 0; step < report.steps.size(); ++step)
    if (const int64_t layer = report.steps[step]; layer >= 0) {
      ++firings[static_cast<size_t>(layer)];
      lastFiring[static_cast<size_t>(layer)] = static_cast<int64_t>(step);
    }
  place();
  divide();
}

bool StepAxis::runsOnce(int64_t step) const {
  if (report.steps.empty())
    return true;
  const int64_t layer = report.steps[static_cast<size_t>(step)];
  return layer >= 0 && firings[static_cast<size_t>(layer)] == 1;
}

void StepAxis::place() {
  int64_t whole = 0;
  for (int64_t step = 0; step < report.stepCount(); ++step)
    whole += runsOnce(step);
  const int64_t brief = report.stepCount() - whole;
  // A fortieth of all firings, but no more than these for all whole layers together.
  const int64_t width = whole == 0 ? 1 : std::max<int64_t>(1, std::min(brief / 40, brief / whole));
  begins.push_back(0);
  for (int64_t step = 0; step < report.stepCount(); ++step)
    begins.push_back(begins.back() + (runsOnce(step) ? width : 1));
}

/// A stretch ends where no layer has begun that is not done.
void StepAxis::divide() {
  int64_t doneAt = -1;
  for (int64_t step = 0; step < static_cast<int64_t>(report.steps.size()); ++step) {
    const int64_t layer = report.steps[static_cast<size_t>(step)];
    const bool continues =
        !parts.empty() && (parts.back().firstLayer < 0 || step <= doneAt || layer < 0);
    if (!continues)
      parts.push_back({step, step, -1, -1});
    Stretch &part = parts.back();
    part.lastStep = step;
    if (layer < 0)
      continue;
    part.firstLayer = part.firstLayer < 0 ? layer : std::min(part.firstLayer, layer);
    part.lastLayer = std::max(part.lastLayer, layer);
    doneAt = std::max(doneAt, lastFiring[static_cast<size_t>(layer)]);
  }
}

} // namespace thimble::report
