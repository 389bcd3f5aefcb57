// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The copies that each operator of the DataMovement interface stands for.

#include "dialects/nn/NNOps.h"

using namespace mlir;

namespace thimble::nn {

static Shape shapeOf(Value value) {
  llvm::ArrayRef<int64_t> shape = llvm::cast<RankedTensorType>(value.getType()).getShape();
  return Shape(shape.begin(), shape.end());
}
static std::vector<int64_t> toVector(llvm::ArrayRef<int64_t> values) {
  return std::vector<int64_t>(values.begin(), values.end());
}
static std::vector<EdgePadding> toPairs(llvm::ArrayRef<int64_t> values) {
  std::vector<EdgePadding> pairs;
  for (size_t i = 0; i + 1 < values.size(); i += 2)
    pairs.push_back({values[i], values[i + 1]});
  return pairs;
}

MovementPlan ReshapeOp::getMovement() {
  return {sliceCopies(shapeOf(getInput()), Shape(getInput().getType().getRank(), 0),
                      shapeOf(getInput()))};
}
MovementPlan TransposeOp::getMovement() {
  return {transposeCopies(shapeOf(getInput()), toVector(getPermutation()))};
}
MovementPlan SliceOp::getMovement() {
  return {sliceCopies(shapeOf(getInput()), toVector(getBegin()), toVector(getSize()))};
}
MovementPlan StridedSliceOp::getMovement() {
  StridedSlice slice;
  slice.begin = toVector(getBegin());
  slice.strides = toVector(getStrides());
  slice.extents = toVector(getSize());
  slice.shape = shapeOf(getOutput());
  return {stridedSliceCopies(shapeOf(getInput()), slice)};
}
MovementPlan ConcatenationOp::getMovement() {
  std::vector<Shape> shapes;
  for (Value input : getInputs())
    shapes.push_back(shapeOf(input));
  return {concatCopies(shapes, getAxis())};
}
MovementPlan SplitOp::getMovement() {
  std::vector<int64_t> sizes;
  for (Value output : getOutputs())
    sizes.push_back(shapeOf(output)[getAxis()]);
  return {splitCopies(shapeOf(getInput()), sizes, getAxis())};
}
MovementPlan PackOp::getMovement() {
  return {packCopies(shapeOf(getInputs().front()), static_cast<int64_t>(getInputs().size()),
                     getAxis())};
}
MovementPlan UnpackOp::getMovement() { return {unpackCopies(shapeOf(getInput()), getAxis())}; }
MovementPlan PadOp::getMovement() {
  MovementPlan plan{padCopies(shapeOf(getInput()), toPairs(getPaddings()))};
  plan.fill = getValue() ? MovementPlan::Fill::Operand : MovementPlan::Fill::Zero;
  plan.fillOperand = getValue() ? 1 : -1;
  return plan;
}
MovementPlan MirrorPadOp::getMovement() {
  return {mirrorPadCopies(shapeOf(getInput()), toPairs(getPaddings()),
                          getMode() == MirrorMode::Reflect)};
}
MovementPlan TileOp::getMovement() {
  return {tileCopies(shapeOf(getInput()), toVector(getMultiples()))};
}
MovementPlan BroadcastToOp::getMovement() {
  return {broadcastToCopies(shapeOf(getInput()), shapeOf(getOutput()))};
}
MovementPlan ReverseOp::getMovement() {
  return {reverseCopies(shapeOf(getInput()), toVector(getAxes()))};
}
MovementPlan SpaceToDepthOp::getMovement() {
  return {spaceToDepthCopies(shapeOf(getInput()), getBlockSize())};
}
MovementPlan DepthToSpaceOp::getMovement() {
  return {depthToSpaceCopies(shapeOf(getInput()), getBlockSize())};
}
MovementPlan SpaceToBatchNDOp::getMovement() {
  MovementPlan plan{
      spaceToBatchCopies(shapeOf(getInput()), toVector(getBlockShape()), toPairs(getPaddings()))};
  plan.fill = MovementPlan::Fill::Zero;
  return plan;
}
MovementPlan BatchToSpaceNDOp::getMovement() {
  return {batchToSpaceCopies(shapeOf(getInput()), toVector(getBlockShape()), toPairs(getCrops()))};
}

} // namespace thimble::nn
