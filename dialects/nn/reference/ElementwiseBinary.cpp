// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "runtime/thimble_float_div.h"

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
  forEachBroadcast<2>(loop, [=](int64_t o, int64_t i, int64_t j) {
    to[o] = static_cast<R>(function(x[i], y[j]));
  });
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

/// Sign of the divisor (floor_mod.h).
float floorMod(float x, float y) {
  const float rest = thimble_fmodf(x, y);
  return rest != 0.0f && (y < 0.0f) != (rest < 0.0f) ? rest + y : rest;
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
    return run(floorMod);
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

/// Wrapping power; a negative exponent, an error in LiteRT, leaves only 1 and -1.
template <typename T> T power(T base, T exponent) {
  using U = std::make_unsigned_t<T>;
  if (exponent < 0)
    return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  U result = 1, square = static_cast<U>(base);
  for (T bits = exponent; bits > 0; bits = static_cast<T>(bits / 2)) {
    if (bits % 2 != 0)
      result *= square;
    square *= square;
  }
  return static_cast<T>(result);
}

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
  // x / y with the smallest number over -1 wrapping.
  auto divide = [](T x, T y) -> T {
    if (y == 0)
      return 0;
    return std::is_signed_v<T> && y == static_cast<T>(-1) ? static_cast<T>(U(0) - U(x))
                                                          : static_cast<T>(x / y);
  };
  auto remainder = [](T x, T y) -> T {
    return y == 0 || (std::is_signed_v<T> && y == static_cast<T>(-1)) ? T(0)
                                                                      : static_cast<T>(x % y);
  };
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
    return run([=](T x, T y) { return clamp(U(divide(x, y))); });
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
    return run([=](T x, T y) {
      const T rest = remainder(x, y);
      return static_cast<T>(divide(x, y) - (rest != 0 && (rest < 0) != (y < 0) ? 1 : 0));
    });
  case BinaryOp::FloorMod:
    return run([=](T x, T y) {
      const T rest = remainder(x, y);
      return static_cast<T>(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
    });
  case BinaryOp::Pow:
    if constexpr (std::is_signed_v<T> && sizeof(T) >= 4)
      return run(power<T>);
    return;
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
    return run([p = prepareScaled(params, a.type, b.type, out.type)](T x, T y) {
      return p.apply(x, y);
    });
  case BinaryOp::Mul:
    return run([p = prepareProduct(params, a.type, b.type, out.type)](T x, T y) {
      return p.multiply(x, y);
    });
  case BinaryOp::Div:
    return run([p = prepareProduct(params, a.type, b.type, out.type)](T x, T y) {
      return p.divide(x, y);
    });
  case BinaryOp::Prelu:
    return run([p = preparePrelu(params, a.type, b.type, out.type)](T x, T y) {
      return p.apply(x, y);
    });
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
