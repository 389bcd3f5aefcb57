/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Keyword spotting on a bare board: runs MLPerf Tiny's model on one second of speech and says which
 * word it heard, beside what the reference says.
 */
#include "board.h"
#include "kws.h"
#include "sample.h"

#include <stdint.h>
#include <string.h>

/* The model's order of classes: MLCommons tiny, benchmark/training/keyword_spotting. */
static const char *const words[KWS_OUTPUT_0_ELEMENTS] = {
    "down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "(silence)", "(unknown)"};

static _Alignas(KWS_ARENA_ALIGN) uint8_t arena[KWS_ARENA_BYTES];

static void print(const char *text) { board_write(text, strlen(text)); }

static void print_number(uint32_t value) {
  char digits[10];
  size_t first = sizeof digits;
  do {
    digits[--first] = (char)('0' + value % 10u);
    value /= 10u;
  } while (value);
  board_write(digits + first, sizeof digits - first);
}

static size_t best(const int8_t *scores) {
  size_t at = 0;
  for (size_t i = 1; i < KWS_OUTPUT_0_ELEMENTS; ++i)
    if (scores[i] > scores[at])
      at = i;
  return at;
}

static void report(const char *who, const int8_t *scores) {
  size_t word = best(scores);
  print(who);
  print(words[word]);
  print(", ");
  print_number(((uint32_t)(scores[word] + 128) * 100u + 128u) / 256u);
  print(" %\r\n");
}

int main(void) {
  if (kws_init(arena)) {
    print("kws_init failed\r\n");
    return 2;
  }
  memcpy(kws_input_0(arena), sample_input, sizeof sample_input);
  if (kws_invoke(arena)) {
    print("kws_invoke failed\r\n");
    return 3;
  }
  const int8_t *scores = kws_output_0(arena);
  report("spotted:   ", scores);
  report("reference: ", sample_reference);
  if (memcmp(scores, sample_reference, sizeof sample_reference)) {
    print("the outputs differ\r\n");
    return 1;
  }
  print("all outputs equal\r\n");
  return 0;
}
