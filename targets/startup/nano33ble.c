/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * nRF52840 on the Arduino Nano 33 BLE (register names of Nordic's product specification): the core
 * always runs at 64 MHz; the crystal makes it accurate enough for a UART over the whole range of
 * temperature. Console: UART0 on P1.03, 115,200 baud.
 */
#include "board.h"

#define CLOCK_TASKS_HFCLKSTART BOARD_REGISTER(0x40000000u)
#define CLOCK_EVENTS_HFCLKSTARTED BOARD_REGISTER(0x40000100u)
#define NVMC_ICACHECNF BOARD_REGISTER(0x4001E540u)
#define UART_TASKS_STARTTX BOARD_REGISTER(0x40002008u)
#define UART_EVENTS_TXDRDY BOARD_REGISTER(0x4000211Cu)
#define UART_ENABLE BOARD_REGISTER(0x40002500u)
#define UART_PSELTXD BOARD_REGISTER(0x4000250Cu)
#define UART_TXD BOARD_REGISTER(0x4000251Cu)
#define UART_BAUDRATE BOARD_REGISTER(0x40002524u)
#define P1_DIRSET BOARD_REGISTER(0x50000818u)
#define P1_OUTSET BOARD_REGISTER(0x50000808u)

uint32_t board_clock_hz = 64000000;

void board_init(void) {
  NVMC_ICACHECNF = 1;
  CLOCK_EVENTS_HFCLKSTARTED = 0;
  CLOCK_TASKS_HFCLKSTART = 1;
  board_wait(&CLOCK_EVENTS_HFCLKSTARTED, 1, 1);
  /* The pin idles high before the UART takes it. */
  P1_OUTSET = 1u << 3;
  P1_DIRSET = 1u << 3;
  UART_PSELTXD = 1u << 5 | 3u;
  UART_BAUDRATE = 0x01D7E000u;
  UART_ENABLE = 4;
  UART_TASKS_STARTTX = 1;
}

void board_write(const char *text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    UART_EVENTS_TXDRDY = 0;
    UART_TXD = (unsigned char)text[i];
    board_wait(&UART_EVENTS_TXDRDY, 1, 1);
  }
}

__attribute__((noreturn)) void board_exit(int status) {
  (void)status;
  for (;;)
    __asm__ volatile("wfi");
}
