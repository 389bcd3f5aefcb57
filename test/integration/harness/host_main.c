/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Runs a test case on the host and prints every output as a line of hex digits. Meant to be built
 * with sanitizers: each region is a heap block of exactly the stated size.
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

static int accepts(const char *what) {
  printf("init accepts %s\n", what);
  return 6;
}

/* 0 if every call of init with something wrong is refused; 6 otherwise. */
static int check_refusals(const struct test_case *c, char *const *regions) {
  if (c->init(NULL) >= 0 || c->init_regions(NULL) >= 0)
    return accepts("a null arena");
  if (c->arena_align > 1 && c->init(regions[0] + 1) >= 0)
    return accepts("a misaligned arena");
  if (c->num_regions > 1 && c->init(regions[0]) >= 0)
    return accepts("an arena without the other regions");
  for (unsigned r = 0; r < c->num_regions; ++r) {
    void *wrong[MOST_REGIONS];
    for (unsigned k = 0; k < c->num_regions; ++k)
      wrong[k] = regions[k];
    wrong[r] = NULL;
    if (c->init_regions(wrong) >= 0)
      return accepts("a null region");
    wrong[r] = regions[r] + 1;
    if (c->arena_align > 1 && c->init_regions(wrong) >= 0)
      return accepts("a misaligned region");
  }
  return 0;
}

int main(int argc, char **argv) {
  const struct test_case *c = test_cases[argc > 1 ? atoi(argv[1]) : 0];
  /* Aligned to what the model asks for and to no more: half a larger alignment. */
  size_t align = c->arena_align < 8 ? 8 : c->arena_align;
  char *blocks[MOST_REGIONS], *regions[MOST_REGIONS];
  for (unsigned r = 0; r < c->num_regions; ++r) {
    if (posix_memalign((void **)&blocks[r], 2 * align, align + c->region_bytes[r]))
      return 4;
    regions[r] = blocks[r] + align;
    memset(blocks[r], GUARD_BYTE, align + c->region_bytes[r]);
  }
  char *arena = regions[0];
  int refusals = check_refusals(c, regions);
  if (refusals)
    return refusals;
  if (c->num_regions > 1 ? c->init_regions((void *const *)regions) : c->init(arena))
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
  for (unsigned r = 0; r < c->num_regions; ++r) {
    for (size_t i = 0; i < align; ++i)
      if (blocks[r][i] != GUARD_BYTE)
        return 5;
    free(blocks[r]);
  }
  return 0;
}
