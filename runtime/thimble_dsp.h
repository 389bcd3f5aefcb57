/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* The DSP instructions of the Cortex-M4 as functions, with fallbacks in portable C that give the
 * same bits. A packed operand is a uint32_t: two int16 (lo = bits 0-15, hi = bits 16-31) or four
 * int8. Sums wrap unless the name says saturating; nothing reads or reports the Q flag. */
#ifndef THIMBLE_DSP_H
#define THIMBLE_DSP_H

#include "thimble_types.h"

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FEATURE_SIMD32) && defined(__GNUC__) &&            \
    !defined(THIMBLE_PORTABLE_DSP)
#include <arm_acle.h>
#define THIMBLE_HAVE_DSP 1
#endif

/*===--- plain C everywhere: compilers turn these into single instructions --------------------===*/

/* Loads of any alignment (LDR and LDRH on the Cortex-M4). */
THIMBLE_RT uint32_t thimble_load_u32(const void *from) {
  uint32_t value;
  THIMBLE_COPY(&value, from, sizeof value);
  return value;
}
THIMBLE_RT uint16_t thimble_load_u16(const void *from) {
  uint16_t value;
  THIMBLE_COPY(&value, from, sizeof value);
  return value;
}
THIMBLE_RT void thimble_store_u32(void *to, uint32_t value) {
  THIMBLE_COPY(to, &value, sizeof value);
}

THIMBLE_RT int32_t thimble_lo16(uint32_t a) { return (int16_t)(uint16_t)a; }
THIMBLE_RT int32_t thimble_hi16(uint32_t a) { return (int32_t)a >> 16; }

/* lo(a) and, above it, lo(b * 2^shift); shift in [0, 31]. */
THIMBLE_RT uint32_t thimble_pkhbt(uint32_t a, uint32_t b, uint32_t shift) {
  return (a & 0xffffu) | ((b << shift) & 0xffff0000u);
}
/* hi(a) and, below it, the lower half of b >> shift (arithmetic); shift in [0, 31]. */
THIMBLE_RT uint32_t thimble_pkhtb(uint32_t a, uint32_t b, uint32_t shift) {
  return (a & 0xffff0000u) | ((uint32_t)((int32_t)b >> shift) & 0xffffu);
}
/* acc + a.half * b.half: b bottom (lo), t top (hi). */
THIMBLE_RT int32_t thimble_smlabb(uint32_t a, uint32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)(thimble_lo16(a) * thimble_lo16(b)));
}
THIMBLE_RT int32_t thimble_smlabt(uint32_t a, uint32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)(thimble_lo16(a) * thimble_hi16(b)));
}
THIMBLE_RT int32_t thimble_smlatb(uint32_t a, uint32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)(thimble_hi16(a) * thimble_lo16(b)));
}
THIMBLE_RT int32_t thimble_smlatt(uint32_t a, uint32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)(thimble_hi16(a) * thimble_hi16(b)));
}
/* Upper half of the product, rounded down. */
THIMBLE_RT int32_t thimble_smmul(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b) >> 32);
}
/* The nearest integer of `bits` bits: ssat signed, bits in [1, 32]; usat unsigned, bits in [0, 31].
 * One instruction where inlining makes `bits` a constant. */
THIMBLE_RT int32_t thimble_ssat(int32_t value, int32_t bits) {
#if defined(THIMBLE_HAVE_DSP) && defined(__GNUC__) && !defined(__clang__)
  /* GCC makes comparisons of the definition below; clang makes SSAT. */
  if (__builtin_constant_p(bits) && bits == 8) {
    int32_t saturated;
    __asm__("ssat %0, #8, %1" : "=r"(saturated) : "r"(value) : "cc");
    return saturated;
  }
#endif
  const int32_t high = (int32_t)(0x7fffffffu >> (32 - bits));
  return value > high ? high : value < -high - 1 ? -high - 1 : value;
}
THIMBLE_RT uint32_t thimble_usat(int32_t value, int32_t bits) {
  const int32_t high = (int32_t)(((uint32_t)1 << bits) - 1u);
  return (uint32_t)(value < 0 ? 0 : value > high ? high : value);
}
/* Saturation to int8, int16 and uint8. */
THIMBLE_RT int32_t thimble_ssat8(int32_t value) { return thimble_ssat(value, 8); }
THIMBLE_RT int32_t thimble_ssat16(int32_t value) { return thimble_ssat(value, 16); }
THIMBLE_RT uint32_t thimble_usat8(int32_t value) { return thimble_usat(value, 8); }

/*===--- instructions compilers do not find by themselves -------------------------------------===*/

#if defined(THIMBLE_HAVE_DSP)

