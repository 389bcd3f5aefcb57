/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* Integer types, status codes and the few compiler-specific macros of the runtime. C11 and C++17. */
#ifndef THIMBLE_TYPES_H
#define THIMBLE_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* What NAME_init and NAME_invoke return: 0, or a negative code and nothing done. */
typedef enum thimble_status {
  THIMBLE_OK = 0,
  THIMBLE_ERROR_NULL = -1,      /* the arena (or a region) is a null pointer */
  THIMBLE_ERROR_ALIGNMENT = -2, /* the arena (or a region) is not aligned to NAME_ARENA_ALIGN */
  THIMBLE_ERROR_STATE = -3,     /* the arena was not initialised by NAME_init or NAME_init_regions */
  THIMBLE_ERROR_ROWS = -4,      /* more rows are pushed than the input has, or fewer before NAME_invoke */
  THIMBLE_ERROR_REGIONS = -5    /* an arena alone, but the model has several regions */
} thimble_status;

/* Linkage of the runtime's functions. Each file that includes the headers gets its own inlined
 * copies, so models link together freely; the bitcode build defines them as external. THIMBLE_RT_LARGE
 * keeps one copy per file. */
#ifndef THIMBLE_RT
#if defined(__GNUC__)
#define THIMBLE_RT static inline __attribute__((unused))
#define THIMBLE_RT_LARGE static __attribute__((unused, noinline))
#else
#define THIMBLE_RT static inline
#define THIMBLE_RT_LARGE static
#endif
#endif

/* memcpy of a few bytes: moves bits between types without aliasing or alignment trouble, and is a
 * single load or store; the builtin also serves freestanding compilers that have no string.h. */
#if defined(__GNUC__)
#define THIMBLE_COPY(to, from, bytes) ((void)__builtin_memcpy(to, from, bytes))
#else
#include <string.h>
#define THIMBLE_COPY(to, from, bytes) ((void)memcpy(to, from, bytes))
#endif

/* THIMBLE_ALIGN(n): alignment of an object, in bytes. THIMBLE_NOINLINE: keeps a large helper
 * one copy per file. THIMBLE_RESTRICT: restrict in C and C++. */
#if defined(__cplusplus)
#define THIMBLE_ALIGN(n) alignas(n)
#else
#define THIMBLE_ALIGN(n) _Alignas(n)
#endif
#if defined(__GNUC__)
#define THIMBLE_NOINLINE __attribute__((noinline))
#define THIMBLE_RESTRICT __restrict__
#define THIMBLE_LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define THIMBLE_NOINLINE
#define THIMBLE_RESTRICT
#define THIMBLE_LIKELY(x) (x)
#endif

/* THIMBLE_ASM: the compiler takes GNU assembly for a Cortex-M4; THIMBLE_ASM_FP: with registers of
 * the FPU. Then kernels are functions of instructions, without a prologue of the compiler's, which
 * it may neither inline nor look into; otherwise they are the portable code beside them. */
#if defined(__GNUC__) && defined(__thumb2__) && defined(__ARM_FEATURE_DSP) &&                     \
    !defined(__ARMEB__) && !defined(THIMBLE_PORTABLE_DSP)
#define THIMBLE_ASM 1
#if defined(__clang__)
#define THIMBLE_NAKED __attribute__((naked, noinline))
#else
#define THIMBLE_NAKED __attribute__((naked, noinline, noclone, noipa))
#endif
#define THIMBLE_UNUSED __attribute__((unused))
#else
#define THIMBLE_ASM 0
#endif
#if THIMBLE_ASM && defined(__ARM_FP)
#define THIMBLE_ASM_FP 1
#else
#define THIMBLE_ASM_FP 0
#endif

#endif /* THIMBLE_TYPES_H */
