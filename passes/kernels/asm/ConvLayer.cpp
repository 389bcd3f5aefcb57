// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/ConvLayer.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;
using namespace thimble;

std::string ConvShape::suffix() const {
  std::string text =
      llvm::formatv("{0}x{1}_{2}x{3}x{4}_{5}x{6}x{7}", kH, kW, inH, inW, inC, outH, outW, outC);
  if (strideH != 1 || strideW != 1)
    text += llvm::formatv("_s{0}x{1}", strideH, strideW);
  if (dilationH != 1 || dilationW != 1)
    text += llvm::formatv("_d{0}x{1}", dilationH, dilationW);
  if (padTop != 0 || padLeft != 0)
    text += llvm::formatv("_p{0}x{1}", padTop, padLeft);
  return text;
}

bool thimble::isConstantOutput(const RequantPerChannel &requant, size_t channel,
                               AccumulatorInterval sum) {
  auto fits = [](int64_t v) { return v == static_cast<int32_t>(v); };
  auto output = [&](int64_t v) {
    return requant.finish(static_cast<int32_t>(v), static_cast<int64_t>(channel));
  };
  return fits(sum.low) && fits(sum.high) && output(sum.low) == output(sum.high);
}

std::vector<int> ConvLayer::accumulatorBits(int least, int most,
                                            llvm::function_ref<bool(size_t, int)> fits) const {
  // Left shifts of the channels' scales, and how many bits fit.
  std::vector<int> shifts, room;
  int smallest = std::numeric_limits<int>::max();
  for (size_t c = 0; c < biases.size(); ++c) {
    int left = requant.multipliers.empty() ? 0 : requant.multipliers[c].shift;
    if (requant.rounding == Rounding::Single)
      std::frexp(requant.scales[c], &left);
    shifts.push_back(left);
    if (!isConstant(c))
      smallest = std::min(smallest, left);
    int bits = 24;
    while (bits >= least && (reach(c) << bits >= int64_t(1) << 31 || !fits(c, bits)))
      --bits;
    if (bits < least)
      return {};
    room.push_back(bits);
  }
  auto missing = [&](size_t c) { return isConstant(c) ? 0 : shifts[c] - smallest; };
  int common = most;
  for (size_t c = 0; c < room.size(); ++c)
    common = std::min(common, room[c] - missing(c));
  common = std::max(common, least);
  for (size_t c = 0; c < room.size(); ++c)
    room[c] = std::min(room[c], common + missing(c));
  return room;
}

std::optional<OutputScaling> ConvLayer::scaling(ArrayRef<int> bits) const {
  std::vector<ScaledAccumulator> accumulators;
  for (auto [b, interval] : llvm::zip(bits, intervals))
    accumulators.push_back({b, interval});
  return OutputScaling::solveShared(requant, accumulators, /*mayOffset=*/true);
}

// One convolution per picture, or one row of all pixels.
static ConvShape shapeOf(nn::Conv2DOp conv, const thimble::TensorType &in,
                         const thimble::TensorType &filter, const thimble::TensorType &out,
                         int64_t &pictures) {
  auto strides = conv.getStrides(), dilations = conv.getDilations(), pads = conv.getPads();
  ConvShape s{in.shape[1],  in.shape[2],     in.shape[3],     out.shape[1], out.shape[2],
              out.shape[3], filter.shape[1], filter.shape[2], strides[0],   strides[1],
              dilations[0], dilations[1],    pads[0],         pads[2]};
  pictures = in.shape[0];
  if (s.kH != 1 || s.kW != 1)
    return s;
  s.dilationH = s.dilationW = 1;
  if (s.strideH == 1 && s.strideW == 1 && s.padTop == 0 && s.padLeft == 0 && s.inH == s.outH &&
      s.inW == s.outW) {
    s.inW = s.outW = pictures * s.inH * s.inW;
    s.inH = s.outH = pictures = 1;
  }
  return s;
}

