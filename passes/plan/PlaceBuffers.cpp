// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCULiveness.h"
#include "passes/Passes.h"
#include "passes/plan/Placing.h"

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
  void runOnOperation() override {
    getOperation().walk([&](mcu::ProgramOp program) { place(program); });
  }

  void place(mcu::ProgramOp program) {
    llvm::MapVector<Value, PlacementBuffer> ranges = placementBuffersOf(program);
    constexpr int64_t nodeLimit = 200000;
    const Placement placement = placeBuffersOf(program, nodeLimit);
    OpBuilder builder(program);
    auto set = [&](auto op, int64_t offset) {
      op.setRegionAttr(builder.getI64IntegerAttr(0));
      op.setOffsetAttr(builder.getI64IntegerAttr(offset));
    };
    for (auto [entry, offset] : llvm::zip(ranges, placement.offsets)) {
      if (auto input = entry.first.getDefiningOp<mcu::InputOp>())
        set(input, offset);
      else
        set(cast<mcu::BufferOp>(entry.first.getDefiningOp()), offset);
    }
    program.setArenaBytes(placement.peak);
    program.setLowerBound(placement.lowerBound);
    report(program, placement);
    reportPeak(program);
  }

  static void report(mcu::ProgramOp program, const Placement &placement) {
    auto remark =
        remark::passed(program.getLoc(), remark::RemarkOpts::name("Placement").category("memory"));
    if (placement.isOptimal())
      remark << remark::reason("arena of {0} bytes, the least for this order", placement.peak);
    else
      remark << remark::reason("arena of {0} bytes, {1} more than the proven bound of {2}",
                               placement.peak, placement.peak - placement.lowerBound,
                               placement.lowerBound);
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
    remark::analysis(program.getLoc(), remark::RemarkOpts::name("Peak").category("memory"))
        << remark::reason("at most {0} bytes live, {1}: {2}; the arena has {3} more{4}", peak.bytes,
                          peak.step < 0 ? "before the first step"
                                        : "in step " + std::to_string(peak.step),
                          parts, *program.getArenaBytes() - peak.bytes, wholes);
  }
};

} // namespace
