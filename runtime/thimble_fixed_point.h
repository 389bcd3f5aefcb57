/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* Exact integer arithmetic of quantized networks: what the integer kernels of TensorFlow Lite Micro
 * compute, bit for bit, restated as scalar functions.
 *
 * Fixed-point values are int32_t; "m integer bits" means value = raw / 2^(31-m). All arithmetic that
 * may leave 32 bits wraps (through uint32_t), so nothing here is undefined for any operand in the
 * stated range. Right shifts of negative numbers are arithmetic on every supported compiler. */
#ifndef THIMBLE_FIXED_POINT_H
#define THIMBLE_FIXED_POINT_H

#include "thimble_types.h"

/*===--- wrapping, saturating and clamping helpers -------------------------------------------===*/

THIMBLE_RT int32_t thimble_wrapping_add(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a + (uint32_t)b);
}
THIMBLE_RT int32_t thimble_wrapping_sub(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a - (uint32_t)b);
}
THIMBLE_RT int32_t thimble_wrapping_mul(int32_t a, int32_t b) {
  return (int32_t)((uint32_t)a * (uint32_t)b);
}
/* value * 2^amount, amount in [0, 31]. */
THIMBLE_RT int32_t thimble_wrapping_shl(int32_t value, int32_t amount) {
  return (int32_t)((uint32_t)value << amount);
}

THIMBLE_RT int32_t thimble_min_i32(int32_t a, int32_t b) { return a < b ? a : b; }
THIMBLE_RT int32_t thimble_max_i32(int32_t a, int32_t b) { return a > b ? a : b; }
THIMBLE_RT int32_t thimble_clamp_i32(int32_t value, int32_t low, int32_t high) {
  return thimble_min_i32(thimble_max_i32(value, low), high);
}

/* The nearest int32_t. */
THIMBLE_RT int32_t thimble_saturate_i64(int64_t value) {
  return value > INT32_MAX ? INT32_MAX : value < INT32_MIN ? INT32_MIN : (int32_t)value;
}
THIMBLE_RT int32_t thimble_saturating_add(int32_t a, int32_t b) {
  return thimble_saturate_i64((int64_t)a + b);
}
THIMBLE_RT int32_t thimble_saturating_sub(int32_t a, int32_t b) {
  return thimble_saturate_i64((int64_t)a - b);
}
/* value * 2^amount, saturated; amount in [0, 31]. */
THIMBLE_RT int32_t thimble_saturating_shl(int32_t value, int32_t amount) {
  return thimble_saturate_i64((int64_t)((uint64_t)(int64_t)value << amount));
}
/* value * 2^amount, saturated to 16 bits; amount in [0, 31] (hard_swish.h SaturatingLeftShift). */
THIMBLE_RT int16_t thimble_saturating_shl_i16(int16_t value, int32_t amount) {
  const int32_t wide = thimble_saturating_shl(value, amount);
  return (int16_t)thimble_clamp_i32(wide, INT16_MIN, INT16_MAX);
}

/* Leading zero bits; 32 for 0. */
THIMBLE_RT int32_t thimble_clz(uint32_t value) {
#if defined(__GNUC__)
  return value == 0 ? 32 : (int32_t)__builtin_clz(value);
#else
  int32_t count = 32;
  for (; value != 0; value >>= 1)
    --count;
  return count;
#endif
}

/*===--- multiplication and division with rounding -------------------------------------------===*/

/* round(a * b / 2^31), ties up, and INT32_MAX for INT32_MIN * INT32_MIN (gemmlowp fixedpoint.h
 * SaturatingRoundingDoublingHighMul; its truncating division with a signed nudge is this floor). */
THIMBLE_RT int32_t thimble_rounding_doubling_high_mul(int32_t a, int32_t b) {
  const int64_t product = (int64_t)a * b + ((int64_t)1 << 30);
  return a == INT32_MIN && b == INT32_MIN ? INT32_MAX : (int32_t)(product >> 31);
}

