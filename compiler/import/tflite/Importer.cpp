// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/import/tflite/Importer.h"

#include "dialects/nn/NNTypes.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::tflite;

Importer::Importer(const Model &model, MLIRContext *context, Reference reference)
    : model(model), graph(&model.subgraphs.front()), reference(reference), builder(context) {
  context->loadDialect<nn::NNDialect, func::FuncDialect, quant::QuantDialect>();
}

Location Importer::locationOf(const Operator &op) {
  std::string_view name = layerName(*graph, op);
  if (name.empty()) {
    int64_t index = &op - graph->operators.data();
    return NameLoc::get(builder.getStringAttr("operator " + Twine(index)));
  }
  return NameLoc::get(builder.getStringAttr(StringRef(name.data(), name.size())));
}

InFlightDiagnostic Importer::error(const Operator &op) {
  failed = true;
  return emitError(locationOf(op)) << operatorName(op) << ": ";
}

//===-- Tensors -----------------------------------------------------------------------------===//

RankedTensorType Importer::irType(int index) {
  const Tensor &t = tensor(index);
  // An error was emitted for it: any type will do.
  if (!t.unsupported.empty())
    return RankedTensorType::get({1}, builder.getF32Type());
  return nn::fromTensorType(builder.getContext(), t.type);
}

Value Importer::constant(int index, bool plain) {
  const Tensor &t = tensor(index);
  thimble::Tensor data(t.type);
  std::memcpy(data.data.data(), t.data.data, t.data.size);
  if (plain)
    data.type.quantization.reset();
  OpBuilder::InsertionGuard guard(builder);
  Location loc = NameLoc::get(builder.getStringAttr(StringRef(t.name.data(), t.name.size())));
  return nn::ConstantOp::create(builder, loc, nn::fromTensorType(builder.getContext(), data.type),
                                nn::toAttribute(builder.getContext(), data));
}

Value Importer::input(const Operator &op, size_t position) {
  if (!op.hasInput(position))
    return {};
  int index = op.inputs[position];
  if (Value known = values.lookup(index))
    return known;
  if (!tensor(index).isConstant || !tensor(index).unsupported.empty()) {
    // Only variables and what an unsupported operator would have written come here.
    failed = true;
    return UnrealizedConversionCastOp::create(builder, locationOf(op), irType(index), ValueRange())
        .getResult(0);
  }
  return values[index] = constant(index, /*plain=*/false);
}

Value Importer::bias(const Operator &op, size_t position) {
  if (op.hasInput(position) && tensor(op.inputs[position]).isConstant &&
      tensor(op.inputs[position]).unsupported.empty())
    return constant(op.inputs[position], /*plain=*/true);
  return input(op, position);
}

std::optional<std::vector<int64_t>> Importer::knownIntegers(const Operator &op, size_t position) {
  Value value = input(op, position);
  auto constant = value ? value.getDefiningOp<nn::ConstantOp>() : nn::ConstantOp();
  std::optional<thimble::Tensor> data;
  if (constant)
    data = nn::toTensor(constant.getValue(), constant.getType());
  if (!data ||
      (data->type.element != ElementType::Int32 && data->type.element != ElementType::Int64))
    return std::nullopt;
  std::vector<int64_t> result;
  for (int64_t i = 0; i < data->elements(); ++i)
    result.push_back(data->type.element == ElementType::Int32 ? data->as<int32_t>()[i]
                                                              : data->as<int64_t>()[i]);
  return result;
}

FailureOr<std::vector<int64_t>> Importer::integers(const Operator &op, size_t position,
                                                   StringRef what) {
  if (auto known = knownIntegers(op, position))
    return std::move(*known);
  return error(op) << what << " must be a constant of type int32 or int64";
}

