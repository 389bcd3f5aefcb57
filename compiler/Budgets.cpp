// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Budgets.h"

#include "compiler/support/Quote.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace thimble;

static bool meetsRam(const Costs &costs, const CompileOptions &options) {
  return !options.ramBudget || costs.ramBytes() <= *options.ramBudget;
}
static bool meetsFlash(const Costs &costs, const CompileOptions &options) {
  return !options.flashBudget || costs.flashBytes() <= *options.flashBudget;
}

bool thimble::meetsBudgets(const Costs &costs, const CompileOptions &options) {
  return meetsRam(costs, options) && meetsFlash(costs, options);
}

std::vector<CompileOptions> thimble::attemptsFor(const CompileOptions &options) {
  std::vector<CompileOptions> attempts;
  auto add = [&](StringRef objective, double partOfRam) {
    CompileOptions &attempt = attempts.emplace_back(options);
    attempt.optimize = objective.str();
    attempt.planRam =
        static_cast<int64_t>(partOfRam * static_cast<double>(options.ramBudget.value_or(0)));
  };
  // Plans know the stack of kernels only, and what fixed offsets lose comes afterwards.
  auto addWithin = [&](StringRef objective) {
    add(objective, 0);
    if (options.ramBudget)
      for (double part : {1.0, 0.95, 0.9, 0.8})
        add(objective, part);
  };
  addWithin(options.optimize);
  if (options.flashBudget)
    for (const char *smaller : {"balanced", "flash"})
      if (options.optimize != smaller)
        addWithin(smaller);
  if (options.ramBudget && options.optimize != "ram")
    add("ram", 0);
  return attempts;
}

/// The layer for which `bytes` is greatest, as text.
static std::string largestLayer(const Costs &costs,
                                llvm::function_ref<int64_t(const LayerCost &)> bytes) {
  size_t largest = 0;
  for (size_t i = 1; i < costs.layers.size(); ++i)
    if (bytes(costs.layers[i]) > bytes(costs.layers[largest]))
      largest = i;
  if (costs.layers.empty())
    return "no layer";
  const emit::LayerCall &call = costs.program.calls[largest];
  return "layer " + quoteName(call.layer) + " (" + call.op + ") with " +
         std::to_string(bytes(costs.layers[largest])) + " bytes";
}

LogicalResult thimble::reportBudgets(Location location, ArrayRef<Costs> attempts,
                                     const CompileOptions &options) {
  auto smallest = [&](auto bytes) {
    return llvm::min_element(attempts,
                             [&](const Costs &a, const Costs &b) { return bytes(a) < bytes(b); });
  };
  const Costs *ram = smallest([](const Costs &c) { return c.ramBytes(); });
  const Costs *flash = smallest([](const Costs &c) { return c.flashBytes(); });
  if (!meetsRam(*ram, options))
    return emitError(location) << "--ram " << *options.ramBudget
                               << " is not met: " << ram->ramBytes() << " bytes are needed, arena "
                               << ram->program.arenaBytes << " and stack " << ram->stackBytes
                               << "; most are live during "
                               << largestLayer(*ram, [](auto &layer) { return layer.ramBytes; })
                               << ": allow --ram " << ram->ramBytes()
                               << ", or make that layer's tensors smaller by "
                               << ram->ramBytes() - *options.ramBudget << " bytes";
  if (!meetsFlash(*flash, options))
    return emitError(location) << "--flash " << *options.flashBudget
                               << " is not met: " << flash->flashBytes()
                               << " bytes are needed, code " << flash->codeBytes
                               << " and constants " << flash->constantBytes << "; most are of "
                               << largestLayer(*flash, [](auto &l) { return l.flashBytes(); })
                               << ": allow --flash " << flash->flashBytes()
                               << ", or make that layer's weights fewer by "
                               << flash->flashBytes() - *options.flashBudget << " bytes";
  // Each is met alone.
  const Costs *best = nullptr;
  for (const Costs &costs : attempts)
    if (meetsRam(costs, options) && (!best || costs.flashBytes() < best->flashBytes()))
      best = &costs;
  return emitError(location) << "--ram " << *options.ramBudget << " and --flash "
                             << *options.flashBudget
                             << " are met one at a time but not together; most flash is of "
                             << largestLayer(*best, [](auto &l) { return l.flashBytes(); })
                             << ": allow --flash " << best->flashBytes() << " or --ram "
                             << flash->ramBytes();
}
