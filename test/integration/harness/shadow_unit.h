/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * What a unit of shadow.py includes before the model's C: its moves of rows and its calls of the
 * library, a compiler's own among them, go through shadow.c.
 */
#ifndef THIMBLE_TEST_SHADOW_UNIT_H
#define THIMBLE_TEST_SHADOW_UNIT_H

#include "shadow.h"

void *memcpy(void *to, const void *from, size_t bytes) __asm__("shadow_memcpy");
void *memmove(void *to, const void *from, size_t bytes) __asm__("shadow_memmove");
void *memset(void *to, int value, size_t bytes) __asm__("shadow_memset");

#include "thimble_rows.h"

static inline void shadow_copy_rows(int8_t *to, const int8_t *from, int32_t bytes) {
  if (!shadow_move(to, from, bytes))
    return;
  thimble_copy_rows(to, from, bytes);
  shadow_moved();
}

static inline void shadow_fill_rows(int8_t *to, int32_t value, int32_t bytes) {
  if (!shadow_move(to, NULL, bytes))
    return;
  thimble_fill_rows(to, value, bytes);
  shadow_moved();
}

#define thimble_copy_rows shadow_copy_rows
#define thimble_fill_rows shadow_fill_rows

/* The model's function under its own name: `function` between what `begin` and shadow_finish do. */
#define SHADOW_FUNCTION(name, begin, function)                                                     \
  __attribute__((no_instrument_function, no_sanitize("thread"))) int name(void *arena) {           \
    begin(&plan, arena);                                                                           \
    const int status = function(arena);                                                            \
    shadow_finish();                                                                               \
    return status;                                                                                 \
  }

#endif
