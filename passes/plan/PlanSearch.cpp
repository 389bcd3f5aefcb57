// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/plan/PlanSearch.h"

#include "passes/plan/Placing.h"
#include "passes/plan/ProgramBuilder.h"

#include <cmath>

using namespace mlir;
using namespace thimble;

void PlanSearch::optimize() {
  if (objective == Objective::Ram)
    minimizeRam();
  else if (!layers.isInputByRows())
    layers.choose(objective);
  else if (!layers.chooseByRows(objective))
    // Nothing takes rows as they come, or not within that much RAM.
    layers.search().takesRows() ? minimizeRam() : layers.choose(objective);
}

/// Little RAM that does not take much longer than the fastest plan.
void PlanSearch::minimizeRam() {
  constexpr double mostSlowdown = 1.6;
  const auto mostCycles =
      static_cast<int64_t>(mostSlowdown * static_cast<double>(layers.search().leastCycles()));
  const int64_t least = layers.search().leastRam(mostCycles);
  // What fixed offsets lose differs from plan to plan.
  tryBudgets(least, {1.0, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.08, 1.1, 1.12, 1.14, 1.17, 1.2,
                     1.25, 1.3, 1.4});
  // A part of RAM is worth three times that part of time.
  auto value = [](const Attempt &attempt) {
    return 3 * std::log(static_cast<double>(attempt.ramBytes)) +
           std::log(static_cast<double>(attempt.cycles));
  };
  settle(*llvm::min_element(
      attempts, [&](const Attempt &a, const Attempt &b) { return value(a) < value(b); }));
}

void PlanSearch::keepTo(int64_t ramBytes) {
  // What calls the kernels has a stack frame too.
  constexpr int64_t ownStack = 160;
  tryBudgets(ramBytes - ownStack, {1.0, 0.97, 0.94, 0.9, 0.86, 0.82, 0.78, 0.72});
  if (const Attempt *best = fastestWithin(ramBytes - ownStack))
    settle(*best);
  else
    minimizeRam();
}

void PlanSearch::tryBudgets(int64_t bytes, ArrayRef<double> factors) {
  if (!layers.search().takesRows())
    tryBudget(0, 0); // results in place of operands may need less than rows
  for (double price : {1.0 / 1000, 1.0 / 100})
    for (double factor : factors)
      tryBudget(static_cast<int64_t>(factor * static_cast<double>(bytes)), price);
}

void PlanSearch::tryBudget(int64_t budget, double price) {
  if (!choose(budget, price))
    return;
  std::vector<std::pair<int64_t, size_t>> choices;
  for (const Layer &layer : layers.all())
    choices.push_back({layer.height, layer.chosen});
  if (llvm::any_of(attempts, [&](const Attempt &other) { return other.choices == choices; }))
    return;
  mcu::ProgramOp program = buildProgram(layers, "attempt");
  std::vector<PlacementBuffer> buffers;
  for (auto &[root, buffer] : placementBuffersOf(program))
    buffers.push_back(buffer);
  PlacementOptions options;
  options.nodeLimit = 20000;
  attempts.push_back({budget, price, placeBuffers(buffers, options).peak + layers.stackBytes(),
                      layers.cycles(), std::move(choices)});
  program.erase();
}

const PlanSearch::Attempt *PlanSearch::fastestWithin(int64_t ramBytes) const {
  const Attempt *best = nullptr;
  for (const Attempt &attempt : attempts)
    if (attempt.ramBytes <= ramBytes && (!best || attempt.cycles < best->cycles))
      best = &attempt;
  return best;
}

bool PlanSearch::choose(int64_t budget, double price) {
  if (budget > 0)
    return layers.choose(objective, budget, price);
  layers.choose(objective);
  return true;
}
