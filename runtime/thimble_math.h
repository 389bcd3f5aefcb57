/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* Float functions with the same bits on every IEEE machine: no call of the C library, no fused
 * multiply-add, one order of operations. Errors against the exact result are below 1.5 ULP (each
 * function says how it gets there; sqrt, floor and their kin are exact). The common ones (exp, log,
 * tanh, expm1, erf, sin, cos) compute in float, which the Cortex-M4 has in hardware; the rare
 * two-operand ones (pow, atan2) compute in double, which is short and exact enough, if slow. A NaN
 * result is always the positive quiet NaN without payload. Polynomials are fitted to the named
 * function (weighted least squares at Chebyshev nodes, coefficients rounded to float in turn).
 * Options that give up IEEE arithmetic (-ffast-math) void all of this. */
#ifndef THIMBLE_MATH_H
#define THIMBLE_MATH_H

#include "thimble_fixed_point.h"

/* Brackets around functions whose float arithmetic must not be contracted into fused multiply-adds,
 * whatever the command line says: GCC defaults to contracting. Both work at file scope only. With
 * GCC the options of a function are those in force where it is defined, and functions inside the
 * brackets still inline into each other; Clang has no way back and keeps contraction off for the
 * rest of the file. */
#if defined(__clang__)
#define THIMBLE_FP_STRICT_BEGIN _Pragma("clang fp contract(off)")
#define THIMBLE_FP_STRICT_END
#elif defined(__GNUC__)
#define THIMBLE_FP_STRICT_BEGIN                                                                    \
  _Pragma("GCC push_options") _Pragma("GCC optimize(\"fp-contract=off\")")
#define THIMBLE_FP_STRICT_END _Pragma("GCC pop_options")
#else
#define THIMBLE_FP_STRICT_BEGIN _Pragma("STDC FP_CONTRACT OFF")
#define THIMBLE_FP_STRICT_END
#endif

THIMBLE_FP_STRICT_BEGIN

/*===--- bits --------------------------------------------------------------------------------===*/

THIMBLE_RT uint32_t thimble_float_bits(float x) {
  uint32_t bits;
  THIMBLE_COPY(&bits, &x, sizeof bits);
  return bits;
}
THIMBLE_RT float thimble_bits_float(uint32_t bits) {
  float x;
  THIMBLE_COPY(&x, &bits, sizeof x);
  return x;
}
THIMBLE_RT float thimble_nan(void) { return thimble_bits_float(0x7fc00000u); }
THIMBLE_RT float thimble_infinity(void) { return thimble_bits_float(0x7f800000u); }
THIMBLE_RT int thimble_isnan(float x) { return (thimble_float_bits(x) << 1) > 0xff000000u; }
THIMBLE_RT float thimble_fabsf(float x) {
  return thimble_bits_float(thimble_float_bits(x) & 0x7fffffffu);
}
THIMBLE_RT float thimble_copysignf(float magnitude, float sign) {
  return thimble_bits_float((thimble_float_bits(magnitude) & 0x7fffffffu) |
                            (thimble_float_bits(sign) & 0x80000000u));
}
/* x * 2^n for n in [-252, 254], rounded once. */
THIMBLE_RT float thimble_scale_pot(float x, int32_t n) {
  const int32_t half = n / 2;
  return x * thimble_bits_float((uint32_t)(half + 127) << 23) *
         thimble_bits_float((uint32_t)(n - half + 127) << 23);
}

/*===--- rounding to integers ----------------------------------------------------------------===*/

