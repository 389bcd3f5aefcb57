/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * STM32F405, F407 and F429: 168 MHz from the crystal, or from the internal oscillator where the
 * board has none that is known (register names of ST's RM0090). With THIMBLE_CONSOLE_UART, USART2
 * on PA2 at 115,200 baud, with THIMBLE_CONSOLE_UART1 USART1 on PA9. With THIMBLE_SDRAM, external
 * memory.
 */
#include "board.h"

#define RCC_CR BOARD_REGISTER(0x40023800u)
#define RCC_PLLCFGR BOARD_REGISTER(0x40023804u)
#define RCC_CFGR BOARD_REGISTER(0x40023808u)
#define RCC_AHB1ENR BOARD_REGISTER(0x40023830u)
#define RCC_APB1ENR BOARD_REGISTER(0x40023840u)
#define PWR_CR BOARD_REGISTER(0x40007000u)
#define FLASH_ACR BOARD_REGISTER(0x40023C00u)
#define GPIOA_MODER BOARD_REGISTER(0x40020000u)
#define GPIOA_AFRL BOARD_REGISTER(0x40020020u)
#define GPIOA_AFRH BOARD_REGISTER(0x40020024u)
#define RCC_APB2ENR BOARD_REGISTER(0x40023844u)
#ifdef THIMBLE_CONSOLE_UART1
#define USART_SR BOARD_REGISTER(0x40011000u)
#define USART_DR BOARD_REGISTER(0x40011004u)
#define USART_BRR BOARD_REGISTER(0x40011008u)
#define USART_CR1 BOARD_REGISTER(0x4001100Cu)
#else
#define USART_SR BOARD_REGISTER(0x40004400u)
#define USART_DR BOARD_REGISTER(0x40004404u)
#define USART_BRR BOARD_REGISTER(0x40004408u)
#define USART_CR1 BOARD_REGISTER(0x4000440Cu)
#endif
#if defined(THIMBLE_CONSOLE_UART) || defined(THIMBLE_CONSOLE_UART1)
#define CONSOLE_IS_UART 1
#endif

enum { HSION = 1u << 0, HSIRDY = 1u << 1, HSEON = 1u << 16, HSERDY = 1u << 17 };
enum { PLLON = 1u << 24, PLLRDY = 1u << 25, PLLSRC_HSE = 1u << 22 };

/* The internal oscillator, what the part starts on. */
uint32_t board_clock_hz = 16000000;

/* True if the core runs from the PLL at 168 MHz. */
static int startPll(void) {
  uint32_t source = 0;
  uint32_t divider = 16; /* HSI: 16 MHz / 16 */
#ifdef THIMBLE_HSE_MHZ
  RCC_CR |= HSEON;
  if (board_wait(&RCC_CR, HSERDY, HSERDY)) {
    source = PLLSRC_HSE;
    divider = THIMBLE_HSE_MHZ;
  }
#endif
  RCC_APB1ENR |= 1u << 28; /* PWR */
  PWR_CR |= 1u << 14;      /* voltage scale 1: needed above 144 MHz */
  /* 1 MHz * 336 / 2 = 168 MHz; / 7 = 48 MHz for USB. */
  RCC_PLLCFGR = divider | 336u << 6 | 0u << 16 | source | 7u << 24;
  RCC_CR |= PLLON;
  if (!board_wait(&RCC_CR, PLLRDY, PLLRDY))
    return 0;
  /* 5 wait states, prefetch, instruction and data cache, before the clock rises. */
  FLASH_ACR = 5u | 1u << 8 | 1u << 9 | 1u << 10;
  if (!board_wait(&FLASH_ACR, 0xFu, 5u))
    return 0;
  /* APB1 = 42 MHz, APB2 = 84 MHz, then the PLL. */
  RCC_CFGR = 5u << 10 | 4u << 13;
  RCC_CFGR |= 2u;
  return board_wait(&RCC_CFGR, 3u << 2, 2u << 2);
}

#ifdef CONSOLE_IS_UART
static void startConsole(int fast) {
  RCC_AHB1ENR |= 1u << 0; /* GPIOA */
#ifdef THIMBLE_CONSOLE_UART1
  RCC_APB2ENR |= 1u << 4; /* USART1 */
  GPIOA_MODER = (GPIOA_MODER & ~(3u << 18)) | 2u << 18;
  GPIOA_AFRH = (GPIOA_AFRH & ~(0xFu << 4)) | 7u << 4;
  uint32_t clock = fast ? board_clock_hz / 2 : board_clock_hz;
#else
  RCC_APB1ENR |= 1u << 17; /* USART2 */
  GPIOA_MODER = (GPIOA_MODER & ~(3u << 4)) | 2u << 4;
  GPIOA_AFRL = (GPIOA_AFRL & ~(0xFu << 8)) | 7u << 8;
  uint32_t clock = fast ? board_clock_hz / 4 : board_clock_hz;
#endif
  USART_BRR = (clock + 57600u) / 115200u;
  USART_CR1 = 1u << 13 | 1u << 3;
}
#endif

#ifdef THIMBLE_SDRAM
void sdram_init(void);
#endif

void board_init(void) {
  int fast = startPll();
  if (fast)
    board_clock_hz = 168000000;
#ifdef CONSOLE_IS_UART
  startConsole(fast);
#endif
#ifdef THIMBLE_SDRAM
  sdram_init();
#endif
}

#ifdef CONSOLE_IS_UART
void board_write(const char *text, size_t length) {
  for (size_t i = 0; i < length; ++i) {
    board_wait(&USART_SR, 1u << 7, 1u << 7);
    USART_DR = (unsigned char)text[i];
  }
}

__attribute__((noreturn)) void board_exit(int status) {
  (void)status;
  for (;;)
    __asm__ volatile("wfi");
}
#endif
