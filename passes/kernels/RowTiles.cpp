// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/RowTiles.h"

#include "dialects/nn/NNTypes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace thimble {

//===-- Which rows --------------------------------------------------------------------------===//

// Rows are those of the second axis.
static bool hasRows(Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  return type.getRank() == 4 && type.getDimSize(0) == 1;
}

static RowInput walked(unsigned operand, int64_t window = 1, int64_t stride = 1,
                       int64_t padTop = 0) {
  return {operand, -1, /*isWalked=*/true, window, stride, padTop};
}

using RowInputs = llvm::SmallVector<RowInput, 2>;

template <typename Op> static std::optional<RowInputs> rowsOfConvolution(Op op) {
  if (!op.getFilter().template getDefiningOp<nn::ConstantOp>() ||
      (op.getBias() && !op.getBias().template getDefiningOp<nn::ConstantOp>()))
    return std::nullopt;
  const TensorType input = *nn::toTensorType(op.getInput().getType());
  if (byteSize(input.element) > 1 && paddingByte(op.getInput()) != 0)
    return std::nullopt;
  const int64_t taps = op.getFilter().getType().getDimSize(1);
  return RowInputs{
      walked(0, (taps - 1) * op.getDilations()[0] + 1, op.getStrides()[0], op.getPads()[0])};
}

// Padding takes no part in a pool, so there must not be any above or below.
template <typename Op> static std::optional<RowInputs> rowsOfPool(Op op) {
  if (op.getPads()[0] > 0 || op.getPads()[1] > 0)
    return std::nullopt;
  return RowInputs{walked(0, op.getFilter()[0], op.getStrides()[0])};
}

// Operands of the result's shape are walked, and what has one row for all is there as a whole.
static std::optional<RowInputs> rowsOfElementwise(Operation *op) {
  auto result = cast<RankedTensorType>(op->getResult(0).getType());
  RowInputs inputs;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = cast<RankedTensorType>(operand.get().getType());
    const bool isConstant = operand.get().getDefiningOp<nn::ConstantOp>() != nullptr;
    if (type.getShape() == result.getShape() && !isConstant)
      inputs.push_back(walked(operand.getOperandNumber()));
    else if (type.getRank() >= 3 && type.getDimSize(type.getRank() - 3) != 1)
      return std::nullopt;
    else if (!isConstant)
      inputs.push_back({operand.getOperandNumber(), -1, false, 1, 1, 0});
  }
  return inputs;
}

std::optional<RowInputs> rowInputsOf(nn::NNOperator op) {
  if (op->getNumResults() != 1 || !hasRows(op->getResult(0)))
    return std::nullopt;
  auto inputs =
      llvm::TypeSwitch<Operation *, std::optional<RowInputs>>(op)
          .Case<nn::Conv2DOp, nn::DepthwiseConv2DOp>([](auto o) { return rowsOfConvolution(o); })
          .Case<nn::AveragePool2DOp, nn::MaxPool2DOp>([](auto o) { return rowsOfPool(o); })
          .Case<nn::UnaryElementwise, nn::BinaryElementwise, nn::LookupOp, nn::QuantizeOp,
                nn::DequantizeOp>([](Operation *o) { return rowsOfElementwise(o); })
          .Default([](Operation *) { return std::nullopt; });
  if (inputs)
    for (const RowInput &input : *inputs)
      if (input.isWalked && !hasRows(op->getOperand(input.operand)))
        return std::nullopt;
  return inputs;
}

bool reducesRows(nn::NNOperator op, const Target &target) {
  return op->getNumOperands() == 1 && hasRows(op->getOperand(0)) &&
         !candidatesFor(op, target, /*eachRow=*/true).empty();
}

int64_t paddingByte(Value tensor) {
  const TensorType type = *nn::toTensorType(tensor.getType());
  return type.quantization ? type.zeroPoint() : 0;
}

//===-- Tiles -------------------------------------------------------------------------------===//

static RankedTensorType withRows(Type type, int64_t rows) {
  auto tensor = cast<RankedTensorType>(type);
  llvm::SmallVector<int64_t> shape(tensor.getShape());
  shape[1] = rows;
  return tensor.clone(shape);
}

RowTiles::RowTiles(MLIRContext *context, const Target &target)
    : target(target), module(ModuleOp::create(UnknownLoc::get(context))) {}

// What is padding above and below are rows of their own, in a tile.
static void removeVerticalPads(Operation *tile) {
  auto pads = tile->getAttrOfType<DenseI64ArrayAttr>("pads");
  if (!pads)
    return;
  llvm::SmallVector<int64_t> sizes(pads.asArrayRef());
  sizes[0] = sizes[1] = 0;
  tile->setAttr("pads", DenseI64ArrayAttr::get(tile->getContext(), sizes));
}

static nn::NNOperator makeTile(OpBuilder &builder, nn::NNOperator op, int64_t height) {
  const RowInputs inputs = *rowInputsOf(op);
  llvm::SmallVector<Type> types;
  for (const RowInput &input : inputs) {
    Type type = op->getOperand(input.operand).getType();
    types.push_back(input.isWalked ? withRows(type, (height - 1) * input.stride + input.window)
                                   : type);
  }
  auto function =
      func::FuncOp::create(builder, op.getLoc(), "tile", builder.getFunctionType(types, {}));
  function.setPrivate();
  Block *body = function.addEntryBlock();
  OpBuilder inner = OpBuilder::atBlockEnd(body);
  IRMapping mapping;
  for (Value operand : op->getOperands())
    if (Operation *constant = operand.getDefiningOp<nn::ConstantOp>())
      inner.clone(*constant, mapping);
  Operation *tile = inner.clone(*op, mapping);
  for (auto [i, input] : llvm::enumerate(inputs))
    tile->setOperand(input.operand, body->getArgument(static_cast<unsigned>(i)));
  tile->getResult(0).setType(withRows(op->getResult(0).getType(), height));
  tile->removeAttr("mcu.candidates");
  removeVerticalPads(tile);
  return cast<nn::NNOperator>(tile);
}

RowTiles::Tile &RowTiles::at(nn::NNOperator op, int64_t height) {
  auto [entry, isNew] = tiles.insert({{op, height}, Tile()});
  Tile &tile = entry->second;
  if (isNew) {
    const bool reduces = reducesRows(op, target);
    OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
    tile.op = reduces ? op : makeTile(builder, op, height);
    tile.candidates = thimble::candidatesFor(tile.op, target, reduces);
    for (Candidate &candidate : tile.candidates)
      if (reduces)
        candidate.cycles /= candidate.rows;
  }
  return tile;
}

nn::NNOperator RowTiles::tileOf(nn::NNOperator op, int64_t height) { return at(op, height).op; }

ArrayRef<Candidate> RowTiles::candidatesFor(nn::NNOperator op, int64_t height) {
  return at(op, height).candidates;
}

} // namespace thimble