/* The same on 16 bits: round(a * b / 2^15), ties up, saturated. */
THIMBLE_RT int16_t thimble_rounding_doubling_high_mul_i16(int16_t a, int16_t b) {
  return (int16_t)thimble_min_i32(((int32_t)a * b + (1 << 14)) >> 15, INT16_MAX);
}

/* a * b / 2^15 rounded towards zero, saturated (hard_swish.h SaturatingDoublingHighMul). */
THIMBLE_RT int16_t thimble_doubling_high_mul_i16(int16_t a, int16_t b) {
  return (int16_t)thimble_min_i32((int32_t)a * b / (1 << 15), INT16_MAX);
}

/* value / 2^exponent rounded to nearest, ties away from zero; exponent in [0, 31] (gemmlowp
 * RoundingDivideByPOT). */
THIMBLE_RT int32_t thimble_rounding_divide_by_pot(int32_t value, int32_t exponent) {
  const uint32_t mask = ((uint32_t)1 << exponent) - 1u;
  const uint32_t threshold = (mask >> 1) + ((uint32_t)value >> 31);
  return (value >> exponent) + (((uint32_t)value & mask) > threshold ? 1 : 0);
}

/* (a + b) / 2 rounded to nearest, ties away from zero (gemmlowp RoundingHalfSum). */
THIMBLE_RT int32_t thimble_rounding_half_sum(int32_t a, int32_t b) {
  const int64_t sum = (int64_t)a + b;
  return (int32_t)((sum + (sum >= 0 ? 1 : -1)) / 2);
}

/* value * 2^exponent: saturating for a positive exponent, rounding to nearest with ties away from
 * zero for a negative one; exponent in [-31, 31] (gemmlowp SaturatingRoundingMultiplyByPOT). Moving
 * a fixed-point value from `from` to `to` integer bits is the exponent `from - to`. */
THIMBLE_RT int32_t thimble_multiply_by_pot(int32_t value, int32_t exponent) {
  return exponent >= 0 ? thimble_saturating_shl(value, exponent)
                       : thimble_rounding_divide_by_pot(value, -exponent);
}

/*===--- requantization ----------------------------------------------------------------------===*/

/* acc * multiplier * 2^(shift - 31), rounded twice: at bit 31 of the product and after the right
 * shift. multiplier >= 0, shift in [-31, 30]; a left shift wraps (common.cc
 * MultiplyByQuantizedMultiplier, int32, TFLITE_SINGLE_ROUNDING off: TFLM's default; also
 * MultiplyByQuantizedMultiplierSmallerThanOneExp and ...GreaterThanOne). */
THIMBLE_RT int32_t thimble_requantize_double(int32_t acc, int32_t multiplier, int32_t shift) {
  const int32_t left = shift > 0 ? shift : 0;
  const int32_t right = shift > 0 ? 0 : -shift;
  const int64_t wide = (int64_t)thimble_wrapping_shl(acc, left) * multiplier;
  const int32_t high = (int32_t)((wide + ((int64_t)1 << 30)) >> 31);
  /* |high| < INT32_MAX because multiplier < 2^31, so this short form of
   * thimble_rounding_divide_by_pot cannot overflow. */
  const int32_t tie_down = high + (high >> 31);
  return right == 0 ? high : ((tie_down >> (right - 1)) + 1) >> 1;
}

/* acc * multiplier * 2^(shift - 31), rounded once, ties up. multiplier >= 0, shift in [-31, 30]
 * (common.cc MultiplyByQuantizedMultiplier, int32, TFLITE_SINGLE_ROUNDING on). */
THIMBLE_RT int32_t thimble_requantize_single(int32_t acc, int32_t multiplier, int32_t shift) {
  const int32_t total = 31 - shift;
  return (int32_t)(((int64_t)acc * multiplier + ((int64_t)1 << (total - 1))) >> total);
}

