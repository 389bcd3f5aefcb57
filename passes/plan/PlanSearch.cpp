// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/plan/PlanSearch.h"

#include "passes/plan/Placing.h"
#include "passes/plan/ProgramBuilder.h"

#include <cmath>

using namespace mlir;
using namespace thimble;

/// Enough to compare plans.
static constexpr int64_t nodeLimit = 20000;
/// Plans whose rings are tried both ways, which takes as long as many plans.
static constexpr size_t mostRefined = 4;

mcu::ProgramOp PlanSearch::build(StringRef name) {
  mcu::ProgramOp program = buildProgram(layers, name);
  placeWithLazyRings(program, nodeLimit);
  return program;
}

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
  auto isBetter = [&](const Attempt &a, const Attempt &b) { return value(a) < value(b); };
  llvm::stable_sort(attempts, isBetter);
  attempts.resize(std::min(attempts.size(), mostRefined));
  for (Attempt &attempt : attempts)
    refine(attempt);
  settle(*llvm::min_element(attempts, isBetter));
}

void PlanSearch::keepTo(int64_t ramBytes) {
  // What calls the kernels has a stack frame too.
  constexpr int64_t ownStack = 160;
  const int64_t limit = ramBytes - ownStack;
  tryBudgets(limit, {1.0, 0.97, 0.94, 0.9, 0.86, 0.82, 0.78, 0.72});
  llvm::stable_sort(attempts,
                    [](const Attempt &a, const Attempt &b) { return a.cycles < b.cycles; });
  size_t refined = 0;
  for (Attempt &attempt : attempts) {
    if (attempt.ramBytes > limit && attempt.boundBytes <= limit && refined++ < mostRefined)
      refine(attempt);
    if (attempt.ramBytes <= limit)
      return settle(attempt);
  }
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
  const Placement placement = placeBuffersOf(program, nodeLimit);
  const int64_t stack = layers.stackBytes();
  attempts.push_back({budget, price, placement.peak + stack, placement.lowerBound + stack,
                      layers.cycles(), std::move(choices)});
  program.erase();
}

void PlanSearch::refine(Attempt &attempt) {
  settle(attempt);
  mcu::ProgramOp program = buildProgram(layers, "attempt");
  attempt.ramBytes = placeWithLazyRings(program, nodeLimit).peak + layers.stackBytes();
  program.erase();
}

bool PlanSearch::choose(int64_t budget, double price) {
  if (budget > 0)
    return layers.choose(objective, budget, price);
  layers.choose(objective);
  return true;
}
