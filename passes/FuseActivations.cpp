// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/Passes.h"
#include "passes/analysis/Bounds.h"
#include "passes/analysis/Pointwise.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"

namespace thimble {
#define GEN_PASS_DEF_FUSEACTIVATIONS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

/// Whether `f`, given for every stored value, of a result clamped to `before` is that result
/// clamped to `after`.
static bool isClamp(ArrayRef<int32_t> f, int32_t least, Bounds before, Bounds after) {
  auto clamp = [](int64_t x, Bounds b) {
    return std::clamp(x, static_cast<int64_t>(b.low), static_cast<int64_t>(b.high));
  };
  for (int64_t i = 0; i < static_cast<int64_t>(f.size()); ++i) {
    int64_t x = least + i;
    if (f[static_cast<size_t>(clamp(x, before) - least)] != clamp(x, after))
      return false;
  }
  return true;
}

/// The activation that stands for `op` after an operator with activation `fused`: trying all values
/// proves it for integers; a float clamp of a clamp is the clamp to what both have in common.
static std::optional<nn::Activation> combine(nn::NNOperator op, nn::Activation fused, Type type) {
  constexpr nn::Activation activations[] = {nn::Activation::None, nn::Activation::Relu,
                                            nn::Activation::Relu6, nn::Activation::ReluN1To1};
  Bounds before = activationBounds(fused, type);
  if (std::optional<Bounds> clamp = floatClamp(op)) {
    Bounds common = {std::max(before.low, clamp->low), std::min(before.high, clamp->high)};
    for (nn::Activation activation : activations)
      if (activationBounds(activation, type) == common)
        return activation;
    return std::nullopt;
  }
  if (!isPointwise(op))
    return std::nullopt;
  FailureOr<std::vector<int32_t>> table = tabulate(op);
  if (failed(table))
    return std::nullopt;
  auto least = static_cast<int32_t>(activationBounds(nn::Activation::None, type).low);
  for (nn::Activation activation : activations)
    if (isClamp(*table, least, before, activationBounds(activation, type)))
      return activation;
  return std::nullopt;
}

namespace {

struct FuseActivationsPass : thimble::impl::FuseActivationsBase<FuseActivationsPass> {
  // In program order: a fused producer is the producer of what follows.
  void runOnOperation() override {
    for (Operation &op : llvm::make_early_inc_range(getOperation().getOps()))
      if (auto layer = dyn_cast<nn::NNOperator>(op))
        fuse(layer);
  }

  static void fuse(nn::NNOperator op) {
    if (!isa<nn::UnaryElementwise, nn::BinaryElementwise, nn::QuantizeOp, nn::LookupOp>(
            op.getOperation()))
      return;
    SmallVector<Value, 2> varying = varyingOperands(op);
    if (varying.size() != 1 || !varying.front().hasOneUse() ||
        varying.front().getType() != op->getResult(0).getType())
      return;
    Operation *producer = varying.front().getDefiningOp();
    if (!producer || !producer->hasAttr("activation"))
      return;
    Type type = op->getResult(0).getType();
    std::optional<nn::Activation> activation = combine(op, fusedActivation(producer), type);
    if (!activation)
      return;
    remark::passed(op.getLoc(), remark::RemarkOpts::name("Fuse").category("simplify"))
        << remark::reason("{0} becomes activation '{1}' of {2}", op->getName().stripDialect(),
                          nn::stringifyActivation(*activation), producer->getName().stripDialect());
    producer->setAttr("activation", nn::ActivationAttr::get(op.getContext(), *activation));
    op->getResult(0).replaceAllUsesWith(varying.front());
    op.erase();
  }
};

} // namespace
