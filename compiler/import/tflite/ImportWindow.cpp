// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Convolutions, matrix products, poolings and resizing.
#include "compiler/import/tflite/Importer.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::tflite;

// The operands with an absent bias left out.
static SmallVector<Value> withBias(Value input, Value filter, Value bias) {
  SmallVector<Value> operands{input, filter};
  if (bias)
    operands.push_back(bias);
  return operands;
}

static thimble::Padding paddingOf(schema::Padding padding) {
  return padding == schema::Padding::SAME ? thimble::Padding::Same : thimble::Padding::Valid;
}

// Paddings of a window over a picture of height x width.
static NamedAttribute pads(Importer &i, schema::Padding padding, const WindowAxis &height,
                           const WindowAxis &width) {
  Pads p = computePads(paddingOf(padding), height, width);
  return i.attr("pads", ArrayRef<int64_t>{p.top, p.bottom, p.left, p.right});
}

static LogicalResult requireRank(Importer &i, const Operator &op, size_t input, int64_t rank) {
  if (i.typeOf(op.inputs[input]).rank() == rank)
    return success();
  return i.error(op) << "input " << input << " must have rank " << rank << ", got "
                     << i.typeOf(op.inputs[input]).rank();
}

static WindowAxis axis(int64_t input, int64_t filter, int64_t stride, int64_t dilation = 1) {
  return {static_cast<int>(input), static_cast<int>(filter), static_cast<int>(stride),
          static_cast<int>(dilation)};
}

template <typename OpTy, typename Options>
static LogicalResult convolution(Importer &i, const Operator &op) {
  if (failed(requireRank(i, op, 0, 4)) || failed(requireRank(i, op, 1, 4)))
    return failure();
  const auto &options = op.options<Options>();
  const auto &in = i.typeOf(op.inputs[0]).shape, &filter = i.typeOf(op.inputs[1]).shape;
  int64_t strideH = options.stride_h(), strideW = options.stride_w();
  int64_t dilationH = options.dilation_h_factor(), dilationW = options.dilation_w_factor();
  return i.emit<OpTy>(op, withBias(i.input(op, 0), i.input(op, 1), i.bias(op, 2)),
                      {i.attr("strides", ArrayRef<int64_t>{strideH, strideW}),
                       i.attr("dilations", ArrayRef<int64_t>{dilationH, dilationW}),
                       pads(i, options.padding(), axis(in[1], filter[1], strideH, dilationH),
                            axis(in[2], filter[2], strideW, dilationW)),
                       i.activation(options.fused_activation_function()),
                       i.requant(nn::Requant::Double)});
}

// Inputs: output shape, filter, picture, bias. The shape is that of the output tensor, which is
// static. Paddings are those of the convolution from the output to the input.
static LogicalResult transposeConv(Importer &i, const Operator &op) {
  if (failed(requireRank(i, op, 1, 4)) || failed(requireRank(i, op, 2, 4)))
    return failure();
  if (i.typeOf(op.outputs[0]).rank() != 4)
    return i.error(op) << "output must have rank 4, got " << i.typeOf(op.outputs[0]).rank();
  const auto &options = op.options<schema::TransposeConvOptions>();
  const auto &out = i.typeOf(op.outputs[0]).shape, &filter = i.typeOf(op.inputs[1]).shape;
  if (failed(i.checkShapeOperand(op, 0, "output shape", out)))
    return failure();
  int64_t strideH = options.stride_h(), strideW = options.stride_w();
  return i.emit<nn::TransposeConvOp>(op, withBias(i.input(op, 2), i.input(op, 1), i.bias(op, 3)),
                                     {i.attr("strides", ArrayRef<int64_t>{strideH, strideW}),
                                      pads(i, options.padding(), axis(out[1], filter[1], strideH),
                                           axis(out[2], filter[2], strideW)),
                                      i.activation(options.fused_activation_function()),
                                      i.requant(nn::Requant::Double)});
}

