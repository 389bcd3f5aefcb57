// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/analysis/LiveSlices.h"
#include "passes/analysis/MacLayer.h"
#include "passes/analysis/Slices.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace thimble {
#define GEN_PASS_DEF_REMOVEDEADSLICES
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;
using llvm::BitVector;

static SmallVector<BitVector, 4> liveSets(const LiveSlices &slices, Value tensor) {
  SmallVector<BitVector, 4> sets;
  for (size_t axis = 0; axis < shapeOf(tensor).size(); ++axis)
    sets.push_back(slices.live(tensor, static_cast<int64_t>(axis)));
  return sets;
}

//===-- Rewriting ---------------------------------------------------------------------------===//

static void cutConstant(nn::ConstantOp constant, const LiveSlices &slices) {
  SmallVector<BitVector, 4> sets = liveSets(slices, constant);
  RankedTensorType type = sliceType(constant.getOutput().getType(), sets);
  Tensor cut;
  cut.type = *nn::toTensorType(type);
  cut.data = sliceData(*constantTensor(constant), sets);
  constant.setValueAttr(nn::toAttribute(constant.getContext(), cut));
  constant.getOutput().setType(type);
}

/// Pads that give a window over the cut input the rows and columns of the cut result.
template <typename Op>
static void cutWindow(Op op, ArrayRef<int64_t> filter, ArrayRef<int64_t> dilations,
                      const LiveSlices &slices) {
  SmallVector<int64_t, 4> pads(op.getPads());
  for (int64_t i = 0; i < 2; ++i) {
    const BitVector &in = slices.live(op.getInput(), i + 1),
                    &out = slices.live(op.getOutput(), i + 1);
    if (in.all() && out.all())
      continue;
    int64_t span = (filter[i] - 1) * dilations[i] + 1;
    pads[2 * i + 1] = (static_cast<int64_t>(out.count()) - 1) * op.getStrides()[i] + span -
                      static_cast<int64_t>(in.count()) - pads[2 * i];
  }
  op.setPads(pads);
}

static void cutSlice(nn::SliceOp slice, const LiveSlices &slices) {
  SmallVector<int64_t> begin(slice.getBegin()), size;
  for (auto [i, first] : llvm::enumerate(begin)) {
    auto axis = static_cast<int64_t>(i);
    BitVector before = slices.live(slice.getInput(), axis);
    before.reset(static_cast<unsigned>(first), before.size());
    first = before.count();
    size.push_back(slices.live(slice.getOutput(), axis).count());
  }
  slice.setBegin(begin);
  slice.setSize(size);
}

/// What `op` says of the shapes of its operands, for the cut ones.
static void cutAttributes(Operation *op, const LiveSlices &slices) {
  llvm::TypeSwitch<Operation *>(op)
      .Case<nn::Conv2DOp, nn::DepthwiseConv2DOp>([&](auto conv) {
        cutWindow(conv, shapeOf(conv.getFilter()).slice(1, 2), conv.getDilations(), slices);
      })
      .Case<nn::AveragePool2DOp, nn::MaxPool2DOp, nn::L2Pool2DOp>(
          [&](auto pool) { cutWindow(pool, pool.getFilter(), {1, 1}, slices); })
      .Case([&](nn::SliceOp slice) { cutSlice(slice, slices); })
      .Case([&](nn::ConcatenationOp concat) {
        for (unsigned i = concat->getNumOperands(); i-- > 0;)
          if (slices.isDead(concat->getOperand(i)))
            concat->eraseOperand(i);
      });
}

/// So that each is cut like its user alone.
static void duplicateSharedConstants(func::FuncOp function) {
  for (auto constant : llvm::make_early_inc_range(function.getOps<nn::ConstantOp>()))
    for (OpOperand &use : llvm::make_early_inc_range(constant->getUses())) {
      if (constant->hasOneUse())
        break;
      OpBuilder builder(constant);
      use.set(cast<nn::ConstantOp>(builder.clone(*constant)));
    }
}

