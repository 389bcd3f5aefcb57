// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCULiveness.h"
#include "passes/Passes.h"
#include "passes/analysis/Placement.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"

namespace thimble {
#define GEN_PASS_DEF_PLACEBUFFERS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace {

/// What is to be placed, by root buffer.
llvm::MapVector<Value, PlacementBuffer> buffersOf(mcu::ProgramOp program) {
  // Words are loaded from any buffer; 64-bit elements want more.
  constexpr int64_t wordAlignment = 4;
  llvm::MapVector<Value, PlacementBuffer> buffers;
  for (auto &[root, lives] : mcu::livesOf(program).buffers) {
    int64_t last = lives.front().last;
    for (const mcu::Life &life : lives)
      last = std::max(last, life.last);
    buffers[root] = {lives.front().first, last, cast<mcu::BufferType>(root.getType()).getBytes(),
                     wordAlignment};
  }
  program.walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (auto type = dyn_cast<mcu::BufferType>(operand.getType()))
        if (auto entry = buffers.find(mcu::resolve(operand).root); entry != buffers.end())
          entry->second.alignment = std::max<int64_t>(
              entry->second.alignment, type.getElementType().getIntOrFloatBitWidth() / 8);
  });
  return buffers;
}

struct PlaceBuffersPass : thimble::impl::PlaceBuffersBase<PlaceBuffersPass> {
  void runOnOperation() override {
    getOperation().walk([&](mcu::ProgramOp program) { place(program); });
  }

  void place(mcu::ProgramOp program) {
    llvm::MapVector<Value, PlacementBuffer> ranges = buffersOf(program);
    std::vector<PlacementBuffer> buffers;
    for (auto &[root, range] : ranges)
      buffers.push_back(range);
    Placement placement = placeBuffers(buffers);

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
    int64_t bound = placementLowerBound(buffers);
    program.setArenaBytes(placement.peak);
    program.setLowerBound(bound);
    remark::passed(program.getLoc(), remark::RemarkOpts::name("Placement").category("memory"))
        << remark::reason("arena of {0} bytes, lower bound {1}", placement.peak, bound);
  }
};

} // namespace
