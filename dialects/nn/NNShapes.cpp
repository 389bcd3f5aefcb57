// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Shape inference of operators that compute. Those that move elements are in
// NNShapesMovement.cpp. Also counts of multiply-accumulate operations.

#include "dialects/nn/NNShapeChecks.h"

using namespace mlir;
using namespace thimble::nn::detail;

namespace thimble::nn {

using ShapeList = llvm::SmallVectorImpl<llvm::SmallVector<int64_t>>;
using Shape64 = llvm::SmallVector<int64_t>;

//===-- Checks ------------------------------------------------------------------------------===//

namespace detail {

LogicalResult checkEntries(Operation *op, llvm::StringRef name, llvm::ArrayRef<int64_t> values,
                           int64_t count, int64_t low, int64_t high) {
  if (static_cast<int64_t>(values.size()) != count)
    return op->emitOpError() << "expects " << count << (count == 1 ? " entry" : " entries")
                             << " in " << name << ", got " << values.size();
  for (int64_t v : values)
    if (v < low || v > high)
      return op->emitOpError() << "expects " << name << " in [" << low << ", " << high << "], got "
                               << v;
  return success();
}

LogicalResult checkRank(Operation *op, llvm::StringRef name, Value value, int64_t rank) {
  int64_t actual = static_cast<int64_t>(shapeOf(value).size());
  if (actual == rank)
    return success();
  return op->emitOpError() << "expects " << name << " of rank " << rank << ", got " << actual;
}

LogicalResult checkAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return op->emitOpError() << "expects axis in [0, " << rank << "), got " << axis;
}

LogicalResult checkAxes(Operation *op, llvm::StringRef name, llvm::ArrayRef<int64_t> axes,
                        int64_t rank) {
  llvm::SmallVector<bool> seen(rank, false);
  for (int64_t axis : axes) {
    if (axis < 0 || axis >= rank)
      return op->emitOpError() << "expects " << name << " in [0, " << rank << "), got " << axis;
    if (seen[axis])
      return op->emitOpError() << "expects different " << name << ", got " << axis << " twice";
    seen[axis] = true;
  }
  return success();
}

LogicalResult checkExtent(Operation *op, int64_t extent) {
  if (extent <= largest)
    return success();
  return op->emitOpError() << "expects sizes of at most " << largest << ", got " << extent;
}

LogicalResult sameShape(Operation *op, ShapeList &shapes) {
  shapes.assign(op->getNumResults(), llvm::to_vector(shapeOf(op->getOperand(0))));
  return success();
}

LogicalResult broadcastShape(Operation *op, ShapeList &shapes) {
  Shape result(shapeOf(op->getOperand(0)).begin(), shapeOf(op->getOperand(0)).end());
  for (Value operand : op->getOperands()) {
    llvm::ArrayRef<int64_t> shape = shapeOf(operand);
    if (static_cast<int64_t>(shape.size()) > kMaxBroadcastRank)
      return op->emitOpError() << "expects operands of rank " << kMaxBroadcastRank
                               << " at most, got " << shape.size();
    std::optional<Shape> joined = broadcastShapes(result, Shape(shape.begin(), shape.end()));
    if (!joined)
      return op->emitOpError("expects operands whose dimensions are equal or 1, got ")
             << op->getOperandTypes();
    result = std::move(*joined);
  }
  shapes.emplace_back(result.begin(), result.end());
  return success();
}

/// A result without axes may also be written as one with a single element.
static LogicalResult scalarOrOne(Operation *op, Shape64 &shape) {
  llvm::ArrayRef<int64_t> written = shapeOf(op->getResult(0));
  if (shape.empty() && written == llvm::ArrayRef<int64_t>{1})
    shape.push_back(1);
  return success();
}

LogicalResult reducedShape(Operation *op, llvm::ArrayRef<int64_t> axes, bool keepDims,
                           ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(op->getOperand(0));
  if (failed(checkAxes(op, "axes", axes, static_cast<int64_t>(input.size()))))
    return failure();
  Shape64 &result = shapes.emplace_back();
  for (auto [axis, dim] : llvm::enumerate(input)) {
    bool reduced = llvm::is_contained(axes, static_cast<int64_t>(axis));
    if (!reduced)
      result.push_back(dim);
    else if (keepDims)
      result.push_back(1);
  }
  return scalarOrOne(op, result);
}

} // namespace detail

