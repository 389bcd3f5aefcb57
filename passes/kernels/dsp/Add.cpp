// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// int8 addition and subtraction of tensors of one shape.
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble::dsp {
namespace {

ScaledBinary numbersOf(nn::NNOperator op, const TensorType &lhs, const TensorType &rhs,
                       const TensorType &out) {
  auto binary = cast<nn::BinaryElementwise>(op.getOperation());
  BinaryParams params;
  params.op = binary.getBinaryOp();
  params.activation = static_cast<Activation>(binary.getFusedActivation());
  return prepareScaled(params, lhs, rhs, out);
}

/// A right shift by 0 to 30 bits after the high multiplication.
bool isRightShift(QuantizedMultiplier m) { return m.shift <= 0 && m.shift >= -30; }

/// `thimble_requantize_double` of half of `doubled`, for right shifts: see Int8Requant.
Val scaleDoubled(KernelBuilder &b, Val doubled, QuantizedMultiplier m) {
  int32_t right = -m.shift;
  if (right == 0)
    return smmlar(doubled, b.i32(m.multiplier), b.i32(0));
  Val addend = b.i32(int32_t(1) << (right - 1)) + (doubled >> 31);
  return smmlar(doubled, b.i32(m.multiplier), addend) >> right;
}

class DspAdd : public Kernel {
public:
  StringRef getName() const override { return "add.smmla"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::AddOp, nn::SubOp>(*q.op) || !appliesTo(q) ||
        q.inputs[0].shape != q.inputs[1].shape || q.constants[0] || q.constants[1])
      return std::nullopt;
    ScaledBinary n = numbersOf(q.op, q.inputs[0], q.inputs[1], q.outputs[0]);
    // Doubled, the greatest operand (255 << 20) and the greatest sum of two still fit a word.
    if (n.leftShift != 20 || !isRightShift(n.a.multiplier) || !isRightShift(n.b.multiplier) ||
        !isRightShift(n.output))
      return std::nullopt;
    Candidate c;
    constexpr int64_t perElement = 26;
    c.cycles = perElement * q.outputs[0].elements();
    c.flashBytes = 450;
    c.inPlaceInputs = {0, 1};
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    ScaledBinary n =
        numbersOf(op, operands.inputs[0].type, operands.inputs[1].type, operands.outputs[0].type);
    int64_t count = operands.outputs[0].type.elements();
    auto element = [&](Val i) {
      KernelBuilder::NoOverflow proved(b);
      Val x = scaled(b, b.load(operands.inputs[0].buffer, i, "x"), n.a, n.leftShift);
      Val y = scaled(b, b.load(operands.inputs[1].buffer, i, "y"), n.b, n.leftShift);
      Val sum = n.op == BinaryOp::Sub ? x - y : x + y;
      Val out = scaleDoubled(b, sum + sum, n.output) + n.outputOffset;
      b.store(operands.outputs[0].buffer, i, b.clamp(out, n.range));
    };
    constexpr int64_t unrolled = 2;
    int64_t whole = count / unrolled * unrolled;
    b.loop("i", b.index(0), b.index(whole), unrolled, [&](Val i) {
      for (int64_t u = 0; u < unrolled; ++u)
        element(i + u);
    });
    for (int64_t i = whole; i < count; ++i)
      element(b.index(i));
  }

private:
  static Val scaled(KernelBuilder &b, Val element, const ScaledOperand &operand,
                    int32_t leftShift) {
    int32_t factor = int32_t(1) << (leftShift + 1);
    return scaleDoubled(b, (element + operand.offset) * factor, operand.multiplier);
  }
};

} // namespace
} // namespace thimble::dsp

void thimble::addDspAddKernels(KernelList &list) {
  list.push_back(std::make_unique<dsp::DspAdd>());
}
