// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/m4/Liveness.h"

using namespace mlir;
using namespace thimble::m4;

Liveness::Liveness(KernelOp kernel) {
  number(kernel.getBlock());
  for (BlockArgument argument : kernel.getBlock().getArguments())
    add(argument, 0);
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto loop = dyn_cast<LoopOp>(op)) {
      for (BlockArgument argument : loop.getBlock().getArguments())
        add(argument, 2 * positionOf(op) + 1);
      for (Value result : loop.getResults())
        add(result, 2 * positionOf(loop.getBlock().getTerminator()) + 1);
    } else if (auto branch = dyn_cast<IfOp>(op)) {
      Region &last = branch.getOtherwise().empty() ? branch.getThen() : branch.getOtherwise();
      for (Value result : branch.getResults())
        add(result, 2 * positionOf(last.front().getTerminator()) + 1);
    } else if (op != kernel) {
      auto instruction = dyn_cast<Instruction>(op);
      const bool early = instruction && instruction.isEarlyClobber();
      for (Value result : op->getResults())
        add(result, 2 * positionOf(op) + (early ? 0 : 1));
    }
  });
  llvm::stable_sort(order,
                    [&](Value a, Value b) { return of(a).front().start < of(b).front().start; });
}

void Liveness::number(Block &block) {
  for (Operation &op : block) {
    positions[&op] = ++count;
    for (Region &region : op.getRegions())
      for (Block &inner : region)
        number(inner);
  }
}

void Liveness::add(Value value, int defined) {
  intervals[value] = lifeOf(value, defined);
  order.push_back(value);
}

// The ancestor of `op` (or itself) that is in `block`.
static Operation *ancestorIn(Block *block, Operation *op) {
  while (op && op->getBlock() != block)
    op = op->getParentOp();
  return op;
}

LiveIntervals Liveness::lifeOf(Value value, int defined) const {
  LiveIntervals life{{defined, defined}};
  SmallVector<Operation *> users(value.getUsers());
  if (!users.empty())
    extend(life, value.getParentBlock(), defined, users);
  return life;
}

// `life` by what `users` in `block` read, of a value that lives from slot `from` on.
void Liveness::extend(LiveIntervals &life, Block *block, int from,
                      ArrayRef<Operation *> users) const {
  Operation *last = nullptr;
  for (Operation *user : users) {
    Operation *outer = ancestorIn(block, user);
    if (!last || positionOf(outer) > positionOf(last))
      last = outer;
  }
  int end = 2 * positionOf(last);
  auto loop = dyn_cast<LoopOp>(last);
  if (loop && llvm::any_of(users, [&](Operation *user) { return loop->isProperAncestor(user); }))
    end = 2 * positionOf(loop.getBlock().getTerminator());
  if (from <= life.back().end + 1)
    life.back().end = std::max(life.back().end, end);
  else
    life.push_back({from, end});
  // Each body of an if needs only what it reads.
  if (auto branch = dyn_cast<IfOp>(last))
    for (Region &region : branch->getRegions()) {
      SmallVector<Operation *> inside;
      llvm::copy_if(users, std::back_inserter(inside),
                    [&](Operation *user) { return region.isAncestor(user->getParentRegion()); });
      if (!inside.empty())
        extend(life, &region.front(), 2 * positionOf(&region.front().front()) - 1, inside);
    }
}
