// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCULiveness.h"
#include "passes/Passes.h"
#include "passes/analysis/Regions.h"
#include "passes/plan/Accesses.h"
#include "passes/plan/Placing.h"
#include "targets/Target.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

namespace thimble {
#define GEN_PASS_DEF_PLACEBUFFERS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace {

// Words are loaded from any buffer.
constexpr int64_t wordAlignment = 4;

PlacementBuffer bufferOf(Value root, ArrayRef<mcu::Life> lives) {
  const auto bytes = static_cast<int64_t>(
      llvm::alignTo(cast<mcu::BufferType>(root.getType()).getBytes(), wordAlignment));
  // A part of a word is of no use to another buffer.
  if (lives.size() == 1)
    return {lives.front().first, lives.front().last, bytes, wordAlignment};
  std::vector<LiveSpan> spans;
  for (const mcu::Life &life : lives)
    spans.push_back({life.first, life.last, life.begin, life.end});
  return PlacementBuffer::of(std::move(spans), wordAlignment);
}

} // namespace

llvm::MapVector<Value, PlacementBuffer> thimble::placementBuffersOf(mcu::ProgramOp program) {
  llvm::MapVector<Value, PlacementBuffer> buffers;
  for (auto &[root, lives] : mcu::livesOf(program).buffers)
    buffers[root] = bufferOf(root, lives);
  // 64-bit elements want more than the alignment of words.
  program.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<mcu::BufferType>(operand.getType()))
        if (auto entry = buffers.find(mcu::resolve(operand).root); entry != buffers.end())
          entry->second.alignment = std::max<int64_t>(
              entry->second.alignment, type.getElementType().getIntOrFloatBitWidth() / 8);
  });
  return buffers;
}

Placement thimble::placeBuffersOf(mcu::ProgramOp program, int64_t nodeLimit) {
  std::vector<PlacementBuffer> buffers;
  for (auto &[root, buffer] : placementBuffersOf(program))
    buffers.push_back(buffer);
  PlacementOptions options;
  options.nodeLimit = nodeLimit;
  return placeBuffers(buffers, options);
}

namespace {

struct PlaceBuffersPass : thimble::impl::PlaceBuffersBase<PlaceBuffersPass> {
  using PlaceBuffersBase::PlaceBuffersBase;

  void runOnOperation() override {
    std::vector<MemoryRegion> ram;
    for (const std::string &text : regions)
      if (std::optional<MemoryRegion> region = MemoryRegion::parse(text)) {
        ram.push_back(std::move(*region));
      } else {
        getOperation().emitError() << "region must be NAME:BYTES:WAITS, got '" << text << "'";
        return signalPassFailure();
      }
    getOperation().walk([&](mcu::ProgramOp program) { place(program, ram); });
  }

  void place(mcu::ProgramOp program, ArrayRef<MemoryRegion> ram) {
    llvm::MapVector<Value, PlacementBuffer> ranges = placementBuffersOf(program);
    llvm::MapVector<Value, int64_t> accesses = accessesOf(program);
    std::vector<PlacementBuffer> buffers;
    std::vector<int64_t> counts;
    for (auto &[root, range] : ranges) {
      buffers.push_back(range);
      counts.push_back(accesses.lookup(root));
    }
    PlacementOptions options;
    options.nodeLimit = 200000;
    const RegionPlacement placement =
        placeInRegions(buffers, counts, limitsOf(ram), mcu::regionAddressBytes, options);

    OpBuilder builder(program);
    auto set = [&](auto op, size_t region, int64_t offset) {
      op.setRegionAttr(builder.getI64IntegerAttr(static_cast<int64_t>(region)));
      op.setOffsetAttr(builder.getI64IntegerAttr(offset));
    };
    for (auto [entry, region, offset] : llvm::zip(ranges, placement.regions, placement.offsets)) {
      if (auto input = entry.first.getDefiningOp<mcu::InputOp>())
        set(input, region, offset);
      else
        set(cast<mcu::BufferOp>(entry.first.getDefiningOp()), region, offset);
    }
    program.setArenaBytes(placement.uses.front().bytes);
    program.setLowerBound(placement.uses.front().lowerBound);
    if (!ram.empty())
      program.setRamAttr(describe(ram, placement));
    report(program, placement);
    if (placement.uses.size() > 1)
      reportRegions(program, placement, counts, ram);
    reportPeak(program);
  }