/* The multiplier rounded to its upper 16 bits, as thimble_requantize_i64 uses it. */
THIMBLE_RT int32_t thimble_reduced_multiplier(int32_t multiplier) {
  return multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
}

/* acc * multiplier * 2^(shift - 31) with the multiplier reduced to 16 bits, rounded once, ties up.
 * acc in [-2^47, 2^47), multiplier >= 0, shift in [-31, 7] (common.cc
 * MultiplyByQuantizedMultiplier, int64: int16 activations with an int64 bias). */
THIMBLE_RT int32_t thimble_requantize_i64(int64_t acc, int32_t multiplier, int32_t shift) {
  const int32_t total = 15 - shift;
  const uint64_t wide = (uint64_t)acc * (uint64_t)thimble_reduced_multiplier(multiplier) +
                        ((uint64_t)1 << (total - 1));
  return (int32_t)((int64_t)wide >> total);
}

/* round(acc * scale) as double arithmetic has it, for scale = mantissa * 2^-right: the product is
 * rounded to 53 bits, ties to even, then to an integer, ties away from zero, and saturated.
 * mantissa in [2^52, 2^53), |acc| <= 2^53 (LiteRT's FULLY_CONNECTED with a scale a channel). */
THIMBLE_RT int32_t thimble_requantize_real(int64_t acc, int64_t mantissa, int32_t right) {
  const uint64_t low_word = 0xffffffffu;
  const uint64_t a = acc < 0 ? 0u - (uint64_t)acc : (uint64_t)acc;
  const uint64_t a0 = a & low_word, a1 = a >> 32;
  const uint64_t m0 = (uint64_t)mantissa & low_word, m1 = (uint64_t)mantissa >> 32;
  const uint64_t bottom = a0 * m0;
  const uint64_t middle0 = a0 * m1 + (bottom >> 32);
  const uint64_t middle1 = a1 * m0 + (middle0 & low_word);
  const uint64_t high = a1 * m1 + (middle0 >> 32) + (middle1 >> 32);
  const uint64_t low = (middle1 << 32) | (bottom & low_word);
  const uint64_t top = high != 0 ? high : low;
  const int32_t zeros = top >> 32 != 0 ? thimble_clz((uint32_t)(top >> 32))
                                       : 32 + thimble_clz((uint32_t)top);
  const int32_t excess = (high != 0 ? 128 - 53 : 64 - 53) - zeros; /* 0 to 53 */
  uint64_t rounded = low;
  if (a == 0)
    return 0;
  if (excess > 0) {
    const uint64_t half = (uint64_t)1 << (excess - 1), rest = low & (half + half - 1u);
    rounded = (high << (64 - excess)) | (low >> excess);
    rounded += rest > half || (rest == half && (rounded & 1u) != 0) ? 1u : 0u;
  }
  /* rounded is in [2^52, 2^53]. */
  right -= excess;
  if (right > 54)
    return 0;
  rounded = right < 21 ? (uint64_t)1 << 31
                       : (rounded + ((uint64_t)1 << (right - 1))) >> right;
  if (acc < 0)
    return rounded >= (uint64_t)1 << 31 ? INT32_MIN : -(int32_t)rounded;
  return rounded > INT32_MAX ? INT32_MAX : (int32_t)rounded;
}

/*===--- fixed-point functions (gemmlowp fixedpoint.h, int32) ---------------------------------===*/

/* Raw value of 1 with m integer bits; with none, the largest value below it. */
THIMBLE_RT int32_t thimble_fixed_one(int32_t integer_bits) {
  return integer_bits == 0 ? INT32_MAX : (int32_t)((uint32_t)1 << (31 - integer_bits));
}

/* exp(x) for x <= 0 with `integer_bits` (0 to 29) integer bits; result has none, and exp(0) is
 * INT32_MAX (gemmlowp exp_on_negative_values). x is split into a multiple of 1/4, whose bits
 * select factors exp(-2^k), and a rest in [-1/4, 0), a Taylor polynomial around -1/8. */