/* Towards zero. */
THIMBLE_RT float thimble_truncf(float x) {
  if (thimble_isnan(x))
    return thimble_nan();
  if (!(thimble_fabsf(x) < 8388608.0f))
    return x; /* an integer already, or infinite */
  return thimble_copysignf((float)(int32_t)x, x);
}
THIMBLE_RT float thimble_floorf(float x) {
  const float t = thimble_truncf(x);
  return t > x ? t - 1.0f : t;
}
THIMBLE_RT float thimble_ceilf(float x) {
  const float t = thimble_truncf(x);
  return t < x ? thimble_copysignf(t + 1.0f, x) : t;
}
/* To nearest, ties away from zero. */
THIMBLE_RT float thimble_roundf(float x) {
  const float t = thimble_truncf(x);
  return thimble_fabsf(x - t) >= 0.5f ? t + thimble_copysignf(1.0f, x) : t;
}
/* To nearest, ties to even. */
THIMBLE_RT float thimble_rintf(float x) {
  const float t = thimble_truncf(x);
  const float rest = thimble_fabsf(x - t);
  if (rest > 0.5f || (rest == 0.5f && ((int32_t)t & 1) != 0))
    return t + thimble_copysignf(1.0f, x);
  return t;
}

/*===--- square root -------------------------------------------------------------------------===*/

/* Correctly rounded. Without a square root instruction: the integer root of the significand, two
 * bits of the radicand a step; the remainder decides the rounding (a tie cannot occur). */
THIMBLE_RT float thimble_sqrtf(float x) {
  uint32_t bits = thimble_float_bits(x), radicand, rest = 0, root = 0;
  int32_t exponent = (int32_t)(bits >> 23), i;
  if ((bits << 1) == 0)
    return x;
  if (bits > 0x7f800000u)
    return thimble_nan(); /* negative or NaN */
  if (bits == 0x7f800000u)
    return x;
#if defined(__arm__) && defined(__ARM_FP) && (__ARM_FP & 4) && defined(__GNUC__)
  {
    float result;
    (void)radicand, (void)rest, (void)root, (void)exponent, (void)i;
    __asm__("vsqrt.f32 %0, %1" : "=t"(result) : "t"(x));
    return result;
  }
#else
  bits &= 0x7fffffu;
  if (exponent == 0) { /* denormal */
    const int32_t shift = thimble_clz(bits) - 8;
    bits <<= shift;
    exponent = 1 - shift;
  }
  bits |= 0x800000u;
  exponent -= 127;
  radicand = bits << (7 + (exponent & 1));
  for (i = 0; i < 24; ++i) {
    uint32_t trial;
    rest = (rest << 2) | (radicand >> 30);
    radicand <<= 2;
    trial = (root << 2) | 1u;
    root <<= 1;
    if (rest >= trial) {
      rest -= trial;
      root |= 1u;
    }
  }
  root += rest > root ? 1u : 0u;
  return thimble_bits_float(root + ((uint32_t)((exponent >> 1) + 126) << 23));
#endif
}
/* 1 / sqrt(x), two roundings as in TFLM's RSQRT. */
THIMBLE_RT float thimble_rsqrtf(float x) {
  return thimble_isnan(x) || x < 0.0f ? thimble_nan() : 1.0f / thimble_sqrtf(x);
}

/*===--- exponential and logarithm -----------------------------------------------------------===*/

/* exp(r) - 1 for the rest r of x after n multiples of log 2, |r| <= log(2)/2, |x| < 128. The upper
 * part of log 2 has 16 bits, so that its multiple and the first difference are exact. */
THIMBLE_RT float thimble_exp_rest(float x, int32_t *n) {
  const int32_t k = (int32_t)(x * 0x1.715476p+0f + thimble_copysignf(0.5f, x));
  const float r = (x - (float)k * 0x1.62e4p-1f) - (float)k * 0x1.7f7d1cp-20f;
  const float p =
      ((((0x1.a28e6cp-13f * r + 0x1.6d467cp-10f) * r + 0x1.110fe2p-7f) * r + 0x1.5554eep-5f) * r +
       0x1.555556p-3f) *
          r +
      0.5f;
  *n = k;
  return r + r * r * p;
}
THIMBLE_RT float thimble_expf(float x) {
  int32_t n;
  float p;
  if (thimble_isnan(x))
    return thimble_nan();
  if (x > 0x1.62e43p+6f) /* beyond the largest float's logarithm */
    return thimble_infinity();
  if (x < -104.0f)
    return 0.0f;
  p = thimble_exp_rest(x, &n);
  return thimble_scale_pot(1.0f + p, n);
}
/* exp(x) - 1, accurate near 0: 2^n (exp(r) - 1) + (2^n - 1). */
THIMBLE_RT float thimble_expm1f(float x) {
  int32_t n;
  float p, scale;
  if (thimble_isnan(x))
    return thimble_nan();
  if (x < -18.0f)
    return -1.0f;
  if (x > 18.0f)
    return thimble_expf(x);
  if (thimble_fabsf(x) < 0x1p-25f)
    return x;
  p = thimble_exp_rest(x, &n);
  if (n == 0)
    return p;
  scale = thimble_bits_float((uint32_t)(n + 127) << 23);
  return scale * p + (scale - 1.0f);
}
/* x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) is odd in s = f / (2 + f), and
 * 2 s is written as f - f^2/2 + s f^2/2 to keep the leading term exact. */