  /// One region without a limit where the target has none. The stack is in the first.
  std::vector<RegionLimit> limitsOf(ArrayRef<MemoryRegion> ram) const {
    std::vector<RegionLimit> limits;
    for (const MemoryRegion &region : ram)
      limits.push_back({static_cast<int64_t>(region.availableBytes()), region.waitStates});
    if (limits.empty())
      limits.emplace_back();
    limits.front().bytes = std::max<int64_t>(limits.front().bytes - stack, 0);
    return limits;
  }

  ArrayAttr describe(ArrayRef<MemoryRegion> ram, const RegionPlacement &placement) {
    SmallVector<Attribute> described;
    for (auto [region, use] : llvm::zip(ram, placement.uses))
      described.push_back(mcu::RegionAttr::get(&getContext(), region.name,
                                               static_cast<int64_t>(region.availableBytes()),
                                               use.bytes, use.lowerBound));
    return ArrayAttr::get(&getContext(), described);
  }

  static void report(mcu::ProgramOp program, const RegionPlacement &placement) {
    const RegionPlacement::Use &arena = placement.uses.front();
    auto remark =
        remark::passed(program.getLoc(), remark::RemarkOpts::name("Placement").category("memory"));
    if (arena.bytes == arena.lowerBound)
      remark << remark::reason("arena of {0} bytes, the least for this order", arena.bytes);
    else
      remark << remark::reason("arena of {0} bytes, {1} more than the proven bound of {2}",
                               arena.bytes, arena.bytes - arena.lowerBound, arena.lowerBound);
  }

  /// What is where, and what that is worth.
  static void reportRegions(mcu::ProgramOp program, const RegionPlacement &placement,
                            ArrayRef<int64_t> accesses, ArrayRef<MemoryRegion> ram) {
    const remark::RemarkOpts options = remark::RemarkOpts::name("Regions").category("memory");
    int64_t all = 0;
    for (auto [i, use] : llvm::enumerate(placement.uses)) {
      int64_t buffers = 0, words = 0;
      for (auto [region, count] : llvm::zip(placement.regions, accesses))
        if (region == i) {
          ++buffers;
          words += count;
        }
      all += words;
      remark::passed(program.getLoc(), options) << remark::reason(
          "region {0} has {1} buffers in {2} of {3} bytes, with about {4} "
          "accesses of {5} wait states",
          ram[i].name, buffers, use.bytes, ram[i].availableBytes(), words, ram[i].waitStates);
    }
    const size_t slowest = placement.uses.size() - 1;
    remark::passed(program.getLoc(), options) << remark::reason(
        "about {0} cycles of waiting for RAM, {1} fewer than with all buffers in {2}",
        placement.waitCycles, all * ram[slowest].waitStates - placement.waitCycles,
        ram[slowest].name);
  }

  static void reportPeak(mcu::ProgramOp program) {
    const mcu::Peak peak = mcu::peakOf(mcu::livesOf(program));
    std::string parts;
    for (auto [lifetime, bytes] : peak.byLifetime)
      parts += (parts.empty() ? "" : ", ") + std::to_string(bytes) + " " +
               mcu::stringifyLifetime(lifetime).str();
    std::string wholes;
    if (std::optional<uint64_t> bound = program.getOperatorBound())
      wholes = llvm::formatv("; one operator at a time needs at least {0}", *bound);
    int64_t bytes = 0;
    for (size_t region = 0; region < program.getNumRamRegions(); ++region)
      bytes += program.getRamBytes(region);
    remark::analysis(program.getLoc(), remark::RemarkOpts::name("Peak").category("memory"))
        << remark::reason("at most {0} bytes live, {1}: {2}; the arena has {3} more{4}", peak.bytes,
                          peak.step < 0 ? "before the first step"
                                        : "in step " + std::to_string(peak.step),
                          parts, bytes - peak.bytes, wholes);
  }
};

} // namespace
