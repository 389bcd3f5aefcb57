/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Runs a test case on a board and prints, besides every output in hex, the peak stack of the
 * deepest invoke.
 */
#include "board.h"
#include "case.h"
#include "stack_use.h"

#include <stdint.h>
#include <string.h>

static void print(const char *text) { board_write(text, strlen(text)); }

static void print_hex(const unsigned char *bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  char line[64];
  size_t used = 0;
  for (size_t i = 0; i < count; ++i) {
    line[used++] = digits[bytes[i] >> 4];
    line[used++] = digits[bytes[i] & 15];
    if (used == sizeof line || i + 1 == count) {
      board_write(line, used);
      used = 0;
    }
  }
  print("\n");
}

/* Returns invoke's status; *peak is raised to the bytes of stack that it used. */
__attribute__((noinline)) static int invoke(const struct test_case *c, uint32_t *peak) {
  const uint32_t *top = stack_paint();
  int status = c->invoke(c->device_regions[0]);
  uint32_t used = stack_used(top);
  if (used > *peak)
    *peak = used;
  return status;
}

int main(void) {
  const struct test_case *c = test_cases[0];
  unsigned char *arena = c->device_regions[0];
  uint32_t peak = 0;
  for (unsigned r = 0; r < c->num_regions; ++r)
    memset((unsigned char *)c->device_regions[r] - GUARD, GUARD_BYTE,
           c->region_bytes[r] + 2 * GUARD);
  if (c->num_regions > 1 ? c->init_regions(c->device_regions) : c->init(arena))
    return 2;
  for (unsigned s = 0; s <= c->num_samples; ++s) {
    const unsigned char *data = c->data;
    for (unsigned skip = 0; skip < s % c->num_samples; ++skip)
      for (unsigned k = 0; k < c->num_inputs; ++k)
        data += c->input_bytes[k];
    for (unsigned k = 0; k < c->num_inputs; ++k) {
      memcpy(c->inputs[k](arena), data, c->input_bytes[k]);
      data += c->input_bytes[k];
    }
    if (invoke(c, &peak))
      return 3;
    for (unsigned k = 0; k < c->num_outputs; ++k) {
      print("out ");
      print_hex(c->outputs[k](arena), c->output_bytes[k]);
    }
  }
  for (unsigned r = 0; r < c->num_regions; ++r) {
    const unsigned char *region = c->device_regions[r];
    for (size_t i = 0; i < GUARD; ++i)
      if (region[-1 - (int)i] != GUARD_BYTE || region[c->region_bytes[r] + i] != GUARD_BYTE)
        return 5;
  }
  unsigned char bytes[4] = {(unsigned char)(peak >> 24), (unsigned char)(peak >> 16),
                            (unsigned char)(peak >> 8), (unsigned char)peak};
  print("stack ");
  print_hex(bytes, 4);
  return 0;
}
