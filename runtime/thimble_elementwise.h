/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* Elementwise operators on one or two numbers, where they are more than an operator of C. */
#ifndef THIMBLE_ELEMENTWISE_H
#define THIMBLE_ELEMENTWISE_H

#include "thimble_float_div.h"

THIMBLE_FP_STRICT_BEGIN

/*===--- functions of a float ----------------------------------------------------------------===*/

/* ROUND: ties to even, and -0.5 to +0 (TFLM round.h RoundToNearest). */
THIMBLE_RT float thimble_round_evenf(float x) {
  const float below = thimble_floorf(x), rest = x - below;
  const int even = thimble_floorf(below * 0.5f) * 2.0f == below;
  return rest < 0.5f || (rest == 0.5f && even) ? below : below + 1.0f;
}
/* 1 / (1 + exp(-x)); beyond the cutoffs 1 + exp(-x) rounds to 1 or loses digits (TFLM logistic.h). */
THIMBLE_RT float thimble_logisticf(float x) {
  if (x > 16.619047164916992188f)
    return 1.0f;
  return x < -9.0f ? thimble_expf(x) : 1.0f / (1.0f + thimble_expf(-x));
}
/* x, or exp(x) - 1 below zero (TFLM elu.cc). */
THIMBLE_RT float thimble_eluf(float x) { return x < 0.0f ? thimble_expm1f(x) : x; }
/* x min(max(0, x + 3), 6) / 6 (TFLM hard_swish.h). */
THIMBLE_RT float thimble_hard_swishf(float x) {
  const float shifted = x + 3.0f, low = 0.0f < shifted ? shifted : 0.0f;
  return x * (low < 6.0f ? low : 6.0f) / 6.0f;
}
/* GELU with the error function, and its approximation by tanh (LiteRT gelu.h). */
THIMBLE_RT float thimble_geluf(float x) {
  return 0.5f * x * (1.0f + thimble_erff(x * 0.70710678118654752440f));
}
THIMBLE_RT float thimble_gelu_tanhf(float x) {
  const float inner = 0.79788456080286535588f * (x + 0.044715f * x * x * x);
  return 0.5f * x * (1.0f + thimble_tanhf(inner));
}
/* The rest of x / y with the sign of y (TFLM floor_mod.h). */
THIMBLE_RT float thimble_floormodf(float x, float y) {
  const float rest = thimble_fmodf(x, y);
  return rest != 0.0f && (y < 0.0f) != (rest < 0.0f) ? rest + y : rest;
}

/*===--- conversions -------------------------------------------------------------------------===*/

/* Towards zero; what does not fit saturates, NaN gives 0. */
THIMBLE_RT int32_t thimble_truncate_i32(float x) {
  if (!(x >= -2147483648.0f))
    return x < 0.0f ? INT32_MIN : 0;
  return x >= 2147483648.0f ? INT32_MAX : (int32_t)x;
}
THIMBLE_RT int64_t thimble_truncate_i64(float x) {
  if (!(x >= -9223372036854775808.0f))
    return x < 0.0f ? INT64_MIN : 0;
  return x >= 9223372036854775808.0f ? INT64_MAX : (int64_t)x;
}
/* round(x / scale) + zero_point in 32 bits: ties away from zero, what does not fit saturates, NaN
 * gives the least number (TFLM quantize.h AffineQuantize). */
THIMBLE_RT int32_t thimble_quantize_i32(float x, float scale, int32_t zero_point) {
  const float steps = thimble_roundf(x / scale);
  if (!(steps > -0x1p+40f))
    return INT32_MIN;
  return steps >= 0x1p+40f ? INT32_MAX : thimble_saturate_i64((int64_t)steps + zero_point);
}
/* scale * (x - zero_point), rounded to double and then to float (TFLM dequantize.h). */
THIMBLE_RT float thimble_dequantize_i32(int32_t x, float scale, int32_t zero_point) {
  return (float)((double)scale * (double)thimble_wrapping_sub(x, zero_point));
}

THIMBLE_FP_STRICT_END

/*===--- integers ----------------------------------------------------------------------------===*/

/* For i32 and i64. Division by zero, an error in LiteRT, gives 0 and so does its remainder; the
 * least number divided by -1 wraps. A negative exponent, an error too, leaves only 1 and -1. */
