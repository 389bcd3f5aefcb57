// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/m4/Cycles.h"

#include "llvm/ADT/SmallSet.h"

using namespace mlir;
using namespace thimble::m4;

Cost Cost::operator*(int64_t times) const {
  Cost product = *this;
  product.cycles *= times;
  product.tableWords *= times;
  for (size_t i = 0; i < cacheBytes.size(); ++i)
    if (codeBytes > cacheBytes[i])
      product.fetchedBytes[i] *= times;
  return product;
}

Cost &Cost::operator+=(const Cost &other) {
  cycles += other.cycles;
  codeBytes += other.codeBytes;
  tableWords += other.tableWords;
  for (size_t i = 0; i < cacheBytes.size(); ++i)
    fetchedBytes[i] += other.fetchedBytes[i];
  return *this;
}

int64_t Cost::flashWaits(const Flash &flash) const {
  if (!flash.waitStates || !flash.line)
    return 0;
  size_t cache = 0;
  while (cache + 1 < cacheBytes.size() && cacheBytes[cache + 1] <= flash.instructionCache)
    ++cache;
  // While a line executes, at a word a cycle, the next is on its way.
  const int64_t wait = flash.waitStates, hidden = flash.prefetch ? flash.line / 4 : 0;
  const int64_t fetches = fetchedBytes[cache] * std::max<int64_t>(wait - hidden, 0);
  return (fetches + 4 * tableWords * wait) / flash.line;
}

Cost thimble::m4::eitherOf(const Cost &first, const Cost &second, int64_t taken, int64_t of) {
  auto mean = [&](int64_t a, int64_t b) { return (a * taken + b * (of - taken)) / of; };
  Cost cost;
  cost.cycles = mean(first.cycles, second.cycles);
  cost.codeBytes = first.codeBytes + second.codeBytes;
  cost.tableWords = mean(first.tableWords, second.tableWords);
  for (size_t i = 0; i < Cost::cacheBytes.size(); ++i)
    cost.fetchedBytes[i] = mean(first.fetchedBytes[i], second.fetchedBytes[i]);
  return cost;
}

void CycleCounter::add(Timing timing, bool addressIsNew, bool isTable) {
  constexpr int64_t instructionBytes = 4; // hot code is all 32-bit: nothing straddles words
  const bool overlaps = afterLoad && !addressIsNew;
  afterLoad = false;
  sum.addCode(timing.kind == Timing::Wide ? 2 * instructionBytes : instructionBytes);
  if (isTable)
    sum.tableWords += timing.registers;
  switch (timing.kind) {
  case Timing::Alu:
  case Timing::Store:
    sum.cycles += 1;
    break;
  case Timing::Wide:
  case Timing::FpuLoad:
    sum.cycles += 2;
    break;
  case Timing::Load:
    sum.cycles += overlaps ? 1 : 2;
    afterLoad = true;
    break;
  case Timing::LoadMultiple:
    sum.cycles += 1 + timing.registers;
    break;
  }
}

void CycleCounter::addBranch(bool taken) {
  separate();
  sum.cycles += taken ? takenBranch : 1;
}

Cost thimble::m4::entryAndExit(int64_t gprs, int64_t fprs, int64_t frame) {
  Cost cost;
  const bool moves = frame > 0;
  cost.cycles = 2 * (1 + gprs) + (fprs ? 2 * (1 + fprs) : 0) + (moves ? 2 : 0) + 2;
  cost.addCode(8 + (fprs ? 8 : 0) + (moves ? 8 : 0));
  return cost;
}

namespace {

class CostWalker {
public:
  CycleCounter counter;

  void walk(Block &block) {
    for (Operation &op : block) {
      if (auto instruction = dyn_cast<Instruction>(op))
        add(instruction);
      else if (auto loop = dyn_cast<LoopOp>(op))
        walk(loop);
      else if (auto branch = dyn_cast<IfOp>(op))
        walk(branch);
    }
  }

private:
  void add(Instruction op) {
    bool addressIsNew = loaded && llvm::is_contained(op->getOperands(), loaded);
    counter.add(op.getTiming(), addressIsNew, op->hasAttr("table"));
    loaded = op.getTiming().kind == Timing::Load ? op->getResult(0) : Value();
  }

  // The cycles of `block` alone, with its code counted once.
  Cost costOf(Block &block) {
    Cost before = counter.total();
    counter.total() = {};
    counter.separate();
    walk(block);
    counter.separate();
    loaded = {};
    Cost own = counter.total();
    counter.total() = before;
    return own;
  }

  void walk(LoopOp loop) {
    Cost body = costOf(loop.getBlock());
    body.cycles += CycleCounter::takenBranch;
    body.addCode(4);
    counter.total() += body * static_cast<int64_t>(loop.getTrips());
    counter.total().cycles -= CycleCounter::takenBranch - 1; // the last falls through
  }

  void walk(IfOp branch) {
    auto taken = static_cast<int64_t>(branch.getTaken()), of = static_cast<int64_t>(branch.getOf());
    Cost then = costOf(branch.getThen().front()), otherwise;
    const bool hasElse = !branch.getOtherwise().empty();
    if (hasElse)
      otherwise = costOf(branch.getOtherwise().front());
    // Jumps over the first body where the condition does not hold, and at its end over the second.
    then.cycles += 1 + (hasElse ? CycleCounter::takenBranch : 0);
    otherwise.cycles += CycleCounter::takenBranch;
    counter.total() += eitherOf(then, otherwise, taken, of);
    counter.total().addCode(hasElse ? 8 : 4);
  }

  Value loaded;
};

} // namespace

SavedRegisters thimble::m4::savedRegisters(KernelOp kernel) {
  llvm::SmallSet<int, 16> gprs, fprs;
  auto note = [&](Type type) {
    if (auto gpr = dyn_cast<GprType>(type); gpr && gpr.getNumber() >= 4 && gpr.getNumber() != 12)
      gprs.insert(gpr.getNumber());
    if (auto fpr = dyn_cast<FprType>(type); fpr && fpr.getNumber() >= 16)
      fprs.insert(fpr.getNumber());
  };
  kernel.walk([&](Operation *op) {
    llvm::for_each(op->getResultTypes(), note);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::for_each(block.getArgumentTypes(), note);
  });
  SavedRegisters saved{SmallVector<int>(gprs.begin(), gprs.end()),
                       SmallVector<int>(fprs.begin(), fprs.end())};
  llvm::sort(saved.gprs);
  // VPUSH takes consecutive registers.
  int last = saved.fprs.empty() ? 15 : *llvm::max_element(saved.fprs);
  saved.fprs.clear();
  for (int number = 16; number <= last; ++number)
    saved.fprs.push_back(number);
  return saved;
}

Cost thimble::m4::costOf(KernelOp kernel) {
  CostWalker walker;
  walker.walk(kernel.getBlock());
  SavedRegisters saved = savedRegisters(kernel);
  Cost cost = walker.counter.total();
  cost +=
      entryAndExit(static_cast<int64_t>(saved.gprs.size()), static_cast<int64_t>(saved.fprs.size()),
                   static_cast<int64_t>(kernel.getFrame()));
  return cost;
}

int64_t thimble::m4::stackBytes(KernelOp kernel) {
  SavedRegisters saved = savedRegisters(kernel);
  return static_cast<int64_t>(kernel.getFrame() + 4 * (saved.gprs.size() + saved.fprs.size()));
}
