// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/Passes.h"
#include "passes/analysis/Bounds.h"
#include "passes/analysis/Pointwise.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/TypeUtilities.h"

namespace thimble {
#define GEN_PASS_DEF_REMOVEIDLECLAMPS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

/// Whether `op` gives every element back that its operand can have.
static bool isIdle(nn::NNOperator op) {
  SmallVector<Value, 2> varying = varyingOperands(op);
  if (varying.size() != 1 || varying.front().getType() != op->getResult(0).getType())
    return false;
  if (std::optional<Bounds> clamp = floatClamp(op))
    return clamp->contains(boundsOf(varying.front()));
  FailureOr<std::vector<int32_t>> table = tabulate(op);
  if (failed(table))
    return false;
  Bounds bounds = boundsOf(varying.front());
  auto least =
      static_cast<int64_t>(activationBounds(nn::Activation::None, varying.front().getType()).low);
  for (auto x = static_cast<int64_t>(bounds.low); x <= static_cast<int64_t>(bounds.high); ++x)
    if ((*table)[static_cast<size_t>(x - least)] != x)
      return false;
  return true;
}

/// Whether the fused activation of `op` clamps nothing that the type's range would not. Pooling
/// does not leave the bounds of its operand either.
static bool isActivationIdle(Operation *op) {
  nn::Activation activation = fusedActivation(op);
  if (activation == nn::Activation::None)
    return false;
  Type type = op->getResult(0).getType();
  Bounds clamp = activationBounds(activation, type);
  bool isQuantized = isa<quant::QuantizedType>(getElementTypeOrSelf(type));
  if (clamp == activationBounds(nn::Activation::None, type))
    return isQuantized;
  // The mean of floats is rounded, and can.
  bool isAverage = isa<nn::AveragePool2DOp>(op) && isQuantized;
  return (isa<nn::MaxPool2DOp>(op) || isAverage) && clamp.contains(boundsOf(op->getOperand(0)));
}

namespace {

struct RemoveIdleClampsPass : thimble::impl::RemoveIdleClampsBase<RemoveIdleClampsPass> {
  void runOnOperation() override {
    for (Operation &op : llvm::make_early_inc_range(getOperation().getOps())) {
      if (isPointwise(&op) && isIdle(cast<nn::NNOperator>(op)))
        remove(op);
      else if (isActivationIdle(&op))
        removeActivation(op);
    }
  }

  static void remove(Operation &op) {
    remark::passed(op.getLoc(), remark::RemarkOpts::name("IdleOperator").category("simplify"))
        << remark::reason("{0} changes no value that its operand can have",
                          op.getName().stripDialect());
    op.getResult(0).replaceAllUsesWith(varyingOperands(&op).front());
    op.erase();
  }

  static void removeActivation(Operation &op) {
    remark::passed(op.getLoc(), remark::RemarkOpts::name("IdleActivation").category("simplify"))
        << remark::reason("activation '{0}' clamps nothing",
                          nn::stringifyActivation(fusedActivation(&op)));
    op.setAttr("activation", nn::ActivationAttr::get(op.getContext(), nn::Activation::None));
  }
};

} // namespace
