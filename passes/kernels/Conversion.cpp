// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// CAST, QUANTIZE and DEQUANTIZE, in the steps of reference/Convert.
#include "dialects/nn/reference/Convert.h"
#include "passes/kernels/Elementwise.h"
#include "passes/kernels/Families.h"

#include <numeric>

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

/// Stored integers of at most 16 bits: their range is exact in floats.
bool isNarrow(ElementType type) { return byteSize(type) <= 2; }

/// Truncates and saturates a float; NaN becomes 0.
Val castFloat(KernelBuilder &b, ElementType to, Val x) {
  if (to == ElementType::Bool)
    return x != 0.0f;
  if (to == ElementType::Int64)
    return b.call("thimble_truncate_i64", {x}, b.i64(0));
  if (to == ElementType::Int32)
    return b.call("thimble_truncate_i32", {x}, b.i32(0));
  ClampRange range = storageRange(to);
  Val number = b.select(x == x, x, b.f32(0.0f));
  return b.toI32Truncating(
      b.clamp(number, FloatRange{static_cast<float>(range.low), static_cast<float>(range.high)}));
}

class PortableCast : public Kernel {
public:
  StringRef getName() const override { return "cast.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::CastOp>(*q.op))
      return std::nullopt;
    return elementwiseCandidate(q, 4 * q.target.costs.alu, {0});
  }

  void emit(KernelBuilder &b, nn::NNOperator, const KernelOperands &operands, Val) const override {
    ElementType from = operands.inputs[0].type.element, to = operands.outputs[0].type.element;
    mapElements(b, operands, [&](Val x) {
      if (from == to)
        return x;
      if (from == ElementType::Float32)
        return castFloat(b, to, x);
      if (to == ElementType::Float32)
        return b.toFloat(x);
      // Storing keeps the low bits.
      return to == ElementType::Bool ? x != 0 : x;
    });
  }
};

class PortableQuantize : public Kernel {
public:
  StringRef getName() const override { return "quantize.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::QuantizeOp>(*q.op))
      return std::nullopt;
    const CostRules &costs = q.target.costs;
    bool isFloat = q.inputs[0].element == ElementType::Float32;
    if (!isFloat)
      return elementwiseCandidate(q, (isNarrow(q.inputs[0].element) ? 7 : 15) * costs.alu, {0});
    // Numbers within the range; those that are clamped take a third less.
    return elementwiseCandidate(q, 31 * costs.floatOp + 7 * costs.alu, {0});
  }

  void emit(KernelBuilder &b, nn::NNOperator, const KernelOperands &operands, Val) const override {
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    mapElements(b, operands, [&](Val x) {
      return in.element == ElementType::Float32 ? quantizeReal(b, out, x)
                                                : requantizeStored(b, in, out, x);
    });
  }

private:
  static Val quantizeReal(KernelBuilder &b, const TensorType &out, Val x) {
    if (!isNarrow(out.element))
      return b.call("thimble_quantize_i32", {x, b.f32(out.scale()), b.i32(out.zeroPoint())},
                    b.i32(0));
    // Clamped before the zero point is added, where it is still a float; NaN gives the low end.
    ClampRange range = storageRange(out.element);
    Val low = b.f32(static_cast<float>(range.low - out.zeroPoint()));
    Val high = b.f32(static_cast<float>(range.high - out.zeroPoint()));
    Val steps = x / out.scale();
    steps = b.select(steps > low, steps, low);
    steps = b.select(steps < high, steps, high);
    // Halves round away from zero: whole halves are exact.
    KernelBuilder::NoOverflow guard(b);
    Val halves = b.toI32Truncating(steps + steps);
    return ((halves + 1 + (halves >> 31)) >> 1) + out.zeroPoint();
  }

  static Val requantizeStored(KernelBuilder &b, const TensorType &in, const TensorType &out,
                              Val x) {
    RequantizeParams p = prepareRequantize(in, out);
    return b.clamp(scaled(b, x - p.inputZeroPoint, p.multiplier) + p.outputZeroPoint, p.range);
  }
};

class PortableDequantize : public Kernel {
public:
  StringRef getName() const override { return "dequantize.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::DequantizeOp>(*q.op))
      return std::nullopt;
    const CostRules &costs = q.target.costs;
    return elementwiseCandidate(q, 2 * costs.alu + 2 * costs.floatOp, {0});
  }

  void emit(KernelBuilder &b, nn::NNOperator, const KernelOperands &operands, Val) const override {
    const TensorType &in = operands.inputs[0].type;
    if (in.quantization && in.quantization->perChannel())
      return emitPerChannel(b, operands, *in.quantization);
    mapElements(b, operands, [&](Val x) {
      if (!isNarrow(in.element))
        return b.call("thimble_dequantize_i32", {x, b.f32(in.scale()), b.i32(in.zeroPoint())},
                      b.f32(0.0f));
      return b.toFloat(x - in.zeroPoint()) * in.scale();
    });
  }

private:
  /// Zero points of a type per channel are 0.
  static void emitPerChannel(KernelBuilder &b, const KernelOperands &operands,
                             const Quantization &quantization) {
    const TensorType &in = operands.inputs[0].type;
    auto axis = in.shape.begin() + quantization.axis;
    auto product = [](auto first, auto last) {
      return std::accumulate(first, last, int64_t(1), std::multiplies<>());
    };
    int64_t outer = product(in.shape.begin(), axis), inner = product(axis + 1, in.shape.end());
    Buffer from = bufferOf(b, operands.inputs[0], "input"), to = operands.outputs[0].buffer;
    Buffer scales = b.table<float>("scales", quantization.scales);
    b.loop("i", outer, [&](Val i) {
      b.loop("channel", *axis, [&](Val channel) {
        Val scale = b.load(scales, channel, "scale");
        b.loop("j", inner, [&](Val j) {
          Val at = (i * *axis + channel) * inner + j;
          b.store(to, at, b.toFloat(b.load(from, at)) * scale);
        });
      });
    });
  }
};

} // namespace
} // namespace thimble

void thimble::addConversionKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableCast>());
  list.push_back(std::make_unique<PortableQuantize>());
  list.push_back(std::make_unique<PortableDequantize>());
}
