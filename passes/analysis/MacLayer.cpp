// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/MacLayer.h"

#include "dialects/nn/NNTypes.h"
#include "passes/analysis/Slices.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace thimble {

template <typename T, typename To>
static std::vector<To> readAs(const Tensor &tensor, int32_t zeroPoint) {
  std::vector<To> result(tensor.as<T>(), tensor.as<T>() + tensor.elements());
  for (To &x : result)
    x -= zeroPoint;
  return result;
}

std::vector<int32_t> readIntegers(const Tensor &tensor, int32_t zeroPoint) {
  switch (tensor.type.element) {
  case ElementType::Int8:
    return readAs<int8_t, int32_t>(tensor, zeroPoint);
  case ElementType::UInt8:
    return readAs<uint8_t, int32_t>(tensor, zeroPoint);
  case ElementType::Int16:
    return readAs<int16_t, int32_t>(tensor, zeroPoint);
  default:
    return readAs<int32_t, int32_t>(tensor, zeroPoint);
  }
}

std::optional<Tensor> constantTensor(Value value) {
  auto constant = value.getDefiningOp<nn::ConstantOp>();
  if (!constant)
    return std::nullopt;
  return nn::toTensor(constant.getValue(), value.getType());
}

std::optional<MacLayer> MacLayer::of(Operation *op) {
  if (!isa<nn::Conv2DOp, nn::DepthwiseConv2DOp, nn::TransposeConvOp, nn::FullyConnectedOp>(op))
    return std::nullopt;
  MacLayer layer;
  if (!layer.readConstants(op))
    return std::nullopt;
  ArrayRef<int64_t> in = shapeOf(op->getOperand(0)), filter = shapeOf(op->getOperand(1)),
                    out = shapeOf(op->getResult(0));
  layer.outChannels = out.back();
  if (isa<nn::FullyConnectedOp>(op)) {
    layer.inChannels = layer.tapDepth = layer.channelStride = filter[1];
    layer.inW = layer.outW =
        cast<RankedTensorType>(op->getResult(0).getType()).getNumElements() / layer.outChannels;
    layer.channelsPerInput = layer.outChannels;
    return layer;
  }
  layer.batches = in[0];
  std::tie(layer.inH, layer.inW, layer.inChannels) = std::tuple(in[1], in[2], in[3]);
  std::tie(layer.outH, layer.outW) = std::tuple(out[1], out[2]);
  std::tie(layer.kH, layer.kW) = std::tuple(filter[1], filter[2]);
  bool isDepthwise = isa<nn::DepthwiseConv2DOp>(op);
  layer.tapDepth = isDepthwise ? 1 : filter[3];
  layer.tapStride = filter[3];
  layer.channelStride = isDepthwise ? 1 : layer.taps() * filter[3];
  layer.channelsPerInput = layer.outChannels / (layer.inChannels / layer.tapDepth);
  llvm::TypeSwitch<Operation *>(op)
      .Case<nn::Conv2DOp, nn::DepthwiseConv2DOp>([&](auto conv) {
        layer.readWindow(conv.getStrides(), conv.getDilations(), conv.getPads());
      })
      .Case([&](nn::TransposeConvOp conv) {
        layer.readWindow(conv.getStrides(), {1, 1}, conv.getPads());
        layer.transposed = true;
      });
  return layer;
}

void MacLayer::readWindow(ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations,
                          ArrayRef<int64_t> pads) {
  strideH = strides[0], strideW = strides[1];
  dilationH = dilations[0], dilationW = dilations[1];
  top = pads[0], left = pads[2];
}

