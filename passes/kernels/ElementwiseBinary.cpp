// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Functions of two elements, in the steps of reference/ElementwiseBinary.
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "passes/kernels/Elementwise.h"
#include "passes/kernels/Families.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

/// The types and parameters of one operator.
struct Binary {
  BinaryParams params;
  TensorType a, b, out;

  bool isFloat() const { return a.element == ElementType::Float32; }
  bool isQuantized() const {
    return (a.quantization || b.quantization) && byteSize(a.element) <= 2;
  }
};

Val comparison(BinaryOp op, Val x, Val y) {
  switch (op) {
  case BinaryOp::Equal:
    return x == y;
  case BinaryOp::NotEqual:
    return x != y;
  case BinaryOp::Less:
    return x < y;
  case BinaryOp::LessEqual:
    return x <= y;
  case BinaryOp::Greater:
    return x > y;
  default:
    return x >= y;
  }
}

Val floatBinary(KernelBuilder &b, const BinaryParams &params, Val x, Val y) {
  auto clamp = [&](Val v) { return b.clamp(v, floatActivationRange(params.activation)); };
  switch (params.op) {
  case BinaryOp::Add:
    return clamp(x + y);
  case BinaryOp::Sub:
    return clamp(x - y);
  case BinaryOp::Mul:
    return clamp(x * y);
  case BinaryOp::Div:
    return clamp(x / y);
  case BinaryOp::Minimum:
    return b.select(x < y, x, y);
  case BinaryOp::Maximum:
    return b.select(x > y, x, y);
  case BinaryOp::SquaredDifference: {
    Val difference = x - y;
    return difference * difference;
  }
  case BinaryOp::FloorDiv:
    return b.call("thimble_floordivf", {x, y}, x);
  case BinaryOp::FloorMod:
    return b.call("thimble_floormodf", {x, y}, x);
  case BinaryOp::Pow:
    return b.call("thimble_powf", {x, y}, x);
  case BinaryOp::Atan2:
    return b.call("thimble_atan2f", {x, y}, x);
  case BinaryOp::Prelu:
    return b.select(x >= 0.0f, x, x * y);
  default:
    return comparison(params.op, x, y);
  }
}

/// Plain integers and bool, as i32 or i64; wrapping.
Val integerBinary(KernelBuilder &b, const BinaryParams &params, Val x, Val y) {
  auto clamp = [&](Val v) {
    // TFLite Micro's ADD does not clamp integers.
    bool clamps = params.activation != Activation::None &&
                  !(params.op == BinaryOp::Add && params.rule == Rule::Micro);
    return clamps ? b.clamp(v, integerActivationRange(params.activation)) : v;
  };
  auto call = [&](StringRef function) {
    return b.call((function + (x.type().isInteger(64) ? "_i64" : "_i32")).str(), {x, y}, x);
  };
  switch (params.op) {
  case BinaryOp::Add:
    return clamp(x + y);
  case BinaryOp::Sub:
    return clamp(x - y);
  case BinaryOp::Mul:
    return clamp(x * y);
  case BinaryOp::Div:
    return clamp(call("thimble_quotient"));
  case BinaryOp::Minimum:
    return b.min(x, y);
  case BinaryOp::Maximum:
    return b.max(x, y);
  case BinaryOp::SquaredDifference: {
    Val difference = x - y;
    return difference * difference;
  }
  case BinaryOp::FloorDiv:
    return call("thimble_floor_div");
  case BinaryOp::FloorMod:
    return call("thimble_floor_mod");
  case BinaryOp::Pow:
    return call("thimble_pow");
  case BinaryOp::LogicalAnd:
    return x & y;
  case BinaryOp::LogicalOr:
    return x | y;
  default:
    return comparison(params.op, x, y);
  }
}

/// A quantized operand at the common scale.
Val atCommonScale(KernelBuilder &b, const ScaledOperand &operand, Val x, int32_t leftShift) {
  return scaled(b, (x + operand.offset) << leftShift, operand.multiplier);
}

