// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Evaluation of elementwise operators, reductions, conversions and resizing.

#include "dialects/nn/NNOps.h"
#include "dialects/nn/reference/Convert.h"
#include "dialects/nn/reference/ElementwiseOther.h"
#include "dialects/nn/reference/Resize.h"

using namespace mlir;

namespace thimble::nn {

using Inputs = llvm::ArrayRef<const Tensor *>;
using Outputs = llvm::MutableArrayRef<Tensor>;

static Rule ruleOf(Operation *op) { return op->getAttr("litert") ? Rule::Litert : Rule::Micro; }

UnaryParams detail::unaryParams(Operation *op, UnaryOp kind) {
  UnaryParams params;
  params.op = kind;
  params.rule = ruleOf(op);
  if (auto leaky = llvm::dyn_cast<LeakyReluOp>(op))
    params.alpha = leaky.getAlpha().convertToFloat();
  if (auto gelu = llvm::dyn_cast<GeluOp>(op))
    params.approximate = gelu.getApproximate();
  return params;
}

LogicalResult detail::evaluateUnary(Operation *op, Inputs inputs, Outputs outputs) {
  thimble::evaluateUnary(llvm::cast<UnaryElementwise>(op).getUnaryParams(), *inputs[0], outputs[0]);
  return success();
}

LogicalResult detail::evaluateBinary(Operation *op, Inputs inputs, Outputs outputs) {
  auto binary = llvm::cast<BinaryElementwise>(op);
  BinaryParams params;
  params.op = binary.getBinaryOp();
  params.activation = static_cast<thimble::Activation>(binary.getFusedActivation());
  params.rule = ruleOf(op);
  thimble::evaluateBinary(params, *inputs[0], *inputs[1], outputs[0]);
  return success();
}

LogicalResult detail::evaluateReduction(Operation *op, llvm::ArrayRef<int64_t> axes, Inputs inputs,
                                        Outputs outputs) {
  evaluateReduce(llvm::cast<Reduction>(op).getReduceOp(),
                 std::vector<int64_t>(axes.begin(), axes.end()), *inputs[0], outputs[0]);
  return success();
}

LogicalResult LookupOp::evaluate(Inputs inputs, Outputs outputs) {
  // The table starts at the least value: -128 of an int8, 0 of a uint8.
  unsigned first = inputs[0]->type.element == ElementType::Int8 ? 128 : 0;
  llvm::ArrayRef<char> table = llvm::cast<DenseElementsAttr>(getTable()).getRawData();
  bool splat = table.size() == 1;
  for (size_t i = 0; i < inputs[0]->data.size(); ++i) {
    unsigned index = (std::to_integer<unsigned>(inputs[0]->data[i]) + first) & 255;
    outputs[0].data[i] = std::byte(table[splat ? 0 : index]);
  }
  return success();
}

LogicalResult CastOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateCast(*inputs[0], outputs[0]);
  return success();
}
LogicalResult QuantizeOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateQuantize(*inputs[0], outputs[0]);
  return success();
}
LogicalResult DequantizeOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateDequantize(*inputs[0], outputs[0]);
  return success();
}
LogicalResult AddNOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateAddN(std::vector<const Tensor *>(inputs.begin(), inputs.end()), outputs[0]);
  return success();
}
LogicalResult SelectOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateSelect(*inputs[0], *inputs[1], *inputs[2], /*firstDimension=*/false, outputs[0]);
  return success();
}
LogicalResult ArgMaxOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateArgMax(*inputs[0], getAxis(), outputs[0]);
  return success();
}
LogicalResult ArgMinOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateArgMin(*inputs[0], getAxis(), outputs[0]);
  return success();
}

LogicalResult ResizeBilinearOp::evaluate(Inputs inputs, Outputs outputs) {
  resizeBilinear(*inputs[0], outputs[0], {getAlignCorners(), getHalfPixelCenters()});
  return success();
}
LogicalResult ResizeNearestNeighborOp::evaluate(Inputs inputs, Outputs outputs) {
  resizeNearestNeighbor(*inputs[0], outputs[0], {getAlignCorners(), getHalfPixelCenters()});
  return success();
}

} // namespace thimble::nn
