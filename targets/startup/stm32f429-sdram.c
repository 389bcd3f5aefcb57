/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * The 64 Mbit of SDRAM (IS42S16400J) on bank 2 of the STM32F429's FMC, at half of 168 MHz (register
 * names of ST's RM0090, FMC, SDRAM controller).
 */
#include "board.h"

#define RCC_AHB1ENR BOARD_REGISTER(0x40023830u)
#define RCC_AHB3ENR BOARD_REGISTER(0x40023838u)
#define RCC_APB2ENR BOARD_REGISTER(0x40023844u)
#define SYSCFG_MEMRMP BOARD_REGISTER(0x40013800u)
#define FMC_SDCR1 BOARD_REGISTER(0xA0000140u)
#define FMC_SDCR2 BOARD_REGISTER(0xA0000144u)
#define FMC_SDTR1 BOARD_REGISTER(0xA0000148u)
#define FMC_SDTR2 BOARD_REGISTER(0xA000014Cu)
#define FMC_SDCMR BOARD_REGISTER(0xA0000150u)
#define FMC_SDRTR BOARD_REGISTER(0xA0000154u)
#define FMC_SDSR BOARD_REGISTER(0xA0000158u)

enum { CLOCK_ENABLE = 1, PRECHARGE_ALL = 2, AUTO_REFRESH = 3, LOAD_MODE = 4 };
enum { BANK_2 = 1u << 3, REFRESHES = 5, MODE = 9, BUSY = 1u << 5 };

/* Pins of a port, a bit each, become the FMC's: alternate function 12 at 50 MHz. */
static void usePins(uint32_t port, uint32_t pins) {
  for (uint32_t pin = 0; pin < 16; ++pin) {
    if (!(pins >> pin & 1))
      continue;
    volatile uint32_t *registers = (volatile uint32_t *)port;
    uint32_t twice = 2 * pin, four = 4 * (pin % 8);
    registers[8 + pin / 8] = (registers[8 + pin / 8] & ~(0xFu << four)) | 12u << four; /* AFR */
    registers[0] = (registers[0] & ~(3u << twice)) | 2u << twice;                      /* MODER */
    registers[2] = (registers[2] & ~(3u << twice)) | 2u << twice;                      /* OSPEEDR */
  }
}

static void command(uint32_t what) {
  board_wait(&FMC_SDSR, BUSY, 0);
  FMC_SDCMR = what | BANK_2;
}

void sdram_init(void);
void sdram_init(void) {
  RCC_AHB1ENR |= 0x7Eu;          /* GPIOB to GPIOG */
  RCC_AHB3ENR |= 1u;             /* FMC */
  RCC_APB2ENR |= 1u << 14;       /* SYSCFG */
  usePins(0x40020400u, 0x0060u); /* B: SDCKE1, SDNE1 */
  usePins(0x40020800u, 0x0001u); /* C: SDNWE */
  usePins(0x40020C00u, 0xC703u); /* D: data */
  usePins(0x40021000u, 0xFF83u); /* E: byte lanes, data */
  usePins(0x40021400u, 0xF83Fu); /* F: addresses, SDNRAS */
  usePins(0x40021800u, 0x8133u); /* G: addresses, banks, SDCLK, SDNCAS */

  /* Half the core's clock and one cycle of the read pipe are set for both banks in the first. */
  FMC_SDCR1 = 2u << 10 | 1u << 13;
  /* 8 bits of columns, 12 of rows, 16 of data, 4 banks, CAS latency 3. */
  FMC_SDCR2 = 1u << 2 | 1u << 4 | 1u << 6 | 3u << 7;
  /* Cycles less one. Of both banks: row cycle 7, row precharge 2. */
  FMC_SDTR1 = 6u << 12 | 1u << 20;
  /* Mode register 2, exit of self-refresh 7, self-refresh 4, write recovery 2, row to column 2. */
  FMC_SDTR2 = 1u | 6u << 4 | 3u << 8 | 1u << 16 | 1u << 24;

  command(CLOCK_ENABLE);
  for (volatile uint32_t wait = 0; wait < 168u * 100u; ++wait) /* at least 100 us */
    ;
  command(PRECHARGE_ALL);
  command(AUTO_REFRESH | 3u << REFRESHES);
  command(LOAD_MODE | 0x230u << MODE); /* single words, CAS latency 3 */
  /* 4096 rows in 64 ms at 84 MHz, 20 cycles early. */
  board_wait(&FMC_SDSR, BUSY, 0);
  FMC_SDRTR = 1292u << 1;
  /* Banks 1 and 2 change places with NAND: the core treats the memory at 0x90000000 as memory. */
  SYSCFG_MEMRMP = (SYSCFG_MEMRMP & ~(3u << 10)) | 1u << 10;
}
