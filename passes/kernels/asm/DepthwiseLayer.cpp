// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/DepthwiseLayer.h"

using namespace mlir;
using namespace thimble;

std::optional<OutputScaling> DepthwiseLayer::scaling(int bits) const {
  SmallVector<ScaledAccumulator> accumulators;
  for (const AccumulatorInterval &interval : intervals)
    accumulators.push_back({bits, interval});
  return OutputScaling::solveShared(requant, accumulators, /*mayOffset=*/true);
}

void DepthwiseLayer::turnColumn() {
  ConvShape &s = shape;
  if (s.inW != 1 || s.kW != 1)
    return;
  std::swap(s.inH, s.inW);
  std::swap(s.outH, s.outW);
  std::swap(s.kH, s.kW);
  std::swap(s.strideH, s.strideW);
  std::swap(s.dilationH, s.dilationW);
  std::swap(s.padTop, s.padLeft);
}

int DepthwiseLayer::spareBits() const {
  int bits = 8; // weights are in the high bytes of their halves
  for (size_t c = 0; c < intervals.size(); ++c) {
    if (isConstantOutput(requant, c, intervals[c]))
      continue; // this accumulator may wrap
    while (bits > 0 && std::max(-intervals[c].low, intervals[c].high) >> (30 - bits))
      --bits;
  }
  return bits;
}

int32_t DepthwiseLayer::scaledBias(int64_t output, int bits, const OutputScaling &scaling) const {
  auto o = static_cast<size_t>(output);
  // Modulo 2^32: only the sum with the products has to fit.
  return static_cast<int32_t>(biases[o] * (int64_t(1) << bits) + scaling.channels[o].offset);
}

std::string thimble::zeroPointSuffix(int32_t zeroPoint) {
  return (zeroPoint < 0 ? "_zm" : "_z") + std::to_string(std::abs(zeroPoint));
}

static void addBiases(DepthwiseLayer &layer, const Tensor *bias) {
  const ConvShape &s = layer.shape;
  const int64_t least = -128 - layer.zeroPoint(), most = 127 - layer.zeroPoint();
  for (int64_t o = 0; o < s.outC; ++o) {
    const int64_t start = bias ? bias->as<int32_t>()[o] : 0;
    AccumulatorInterval interval{start, start};
    for (int64_t ky = 0; ky < s.kH; ++ky)
      for (int64_t kx = 0; kx < s.kW; ++kx) {
        const int64_t w = layer.weight(o, ky, kx);
        interval.low += std::min(w * least, w * most);
        interval.high += std::max(w * least, w * most);
      }
    layer.biases.push_back(start);
    layer.intervals.push_back(interval);
  }
}

std::optional<DepthwiseLayer> thimble::depthwiseLayerOf(nn::NNOperator op,
                                                        const KernelOperands &operands) {
  auto conv = dyn_cast<nn::DepthwiseConv2DOp>(*op);
  if (!conv)
    return std::nullopt;
  const KernelOperand &in = operands.inputs[0], &filter = operands.inputs[1];
  const KernelOperand *bias = operands.inputs.size() > 2 ? &operands.inputs[2] : nullptr;
  const TensorType &out = operands.outputs[0].type;
  if (in.type.element != ElementType::Int8 || filter.type.element != ElementType::Int8 ||
      out.element != ElementType::Int8 || !filter.constant || in.constant || out.elements() == 0 ||
      (bias && (!bias->constant || bias->type.element != ElementType::Int32)))
    return std::nullopt;
  auto strides = conv.getStrides(), dilations = conv.getDilations(), pads = conv.getPads();
  DepthwiseLayer layer;
  layer.pictures = in.type.shape[0];
  layer.shape = {in.type.shape[1], in.type.shape[2], in.type.shape[3],     out.shape[1],
                 out.shape[2],     out.shape[3],     filter.type.shape[1], filter.type.shape[2],
                 strides[0],       strides[1],       dilations[0],         dilations[1],
                 pads[0],          pads[2]};
  layer.requant = nn::requantOf(op);
  layer.filter = filter.constant;
  if (layer.requant.filterZeroPoint != 0 || layer.requant.wideAccumulator)
    return std::nullopt;
  addBiases(layer, bias ? bias->constant.get() : nullptr);
  return layer;
}

std::optional<DepthwiseLayer> thimble::depthwiseLayerOf(const KernelQuery &query) {
  if (!query.target.dsp || !query.target.fpu || !isa<nn::DepthwiseConv2DOp>(*query.op))
    return std::nullopt;
  KernelOperands operands;
  for (auto [type, constant] : llvm::zip(query.inputs, query.constants))
    operands.inputs.push_back({type, {}, constant});
  for (const TensorType &type : query.outputs)
    operands.outputs.push_back({type, {}, nullptr});
  return depthwiseLayerOf(query.op, operands);
}
