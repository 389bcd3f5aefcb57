// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// Float functions of the runtime against the C library's double precision, in ULP of the result.
#include "runtime/thimble_math.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <limits>

namespace {

const float inf = std::numeric_limits<float>::infinity();

// Distance in units of the last place of the exact value; 0 where both are NaN or equal.
double ulps(float got, double exact) {
  if (std::isnan(exact) || std::isnan(got))
    return std::isnan(exact) && thimble_float_bits(got) == 0x7fc00000u ? 0 : 1e9;
  const float nearest = static_cast<float>(exact);
  if (got == nearest || (std::isinf(got) && std::fabs(exact) > 3.402823e38))
    return std::signbit(got) == std::signbit(nearest) ? 0 : 1e9;
  if (std::isinf(got))
    return 1e9;
  const int exponent = std::max(-126, exact == 0 ? -126 : std::ilogb(exact));
  return std::fabs(got - exact) / std::ldexp(1.0, exponent - 23);
}

// Every 4093rd float, a prime step: all exponents, 2^20 values.
template <typename F> void eachFloat(F f) {
  for (uint64_t bits = 0; bits <= 0xffffffffu; bits += 4093)
    f(thimble_bits_float(static_cast<uint32_t>(bits)));
  for (float x : {0.0f,  -0.0f, 1.0f,  -1.0f,      0.5f,      -0.5f,          1.5f,
                  2.5f,  -2.5f, inf,   -inf,       88.72283f, 88.72284f,      -103.9f,
                  0.65f, 0.9f,  3.95f, 8388607.5f, 0x1p-149f, 0x1.fffffep127f})
    f(x);
}
// Evenly spaced values, where the function has its shape.
template <typename F> void eachBetween(float low, float high, F f) {
  for (int i = 0; i <= 500000; ++i)
    f(low + (high - low) * static_cast<float>(i) / 500000.0f);
}

template <typename G, typename E> void sweep(G got, E exact, float low, float high, double limit) {
  double worst = 0;
  float where = 0;
  auto check = [&](float x) {
    const double u = ulps(got(x), exact(static_cast<double>(x)));
    if (u > worst) {
      worst = u;
      where = x;
    }
  };
  eachFloat(check);
  eachBetween(low, high, check);
  EXPECT_LE(worst, limit) << "at " << std::hexfloat << where;
  ::testing::Test::RecordProperty("worst_ulp", std::to_string(worst));
}

#define THIMBLE_SWEEP(name, low, high, limit)                                                      \
  TEST(RuntimeMath, name) {                                                                        \
    sweep([](float x) { return thimble_##name##f(x); }, [](double x) { return std::name(x); },     \
          low, high, limit);                                                                       \
  }
THIMBLE_SWEEP(exp, -105.0f, 89.0f, 1.0)
THIMBLE_SWEEP(log, 0.0f, 4.0f, 1.0)
THIMBLE_SWEEP(expm1, -20.0f, 20.0f, 1.5)
THIMBLE_SWEEP(tanh, -10.0f, 10.0f, 2.0)
THIMBLE_SWEEP(erf, -4.5f, 4.5f, 1.5)
THIMBLE_SWEEP(sin, -40.0f, 40.0f, 1.5)
THIMBLE_SWEEP(cos, -40.0f, 40.0f, 1.5)
THIMBLE_SWEEP(sqrt, 0.0f, 10.0f, 0.5)
THIMBLE_SWEEP(floor, -9.0f, 9.0f, 0)
THIMBLE_SWEEP(ceil, -9.0f, 9.0f, 0)
THIMBLE_SWEEP(trunc, -9.0f, 9.0f, 0)
THIMBLE_SWEEP(round, -9.0f, 9.0f, 0)
THIMBLE_SWEEP(rint, -9.0f, 9.0f, 0)

TEST(RuntimeMath, rsqrt) {
  eachFloat([](float x) {
    const float exact = 1.0f / std::sqrt(x);
    if (std::isnan(exact))
      EXPECT_EQ(thimble_float_bits(thimble_rsqrtf(x)), 0x7fc00000u);
    else
      EXPECT_EQ(thimble_rsqrtf(x), exact);
  });
}

// Pairs of magnitudes where the result is finite, and all pairs of special values.
template <typename G, typename E> void sweepPairs(G got, E exact, double limit) {
  double worst = 0;
  uint32_t state = 1;
  auto next = [&] { return state = state * 1664525u + 1013904223u; };
  auto check = [&](float a, float b) {
    const double u = ulps(got(a, b), exact(a, b));
    if (u > worst)
      worst = u;
    EXPECT_LE(u, limit) << a << ", " << b;
  };
  for (int i = 0; i < 500000; ++i) {
    const float a = thimble_bits_float((next() & 0x8fffffffu) + 0x38000000u);
    const float b = thimble_bits_float((next() & 0x83ffffffu) + 0x3e000000u);
    check(a, b);
    check(b, a);
  }
  const float special[] = {0.0f,       -0.0f,       1.0f,  -1.0f,  2.0f, -2.0f, 3.0f,
                           -3.0f,      0.5f,        -0.5f, inf,    -inf, NAN,   0x1p-149f,
                           -0x1p-149f, 0x1.8p-140f, 3e38f, -3e38f, 1e9f};
  for (float a : special)
    for (float b : special)
      check(a, b);
}
TEST(RuntimeMath, pow) {
  sweepPairs([](float a, float b) { return thimble_powf(a, b); },
             [](double a, double b) { return std::pow(a, b); }, 0.51);
}
TEST(RuntimeMath, atan2) {
  sweepPairs([](float a, float b) { return thimble_atan2f(a, b); },
             [](double a, double b) { return std::atan2(a, b); }, 0.6);
}

} // namespace
