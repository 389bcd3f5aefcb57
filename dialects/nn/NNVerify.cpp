// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The verifier of every operator of nn. What it accepts can be evaluated and
// lowered without a further check: shapes, attributes and quantizations fit.

#include "dialects/nn/NNLegality.h"
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"

using namespace mlir;

namespace thimble::nn {

static FailureOr<TensorType> checkedType(Operation *op, llvm::StringRef what, size_t index,
                                         Type type) {
  std::string why;
  if (std::optional<TensorType> result = toTensorType(type, &why))
    return *result;
  return op->emitOpError() << what << " #" << index << ": " << why << "; it is " << type;
}

LogicalResult detail::verifyOperator(Operation *op) {
  llvm::SmallVector<TensorType> types;
  for (auto [i, type] : llvm::enumerate(op->getOperandTypes())) {
    FailureOr<TensorType> checked = checkedType(op, "operand", i, type);
    if (failed(checked))
      return failure();
    types.push_back(std::move(*checked));
  }
  for (auto [i, type] : llvm::enumerate(op->getResultTypes())) {
    FailureOr<TensorType> checked = checkedType(op, "result", i, type);
    if (failed(checked))
      return failure();
    types.push_back(std::move(*checked));
  }
  llvm::SmallVector<const TensorType *> pointers;
  for (const TensorType &type : types)
    pointers.push_back(&type);
  llvm::ArrayRef<const TensorType *> all = pointers;
  unsigned operands = op->getNumOperands();
  if (std::optional<std::string> why = whyIllegal(
          op->getName().stripDialect(), all.take_front(operands), all.drop_front(operands)))
    return op->emitOpError(*why);

  for (NamedAttribute attribute : op->getAttrs())
    if (auto number = llvm::dyn_cast<FloatAttr>(attribute.getValue()))
      if (!number.getValue().isFinite())
        return op->emitOpError("expects a finite ") << attribute.getName();

  llvm::SmallVector<llvm::SmallVector<int64_t>> shapes;
  if (failed(llvm::cast<NNOperator>(op).inferShapes(shapes)))
    return failure();
  for (auto [type, shape] : llvm::zip_equal(op->getResultTypes(), shapes)) {
    auto actual = llvm::cast<RankedTensorType>(type);
    if (actual.getShape() != llvm::ArrayRef(shape))
      return op->emitOpError("expects a result of type ")
             << RankedTensorType::get(shape, actual.getElementType()) << ", got " << type;
  }
  return success();
}

LogicalResult ConstantOp::verify() {
  std::string why;
  if (!checkConstant(getValue(), getOutput().getType(), &why))
    return emitOpError(why);
  return success();
}

} // namespace thimble::nn
