// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/m4/PairLoads.h"
#include "dialects/m4/M4Ops.h"
#include "passes/Passes.h"
#include "passes/m4/Liveness.h"

namespace thimble {
#define GEN_PASS_DEF_PAIRLOADS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;
using namespace thimble::m4;

namespace {

// Which memory an instruction touches: what is written in one is not read in another.
enum class Memory { None, Frame, Arena, Table, Anything };

Memory memoryOf(Operation *op) {
  if (isa<MoveFrameOp>(op) || op->getNumRegions() > 0)
    return Memory::Anything;
  if (op->hasAttr("table"))
    return Memory::Table;
  if (auto load = dyn_cast<LoadOp>(op))
    return load.getBase() ? Memory::Arena : Memory::Frame;
  if (auto store = dyn_cast<StoreOp>(op))
    return store.getBase() ? Memory::Arena : Memory::Frame;
  if (auto load = dyn_cast<LoadSOp>(op))
    return load.getBase() ? Memory::Arena : Memory::Frame;
  if (auto store = dyn_cast<StoreSOp>(op))
    return store.getBase() ? Memory::Arena : Memory::Frame;
  return isa<LoadPostOp, LoadIndexedOp, LoadMultipleOp, LoadMultiplePostOp, StorePostOp,
             StoreIndexedOp>(op)
             ? Memory::Arena
             : Memory::None;
}

bool isLoad(Operation *op) {
  auto instruction = dyn_cast_or_null<Instruction>(op);
  return instruction && instruction.getTiming().kind == Timing::Load;
}

// A pointer into the frame makes the frame part of what pointers reach.
bool takesFrameAddress(KernelOp kernel) {
  return kernel.walk([](FrameAddressOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

class Pairing {
public:
  explicit Pairing(KernelOp kernel) : liveness(kernel), framePointed(takesFrameAddress(kernel)) {
    pressure.assign(static_cast<size_t>(liveness.slots()), 0);
    for (Value value : liveness.values())
      if (isa<GprType>(value.getType()))
        for (const LiveInterval &life : liveness.of(value))
          for (int slot = life.start; slot <= life.end; ++slot)
            ++pressure[static_cast<size_t>(slot)];
    kernel.walk([&](Block *block) { pair(*block); });
  }

private:
  static constexpr int furthest = 12; // instructions that a load moves up at most

  void pair(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block))
      if (isLoad(&op) && !isLoad(op.getPrevNode()))
        moveUp(&op);
  }

  void moveUp(Operation *load) {
    Operation *before = load->getPrevNode();
    for (int distance = 0; before && distance < furthest;
         ++distance, before = before->getPrevNode()) {
      if (isLoad(before)) {
        const bool feeds = llvm::is_contained(load->getOperands(), before->getResult(0));
        if (!feeds && hasRoom(before, load)) {
          occupy(before, load);
          load->moveAfter(before);
          moved[load] = positionOf(before);
        }
        return;
      }
      if (!mayPass(load, before))
        return;
    }
  }

  bool mayPass(Operation *load, Operation *other) const {
    for (Value operand : load->getOperands())
      if (operand.getDefiningOp() == other)
        return false;
    // A base that moves is read before the load moves it.
    if (isa<LoadPostOp>(load) && llvm::is_contained(other->getOperands(), load->getOperand(0)))
      return false;
    const Memory mine = memoryOf(load), theirs = memoryOf(other);
    if (theirs == Memory::Anything)
      return false;
    const bool stores = isa<StoreOp, StorePostOp, StoreIndexedOp, StoreSOp>(other);
    if (!stores || mine == Memory::Table)
      return true;
    return mine != theirs && !framePointed;
  }

  // A load that has moved is where the load before it was.
  int positionOf(Operation *op) const {
    auto found = moved.find(op);
    return found == moved.end() ? liveness.positionOf(op) : found->second;
  }
  // The slots between the two, where the loaded register would be taken too.
  std::pair<size_t, size_t> between(Operation *before, Operation *load) const {
    return {static_cast<size_t>(2 * positionOf(before) + 1),
            static_cast<size_t>(2 * positionOf(load))};
  }
  bool hasRoom(Operation *before, Operation *load) const {
    auto [first, last] = between(before, load);
    return std::all_of(pressure.begin() + static_cast<long>(first),
                       pressure.begin() + static_cast<long>(last) + 1,
                       [](int live) { return live < numGprs; });
  }
  void occupy(Operation *before, Operation *load) {
    auto [first, last] = between(before, load);
    for (size_t slot = first; slot <= last; ++slot)
      ++pressure[slot];
  }

  Liveness liveness;
  bool framePointed;
  llvm::DenseMap<Operation *, int> moved;
  std::vector<int> pressure; // core registers in use at each slot
};

struct PairLoadsPass : thimble::impl::PairLoadsBase<PairLoadsPass> {
  void runOnOperation() override { m4::pairLoads(getOperation()); }
};

} // namespace

void thimble::m4::pairLoads(KernelOp kernel) { Pairing pairing(kernel); }
