// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Statements and control flow.
#include "compiler/emit/c/FunctionPrinter.h"

#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace thimble::emit {

std::string scalarType(Type type) {
  if (type.isInteger(1))
    return "bool";
  if (type.isIndex())
    return "int32_t";
  if (type.isInteger())
    return "int" + std::to_string(type.getIntOrFloatBitWidth()) + "_t";
  return type.isF64() ? "double" : "float";
}

// How good a place for a line's end after `text[i]` is: parentheses open there, or -1 for none.
static int breakDepth(const std::string &text, size_t i, int open) {
  if (text[i] != ' ')
    return -1;
  if (text[i - 1] == ',' || text[i - 1] == ';')
    return open;
  static const char *const operators[] = {"+", "-", "*", "/", "%",  "?",  ":",  "&&", "||", "&",
                                          "|", "^", "<", ">", "<=", ">=", "==", "!=", "<<", ">>"};
  const size_t start = text.rfind(' ', i - 1);
  if (start == std::string::npos)
    return -1;
  const std::string word = text.substr(start + 1, i - start - 1);
  return llvm::is_contained(operators, word) ? open : -1;
}

std::string wrapped(const std::string &text, unsigned indent) {
  constexpr size_t width = 100;
  std::string result, rest = text;
  unsigned margin = indent;
  int openBefore = 0;
  while (margin + rest.size() > width) {
    int open = openBefore, bestDepth = 1 << 30;
    size_t best = 0;
    for (size_t i = 1; i < rest.size() && margin + i <= width; ++i) {
      open += rest[i - 1] == '(' ? 1 : rest[i - 1] == ')' ? -1 : 0;
      const int depth = breakDepth(rest, i, open);
      // The outermost place, and of those the last; but no line that is nearly empty.
      if (depth >= 0 && depth <= bestDepth && i >= 30) {
        bestDepth = depth;
        best = i;
      }
    }
    if (best == 0)
      break;
    result += std::string(margin, ' ') + rest.substr(0, best) + "\n";
    openBefore += static_cast<int>(llvm::count(rest.substr(0, best), '(')) -
                  static_cast<int>(llvm::count(rest.substr(0, best), ')'));
    rest = rest.substr(best + 1);
    margin = indent + 4;
  }
  return result + std::string(margin, ' ') + rest + "\n";
}

void FunctionPrinter::line(const std::string &text) { out += wrapped(text, 2 * depth); }

static bool isWritten(BlockArgument buffer) {
  auto function = cast<func::FuncOp>(buffer.getOwner()->getParentOp());
  if (function.getArgAttr(buffer.getArgNumber(), mcu::readOnlyAttr))
    return false;
  for (OpOperand &use : buffer.getUses()) {
    Operation *user = use.getOwner();
    // What is viewed as something else is the arena.
    if (isa<memref::StoreOp, memref::ViewOp, m4::StoreWordOp>(user) ||
        (isa<func::CallOp>(user) && user->getNumResults() == 0))
      return true;
    if (auto called = dyn_cast<m4::CallOp>(user))
      if (llvm::is_contained(called.getWrites(), static_cast<int64_t>(use.getOperandNumber())))
        return true;
  }
  return false;
}

std::string FunctionPrinter::signature(func::FuncOp function, StringRef symbol) {
  std::string text = "static void " + symbol.str() + "(";
  for (BlockArgument argument : function.getArguments()) {
    Expression name;
    StringRef hint = nameHint(argument.getLoc());
    const std::string fallback = "buffer_" + std::to_string(argument.getArgNumber());
    name.text = scopes.declare(hint.empty() ? StringRef(fallback) : hint);
    name.isName = true;
    values[argument] = name;
    if (argument.getArgNumber() > 0)
      text += ", ";
    auto buffer = dyn_cast<MemRefType>(argument.getType());
    if (!buffer) {
      text += scalarType(argument.getType()) + " " + name.text;
      continue;
    }
    text += isWritten(argument) ? "" : "const ";
    text += scalarType(buffer.getElementType()) + " *" + name.text;
  }
  return text + (function.getNumArguments() == 0 ? "void) {" : ") {");
}

