/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* Division of floats with an integer quotient: FLOOR_DIV and FLOOR_MOD. */
#ifndef THIMBLE_FLOAT_DIV_H
#define THIMBLE_FLOAT_DIV_H

#include "thimble_math.h"

THIMBLE_FP_STRICT_BEGIN

/* The rest of x / y with the quotient rounded towards zero, exact, with the sign of x (C's fmodf).
 * Long division on the significands: the loop runs once a bit of the quotient. */
THIMBLE_RT float thimble_fmodf(float x, float y) {
  const uint32_t ux = thimble_float_bits(x) & 0x7fffffffu, uy = thimble_float_bits(y) & 0x7fffffffu;
  int32_t ex = (int32_t)(ux >> 23), ey = (int32_t)(uy >> 23);
  uint32_t rest = ux & 0x7fffffu, divisor = uy & 0x7fffffu;
  if (uy == 0 || uy > 0x7f800000u || ux >= 0x7f800000u)
    return thimble_nan();
  if (ux < uy)
    return x;
  /* Subnormal numbers count in the steps of exponent 1 and lack the leading bit. */
  if (ex == 0)
    ex = 1;
  else
    rest |= 0x800000u;
  if (ey == 0)
    ey = 1;
  else
    divisor |= 0x800000u;
  rest %= divisor;
  for (; ex > ey; --ex)
    rest = (rest << 1) % divisor;
  return thimble_copysignf(thimble_scale_pot((float)(int32_t)rest, ey - 150), x);
}

/* floor(x / y) with the quotient rounded to double first (TFLM floor_div.h). */
THIMBLE_RT float thimble_floordivf(float x, float y) {
  const double quotient = (double)x / (double)y;
  double whole;
  /* Not a number, infinite, or an integer already (and -0 stays itself). */
  if (!(quotient > -4503599627370496.0 && quotient < 4503599627370496.0) || quotient == 0.0)
    return (float)quotient;
  whole = (double)(int64_t)quotient;
  return (float)(whole > quotient ? whole - 1.0 : whole);
}

THIMBLE_FP_STRICT_END

#endif /* THIMBLE_FLOAT_DIV_H */