//===-- Remarks -----------------------------------------------------------------------------===//

namespace {

/// What an operator costs.
struct Cost {
  int64_t macs = 0, bytes = 0;

  static Cost of(Operation *op) {
    Cost cost;
    cost.macs = cast<nn::NNOperator>(op).getMacs();
    for (Value operand : op->getOperands())
      if (operand.getDefiningOp<nn::ConstantOp>())
        cost.bytes += static_cast<int64_t>(nn::toTensorType(operand.getType())->bytes());
    return cost;
  }
};

} // namespace

/// "output channels 0-3, 7 of 16, output columns 11 of 12".
static std::string describeCut(Value result, const LiveSlices &slices) {
  std::string text;
  auto last = static_cast<int64_t>(shapeOf(result).size()) - 1;
  bool isPicture = last == 3;
  for (int64_t axis = last; axis >= 0; --axis) {
    BitVector dead = slices.live(result, axis);
    dead.flip();
    if (dead.none())
      continue;
    StringRef name = axis == last             ? "channels"
                     : isPicture && axis == 1 ? "rows"
                     : isPicture && axis == 2 ? "columns"
                                              : "slices";
    text += (text.empty() ? "output " : ", output ") + name.str() + " " + listIndices(dead) +
            " of " + std::to_string(dead.size());
  }
  return text;
}

static void report(Operation *op, const Cost &before, const LiveSlices &slices) {
  Value result = op->getResult(0);
  bool isGone = slices.isDead(result);
  Cost after = isGone ? Cost() : Cost::of(op);
  if (before.macs == after.macs && before.bytes == after.bytes)
    return;
  std::string why;
  if (isGone)
    why = "nothing depends on it";
  else if (!slices.isWhole(result))
    why = "no nonzero weight or other operator reads " + describeCut(result, slices);
  else
    why = "its operands were cut";
  remark::passed(op->getLoc(), remark::RemarkOpts::name("DeadSlices").category("reduce"))
      << remark::reason("{0}; {1} bytes and {2} MACs saved", why, before.bytes - after.bytes,
                        before.macs - after.macs);
}

namespace {

struct RemoveDeadSlicesPass : thimble::impl::RemoveDeadSlicesBase<RemoveDeadSlicesPass> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (!isSmallNetwork(function))
      return;
    Block &block = function.getBody().front();
    duplicateSharedConstants(function);
    LiveSlices slices(function);
    llvm::MapVector<Operation *, Cost> costs;
    for (Operation &op : block)
      if (isa<nn::NNOperator>(op) && op.getNumResults() == 1)
        costs[&op] = Cost::of(&op);
    for (Operation &op : block)
      cutAttributes(&op, slices);
    for (Operation &op : block)
      cutResults(op, slices);
    for (auto &[op, cost] : costs)
      report(op, cost, slices);
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  // A small file can describe tensors with more slices than are worth a bit each.
  static bool isSmallNetwork(func::FuncOp function) {
    constexpr int64_t largest = 1 << 24;
    auto isSmall = [](Type type) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      return tensor && tensor.hasStaticShape() && tensor.getNumElements() <= largest;
    };
    return function.getBody().hasOneBlock() && llvm::all_of(function.getArgumentTypes(), isSmall) &&
           llvm::all_of(function.getOps(),
                        [&](Operation &op) { return llvm::all_of(op.getResultTypes(), isSmall); });
  }

  static void cutResults(Operation &op, const LiveSlices &slices) {
    for (Value result : op.getResults()) {
      if (slices.isDead(result) || slices.isWhole(result))
        continue;
      if (auto constant = dyn_cast<nn::ConstantOp>(op))
        cutConstant(constant, slices);
      else
        result.setType(
            sliceType(cast<RankedTensorType>(result.getType()), liveSets(slices, result)));
    }
  }
};

} // namespace