bool MacLayer::readConstants(Operation *op) {
  std::optional<Tensor> filter = constantTensor(op->getOperand(1));
  if (!filter || filter->type.element == ElementType::Float32)
    return false;
  numbers = nn::requantOf(op);
  weights = readIntegers(*filter, numbers.filterZeroPoint);
  biases.assign(static_cast<size_t>(shapeOf(op->getResult(0)).back()), 0);
  if (op->getNumOperands() < 3)
    return true;
  std::optional<Tensor> bias = constantTensor(op->getOperand(2));
  if (!bias)
    return false;
  biases = bias->type.element == ElementType::Int64 ? readAs<int64_t, int64_t>(*bias, 0)
                                                    : readAs<int32_t, int64_t>(*bias, 0);
  // So that ranges of sums do not leave 64 bits.
  constexpr int64_t largest = int64_t(1) << 60;
  return llvm::all_of(biases, [](int64_t b) { return -largest < b && b < largest; });
}

/// Along one axis, the input that tap `k` of output `at` meets, or -1.
static int64_t tapPosition(bool transposed, int64_t at, int64_t k, int64_t stride, int64_t dilation,
                           int64_t before, int64_t size) {
  int64_t in = at * stride - before + k * dilation;
  if (transposed) {
    int64_t scaled = at + before - k;
    in = scaled % stride == 0 ? scaled / stride : -1;
  }
  return in >= 0 && in < size ? in : -1;
}

int64_t MacLayer::pixel(int64_t position, int64_t tap) const {
  int64_t x = tapPosition(transposed, position % outW, tap % kW, strideW, dilationW, left, inW);
  int64_t y =
      tapPosition(transposed, position / outW % outH, tap / kW, strideH, dilationH, top, inH);
  return x < 0 || y < 0 ? -1 : (position / (outW * outH) * inH + y) * inW + x;
}

Range MacLayer::sum(int64_t channel, ArrayRef<int64_t> pixels, ArrayRef<int32_t> low,
                    ArrayRef<int32_t> high) const {
  Range range = {bias(channel), bias(channel)};
  for (auto [tap, pixel] : llvm::enumerate(pixels)) {
    if (pixel < 0)
      continue;
    auto first = static_cast<size_t>(pixel * inChannels + firstInput(channel));
    const int32_t *w =
        &weights[static_cast<size_t>(weightAt(channel, static_cast<int64_t>(tap), 0))];
    for (int64_t d = 0; d < tapDepth; ++d) {
      int64_t positive = std::max(w[d], 0), negative = std::min(w[d], 0);
      int64_t least = low[first + static_cast<size_t>(d)],
              most = high[first + static_cast<size_t>(d)];
      range.low += positive * least + negative * most;
      range.high += positive * most + negative * least;
    }
  }
  return range;
}

bool MacLayer::fitsAccumulator(int64_t sum) const {
  // 64-bit sums are scaled in 48 bits.
  constexpr int64_t wide = int64_t(1) << 47;
  if (numbers.wideAccumulator)
    return -wide <= sum && sum < wide;
  return sum == static_cast<int32_t>(sum);
}

int64_t MacLayer::finish(int64_t sum, int64_t channel) const {
  return numbers.wideAccumulator ? numbers.finish(sum, channel)
                                 : numbers.finish(static_cast<int32_t>(sum), channel);
}

Range MacLayer::output(int64_t channel, Range sum) const {
  const QuantizedMultiplier &m = numbers.multipliers[static_cast<size_t>(channel)];
  // What scaling of 64-bit sums is made for.
  constexpr int32_t widestShift = 7;
  bool isDefined = !numbers.wideAccumulator || m.shift <= widestShift;
  // One sum has one output, whatever wraps on the way.
  if (sum.isConstant() && isDefined)
    return {finish(sum.low, channel), finish(sum.low, channel)};
  constexpr double farFromOverflow = 1 << 30;
  double reach = static_cast<double>(std::max(std::abs(sum.low), std::abs(sum.high)));
  if (!isDefined || !fitsAccumulator(sum.low) || !fitsAccumulator(sum.high) ||
      reach * std::ldexp(m.multiplier, m.shift - 31) >= farFromOverflow)
    return {numbers.clamp.clamp(std::numeric_limits<int32_t>::min()),
            numbers.clamp.clamp(std::numeric_limits<int32_t>::max())};
  return {finish(sum.low, channel), finish(sum.high, channel)};
}

} // namespace thimble