#define THIMBLE_INTEGER_FUNCTIONS(suffix, type, unsigned_type)                                     \
  /* x / y towards zero. */                                                                        \
  THIMBLE_RT type thimble_quotient_##suffix(type x, type y) {                                      \
    if (y == 0)                                                                                    \
      return 0;                                                                                    \
    return y == -1 ? (type)((unsigned_type)0 - (unsigned_type)x) : x / y;                          \
  }                                                                                                \
  THIMBLE_RT type thimble_remainder_##suffix(type x, type y) {                                     \
    return y == 0 || y == -1 ? 0 : x % y;                                                          \
  }                                                                                                \
  /* x / y rounded down, and its remainder, which has the sign of y. */                            \
  THIMBLE_RT type thimble_floor_div_##suffix(type x, type y) {                                     \
    const type rest = thimble_remainder_##suffix(x, y);                                            \
    return thimble_quotient_##suffix(x, y) - (rest != 0 && (rest < 0) != (y < 0) ? 1 : 0);         \
  }                                                                                                \
  THIMBLE_RT type thimble_floor_mod_##suffix(type x, type y) {                                     \
    const type rest = thimble_remainder_##suffix(x, y);                                            \
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;                                   \
  }                                                                                                \
  /* base to the power of exponent, wrapping. */                                                   \
  THIMBLE_RT type thimble_pow_##suffix(type base, type exponent) {                                 \
    unsigned_type result = 1, square = (unsigned_type)base;                                        \
    if (exponent < 0)                                                                              \
      return base == 1 || (base == -1 && exponent % 2 == 0) ? 1 : base == -1 ? -1 : 0;             \
    for (; exponent > 0; exponent /= 2) {                                                          \
      if (exponent % 2 != 0)                                                                       \
        result *= square;                                                                          \
      square *= square;                                                                            \
    }                                                                                              \
    return (type)result;                                                                           \
  }

THIMBLE_INTEGER_FUNCTIONS(i32, int32_t, uint32_t)
THIMBLE_INTEGER_FUNCTIONS(i64, int64_t, uint64_t)

/* x / y * multiplier * 2^(shift - 31) for |x|, |y| < 2^16; beyond every clamp for y = 0 (0 for
 * 0 / 0) (TFLM div.cc: the reciprocal and the quotient are requantized in turn). */
THIMBLE_RT int32_t thimble_divide_scaled(int32_t x, int32_t y, int32_t multiplier, int32_t shift) {
  int32_t reciprocal_shift = 0, reciprocal, headroom, quotient;
  if (y == 0)
    return x > 0 ? 1 << 30 : x < 0 ? -(1 << 30) : 0;
  if (y < 0) {
    x = -x;
    y = -y;
  }
  reciprocal = thimble_reciprocal(y, 31, &reciprocal_shift);
  /* How far the dividend can be shifted left. */
  headroom = x >= 0 ? thimble_clz((uint32_t)x) - 1 : thimble_clz((uint32_t)(-2 * x) - 1u);
  quotient = thimble_requantize_double(x, reciprocal, headroom);
  /* A shift by more than 31, undefined in the reference, leaves nothing anyway. */
  shift = thimble_max_i32(-31, shift - reciprocal_shift - headroom);
  return thimble_requantize_double(quotient, multiplier, shift);
}

/* 1 / sqrt(x) * multiplier * 2^(shift - 31), beyond every clamp for x <= 0 (TFLM elementwise.cc
 * RsqrtEvalQuantized). The root lies below 1: 20 fraction bits are kept until the final scaling. */
THIMBLE_RT int32_t thimble_rsqrt_scaled(int32_t x, int32_t multiplier, int32_t shift) {
  int32_t root_multiplier, root_shift;
  if (x <= 0)
    return 1 << 30;
  thimble_inverse_sqrt_multiplier(x, -1, &root_multiplier, &root_shift);
  return thimble_requantize_double(
      thimble_requantize_double(1, root_multiplier, root_shift + 20), multiplier,
      thimble_max_i32(-31, shift - 20));
}

#endif /* THIMBLE_ELEMENTWISE_H */
