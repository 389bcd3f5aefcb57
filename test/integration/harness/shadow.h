/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * A shadow of the arena: for each byte, whether what runs now may read and write it, and whether it
 * holds anything. shadow.py writes the plan of a model into a unit that includes the model's C; it
 * is compiled with -fsanitize=thread, whose calls before each access shadow.c answers in place of
 * the sanitizer's library, and with -finstrument-functions, which says what runs.
 */
#ifndef THIMBLE_TEST_SHADOW_H
#define THIMBLE_TEST_SHADOW_H

#include <stddef.h>
#include <stdint.h>

enum {
  SHADOW_READ = 1,  /* may be read */
  SHADOW_WRITE = 2, /* may be written */
  SHADOW_FULL = 4,  /* has been written, by an earlier step or the caller */
};

/* Bytes [begin, end) of the arena. */
struct shadow_range {
  int32_t begin, end;
};

/* What is to happen next: a call of `function`, or without one a move of rows. */
struct shadow_event {
  const char *name;
  const void *function;
  int is_driver;           /* the function calls those of layers: more events happen within it */
  int32_t to, from, bytes; /* of a move: offsets in the arena, `from` -1 for rows of padding */
  /* The ends of its ranges in the plan's list, which has the ranges of one event after another:
   * bytes that have come to mean nothing since the last event, bytes that it may read, may write.
   */
  size_t freed, reads, writes;
};

struct shadow_plan {
  int32_t arena_bytes;
  const struct shadow_range *ranges;
  const struct shadow_event *events; /* the first is init's, then those of an inference */
  size_t num_events;
  const struct shadow_range *given, *results; /* full before and after an inference */
  size_t num_given, num_results;
};

/* Around the model's functions: what they call and touch is compared with the plan. */
void shadow_init(const struct shadow_plan *plan, void *arena);
void shadow_invoke(const struct shadow_plan *plan, void *arena);
void shadow_finish(void);

/* Around each move of rows; the first says whether there is anything to move. */
int shadow_move(const void *to, const void *from, int32_t bytes);
void shadow_moved(void);

#endif