THIMBLE_RT int32_t thimble_exp_on_negative_values(int32_t x, int32_t integer_bits) {
  /* exp(-2^k) * 2^31 for k = -2 to 4. */
  static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
                                     39332535,   720401,     242};
  const int32_t fraction_bits = 31 - integer_bits;
  const uint32_t quarter = (uint32_t)1 << (fraction_bits - 2);
  const int32_t rest = (int32_t)(((uint32_t)x & (quarter - 1u)) - quarter);
  const uint32_t steps = (uint32_t)rest - (uint32_t)x;
  const int32_t exp_minus_eighth = 1895147668, third = 715827883;
  const int32_t y =
      thimble_wrapping_add(thimble_saturating_shl(rest, integer_bits), (int32_t)1 << 28);
  const int32_t y2 = thimble_rounding_doubling_high_mul(y, y);
  const int32_t y3 = thimble_rounding_doubling_high_mul(y2, y);
  const int32_t y4 = thimble_rounding_doubling_high_mul(y2, y2);
  const int32_t cubic = thimble_wrapping_add(thimble_rounding_divide_by_pot(y4, 2), y3);
  const int32_t tail = thimble_rounding_divide_by_pot(
      thimble_wrapping_add(thimble_rounding_doubling_high_mul(cubic, third), y2), 1);
  int32_t result = thimble_wrapping_add(
      exp_minus_eighth,
      thimble_rounding_doubling_high_mul(exp_minus_eighth, thimble_wrapping_add(y, tail)));
  int32_t k;
  if (x == 0)
    return INT32_MAX;
  if (integer_bits > 5 && x < -((int32_t)1 << (36 - integer_bits)))
    return 0; /* below -32 */
  for (k = 0; k < 7 && k - 2 < integer_bits; ++k)
    if ((steps >> (fraction_bits + k - 2)) & 1u)
      result = thimble_rounding_doubling_high_mul(result, factors[k]);
  return result;
}

/* 2 / (1 + x) with two integer bits, for x in [0, 1) with none: three Newton steps for the
 * reciprocal of (1 + x) / 2 from the linear guess 48/17 - 32/17 d. */
THIMBLE_RT int32_t thimble_two_over_one_plus_x(int32_t x) {
  const int32_t d = thimble_rounding_half_sum(x, INT32_MAX);
  int32_t y = thimble_wrapping_add(1515870810, thimble_rounding_doubling_high_mul(d, -1010580540));
  int i;
  for (i = 0; i < 3; ++i) {
    const int32_t error =
        thimble_wrapping_sub((int32_t)1 << 29, thimble_rounding_doubling_high_mul(d, y));
    y = thimble_wrapping_add(
        y, thimble_saturating_shl(thimble_rounding_doubling_high_mul(y, error), 2));
  }
  return y;
}

/* 1 / (1 + x) for x in [0, 1), no integer bits (gemmlowp one_over_one_plus_x_for_x_in_0_1). */
THIMBLE_RT int32_t thimble_one_over_one_plus_x(int32_t x) {
  return thimble_saturating_shl(thimble_two_over_one_plus_x(x), 1);
}

/* (1 - x) / (1 + x) for x in [0, 1), no integer bits (gemmlowp
 * one_minus_x_over_one_plus_x_for_x_in_0_1). */
THIMBLE_RT int32_t thimble_one_minus_x_over_one_plus_x(int32_t x) {
  return thimble_saturating_shl(
      thimble_wrapping_sub(thimble_two_over_one_plus_x(x), (int32_t)1 << 29), 2);
}

