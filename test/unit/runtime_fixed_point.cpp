// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// Fixed-point helpers against their definitions in wide integers and in real arithmetic.
#include "runtime/thimble_fixed_point.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <random>

namespace {
using Wide = __int128;

Wide floorDivide(Wide a, Wide b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0); }
// Nearest integer to a / b, b > 0; ties away from zero.
Wide roundAway(Wide a, Wide b) {
  return a >= 0 ? (2 * a + b) / (2 * b) : -((-2 * a + b) / (2 * b));
}
// Nearest integer to a / b, b > 0; ties up.
Wide roundUp(Wide a, Wide b) { return floorDivide(2 * a + b, 2 * b); }
Wide saturate(Wide a) { return a > INT32_MAX ? INT32_MAX : a < INT32_MIN ? INT32_MIN : a; }

// Values at every scale, with the extremes often.
struct Values {
  std::mt19937_64 engine{7};
  int32_t next() {
    const uint64_t r = engine();
    static const int32_t edges[] = {INT32_MIN, INT32_MIN + 1, -1,        0,
                                    1,         INT32_MAX - 1, INT32_MAX, 1 << 30};
    if (r % 16 == 0)
      return edges[(r >> 8) % 8];
    return static_cast<int32_t>(r >> 32) >> (r % 32);
  }
  int32_t multiplier() {
    const int32_t v = next();
    return v < 0 ? ~v : v;
  }
  int32_t below(int n) { return static_cast<int32_t>(engine() % static_cast<uint64_t>(n)); }
};

TEST(RuntimeFixedPoint, roundingPrimitives) {
  Values v;
  for (int i = 0; i < 1000000; ++i) {
    const int32_t a = v.next(), b = v.next(), e = v.below(32);
    ASSERT_EQ(thimble_rounding_doubling_high_mul(a, b),
              saturate(roundUp(Wide(a) * b, Wide(1) << 31)));
    ASSERT_EQ(thimble_rounding_divide_by_pot(a, e), roundAway(a, Wide(1) << e)) << a << " " << e;
    ASSERT_EQ(thimble_rounding_half_sum(a, b), roundAway(Wide(a) + b, 2));
    ASSERT_EQ(thimble_saturating_shl(a, e), saturate(Wide(a) * (Wide(1) << e)));
    ASSERT_EQ(thimble_saturating_add(a, b), saturate(Wide(a) + b));
    ASSERT_EQ(thimble_saturating_sub(a, b), saturate(Wide(a) - b));
    ASSERT_EQ(thimble_wrapping_mul(a, b),
              static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b)));
  }
}

TEST(RuntimeFixedPoint, int16PrimitivesExhaustiveInOneOperand) {
  for (int a = INT16_MIN; a <= INT16_MAX; ++a)
    for (int b : {-32768, -32767, -12345, -1, 0, 1, 2, 777, 32767}) {
      const int up = static_cast<int>(roundUp(Wide(a) * b, 32768));
      ASSERT_EQ(
          thimble_rounding_doubling_high_mul_i16(static_cast<int16_t>(a), static_cast<int16_t>(b)),
          std::min(up, 32767));
      ASSERT_EQ(thimble_doubling_high_mul_i16(static_cast<int16_t>(a), static_cast<int16_t>(b)),
                std::min(a * b / 32768, 32767));
    }
}

TEST(RuntimeFixedPoint, requantizeDouble) {
  Values v;
  for (int i = 0; i < 1000000; ++i) {
    const int32_t acc = v.next(), m = v.multiplier(), shift = v.below(62) - 31;
    const int32_t shifted =
        shift > 0 ? static_cast<int32_t>(static_cast<uint32_t>(acc) << shift) : acc;
    const Wide high = roundUp(Wide(shifted) * m, Wide(1) << 31);
    ASSERT_EQ(thimble_requantize_double(acc, m, shift),
              roundAway(high, Wide(1) << (shift > 0 ? 0 : -shift)))
        << acc << " " << m << " " << shift;
  }
}

TEST(RuntimeFixedPoint, requantizeSingle) {
  Values v;
  for (int i = 0; i < 1000000; ++i) {
    const int32_t acc = v.next(), m = v.multiplier(), shift = v.below(62) - 31;
    const Wide exact = roundUp(Wide(acc) * m, Wide(1) << (31 - shift));
    ASSERT_EQ(thimble_requantize_single(acc, m, shift), static_cast<int32_t>(exact));
  }
}

