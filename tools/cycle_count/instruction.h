/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * What an instruction of the Cortex-M4F costs, by the instruction timing tables of its Technical
 * Reference Manual (Arm DDI 0439), sections 3.3 (core) and 7.2 (FPU). docs/Benchmark.md has the
 * rules as a table.
 */
#ifndef THIMBLE_TOOLS_CYCLE_COUNT_INSTRUCTION_H
#define THIMBLE_TOOLS_CYCLE_COUNT_INSTRUCTION_H

#include <stdint.h>

enum {
  /* Cycles to refill the pipeline after a taken branch: the manual says 1 to 3. */
  REFILL_CYCLES = 2,
  /* Of SDIV and UDIV: the manual says 2 to 12, by operand. */
  DIVIDE_CYCLES = 7
};

enum instruction_kind {
  OTHER,
  LOAD,          /* of one register, LDR to LDRSB: pairs with its like */
  STORE_INDEXED, /* STR Rt, [Rn, Rm]: hidden behind a load */
  BRANCH,        /* whatever may go elsewhere; ends a block */
  CALL           /* a branch that leaves a return address */
};

struct instruction {
  enum instruction_kind kind;
  unsigned bytes;
  /* By itself: operands ready, aligned, not taken. */
  unsigned cycles;
  /* Widest access that need not be aligned, in bytes; 0 where alignment costs nothing or is sure.
   */
  unsigned unaligned;
  /* It reads data memory. */
  int reads;
  /* Core registers by bit: what a load writes, and what an address comes from. */
  uint32_t loaded, address;
  /* S registers by bit that an FPU instruction writes and reads. */
  uint32_t floatWritten, floatRead;
};

/* The instruction whose halfwords begin at `code`; the second is only read where there is one. */
struct instruction decode(const uint16_t *code);

/* Cycles that `next` costs right after `previous`. */
unsigned cycles_after(const struct instruction *previous, const struct instruction *next);

/* 1 if the instruction has a second halfword. */
static inline int is_wide(uint16_t first) { return first >= 0xE800; }

#endif