/* 1 / (1 + exp(-x)), x with `integer_bits` integer bits, result with none (gemmlowp logistic). */
THIMBLE_RT int32_t thimble_logistic_fixed(int32_t x, int32_t integer_bits) {
  const int32_t negative_abs = x > 0 ? thimble_wrapping_sub(0, x) : x;
  const int32_t positive =
      thimble_one_over_one_plus_x(thimble_exp_on_negative_values(negative_abs, integer_bits));
  if (x == 0)
    return (int32_t)1 << 30;
  return x > 0 ? positive : thimble_wrapping_sub(INT32_MAX, positive);
}

/* tanh(x), x with `integer_bits` (0 to 28) integer bits, result with none (gemmlowp tanh). */
THIMBLE_RT int32_t thimble_tanh_fixed(int32_t x, int32_t integer_bits) {
  const int32_t negative_abs = x > 0 ? thimble_wrapping_sub(0, x) : x;
  const int32_t positive = thimble_one_minus_x_over_one_plus_x(
      thimble_exp_on_negative_values(negative_abs, integer_bits + 1));
  if (x == 0)
    return 0;
  return x > 0 ? positive : thimble_wrapping_sub(0, positive);
}

/* log(x) for x >= 1 with `input_bits` integer bits; result with `output_bits`, which must hold the
 * logarithm of the largest input (common.h log_x_for_x_greater_than_or_equal_to_1). x is scaled by
 * a power of two, with and without a factor sqrt(1/2), to the candidate nearer to sqrt(sqrt(1/2)),
 * where a rational approximation of the logarithm holds. */
THIMBLE_RT int32_t thimble_log_fixed(int32_t x, int32_t input_bits, int32_t output_bits) {
  const int32_t log_2 = 1488522236, sqrt_half = 1518500250, sqrt_sqrt_half = 1805811301;
  const int32_t alpha_n = 117049297, alpha_d = 127690142, alpha_i = 1057819769,
                alpha_f = 638450708;
  const int32_t accum_bits = output_bits + 1;
  const int32_t quarter = thimble_rounding_divide_by_pot((int32_t)1 << 29, accum_bits);
  const int32_t zeros_a = thimble_clz((uint32_t)x);
  const int32_t scaled_a = thimble_saturating_shl(x, zeros_a - 1);
  const int32_t r_a =
      thimble_saturating_shl(thimble_rounding_doubling_high_mul(scaled_a, sqrt_half), 1);
  const int32_t power_a = thimble_saturating_add(
      thimble_saturating_shl(input_bits - zeros_a, 31 - accum_bits), quarter);
  const int32_t headroom_b =
      thimble_clz((uint32_t)thimble_rounding_doubling_high_mul(x, sqrt_half)) - 1;
  const int32_t r_b = thimble_saturating_shl(x, headroom_b);
  const int32_t power_b = thimble_saturating_sub(
      thimble_saturating_shl(input_bits - headroom_b, 31 - accum_bits), quarter);
  const int32_t r = thimble_min_i32(r_a, r_b);
  const int32_t power = thimble_max_i32(power_a, power_b);
  const int32_t p = thimble_rounding_half_sum(r, sqrt_sqrt_half);
  const int32_t half_q = thimble_wrapping_sub(r, sqrt_sqrt_half);
  const int32_t q = thimble_wrapping_add(half_q, half_q);
  const int32_t q2 = thimble_rounding_doubling_high_mul(q, q);
  const int32_t numerator = thimble_wrapping_add(
      thimble_rounding_doubling_high_mul(q, r),
      thimble_rounding_doubling_high_mul(thimble_rounding_doubling_high_mul(q, q2), alpha_n));
  const int32_t inner = thimble_wrapping_add(thimble_wrapping_add(alpha_i, q),
                                             thimble_rounding_doubling_high_mul(alpha_d, q2));
  const int32_t denominator_minus_one =
      thimble_wrapping_add(thimble_rounding_doubling_high_mul(p, inner),
                           thimble_rounding_doubling_high_mul(alpha_f, q));
  const int32_t reciprocal = thimble_one_over_one_plus_x(denominator_minus_one);
  const int32_t scaled = thimble_rounding_divide_by_pot(numerator, accum_bits);
  return thimble_saturating_shl(
      thimble_wrapping_add(thimble_rounding_doubling_high_mul(power, log_2),
                           thimble_rounding_doubling_high_mul(scaled, reciprocal)),
      1);
}