LogicalResult Importer::checkShapeOperand(const Operator &op, size_t position, StringRef what,
                                          ArrayRef<int64_t> shape) {
  std::optional<std::vector<int64_t>> known = knownIntegers(op, position);
  if (!known)
    return success();
  bool same = known->size() == shape.size();
  for (size_t i = 0; same && i < shape.size(); ++i)
    same = (*known)[i] == shape[i] || (*known)[i] == -1;
  if (same)
    return success();
  return error(op) << what << " must be [" << shape << "] as the output says, got ["
                   << ArrayRef(*known) << "]";
}

//===-- Operations --------------------------------------------------------------------------===//

SmallVector<Type> Importer::outputTypes(const Operator &op) {
  SmallVector<Type> types;
  for (int output : op.outputs)
    types.push_back(irType(output));
  return types;
}

LogicalResult Importer::finish(const Operator &op, Operation *created) {
  for (auto [tensor, result] : llvm::zip(op.outputs, created->getResults()))
    define(tensor, result);
  // An operand that could not be imported has had its error.
  for (Value operand : created->getOperands())
    if (operand.getDefiningOp<UnrealizedConversionCastOp>())
      return success();
  if (mlir::failed(verify(created)))
    return failure();
  auto layer = dyn_cast<nn::NNOperator>(created);
  if (!layer)
    return success();
  FailureOr<SmallVector<Attribute>> folded = nn::foldConstants(layer);
  if (mlir::failed(folded))
    return success();
  for (auto [tensor, value, type] : llvm::zip(op.outputs, *folded, created->getResultTypes()))
    define(tensor,
           nn::ConstantOp::create(builder, created->getLoc(), type, cast<ElementsAttr>(value)));
  created->erase();
  return success();
}

NamedAttribute Importer::attr(StringRef name, ArrayRef<int64_t> values) {
  return builder.getNamedAttr(name, builder.getDenseI64ArrayAttr(values));
}
NamedAttribute Importer::attr(StringRef name, int64_t value) {
  return builder.getNamedAttr(name, builder.getI64IntegerAttr(value));
}
NamedAttribute Importer::attr(StringRef name, bool value) {
  return builder.getNamedAttr(name, builder.getBoolAttr(value));
}
NamedAttribute Importer::attr(StringRef name, float value) {
  return builder.getNamedAttr(name, builder.getF32FloatAttr(value));
}
NamedAttribute Importer::activation(schema::ActivationFunctionType function) {
  auto kind = nn::Activation::None;
  switch (function) {
  case schema::ActivationFunctionType::RELU:
    kind = nn::Activation::Relu;
    break;
  case schema::ActivationFunctionType::RELU_N1_TO_1:
    kind = nn::Activation::ReluN1To1;
    break;
  case schema::ActivationFunctionType::RELU6:
    kind = nn::Activation::Relu6;
    break;
  default:
    break;
  }
  return builder.getNamedAttr("activation", nn::ActivationAttr::get(builder.getContext(), kind));
}
NamedAttribute Importer::requant(nn::Requant rule) {
  return builder.getNamedAttr("requant", nn::RequantAttr::get(builder.getContext(), rule));
}

std::optional<int64_t> tflite::normalizedAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return std::nullopt;
  return axis < 0 ? axis + rank : axis;
}

//===-- The graph ---------------------------------------------------------------------------===//

OperatorImporter tflite::importerFor(BuiltinOperator code) {
  for (auto family : {elementwiseImporter, windowImporter, movementImporter, reductionImporter})
    if (OperatorImporter importer = family(code))
      return importer;
  return nullptr;
}

