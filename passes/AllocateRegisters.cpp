// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/m4/M4Ops.h"
#include "passes/Passes.h"
#include "passes/m4/Liveness.h"
#include "passes/m4/PairLoads.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"

namespace thimble {
#define GEN_PASS_DEF_ALLOCATEREGISTERS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;
using namespace thimble::m4;

namespace {

/// An operand whose register must be that of another value.
struct Tie {
  OpOperand *operand;
  Value with;
};

// All pairs of values that have one register.
SmallVector<Tie> tiesOf(KernelOp kernel) {
  SmallVector<Tie> ties;
  // First those that no copy can undo: the registers of a loop are those of its results.
  kernel.walk([&](LoopOp loop) {
    for (BlockArgument argument : loop.getBlock().getArguments())
      ties.push_back({nullptr, argument});
  });
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto loop = dyn_cast<LoopOp>(op)) {
      Operation *next = loop.getBlock().getTerminator();
      for (unsigned i = 0; i < op->getNumOperands(); ++i) {
        ties.push_back({&op->getOpOperand(i), loop.getBlock().getArgument(i)});
        ties.push_back({&next->getOpOperand(i), loop.getBlock().getArgument(i)});
      }
    } else if (auto branch = dyn_cast<IfOp>(op)) {
      for (Region &region : op->getRegions())
        if (!region.empty())
          for (OpOperand &operand : region.front().getTerminator()->getOpOperands())
            ties.push_back({&operand, op->getResult(operand.getOperandNumber())});
    } else if (auto instruction = dyn_cast<Instruction>(op)) {
      for (auto [operand, result] : instruction.getTied())
        ties.push_back({&op->getOpOperand(operand), op->getResult(result)});
    }
  });
  return ties;
}

/// Values that share one register.
struct Web {
  SmallVector<Value, 4> members;
  LiveIntervals life;
  int fixed = -1; // the register that it must have
  int assigned = -1;
  bool isInLoop = false; // carried by a loop

  bool overlaps(const Web &other) const {
    return llvm::any_of(life, [&](const LiveInterval &a) {
      return llvm::any_of(other.life, [&](const LiveInterval &b) { return a.overlaps(b); });
    });
  }
  int start() const {
    int first = life.front().start;
    for (const LiveInterval &i : life)
      first = std::min(first, i.start);
    return first;
  }
};

/// The webs of a kernel, and the operands that need a copy because their value lives on.
class Webs {
public:
  explicit Webs(KernelOp kernel) : kernel(kernel), liveness(kernel) {
    for (Value value : liveness.values()) {
      auto web = std::make_unique<Web>();
      web->members.push_back(value);
      web->life = liveness.of(value);
      webOf[value] = web.get();
      storage.push_back(std::move(web));
    }
    for (auto [number, argument] : llvm::enumerate(kernel.getBlock().getArguments()))
      webOf[argument]->fixed = static_cast<int>(number);
    for (const Tie &tie : tiesOf(kernel))
      join(tie);
  }

  Web *of(Value value) const { return webOf.lookup(value); }
  SmallVector<Web *> all() const {
    SmallVector<Web *> webs;
    for (auto &web : storage)
      if (!web->members.empty())
        webs.push_back(web.get());
    return webs;
  }
  int slots() const { return liveness.slots(); }
  const Liveness &lives() const { return liveness; }

  SmallVector<OpOperand *> needCopies;
  /// Results of loops that live on with a value that the loop reads.
  SmallVector<OpResult> resultsToCopy;

private:
  void join(const Tie &tie) {
    auto argument = dyn_cast<BlockArgument>(tie.with);
    Value value = tie.operand ? tie.operand->get() : resultOf(argument);
    Web *a = webOf[value], *b = webOf[tie.with];
    b->isInLoop |= static_cast<bool>(argument); // only loops tie to arguments
    if (a == b)
      return;
    const bool twoFixed = a->fixed >= 0 && b->fixed >= 0 && a->fixed != b->fixed;
    if (twoFixed || a->overlaps(*b)) {
      if (tie.operand)
        needCopies.push_back(tie.operand);
      else
        resultsToCopy.push_back(cast<OpResult>(value));
      return;
    }
    for (Value member : a->members)
      webOf[member] = b;
    b->members.append(a->members);
    b->life.append(a->life);
    b->isInLoop |= a->isInLoop;
    b->fixed = std::max(a->fixed, b->fixed);
    a->members.clear();
  }
  static Value resultOf(BlockArgument argument) {
    return argument.getOwner()->getParentOp()->getResult(argument.getArgNumber());
  }

  KernelOp kernel;
  Liveness liveness;
  std::vector<std::unique_ptr<Web>> storage;
  llvm::DenseMap<Value, Web *> webOf;
};

Operation *copyOf(OpBuilder &builder, Value value) {
  MLIRContext *context = value.getContext();
  if (isa<GprType>(value.getType()))
    return CopyOp::create(builder, value.getLoc(), GprType::get(context), value);
  return CopySOp::create(builder, value.getLoc(), FprType::get(context), value);
}