Val quantizedBinary(KernelBuilder &b, const Binary &binary, Val x, Val y) {
  const auto &[params, aType, bType, out] = binary;
  switch (params.op) {
  case BinaryOp::Add:
  case BinaryOp::Sub:
  case BinaryOp::SquaredDifference: {
    ScaledBinary p = prepareScaled(params, aType, bType, out);
    Val left = atCommonScale(b, p.a, x, p.leftShift), right = atCommonScale(b, p.b, y, p.leftShift);
    Val raw = params.op == BinaryOp::Add ? left + right : left - right;
    if (params.op == BinaryOp::SquaredDifference)
      raw = raw * raw;
    return b.clamp(scaled(b, raw, p.output) + p.outputOffset, p.range);
  }
  case BinaryOp::Mul: {
    ProductBinary p = prepareProduct(params, aType, bType, out);
    Val product = (x + p.offsetA) * (y + p.offsetB);
    return b.clamp(scaled(b, product, p.multiplier) + p.outputOffset, p.range);
  }
  case BinaryOp::Div: {
    ProductBinary p = prepareProduct(params, aType, bType, out);
    Val quotient = b.call(
        "thimble_divide_scaled",
        {x + p.offsetA, y + p.offsetB, b.i32(p.multiplier.multiplier), b.i32(p.multiplier.shift)},
        x);
    return b.clamp(quotient + p.outputOffset, p.range);
  }
  case BinaryOp::Prelu: {
    PreluParams p = preparePrelu(params, aType, bType, out);
    Val value = x + p.inputOffset;
    Val result = b.choose(
        value >= 0, [&] { return Vals{scaled(b, value, p.positive)}; },
        [&] { return Vals{scaled(b, value * (y + p.alphaOffset), p.negative)}; })[0];
    return b.clamp(result + p.outputOffset, p.range);
  }
  default: {
    // Minimum, maximum and int16 comparisons are of the stored numbers.
    if (!isComparison(params.op) || out.element == ElementType::Int16 ||
        aType.element == ElementType::Int16)
      return integerBinary(b, params, x, y);
    ScaledComparison p = prepareComparison(aType, bType);
    return comparison(params.op, atCommonScale(b, p.a, x, p.leftShift),
                      atCommonScale(b, p.b, y, p.leftShift));
  }
  }
}

/// Cycles of arithmetic an element, roughly.
/// One number for all elements of an inner loop.
bool isScalar(const TensorType &type) { return type.shape.empty() || type.shape.back() == 1; }

double costOf(const Binary &binary, const CostRules &costs) {
  BinaryOp op = binary.params.op;
  if (binary.isFloat())
    return (op == BinaryOp::Pow || op == BinaryOp::Atan2 ? 300 : 5) * costs.floatOp;
  bool plain = op == BinaryOp::Minimum || op == BinaryOp::Maximum;
  if (binary.isQuantized() && !plain)
    return (op == BinaryOp::Div                        ? 120
            : isComparison(op) || op == BinaryOp::Mul  ? 18
            : isScalar(binary.a) || isScalar(binary.b) ? 20
                                                       : 30) *
           costs.alu;
  return 2 * costs.alu;
}

class PortableBinary : public Kernel {
public:
  StringRef getName() const override { return "binary.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::BinaryElementwise>(*q.op))
      return std::nullopt;
    Binary binary = describe(q.op, q.inputs[0], q.inputs[1], q.outputs[0]);
    return elementwiseCandidate(q, costOf(binary, q.target.costs), unbroadcast(q));
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    const KernelOperand &out = operands.outputs[0];
    Binary binary = describe(op, operands.inputs[0].type, operands.inputs[1].type, out.type);
    BroadcastLoop loop = broadcastLoop({binary.a.shape, binary.b.shape}, out.type.shape);
    mapElements(b, loop, operands.inputs, out, [&](ArrayRef<Val> x) {
      if (binary.isFloat())
        return floatBinary(b, binary.params, x[0], x[1]);
      if (binary.isQuantized())
        return quantizedBinary(b, binary, x[0], x[1]);
      return integerBinary(b, binary.params, x[0], x[1]);
    });
  }

private:
  static Binary describe(nn::NNOperator op, const TensorType &a, const TensorType &b,
                         const TensorType &out) {
    auto binary = cast<nn::BinaryElementwise>(*op);
    BinaryParams params{binary.getBinaryOp(), static_cast<Activation>(binary.getFusedActivation()),
                        ruleOf(op)};
    return {params, a, b, out};
  }
};

} // namespace
} // namespace thimble

void thimble::addBinaryKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableBinary>());
}
