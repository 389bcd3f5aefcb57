// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Elementwise operators, conversions and normalizations.
#include "compiler/import/tflite/Importer.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::tflite;

// The attributes of an operator whose arithmetic TFLite Micro and LiteRT do not share.
static SmallVector<NamedAttribute> withReference(Importer &i,
                                                 SmallVector<NamedAttribute> attributes = {}) {
  if (i.getReference() == Reference::LiteRT)
    attributes.push_back(i.ir().getNamedAttr("litert", i.ir().getUnitAttr()));
  return attributes;
}

template <typename OpTy> static LogicalResult convert(Importer &i, const Operator &op) {
  return i.emit<OpTy>(op, {i.input(op, 0)});
}
template <typename OpTy> static LogicalResult unary(Importer &i, const Operator &op) {
  return i.emit<OpTy>(op, {i.input(op, 0)}, withReference(i));
}
template <typename OpTy> static LogicalResult binary(Importer &i, const Operator &op) {
  return i.emit<OpTy>(op, {i.input(op, 0), i.input(op, 1)}, withReference(i));
}
template <typename OpTy, typename Options>
static LogicalResult arithmetic(Importer &i, const Operator &op) {
  return i.emit<OpTy>(
      op, {i.input(op, 0), i.input(op, 1)},
      withReference(i, {i.activation(op.options<Options>().fused_activation_function())}));
}

static LogicalResult leakyRelu(Importer &i, const Operator &op) {
  return i.emit<nn::LeakyReluOp>(
      op, {i.input(op, 0)},
      withReference(i, {i.attr("alpha", op.options<schema::LeakyReluOptions>().alpha())}));
}
static LogicalResult gelu(Importer &i, const Operator &op) {
  bool approximate = op.options<schema::GeluOptions>().approximate();
  return i.emit<nn::GeluOp>(op, {i.input(op, 0)},
                            withReference(i, {i.attr("approximate", approximate)}));
}
static LogicalResult softmax(Importer &i, const Operator &op) {
  return i.emit<nn::SoftmaxOp>(op, {i.input(op, 0)},
                               {i.attr("beta", op.options<schema::SoftmaxOptions>().beta())});
}

static LogicalResult addN(Importer &i, const Operator &op) {
  SmallVector<Value> operands;
  for (size_t position = 0; position < op.inputs.size(); ++position)
    operands.push_back(i.input(op, position));
  return i.emit<nn::AddNOp>(op, operands);
}

// SELECT takes a condition of rank 1 for whole slices of the first axis.
static LogicalResult select(Importer &i, const Operator &op) {
  Value condition = i.input(op, 0);
  const thimble::TensorType &type = i.typeOf(op.inputs[0]);
  int64_t rank = i.typeOf(op.inputs[1]).rank();
  if (op.code == BuiltinOperator::SELECT && type.rank() == 1 && rank > 1) {
    thimble::TensorType reshaped = type;
    reshaped.shape.resize(static_cast<size_t>(rank), 1);
    auto shape = RankedTensorType::get(reshaped.shape, i.ir().getI1Type());
    condition = i.intermediate<nn::ReshapeOp>(op, shape, {condition});
  }
  return i.emit<nn::SelectOp>(op, {condition, i.input(op, 1), i.input(op, 2)});
}

