/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * The FPGA image sets its clocks itself; the console is semihosting.
 */
#include "board.h"

uint32_t board_clock_hz = 25000000;

void board_init(void) {}