TEST(RuntimeFixedPoint, requantizeI64) {
  Values v;
  for (int i = 0; i < 1000000; ++i) {
    const int64_t acc = static_cast<int64_t>(v.engine()) >> (16 + v.below(48));
    const int32_t m = v.multiplier(), shift = v.below(39) - 31;
    const Wide reduced = std::min<Wide>(roundUp(m, 65536), 32767);
    const Wide exact = roundUp(Wide(acc) * reduced, Wide(1) << (15 - shift));
    ASSERT_EQ(thimble_requantize_i64(acc, m, shift), static_cast<int32_t>(exact));
  }
}

// Against double arithmetic, with products that are, or nearly are, halves.
TEST(RuntimeFixedPoint, requantizeReal) {
  Values v;
  for (int i = 0; i < 1000000; ++i) {
    const int64_t acc = i % 2 ? v.next() : static_cast<int64_t>(v.engine()) >> 11;
    double scale = std::ldexp(1.0 + v.multiplier() * 0x1p-31, v.below(60) - 40);
    if (i % 3 == 0 && acc != 0)
      scale = (v.below(1000) + 0.5) / std::abs(static_cast<double>(acc));
    int exponent = 0;
    const int64_t mantissa = static_cast<int64_t>(std::ldexp(std::frexp(scale, &exponent), 53));
    const double exact = std::round(static_cast<double>(acc) * scale);
    ASSERT_EQ(thimble_requantize_real(acc, mantissa, 53 - exponent),
              static_cast<int32_t>(std::clamp(exact, -2147483648.0, 2147483647.0)))
        << acc << " " << scale;
  }
}

// The approximations are tested bit for bit by the models; here: near the function, at the ends.
TEST(RuntimeFixedPoint, functions) {
  for (int bits : {0, 2, 4, 5, 8, 12}) {
    const double unit = std::ldexp(1.0, bits - 31);
    for (int64_t raw = INT32_MIN + 1; raw <= INT32_MAX; raw += 100003) {
      const int32_t x = static_cast<int32_t>(raw);
      const double value = x * unit, one = 2147483648.0;
      if (x <= 0) {
        ASSERT_NEAR(thimble_exp_on_negative_values(x, bits) / one, std::exp(value), 1e-6);
      }
      ASSERT_NEAR(thimble_logistic_fixed(x, bits) / one, 1 / (1 + std::exp(-value)), 1e-6);
      ASSERT_NEAR(thimble_tanh_fixed(x, bits) / one, std::tanh(value), 2e-6);
    }
  }
  EXPECT_EQ(thimble_exp_on_negative_values(0, 5), INT32_MAX);
  EXPECT_EQ(thimble_logistic_fixed(0, 4), 1 << 30);
  for (int32_t x = 1 << 19; x < INT32_MAX - 70001; x += 70001) {
    ASSERT_NEAR(std::ldexp(thimble_log_fixed(x, 12, 5), -26), std::log(std::ldexp(x, -19)), 1e-5);
    int32_t over, multiplier, shift;
    const double r = std::ldexp(thimble_reciprocal(x, 12, &over), -31);
    ASSERT_NEAR(std::ldexp(r, -over) * std::ldexp(x, -19), 1, 1e-6);
    thimble_inverse_sqrt_multiplier(x, -1, &multiplier, &shift);
    ASSERT_NEAR(std::ldexp(multiplier, shift - 31) * std::sqrt(double(x)), 1, 1e-4);
  }
}

TEST(RuntimeFixedPoint, int16Tables) {
  int16_t lut[513];
  for (int i = 0; i < 513; ++i)
    lut[i] = static_cast<int16_t>(i * 100 - 25600);
  for (int x = INT16_MIN; x <= INT16_MAX; ++x) {
    ASSERT_EQ(thimble_lut_i16(static_cast<int16_t>(x), lut), roundUp(Wide(x) * 100, 128));
    // Input scale 2^-12, which TFLM passes as 3 * 2^0.
    const double value = std::ldexp(x, -12);
    ASSERT_NEAR(thimble_logistic_i16(static_cast<int16_t>(x), 3, 0), 32768 / (1 + std::exp(-value)),
                3);
    ASSERT_NEAR(thimble_tanh_i16(static_cast<int16_t>(x), 3, 0), 32768 * std::tanh(value), 6);
  }
}

} // namespace
