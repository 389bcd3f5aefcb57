// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Assembly.h"

#include "passes/m4/Cycles.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::m4;

static std::string registerName(Value value) {
  if (auto gpr = dyn_cast<GprType>(value.getType()))
    return gpr.getName();
  return cast<FprType>(value.getType()).getName();
}

static StringRef inverse(StringRef condition) {
  return llvm::StringSwitch<StringRef>(condition)
      .Case("eq", "ne")
      .Case("ne", "eq")
      .Case("lo", "hs")
      .Case("hs", "lo")
      .Case("hi", "ls")
      .Case("ls", "hi")
      .Case("lt", "ge")
      .Case("ge", "lt")
      .Case("gt", "le")
      .Case("le", "gt")
      .Case("mi", "pl")
      .Case("pl", "mi");
}

namespace {

class Printer {
public:
  explicit Printer(KernelOp kernel) : kernel(kernel), saved(savedRegisters(kernel)) {}

  std::vector<std::string> run() {
    enter();
    print(kernel.getBlock());
    return std::move(lines);
  }

private:
  void line(const std::string &text) { lines.push_back(text); }

  static std::string pushed(ArrayRef<int> gprs, StringRef link) {
    std::vector<std::string> names;
    for (int number : gprs)
      names.push_back(number == linkRegister ? link.str() : "r" + std::to_string(number));
    return "{" + llvm::join(names, ", ") + "}";
  }
  bool savesLink() const { return llvm::is_contained(saved.gprs, linkRegister); }
  // The S registers of a VPUSH are consecutive.
  std::string fprRange() const {
    const int last = saved.fprs.back();
    return "{s16" + (last > 16 ? "-s" + std::to_string(last) : std::string()) + "}";
  }

  void moveStack(StringRef mnemonic) {
    const int64_t frame = static_cast<int64_t>(kernel.getFrame());
    if (frame == 0)
      return;
    if (frame < 4096)
      return line(mnemonic.str() + "w sp, sp, #" + std::to_string(frame));
    line("movw r12, #" + std::to_string(frame)); // r12 holds nothing at either end
    line(mnemonic.str() + ".w sp, sp, r12");
  }

  void enter() {
    if (!saved.gprs.empty())
      line("push " + pushed(saved.gprs, "lr"));
    if (!saved.fprs.empty())
      line("vpush " + fprRange());
    moveStack("sub");
  }
  void leave() {
    moveStack("add");
    if (!saved.fprs.empty())
      line("vpop " + fprRange());
    if (!saved.gprs.empty())
      line("pop " + pushed(saved.gprs, "pc"));
    if (!savesLink())
      line("bx lr");
  }

  void print(Block &block) {
    for (Operation &op : block) {
      if (auto loop = dyn_cast<LoopOp>(op))
        print(loop);
      else if (auto branch = dyn_cast<IfOp>(op))
        print(branch);
      else if (auto instruction = dyn_cast<Instruction>(op))
        print(instruction);
      else if (isa<ReturnOp>(op))
        leave();
    }
  }

  void print(LoopOp loop) {
    const std::string label = std::to_string(++labels);
    line(".p2align 2");
    line(label + ":");
    print(loop.getBlock());
    line("b" + loop.getCondition().str() + ".w " + label + "b");
  }

  void print(IfOp branch) {
    const std::string otherwise = std::to_string(++labels), end = std::to_string(++labels);
    auto hasCode = [](Region &region) {
      return !region.empty() && !llvm::hasSingleElement(region.front());
    };
    const bool hasElse = hasCode(branch.getOtherwise());
    line("b" + inverse(branch.getCondition()).str() + ".w " + otherwise + "f");
    print(branch.getThen().front());
    if (hasElse)
      line("b.w " + end + "f");
    line(otherwise + ":");
    if (!hasElse)
      return;
    print(branch.getOtherwise().front());
    line(end + ":");
  }

  void print(Instruction op) {
    StringRef rest;
    std::string text = op.getText() + shiftOf(op);
    SmallVector<StringRef> parts;
    const std::string filled = fill(text, op);
    StringRef(filled).split(parts, '\n');
    for (StringRef part : parts)
      line(part.str());
  }

  static std::string shiftOf(Operation *op) {
    auto kind = op->getAttrOfType<StringAttr>("shift");
    if (!kind || isa<LoadIndexedOp>(op))
      return {};
    return ", " + kind.getValue().str() + " #" +
           std::to_string(op->getAttrOfType<IntegerAttr>("amount").getInt());
  }

  // %r, %s: results; %0, ...: operands; %{name}: an attribute; %results: those of an LDM.
  static std::string fill(StringRef text, Operation *op) {
    std::string result;
    while (!text.empty()) {
      auto [plain, rest] = text.split('%');
      result += plain;
      if (rest.empty())
        break;
      if (rest.consume_front("results")) {
        auto values =
            isa<LoadMultiplePostOp>(op) ? op->getResults().drop_front() : op->getResults();
        result += llvm::join(llvm::map_range(values, registerName), ", ");
      } else if (rest.consume_front("{")) {
        auto [name, after] = rest.split('}');
        Attribute attribute = op->getAttr(name);
        if (auto number = dyn_cast<IntegerAttr>(attribute))
          result += std::to_string(number.getInt());
        else
          result += cast<StringAttr>(attribute).getValue();
        rest = after;
      } else {
        const char which = rest.front();
        rest = rest.drop_front();
        if (which == 'r' || which == 's')
          result += registerName(op->getResult(which == 'r' ? 0 : 1));
        else
          result += registerName(op->getOperand(static_cast<unsigned>(which - '0')));
      }
      text = rest;
    }
    return result;
  }

  KernelOp kernel;
  SavedRegisters saved;
  std::vector<std::string> lines;
  int labels = 0;
};

} // namespace

std::vector<std::string> thimble::emit::assemblyOf(KernelOp kernel) {
  return Printer(kernel).run();
}

bool thimble::emit::usesFpu(KernelOp kernel) {
  auto isFpr = [](Type type) { return isa<FprType>(type); };
  return kernel
      .walk([&](Operation *op) {
        return llvm::any_of(op->getResultTypes(), isFpr) ? WalkResult::interrupt()
                                                         : WalkResult::advance();
      })
      .wasInterrupted();
}
