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
  llvm::stable_sort(order, [&](Value a, Value b) { return of(a).front().start < of(b).front().start; });
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
  Block *home = value.getParentBlock();
  int last = defined;
  SmallVector<LiveInterval, 2> inElse;
  for (Operation *user : value.getUsers()) {
    Operation *outer = ancestorIn(home, user);
    if (outer == user) {
      last = std::max(last, 2 * positionOf(user));
    } else if (auto loop = dyn_cast<LoopOp>(outer)) {
      last = std::max(last, 2 * positionOf(loop.getBlock().getTerminator()));
    } else {
      // In an if. What only the second body reads does not live in the first.
      auto branch = cast<IfOp>(outer);
      Region &second = branch.getOtherwise();
      Region &body = second.isAncestor(user->getParentRegion()) ? second : branch.getThen();
      Operation *inside = ancestorIn(&body.front(), user);
      // A loop in the body is read until its end.
      int end = 2 * positionOf(inside);
      if (inside != user)
        inside->walk([&](Operation *op) { end = std::max(end, 2 * positionOf(op)); });
      if (&body == &second) {
        last = std::max(last, 2 * positionOf(branch));
        inElse.push_back({2 * positionOf(&second.front().front()) - 1, end});
      } else {
        last = std::max(last, end);
      }
    }
  }
  LiveIntervals result{{defined, last}};
  llvm::sort(inElse, [](auto &a, auto &b) { return a.start < b.start; });
  for (const LiveInterval &life : inElse) {
    if (life.start <= result.back().end + 1)
      result.back().end = std::max(result.back().end, life.end);
    else
      result.push_back(life);
  }
  return result;
}
