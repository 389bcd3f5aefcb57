// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Pointwise.h"

#include "dialects/nn/NNTypes.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;

namespace thimble {

/// The first element of `value` as a tensor of one element, if `value` is a constant of equal ones.
static std::optional<Tensor> uniformConstant(Value value) {
  auto constant = value.getDefiningOp<nn::ConstantOp>();
  if (!constant)
    return std::nullopt;
  std::optional<Tensor> data = nn::toTensor(constant.getValue(), value.getType());
  if (!data || data->data.empty() ||
      (data->type.quantization && data->type.quantization->perChannel()))
    return std::nullopt;
  size_t width = byteSize(data->type.element);
  for (size_t i = width; i < data->data.size(); ++i)
    if (data->data[i] != data->data[i - width])
      return std::nullopt;
  data->type.shape = {1};
  data->data.resize(width);
  return data;
}

static bool hasShape(Value value, ArrayRef<int64_t> shape) {
  return cast<RankedTensorType>(value.getType()).getShape() == shape;
}

static bool isPerChannel(Value value) {
  return isa<quant::UniformQuantizedPerAxisType>(getElementTypeOrSelf(value.getType()));
}

bool isPointwise(Operation *op) {
  if (!isa<nn::UnaryElementwise, nn::BinaryElementwise, nn::QuantizeOp, nn::DequantizeOp,
           nn::CastOp, nn::LookupOp>(op))
    return false;
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    if (isPerChannel(operand))
      return false;
    return operand.getDefiningOp<nn::ConstantOp>() ? uniformConstant(operand).has_value()
                                                   : hasShape(operand, shape);
  });
}

SmallVector<Value, 2> varyingOperands(Operation *op) {
  SmallVector<Value, 2> varying;
  for (Value operand : op->getOperands())
    if (!operand.getDefiningOp<nn::ConstantOp>() && !llvm::is_contained(varying, operand))
      varying.push_back(operand);
  return varying;
}

FailureOr<Tensor> evaluatePointwise(nn::NNOperator op, const Samples &samples) {
  SmallVector<Tensor, 2> constants;
  constants.reserve(op->getNumOperands());
  SmallVector<const Tensor *, 2> inputs;
  int64_t length = 1;
  for (Value operand : op->getOperands()) {
    if (auto it = samples.find(operand); it != samples.end()) {
      inputs.push_back(&it->second);
      length = it->second.elements();
    } else {
      constants.push_back(*uniformConstant(operand));
      inputs.push_back(&constants.back());
    }
  }
  TensorType type = *nn::toTensorType(op->getResult(0).getType());
  type.shape = {length};
  Tensor result(type);
  if (failed(op.evaluate(inputs, result)))
    return failure();
  return result;
}

bool hasFewValues(const TensorType &type) {
  return type.element == ElementType::Int8 || type.element == ElementType::UInt8 ||
         type.element == ElementType::Int16;
}

Tensor allValues(const TensorType &type) {
  ClampRange range = storageRange(type.element);
  TensorType line = type;
  line.shape = {int64_t(range.high) - range.low + 1};
  Tensor tensor(line);
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    int64_t value = range.low + i;
    if (type.element == ElementType::Int16)
      tensor.as<int16_t>()[i] = static_cast<int16_t>(value);
    else
      tensor.data[static_cast<size_t>(i)] = static_cast<std::byte>(value & 255);
  }
  return tensor;
}

FailureOr<std::vector<int32_t>> tabulate(nn::NNOperator op) {
  SmallVector<Value, 2> varying = varyingOperands(op);
  std::optional<TensorType> result = nn::toTensorType(op->getResult(0).getType());
  if (varying.size() != 1 || !result || !hasFewValues(*result))
    return failure();
  std::optional<TensorType> operand = nn::toTensorType(varying.front().getType());
  if (!operand || !hasFewValues(*operand))
    return failure();
  Samples samples;
  samples.insert({varying.front(), allValues(*operand)});
  FailureOr<Tensor> values = evaluatePointwise(op, samples);
  if (failed(values))
    return failure();
  std::vector<int32_t> table(static_cast<size_t>(values->elements()));
  for (size_t i = 0; i < table.size(); ++i)
    table[i] = result->element == ElementType::Int16  ? values->as<int16_t>()[i]
               : result->element == ElementType::Int8 ? values->as<int8_t>()[i]
                                                      : values->as<uint8_t>()[i];
  return table;
}

} // namespace thimble