namespace {

// Positions of a window along one axis of a padded picture.
FailureOr<int64_t> windowPositions(Operation *op, llvm::StringRef axis, int64_t input,
                                   int64_t filter, int64_t stride, int64_t dilation, int64_t before,
                                   int64_t after) {
  int64_t span = (filter - 1) * dilation + 1;
  int64_t padded = input + before + after;
  if (failed(checkExtent(op, span)) || failed(checkExtent(op, padded)))
    return failure();
  if (span > padded)
    return op->emitOpError() << "expects a filter that fits into the padded input, got " << span
                             << " " << axis << " over " << padded;
  return (padded - span) / stride + 1;
}

FailureOr<Shape64> windowShape(Operation *op, llvm::ArrayRef<int64_t> input,
                               llvm::ArrayRef<int64_t> filter, llvm::ArrayRef<int64_t> strides,
                               llvm::ArrayRef<int64_t> dilations, llvm::ArrayRef<int64_t> pads,
                               int64_t channels) {
  auto height =
      windowPositions(op, "rows", input[1], filter[0], strides[0], dilations[0], pads[0], pads[1]);
  if (failed(height))
    return failure();
  auto width = windowPositions(op, "columns", input[2], filter[1], strides[1], dilations[1],
                               pads[2], pads[3]);
  if (failed(width))
    return failure();
  return Shape64{input[0], *height, *width, channels};
}

LogicalResult checkBias(Operation *op, Value bias, int64_t channels) {
  if (!bias)
    return success();
  llvm::ArrayRef<int64_t> shape = shapeOf(bias);
  if (shape.size() == 1 && shape[0] == channels)
    return success();
  return op->emitOpError() << "expects a bias of " << channels
                           << (channels == 1 ? " element" : " elements") << ", one a channel, got "
                           << bias.getType();
}

// A filter is quantized per channel along one axis only.
LogicalResult checkFilterAxis(Operation *op, Value filter, int32_t axis) {
  auto element = llvm::cast<RankedTensorType>(filter.getType()).getElementType();
  auto perAxis = llvm::dyn_cast<quant::UniformQuantizedPerAxisType>(element);
  if (!perAxis || perAxis.getQuantizedDimension() == axis)
    return success();
  return op->emitOpError() << "expects a filter quantized per channel along axis " << axis
                           << ", got " << perAxis.getQuantizedDimension();
}

// Rows and columns at the end can also be left out, where no window shall reach them.
LogicalResult checkPads(Operation *op, llvm::ArrayRef<int64_t> pads) {
  if (failed(checkEntries(op, "pads", pads, 4, -largest)))
    return failure();
  for (int64_t before : {pads[0], pads[2]})
    if (before < 0)
      return op->emitOpError() << "expects pads at the top and left in [0, " << largest << "], got "
                               << before;
  return success();
}

template <typename Op> LogicalResult checkConv(Op op, int32_t channelAxis) {
  if (failed(checkRank(op, "an input", op.getInput(), 4)) ||
      failed(checkRank(op, "a filter", op.getFilter(), 4)) ||
      failed(checkEntries(op, "strides", op.getStrides(), 2, 1)) ||
      failed(checkPads(op, op.getPads())))
    return failure();
  return checkFilterAxis(op, op.getFilter(), channelAxis);
}

int64_t windowMacs(Value filter, Value output, int64_t inputsPerTap) {
  llvm::ArrayRef<int64_t> shape = shapeOf(filter);
  return elementsOf(output) * shape[1] * shape[2] * inputsPerTap;
}

} // namespace

//===-- Convolutions and matrix products ----------------------------------------------------===//

