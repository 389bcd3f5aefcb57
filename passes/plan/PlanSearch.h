// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The choice of a plan: what is estimated is tried, placed and compared.
#pragma once

#include "dialects/mcu/MCUOps.h"
#include "passes/plan/Layers.h"

namespace thimble {

/// Chooses for layers until their program keeps to a goal.
class PlanSearch {
public:
  PlanSearch(Layers &layers, Objective objective) : layers(layers), objective(objective) {}

  /// What the objective prefers, without a budget.
  void optimize();
  /// The fastest that fits `ramBytes` of arena and stack; the smallest if none does.
  void keepTo(int64_t ramBytes);
  /// The program of what is chosen, see `buildProgram`.
  mcu::ProgramOp build(llvm::StringRef name);

private:
  struct Attempt {
    int64_t budget; // 0: whole tensors
    double price;
    int64_t ramBytes, boundBytes, cycles;            // the bound is that of any placement
    std::vector<std::pair<int64_t, size_t>> choices; // heights and kernels
  };

  void minimizeRam();
  void tryBudgets(int64_t bytes, llvm::ArrayRef<double> factors);
  void tryBudget(int64_t budget, double price);
  /// Counts its RAM with rings that are lazy where that helps.
  void refine(Attempt &attempt);
  bool choose(int64_t budget, double price);
  void settle(const Attempt &best) { choose(best.budget, best.price); }

  Layers &layers;
  Objective objective;
  std::vector<Attempt> attempts;
};

} // namespace thimble