/* 1 / x for x > 0 with `integer_bits` integer bits, as a value in (1/2, 1] with none, times
 * 2^-*bits_over_unit (common.h GetReciprocal). */
THIMBLE_RT int32_t thimble_reciprocal(int32_t x, int32_t integer_bits, int32_t *bits_over_unit) {
  const int32_t zeros = thimble_clz((uint32_t)x);
  *bits_over_unit = integer_bits - zeros;
  return thimble_one_over_one_plus_x((int32_t)(((uint32_t)x << zeros) - ((uint32_t)1 << 31)));
}

/* 1 / sqrt(input) as a multiplier and a shift, input >= 0 (0 counts as 1); reverse_shift is -1 for
 * a left shift, 1 for a right shift (common.h GetInvSqrtQuantizedMultiplierExp). Five Newton steps
 * with three integer bits on the input scaled to [1/2, 2) by a power of four. */
THIMBLE_RT void thimble_inverse_sqrt_multiplier(int32_t input, int32_t reverse_shift,
                                                int32_t *multiplier, int32_t *shift) {
  int32_t right = 11, pairs, half, x = (int32_t)1 << 28;
  int i;
  if (input <= 1) {
    *multiplier = INT32_MAX;
    *shift = 0;
    return;
  }
  for (; input >= (1 << 29); input /= 4)
    ++right;
  pairs = (thimble_clz((uint32_t)input) - 1) / 2 - 1;
  right -= pairs;
  input = thimble_wrapping_shl(input, 2 * pairs);
  half = thimble_rounding_divide_by_pot(input >> 1, 1);
  for (i = 0; i < 5; ++i) {
    const int32_t x2 = thimble_rounding_doubling_high_mul(x, x);
    const int32_t x3 = thimble_saturating_shl(thimble_rounding_doubling_high_mul(x2, x), 6);
    const int32_t next =
        thimble_wrapping_sub(thimble_rounding_doubling_high_mul((1 << 28) + (1 << 27), x),
                             thimble_rounding_doubling_high_mul(half, x3));
    x = thimble_saturating_shl(next, 3);
  }
  x = thimble_rounding_doubling_high_mul(x, 1518500250);
  if (right < 0) {
    x = thimble_wrapping_shl(x, -right);
    right = 0;
  }
  *multiplier = x;
  *shift = right * reverse_shift;
}

/* The multiplier and the left shift of thimble_inverse_sqrt_multiplier. */
THIMBLE_RT int32_t thimble_inverse_sqrt_mantissa(int32_t input) {
  int32_t multiplier, shift;
  thimble_inverse_sqrt_multiplier(input, -1, &multiplier, &shift);
  return multiplier;
}
THIMBLE_RT int32_t thimble_inverse_sqrt_shift(int32_t input) {
  int32_t multiplier, shift;
  thimble_inverse_sqrt_multiplier(input, -1, &multiplier, &shift);
  return shift;
}

/*===--- int16 tables ------------------------------------------------------------------------===*/

/* Linear interpolation in a table of 513 values: the upper 9 bits of `value` select an entry, the
 * lower 7 the place between it and the next (common.h LUTLookup, int16). */
THIMBLE_RT int16_t thimble_lut_i16(int16_t value, const int16_t *lut) {
  const int16_t *entry = lut + 256 + (value >> 7);
  const int32_t slope = (int16_t)(entry[1] - entry[0]);
  return (int16_t)(entry[0] + ((slope * (value & 0x7f) + 64) >> 7));
}

/* 2^16 / (1 + exp(-i/24)) for i in [0, 255], as the int16 kernels define it: the integers belong to
 * the algorithm, they are not all the nearest ones. */
