// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Convert.h"
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "dialects/nn/reference/ElementwiseOther.h"
#include "dialects/nn/reference/ElementwiseUnary.h"
#include "dialects/nn/reference/Reduce.h"
#include "runtime/thimble_float_div.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace thimble;

namespace {

template <typename T>
Tensor of(const Shape &shape, const std::vector<T> &values,
          std::optional<Quantization> quantization = std::nullopt) {
  Tensor tensor(TensorType{elementTypeOf<T>(), shape, quantization});
  for (size_t i = 0; i < values.size(); ++i)
    tensor.as<T>()[i] = values[i];
  return tensor;
}

template <typename T> std::vector<T> valuesOf(const Tensor &tensor) {
  return std::vector<T>(tensor.as<T>(), tensor.as<T>() + tensor.elements());
}

Quantization quantized(float scale, int32_t zeroPoint) { return {{scale}, {zeroPoint}, -1}; }

/// Every entry within one step of the real function.
void expectNear(const UnaryParams &params, float inScale, int32_t inZero, float outScale,
                int32_t outZero, double (*function)(double)) {
  TensorType in{ElementType::Int8, {256}, quantized(inScale, inZero)};
  TensorType out{ElementType::Int8, {256}, quantized(outScale, outZero)};
  const std::vector<uint8_t> table = unaryTable(params, in, out);
  for (int32_t x = -128; x < 128; ++x) {
    const double real = function(inScale * (x - inZero)) / outScale + outZero;
    const double stored = static_cast<int8_t>(table[static_cast<uint8_t>(x)]);
    EXPECT_NEAR(stored, std::min(127.0, std::max(-128.0, real)), 1.01) << "input " << x;
  }
}

TEST(Unary, TablesFollowTheirFunctions) {
  for (Rule rule : {Rule::Micro, Rule::Litert}) {
    expectNear({UnaryOp::Tanh, 0, false, rule}, 0.03f, 5, 1.0f / 128, 0,
               [](double x) { return std::tanh(x); });
    expectNear({UnaryOp::Logistic, 0, false, rule}, 0.06f, -9, 1.0f / 256, -128,
               [](double x) { return 1 / (1 + std::exp(-x)); });
    expectNear({UnaryOp::HardSwish, 0, false, rule}, 0.05f, 3, 0.05f, -100,
               [](double x) { return x * std::min(6.0, std::max(0.0, x + 3)) / 6; });
    expectNear({UnaryOp::Elu, 0, false, rule}, 0.05f, 3, 0.04f, -80,
               [](double x) { return x < 0 ? std::expm1(x) : x; });
    expectNear({UnaryOp::LeakyRelu, -0.25f, false, rule}, 0.05f, 3, 0.04f, -80,
               [](double x) { return x < 0 ? -0.25 * x : x; });
    expectNear({UnaryOp::Abs, 0, false, rule}, 0.05f, 3, 0.03f, -80,
               [](double x) { return std::fabs(x); });
  }
}

TEST(Unary, Relu6ClampsOrRescales) {
  TensorType in{ElementType::Int8, {1}, quantized(0.1f, 0)};
  TensorType out{ElementType::Int8, {1}, quantized(0.05f, 0)};
  EXPECT_EQ(unaryTable({UnaryOp::Relu6}, in, out)[50], 50);
  EXPECT_EQ(unaryTable({UnaryOp::Relu6, 0, false, Rule::Litert}, in, out)[50], 100);
}

TEST(Unary, RoundsTiesToEven) {
  for (auto [x, rounded] : {std::pair(2.5f, 2.0f), {3.5f, 4.0f}, {-2.5f, -2.0f}, {0.4f, 0.0f}})
    EXPECT_EQ(evaluateUnaryFloat({UnaryOp::Round}, x), rounded);
}

TEST(Binary, QuantizedAddRescales) {
  Tensor a = of<int8_t>({2}, {10, 100}, quantized(0.1f, 0));
  Tensor b = of<int8_t>({1}, {20}, quantized(0.2f, 10));
  Tensor out = of<int8_t>({2}, {0, 0}, quantized(0.1f, -5));
  evaluateBinary({BinaryOp::Add}, a, b, out);
  EXPECT_EQ(valuesOf<int8_t>(out), std::vector<int8_t>({25, 115}));
  evaluateBinary({BinaryOp::Add, Activation::Relu6}, a, b, out);
  EXPECT_EQ(valuesOf<int8_t>(out), std::vector<int8_t>({25, 55}));
}

TEST(Binary, BroadcastsInBothDirections) {
  Tensor a = of<int32_t>({2, 1}, {10, 20}), b = of<int32_t>({3}, {1, 2, 3});
  Tensor out = of<int32_t>({2, 3}, {});
  evaluateBinary({BinaryOp::Sub}, a, b, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({9, 8, 7, 19, 18, 17}));
}

TEST(Binary, IntegerDivisionIsDefinedEverywhere) {
  const int32_t least = std::numeric_limits<int32_t>::min();
  Tensor a = of<int32_t>({4}, {7, -7, least, 5}), b = of<int32_t>({4}, {0, 2, -1, -3});
  Tensor out = of<int32_t>({4}, {});
  evaluateBinary({BinaryOp::Div}, a, b, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({0, -3, least, -1}));
  evaluateBinary({BinaryOp::FloorDiv}, a, b, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({0, -4, least, -2}));
  evaluateBinary({BinaryOp::FloorMod}, a, b, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({0, 1, 0, -1}));
}

TEST(Binary, FloatRemainderIsExact) {
  for (auto [x, y] : {std::pair(7.5f, 2.0f), {-7.5f, 2.0f}, {1e30f, 3.1f}, {3e-39f, 1e-40f}})
    EXPECT_EQ(thimble_fmodf(x, y), std::fmod(x, y)) << x << " " << y;
  EXPECT_EQ(thimble_floordivf(-7.0f, 2.0f), -4.0f);
}

TEST(Other, SelectAlongTheFirstDimension) {
  Tensor condition = of<bool>({2}, {true, false});
  Tensor x = of<int32_t>({2, 2}, {1, 2, 3, 4}), y = of<int32_t>({2, 2}, {5, 6, 7, 8});
  Tensor out = of<int32_t>({2, 2}, {});
  evaluateSelect(condition, x, y, /*firstDimension=*/true, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({1, 2, 7, 8}));
  evaluateSelect(condition, x, y, /*firstDimension=*/false, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({1, 6, 3, 8}));
}

TEST(Convert, FloatsSaturate) {
  const float infinity = std::numeric_limits<float>::infinity();
  Tensor in = of<float>({5}, {300.7f, -1e20f, -1.9f, infinity, std::nanf("")});
  Tensor out = of<int8_t>({5}, {});
  evaluateCast(in, out);
  EXPECT_EQ(valuesOf<int8_t>(out), std::vector<int8_t>({127, -128, -1, 127, 0}));
  Tensor stored = of<int8_t>({5}, {}, quantized(0.5f, 3));
  evaluateQuantize(in, stored);
  EXPECT_EQ(valuesOf<int8_t>(stored), std::vector<int8_t>({127, -128, -1, 127, -128}));
}

TEST(Convert, RequantizeAndDequantize) {
  Tensor in = of<int8_t>({3}, {-128, 0, 127}, quantized(0.5f, 0));
  Tensor out = of<uint8_t>({3}, {}, quantized(0.5f, 128));
  evaluateQuantize(in, out);
  EXPECT_EQ(valuesOf<uint8_t>(out), std::vector<uint8_t>({0, 128, 255}));
  Tensor floats = of<float>({3}, {});
  evaluateDequantize(out, floats);
  EXPECT_EQ(valuesOf<float>(floats), std::vector<float>({-64.0f, 0.0f, 63.5f}));
}

TEST(Reduce, MeanDividesInFixedPoint) {
  Tensor in = of<int8_t>({2, 3}, {1, 2, 3, 10, 20, 31}, quantized(0.5f, 0));
  Tensor out = of<int8_t>({2}, {}, quantized(0.5f, 0));
  evaluateReduce(ReduceOp::Mean, {1}, in, out);
  EXPECT_EQ(valuesOf<int8_t>(out), std::vector<int8_t>({2, 20}));
  Tensor sums = of<int8_t>({3}, {}, quantized(1.0f, -1));
  evaluateReduce(ReduceOp::Sum, {0, 0}, in, sums);
  EXPECT_EQ(valuesOf<int8_t>(sums), std::vector<int8_t>({5, 10, 16}));
}

TEST(Reduce, ExtremaTakeTheFirst) {
  const float nan = std::nanf("");
  Tensor in = of<float>({2, 3}, {nan, 4, 4, 2, 1, 1});
  Tensor out = of<int32_t>({2}, {});
  evaluateArgMax(in, 1, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({1, 0}));
  evaluateArgMin(in, 1, out);
  EXPECT_EQ(valuesOf<int32_t>(out), std::vector<int32_t>({1, 1}));
}

} // namespace
