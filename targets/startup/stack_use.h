/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * How much stack a call takes: what lies below the caller's frame is painted before and searched
 * after for the lowest word that changed. Names of the linker's symbols are those of sections.ld.
 */
#ifndef THIMBLE_TARGETS_STACK_USE_H
#define THIMBLE_TARGETS_STACK_USE_H

#include <stdint.h>

extern uint32_t __stack_lo[];

enum { STACK_PAINT = 0x5aa5c33c };

/* Paints the free stack; its top is what stack_used wants. Inlined, so that it has no frame. */
__attribute__((always_inline)) static inline uint32_t *stack_paint(void) {
  uint32_t *top;
  __asm__ volatile("mov %0, sp" : "=r"(top));
  for (volatile uint32_t *word = __stack_lo; word < top; ++word)
    *word = STACK_PAINT;
  return top;
}

/* Bytes below `top` down to the lowest that were written since. */
static inline uint32_t stack_used(const uint32_t *top) {
  const uint32_t *lowest = __stack_lo;
  while (lowest < top && *lowest == STACK_PAINT)
    ++lowest;
  return (uint32_t)((const char *)top - (const char *)lowest);
}

#endif
