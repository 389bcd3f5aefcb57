/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * STM32L4R5: 120 MHz from the internal 16 MHz oscillator (register names of ST's RM0432). Console:
 * LPUART1 on PG7, the debugger's virtual serial port, 115,200 baud.
 */
#include "board.h"

#define RCC_CR BOARD_REGISTER(0x40021000u)
#define RCC_CFGR BOARD_REGISTER(0x40021008u)
#define RCC_PLLCFGR BOARD_REGISTER(0x4002100Cu)
#define RCC_AHB2ENR BOARD_REGISTER(0x4002104Cu)
#define RCC_APB1ENR1 BOARD_REGISTER(0x40021058u)
#define RCC_APB1ENR2 BOARD_REGISTER(0x4002105Cu)
#define FLASH_ACR BOARD_REGISTER(0x40022000u)
#define PWR_CR2 BOARD_REGISTER(0x40007004u)
#define PWR_CR5 BOARD_REGISTER(0x40007080u)
#define GPIOG_MODER BOARD_REGISTER(0x48001800u)
#define GPIOG_AFRL BOARD_REGISTER(0x48001820u)
#define LPUART1_CR1 BOARD_REGISTER(0x40008000u)
#define LPUART1_BRR BOARD_REGISTER(0x4000800Cu)
#define LPUART1_ISR BOARD_REGISTER(0x4000801Cu)
#define LPUART1_TDR BOARD_REGISTER(0x40008028u)

enum { HSION = 1u << 8, HSIRDY = 1u << 10, PLLON = 1u << 24, PLLRDY = 1u << 25 };

/* The multi-speed oscillator, what the part starts on. */
uint32_t board_clock_hz = 4000000;

/* True if the core runs from the PLL at 120 MHz. */
static int startPll(void) {
  RCC_APB1ENR1 |= 1u << 28; /* PWR */
  (void)RCC_APB1ENR1;
  PWR_CR5 &= ~(1u << 8); /* range 1 boost: needed above 80 MHz */
  RCC_CR |= HSION;
  if (!board_wait(&RCC_CR, HSIRDY, HSIRDY))
    return 0;
  /* 16 MHz / 2 * 30 / 2 = 120 MHz. */
  RCC_PLLCFGR = 2u | 1u << 4 | 30u << 8 | 1u << 24;
  RCC_CR |= PLLON;
  if (!board_wait(&RCC_CR, PLLRDY, PLLRDY))
    return 0;
  /* 5 wait states, prefetch and both caches, before the clock rises. */
  FLASH_ACR = 5u | 1u << 8 | 1u << 9 | 1u << 10;
  if (!board_wait(&FLASH_ACR, 0xFu, 5u))
    return 0;
  /* Above 80 MHz the manual wants a stop at half speed, for 1 us at least. */
  RCC_CFGR = 8u << 4;
  RCC_CFGR |= 3u;
  if (!board_wait(&RCC_CFGR, 3u << 2, 3u << 2))
    return 0;
  for (volatile int i = 0; i < 100; ++i) {
  }
  RCC_CFGR &= ~(0xFu << 4);
  return 1;
}

void board_init(void) {
  if (startPll())
    board_clock_hz = 120000000;
  PWR_CR2 |= 1u << 9;      /* port G has a supply of its own */
  RCC_AHB2ENR |= 1u << 6;  /* GPIOG */
  RCC_APB1ENR2 |= 1u << 0; /* LPUART1 */
  GPIOG_MODER = (GPIOG_MODER & ~(3u << 14)) | 2u << 14;
  GPIOG_AFRL = (GPIOG_AFRL & ~(0xFu << 28)) | 8u << 28;
  /* clock * 256 / 115200 */
  LPUART1_BRR = (board_clock_hz + 225u) / 450u;
  LPUART1_CR1 = 1u << 3 | 1u << 0;
}

void board_write(const char *text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    board_wait(&LPUART1_ISR, 1u << 7, 1u << 7);
    LPUART1_TDR = (unsigned char)text[i];
  }
}

__attribute__((noreturn)) void board_exit(int status) {
  (void)status;
  for (;;)
    __asm__ volatile("wfi");
}
