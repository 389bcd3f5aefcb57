// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators that move elements: what they are told by constant operands becomes attributes.
#include "compiler/import/tflite/Importer.h"

#include "dialects/nn/NNTypes.h"
#include "dialects/nn/reference/Gather.h"
#include "dialects/nn/reference/Movement.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::tflite;

static SmallVector<Value> allInputs(Importer &i, const Operator &op) {
  SmallVector<Value> operands;
  for (size_t position = 0; position < op.inputs.size(); ++position)
    operands.push_back(i.input(op, position));
  return operands;
}

// `axis` of a tensor of `rank` dimensions, from the front.
static FailureOr<int64_t> checkedAxis(Importer &i, const Operator &op, int64_t axis, int64_t rank) {
  if (std::optional<int64_t> known = normalizedAxis(axis, rank))
    return *known;
  return i.error(op) << "axis must be in [" << -rank << ", " << rank << "), got " << axis;
}

// The single number in a constant input.
static FailureOr<int64_t> scalar(Importer &i, const Operator &op, size_t position, StringRef what) {
  FailureOr<std::vector<int64_t>> numbers = i.integers(op, position, what);
  if (failed(numbers))
    return failure();
  if (numbers->size() != 1)
    return i.error(op) << what << " must have one element, got " << numbers->size();
  return numbers->front();
}

// One constant operand that becomes one attribute.
template <typename OpTy>
static LogicalResult withNumbers(Importer &i, const Operator &op, StringRef attribute) {
  FailureOr<std::vector<int64_t>> numbers = i.integers(op, 1, attribute);
  if (failed(numbers))
    return failure();
  return i.emit<OpTy>(op, {i.input(op, 0)}, {i.attr(attribute, ArrayRef<int64_t>(*numbers))});
}

// The shape is that of the output tensor. An operand, or an option without one, may only repeat it,
// with at most one -1.
static LogicalResult reshape(Importer &i, const Operator &op) {
  const auto &shape = i.typeOf(op.outputs[0]).shape;
  std::optional<std::vector<int64_t>> wanted;
  if (op.hasInput(1)) {
    wanted = i.knownIntegers(op, 1);
  } else if (const auto *option = op.options<schema::ReshapeOptions>().new_shape()) {
    wanted.emplace(option->begin(), option->end());
    // Converters of old wrote a scalar as the shape [0].
    if (*wanted == std::vector<int64_t>{0})
      wanted->clear();
  }
  if (!wanted)
    return i.emit<nn::ReshapeOp>(op, {i.input(op, 0)});
  bool same = wanted->size() == shape.size() && llvm::count(*wanted, -1) <= 1;
  for (size_t axis = 0; same && axis < shape.size(); ++axis)
    same = (*wanted)[axis] == shape[axis] || (*wanted)[axis] == -1;
  if (!same)
    return i.error(op) << "shape must be [" << ArrayRef(shape)
                       << "] as the output says, with at most one -1, got [" << ArrayRef(*wanted)
                       << "]";
  return i.emit<nn::ReshapeOp>(op, {i.input(op, 0)});
}

static LogicalResult squeeze(Importer &i, const Operator &op) {
  const auto &shape = i.typeOf(op.inputs[0]).shape;
  if (const auto *dims = op.options<schema::SqueezeOptions>().squeeze_dims())
    for (int64_t dim : *dims)
      if (int64_t size = shape[static_cast<size_t>(*normalizedAxis(dim, int64_t(shape.size())))];
          size != 1)
        return i.error(op) << "squeezed dimensions must be 1, dimension " << dim << " is " << size;
  return i.emit<nn::ReshapeOp>(op, {i.input(op, 0)});
}

