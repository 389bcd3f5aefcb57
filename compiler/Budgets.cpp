// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Budgets.h"

#include "compiler/support/Quote.h"
#include "targets/Target.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace thimble;

/// What a region must hold: the stack is in the first.
static int64_t neededBytes(const Costs &costs, size_t region) {
  return costs.program.regions[region].bytes + (region == 0 ? costs.stackBytes : 0);
}
/// The first region that cannot hold what it must.
static std::optional<size_t> fullRegion(const Costs &costs) {
  for (auto [i, region] : llvm::enumerate(costs.program.regions))
    if (region.capacity && neededBytes(costs, i) > *region.capacity)
      return i;
  return std::nullopt;
}

static bool meetsRam(const Costs &costs, const CompileOptions &options) {
  return !options.ramBudget || costs.ramBytes() <= *options.ramBudget;
}
static bool meetsFlash(const Costs &costs, const CompileOptions &options) {
  return !options.flashBudget || costs.flashBytes() <= *options.flashBudget;
}

bool thimble::meetsBudgets(const Costs &costs, const CompileOptions &options) {
  return meetsRam(costs, options) && meetsFlash(costs, options) && !fullRegion(costs);
}

bool thimble::lacksStack(const Costs &costs, const CompileOptions &options) {
  return fullRegion(costs) == size_t(0) && costs.stackBytes > options.planStack;
}

/// The most RAM that a plan may take, if that is limited: by --ram or by what there is.
static std::optional<int64_t> ramLimit(const CompileOptions &options) {
  const std::vector<std::string> regions = ramRegions(options);
  if (regions.empty())
    return options.ramBudget;
  int64_t bytes = 0;
  for (const std::string &region : regions)
    if (std::optional<MemoryRegion> parsed = MemoryRegion::parse(region))
      bytes += static_cast<int64_t>(parsed->availableBytes());
  return std::min(bytes, options.ramBudget.value_or(bytes));
}

std::vector<CompileOptions> thimble::attemptsFor(const CompileOptions &options) {
  std::vector<CompileOptions> attempts;
  const std::optional<int64_t> limit = ramLimit(options);
  auto add = [&](StringRef objective, double partOfRam) {
    CompileOptions &attempt = attempts.emplace_back(options);
    attempt.optimize = objective.str();
    attempt.planRam = static_cast<int64_t>(partOfRam * static_cast<double>(limit.value_or(0)));
  };
  // Plans know the stack of kernels only, and what fixed offsets lose comes afterwards.
  auto addWithin = [&](StringRef objective) {
    add(objective, 0);
    if (limit)
      for (double part : {1.0, 0.95, 0.9, 0.8})
        add(objective, part);
  };
  addWithin(options.optimize);
  if (options.flashBudget)
    for (const char *smaller : {"balanced", "flash"})
      if (options.optimize != smaller)
        addWithin(smaller);
  if (limit && options.optimize != "ram")
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

/// The error for a region that cannot hold what the plan with the least RAM needs.
static LogicalResult reportRegion(Location location, const Costs &costs, size_t full,
                                  const CompileOptions &options) {
  const emit::RegionInfo &region = costs.program.regions[full];
  const int64_t needed = neededBytes(costs, full);
  InFlightDiagnostic error = emitError(location)
                             << "the plan does not fit the RAM of '" << options.target
                             << "': region " << region.name << " has " << *region.capacity
                             << " bytes, " << needed << " are needed";
  if (full == 0)
    error << ", arena " << region.bytes << " and stack " << costs.stackBytes;
  return error << "; most are live during "
               << largestLayer(costs, [](auto &layer) { return layer.ramBytes; })
               << ": take a board with more RAM, or make that layer's tensors smaller by "
               << needed - *region.capacity << " bytes";
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
  if (std::optional<size_t> full = fullRegion(*ram))
    return reportRegion(location, *ram, *full, options);
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
