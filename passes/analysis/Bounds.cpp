// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Bounds.h"

#include "dialects/nn/NNTypes.h"
#include "passes/analysis/Pointwise.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace thimble {

static constexpr double infinity = std::numeric_limits<double>::infinity();

static Bounds hull(Bounds a, Bounds b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}
static Bounds intersect(Bounds a, Bounds b) {
  return {std::clamp(b.low, a.low, a.high), std::clamp(b.high, a.low, a.high)};
}

static Bounds typeBounds(const TensorType &type) {
  if (!hasFewValues(type))
    return {-infinity, infinity};
  ClampRange range = storageRange(type.element);
  return {double(range.low), double(range.high)};
}

nn::Activation fusedActivation(Operation *op) {
  auto attribute = op->getAttrOfType<nn::ActivationAttr>("activation");
  return attribute ? attribute.getValue() : nn::Activation::None;
}

Bounds activationBounds(nn::Activation activation, Type type) {
  TensorType tensor = *nn::toTensorType(type);
  auto kind = static_cast<Activation>(activation);
  if (tensor.element == ElementType::Float32) {
    FloatRange range = floatActivationRange(kind);
    return {range.low, range.high};
  }
  if (!hasFewValues(tensor))
    return typeBounds(tensor);
  ClampRange range = quantizedActivationRange(kind, tensor);
  return {double(range.low), double(range.high)};
}

std::optional<Bounds> floatClamp(Operation *op) {
  auto unary = dyn_cast<nn::UnaryElementwise>(op);
  if (!unary || !getElementTypeOrSelf(op->getResult(0).getType()).isF32())
    return std::nullopt;
  switch (unary.getUnaryParams().op) {
  case UnaryOp::Relu:
    return Bounds{0, infinity};
  case UnaryOp::Relu6:
    return Bounds{0, 6};
  case UnaryOp::ReluN1To1:
    return Bounds{-1, 1};
  case UnaryOp::Relu0To1:
    return Bounds{0, 1};
  default:
    return std::nullopt;
  }
}

static Bounds boundsWithin(Value value, int depth);

/// Bounds of an integer operator of one element: the least and greatest result it can give.
static std::optional<Bounds> tableBounds(nn::NNOperator op, int depth) {
  FailureOr<std::vector<int32_t>> table = tabulate(op);
  if (failed(table))
    return std::nullopt;
  Value operand = varyingOperands(op).front();
  Bounds in = boundsWithin(operand, depth);
  double least = typeBounds(*nn::toTensorType(operand.getType())).low;
  Bounds out = {infinity, -infinity};
  for (auto i = static_cast<size_t>(in.low - least); i <= static_cast<size_t>(in.high - least); ++i)
    out = hull(out, {double((*table)[i]), double((*table)[i])});
  return out;
}

/// Bounds of what only picks elements of its operands, or averages them.
static Bounds hullOfOperands(Operation *op, int depth) {
  Bounds bounds = {infinity, -infinity};
  for (Value operand : op->getOperands())
    bounds = hull(bounds, boundsWithin(operand, depth));
  auto movement = dyn_cast<nn::DataMovement>(op);
  if (movement && movement.getMovement().fill == nn::MovementPlan::Fill::Zero) {
    double zero = nn::toTensorType(op->getResult(0).getType())->zeroPoint();
    bounds = hull(bounds, {zero, zero});
  }
  return bounds;
}

static Bounds boundsWithin(Value value, int depth) {
  std::optional<TensorType> type = nn::toTensorType(value.getType());
  Operation *op = value.getDefiningOp();
  if (!type)
    return {-infinity, infinity};
  if (!op || depth == 0)
    return typeBounds(*type);
  if (isa<nn::MaxPool2DOp>(op) ||
      (isa<nn::AveragePool2DOp>(op) && type->element != ElementType::Float32))
    return intersect(activationBounds(fusedActivation(op), value.getType()),
                     boundsWithin(op->getOperand(0), depth - 1));
  if (op->hasAttr("activation"))
    return activationBounds(fusedActivation(op), value.getType());
  if (std::optional<Bounds> clamp = floatClamp(op))
    return intersect(*clamp, boundsWithin(op->getOperand(0), depth - 1));
  if (isPointwise(op))
    return tableBounds(cast<nn::NNOperator>(op), depth - 1).value_or(typeBounds(*type));
  // A concatenation of int16 tensors rescales.
  bool rescales = isa<nn::ConcatenationOp>(op) && type->element == ElementType::Int16;
  if (isa<nn::DataMovement>(op) && !rescales)
    return hullOfOperands(op, depth - 1);
  return typeBounds(*type);
}

Bounds boundsOf(Value value) {
  constexpr int depth = 6;
  return boundsWithin(value, depth);
}

} // namespace thimble