THIMBLE_RT float thimble_logf(float x) {
  uint32_t bits = thimble_float_bits(x);
  int32_t k = -127;
  float f, s, z, r, half_square;
  if ((bits << 1) == 0)
    return -thimble_infinity();
  if (bits > 0x7f800000u)
    return thimble_nan(); /* negative or NaN */
  if (bits == 0x7f800000u)
    return x;
  if (bits < 0x800000u) { /* denormal */
    const int32_t shift = thimble_clz(bits) - 8;
    bits = (bits << shift) & 0x7fffffu;
    k += 1 - shift;
  }
  /* Adding the distance from sqrt(1/2) to 1 carries into the exponent for the upper half. */
  bits += 0x3f800000u - 0x3f3504f3u;
  k += (int32_t)(bits >> 23);
  f = thimble_bits_float((bits & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  s = f / (2.0f + f);
  z = s * s;
  r = z * (((0x1.ec15dp-3f * z + 0x1.23f1bap-2f) * z + 0x1.999bd4p-2f) * z + 0x1.555554p-1f);
  half_square = 0.5f * f * f;
  return (float)k * 0x1.62e4p-1f +
         (f - (half_square - (s * (half_square + r) + (float)k * 0x1.7f7d1cp-20f)));
}

/*===--- hyperbolic tangent and error function ------------------------------------------------===*/

/* An odd polynomial below 0.65, 1 - 2 / (exp(2x) + 1) above. */
THIMBLE_RT float thimble_tanhf(float x) {
  const float a = thimble_fabsf(x), z = x * x;
  if (thimble_isnan(x))
    return thimble_nan();
  if (a < 0x1p-12f)
    return x; /* and keeps -0 */
  if (a < 0.65f)
    return x + x * (z * (((((0x1.0bcc22p-9f * z - 0x1.083b2p-7f) * z + 0x1.62c06p-6f) * z -
                           0x1.b9dac4p-5f) *
                              z +
                          0x1.110ff8p-3f) *
                             z -
                         0x1.555552p-2f));
  return thimble_copysignf(a > 9.1f ? 1.0f : 1.0f - 2.0f / (thimble_expf(2.0f * a) + 1.0f), x);
}
/* An odd polynomial below 0.9, 1 - exp(-q(x)) above with q = -log(1 - erf). */
THIMBLE_RT float thimble_erff(float x) {
  const float a = thimble_fabsf(x), z = x * x;
  float q;
  if (thimble_isnan(x))
    return thimble_nan();
  if (a < 0.9f)
    return x + x * ((((((0x1.5ebabap-14f * z - 0x1.aaa8f2p-11f) * z + 0x1.54cde2p-8f) * z -
                       0x1.b80e5p-6f) *
                          z +
                      0x1.ce2df6p-4f) *
                         z -
                     0x1.812742p-2f) *
                        z +
                    0x1.06eba8p-3f);
  if (a >= 3.95f)
    return thimble_copysignf(1.0f, x);
  q = -0x1.26e036p-20f * a + 0x1.29990ap-16f;
  q = ((q * a - 0x1.b02512p-14f) * a + 0x1.f6ac3cp-15f) * a + 0x1.80b394p-9f;
  q = ((q * a - 0x1.7a92e8p-6f) * a + 0x1.b2c26ep-4f) * a + 0x1.45013ep-1f;
  q = (q * a + 0x1.210428p+0f) * a - 0x1.60347ap-14f;
  return thimble_copysignf(1.0f - thimble_expf(-q), x);
}

/*===--- sine and cosine ---------------------------------------------------------------------===*/

/* x = quadrant * pi/2 + rest, |rest| <= pi/4, for every finite x: the significand times 96 bits of
 * 2/pi that start where the product's two integer bits do (Payne and Hanek's reduction). */
THIMBLE_RT float thimble_quadrant(float x, uint32_t *quadrant) {
  static const uint32_t two_over_pi[8] = {0u,          0xa2f9836eu, 0x4e441529u, 0xfc2757d1u,
                                          0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu};
  const uint32_t bits = thimble_float_bits(x);
  const uint32_t significand = (bits & 0x7fffffu) | 0x800000u;
  const int32_t start = (int32_t)((bits >> 23) & 0xffu) - 150 - 2 + 32;
  uint32_t window[3];
  uint64_t product, rest;
  int32_t i, zeros;
  float result;
  *quadrant = 0;
  if (thimble_fabsf(x) <= 0x1.921fb6p-1f)
    return x;
  for (i = 0; i < 3; ++i) {
    const uint32_t *word = two_over_pi + (start >> 5) + i;
    const uint64_t pair = ((uint64_t)word[0] << 32) | word[1];
    window[i] = (uint32_t)(pair >> (32 - (start & 31)));
  }
  product = ((uint64_t)(uint32_t)(significand * window[0]) << 32) +
            (uint64_t)significand * window[1] + (((uint64_t)significand * window[2]) >> 32);
  *quadrant = (uint32_t)((product + ((uint64_t)1 << 61)) >> 62);
  rest = product - ((uint64_t)*quadrant << 62);
  result = 1.0f;
  if (rest >> 63) {
    rest = 0u - rest;
    result = -1.0f;
  }
  zeros = (rest >> 32) != 0 ? thimble_clz((uint32_t)(rest >> 32))
                            : 32 + thimble_clz((uint32_t)rest | 1u);
  rest = ((rest << zeros) >> 32) * 0xc90fdaa2u;
  result *= thimble_scale_pot((float)(uint32_t)(rest >> 32), -29 - zeros);
  if (bits >> 31) {
    result = -result;
    *quadrant = 0u - *quadrant;
  }
  return result;
}
/* sin(rest + quadrant * pi/2), |rest| <= pi/4. */
THIMBLE_RT float thimble_sin_quadrant(float rest, uint32_t quadrant) {
  const float z = rest * rest;
  float y;
  if (quadrant & 1u) {
    const float half = 0.5f * z, head = 1.0f - half;
    y = head + (((1.0f - head) - half) +
                z * z *
                    (((-0x1.33b4ap-22f * z + 0x1.a067dcp-16f) * z - 0x1.6c1754p-10f) * z +
                     0x1.555556p-5f));
  } else if (thimble_fabsf(rest) < 0x1p-12f) {
    y = rest; /* and keeps -0 */
  } else {
    y = rest + rest * (z * (((0x1.785bfcp-19f * z - 0x1.a04a64p-13f) * z + 0x1.111166p-7f) * z -
                            0x1.555556p-3f));
  }
  return (quadrant & 2u) ? -y : y;
}
THIMBLE_RT float thimble_sinf(float x) {
  uint32_t quadrant;
  float rest;
  if (!(thimble_fabsf(x) < thimble_infinity()))
    return thimble_nan();
  rest = thimble_quadrant(x, &quadrant);
  return thimble_sin_quadrant(rest, quadrant);
}
THIMBLE_RT float thimble_cosf(float x) {
  uint32_t quadrant;
  float rest;
  if (!(thimble_fabsf(x) < thimble_infinity()))
    return thimble_nan();
  rest = thimble_quadrant(x, &quadrant);
  return thimble_sin_quadrant(rest, quadrant + 1u);
}

/*===--- functions of two operands -----------------------------------------------------------===*/

/* The angle of (x, y), C's special cases. atan on [0, tan(pi/8)] by an odd polynomial in double; two
 * reflections lead there. */
THIMBLE_RT float thimble_atan2f(float y, float x) {
  const double pi = 0x1.921fb54442d18p+1;
  const float ax = thimble_fabsf(x), ay = thimble_fabsf(y), big = ax > ay ? ax : ay;
  double t, z, angle = 0.0;
  if (thimble_isnan(x) || thimble_isnan(y))
    return thimble_nan();
  if (ax == ay)
    t = big == 0.0f ? 0.0 : 1.0;
  else
    t = big == thimble_infinity() ? 0.0 : (double)(ax > ay ? ay : ax) / (double)big;
  if (t > 0.41421356237309503) {
    t = (t - 1.0) / (t + 1.0);
    angle = pi / 4;
  }
  z = t * t;
  angle += t + t * z *
                   ((((-0.060828682 * z + 0.105968058) * z - 0.142441496) * z + 0.199985206) * z -
                    0.333333164);
  if (ay > ax)
    angle = pi / 2 - angle;
  if (thimble_float_bits(x) >> 31)
    angle = pi - angle;
  return thimble_copysignf((float)angle, y);
}

/* x^y, C's special cases: 2^(y log2 x) in double, both by Taylor series (log2 in (m-1)/(m+1)). */
THIMBLE_RT float thimble_powf(float x, float y) {
  const float ax = thimble_fabsf(x), ay = thimble_fabsf(y);
  const int integral = thimble_truncf(y) == y;
  const int odd = integral && ay < 16777216.0f && ((int32_t)ay & 1) != 0;
  const uint32_t sign = odd ? thimble_float_bits(x) & 0x80000000u : 0u;
  uint32_t bits = thimble_float_bits(ax);
  int32_t k = -127, i;
  double m, s, z, power, sum;
  if (x == 1.0f || y == 0.0f)
    return 1.0f;
  if (thimble_isnan(x) || thimble_isnan(y))
    return thimble_nan();
  if (ay == thimble_infinity())
    return ax == 1.0f ? 1.0f : (ax > 1.0f) == (y > 0.0f) ? thimble_infinity() : 0.0f;
  if (ax == 0.0f || ax == thimble_infinity())
    return thimble_bits_float(sign | ((ax == 0.0f) == (y > 0.0f) ? 0u : 0x7f800000u));
  if (x < 0.0f && !integral)
    return thimble_nan();
  if (bits < 0x800000u) { /* denormal */
    const int32_t shift = thimble_clz(bits) - 8;
    bits = (bits << shift) & 0x7fffffu;
    k += 1 - shift;
  }
  bits += 0x3f800000u - 0x3f3504f3u;
  k += (int32_t)(bits >> 23);
  m = (double)thimble_bits_float((bits & 0x7fffffu) + 0x3f3504f3u);
  s = (m - 1.0) / (m + 1.0);
  z = s * s;
  for (sum = 0.0, i = 15; i > 0; i -= 2)
    sum = sum * z + 1.0 / i;
  power = (double)y * ((double)k + s * sum * 0x1.71547652b82fep+1);
  if (power > 129.0)
    return thimble_bits_float(sign | 0x7f800000u);
  if (power < -151.0)
    return thimble_bits_float(sign);
  k = (int32_t)(power + (power < 0.0 ? -0.5 : 0.5));
  s = (power - (double)k) * 0x1.62e42fefa39efp-1;
  for (sum = 1.0, i = 11; i > 0; --i)
    sum = 1.0 + sum * s / i;
  bits = (uint32_t)(k + 1023) << 20;
  {
    const uint64_t wide = (uint64_t)bits << 32;
    double scale;
    THIMBLE_COPY(&scale, &wide, sizeof scale);
    return thimble_copysignf((float)(sum * scale), thimble_bits_float(sign));
  }
}

THIMBLE_FP_STRICT_END

#endif /* THIMBLE_MATH_H */
