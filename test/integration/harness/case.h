/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * One compiled model with the samples to run it on: what the generated glue of a test tells the
 * test programs host_main.c and device_main.c.
 */
#ifndef THIMBLE_TEST_CASE_H
#define THIMBLE_TEST_CASE_H

#include <stddef.h>

struct test_case {
  unsigned num_regions;
  const size_t *region_bytes; /* the first is the arena */
  size_t arena_align;
  int (*init)(void *arena);
  int (*init_regions)(void *const *regions);
  int (*invoke)(void *arena);
  unsigned num_inputs;
  unsigned num_outputs;
  unsigned num_samples;
  void *(*const *inputs)(void *arena);
  const void *(*const *outputs)(const void *arena);
  const size_t *input_bytes;
  const size_t *output_bytes;
  const unsigned char *data;   /* the samples' inputs, one after another */
  void *const *device_regions; /* with GUARD bytes before and after; null on the host */
};

enum { MOST_REGIONS = 8 };

enum { GUARD = 64, GUARD_BYTE = 0x5a };

/* The host links several models into one program, to save time: argv[1] chooses. */
extern const struct test_case *const test_cases[];

#endif
