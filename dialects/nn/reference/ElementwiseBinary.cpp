// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "runtime/thimble_elementwise.h"

#include <type_traits>

namespace thimble {

bool isComparison(BinaryOp op) { return op >= BinaryOp::Equal && op <= BinaryOp::GreaterEqual; }

bool binarySupports(BinaryOp op, ElementType type) {
  const bool logical = op == BinaryOp::LogicalAnd || op == BinaryOp::LogicalOr;
  switch (type) {
  case ElementType::Bool:
    return logical || op == BinaryOp::Equal || op == BinaryOp::NotEqual;
  case ElementType::Float32:
    return !logical;
  case ElementType::Int8:
  case ElementType::UInt8:
  case ElementType::Int16:
    return !logical && op != BinaryOp::Pow && op != BinaryOp::Atan2;
  case ElementType::Int32:
  case ElementType::Int64:
    return !logical && op != BinaryOp::Atan2 && op != BinaryOp::Prelu;
  }
  return false;
}

namespace {

template <typename T, typename R, typename F>
void zip(const Tensor &a, const Tensor &b, Tensor &out, F function) {
  const T *x = a.as<T>(), *y = b.as<T>();
  R *to = out.as<R>();
  const BroadcastLoop loop = broadcastLoop({a.shape(), b.shape()}, out.shape());
  forEachBroadcast<2>(
      loop, [=](int64_t o, int64_t i, int64_t j) { to[o] = static_cast<R>(function(x[i], y[j])); });
}

/// Comparisons of `T` after `convertA` and `convertB`.
template <typename T, typename A, typename B>
void compare(BinaryOp op, const Tensor &a, const Tensor &b, Tensor &out, A ca, B cb) {
  switch (op) {
  case BinaryOp::Equal:
    return zip<T, bool>(a, b, out, [=](T x, T y) { return ca(x) == cb(y); });
  case BinaryOp::NotEqual:
    return zip<T, bool>(a, b, out, [=](T x, T y) { return ca(x) != cb(y); });
  case BinaryOp::Less:
    return zip<T, bool>(a, b, out, [=](T x, T y) { return ca(x) < cb(y); });
  case BinaryOp::LessEqual:
    return zip<T, bool>(a, b, out, [=](T x, T y) { return ca(x) <= cb(y); });
  case BinaryOp::Greater:
    return zip<T, bool>(a, b, out, [=](T x, T y) { return ca(x) > cb(y); });
  default:
    return zip<T, bool>(a, b, out, [=](T x, T y) { return ca(x) >= cb(y); });
  }
}

template <typename T>
void comparePlain(BinaryOp op, const Tensor &a, const Tensor &b, Tensor &out) {
  auto same = [](T x) { return x; };
  compare<T>(op, a, b, out, same, same);
}

void evaluateFloat(const BinaryParams &params, const Tensor &a, const Tensor &b, Tensor &out) {
  const FloatRange range = floatActivationRange(params.activation);
  auto run = [&](auto function) { zip<float, float>(a, b, out, function); };
  switch (params.op) {
  case BinaryOp::Add:
    return run([=](float x, float y) { return range.clamp(x + y); });
  case BinaryOp::Sub:
    return run([=](float x, float y) { return range.clamp(x - y); });
  case BinaryOp::Mul:
    return run([=](float x, float y) { return range.clamp(x * y); });
  case BinaryOp::Div:
    return run([=](float x, float y) { return range.clamp(x / y); });
  case BinaryOp::Minimum:
    return run([](float x, float y) { return x < y ? x : y; });
  case BinaryOp::Maximum:
    return run([](float x, float y) { return x > y ? x : y; });
  case BinaryOp::SquaredDifference:
    return run([](float x, float y) { return (x - y) * (x - y); });
  case BinaryOp::FloorDiv:
    return run([](float x, float y) { return thimble_floordivf(x, y); });
  case BinaryOp::FloorMod:
    return run([](float x, float y) { return thimble_floormodf(x, y); });
  case BinaryOp::Pow:
    return run([](float x, float y) { return thimble_powf(x, y); });
  case BinaryOp::Atan2:
    return run([](float x, float y) { return thimble_atan2f(x, y); });
  case BinaryOp::Prelu:
    return run([](float x, float y) { return x >= 0.0f ? x : x * y; });
  default:
    return comparePlain<float>(params.op, a, b, out);
  }
}

// The runtime's functions by type.
int32_t quotient(int32_t x, int32_t y) { return thimble_quotient_i32(x, y); }
int64_t quotient(int64_t x, int64_t y) { return thimble_quotient_i64(x, y); }
int32_t floorDiv(int32_t x, int32_t y) { return thimble_floor_div_i32(x, y); }
int64_t floorDiv(int64_t x, int64_t y) { return thimble_floor_div_i64(x, y); }
int32_t floorMod(int32_t x, int32_t y) { return thimble_floor_mod_i32(x, y); }
int64_t floorMod(int64_t x, int64_t y) { return thimble_floor_mod_i64(x, y); }
int32_t power(int32_t x, int32_t y) { return thimble_pow_i32(x, y); }
int64_t power(int64_t x, int64_t y) { return thimble_pow_i64(x, y); }

/// Plain (not quantized) integers; arithmetic wraps. `U` is wide enough that no
/// promotion to a signed type can overflow.
template <typename T>
void evaluateInteger(const BinaryParams &params, const Tensor &a, const Tensor &b, Tensor &out) {
  using U = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  const ClampRange range = integerActivationRange(params.activation);
  const bool clamps = params.activation != Activation::None;
  auto clamp = [=](U wrapped) -> T {
    const T x = static_cast<T>(wrapped);
    return !clamps ? x
                   : static_cast<T>(std::min<int64_t>(std::max<int64_t>(x, range.low), range.high));
  };
  auto run = [&](auto function) { zip<T, T>(a, b, out, function); };
  using Wide = std::conditional_t<sizeof(T) == 8, int64_t, int32_t>;
  switch (params.op) {
  case BinaryOp::Add:
    // TFLite Micro's ADD does not clamp integers (add.cc).
    if (params.rule == Rule::Micro)
      return run([=](T x, T y) { return static_cast<T>(U(x) + U(y)); });
    return run([=](T x, T y) { return clamp(U(x) + U(y)); });
  case BinaryOp::Sub:
    return run([=](T x, T y) { return clamp(U(x) - U(y)); });
  case BinaryOp::Mul:
    return run([=](T x, T y) { return clamp(U(x) * U(y)); });
  case BinaryOp::Div:
    return run([=](T x, T y) { return clamp(U(quotient(Wide(x), Wide(y)))); });
  case BinaryOp::Minimum:
    return run([](T x, T y) { return x < y ? x : y; });
  case BinaryOp::Maximum:
    return run([](T x, T y) { return x > y ? x : y; });
  case BinaryOp::SquaredDifference:
    return run([](T x, T y) {
      const U difference = U(static_cast<T>(U(x) - U(y)));
      return static_cast<T>(difference * difference);
    });
  case BinaryOp::FloorDiv:
    return run([](T x, T y) { return static_cast<T>(floorDiv(Wide(x), Wide(y))); });
  case BinaryOp::FloorMod:
    return run([](T x, T y) { return static_cast<T>(floorMod(Wide(x), Wide(y))); });
  case BinaryOp::Pow:
    return run([](T x, T y) { return static_cast<T>(power(Wide(x), Wide(y))); });
  default:
    return comparePlain<T>(params.op, a, b, out);
  }
}

template <typename T>
void evaluateQuantized(const BinaryParams &params, const Tensor &a, const Tensor &b, Tensor &out) {
  auto run = [&](auto function) { zip<T, T>(a, b, out, function); };
  switch (params.op) {
  case BinaryOp::Add:
  case BinaryOp::Sub:
  case BinaryOp::SquaredDifference:
    return run(
        [p = prepareScaled(params, a.type, b.type, out.type)](T x, T y) { return p.apply(x, y); });
  case BinaryOp::Mul:
    return run([p = prepareProduct(params, a.type, b.type, out.type)](T x, T y) {
      return p.multiply(x, y);
    });
  case BinaryOp::Div:
    return run([p = prepareProduct(params, a.type, b.type, out.type)](T x, T y) {
      return p.divide(x, y);
    });
  case BinaryOp::Prelu:
    return run(
        [p = preparePrelu(params, a.type, b.type, out.type)](T x, T y) { return p.apply(x, y); });
  case BinaryOp::Minimum:
  case BinaryOp::Maximum:
  case BinaryOp::FloorDiv:
  case BinaryOp::FloorMod:
    // On stored numbers, as the reference does.
    return evaluateInteger<T>(params, a, b, out);
  default: {
    if constexpr (sizeof(T) == 2)
      return comparePlain<T>(params.op, a, b, out);
    const ScaledComparison p = prepareComparison(a.type, b.type);
    return compare<T>(
        params.op, a, b, out, [=](T x) { return p.a.apply(x, p.leftShift); },
        [=](T y) { return p.b.apply(y, p.leftShift); });
  }
  }
}

template <typename T>
void evaluateNarrow(const BinaryParams &params, const Tensor &a, const Tensor &b, Tensor &out) {
  if (a.type.quantization || b.type.quantization)
    evaluateQuantized<T>(params, a, b, out);
  else
    evaluateInteger<T>(params, a, b, out);
}

} // namespace

void evaluateBinary(const BinaryParams &params, const Tensor &a, const Tensor &b, Tensor &out) {
  assert(binarySupports(params.op, a.type.element) && "unsupported element type");
  switch (a.type.element) {
  case ElementType::Float32:
    return evaluateFloat(params, a, b, out);
  case ElementType::Bool:
    if (params.op == BinaryOp::LogicalAnd)
      return zip<bool, bool>(a, b, out, [](bool x, bool y) { return x && y; });
    if (params.op == BinaryOp::LogicalOr)
      return zip<bool, bool>(a, b, out, [](bool x, bool y) { return x || y; });
    return comparePlain<bool>(params.op, a, b, out);
  case ElementType::Int8:
    return evaluateNarrow<int8_t>(params, a, b, out);
  case ElementType::UInt8:
    return evaluateNarrow<uint8_t>(params, a, b, out);
  case ElementType::Int16:
    return evaluateNarrow<int16_t>(params, a, b, out);
  case ElementType::Int32:
    return evaluateInteger<int32_t>(params, a, b, out);
  case ElementType::Int64:
    return evaluateInteger<int64_t>(params, a, b, out);
  }
}

} // namespace thimble