void insertCopy(OpOperand &operand) {
  OpBuilder builder(operand.getOwner());
  operand.set(copyOf(builder, operand.get())->getResult(0));
}

void insertCopyAfter(OpResult result) {
  OpBuilder builder(result.getContext());
  builder.setInsertionPointAfter(result.getOwner());
  Operation *copy = copyOf(builder, result);
  result.replaceAllUsesExcept(copy->getResult(0), copy);
}

/// Gives the webs of one class of registers their numbers.
class Coloring {
public:
  Coloring(const Webs &webs, bool isFpr) : webs(webs), isFpr(isFpr) {
    taken.assign(isFpr ? numFprs : numGprs, llvm::BitVector(static_cast<unsigned>(webs.slots())));
    for (Web *web : webs.all())
      if (isa<FprType>(web->members.front().getType()) == isFpr)
        list.push_back(web);
  }

  enum Order { ByStart, LoopsFirst };
  /// The value that finds no register, or none: success.
  Value run(Order order) {
    for (auto &bits : taken)
      bits.reset();
    for (Web *web : list) {
      web->assigned = -1;
      if (web->fixed >= 0)
        assign(*web, web->fixed);
    }
    llvm::stable_sort(list, [&](Web *a, Web *b) {
      if (order == LoopsFirst && a->isInLoop != b->isInLoop)
        return a->isInLoop;
      return a->start() < b->start();
    });
    for (Web *web : list) {
      for (Value member : web->members)
        if (isLoadedByMultiple(member) && !assignAscending(member.getDefiningOp()))
          return member;
      if (web->assigned < 0 && !assignAny(*web))
        return web->members.front();
    }
    return {};
  }

private:
  bool isFree(const Web &web, int number) const {
    const llvm::BitVector &bits = taken[static_cast<size_t>(number)];
    return llvm::all_of(web.life, [&](const LiveInterval &i) {
      return bits.find_first_in(static_cast<unsigned>(i.start), static_cast<unsigned>(i.end) + 1) <
             0;
    });
  }
  void assign(Web &web, int number) {
    web.assigned = number;
    for (const LiveInterval &i : web.life)
      taken[static_cast<size_t>(number)].set(static_cast<unsigned>(i.start),
                                             static_cast<unsigned>(i.end) + 1);
  }

  static bool isLoadedByMultiple(Value value) {
    Operation *op = value.getDefiningOp();
    return op &&
           (isa<LoadMultipleOp>(op) || (isa<LoadMultiplePostOp>(op) && value != op->getResult(0)));
  }

  // An accumulator stays where it is: the register of the last operand, if that dies here.
  int hintFor(const Web &web) const {
    Operation *op = web.members.front().getDefiningOp();
    if (!op || web.members.size() > 1 || op->getNumOperands() == 0 || op->getNumRegions() > 0)
      return -1;
    Web *last = webs.of(op->getOperands().back());
    if (!last || isa<FprType>(last->members.front().getType()) != isFpr)
      return -1;
    return last->assigned;
  }

  bool assignAny(Web &web) {
    if (int hint = hintFor(web); hint >= 0 && isFree(web, hint)) {
      assign(web, hint);
      return true;
    }
    for (int number : preference(web))
      if (isFree(web, number)) {
        assign(web, number);
        return true;
      }
    return false;
  }

  // What lives long takes registers that are saved anyway, and leaves the others to what does not.
  SmallVector<int> preference(const Web &web) const {
    SmallVector<int> numbers;
    const int count = isFpr ? numFprs : numGprs;
    for (int i = 0; i < count; ++i)
      numbers.push_back(i);
    if (!isFpr && web.isInLoop)
      std::rotate(numbers.begin(), numbers.begin() + 4, numbers.end());
    return numbers;
  }

  // LDM fills registers in ascending order.
  bool assignAscending(Operation *op) {
    int above = -1;
    auto values = isa<LoadMultipleOp>(op) ? op->getResults() : op->getResults().drop_front();
    if (auto post = dyn_cast<LoadMultiplePostOp>(op))
      if (Web *base = webs.of(post.getNext()); base->assigned < 0 && !assignAny(*base))
        return false;
    for (Value value : values) {
      Web &web = *webs.of(value);
      if (web.assigned >= 0) {
        if (web.assigned <= above)
          return false;
      } else {
        for (int number = above + 1; number < numGprs && web.assigned < 0; ++number)
          if (isFree(web, number))
            assign(web, number);
        if (web.assigned < 0)
          return false;
      }
      above = web.assigned;
    }
    return true;
  }

  const Webs &webs;
  bool isFpr;
  std::vector<llvm::BitVector> taken;
  SmallVector<Web *> list;
};

