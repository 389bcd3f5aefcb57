/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 */
#include "flash.h"

#include <string.h>

/* Moves `line` to the front. Returns 1 if it was there. Without a cache the last line is still in
 * the buffer that it was read into. */
static int use(struct flash_cache *cache, uint32_t line) {
  unsigned capacity = cache->lines ? cache->lines : 1;
  unsigned at = 0;
  while (at < cache->used && cache->recent[at] != line)
    ++at;
  int found = at < cache->used;
  if (!found && cache->used < capacity)
    ++cache->used;
  else if (!found)
    --at; /* the line used longest ago goes */
  memmove(cache->recent + 1, cache->recent, at * sizeof *cache->recent);
  cache->recent[0] = line;
  return found;
}

static int holds(const struct flash *flash, uint32_t address) {
  return flash->wait && address >= flash->begin && address < flash->end;
}

unsigned flash_fetch(struct flash *flash, uint32_t begin, uint32_t end) {
  if (!holds(flash, begin))
    return 0;
  struct flash_cache *cache = &flash->instructions;
  unsigned hidden = flash->lineBytes / 4, waited = 0;
  for (uint32_t line = begin / flash->lineBytes; line <= (end - 1) / flash->lineBytes; ++line) {
    int next = flash->prefetch && cache->used && line == cache->recent[0] + 1;
    if (use(cache, line))
      continue;
    unsigned left = hidden < flash->wait ? flash->wait - hidden : 0;
    waited += next ? left : flash->wait;
  }
  return waited;
}

unsigned flash_read(struct flash *flash, uint32_t address) {
  if (!holds(flash, address) || use(&flash->data, address / flash->lineBytes))
    return 0;
  return flash->wait;
}
