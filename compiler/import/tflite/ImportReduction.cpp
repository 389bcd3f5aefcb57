// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reductions.
#include "compiler/import/tflite/Importer.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::tflite;

// The axes in a constant operand, from the front, sorted, each once.
static FailureOr<std::vector<int64_t>> axesOf(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> axes = i.integers(op, 1, "axes");
  if (failed(axes))
    return failure();
  int64_t rank = i.typeOf(op.inputs[0]).rank();
  for (int64_t &axis : *axes) {
    std::optional<int64_t> known = normalizedAxis(axis, rank);
    if (!known)
      return i.error(op) << "axes must be in [" << -rank << ", " << rank << "), got " << axis;
    axis = *known;
  }
  llvm::sort(*axes);
  axes->erase(std::unique(axes->begin(), axes->end()), axes->end());
  return axes;
}

// Where a scalar is left, some models say [1], and the reference takes it: the scalar is reshaped.
template <typename OpTy>
static LogicalResult emitReduction(Importer &i, const Operator &op, bool leavesScalar,
                                   ArrayRef<NamedAttribute> attributes) {
  RankedTensorType declared = i.irType(op.outputs[0]);
  if (!leavesScalar || declared.getShape() != ArrayRef<int64_t>{1})
    return i.emit<OpTy>(op, {i.input(op, 0)}, attributes);
  Type scalar = declared.clone(ArrayRef<int64_t>());
  return i.emit<nn::ReshapeOp>(op,
                               {i.intermediate<OpTy>(op, scalar, {i.input(op, 0)}, attributes)});
}

template <typename OpTy> static LogicalResult reduce(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> axes = axesOf(i, op);
  if (failed(axes))
    return failure();
  bool keepDims = op.options<schema::ReducerOptions>().keep_dims();
  bool leavesScalar =
      !keepDims && static_cast<int64_t>(axes->size()) == i.typeOf(op.inputs[0]).rank();
  return emitReduction<OpTy>(
      i, op, leavesScalar,
      {i.attr("axes", ArrayRef<int64_t>(*axes)), i.attr("keepDims", keepDims)});
}

template <typename OpTy> static LogicalResult arg(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> axes = axesOf(i, op);
  if (failed(axes))
    return failure();
  if (axes->size() != 1)
    return i.error(op) << "axis must have one element, got " << axes->size();
  return emitReduction<OpTy>(i, op, /*leavesScalar=*/i.typeOf(op.inputs[0]).rank() == 1,
                             {i.attr("axis", axes->front())});
}

OperatorImporter tflite::reductionImporter(BuiltinOperator code) {
  switch (code) {
  case BuiltinOperator::MEAN:
    return reduce<nn::MeanOp>;
  case BuiltinOperator::SUM:
    return reduce<nn::SumOp>;
  case BuiltinOperator::REDUCE_MAX:
    return reduce<nn::ReduceMaxOp>;
  case BuiltinOperator::REDUCE_MIN:
    return reduce<nn::ReduceMinOp>;
  case BuiltinOperator::REDUCE_PROD:
    return reduce<nn::ReduceProdOp>;
  case BuiltinOperator::REDUCE_ANY:
    return reduce<nn::ReduceAnyOp>;
  case BuiltinOperator::REDUCE_ALL:
    return reduce<nn::ReduceAllOp>;
  case BuiltinOperator::ARG_MAX:
    return arg<nn::ArgMaxOp>;
  case BuiltinOperator::ARG_MIN:
    return arg<nn::ArgMinOp>;
  default:
    return nullptr;
  }
}