LogicalResult Conv2DOp::inferShapes(ShapeList &shapes) {
  if (failed(checkConv(*this, 0)) || failed(checkEntries(*this, "dilations", getDilations(), 2, 1)))
    return failure();
  llvm::ArrayRef<int64_t> input = shapeOf(getInput()), filter = shapeOf(getFilter());
  if (input[3] % filter[3] != 0)
    return emitOpError() << "expects input channels that are a multiple of the filter's, got "
                         << input[3] << " and " << filter[3];
  int64_t groups = input[3] / filter[3];
  if (filter[0] % groups != 0)
    return emitOpError() << "expects output channels that are a multiple of the " << groups
                         << " groups, got " << filter[0];
  if (failed(checkBias(*this, getBias(), filter[0])))
    return failure();
  auto shape = windowShape(*this, input, filter.slice(1, 2), getStrides(), getDilations(),
                           getPads(), filter[0]);
  if (failed(shape))
    return failure();
  shapes.push_back(std::move(*shape));
  return success();
}
int64_t Conv2DOp::getMacs() {
  return windowMacs(getFilter(), getOutput(), shapeOf(getFilter())[3]);
}

LogicalResult DepthwiseConv2DOp::inferShapes(ShapeList &shapes) {
  if (failed(checkConv(*this, 3)) || failed(checkEntries(*this, "dilations", getDilations(), 2, 1)))
    return failure();
  llvm::ArrayRef<int64_t> input = shapeOf(getInput()), filter = shapeOf(getFilter());
  if (filter[0] != 1)
    return emitOpError() << "expects a filter whose first dimension is 1, got " << filter[0];
  if (filter[3] % input[3] != 0)
    return emitOpError() << "expects output channels that are a multiple of the input's, got "
                         << filter[3] << " and " << input[3];
  if (failed(checkBias(*this, getBias(), filter[3])))
    return failure();
  auto shape = windowShape(*this, input, filter.slice(1, 2), getStrides(), getDilations(),
                           getPads(), filter[3]);
  if (failed(shape))
    return failure();
  shapes.push_back(std::move(*shape));
  return success();
}
int64_t DepthwiseConv2DOp::getMacs() { return windowMacs(getFilter(), getOutput(), 1); }

LogicalResult TransposeConvOp::inferShapes(ShapeList &shapes) {
  if (failed(checkConv(*this, 0)) || failed(checkRank(*this, "a result", getOutput(), 4)) ||
      failed(checkEntries(*this, "pads", getPads(), 4, 0)))
    return failure();
  llvm::ArrayRef<int64_t> input = shapeOf(getInput()), filter = shapeOf(getFilter());
  llvm::ArrayRef<int64_t> output = shapeOf(getOutput());
  if (input[3] != filter[3])
    return emitOpError() << "expects as many input channels as the filter has, got " << input[3]
                         << " and " << filter[3];
  if (failed(checkBias(*this, getBias(), filter[0])))
    return failure();
  // The size of the result is free within a stride: it must lead back to the input's.
  auto forward =
      windowShape(*this, output, filter.slice(1, 2), getStrides(), {1, 1}, getPads(), input[3]);
  if (failed(forward))
    return failure();
  if ((*forward)[1] != input[1] || (*forward)[2] != input[2])
    return emitOpError() << "expects a result over which the filter has " << input[1] << " x "
                         << input[2] << " positions, got " << (*forward)[1] << " x "
                         << (*forward)[2];
  shapes.push_back({input[0], output[1], output[2], filter[0]});
  return success();
}
int64_t TransposeConvOp::getMacs() {
  llvm::ArrayRef<int64_t> filter = shapeOf(getFilter());
  return elementsOf(getInput()) * filter[0] * filter[1] * filter[2];
}

