// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Functions of one element: 8-bit ones are tables, int16 ones interpolated tables or the steps of
// the reference's structs, float ones calls of the runtime.
#include "dialects/nn/reference/ElementwiseUnary.h"
#include "passes/kernels/Elementwise.h"
#include "passes/kernels/Families.h"

using namespace mlir;
using namespace thimble;

namespace thimble {

bool isLookup(const KernelQuery &query) {
  return isa<nn::UnaryElementwise, nn::LookupOp>(*query.op) &&
         byteSize(query.inputs[0].element) == 1 && query.inputs[0].element != ElementType::Bool;
}

std::vector<uint8_t> lookupTable(nn::NNOperator op, const TensorType &in, const TensorType &out) {
  if (auto unary = dyn_cast<nn::UnaryElementwise>(*op))
    return unaryTable(unary.getUnaryParams(), in, out);
  // nn.lookup counts from the least value of the input.
  unsigned first = in.element == ElementType::Int8 ? 128 : 0;
  ArrayRef<char> stored = cast<DenseElementsAttr>(cast<nn::LookupOp>(*op).getTable()).getRawData();
  std::vector<uint8_t> table(256);
  for (unsigned i = 0; i < 256; ++i)
    table[i] = static_cast<uint8_t>(stored[stored.size() == 1 ? 0 : (i + first) % 256]);
  return table;
}

namespace {

/// out[i] = table[in[i]], the table's index being the byte of the input.
class TableLookup : public Kernel {
public:
  StringRef getName() const override { return "lookup.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isLookup(q))
      return std::nullopt;
    Candidate c = elementwiseCandidate(q, q.target.costs.load, {0});
    c.flashBytes += 256;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    ElementType element = operands.outputs[0].type.element;
    std::vector<uint8_t> values =
        lookupTable(op, operands.inputs[0].type, operands.outputs[0].type);
    Buffer table = b.tableOf("table", element, values.size(), values.data());
    Buffer from = bufferOf(b, operands.inputs[0], "input"), to = operands.outputs[0].buffer;
    from.element = ElementType::UInt8;
    b.loop("i", operands.outputs[0].type.elements(),
           [&](Val i) { b.store(to, i, b.load(table, b.load(from, i))); });
  }
};

/// The function of the runtime that computes `params` on a float; none where the kernel does.
StringRef floatFunction(const UnaryParams &params) {
  switch (params.op) {
  case UnaryOp::Abs:
    return "thimble_fabsf";
  case UnaryOp::Sqrt:
    return "thimble_sqrtf";
  case UnaryOp::Rsqrt:
    return "thimble_rsqrtf";
  case UnaryOp::Exp:
    return "thimble_expf";
  case UnaryOp::Log:
    return "thimble_logf";
  case UnaryOp::Sin:
    return "thimble_sinf";
  case UnaryOp::Cos:
    return "thimble_cosf";
  case UnaryOp::Floor:
    return "thimble_floorf";
  case UnaryOp::Ceil:
    return "thimble_ceilf";
  case UnaryOp::Round:
    return "thimble_round_evenf";
  case UnaryOp::Logistic:
    return "thimble_logisticf";
  case UnaryOp::Tanh:
    return "thimble_tanhf";
  case UnaryOp::Elu:
    return "thimble_eluf";
  case UnaryOp::HardSwish:
    return "thimble_hard_swishf";
  case UnaryOp::Gelu:
    return params.approximate ? "thimble_gelu_tanhf" : "thimble_geluf";
  default:
    return "";
  }
}

/// The same steps as `evaluateUnaryFloat`.
Val floatUnary(KernelBuilder &b, const UnaryParams &params, Val x) {
  if (StringRef function = floatFunction(params); !function.empty())
    return b.call(function, {x}, x);
  auto atLeast = [&](float bound, Val v) { return b.select(x < bound, b.f32(bound), v); };
  auto atMost = [&](float bound, Val v) { return b.select(x > bound, b.f32(bound), v); };
  switch (params.op) {
  case UnaryOp::Neg:
    return -x;
  case UnaryOp::Square:
    return x * x;
  case UnaryOp::Relu:
    return atLeast(0.0f, x);
  case UnaryOp::Relu6:
    return atMost(6.0f, atLeast(0.0f, x));
  case UnaryOp::ReluN1To1:
    return atMost(1.0f, atLeast(-1.0f, x));
  case UnaryOp::Relu0To1:
    return atMost(1.0f, atLeast(0.0f, x));
  case UnaryOp::LeakyRelu:
    return b.select(x > 0.0f, x, x * params.alpha);
  default:
    llvm_unreachable("no such operator on floats");
  }
}

/// int16 by the numbers of the reference's structs.
Val int16Unary(KernelBuilder &b, const UnaryParams &params, const TensorType &in,
               const TensorType &out, Val x) {
  auto call = [&](StringRef function, ArrayRef<Val> arguments) {
    return b.call(function, arguments, x);
  };
  if (unaryInterpolates(params)) {
    Buffer table = b.table<int16_t>("table", unaryTableInt16(params, in, out));
    return call("thimble_lut_i16", {x, Val(b, table.memref)});
  }
  switch (params.op) {
  case UnaryOp::Abs: {
    if (!in.quantization)
      return b.select(x < 0, -x, x);
    AbsParams p = prepareAbs(in, out);
    Val value = x - p.inputZeroPoint;
    value = b.select(value < 0, -value, value);
    return b.clamp((p.rescale ? scaled(b, value, p.multiplier) : value) + p.outputZeroPoint,
                   p.range);
  }
  case UnaryOp::Neg:
    return -x;
  case UnaryOp::Sqrt: {
    Val value = b.toFloat(x - in.zeroPoint()) * in.scale();
    Val root = call("thimble_sqrtf", {b.select(value < 0.0f, b.f32(0.0f), value)}) / out.scale();
    return b.toI32Truncating(b.select(root < 32767.0f, root, b.f32(32767.0f)));
  }
  case UnaryOp::Rsqrt: {
    RsqrtParams p = prepareRsqrt(in, out);
    Val root = call("thimble_rsqrt_scaled", {x - p.inputZeroPoint, b.i32(p.multiplier.multiplier),
                                             b.i32(p.multiplier.shift)});
    return b.clamp(root + p.outputZeroPoint, p.range);
  }
  case UnaryOp::LeakyRelu: {
    LeakyReluParams p = prepareLeakyRelu(params, in, out);
    Val value = x - p.inputZeroPoint;
    Val result = b.choose(
        value >= 0, [&] { return Vals{scaled(b, value, p.identity)}; },
        [&] {
          Val sloped = scaled(b, value, p.slope);
          return Vals{p.negativeSlope ? -sloped : sloped};
        })[0];
    return b.clamp(result + p.outputZeroPoint, p.range);
  }
  case UnaryOp::Logistic:
  case UnaryOp::Tanh: {
    SigmoidParams p = prepareSigmoidInt16(params.op, in);
    return call(params.op == UnaryOp::Tanh ? "thimble_tanh_i16" : "thimble_logistic_i16",
                {x, b.i32(p.multiplier), b.i32(p.shift)});
  }
  default: {
    ReluParams p = prepareRelu(params, in, out);
    if (p.clampOnly)
      return b.clamp(x, p.range);
    return b.clamp(scaled(b, x - p.inputZeroPoint, p.multiplier) + p.outputZeroPoint, p.range);
  }
  }
}

/// Plain integers, wrapping.
Val integerUnary(KernelBuilder &b, UnaryOp op, Val x) {
  switch (op) {
  case UnaryOp::Abs:
    return b.select(x < 0, -x, x);
  case UnaryOp::Neg:
    return -x;
  case UnaryOp::Square:
    return x * x;
  default:
    llvm_unreachable("no such operator on integers");
  }
}

class PortableUnary : public Kernel {
public:
  StringRef getName() const override { return "unary.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    auto unary = dyn_cast<nn::UnaryElementwise>(*q.op);
    ElementType element = q.inputs[0].element;
    if (!unary || isLookup(q))
      return std::nullopt;
    UnaryParams params = unary.getUnaryParams();
    double cost = 4 * q.target.costs.alu;
    if (element == ElementType::Float32)
      cost = (floatFunction(params).empty() ? 3 : 40) * q.target.costs.floatOp;
    else if (element == ElementType::Int16)
      cost = 13 * q.target.costs.alu;
    Candidate c = elementwiseCandidate(q, cost, {0});
    if (element == ElementType::Int16 && unaryInterpolates(params))
      c.flashBytes += 2 * 513;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    UnaryParams params = cast<nn::UnaryElementwise>(*op).getUnaryParams();
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    mapElements(b, operands, [&](Val x) {
      switch (in.element) {
      case ElementType::Bool:
        return x == 0;
      case ElementType::Float32:
        return floatUnary(b, params, x);
      case ElementType::Int16:
        return int16Unary(b, params, in, out, x);
      default:
        return integerUnary(b, params.op, x);
      }
    });
  }
};

} // namespace
} // namespace thimble

void thimble::addUnaryKernels(KernelList &list) {
  list.push_back(std::make_unique<TableLookup>());
  list.push_back(std::make_unique<PortableUnary>());
}