/// Consecutive loads instead of an LDM: as fast, in any registers.
void splitMultiple(Operation *op) {
  OpBuilder builder(op);
  Value base = op->getOperand(0);
  auto gpr = GprType::get(op->getContext());
  auto post = dyn_cast<LoadMultiplePostOp>(op);
  auto values = post ? post.getValues() : cast<LoadMultipleOp>(op).getValues();
  UnitAttr table = op->getAttrOfType<UnitAttr>("table");
  auto word = builder.getStringAttr("w");
  // The first word comes last: it may take the base's register, or moves the base.
  for (size_t i = values.size(); i-- > (post ? 1u : 0u);)
    values[i].replaceAllUsesWith(
        LoadOp::create(builder, op->getLoc(), gpr, base, word,
                       builder.getI64IntegerAttr(static_cast<int64_t>(4 * i)), table));
  if (post) {
    auto load = LoadPostOp::create(
        builder, op->getLoc(), gpr, gpr, base, word,
        builder.getI64IntegerAttr(static_cast<int64_t>(4 * values.size())), table);
    values[0].replaceAllUsesWith(load.getValue());
    post.getNext().replaceAllUsesWith(load.getNext());
  }
  op->erase();
}

void setRegister(Value value, int number) {
  MLIRContext *context = value.getContext();
  value.setType(isa<FprType>(value.getType()) ? Type(FprType::get(context, number))
                                              : Type(GprType::get(context, number)));
}

struct AllocateRegistersPass : thimble::impl::AllocateRegistersBase<AllocateRegistersPass> {
  using AllocateRegistersBase::AllocateRegistersBase;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    if (llvm::all_of(kernel.getBlock().getArgumentTypes(),
                     [](Type t) { return !cast<GprType>(t).isVirtual(); }) &&
        kernel.getBlock().getNumArguments() > 0)
      return; // allocated before
    if (succeeded(allocatePaired(kernel)))
      return;
    if (failed(allocate(kernel)))
      signalPassFailure();
  }

  // Loads that move hold their registers for longer. Where that leaves too few, none moves.
  LogicalResult allocatePaired(KernelOp kernel) {
    if (!pairLoads)
      return failure();
    OwningOpRef<KernelOp> before = cast<KernelOp>(kernel->clone());
    m4::pairLoads(kernel);
    if (succeeded(allocate(kernel, /*reports=*/false)))
      return success();
    kernel.getBody().takeBody(before->getBody());
    return failure();
  }

  static LogicalResult allocate(KernelOp kernel, bool reports = true) {
    // Copies and split loads change positions; each round needs fewer of them.
    constexpr int mostRounds = 64;
    for (int round = 0; round < mostRounds; ++round) {
      Webs webs(kernel);
      if (!webs.needCopies.empty() || !webs.resultsToCopy.empty()) {
        llvm::for_each(webs.resultsToCopy, insertCopyAfter);
        for (OpOperand *operand : webs.needCopies)
          insertCopy(*operand);
        continue;
      }
      Value failed = color(webs, /*isFpr=*/false);
      if (!failed)
        failed = color(webs, /*isFpr=*/true);
      if (!failed) {
        for (Web *web : webs.all())
          for (Value member : web->members)
            setRegister(member, web->assigned);
        return success();
      }
      Operation *multiple = firstMultiple(kernel, failed, webs.lives());
      if (!multiple)
        return reports ? report(kernel, failed, webs) : failure();
      splitMultiple(multiple);
    }
    return reports ? kernel.emitOpError("copies of its registers do not come to an end")
                   : failure();
  }

  static Value color(const Webs &webs, bool isFpr) {
    Coloring coloring(webs, isFpr);
    Value failed = coloring.run(Coloring::ByStart);
    return failed ? coloring.run(Coloring::LoopsFirst) : failed;
  }

  // An LDM at or around the place where registers ran out.
  static Operation *firstMultiple(KernelOp kernel, Value failed, const Liveness &lives) {
    Operation *found = nullptr;
    const LiveInterval life = lives.of(failed).front();
    kernel.walk([&](Operation *op) {
      if (found || !isa<LoadMultipleOp, LoadMultiplePostOp>(op))
        return;
      if (op == failed.getDefiningOp() || llvm::any_of(op->getResults(), [&](Value v) {
            return lives.of(v).front().overlaps(life);
          }))
        found = op;
    });
    return found;
  }

  static LogicalResult report(KernelOp kernel, Value failed, const Webs &webs) {
    const int slot = webs.lives().of(failed).front().start;
    int live = 0;
    for (Value value : webs.lives().values())
      live += value.getType().getTypeID() == failed.getType().getTypeID() &&
              llvm::any_of(webs.lives().of(value),
                           [&](const LiveInterval &i) { return i.start <= slot && slot <= i.end; });
    Operation *op =
        failed.getDefiningOp() ? failed.getDefiningOp() : failed.getParentBlock()->getParentOp();
    return kernel.emitOpError("has no register left: ")
           << live << " hold something when '" << op->getName() << "' needs one";
  }
};

} // namespace