static LogicalResult expandDims(Importer &i, const Operator &op) {
  if (std::optional<std::vector<int64_t>> known = i.knownIntegers(op, 1)) {
    std::vector<int64_t> shape = i.typeOf(op.inputs[0]).shape;
    if (known->size() != 1)
      return i.error(op) << "axis must have one element, got " << known->size();
    FailureOr<int64_t> axis =
        checkedAxis(i, op, known->front(), static_cast<int64_t>(shape.size()) + 1);
    if (failed(axis))
      return failure();
    shape.insert(shape.begin() + *axis, 1);
    if (shape != i.typeOf(op.outputs[0]).shape)
      return i.error(op) << "output must have shape [" << ArrayRef(shape) << "], got ["
                         << ArrayRef(i.typeOf(op.outputs[0]).shape) << "]";
  }
  return i.emit<nn::ReshapeOp>(op, {i.input(op, 0)});
}
static LogicalResult transpose(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> permutation = i.integers(op, 1, "permutation");
  if (failed(permutation))
    return failure();
  for (int64_t &axis : *permutation) {
    FailureOr<int64_t> known = checkedAxis(i, op, axis, i.typeOf(op.inputs[0]).rank());
    if (failed(known))
      return failure();
    axis = *known;
  }
  return i.emit<nn::TransposeOp>(op, {i.input(op, 0)},
                                 {i.attr("permutation", ArrayRef<int64_t>(*permutation))});
}
static LogicalResult tile(Importer &i, const Operator &op) {
  return withNumbers<nn::TileOp>(i, op, "multiples");
}
static LogicalResult broadcastTo(Importer &i, const Operator &op) {
  if (failed(i.checkShapeOperand(op, 1, "shape", i.typeOf(op.outputs[0]).shape)))
    return failure();
  return i.emit<nn::BroadcastToOp>(op, {i.input(op, 0)});
}
static LogicalResult reverse(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> axes = i.integers(op, 1, "axes");
  if (failed(axes))
    return failure();
  for (int64_t &axis : *axes) {
    FailureOr<int64_t> known = checkedAxis(i, op, axis, i.typeOf(op.inputs[0]).rank());
    if (failed(known))
      return failure();
    axis = *known;
  }
  return i.emit<nn::ReverseOp>(op, {i.input(op, 0)}, {i.attr("axes", ArrayRef<int64_t>(*axes))});
}

// A size of -1 reaches to the end of the axis.
static LogicalResult slice(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> begin = i.integers(op, 1, "begin"),
                                  size = i.integers(op, 2, "size");
  if (failed(begin) || failed(size))
    return failure();
  const auto &shape = i.typeOf(op.inputs[0]).shape;
  for (size_t axis = 0; axis < std::min({size->size(), begin->size(), shape.size()}); ++axis)
    if ((*size)[axis] == -1)
      (*size)[axis] = shape[axis] - (*begin)[axis];
  return i.emit<nn::SliceOp>(
      op, {i.input(op, 0)},
      {i.attr("begin", ArrayRef<int64_t>(*begin)), i.attr("size", ArrayRef<int64_t>(*size))});
}

static LogicalResult stridedSlice(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> begin = i.integers(op, 1, "begin"),
                                  end = i.integers(op, 2, "end"),
                                  strides = i.integers(op, 3, "strides");
  if (failed(begin) || failed(end) || failed(strides))
    return failure();
  const auto &options = op.options<schema::StridedSliceOptions>();
  StridedSliceSpec spec;
  spec.begin = *begin;
  spec.end = *end;
  spec.strides = *strides;
  spec.beginMask = static_cast<uint32_t>(options.begin_mask());
  spec.endMask = static_cast<uint32_t>(options.end_mask());
  spec.ellipsisMask = static_cast<uint32_t>(options.ellipsis_mask());
  spec.newAxisMask = static_cast<uint32_t>(options.new_axis_mask());
  spec.shrinkAxisMask = static_cast<uint32_t>(options.shrink_axis_mask());
  spec.offset = options.offset();
  if (begin->size() != end->size() || begin->size() != strides->size())
    return i.error(op) << "begin, end and strides must have as many elements, got " << begin->size()
                       << ", " << end->size() << " and " << strides->size();
  std::optional<StridedSlice> resolved = resolveStridedSlice(i.typeOf(op.inputs[0]).shape, spec);
  if (!resolved)
    return i.error(op) << "begin, end and strides do not describe a slice of the input: strides "
                          "must not be 0, there must be no more indices than dimensions, at most "
                          "one ellipsis, and dropped axes must be indexed within their range";
  return i.emit<nn::StridedSliceOp>(op, {i.input(op, 0)},
                                    {i.attr("begin", ArrayRef<int64_t>(resolved->begin)),
                                     i.attr("size", ArrayRef<int64_t>(resolved->extents)),
                                     i.attr("strides", ArrayRef<int64_t>(resolved->strides))});
}