THIMBLE_RT uint32_t thimble_sigmoid_entry(uint32_t i) {
  static const uint16_t table[256] = {
      32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498,
      40149, 40794, 41432, 42064, 42688, 43304, 43912, 44511, 45102, 45683, 46255,
      46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409, 51865,
      52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174,
      56503, 56823, 57133, 57433, 57724, 58007, 58280, 58544, 58800, 59048, 59288,
      59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110, 61279, 61441,
      61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886,
      62990, 63090, 63186, 63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835,
      63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308, 64357, 64405, 64450,
      64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845,
      64873, 64900, 64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097,
      65115, 65132, 65149, 65164, 65179, 65194, 65208, 65221, 65234, 65246, 65258,
      65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360,
      65367, 65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425,
      65429, 65433, 65438, 65442, 65445, 65449, 65453, 65456, 65459, 65462, 65465,
      65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
      65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508,
      65509, 65510, 65511, 65512, 65513, 65514, 65515, 65516, 65517, 65517, 65518,
      65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524, 65525,
      65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529,
      65529, 65529, 65530, 65530, 65530, 65530, 65531, 65531, 65531, 65531, 65531,
      65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533, 65533, 65533,
      65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534,
      65534, 65534, 65535};
  return table[i];
}

/* value * multiplier / 2^shift, rounded to nearest with ties up, wrapping: the argument of the
 * table of sigmoids, in 1/(24 * 512) (logistic) or half of that (tanh). */
THIMBLE_RT int32_t thimble_sigmoid_argument(int16_t value, int32_t multiplier, int32_t shift) {
  const int32_t half = shift > 0 ? (int32_t)1 << (shift - 1) : 0;
  return thimble_wrapping_add(thimble_wrapping_mul(value, multiplier), half) >> shift;
}

/* int16 LOGISTIC: input value times multiplier / 2^shift, shift in [0, 31], output scale 2^-15
 * (integer_ops/logistic.h Logistic, int16). Where TFLM has multiplier 0 (a power-of-two input
 * scale), pass 3 * 2^shift and shift 0. */
THIMBLE_RT int16_t thimble_logistic_i16(int16_t value, int32_t multiplier, int32_t shift) {
  const int32_t x = thimble_sigmoid_argument(value, multiplier, shift);
  const uint32_t magnitude = x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
  const uint32_t entry = magnitude >> 9;
  uint32_t result = (uint32_t)0x7FFF << 10;
  if (entry < 255) {
    const uint32_t low = thimble_sigmoid_entry(entry), high = thimble_sigmoid_entry(entry + 1);
    result = (low << 9) + (magnitude & 0x1ff) * (high - low);
  }
  result = x >= 0 ? result + (1u << 9) : (1u << 25) - result + (1u << 9) - 1u;
  return (int16_t)(result >> 10);
}

/* int16 TANH, parameters as thimble_logistic_i16 (integer_ops/tanh.h Tanh, int16):
 * tanh(x) = 2 sigmoid(2x) - 1. */
THIMBLE_RT int16_t thimble_tanh_i16(int16_t value, int32_t multiplier, int32_t shift) {
  const int32_t x = thimble_sigmoid_argument(value, multiplier, shift);
  const uint32_t magnitude = x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
  const uint32_t entry = magnitude >> 8;
  int32_t result = (int32_t)0xFFFF << 8;
  if (entry < 255) {
    const uint32_t low = thimble_sigmoid_entry(entry), high = thimble_sigmoid_entry(entry + 1);
    result = (int32_t)((low << 8) + (magnitude & 0xff) * (high - low));
  }
  result = x >= 0 ? result - (1 << 23) + (1 << 7) : (1 << 23) - result + (1 << 7) - 1;
  return (int16_t)(result >> 8);
}

#endif /* THIMBLE_FIXED_POINT_H */