/* Instructions without an ACLE function. */
#define THIMBLE_DSP_ASM2(name, text)                                                               \
  THIMBLE_RT int32_t thimble_##name(int32_t a, int32_t b) {                                        \
    int32_t r;                                                                                     \
    __asm__(text " %0, %1, %2" : "=r"(r) : "r"(a), "r"(b));                                        \
    return r;                                                                                      \
  }
#define THIMBLE_DSP_ASM3(name, text)                                                               \
  THIMBLE_RT int32_t thimble_##name(int32_t a, int32_t b, int32_t acc) {                           \
    int32_t r;                                                                                     \
    __asm__(text " %0, %1, %2, %3" : "=r"(r) : "r"(a), "r"(b), "r"(acc));                          \
    return r;                                                                                      \
  }
#define THIMBLE_DSP_PACK(name, text)                                                               \
  THIMBLE_RT uint32_t thimble_##name(uint32_t a, uint32_t b) {                                     \
    uint32_t r;                                                                                    \
    __asm__(text : "=r"(r) : "r"(a), "r"(b));                                                      \
    return r;                                                                                      \
  }
#define THIMBLE_DSP_SELECT(name, text)                                                             \
  THIMBLE_RT uint32_t thimble_##name(uint32_t a, uint32_t b) {                                     \
    uint32_t r;                                                                                    \
    __asm__(text : "=&r"(r) : "r"(a), "r"(b) : "cc");                                              \
    return r;                                                                                      \
  }
#define THIMBLE_DSP_EXTEND(name, text)                                                             \
  THIMBLE_RT uint32_t thimble_##name(uint32_t a) {                                                 \
    uint32_t r;                                                                                    \
    __asm__(text : "=r"(r) : "r"(a));                                                              \
    return r;                                                                                      \
  }
THIMBLE_DSP_ASM2(smmulr, "smmulr")
THIMBLE_DSP_ASM3(smmlar, "smmlar")
THIMBLE_DSP_ASM3(smmla, "smmla")
THIMBLE_DSP_PACK(pkhbt16, "pkhbt %0, %1, %2, lsl #16")
THIMBLE_DSP_PACK(pkhtb16, "pkhtb %0, %1, %2, asr #16")
THIMBLE_DSP_EXTEND(sxtb16, "sxtb16 %0, %1")
THIMBLE_DSP_EXTEND(sxtb16_ror8, "sxtb16 %0, %1, ror #8")
THIMBLE_DSP_EXTEND(uxtb16, "uxtb16 %0, %1")
THIMBLE_DSP_EXTEND(uxtb16_ror8, "uxtb16 %0, %1, ror #8")
/* SSUB8 tells SEL which bytes are not less; nothing may come between. */
THIMBLE_DSP_SELECT(smax8, "ssub8 %0, %1, %2\n\tsel %0, %1, %2")
THIMBLE_DSP_SELECT(smin8, "ssub8 %0, %1, %2\n\tsel %0, %2, %1")
#undef THIMBLE_DSP_ASM2
#undef THIMBLE_DSP_ASM3
#undef THIMBLE_DSP_PACK
#undef THIMBLE_DSP_SELECT
#undef THIMBLE_DSP_EXTEND

THIMBLE_RT int32_t thimble_smlad(uint32_t a, uint32_t b, int32_t acc) {
  return __smlad((int16x2_t)a, (int16x2_t)b, acc);
}
THIMBLE_RT int32_t thimble_smladx(uint32_t a, uint32_t b, int32_t acc) {
  return __smladx((int16x2_t)a, (int16x2_t)b, acc);
}
THIMBLE_RT int32_t thimble_smuad(uint32_t a, uint32_t b) {
  return __smuad((int16x2_t)a, (int16x2_t)b);
}
THIMBLE_RT int64_t thimble_smlald(uint32_t a, uint32_t b, int64_t acc) {
  return __smlald((int16x2_t)a, (int16x2_t)b, acc);
}
THIMBLE_RT int32_t thimble_smlawb(int32_t a, uint32_t b, int32_t acc) {
  return __smlawb(a, (int32_t)b, acc);
}
THIMBLE_RT int32_t thimble_smlawt(int32_t a, uint32_t b, int32_t acc) {
  return __smlawt(a, (int32_t)b, acc);
}
THIMBLE_RT uint32_t thimble_sadd16(uint32_t a, uint32_t b) {
  return (uint32_t)__sadd16((int16x2_t)a, (int16x2_t)b);
}
THIMBLE_RT uint32_t thimble_ssub16(uint32_t a, uint32_t b) {
  return (uint32_t)__ssub16((int16x2_t)a, (int16x2_t)b);
}
THIMBLE_RT uint32_t thimble_qadd16(uint32_t a, uint32_t b) {
  return (uint32_t)__qadd16((int16x2_t)a, (int16x2_t)b);
}
THIMBLE_RT int32_t thimble_qadd(int32_t a, int32_t b) { return (int32_t)__qadd(a, b); }

#else /* portable */