// LiteRT rescales uint8 inputs whose quantization is not the output's, in floats and unlike
// QUANTIZE (reference_ops::ConcatenationWithScaling): a table says what becomes of each number.
static LogicalResult concatenation(Importer &i, const Operator &op) {
  const auto &options = op.options<schema::ConcatenationOptions>();
  if (options.fused_activation_function() != schema::ActivationFunctionType::NONE)
    return i.error(op) << "a fused activation is not supported; put the activation after it";
  const thimble::TensorType &out = i.typeOf(op.outputs[0]);
  FailureOr<int64_t> axis = checkedAxis(i, op, options.axis(), out.rank());
  if (failed(axis))
    return failure();
  SmallVector<Value> operands = allInputs(i, op);
  mlir::Type outElement = i.irType(op.outputs[0]).getElementType();
  for (Value &operand : operands) {
    std::optional<thimble::TensorType> in = nn::toTensorType(operand.getType());
    if (!in || !concatRescales(*in, out))
      continue;
    thimble::Tensor table(thimble::TensorType{ElementType::UInt8, {256}, {}});
    std::vector<uint8_t> results = concatTable(*in, out);
    std::copy(results.begin(), results.end(), table.as<uint8_t>());
    operand = i.intermediate<nn::LookupOp>(
        op, RankedTensorType::get(in->shape, outElement), {operand},
        {i.ir().getNamedAttr("table", nn::toAttribute(i.ir().getContext(), table, "rescale"))});
  }
  return i.emit<nn::ConcatenationOp>(op, operands, {i.attr("axis", *axis)});
}

static LogicalResult split(Importer &i, const Operator &op) {
  bool sizesGiven = op.code == BuiltinOperator::SPLIT_V;
  size_t value = sizesGiven ? 0 : 1;
  FailureOr<int64_t> axis = scalar(i, op, sizesGiven ? 2 : 0, "axis");
  if (failed(axis))
    return failure();
  axis = checkedAxis(i, op, *axis, i.typeOf(op.inputs[value]).rank());
  if (failed(axis))
    return failure();
  std::vector<int64_t> sizes;
  for (int output : op.outputs) {
    const auto &shape = i.typeOf(output).shape;
    sizes.push_back(*axis < int64_t(shape.size()) ? shape[static_cast<size_t>(*axis)] : 0);
  }
  if (sizesGiven && failed(i.checkShapeOperand(op, 1, "sizes", sizes)))
    return failure();
  if (!sizesGiven && !llvm::all_equal(sizes))
    return i.error(op) << "outputs must be of equal size, got [" << ArrayRef(sizes) << "]";
  return i.emit<nn::SplitOp>(op, {i.input(op, value)}, {i.attr("axis", *axis)});
}

static LogicalResult pack(Importer &i, const Operator &op) {
  FailureOr<int64_t> axis =
      checkedAxis(i, op, op.options<schema::PackOptions>().axis(), i.typeOf(op.outputs[0]).rank());
  if (failed(axis))
    return failure();
  return i.emit<nn::PackOp>(op, allInputs(i, op), {i.attr("axis", *axis)});
}
static LogicalResult unpack(Importer &i, const Operator &op) {
  FailureOr<int64_t> axis =
      checkedAxis(i, op, op.options<schema::UnpackOptions>().axis(), i.typeOf(op.inputs[0]).rank());
  if (failed(axis))
    return failure();
  return i.emit<nn::UnpackOp>(op, {i.input(op, 0)}, {i.attr("axis", *axis)});
}

static LogicalResult pad(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> paddings = i.integers(op, 1, "paddings");
  if (failed(paddings))
    return failure();
  SmallVector<Value> operands{i.input(op, 0)};
  if (Value value = i.input(op, 2))
    operands.push_back(value);
  return i.emit<nn::PadOp>(op, operands, {i.attr("paddings", ArrayRef<int64_t>(*paddings))});
}
static LogicalResult mirrorPad(Importer &i, const Operator &op) {
  FailureOr<std::vector<int64_t>> paddings = i.integers(op, 1, "paddings");
  if (failed(paddings))
    return failure();
  auto mode = op.options<schema::MirrorPadOptions>().mode() == schema::MirrorPadMode::REFLECT
                  ? nn::MirrorMode::Reflect
                  : nn::MirrorMode::Symmetric;
  return i.emit<nn::MirrorPadOp>(
      op, {i.input(op, 0)},
      {i.attr("paddings", ArrayRef<int64_t>(*paddings)),
       i.ir().getNamedAttr("mode", nn::MirrorModeAttr::get(i.ir().getContext(), mode))});
}

template <typename OpTy, typename Options>
static LogicalResult blocks(Importer &i, const Operator &op) {
  return i.emit<OpTy>(op, {i.input(op, 0)},
                      {i.attr("blockSize", int64_t(op.options<Options>().block_size()))});
}
template <typename OpTy>
static LogicalResult batchBlocks(Importer &i, const Operator &op, StringRef edges) {
  FailureOr<std::vector<int64_t>> shape = i.integers(op, 1, "block shape"),
                                  numbers = i.integers(op, 2, edges);
  if (failed(shape) || failed(numbers))
    return failure();
  return i.emit<OpTy>(op, {i.input(op, 0)},
                      {i.attr("blockShape", ArrayRef<int64_t>(*shape)),
                       i.attr(edges, ArrayRef<int64_t>(*numbers))});
}
static LogicalResult spaceToBatch(Importer &i, const Operator &op) {
  return batchBlocks<nn::SpaceToBatchNDOp>(i, op, "paddings");
}
static LogicalResult batchToSpace(Importer &i, const Operator &op) {
  return batchBlocks<nn::BatchToSpaceNDOp>(i, op, "crops");
}

