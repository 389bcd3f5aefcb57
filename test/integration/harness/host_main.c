/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Runs a test case on the host and prints every output as a line of hex digits. Meant to be built
 * with sanitizers: the arena is a heap block of exactly the stated size.
 */
#define _POSIX_C_SOURCE 200809L
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_outputs(const struct test_case *c, const void *arena) {
  for (unsigned k = 0; k < c->num_outputs; ++k) {
    const unsigned char *bytes = c->outputs[k](arena);
    printf("out ");
    for (size_t i = 0; i < c->output_bytes[k]; ++i)
      printf("%02x", bytes[i]);
    printf("\n");
  }
}

int main(int argc, char **argv) {
  const struct test_case *c = test_cases[argc > 1 ? atoi(argv[1]) : 0];
  /* Aligned to what the model asks for and to no more: half a larger alignment. */
  size_t align = c->arena_align < 8 ? 8 : c->arena_align;
  char *block;
  if (posix_memalign((void **)&block, 2 * align, align + c->arena_bytes))
    return 4;
  char *arena = block + align;
  memset(block, GUARD_BYTE, align + c->arena_bytes);

  if (c->init(NULL) >= 0) {
    printf("init accepts a null arena\n");
    return 6;
  }
  if (c->arena_align > 1 && c->init(arena + 1) >= 0) {
    printf("init accepts a misaligned arena\n");
    return 6;
  }
  if (c->init(arena))
    return 2;
  /* The first sample runs again at the end: an invoke may leave nothing behind. */
  for (unsigned s = 0; s <= c->num_samples; ++s) {
    const unsigned char *data = c->data;
    for (unsigned skip = 0; skip < s % c->num_samples; ++skip)
      for (unsigned k = 0; k < c->num_inputs; ++k)
        data += c->input_bytes[k];
    for (unsigned k = 0; k < c->num_inputs; ++k) {
      memcpy(c->inputs[k](arena), data, c->input_bytes[k]);
      data += c->input_bytes[k];
    }
    if (c->invoke(arena))
      return 3;
    print_outputs(c, arena);
  }
  for (size_t i = 0; i < align; ++i)
    if (block[i] != GUARD_BYTE)
      return 5;
  free(block);
  return 0;
}