/* acc + lo(a) lo(b) + hi(a) hi(b); x exchanges the halves of b; smlald has a 64-bit acc. */
THIMBLE_RT int32_t thimble_smlad(uint32_t a, uint32_t b, int32_t acc) {
  return thimble_smlabb(a, b, thimble_smlatt(a, b, acc));
}
THIMBLE_RT int32_t thimble_smladx(uint32_t a, uint32_t b, int32_t acc) {
  return thimble_smlabt(a, b, thimble_smlatb(a, b, acc));
}
THIMBLE_RT int32_t thimble_smuad(uint32_t a, uint32_t b) { return thimble_smlad(a, b, 0); }
THIMBLE_RT int64_t thimble_smlald(uint32_t a, uint32_t b, int64_t acc) {
  const int64_t sum = (int64_t)(thimble_lo16(a) * thimble_lo16(b)) +
                      (int64_t)(thimble_hi16(a) * thimble_hi16(b));
  return (int64_t)((uint64_t)acc + (uint64_t)sum);
}
/* acc + floor(a * half(b) / 2^16). */
THIMBLE_RT int32_t thimble_smlawb(int32_t a, uint32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)(((int64_t)a * thimble_lo16(b)) >> 16));
}
THIMBLE_RT int32_t thimble_smlawt(int32_t a, uint32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)(((int64_t)a * thimble_hi16(b)) >> 16));
}
/* acc plus the upper half of the product, rounded down. */
THIMBLE_RT int32_t thimble_smmla(int32_t a, int32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)thimble_smmul(a, b));
}
/* thimble_pkhbt and thimble_pkhtb with the shift 16: (lo(a), lo(b)) and (hi(b), hi(a)). */
THIMBLE_RT uint32_t thimble_pkhbt16(uint32_t a, uint32_t b) { return thimble_pkhbt(a, b, 16); }
THIMBLE_RT uint32_t thimble_pkhtb16(uint32_t a, uint32_t b) { return thimble_pkhtb(a, b, 16); }
/* Upper half of the product rounded to nearest, ties up; added to acc. The instruction rounds the
 * 64-bit sum of acc * 2^32 and the product, which is the same. */
THIMBLE_RT int32_t thimble_smmulr(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}
THIMBLE_RT int32_t thimble_smmlar(int32_t a, int32_t b, int32_t acc) {
  return (int32_t)((uint32_t)acc + (uint32_t)thimble_smmulr(a, b));
}
/* Bytes 0 and 2 (ror8: 1 and 3), sign- or zero-extended to 16 bits. */
THIMBLE_RT uint32_t thimble_uxtb16(uint32_t a) { return a & 0x00ff00ffu; }
THIMBLE_RT uint32_t thimble_uxtb16_ror8(uint32_t a) { return (a >> 8) & 0x00ff00ffu; }
THIMBLE_RT uint32_t thimble_sxtb16(uint32_t a) {
  const uint32_t sign = (a & 0x00800080u) >> 7;
  return (a & 0x00ff00ffu) | (sign * 0xff00u);
}
THIMBLE_RT uint32_t thimble_sxtb16_ror8(uint32_t a) { return thimble_sxtb16(a >> 8); }
/* Two sums or differences of int16; qadd16 and qadd saturate. */
THIMBLE_RT uint32_t thimble_sadd16(uint32_t a, uint32_t b) {
  return ((a + b) & 0xffffu) | ((a & 0xffff0000u) + (b & 0xffff0000u));
}
THIMBLE_RT uint32_t thimble_ssub16(uint32_t a, uint32_t b) {
  return ((a - b) & 0xffffu) | ((a & 0xffff0000u) - (b & 0xffff0000u));
}
THIMBLE_RT uint32_t thimble_qadd16(uint32_t a, uint32_t b) {
  const int32_t low = thimble_ssat(thimble_lo16(a) + thimble_lo16(b), 16);
  const int32_t high = thimble_ssat(thimble_hi16(a) + thimble_hi16(b), 16);
  return ((uint32_t)low & 0xffffu) | ((uint32_t)high << 16);
}
/* The larger or the smaller of each pair of int8. */
THIMBLE_RT uint32_t thimble_smax8(uint32_t a, uint32_t b) {
  uint32_t r = 0;
  for (unsigned shift = 0; shift < 32; shift += 8) {
    const uint32_t x = (a >> shift) & 0xffu, y = (b >> shift) & 0xffu;
    r |= ((x ^ 0x80u) < (y ^ 0x80u) ? y : x) << shift;
  }
  return r;
}
THIMBLE_RT uint32_t thimble_smin8(uint32_t a, uint32_t b) {
  return ~thimble_smax8(~a, ~b);
}
THIMBLE_RT int32_t thimble_qadd(int32_t a, int32_t b) {
  const int64_t sum = (int64_t)a + b;
  return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

#endif

#endif /* THIMBLE_DSP_H */
