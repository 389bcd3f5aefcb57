/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Console and exit by semihosting (Arm's "Semihosting for AArch32 and AArch64"): for an emulator
 * or a debugger, which must be attached.
 */
#include "board.h"

#include <string.h>

static uintptr_t semihost(uintptr_t operation, uintptr_t argument) {
  register uintptr_t r0 __asm__("r0") = operation;
  register uintptr_t r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

/* SYS_WRITE0 takes a terminated string: text goes through a small buffer, not byte by byte. */
void board_write(const char *text, size_t length) {
  char part[65];
  while (length) {
    size_t now = length < sizeof part - 1 ? length : sizeof part - 1;
    memcpy(part, text, now);
    part[now] = 0;
    semihost(0x04, (uintptr_t)part);
    text += now;
    length -= now;
  }
}

__attribute__((noreturn)) void board_exit(int status) {
  uintptr_t block[2] = {0x20026 /* application exit */, (uintptr_t)status};
  semihost(0x20 /* SYS_EXIT_EXTENDED */, (uintptr_t)block);
  for (;;)
    __asm__ volatile("wfi");
}
