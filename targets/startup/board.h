/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * What a board's support file provides to start-up and examples.
 */
#ifndef THIMBLE_TARGETS_BOARD_H
#define THIMBLE_TARGETS_BOARD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Core clock in Hz after board_init: what the part really runs at, be it that an oscillator did
 * not start. */
extern uint32_t board_clock_hz;

/* Bring clocks, flash wait states and console up. Every poll of a hardware flag gives up after a
 * bounded number of tries: the board then runs on its reset clock. */
void board_init(void);

/* Send text to the console. */
void board_write(const char *text, size_t length);

/* Leave: the exit status of the emulator; on a board without one, sleep forever. */
__attribute__((noreturn)) void board_exit(int status);

/* True once (*address & mask) == value; false after a bounded number of tries. */
static inline int board_wait(volatile const uint32_t *address, uint32_t mask, uint32_t value) {
  for (uint32_t tries = 0; tries < 100000u; ++tries)
    if ((*address & mask) == value)
      return 1;
  return 0;
}

#define BOARD_REGISTER(address) (*(volatile uint32_t *)(address))

#ifdef __cplusplus
}
#endif

#endif
