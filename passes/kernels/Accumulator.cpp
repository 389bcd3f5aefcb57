// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/Accumulator.h"

#include <cmath>

using namespace mlir;
using namespace thimble;

Candidate thimble::portableMacCandidate(const KernelQuery &query, int64_t rows) {
  const CostRules &costs = query.target.costs;
  bool isFloat = query.inputs[0].element == ElementType::Float32;
  // Inner loops run over the input channels of a tap.
  const int64_t run = isa<nn::DepthwiseConv2DOp>(*query.op) ? 1 : query.inputs[1].shape.back();
  constexpr double perRun = 12, perOutput = 40;
  double perMac = 2 * costs.load + costs.takenBranch + costs.alu +
                  (isFloat ? 2 * costs.floatOp : costs.multiply + costs.alu) +
                  perRun / static_cast<double>(run);
  Candidate c;
  c.rows = rows;
  c.cycles = static_cast<int64_t>(perMac * static_cast<double>(nn::NNOperator(query.op).getMacs()) +
                                  perOutput * static_cast<double>(query.outputs[0].elements()));
  c.readTables(nn::NNOperator(query.op).getMacs() / 4);
  constexpr int64_t codeBytes = 300;
  c.flashBytes = codeBytes;
  for (const auto &constant : query.constants)
    if (constant)
      c.flashBytes += static_cast<int64_t>(constant->data.size());
  return c;
}

// Whether no partial sum of one channel's products and bias leaves 32 bits, for any input.
static bool accumulatorFits(const KernelOperands &operands, const RequantPerChannel &requant,
                            int channelAxis) {
  const KernelOperand &filter = operands.inputs[1];
  if (!filter.constant || requant.wideAccumulator || byteSize(filter.type.element) != 1)
    return false;
  ClampRange range = storageRange(operands.inputs[0].type.element);
  int64_t reach = std::max(int64_t(range.high) - requant.inputZeroPoint,
                           int64_t(requant.inputZeroPoint) - range.low);
  int64_t channels = filter.type.shape[channelAxis];
  int64_t inner = 1;
  for (size_t axis = channelAxis + 1; axis < filter.type.shape.size(); ++axis)
    inner *= filter.type.shape[axis];
  std::vector<int64_t> sums(channels);
  for (int64_t i = 0, e = filter.type.elements(); i < e; ++i) {
    int64_t weight = filter.type.element == ElementType::UInt8 ? filter.constant->as<uint8_t>()[i]
                                                               : filter.constant->as<int8_t>()[i];
    sums[i / inner % channels] += std::abs(weight - requant.filterZeroPoint) * reach;
  }
  if (operands.inputs.size() > 2) {
    const KernelOperand &bias = operands.inputs[2];
    if (!bias.constant || bias.type.element != ElementType::Int32)
      return false;
    for (int64_t c = 0; c < std::min(channels, bias.type.elements()); ++c)
      sums[c] += std::abs(int64_t(bias.constant->as<int32_t>()[c]));
  }
  return llvm::all_of(sums, [](int64_t s) { return s <= std::numeric_limits<int32_t>::max(); });
}

Accumulator::Accumulator(KernelBuilder &b, const KernelOperands &operands,
                         RequantPerChannel requantization, int channelAxis)
    : b(b), requant(std::move(requantization)),
      isFloat(operands.outputs[0].type.element == ElementType::Float32),
      fits(accumulatorFits(operands, requant, channelAxis)) {
  if (operands.inputs.size() > 2)
    bias = &operands.inputs[2];
}

Val Accumulator::start(Val channel) {
  // Float kernels of the reference add the bias to the finished sum.
  if (isFloat)
    return b.f32(0.0f);
  if (requant.wideAccumulator)
    return b.i64(0);
  if (!bias)
    return b.i32(0);
  return b.load(bufferOf(b, *bias, "bias"), channel, "acc");
}

Val Accumulator::add(Val accumulator, Val input, Val weight) {
  if (isFloat)
    return accumulator + input * weight;
  KernelBuilder::NoOverflow guard(b, true);
  Val x = input - requant.inputZeroPoint, w = weight - requant.filterZeroPoint;
  Val product = x * w;
  if (requant.wideAccumulator)
    return accumulator + b.toI64(product);
  KernelBuilder::NoOverflow proved(b, fits);
  return accumulator + product;
}

Val Accumulator::finish(Val accumulator, Val channel) {
  if (isFloat) {
    if (bias)
      accumulator = accumulator + b.load(bufferOf(b, *bias, "bias"), channel, "bias");
    return b.clamp(accumulator, requant.floatClamp);
  }
  if (requant.wideAccumulator && bias)
    accumulator = accumulator + b.toI64(b.load(bufferOf(b, *bias, "bias"), channel, "bias"));
  Val scaled = scaleAccumulator(b, requant, accumulator, channel);
  return b.clamp(scaled + requant.outputZeroPoint, requant.clamp);
}

// A double as the runtime's exact rounding takes it: mantissa * 2^-right.
static std::pair<int64_t, int32_t> split(double scale) {
  int exponent = 0;
  double fraction = std::frexp(scale, &exponent);
  return {static_cast<int64_t>(std::ldexp(fraction, 53)), 53 - exponent};
}

static Val scaleByReal(KernelBuilder &b, const RequantPerChannel &requant, Val accumulator,
                       Val channel) {
  Val mantissa, right;
  if (llvm::all_equal(requant.scales)) {
    auto parts = split(requant.scales.front());
    mantissa = b.i64(parts.first);
    right = b.i32(parts.second);
  } else {
    std::vector<int64_t> mantissas;
    std::vector<int32_t> rights;
    for (double scale : requant.scales) {
      mantissas.push_back(split(scale).first);
      rights.push_back(split(scale).second);
    }
    mantissa = b.load(b.table<int64_t>("mantissas", mantissas), channel, "mantissa");
    right = b.load(b.table<int32_t>("rights", rights), channel, "right");
  }
  return b.call("thimble_requantize_real", {b.toI64(accumulator), mantissa, right}, b.i32(0));
}

Val thimble::scaleAccumulator(KernelBuilder &b, const RequantPerChannel &requant, Val accumulator,
                              Val channel) {
  if (requant.rounding == Rounding::Single)
    return scaleByReal(b, requant, accumulator, channel);
  if (llvm::all_equal(requant.multipliers))
    return b.requantize(accumulator, requant.multipliers.front(), requant.rounding);
  std::vector<int32_t> multipliers, shifts;
  for (QuantizedMultiplier m : requant.multipliers) {
    multipliers.push_back(m.multiplier);
    shifts.push_back(m.shift);
  }
  return b.requantize(
      accumulator, b.load(b.table<int32_t>("multipliers", multipliers), channel, "multiplier"),
      b.load(b.table<int32_t>("shifts", shifts), channel, "shift"), requant.rounding);
}
