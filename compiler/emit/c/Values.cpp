// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Which values are folded, named or share a variable.
#include "compiler/emit/c/FunctionPrinter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace thimble::emit {

void FunctionPrinter::define(Value value, Expression expression) {
  if (value.use_empty())
    return;
  if (expression.isFree()) {
    values[value] = std::move(expression);
    return;
  }
  // An expression that somebody named is folded only while it is short.
  Operation *op = value.getDefiningOp();
  size_t longest = nameHint(value.getLoc()).empty() ? 72 : 40;
  if (isa<scf::YieldOp, memref::StoreOp>(*value.user_begin()))
    longest = 160; // a statement of its own
  if (value.hasOneUse() && value.use_begin()->getOwner()->getBlock() == op->getBlock() &&
      expression.text.size() <= longest) {
    values[value] = std::move(expression);
    pending.push_back(value);
    return;
  }
  materialize(value, expression);
}

Expression FunctionPrinter::materialize(Value value, const Expression &expression) {
  Expression name;
  name.text = scopes.declare(nameHint(value.getLoc()));
  name.isName = true;
  if (!expression.unsignedText.empty() && value.getType().isInteger(32) && isWord(value)) {
    line("const uint32_t " + name.text + " = " + expression.unsignedText + ";");
    name.unsignedText = name.text;
    name.text = "(int32_t)" + name.text;
    name.precedence = Precedence::Unary;
    values[value] = name;
    return name;
  }
  auto buffer = dyn_cast<MemRefType>(value.getType());
  const std::string type = buffer ? scalarType(buffer.getElementType()) + " *const "
                                  : "const " + scalarType(value.getType()) + " ";
  line(type + name.text + " = " + expression.text + ";");
  values[value] = name;
  return name;
}

Expression FunctionPrinter::use(Value value) {
  llvm::erase(pending, value);
  return values.lookup(value);
}

Expression FunctionPrinter::useFree(Value value) {
  const Expression expression = use(value);
  if (expression.isName)
    return expression;
  return materialize(value, expression);
}

template <typename Predicate> void FunctionPrinter::flush(Predicate isAffected) {
  std::vector<Value> affected;
  for (Value value : pending)
    if (isAffected(values.lookup(value)))
      affected.push_back(value);
  for (Value value : affected) {
    llvm::erase(pending, value);
    materialize(value, values.lookup(value));
  }
}

void FunctionPrinter::flushMemoryReaders() {
  flush([](const Expression &e) { return e.readsMemory; });
}

void FunctionPrinter::flushVariableReaders() {
  flush([](const Expression &e) { return !e.variables.empty(); });
}

void FunctionPrinter::setVariable(Value value, const std::string &variable) {
  Expression name;
  name.text = variable;
  name.variables = {variable};
  name.isVariable = name.isName = true;
  values[value] = name;
  holders[variable] = value;
}

// Whether nothing reads `value` once `op` has begun, but for uses inside `op` where `nested`, and
// its operands.
static bool isDeadAfter(Value value, Operation *op, bool nested) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (user == op)
      continue;
    // Compare in the innermost block around `op` that also holds the user.
    Operation *here = op;
    while (true) {
      Operation *there = here->getBlock()->findAncestorOpInBlock(*user);
      if (there == here) {
        if (here == op && nested)
          break;
        // The user is in another region of the same operation: never run together in a
        // conditional.
        if (here != op && isa<scf::IfOp>(here))
          break;
        return false;
      }
      if (there) {
        if (there->isBeforeInBlock(here))
          break;
        return false;
      }
      here = here->getParentOp();
      // The next iteration of a loop inside the value's scope reads it again.
      if (isa<scf::ForOp>(here))
        return false;
    }
  }
  return true;
}

// Whether a loop lies between `op` and the block where `value` is defined.
static bool isRepeated(Value value, Operation *op) {
  for (Block *block = op->getBlock(); block != value.getParentBlock();) {
    Operation *parent = block->getParentOp();
    if (!parent || !isa<scf::IfOp>(parent))
      return true;
    block = parent->getBlock();
  }
  return false;
}

// The variable that argument `i` of `loop` starts in, if the loop may go on with it, else empty.
std::string FunctionPrinter::takeOver(scf::ForOp loop, unsigned i) {
  Value init = loop.getInitArgs()[i];
  auto found = values.find(init);
  if (found == values.end() || !found->second.isVariable ||
      llvm::count(loop->getOperands(), init) != 1)
    return {};
  const std::string variable = found->second.text;
  if (holders.lookup(variable) != init || isRepeated(init, loop) ||
      !isDeadAfter(init, loop, /*nested=*/false))
    return {};
  return variable;
}

// The variable that result `i` of `branch` is only yielded to, if the branch may assign it, else
// empty.
std::string FunctionPrinter::yieldTarget(scf::IfOp branch, unsigned i) {
  Value result = branch.getResult(i);
  if (targets.empty() || !result.hasOneUse())
    return {};
  OpOperand &use = *result.use_begin();
  if (use.getOwner() != branch->getBlock()->getTerminator() || !isa<scf::YieldOp>(use.getOwner()))
    return {};
  const std::string variable = targets.back()[use.getOperandNumber()];
  if (variable.empty())
    return {};
  Value holder = holders.lookup(variable);
  if (holder && (isRepeated(holder, branch) || !isDeadAfter(holder, branch, /*nested=*/true)))
    return {};
  return variable;
}

} // namespace thimble::emit
