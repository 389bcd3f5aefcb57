// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCUOps.h"
#include "passes/Passes.h"
#include "passes/analysis/Placement.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace thimble {
#define GEN_PASS_DEF_PLACEBUFFERS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace {

/// The steps in which each root buffer is live. Step k is the k-th stream; an input is live from
/// before the first, an output until after the last.
llvm::MapVector<Value, PlacementBuffer> liveRanges(mcu::ProgramOp program) {
  llvm::MapVector<Value, PlacementBuffer> ranges;
  // Words are loaded from any buffer; 64-bit elements want more. A part of a word is of no use to
  // another buffer.
  constexpr int64_t wordAlignment = 4;
  auto touch = [&](Value buffer, int64_t step) {
    Value root = mcu::resolve(buffer).root;
    if (isa<mcu::ConstantOp>(root.getDefiningOp()))
      return;
    auto type = cast<mcu::BufferType>(root.getType());
    auto [entry, isNew] = ranges.insert({root, PlacementBuffer()});
    PlacementBuffer &range = entry->second;
    if (isNew)
      range = {step, step, static_cast<int64_t>(llvm::alignTo(type.getBytes(), wordAlignment)),
               wordAlignment};
    range.last = std::max(range.last, step);
    int64_t element =
        cast<mcu::BufferType>(buffer.getType()).getElementType().getIntOrFloatBitWidth() / 8;
    range.alignment = std::max(range.alignment, element);
  };
  int64_t step = 0;
  for (Operation &op : program.getBody().front()) {
    if (auto input = dyn_cast<mcu::InputOp>(op))
      touch(input.getBuffer(), -1);
    else if (auto output = dyn_cast<mcu::OutputOp>(op))
      touch(output.getBuffer(), step);
    else if (auto stream = dyn_cast<mcu::StreamOp>(op)) {
      stream.walk([&](mcu::KernelOp kernel) {
        for (Value operand : kernel->getOperands())
          touch(operand, step);
      });
      ++step;
    }
  }
  return ranges;
}

struct PlaceBuffersPass : thimble::impl::PlaceBuffersBase<PlaceBuffersPass> {
  void runOnOperation() override {
    getOperation().walk([&](mcu::ProgramOp program) { place(program); });
  }

  void place(mcu::ProgramOp program) {
    llvm::MapVector<Value, PlacementBuffer> ranges = liveRanges(program);
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
    program.setArenaBytes(placement.peak);
    program.setLowerBound(placement.lowerBound);
    report(program, placement);
  }

  static void report(mcu::ProgramOp program, const Placement &placement) {
    auto remark = remark::passed(program.getLoc(),
                                 remark::RemarkOpts::name("Placement").category("memory"));
    if (placement.isOptimal())
      remark << remark::reason("arena of {0} bytes, the least for this order", placement.peak);
    else
      remark << remark::reason("arena of {0} bytes, {1} more than the proven bound of {2}",
                               placement.peak, placement.peak - placement.lowerBound,
                               placement.lowerBound);
  }
};

} // namespace