/// Why an operator has no importer, and what to do.
static StringRef whyUnsupported(const Operator &op) {
  switch (op.code) {
  case BuiltinOperator::SVDF:
  case BuiltinOperator::RNN:
  case BuiltinOperator::LSTM:
  case BuiltinOperator::UNIDIRECTIONAL_SEQUENCE_RNN:
  case BuiltinOperator::UNIDIRECTIONAL_SEQUENCE_LSTM:
  case BuiltinOperator::BIDIRECTIONAL_SEQUENCE_RNN:
  case BuiltinOperator::BIDIRECTIONAL_SEQUENCE_LSTM:
  case BuiltinOperator::VAR_HANDLE:
  case BuiltinOperator::READ_VARIABLE:
  case BuiltinOperator::ASSIGN_VARIABLE:
    return "state that is kept between inferences is not supported; export the model with its "
           "state "
           "as inputs and outputs";
  case BuiltinOperator::IF:
  case BuiltinOperator::WHILE:
  case BuiltinOperator::CALL:
  case BuiltinOperator::CALL_ONCE:
    return "control flow is not supported; export the model with loops unrolled and functions "
           "inlined";
  case BuiltinOperator::CUSTOM:
    return StringRef(op.customName.data(), op.customName.size()).starts_with("Signal")
               ? "signal processing is not supported; compute the features in the program and "
                 "export the model that starts behind them"
               : "custom operators are not supported; export the model with built-in operators, "
                 "which docs/Operators.md lists";
  default:
    return "this operator is not supported; docs/Operators.md lists the operators that are";
  }
}

void Importer::importOperator(const Operator &op) {
  OperatorImporter import = op.code == BuiltinOperator::CUSTOM ? nullptr : importerFor(op.code);
  bool usable = import && op.unsupported.empty();
  for (int index : op.inputs)
    usable &= index < 0 || tensor(index).unsupported.empty();
  for (int index : op.outputs)
    usable &= tensor(index).unsupported.empty();
  if (!import)
    error(op) << whyUnsupported(op);
  if (usable && mlir::failed(import(*this, op)))
    failed = true;
  // Layers after a failed one are still looked at: their inputs exist.
  for (int output : op.outputs)
    if (!values.count(output))
      define(output, UnrealizedConversionCastOp::create(builder, locationOf(op), irType(output),
                                                        ValueRange())
                         .getResult(0));
}

void Importer::createResults(func::FuncOp function) {
  SmallVector<Value> results;
  SmallVector<Attribute> names;
  for (int output : graph->outputs) {
    Value value = values.lookup(output);
    if (!value && tensor(output).isConstant && tensor(output).unsupported.empty())
      value = constant(output, /*plain=*/false);
    if (!value) {
      emitError(function.getLoc())
          << describe(*graph, output) << " is an output of the model and nothing computes it";
      failed = true;
      return;
    }
    results.push_back(value);
    StringRef name(tensor(output).name.data(), tensor(output).name.size());
    names.push_back(
        builder.getDictionaryAttr(builder.getNamedAttr("nn.name", builder.getStringAttr(name))));
  }
  func::ReturnOp::create(builder, function.getLoc(), results);
  function.setType(
      builder.getFunctionType(function.getArgumentTypes(), ValueRange(results).getTypes()));
  function.setResAttrsAttr(builder.getArrayAttr(names));
}

void Importer::importMain() {
  SmallVector<Type> argumentTypes;
  for (int index : graph->inputs)
    argumentTypes.push_back(irType(index));
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, module->getLoc(), "main",
                                       builder.getFunctionType(argumentTypes, {}));
  Block *body = function.addEntryBlock();
  for (auto [position, index] : llvm::enumerate(graph->inputs)) {
    StringRef name(tensor(index).name.data(), tensor(index).name.size());
    function.setArgAttr(static_cast<unsigned>(position), "nn.name", builder.getStringAttr(name));
    define(index, body->getArgument(static_cast<unsigned>(position)));
  }
  builder.setInsertionPointToStart(body);
  for (const Operator &op : graph->operators)
    importOperator(op);
  createResults(function);
}

OwningOpRef<ModuleOp> Importer::run() {
  module = ModuleOp::create(builder.getUnknownLoc());
  for (const Unsupported &problem : unsupported(model)) {
    emitError(builder.getUnknownLoc()) << problem.where << ": " << problem.reason;
    failed = true;
  }
  importMain();
  if (failed)
    return nullptr;
  return std::move(module);
}

OwningOpRef<ModuleOp> tflite::importModel(const Model &model, MLIRContext *context,
                                          Reference reference) {
  return Importer(model, context, reference).run();
}