static LogicalResult gather(Importer &i, const Operator &op) {
  const auto &options = op.options<schema::GatherOptions>();
  FailureOr<int64_t> axis = checkedAxis(i, op, options.axis(), i.typeOf(op.inputs[0]).rank());
  if (failed(axis))
    return failure();
  int64_t batchDims = options.batch_dims();
  if (batchDims < 0)
    batchDims += i.typeOf(op.inputs[1]).rank();
  return i.emit<nn::GatherOp>(op, {i.input(op, 0), i.input(op, 1)},
                              {i.attr("axis", *axis), i.attr("batchDims", batchDims)});
}
static LogicalResult gatherND(Importer &i, const Operator &op) {
  return i.emit<nn::GatherNDOp>(op, {i.input(op, 0), i.input(op, 1)});
}
static LogicalResult scatterND(Importer &i, const Operator &op) {
  return i.emit<nn::ScatterNDOp>(op, {i.input(op, 0), i.input(op, 1)});
}
// Inputs: indices, depth, on value, off value. The depth is the output's.
static LogicalResult oneHot(Importer &i, const Operator &op) {
  FailureOr<int64_t> axis = checkedAxis(i, op, op.options<schema::OneHotOptions>().axis(),
                                        i.typeOf(op.outputs[0]).rank());
  if (failed(axis))
    return failure();
  if (failed(i.checkShapeOperand(op, 1, "depth",
                                 i.typeOf(op.outputs[0]).shape[static_cast<size_t>(*axis)])))
    return failure();
  return i.emit<nn::OneHotOp>(op, {i.input(op, 0), i.input(op, 2), i.input(op, 3)},
                              {i.attr("axis", *axis)});
}
static LogicalResult fill(Importer &i, const Operator &op) {
  if (failed(i.checkShapeOperand(op, 0, "dims", i.typeOf(op.outputs[0]).shape)))
    return failure();
  return i.emit<nn::FillOp>(op, {i.input(op, 1)});
}
static LogicalResult shape(Importer &i, const Operator &op) {
  return i.emit<nn::ShapeOp>(op, {i.input(op, 0)});
}

OperatorImporter tflite::movementImporter(BuiltinOperator code) {
  switch (code) {
  case BuiltinOperator::RESHAPE:
    return reshape;
  case BuiltinOperator::SQUEEZE:
    return squeeze;
  case BuiltinOperator::EXPAND_DIMS:
    return expandDims;
  case BuiltinOperator::TRANSPOSE:
    return transpose;
  case BuiltinOperator::TILE:
    return tile;
  case BuiltinOperator::BROADCAST_TO:
    return broadcastTo;
  case BuiltinOperator::REVERSE_V2:
    return reverse;
  case BuiltinOperator::SLICE:
    return slice;
  case BuiltinOperator::STRIDED_SLICE:
    return stridedSlice;
  case BuiltinOperator::CONCATENATION:
    return concatenation;
  case BuiltinOperator::SPLIT:
  case BuiltinOperator::SPLIT_V:
    return split;
  case BuiltinOperator::PACK:
    return pack;
  case BuiltinOperator::UNPACK:
    return unpack;
  case BuiltinOperator::PAD:
  case BuiltinOperator::PADV2:
    return pad;
  case BuiltinOperator::MIRROR_PAD:
    return mirrorPad;
  case BuiltinOperator::SPACE_TO_DEPTH:
    return blocks<nn::SpaceToDepthOp, schema::SpaceToDepthOptions>;
  case BuiltinOperator::DEPTH_TO_SPACE:
    return blocks<nn::DepthToSpaceOp, schema::DepthToSpaceOptions>;
  case BuiltinOperator::SPACE_TO_BATCH_ND:
    return spaceToBatch;
  case BuiltinOperator::BATCH_TO_SPACE_ND:
    return batchToSpace;
  case BuiltinOperator::GATHER:
    return gather;
  case BuiltinOperator::GATHER_ND:
    return gatherND;
  case BuiltinOperator::SCATTER_ND:
    return scatterND;
  case BuiltinOperator::ONE_HOT:
    return oneHot;
  case BuiltinOperator::FILL:
    return fill;
  case BuiltinOperator::SHAPE:
    return shape;
  default:
    return nullptr;
  }
}
