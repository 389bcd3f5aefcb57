// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Evaluation of operators that move or pick elements.

#include "dialects/nn/NNOps.h"
#include "dialects/nn/reference/Gather.h"
#include "dialects/nn/reference/Movement.h"

using namespace mlir;

namespace thimble::nn {

using Inputs = llvm::ArrayRef<const Tensor *>;
using Outputs = llvm::MutableArrayRef<Tensor>;

LogicalResult detail::evaluateMovement(Operation *op, Inputs inputs, Outputs outputs) {
  MovementPlan plan = llvm::cast<DataMovement>(op).getMovement();
  std::vector<Tensor *> results;
  for (Tensor &output : outputs) {
    results.push_back(&output);
    if (plan.fill == MovementPlan::Fill::Zero)
      fillZero(output);
    else if (plan.fill == MovementPlan::Fill::Operand)
      fillTensor(*inputs[plan.fillOperand], output);
  }
  runCopies(plan.copies, std::vector<const Tensor *>(inputs.begin(), inputs.end()), results);
  return success();
}

LogicalResult GatherOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateGather(*inputs[0], *inputs[1], getAxis(), getBatchDims(), outputs[0]);
  return success();
}
LogicalResult GatherNDOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateGatherNd(*inputs[0], *inputs[1], outputs[0]);
  return success();
}
LogicalResult ScatterNDOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateScatterNd(*inputs[0], *inputs[1], outputs[0]);
  return success();
}
LogicalResult OneHotOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateOneHot(*inputs[0], *inputs[1], *inputs[2], getAxis(), outputs[0]);
  return success();
}
LogicalResult FillOp::evaluate(Inputs inputs, Outputs outputs) {
  fillTensor(*inputs[0], outputs[0]);
  return success();
}

LogicalResult ShapeOp::evaluate(Inputs inputs, Outputs outputs) {
  evaluateShape(inputs[0]->type, outputs[0]);
  return success();
}

} // namespace thimble::nn