OperatorImporter tflite::elementwiseImporter(BuiltinOperator code) {
  switch (code) {
  case BuiltinOperator::ABS:
    return unary<nn::AbsOp>;
  case BuiltinOperator::NEG:
    return unary<nn::NegOp>;
  case BuiltinOperator::SQRT:
    return unary<nn::SqrtOp>;
  case BuiltinOperator::RSQRT:
    return unary<nn::RsqrtOp>;
  case BuiltinOperator::SQUARE:
    return unary<nn::SquareOp>;
  case BuiltinOperator::EXP:
    return unary<nn::ExpOp>;
  case BuiltinOperator::LOG:
    return unary<nn::LogOp>;
  case BuiltinOperator::SIN:
    return unary<nn::SinOp>;
  case BuiltinOperator::COS:
    return unary<nn::CosOp>;
  case BuiltinOperator::FLOOR:
    return unary<nn::FloorOp>;
  case BuiltinOperator::CEIL:
    return unary<nn::CeilOp>;
  case BuiltinOperator::ROUND:
    return unary<nn::RoundOp>;
  case BuiltinOperator::RELU:
    return unary<nn::ReluOp>;
  case BuiltinOperator::RELU6:
    return unary<nn::Relu6Op>;
  case BuiltinOperator::RELU_N1_TO_1:
    return unary<nn::ReluN1To1Op>;
  case BuiltinOperator::RELU_0_TO_1:
    return unary<nn::Relu0To1Op>;
  case BuiltinOperator::LOGISTIC:
    return unary<nn::LogisticOp>;
  case BuiltinOperator::TANH:
    return unary<nn::TanhOp>;
  case BuiltinOperator::ELU:
    return unary<nn::EluOp>;
  case BuiltinOperator::HARD_SWISH:
    return unary<nn::HardSwishOp>;
  case BuiltinOperator::LOGICAL_NOT:
    return unary<nn::LogicalNotOp>;
  case BuiltinOperator::LEAKY_RELU:
    return leakyRelu;
  case BuiltinOperator::GELU:
    return gelu;
  case BuiltinOperator::SOFTMAX:
    return softmax;
  case BuiltinOperator::LOG_SOFTMAX:
    return convert<nn::LogSoftmaxOp>;
  case BuiltinOperator::L2_NORMALIZATION:
    return convert<nn::L2NormalizationOp>;
  case BuiltinOperator::CAST:
    return convert<nn::CastOp>;
  case BuiltinOperator::QUANTIZE:
    return convert<nn::QuantizeOp>;
  case BuiltinOperator::DEQUANTIZE:
    return convert<nn::DequantizeOp>;
  case BuiltinOperator::ADD:
    return arithmetic<nn::AddOp, schema::AddOptions>;
  case BuiltinOperator::SUB:
    return arithmetic<nn::SubOp, schema::SubOptions>;
  case BuiltinOperator::MUL:
    return arithmetic<nn::MulOp, schema::MulOptions>;
  case BuiltinOperator::DIV:
    return arithmetic<nn::DivOp, schema::DivOptions>;
  case BuiltinOperator::MINIMUM:
    return binary<nn::MinimumOp>;
  case BuiltinOperator::MAXIMUM:
    return binary<nn::MaximumOp>;
  case BuiltinOperator::SQUARED_DIFFERENCE:
    return binary<nn::SquaredDifferenceOp>;
  case BuiltinOperator::FLOOR_DIV:
    return binary<nn::FloorDivOp>;
  case BuiltinOperator::FLOOR_MOD:
    return binary<nn::FloorModOp>;
  case BuiltinOperator::POW:
    return binary<nn::PowOp>;
  case BuiltinOperator::ATAN2:
    return binary<nn::Atan2Op>;
  case BuiltinOperator::EQUAL:
    return binary<nn::EqualOp>;
  case BuiltinOperator::NOT_EQUAL:
    return binary<nn::NotEqualOp>;
  case BuiltinOperator::LESS:
    return binary<nn::LessOp>;
  case BuiltinOperator::LESS_EQUAL:
    return binary<nn::LessEqualOp>;
  case BuiltinOperator::GREATER:
    return binary<nn::GreaterOp>;
  case BuiltinOperator::GREATER_EQUAL:
    return binary<nn::GreaterEqualOp>;
  case BuiltinOperator::LOGICAL_AND:
    return binary<nn::LogicalAndOp>;
  case BuiltinOperator::LOGICAL_OR:
    return binary<nn::LogicalOrOp>;
  case BuiltinOperator::PRELU:
    return binary<nn::PReluOp>;
  case BuiltinOperator::ADD_N:
    return addN;
  case BuiltinOperator::SELECT:
  case BuiltinOperator::SELECT_V2:
    return select;
  default:
    return nullptr;
  }
}
