// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/ElementwiseUnary.h"
#include "runtime/thimble_elementwise.h"

namespace thimble {

bool unarySupports(UnaryOp op, ElementType type) {
  switch (type) {
  case ElementType::Float32:
    return op != UnaryOp::LogicalNot;
  case ElementType::Bool:
    return op == UnaryOp::LogicalNot;
  case ElementType::Int32:
  case ElementType::Int64:
    return op == UnaryOp::Abs || op == UnaryOp::Neg || op == UnaryOp::Sign || op == UnaryOp::Square;
  case ElementType::Int8:
  case ElementType::UInt8:
    return op != UnaryOp::LogicalNot;
  case ElementType::Int16:
    switch (op) {
    case UnaryOp::Abs:
    case UnaryOp::Neg:
    case UnaryOp::Sqrt:
    case UnaryOp::Rsqrt:
    case UnaryOp::Exp:
    case UnaryOp::Log:
    case UnaryOp::Gelu:
    case UnaryOp::Relu:
    case UnaryOp::Relu6:
    case UnaryOp::ReluN1To1:
    case UnaryOp::Relu0To1:
    case UnaryOp::LeakyRelu:
    case UnaryOp::Logistic:
    case UnaryOp::Tanh:
      return true;
    default:
      return false;
    }
  }
  return false;
}

float evaluateUnaryFloat(const UnaryParams &params, float x) {
  switch (params.op) {
  case UnaryOp::Abs:
    return thimble_fabsf(x);
  case UnaryOp::Neg:
    return -x;
  case UnaryOp::Sqrt:
    return thimble_sqrtf(x);
  case UnaryOp::Rsqrt:
    return thimble_rsqrtf(x);
  case UnaryOp::Square:
    return x * x;
  case UnaryOp::Exp:
    return thimble_expf(x);
  case UnaryOp::Log:
    return thimble_logf(x);
  case UnaryOp::Sin:
    return thimble_sinf(x);
  case UnaryOp::Cos:
    return thimble_cosf(x);
  case UnaryOp::Floor:
    return thimble_floorf(x);
  case UnaryOp::Ceil:
    return thimble_ceilf(x);
  case UnaryOp::Round:
    return thimble_round_evenf(x);
  case UnaryOp::Relu:
    return x < 0.0f ? 0.0f : x;
  case UnaryOp::Relu6:
    return x > 6.0f ? 6.0f : x < 0.0f ? 0.0f : x;
  case UnaryOp::ReluN1To1:
    return x > 1.0f ? 1.0f : x < -1.0f ? -1.0f : x;
  case UnaryOp::Relu0To1:
    return x > 1.0f ? 1.0f : x < 0.0f ? 0.0f : x;
  case UnaryOp::Logistic:
    return thimble_logisticf(x);
  case UnaryOp::Tanh:
    return thimble_tanhf(x);
  case UnaryOp::Elu:
    return thimble_eluf(x);
  case UnaryOp::HardSwish:
    return thimble_hard_swishf(x);
  case UnaryOp::Gelu:
    return params.approximate ? thimble_gelu_tanhf(x) : thimble_geluf(x);
  case UnaryOp::LeakyRelu:
    return x > 0.0f ? x : x * params.alpha;
  case UnaryOp::Sign:
    return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x;
  case UnaryOp::LogicalNot:
    break;
  }
  assert(false && "not an operator on floats");
  return x;
}

namespace {

template <typename T, typename F> void map(const Tensor &in, Tensor &out, F function) {
  const T *from = in.as<T>();
  T *to = out.as<T>();
  for (int64_t i = 0, n = out.elements(); i < n; ++i)
    to[i] = static_cast<T>(function(from[i]));
}

template <typename T> void evaluatePlain(UnaryOp op, const Tensor &in, Tensor &out) {
  using U = std::make_unsigned_t<T>;
  map<T>(in, out, [op](T x) -> T {
    switch (op) {
    case UnaryOp::Abs:
      return x < 0 ? static_cast<T>(U(0) - static_cast<U>(x)) : x;
    case UnaryOp::Neg:
      return static_cast<T>(U(0) - static_cast<U>(x));
    case UnaryOp::Square:
      return static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(x));
    default:
      return static_cast<T>((x > 0) - (x < 0));
    }
  });
}

void evaluateInt16(const UnaryParams &params, const Tensor &in, Tensor &out) {
  const TensorType &from = in.type, &to = out.type;
  if (unaryInterpolates(params)) {
    const std::vector<int16_t> table = unaryTableInt16(params, from, to);
    return map<int16_t>(in, out, [&](int16_t x) { return thimble_lut_i16(x, table.data()); });
  }
  switch (params.op) {
  case UnaryOp::Abs:
    if (!from.quantization)
      return evaluatePlain<int16_t>(params.op, in, out);
    return map<int16_t>(in, out, [p = prepareAbs(from, to)](int16_t x) { return p.apply(x); });
  case UnaryOp::Rsqrt:
    return map<int16_t>(in, out, [p = prepareRsqrt(from, to)](int16_t x) { return p.apply(x); });
  case UnaryOp::LeakyRelu:
    return map<int16_t>(in, out,
                        [p = prepareLeakyRelu(params, from, to)](int16_t x) { return p.apply(x); });
  case UnaryOp::Logistic:
    return map<int16_t>(in, out, [p = prepareSigmoidInt16(params.op, from)](int16_t x) {
      return thimble_logistic_i16(x, p.multiplier, p.shift);
    });
  case UnaryOp::Tanh:
    return map<int16_t>(in, out, [p = prepareSigmoidInt16(params.op, from)](int16_t x) {
      return thimble_tanh_i16(x, p.multiplier, p.shift);
    });
  case UnaryOp::Sqrt:
    return map<int16_t>(in, out, [&](int16_t x) {
      const float value = from.scale() * static_cast<float>(x - from.zeroPoint());
      const float root = thimble_sqrtf(value < 0.0f ? 0.0f : value) / to.scale();
      return root >= 32767.0f ? 32767 : static_cast<int32_t>(root);
    });
  case UnaryOp::Neg:
    return evaluatePlain<int16_t>(params.op, in, out);
  default:
    return map<int16_t>(in, out,
                        [p = prepareRelu(params, from, to)](int16_t x) { return p.apply(x); });
  }
}

} // namespace

void evaluateUnary(const UnaryParams &params, const Tensor &in, Tensor &out) {
  assert(unarySupports(params.op, in.type.element) && "unsupported element type");
  switch (in.type.element) {
  case ElementType::Float32:
    return map<float>(in, out, [&](float x) { return evaluateUnaryFloat(params, x); });
  case ElementType::Bool:
    return map<bool>(in, out, [](bool x) { return !x; });
  case ElementType::Int8:
  case ElementType::UInt8: {
    const std::vector<uint8_t> table = unaryTable(params, in.type, out.type);
    for (int64_t i = 0, n = out.elements(); i < n; ++i)
      out.data[i] = static_cast<std::byte>(table[static_cast<uint8_t>(in.data[i])]);
    return;
  }
  case ElementType::Int16:
    return evaluateInt16(params, in, out);
  case ElementType::Int32:
    return evaluatePlain<int32_t>(params.op, in, out);
  case ElementType::Int64:
    return evaluatePlain<int64_t>(params.op, in, out);
  }
}

} // namespace thimble
