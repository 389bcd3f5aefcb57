// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Whether physical registers hold what operations expect: the registers are followed through the
// code, independently of how they were allocated.
#include "dialects/m4/M4Ops.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace thimble::m4;

namespace {

/// What each register holds; by its type, which names it.
using Contents = llvm::DenseMap<Type, Value>;

class Checker {
public:
  LogicalResult run(KernelOp kernel) {
    Contents contents;
    hold(contents, kernel.getBlock().getArguments());
    return check(kernel.getBlock(), contents);
  }

private:
  static void hold(Contents &contents, ValueRange values) {
    for (Value value : values)
      contents[value.getType()] = value;
  }

  LogicalResult reads(Operation *op, const Contents &contents) {
    for (Value operand : op->getOperands())
      if (contents.lookup(operand.getType()) != operand)
        return op->emitOpError("reads ") << operand.getType() << ", which holds something else";
    return success();
  }

  LogicalResult isOneRegister(Operation *op, Value a, Value b) {
    if (a.getType() == b.getType())
      return success();
    return op->emitOpError("carries a value from ") << a.getType() << " to " << b.getType();
  }

  LogicalResult check(Block &block, Contents &contents) {
    for (Operation &op : block) {
      if (failed(reads(&op, contents)))
        return failure();
      if (auto loop = dyn_cast<LoopOp>(op)) {
        if (failed(check(loop, contents)))
          return failure();
      } else if (auto branch = dyn_cast<IfOp>(op)) {
        if (failed(check(branch, contents)))
          return failure();
      } else if (auto instruction = dyn_cast<Instruction>(op)) {
        for (auto [operand, result] : instruction.getTied())
          if (failed(isOneRegister(&op, op.getOperand(operand), op.getResult(result))))
            return failure();
        if (failed(writesApart(instruction)) || failed(ascends(&op)))
          return failure();
      }
      hold(contents, op.getResults());
    }
    return success();
  }

  // No result overwrites another, or an operand that is read after it.
  LogicalResult writesApart(Instruction op) {
    llvm::SmallPtrSet<Type, 4> written;
    for (Type result : op->getResultTypes()) {
      if (!written.insert(result).second)
        return op->emitOpError("has two results in ") << result;
      if (op.isEarlyClobber() && llvm::is_contained(op->getOperandTypes(), result))
        return op->emitOpError("writes ") << result << " before it has read it";
    }
    return success();
  }

  LogicalResult ascends(Operation *op) {
    if (!isa<LoadMultipleOp, LoadMultiplePostOp>(op))
      return success();
    auto values = isa<LoadMultipleOp>(op) ? op->getResults() : op->getResults().drop_front();
    int last = -1;
    for (Value value : values) {
      const int number = cast<GprType>(value.getType()).getNumber();
      if (number <= last)
        return op->emitOpError("fills registers that do not ascend");
      last = number;
    }
    return success();
  }

  LogicalResult check(LoopOp loop, Contents &contents) {
    Operation *next = loop.getBlock().getTerminator();
    for (auto [i, argument] : llvm::enumerate(loop.getBlock().getArguments()))
      if (failed(isOneRegister(loop, loop.getInitial()[i], argument)) ||
          failed(isOneRegister(next, next->getOperand(static_cast<unsigned>(i)), argument)) ||
          failed(isOneRegister(loop, argument, loop.getResult(static_cast<unsigned>(i)))))
        return failure();
    hold(contents, loop.getBlock().getArguments());
    if (failed(check(loop.getBlock(), contents)))
      return failure();
    // The next trip reads the same values from outside.
    WalkResult kept = loop->walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (op != loop && !loop.getBody().isAncestor(operand.getParentRegion()) &&
            contents.lookup(operand.getType()) != operand)
          return op->emitOpError("reads ")
                     << operand.getType() << ", which an earlier trip changed",
                 WalkResult::interrupt();
      return WalkResult::advance();
    });
    return failure(kept.wasInterrupted());
  }

  LogicalResult check(IfOp branch, Contents &contents) {
    Contents otherwise = contents;
    if (failed(check(branch.getThen().front(), contents)))
      return failure();
    if (!branch.getOtherwise().empty() && failed(check(branch.getOtherwise().front(), otherwise)))
      return failure();
    for (Region &region : branch->getRegions())
      if (!region.empty())
        for (auto [value, result] :
             llvm::zip(region.front().getTerminator()->getOperands(), branch.getResults()))
          if (failed(isOneRegister(branch, value, result)))
            return failure();
    // What only one body left where it was is nowhere.
    for (auto &[name, value] : contents)
      if (otherwise.lookup(name) != value)
        value = {};
    return success();
  }
};

} // namespace

LogicalResult thimble::m4::verifyAllocation(KernelOp kernel) { return Checker().run(kernel); }