// LiteRT's reference kernel scales int8 products with one rounding, TFLM's with two.
static LogicalResult fullyConnected(Importer &i, const Operator &op) {
  const auto &options = op.options<schema::FullyConnectedOptions>();
  bool isInt8 = i.typeOf(op.inputs[0]).element == ElementType::Int8;
  bool single = i.getReference() == Reference::LiteRT && isInt8;
  return i.emit<nn::FullyConnectedOp>(
      op, withBias(i.input(op, 0), i.input(op, 1), i.bias(op, 2)),
      {i.activation(options.fused_activation_function()),
       i.requant(single ? nn::Requant::Single : nn::Requant::Double)});
}

static LogicalResult batchMatMul(Importer &i, const Operator &op) {
  const auto &options = op.options<schema::BatchMatMulOptions>();
  return i.emit<nn::BatchMatMulOp>(op, {i.input(op, 0), i.input(op, 1)},
                                   {i.attr("adjX", static_cast<bool>(options.adj_x())),
                                    i.attr("adjY", static_cast<bool>(options.adj_y()))});
}

template <typename OpTy> static LogicalResult pool(Importer &i, const Operator &op) {
  if (failed(requireRank(i, op, 0, 4)))
    return failure();
  const auto &options = op.options<schema::Pool2DOptions>();
  const auto &in = i.typeOf(op.inputs[0]).shape;
  int64_t filterH = options.filter_height(), filterW = options.filter_width();
  int64_t strideH = options.stride_h(), strideW = options.stride_w();
  return i.emit<OpTy>(
      op, {i.input(op, 0)},
      {i.attr("filter", ArrayRef<int64_t>{filterH, filterW}),
       i.attr("strides", ArrayRef<int64_t>{strideH, strideW}),
       pads(i, options.padding(), axis(in[1], filterH, strideH), axis(in[2], filterW, strideW)),
       i.activation(options.fused_activation_function())});
}

template <typename OpTy, typename Options>
static LogicalResult resize(Importer &i, const Operator &op) {
  const auto &options = op.options<Options>();
  const auto &out = i.typeOf(op.outputs[0]).shape;
  if (out.size() != 4)
    return i.error(op) << "output must have rank 4, got " << out.size();
  if (failed(i.checkShapeOperand(op, 1, "size", {out[1], out[2]})))
    return failure();
  return i.emit<OpTy>(
      op, {i.input(op, 0)},
      {i.attr("alignCorners", static_cast<bool>(options.align_corners())),
       i.attr("halfPixelCenters", static_cast<bool>(options.half_pixel_centers()))});
}

OperatorImporter tflite::windowImporter(BuiltinOperator code) {
  switch (code) {
  case BuiltinOperator::CONV_2D:
    return convolution<nn::Conv2DOp, schema::Conv2DOptions>;
  case BuiltinOperator::DEPTHWISE_CONV_2D:
    return convolution<nn::DepthwiseConv2DOp, schema::DepthwiseConv2DOptions>;
  case BuiltinOperator::TRANSPOSE_CONV:
    return transposeConv;
  case BuiltinOperator::FULLY_CONNECTED:
    return fullyConnected;
  case BuiltinOperator::BATCH_MATMUL:
    return batchMatMul;
  case BuiltinOperator::AVERAGE_POOL_2D:
    return pool<nn::AveragePool2DOp>;
  case BuiltinOperator::MAX_POOL_2D:
    return pool<nn::MaxPool2DOp>;
  case BuiltinOperator::L2_POOL_2D:
    return pool<nn::L2Pool2DOp>;
  case BuiltinOperator::RESIZE_BILINEAR:
    return resize<nn::ResizeBilinearOp, schema::ResizeBilinearOptions>;
  case BuiltinOperator::RESIZE_NEAREST_NEIGHBOR:
    return resize<nn::ResizeNearestNeighborOp, schema::ResizeNearestNeighborOptions>;
  default:
    return nullptr;
  }
}