static void addBiases(ConvLayer &layer, const Tensor *bias) {
  const int64_t depth = layer.shape.depth();
  for (int64_t o = 0; o < layer.shape.outC; ++o) {
    int64_t start = bias ? bias->as<int32_t>()[o] : 0, low = 0, high = 0, sum = 0;
    const int8_t *weights = layer.filter->as<int8_t>() + o * depth;
    for (int64_t k = 0; k < depth; ++k) {
      const int64_t w = weights[k];
      sum += w;
      low += w > 0 ? w * -128 : w * 127;
      high += w > 0 ? w * 127 : w * -128;
    }
    start -= sum * layer.requant.inputZeroPoint;
    layer.biases.push_back(start);
    layer.intervals.push_back({start + low, start + high});
  }
}

/// A filter of groups as one of a single group, with zeros: they cost less than kernels without
/// their instructions while groups are few.
static std::shared_ptr<const Tensor> withoutGroups(std::shared_ptr<const Tensor> filter,
                                                   int64_t inC) {
  const int64_t groupC = filter->shape()[3];
  if (groupC == inC)
    return filter;
  const int64_t outC = filter->shape()[0], taps = filter->shape()[1] * filter->shape()[2];
  const int64_t groupOutputs = outC / (inC / groupC);
  thimble::TensorType type = filter->type;
  type.shape[3] = inC;
  auto dense = std::make_shared<Tensor>(type);
  for (int64_t row = 0; row < outC * taps; ++row) {
    const int64_t first = row / taps / groupOutputs * groupC;
    std::copy_n(filter->as<int8_t>() + row * groupC, groupC,
                dense->as<int8_t>() + row * inC + first);
  }
  return dense;
}

std::optional<ConvLayer> thimble::convLayerOf(nn::NNOperator op, const KernelOperands &operands) {
  auto conv = dyn_cast<nn::Conv2DOp>(*op);
  if (!conv)
    return std::nullopt;
  const KernelOperand &in = operands.inputs[0], &filter = operands.inputs[1];
  const KernelOperand *bias = operands.inputs.size() > 2 ? &operands.inputs[2] : nullptr;
  constexpr int64_t mostGroups = 16;
  const thimble::TensorType &out = operands.outputs[0].type;
  if (in.type.element != ElementType::Int8 || filter.type.element != ElementType::Int8 ||
      out.element != ElementType::Int8 || !filter.constant || in.constant ||
      in.type.shape[3] > mostGroups * filter.type.shape[3] || out.elements() == 0 ||
      (bias && (!bias->constant || bias->type.element != ElementType::Int32)))
    return std::nullopt;
  ConvLayer layer;
  layer.shape = shapeOf(conv, in.type, filter.type, out, layer.pictures);
  layer.requant = nn::requantOf(op);
  layer.filter = withoutGroups(filter.constant, in.type.shape[3]);
  if (layer.requant.filterZeroPoint != 0 || layer.requant.wideAccumulator)
    return std::nullopt;
  addBiases(layer, bias ? bias->constant.get() : nullptr);
  return layer;
}

std::optional<ConvLayer> thimble::convLayerOf(const KernelQuery &query) {
  if (!query.target.dsp || !query.target.fpu || !isa<nn::Conv2DOp>(*query.op))
    return std::nullopt;
  KernelOperands operands;
  for (auto [type, constant] : llvm::zip(query.inputs, query.constants))
    operands.inputs.push_back({type, {}, constant});
  for (const thimble::TensorType &type : query.outputs)
    operands.outputs.push_back({type, {}, nullptr});
  return convLayerOf(query.op, operands);
}

void thimble::compareWith(AsmBuilder &a, Reg value, int64_t number) {
  if (number <= 255)
    return a.compare(value, number);
  a.compare(value, a.constant(number));
}

void thimble::forBlocks(AsmBuilder &a, int64_t width, int64_t block, Variables carried,
                        llvm::function_ref<void(Reg)> body) {
  SReg x = a.toS(a.constant(0));
  carried.push_back(x);
  a.loopS((width + block - 1) / block, carried, [&] {
    Reg first = a.toR(x);
    if (width % block != 0) {
      Reg last = a.constant(width - block);
      a.compare(first, last);
      first = a.select("gt", last, first);
    }
    body(first);
    x = a.toS(a.add(a.toR(x), block));
  });
}

int32_t thimble::halves(int64_t low, int64_t high) {
  return static_cast<int32_t>((static_cast<uint32_t>(low) & 0xffff) | static_cast<uint32_t>(high)
                                                                          << 16);
}
