/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
/* Moves of rows between tensors and rings. A library's memmove may go byte by byte. */
#ifndef THIMBLE_ROWS_H
#define THIMBLE_ROWS_H

#include "thimble_dsp.h"

/* Keeps compilers from making a call of the library out of a loop. */
#if defined(__GNUC__)
#define THIMBLE_KEEP_LOOP() __asm__ volatile("" ::: "memory")
#else
#define THIMBLE_KEEP_LOOP() ((void)0)
#endif

/* Copies `bytes` bytes; `to` is below `from` or does not overlap with it. */
THIMBLE_RT_LARGE void thimble_copy_rows(int8_t *to, const int8_t *from, int32_t bytes) {
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) {
    const uint32_t a = thimble_load_u32(from), b = thimble_load_u32(from + 4);
    const uint32_t c = thimble_load_u32(from + 8), d = thimble_load_u32(from + 12);
    thimble_store_u32(to, a);
    thimble_store_u32(to + 4, b);
    thimble_store_u32(to + 8, c);
    thimble_store_u32(to + 12, d);
    THIMBLE_KEEP_LOOP();
  }
  for (; bytes > 0; --bytes) {
    *to++ = *from++;
    THIMBLE_KEEP_LOOP();
  }
}

THIMBLE_RT_LARGE void thimble_fill_rows(int8_t *to, int32_t value, int32_t bytes) {
  for (; bytes > 0; --bytes) {
    *to++ = (int8_t)value;
    THIMBLE_KEEP_LOOP();
  }
}

#endif /* THIMBLE_ROWS_H */
