/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Draws a sine wave with a network: the console shows a bar a step. */
#include "board.h"
#include "sine.h"

static _Alignas(SINE_ARENA_ALIGN) uint8_t arena[SINE_ARENA_BYTES];

int main(void) {
  if (sine_init(arena))
    return 1;
  for (int step = -128; step < 128; step += 8) {
    *sine_input_0(arena) = (int8_t)step;
    if (sine_invoke(arena))
      return 2;
    /* One column is 8 steps of the output. */
    int column = (*sine_output_0(arena) + 128) / 8;
    for (int i = 0; i < column; ++i)
      board_write(" ", 1);
    board_write("*\r\n", 3);
  }
  return 0;
}
