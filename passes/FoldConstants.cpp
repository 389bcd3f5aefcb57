// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

namespace thimble {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace {

int64_t bytesOf(ValueRange values) {
  int64_t bytes = 0;
  for (Value value : values)
    bytes += static_cast<int64_t>(nn::toTensorType(value.getType())->bytes());
  return bytes;
}

/// Bytes of flash that are free once `op` is gone: constants that only it reads.
int64_t bytesFreedBy(Operation *op) {
  int64_t bytes = 0;
  llvm::SmallPtrSet<Value, 4> seen;
  for (Value operand : op->getOperands())
    if (seen.insert(operand).second &&
        llvm::all_of(operand.getUsers(), [&](Operation *user) { return user == op; }))
      bytes += bytesOf(operand);
  return bytes;
}

/// Whether the only use of `op`'s results is as weights or bias: in RAM they would cost as much
/// again, and kernels that know their weights are better.
bool isWeight(Operation *op) {
  return llvm::all_of(op->getUses(), [](OpOperand &use) {
    return use.getOperandNumber() > 0 &&
           isa<nn::Conv2DOp, nn::DepthwiseConv2DOp, nn::TransposeConvOp, nn::FullyConnectedOp>(
               use.getOwner());
  });
}

struct FoldConstantsPass : thimble::impl::FoldConstantsBase<FoldConstantsPass> {
  using FoldConstantsBase::FoldConstantsBase;

  // In program order, so that results feed the operators after them.
  void runOnOperation() override {
    for (Operation &op : llvm::make_early_inc_range(getOperation().getOps()))
      if (auto layer = dyn_cast<nn::NNOperator>(op))
        fold(layer);
  }

  void fold(nn::NNOperator op) {
    FailureOr<SmallVector<Attribute>> values = failure();
    if (auto shape = dyn_cast<nn::ShapeOp>(op.getOperation()))
      values = foldShape(shape);
    else if (allOperandsConstant(op) && isWorthwhile(op))
      values = nn::foldConstants(op);
    if (failed(values))
      return;
    remark::passed(op.getLoc(), remark::RemarkOpts::name("Fold").category("simplify"))
        << remark::reason("{0} of constants is a constant of {1} bytes",
                          op->getName().stripDialect(), bytesOf(op->getResults()));
    OpBuilder builder(op);
    for (auto [result, value] : llvm::zip(op->getResults(), *values))
      result.replaceAllUsesWith(nn::ConstantOp::create(builder, op.getLoc(), result.getType(),
                                                       cast<ElementsAttr>(value)));
    SmallVector<Value> operands(op->getOperands());
    op.erase();
    for (Value operand : operands)
      if (auto constant = operand.getDefiningOp<nn::ConstantOp>())
        if (constant->use_empty())
          constant.erase();
  }

  static bool allOperandsConstant(nn::NNOperator op) {
    return llvm::all_of(op->getOperands(), [](Value operand) {
      return static_cast<bool>(operand.getDefiningOp<nn::ConstantOp>());
    });
  }

  bool isWorthwhile(nn::NNOperator op) {
    // More than any core of ours has flash: a small file must not ask for gigabytes.
    constexpr int64_t largestWeights = 16 << 20;
    int64_t bytes = bytesOf(op->getResults());
    return bytes <= bytesFreedBy(op) + growth || (bytes <= largestWeights && isWeight(op));
  }

  // Reads the type of its operand only, which need not be constant.
  static FailureOr<SmallVector<Attribute>> foldShape(nn::ShapeOp op) {
    Tensor operand;
    operand.type = *nn::toTensorType(op.getInput().getType());
    Tensor result(*nn::toTensorType(op.getOutput().getType()));
    if (failed(op.evaluate(&operand, result)))
      return failure();
    return SmallVector<Attribute>{nn::toAttribute(op.getContext(), result)};
  }
};

} // namespace
