/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Start-up of any Cortex-M4: vector table, FPU, data and bss, clocks, main. Names of the linker's
 * symbols are those of sections.ld.
 */
#include "board.h"

#include <stddef.h>
#include <stdint.h>

extern uint32_t __data_lo[], __data_hi[], __data_load[], __bss_lo[], __bss_hi[];
extern void (*__init_array_lo[])(void);
extern void (*__init_array_hi[])(void);
extern uint32_t __stack_hi[];

int main(void);
__attribute__((noreturn)) void reset_handler(void);
__attribute__((noreturn)) void fault_handler(void);

/* The copies go through volatile so that the compiler does not turn them into calls of memcpy and
 * memset: a firmware may keep those in RAM, which is not filled yet. */
__attribute__((noreturn)) void reset_handler(void) {
  /* Full access to coprocessors 10 and 11, the FPU: CPACR in the System Control Block. */
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
  /* A boot loader may have left its own table in place. */
  extern const void *const vectors[];
  *(const void *volatile *)0xE000ED08u = (const void *)vectors;
  __asm__ volatile("dsb\n\tisb" ::: "memory");

  const uint32_t *from = __data_load;
  for (volatile uint32_t *to = __data_lo; to < __data_hi; ++to)
    *to = *from++;
  for (volatile uint32_t *to = __bss_lo; to < __bss_hi; ++to)
    *to = 0;

  board_init();
  for (void (**function)(void) = __init_array_lo; function < __init_array_hi; ++function)
    (*function)();
  board_exit(main());
}

__attribute__((noreturn)) void fault_handler(void) {
  board_write("fault\r\n", 7);
  board_exit(70);
}

/* System exceptions only: no peripheral interrupt is ever enabled here. */
__attribute__((section(".vectors"), used)) const void *const vectors[16] = {
    __stack_hi,
    (const void *)reset_handler,
    (const void *)fault_handler, /* NMI */
    (const void *)fault_handler, /* HardFault */
    (const void *)fault_handler, /* MemManage */
    (const void *)fault_handler, /* BusFault */
    (const void *)fault_handler, /* UsageFault */
    NULL,
    NULL,
    NULL,
    NULL,
    (const void *)fault_handler, /* SVCall */
    (const void *)fault_handler, /* DebugMonitor */
    NULL,
    (const void *)fault_handler, /* PendSV */
    (const void *)fault_handler, /* SysTick */
};