FailureOr<std::string> FunctionPrinter::print(func::FuncOp function, StringRef symbol) {
  auto hasForm = [](Type type) {
    auto buffer = dyn_cast<MemRefType>(type);
    return buffer ? buffer.getRank() == 1 : type.isInteger(32);
  };
  for (BlockArgument argument : function.getArguments())
    if (!hasForm(argument.getType()))
      return function.emitOpError("argument must be i32 or a memref of one dimension, got ")
                 << argument.getType(),
             failure();
  scopes.clear();
  scopes.push();
  out.clear();
  values.clear();
  pending.clear();
  holders.clear();
  targets.clear();
  depth = 0;
  if (!qualifiers.empty())
    line(qualifiers);
  line(signature(function, symbol));
  depth = 1;
  for (BlockArgument argument : function.getArguments())
    if (argument.use_empty())
      line("(void)" + values.lookup(argument).text + ";");
  if (failed(printBlock(function.getBody().front())))
    return failure();
  depth = 0;
  line("}");
  scopes.pop();
  return out;
}

LogicalResult FunctionPrinter::printBlock(Block &block) {
  for (Operation &op : block)
    if (failed(printOperation(&op)))
      return failure();
  return success();
}

LogicalResult FunctionPrinter::printOperation(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return printFor(loop);
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return printIf(branch);
  if (auto choice = dyn_cast<scf::IndexSwitchOp>(op))
    return printSwitch(choice);
  if (isa<func::ReturnOp>(op))
    return success();
  if (isa<scf::YieldOp>(op))
    return printYield(op), success();
  if (auto store = dyn_cast<memref::StoreOp>(op)) {
    if (store.getIndices().size() != 1)
      return op->emitOpError("has no C form: only memrefs of one dimension have");
    const Expression value = use(store.getValueToStore());
    const Expression place = element(store.getMemRef(), store.getIndices()[0]);
    flushMemoryReaders();
    line(place.text + " = " + value.text + ";");
    return success();
  }
  if (auto store = dyn_cast<m4::StoreWordOp>(op)) {
    const Expression value = unsignedOperand(store.getValue());
    const Expression place = element(store.getBuffer(), store.getIndex());
    flushMemoryReaders();
    line("thimble_store_u32(&" + place.text + ", " + value.text + ");");
    return success();
  }
  if (auto called = dyn_cast<func::CallOp>(op); called && called.getNumResults() == 0) {
    const Expression e = callRuntime(called.getCallee(), op);
    flushMemoryReaders();
    line(e.text + ";");
    return success();
  }
  if (auto called = dyn_cast<m4::CallOp>(op))
    return printCall(called), success();
  std::optional<Expression> result;
  if (op->getNumResults() == 1)
    result = expression(op);
  if (!result)
    return op->emitOpError("has no C form");
  define(op->getResult(0), std::move(*result));
  return success();
}

// A kernel takes the addresses of elements, then words.
void FunctionPrinter::printCall(m4::CallOp called) {
  std::vector<std::string> arguments;
  for (auto [buffer, offset] : llvm::zip(called.getBuffers(), called.getOffsets())) {
    const Expression base = use(buffer), index = use(offset);
    arguments.push_back(index.text == "0" ? base.text
                                          : base.text + " + " + index.at(Precedence::Additive));
  }
  for (Value word : called.getWords())
    arguments.push_back(use(word).text);
  flushMemoryReaders();
  line(called.getKernel().str() + "(" + llvm::join(arguments, ", ") + ");");
}

