// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Aliases.h"

#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"

using namespace mlir;

namespace thimble {

static bool isContiguous(ArrayRef<int64_t> extents, ArrayRef<int64_t> strides) {
  int64_t expected = 1;
  for (size_t d = extents.size(); d-- > 0; expected *= extents[d])
    if (extents[d] != 1 && strides[d] != expected)
      return false;
  return true;
}

static bool isRun(const StridedCopy &copy) {
  return isContiguous(copy.extents, copy.inStrides) && isContiguous(copy.extents, copy.outStrides);
}

/// The copies by `number`, an operand's or a result's position; null where there are several.
static SmallVector<const StridedCopy *> onlyCopies(const nn::MovementPlan &plan, size_t count,
                                                   int StridedCopy::*number) {
  SmallVector<const StridedCopy *> only(count, nullptr);
  SmallVector<bool> several(count, false);
  for (const StridedCopy &copy : plan.copies) {
    auto position = static_cast<size_t>(copy.*number);
    several[position] = several[position] || only[position];
    only[position] = several[position] ? nullptr : &copy;
  }
  return only;
}

Aliases::Aliases(func::FuncOp function) {
  function.walk([&](nn::DataMovement op) { findReads(op); });
  function.walk([&](Operation *op) {
    // A pack of one tensor is that tensor.
    if (isa<nn::ConcatenationOp, nn::PackOp>(op) && !reads.contains(op->getResult(0)))
      findWrites(op);
  });
}

std::optional<Run> Aliases::lookup(Value tensor) const {
  auto found = runs.find(tensor);
  return found == runs.end() ? std::nullopt : std::optional(found->second);
}

Value Aliases::rootOf(Value tensor) const {
  while (std::optional<Run> run = lookup(tensor))
    tensor = run->whole;
  return tensor;
}

bool Aliases::canTakeOver(Operation *op, unsigned number) const {
  if (op->getNumResults() != 1 || isAlias(op->getResult(0)))
    return false;
  Value operand = op->getOperand(number);
  return !operand.getDefiningOp<nn::ConstantOp>() && !isAlias(operand) && !isAliased(operand) &&
         llvm::count(op->getOperands(), operand) == 1 &&
         nn::toTensorType(operand.getType())->bytes() ==
             nn::toTensorType(op->getResult(0).getType())->bytes();
}

void Aliases::add(Value part, Run run) {
  runs[part] = run;
  wholes.insert(run.whole);
}

void Aliases::findReads(Operation *op) {
  nn::MovementPlan plan = cast<nn::DataMovement>(op).getMovement();
  auto copies = onlyCopies(plan, op->getNumResults(), &StridedCopy::output);
  bool all = true;
  for (auto [result, copy] : llvm::zip_equal(op->getResults(), copies)) {
    int64_t elements = cast<RankedTensorType>(result.getType()).getNumElements();
    Value source = copy ? op->getOperand(static_cast<unsigned>(copy->input)) : Value();
    if (copy && copy->elements() == elements && copy->outOffset == 0 && isRun(*copy) &&
        !source.getDefiningOp<nn::ConstantOp>()) {
      add(result, {source, copy->inOffset});
      reads.insert(result);
    } else {
      all = false;
    }
  }
  if (all)
    idle.insert(op);
}

// Nothing else has decided where it lies.
bool Aliases::isFreelyPlaced(Value value) const {
  return !isa<BlockArgument>(value) && !value.getDefiningOp<nn::ConstantOp>() &&
         !reads.contains(value);
}

void Aliases::findWrites(Operation *op) {
  nn::MovementPlan plan = cast<nn::DataMovement>(op).getMovement();
  auto copies = onlyCopies(plan, op->getNumOperands(), &StridedCopy::input);
  llvm::SmallPtrSet<Value, 4> seen;
  for (auto [operand, copy] : llvm::zip_equal(op->getOperands(), copies)) {
    if (!copy || !isRun(*copy) || !isFreelyPlaced(operand) || !seen.insert(operand).second)
      return;
    // The operand must not be wanted at a place in two results.
    for (Operation *user : operand.getUsers())
      if (user != op && isa<nn::ConcatenationOp, nn::PackOp>(user))
        return;
  }
  for (auto [operand, copy] : llvm::zip_equal(op->getOperands(), copies))
    add(operand, {op->getResult(0), copy->outOffset});
  idle.insert(op);
}

} // namespace thimble
