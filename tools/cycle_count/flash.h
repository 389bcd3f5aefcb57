/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * How long the core waits for its flash: a simple model of the accelerators that microcontrollers
 * put in front of it. Flash is read in lines. A line in the cache of its kind (instructions, data)
 * costs nothing, any other the wait states. With prefetch the line that follows the last one is
 * read while that one executes, in a cycle for each word at least. Caches are fully associative and
 * replace the line that was used longest ago.
 */
#ifndef THIMBLE_TOOLS_CYCLE_COUNT_FLASH_H
#define THIMBLE_TOOLS_CYCLE_COUNT_FLASH_H

#include <stdint.h>

enum { MOST_LINES = 1024 };

struct flash_cache {
  unsigned lines;
  uint32_t recent[MOST_LINES]; /* line numbers, the last used first */
  unsigned used;
};

struct flash {
  uint32_t begin, end; /* addresses */
  unsigned wait;       /* wait states; 0 turns the model off */
  unsigned lineBytes;
  int prefetch;
  struct flash_cache instructions, data;
};

/* Cycles waited for the instructions in [begin, end). */
unsigned flash_fetch(struct flash *flash, uint32_t begin, uint32_t end);
/* Cycles waited for the datum at `address`. */
unsigned flash_read(struct flash *flash, uint32_t address);

#endif