static bool mayWrite(Operation *op) {
  return op
      ->walk([](Operation *inner) {
        const bool writes = isa<memref::StoreOp, m4::StoreWordOp, m4::CallOp>(inner) ||
                            (isa<func::CallOp>(inner) && inner->getNumResults() == 0);
        return writes ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

// Prints the only block of `region` to a string; its yield assigns to `variables`.
FailureOr<std::string> FunctionPrinter::printRegion(Region &region,
                                                    std::vector<std::string> variables) {
  std::string before;
  std::swap(out, before);
  targets.push_back(std::move(variables));
  ++depth;
  const LogicalResult printed = region.empty() ? success() : printBlock(region.front());
  --depth;
  targets.pop_back();
  std::swap(out, before);
  if (failed(printed))
    return failure();
  return before;
}

LogicalResult FunctionPrinter::printFor(scf::ForOp loop) {
  Type counterType = loop.getInductionVar().getType();
  if (!counterType.isIndex() && !counterType.isInteger(32))
    return loop.emitOpError("has no C form: the counter must be index or i32");
  const Expression lower = use(loop.getLowerBound());
  const Expression upper = useFree(loop.getUpperBound());
  const Expression step = useFree(loop.getStep());
  // What the loop carries: in variables taken over or new ones.
  std::vector<std::string> variables(loop.getInitArgs().size());
  std::vector<std::pair<unsigned, Expression>> inits;
  for (unsigned i = 0; i < variables.size(); ++i) {
    BlockArgument argument = loop.getRegionIterArg(i);
    if (argument.use_empty() && loop.getResult(i).use_empty()) {
      use(loop.getInitArgs()[i]);
      continue; // neither read nor written
    }
    variables[i] = takeOver(loop, i);
    if (variables[i].empty())
      inits.push_back({i, use(loop.getInitArgs()[i])});
    else
      use(loop.getInitArgs()[i]);
  }
  flushVariableReaders();
  if (mayWrite(loop))
    flushMemoryReaders();
  for (const auto &[i, init] : inits) {
    BlockArgument argument = loop.getRegionIterArg(i);
    StringRef hint = nameHint(argument.getLoc());
    if (hint.empty() && !isa<BlockArgument>(loop.getInitArgs()[i]))
      hint = nameHint(loop.getInitArgs()[i].getLoc());
    variables[i] = scopes.declare(hint);
    line(scalarType(argument.getType()) + " " + variables[i] + " = " + init.text + ";");
  }
  for (unsigned i = 0; i < variables.size(); ++i)
    if (!variables[i].empty())
      setVariable(loop.getRegionIterArg(i), variables[i]);

  scopes.push();
  Value counter = loop.getInductionVar();
  Expression name;
  name.text = scopes.declare(nameHint(counter.getLoc()));
  name.isName = true;
  values[counter] = name;
  FailureOr<std::string> body = printRegion(loop.getRegion(), variables);
  scopes.pop();
  if (failed(body))
    return failure();
  const std::string &i = name.text;
  line("for (int32_t " + i + " = " + lower.text + "; " + i + " < " +
       upper.at(Precedence::Additive) + "; " +
       (step.text == "1" ? "++" + i : i + " += " + step.text) + ") {");
  out += *body;
  line("}");
  for (unsigned k = 0; k < variables.size(); ++k) {
    if (variables[k].empty())
      continue;
    setVariable(loop.getResult(k), variables[k]);
    if (loop.getResult(k).use_empty()) // no warning of a variable that is only set
      line("(void)" + variables[k] + ";");
  }
  return success();
}

LogicalResult FunctionPrinter::printIf(scf::IfOp branch) {
  const Expression condition = use(branch.getCondition());
  flushVariableReaders();
  if (mayWrite(branch))
    flushMemoryReaders();
  std::vector<std::string> variables(branch.getNumResults());
  for (unsigned i = 0; i < variables.size(); ++i) {
    Value result = branch.getResult(i);
    if (result.use_empty())
      continue;
    variables[i] = yieldTarget(branch, i);
    if (!variables[i].empty())
      continue;
    variables[i] = scopes.declare(nameHint(result.getLoc()));
    line(scalarType(result.getType()) + " " + variables[i] + ";");
  }
  // Both branches start from the same live values.
  const llvm::StringMap<Value> holdersBefore = holders;
  scopes.push();
  FailureOr<std::string> whenTrue = printRegion(branch.getThenRegion(), variables);
  scopes.pop();
  holders = holdersBefore;
  scopes.push();
  FailureOr<std::string> whenFalse = printRegion(branch.getElseRegion(), variables);
  scopes.pop();
  holders = holdersBefore;
  if (failed(whenTrue) || failed(whenFalse))
    return failure();
  for (unsigned i = 0; i < variables.size(); ++i)
    if (!variables[i].empty())
      setVariable(branch.getResult(i), variables[i]);
  if (whenTrue->empty() && whenFalse->empty())
    return success();
  if (whenTrue->empty()) {
    line("if (!" + condition.at(Precedence::Unary) + ") {");
    out += *whenFalse;
  } else {
    line("if (" + condition.text + ") {");
    out += *whenTrue;
    if (!whenFalse->empty()) {
      line("} else {");
      out += *whenFalse;
    }
  }
  line("}");
  return success();
}

LogicalResult FunctionPrinter::printSwitch(scf::IndexSwitchOp choice) {
  if (choice.getNumResults() != 0)
    return choice.emitOpError("has no C form: a switch must not have results");
  const Expression number = use(choice.getArg());
  flushVariableReaders();
  if (mayWrite(choice))
    flushMemoryReaders();
  const llvm::StringMap<Value> holdersBefore = holders;
  line("switch (" + number.text + ") {");
  auto printCase = [&](const std::string &label, Region &region) -> LogicalResult {
    scopes.push();
    FailureOr<std::string> body = printRegion(region, {});
    scopes.pop();
    holders = holdersBefore;
    if (failed(body))
      return failure();
    line(label + ": {");
    out += *body;
    ++depth;
    line("break;");
    --depth;
    line("}");
    return success();
  };
  for (auto [value, region] : llvm::zip(choice.getCases(), choice.getCaseRegions()))
    if (failed(printCase("case " + std::to_string(value), region)))
      return failure();
  if (failed(printCase("default", choice.getDefaultRegion())))
    return failure();
  line("}");
  return success();
}

// Assigns all at once: an assignment waits until nobody needs the variable's old value, and a
// circle is broken by saving one value first.
void FunctionPrinter::printYield(Operation *yield) {
  struct Assignment {
    std::string variable;
    Expression value;
    Value source;
  };
  std::vector<Assignment> open;
  for (auto [i, operand] : llvm::enumerate(yield->getOperands())) {
    const Expression value = use(operand);
    const std::string &variable = targets.back()[i];
    if (!variable.empty() && value.text != variable)
      open.push_back({variable, value, operand});
  }
  while (!open.empty()) {
    auto ready = llvm::find_if(open, [&](const Assignment &a) {
      return llvm::none_of(
          open, [&](const Assignment &b) { return &a != &b && b.value.reads(a.variable); });
    });
    if (ready != open.end()) {
      assign(ready->variable, ready->value);
      open.erase(ready);
      continue;
    }
    Assignment &first = open.front();
    Expression saved;
    saved.text = scopes.declare(first.variable + "_next");
    line("const " + scalarType(first.source.getType()) + " " + saved.text + " = " +
         first.value.text + ";");
    first.value = saved;
  }
}

void FunctionPrinter::assign(StringRef variable, const Expression &value) {
  const bool commutes =
      value.op == "+" || value.op == "*" || value.op == "&" || value.op == "|" || value.op == "^";
  if (!value.op.empty() && value.left == variable)
    line(variable.str() + " " + value.op + "= " + value.right + ";");
  else if (commutes && value.right == variable)
    line(variable.str() + " " + value.op + "= " + value.left + ";");
  else
    line(variable.str() + " = " + value.text + ";");
}

} // namespace thimble::emit