LogicalResult FullyConnectedOp::inferShapes(ShapeList &shapes) {
  if (failed(checkRank(*this, "a filter", getFilter(), 2)) ||
      failed(checkFilterAxis(*this, getFilter(), 0)))
    return failure();
  llvm::ArrayRef<int64_t> filter = shapeOf(getFilter()), output = shapeOf(getOutput());
  int64_t elements = elementsOf(getInput());
  if (elements % filter[1] != 0)
    return emitOpError() << "expects an input of rows of " << filter[1] << " elements, got "
                         << elements << " elements";
  if (failed(checkBias(*this, getBias(), filter[0])))
    return failure();
  int64_t rows = elements / filter[1];
  // How the rows are arranged is up to the model; their number and length are not.
  bool fits =
      !output.empty() && output.back() == filter[0] && elementsOf(getOutput()) / filter[0] == rows;
  shapes.push_back(fits ? llvm::to_vector(output) : Shape64{rows, filter[0]});
  return success();
}
int64_t FullyConnectedOp::getMacs() { return elementsOf(getOutput()) * shapeOf(getFilter())[1]; }

LogicalResult BatchMatMulOp::inferShapes(ShapeList &shapes) {
  llvm::ArrayRef<int64_t> lhs = shapeOf(getLhs()), rhs = shapeOf(getRhs());
  for (llvm::ArrayRef<int64_t> shape : {lhs, rhs})
    if (shape.size() < 2 || static_cast<int64_t>(shape.size()) > kMaxBroadcastRank)
      return emitOpError() << "expects operands of rank 2 to " << kMaxBroadcastRank << ", got "
                           << shape.size();
  llvm::ArrayRef<int64_t> l = lhs.take_back(2), r = rhs.take_back(2);
  int64_t rows = getAdjX() ? l[1] : l[0], inner = getAdjX() ? l[0] : l[1];
  int64_t rhsInner = getAdjY() ? r[1] : r[0], columns = getAdjY() ? r[0] : r[1];
  if (inner != rhsInner)
    return emitOpError() << "expects columns of the first matrix to equal rows of the second, got "
                         << inner << " and " << rhsInner;
  std::optional<Shape> batch =
      broadcastShapes(Shape(lhs.begin(), lhs.end() - 2), Shape(rhs.begin(), rhs.end() - 2));
  if (!batch)
    return emitOpError("expects leading dimensions that are equal or 1, got ")
           << getLhs().getType() << " and " << getRhs().getType();
  Shape64 &shape = shapes.emplace_back(batch->begin(), batch->end());
  shape.append({rows, columns});
  return success();
}
int64_t BatchMatMulOp::getMacs() {
  return elementsOf(getOutput()) * shapeOf(getLhs()).take_back(2)[getAdjX() ? 0 : 1];
}

//===-- Pooling and resizing ----------------------------------------------------------------===//

template <typename Op> static LogicalResult poolShapes(Op op, ShapeList &shapes) {
  if (failed(checkRank(op, "an input", op.getInput(), 4)) ||
      failed(checkEntries(op, "filter", op.getFilter(), 2, 1)) ||
      failed(checkEntries(op, "strides", op.getStrides(), 2, 1)) ||
      failed(checkPads(op, op.getPads())))
    return failure();
  // Every window holds an element of the input: means do not divide by zero.
  for (int i = 0; i < 4; ++i)
    if (op.getPads()[i] >= op.getFilter()[i / 2])
      return op.emitOpError() << "expects pads less than the filter's size "
                              << op.getFilter()[i / 2] << ", got " << op.getPads()[i];
  // Sums of a window stay below 2^31.
  if (op.getFilter()[0] > largest / op.getFilter()[1])
    return op.emitOpError() << "expects a filter of at most " << largest << " elements, got "
                            << op.getFilter()[0] << " x " << op.getFilter()[1];
  llvm::ArrayRef<int64_t> input = shapeOf(op.getInput());
  auto shape =
      windowShape(op, input, op.getFilter(), op.getStrides(), {1, 1}, op.getPads(), input[3]);
  if (failed(shape))
    return failure();
  shapes.push_back(std::move(*shape));
  return success();
}
LogicalResult AveragePool2DOp::inferShapes(ShapeList &shapes) { return poolShapes(*this, shapes); }
LogicalResult MaxPool2DOp::inferShapes(ShapeList &shapes) { return poolShapes(*this, shapes); }
LogicalResult L2Pool2DOp::inferShapes(ShapeList &shapes) { return poolShapes(*this, shapes); }

