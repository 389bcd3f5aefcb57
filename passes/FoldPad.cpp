// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Remarks.h"
#include "mlir/IR/TypeUtilities.h"

#include <cmath>

namespace thimble {
#define GEN_PASS_DEF_FOLDPAD
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

/// Whether the border of `pad` is what a convolution takes a border for: real zeros, around rows
/// and columns only.
static bool isZeroBorder(nn::PadOp pad) {
  constexpr size_t pictureRank = 4;
  ArrayRef<int64_t> paddings = pad.getPaddings();
  if (paddings.size() != 2 * pictureRank || paddings[0] != 0 || paddings[1] != 0 ||
      paddings[6] != 0 || paddings[7] != 0)
    return false;
  if (pad.getInput().getType().getElementType() != pad.getOutput().getType().getElementType())
    return false;
  if (!pad.getValue())
    return true;
  auto constant = pad.getValue().getDefiningOp<nn::ConstantOp>();
  std::optional<Tensor> value;
  if (constant)
    value = nn::toTensor(constant.getValue(), constant.getType());
  if (!value)
    return false;
  switch (value->type.element) {
  case ElementType::Float32:
    return *value->as<float>() == 0.0f;
  case ElementType::Int8:
    return *value->as<int8_t>() == value->type.zeroPoint();
  case ElementType::UInt8:
    return *value->as<uint8_t>() == value->type.zeroPoint();
  case ElementType::Int16:
    return *value->as<int16_t>() == value->type.zeroPoint();
  default:
    return false;
  }
}

/// A border of zeros adds zeros to the sums, which a convolution that skips the border does not
/// add. For integers that is the same. For floats too, as long as 0 * weight is a zero: a sum that
/// starts with +0 never becomes -0.
static bool hasFiniteFilter(Operation *convolution) {
  Value filter = convolution->getOperand(1);
  if (!getElementTypeOrSelf(filter.getType()).isF32())
    return true;
  auto constant = filter.getDefiningOp<nn::ConstantOp>();
  if (!constant)
    return false;
  std::optional<Tensor> weights = nn::toTensor(constant.getValue(), constant.getType());
  return weights && std::all_of(weights->as<float>(), weights->as<float>() + weights->elements(),
                                [](float w) { return std::isfinite(w); });
}

namespace {

struct FoldPadPass : thimble::impl::FoldPadBase<FoldPadPass> {
  void runOnOperation() override {
    for (nn::PadOp pad : llvm::make_early_inc_range(getOperation().getOps<nn::PadOp>()))
      if (isZeroBorder(pad) && llvm::all_of(pad->getUses(), canTakeBorder))
        fold(pad);
  }

  // Were the padded picture wanted elsewhere too, folding would keep both pictures alive.
  static bool canTakeBorder(OpOperand &use) {
    return use.getOperandNumber() == 0 &&
           isa<nn::Conv2DOp, nn::DepthwiseConv2DOp>(use.getOwner()) &&
           hasFiniteFilter(use.getOwner());
  }

  static void fold(nn::PadOp pad) {
    ArrayRef<int64_t> border = pad.getPaddings().slice(2, 4);
    remark::passed(pad.getLoc(), remark::RemarkOpts::name("FoldPad").category("simplify"))
        << remark::reason("padding of {0}, {1}, {2}, {3} moves into {4} convolution(s)", border[0],
                          border[1], border[2], border[3],
                          std::distance(pad->use_begin(), pad->use_end()));
    for (OpOperand &use : llvm::make_early_inc_range(pad->getUses())) {
      Operation *convolution = use.getOwner();
      SmallVector<int64_t, 4> pads(
          convolution->getAttrOfType<DenseI64ArrayAttr>("pads").asArrayRef());
      for (auto [sum, added] : llvm::zip(pads, border))
        sum += added;
      convolution->setAttr("pads", DenseI64ArrayAttr::get(pad.getContext(), pads));
      use.set(pad.getInput());
    }
    pad.erase();
  }
};

} // namespace
