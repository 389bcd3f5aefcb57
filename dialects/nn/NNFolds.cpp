// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Folders, which never look at the elements of a constant, and the evaluation
// of operators of constants, which passes ask for.

#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace thimble::nn {

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

// A movement whose result has the input's type moves nothing where its
// parameters say so; equal shapes alone do not tell (a square transposed).
template <typename Op> static bool sameType(Op op) {
  return op.getInput().getType() == op.getOutput().getType();
}
static bool allEqual(llvm::ArrayRef<int64_t> values, int64_t value) {
  return llvm::all_of(values, [=](int64_t v) { return v == value; });
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (sameType(*this))
    return getInput();
  if (auto producer = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(producer.getInput());
    return getOutput();
  }
  return {};
}
OpFoldResult TransposeOp::fold(FoldAdaptor) {
  if (sameType(*this) && llvm::is_sorted(getPermutation()))
    return getInput();
  return {};
}
OpFoldResult SliceOp::fold(FoldAdaptor) {
  return sameType(*this) ? OpFoldResult(getInput()) : OpFoldResult();
}
OpFoldResult StridedSliceOp::fold(FoldAdaptor) {
  // With stride 1 a slice as large as the input is the input.
  if (sameType(*this) && allEqual(getStrides(), 1))
    return getInput();
  return {};
}
OpFoldResult ConcatenationOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && getInputs().front().getType() == getOutput().getType())
    return getInputs().front();
  return {};
}
OpFoldResult PadOp::fold(FoldAdaptor) {
  return sameType(*this) && allEqual(getPaddings(), 0) ? OpFoldResult(getInput()) : OpFoldResult();
}
OpFoldResult MirrorPadOp::fold(FoldAdaptor) {
  return sameType(*this) && allEqual(getPaddings(), 0) ? OpFoldResult(getInput()) : OpFoldResult();
}
OpFoldResult TileOp::fold(FoldAdaptor) {
  return sameType(*this) && allEqual(getMultiples(), 1) ? OpFoldResult(getInput()) : OpFoldResult();
}
OpFoldResult BroadcastToOp::fold(FoldAdaptor) {
  return sameType(*this) ? OpFoldResult(getInput()) : OpFoldResult();
}
OpFoldResult ReverseOp::fold(FoldAdaptor) {
  llvm::ArrayRef<int64_t> shape = getInput().getType().getShape();
  if (sameType(*this) && llvm::all_of(getAxes(), [&](int64_t axis) { return shape[axis] == 1; }))
    return getInput();
  return {};
}

FailureOr<llvm::SmallVector<Attribute>> foldConstants(NNOperator op) {
  llvm::SmallVector<Tensor> operands;
  for (Value operand : op->getOperands()) {
    auto constant = operand.getDefiningOp<ConstantOp>();
    if (!constant)
      return failure();
    std::optional<Tensor> tensor = toTensor(constant.getValue(), operand.getType());
    if (!tensor)
      return failure();
    operands.push_back(std::move(*tensor));
  }
  llvm::SmallVector<const Tensor *> inputs;
  for (const Tensor &tensor : operands)
    inputs.push_back(&tensor);
  llvm::SmallVector<Tensor> outputs;
  for (Type type : op->getResultTypes()) {
    std::optional<TensorType> tensorType = toTensorType(type);
    if (!tensorType)
      return failure();
    outputs.emplace_back(std::move(*tensorType));
  }
  // What evaluation reports is for whoever runs the network, not for folding.
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  if (failed(op.evaluate(inputs, outputs)))
    return failure();
  llvm::SmallVector<Attribute> attributes;
  for (const Tensor &tensor : outputs)
    attributes.push_back(toAttribute(op->getContext(), tensor));
  return attributes;
}

} // namespace thimble::nn