template <typename Op> static LogicalResult resizeShapes(Op op, ShapeList &shapes) {
  if (failed(checkRank(op, "an input", op.getInput(), 4)) ||
      failed(checkRank(op, "a result", op.getOutput(), 4)))
    return failure();
  llvm::ArrayRef<int64_t> input = shapeOf(op.getInput()), output = shapeOf(op.getOutput());
  shapes.push_back({input[0], output[1], output[2], input[3]});
  return success();
}
LogicalResult ResizeBilinearOp::inferShapes(ShapeList &shapes) {
  if (getAlignCorners() && getHalfPixelCenters())
    return emitOpError("expects at most one of alignCorners and halfPixelCenters");
  return resizeShapes(*this, shapes);
}
LogicalResult ResizeNearestNeighborOp::inferShapes(ShapeList &shapes) {
  return resizeShapes(*this, shapes);
}

//===-- Elementwise -------------------------------------------------------------------------===//

static LogicalResult lastAxisShapes(Operation *op, ShapeList &shapes) {
  if (shapeOf(op->getOperand(0)).empty())
    return op->emitOpError("expects an input of rank 1 or more, got a scalar");
  return sameShape(op, shapes);
}
LogicalResult SoftmaxOp::inferShapes(ShapeList &shapes) {
  float beta = getBeta().convertToFloat();
  if (!(beta > 0))
    return emitOpError() << "expects a positive beta, got " << beta;
  return lastAxisShapes(*this, shapes);
}
LogicalResult LogSoftmaxOp::inferShapes(ShapeList &shapes) { return lastAxisShapes(*this, shapes); }
LogicalResult L2NormalizationOp::inferShapes(ShapeList &shapes) {
  return lastAxisShapes(*this, shapes);
}
LogicalResult CastOp::inferShapes(ShapeList &shapes) { return sameShape(*this, shapes); }
LogicalResult QuantizeOp::inferShapes(ShapeList &shapes) { return sameShape(*this, shapes); }
LogicalResult DequantizeOp::inferShapes(ShapeList &shapes) { return sameShape(*this, shapes); }
LogicalResult SelectOp::inferShapes(ShapeList &shapes) { return broadcastShape(*this, shapes); }

LogicalResult LookupOp::inferShapes(ShapeList &shapes) {
  Type element = getOutput().getType().getElementType();
  if (auto quantized = llvm::dyn_cast<quant::QuantizedType>(element))
    element = quantized.isSigned() ? quantized.getStorageType()
                                   : Type(IntegerType::get(getContext(), 8, IntegerType::Unsigned));
  auto dense = llvm::dyn_cast<DenseElementsAttr>(getTable());
  if (!dense || dense.getType() != RankedTensorType::get({256}, element))
    return emitOpError("expects a dense table of 256 elements of ") << element;
  return sameShape(*this, shapes);
}

LogicalResult AddNOp::inferShapes(ShapeList &shapes) {
  for (Value input : getInputs())
    if (shapeOf(input) != shapeOf(getInputs().front()))
      return emitOpError("expects inputs of one shape, got ") << getInputs().getTypes();
  return sameShape(*this, shapes);
}

template <typename Op> static LogicalResult argShapes(Op op, ShapeList &shapes) {
  llvm::ArrayRef<int64_t> input = shapeOf(op.getInput());
  if (failed(checkAxis(op, op.getAxis(), static_cast<int64_t>(input.size()))))
    return failure();
  Shape64 &shape = shapes.emplace_back(input);
  shape.erase(shape.begin() + op.getAxis());
  return scalarOrOne(op, shape);
}
LogicalResult ArgMaxOp::inferShapes(ShapeList &shapes) { return argShapes(*this, shapes); }
LogicalResult ArgMinOp::inferShapes(ShapeList &shapes) { return argShapes(*this, shapes); }

} // namespace thimble::nn
