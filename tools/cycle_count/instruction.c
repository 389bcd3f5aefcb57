/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * Decoding follows the encoding tables of the ARMv7-M Architecture Reference Manual (Arm DDI 0403),
 * chapter A5, as far as costs differ.
 */
#include "instruction.h"

enum { SP = 13, PC = 15 };

static unsigned bits(unsigned word, unsigned high, unsigned low) {
  return word >> low & ((1u << (high - low + 1)) - 1);
}

static uint32_t bit(unsigned reg) { return UINT32_C(1) << reg; }

static unsigned count(uint32_t registers) {
  unsigned n = 0;
  for (; registers; registers &= registers - 1)
    ++n;
  return n;
}

static struct instruction plain(unsigned bytes, unsigned cycles) {
  return (struct instruction){.kind = OTHER, .bytes = bytes, .cycles = cycles};
}

static struct instruction branch(unsigned bytes, enum instruction_kind kind) {
  struct instruction result = plain(bytes, 1);
  result.kind = kind;
  return result;
}

/* LDR and narrower. `offset` is the immediate, 0 where the address has an index register. */
static struct instruction load(unsigned bytes, unsigned width, unsigned to, uint32_t address,
                               unsigned offset) {
  struct instruction result = plain(bytes, 2);
  result.kind = to == PC ? BRANCH : LOAD;
  result.reads = 1;
  result.loaded = bit(to);
  /* A literal's address needs no register. */
  result.address = address & ~bit(PC);
  /* The stack pointer and the base of literals are multiples of 4. */
  int aligned = (address == bit(SP) || address == bit(PC)) && offset % width == 0;
  result.unaligned = aligned || width == 1 ? 0 : width;
  return result;
}

static struct instruction store_indexed(unsigned bytes) {
  struct instruction result = plain(bytes, 2);
  result.kind = STORE_INDEXED;
  return result;
}

/* LDM, STM, PUSH, POP. */
static struct instruction multiple(unsigned bytes, uint32_t registers, int loads) {
  struct instruction result = plain(bytes, 1 + count(registers));
  result.reads = loads;
  if (loads && registers & bit(PC))
    result.kind = BRANCH;
  return result;
}

/*===-- 16 bits ---------------------------------------------------------------------------------*/

/* Opcodes 0101: a register as offset. */
static struct instruction decode_indexed16(unsigned code) {
  enum { STR, STRH, STRB, LDRSB, LDR, LDRH, LDRB, LDRSH };
  unsigned operation = bits(code, 11, 9);
  if (operation < LDRSB)
    return store_indexed(2);
  unsigned width = operation == LDR ? 4 : operation == LDRH || operation == LDRSH ? 2 : 1;
  return load(2, width, bits(code, 2, 0), bit(bits(code, 5, 3)) | bit(bits(code, 8, 6)), 0);
}

/* Opcodes 0110 to 1001: an immediate as offset; those with bit 11 load. */
static struct instruction decode_offset16(unsigned code) {
  if (!bits(code, 11, 11))
    return plain(2, 1);
  unsigned group = bits(code, 15, 12);
  if (group == 9)
    return load(2, 4, bits(code, 10, 8), bit(SP), 4 * bits(code, 7, 0));
  unsigned width = group == 6 ? 4 : group == 7 ? 1 : 2;
  return load(2, width, bits(code, 2, 0), bit(bits(code, 5, 3)), width * bits(code, 10, 6));
}

/* Opcodes 1011: miscellaneous. */
static struct instruction decode_miscellaneous16(unsigned code) {
  if ((code & 0xF500) == 0xB100) /* CBZ, CBNZ */
    return branch(2, BRANCH);
  if ((code & 0xFE00) == 0xB400)
    return multiple(2, (code & 0xFF) | bits(code, 8, 8) << 14, 0);
  if ((code & 0xFE00) == 0xBC00)
    return multiple(2, (code & 0xFF) | bits(code, 8, 8) << PC, 1);
  return plain(2, 1);
}

static struct instruction decode16(unsigned code) {
  switch (bits(code, 15, 12)) {
  case 0x4:
    if ((code & 0xF800) == 0x4800)
      return load(2, 4, bits(code, 10, 8), bit(PC), 4 * bits(code, 7, 0));
    if ((code & 0xFF00) == 0x4700)
      return branch(2, code & 0x80 ? CALL : BRANCH); /* BLX, BX */
    if ((code & 0xFC87) == 0x4487 && bits(code, 9, 8) != 1)
      return branch(2, BRANCH); /* ADD PC, MOV PC */
    return plain(2, 1);
  case 0x5:
    return decode_indexed16(code);
  case 0x6:
  case 0x7:
  case 0x8:
  case 0x9:
    return decode_offset16(code);
  case 0xB:
    return decode_miscellaneous16(code);
  case 0xC:
    return multiple(2, code & 0xFF, bits(code, 11, 11));
  case 0xD:
  case 0xE:
    return branch(2, BRANCH);
  default:
    return plain(2, 1);
  }
}

/*===-- 32 bits, the core -----------------------------------------------------------------------*/

/* First halfwords 1110 100x: several registers, pairs, exclusives and table branches. */
static struct instruction decode_multiple32(unsigned first, unsigned second) {
  int loads = bits(first, 4, 4);
  if (!bits(first, 6, 6))
    return multiple(4, second, loads);
  if ((first & 0xFFF0) == 0xE8D0 && (second & 0x00E0) == 0) { /* TBB, TBH */
    struct instruction result = branch(4, BRANCH);
    result.cycles = 2;
    result.reads = 1;
    return result;
  }
  /* LDREX, STREX and kin have neither offset nor write-back: bits P, U and W are 0 or 0, 1 and 0.
   */
  int exclusive = !bits(first, 8, 8) && !bits(first, 5, 5);
  struct instruction result = plain(4, exclusive ? 2 : 3);
  result.reads = loads;
  return result;
}

/* First halfwords 1111 1000: one register. */
static struct instruction decode_single32(unsigned first, unsigned second) {
  unsigned base = bits(first, 3, 0), register_ = bits(second, 15, 12);
  unsigned width = 1u << bits(first, 6, 5);
  int wideOffset = bits(first, 7, 7);
  int indexed = base != PC && !wideOffset && !bits(second, 11, 11);
  uint32_t address = bit(base) | (indexed ? bit(bits(second, 3, 0)) : 0);
  unsigned offset = wideOffset || base == PC ? bits(second, 11, 0) : bits(second, 7, 0);
  if (!bits(first, 4, 4))
    return indexed ? store_indexed(4) : plain(4, 1);
  if (register_ == PC && width < 4) /* PLD, PLI */
    return plain(4, 1);
  return load(4, width, register_, address, offset);
}

/* First halfwords 1111 0xxx with bit 15 of the second: branches and control. */
static struct instruction decode_control32(unsigned first, unsigned second) {
  if ((second & 0xD000) == 0xD000)
    return branch(4, CALL); /* BL */
  if ((second & 0xD000) == 0x9000 || ((second & 0xD000) == 0x8000 && bits(first, 9, 7) != 7))
    return branch(4, BRANCH);
  int special = (first & 0xFFE0) == 0xF380 || (first & 0xFFE0) == 0xF3E0; /* MSR, MRS */
  return plain(4, special ? 2 : 1);
}

static int is_divide(unsigned first, unsigned second) {
  return (first & 0xFFD0) == 0xFB90 && (second & 0x00F0) == 0x00F0;
}

/*===-- 32 bits, the FPU ------------------------------------------------------------------------*/

static uint32_t float_register(unsigned four, unsigned one) { return bit(four << 1 | one); }
static uint32_t float_d(unsigned first, unsigned second) {
  return float_register(bits(second, 15, 12), bits(first, 6, 6));
}
static uint32_t float_n(unsigned first, unsigned second) {
  return float_register(bits(first, 3, 0), bits(second, 7, 7));
}
static uint32_t float_m(unsigned second) {
  return float_register(bits(second, 3, 0), bits(second, 5, 5));
}

/* An instruction that waits for `read` where the one before wrote it. Only results of arithmetic
 * are waited for: moves and loads have none in `written`. */
static struct instruction float_arithmetic(unsigned cycles, uint32_t written, uint32_t read) {
  struct instruction result = plain(4, cycles);
  result.floatWritten = written;
  result.floatRead = read;
  return result;
}

/* VMOV, VABS, VNEG, VSQRT, VCMP, VCVT: one operand, or a comparison. */
static struct instruction decode_float_unary(unsigned first, unsigned second) {
  uint32_t d = float_d(first, second), m = float_m(second);
  int variant = bits(second, 7, 7) != 0;
  if (!bits(second, 6, 6)) /* VMOV of a constant */
    return plain(4, 1);
  switch (bits(first, 3, 0)) {
  case 0x0:
    return float_arithmetic(1, variant ? d : 0, m); /* VABS, VMOV */
  case 0x1:
    return float_arithmetic(variant ? 14 : 1, d, m); /* VSQRT, VNEG */
  case 0x4:
    return float_arithmetic(1, 0, d | m); /* VCMP */
  case 0x5:
    return float_arithmetic(1, 0, d); /* VCMP with 0 */
  case 0xA:
  case 0xB:
  case 0xE:
  case 0xF:
    return float_arithmetic(1, d, d); /* VCVT with fixed point, in place */
  default:
    return float_arithmetic(1, d, m);
  }
}

static struct instruction decode_float_arithmetic(unsigned first, unsigned second) {
  uint32_t d = float_d(first, second), n = float_n(first, second), m = float_m(second);
  switch (bits(first, 7, 4) & 0xB) {
  case 0x2: /* VMUL, VNMUL */
  case 0x3: /* VADD, VSUB */
    return float_arithmetic(1, d, n | m);
  case 0x8: /* VDIV */
    return float_arithmetic(14, d, n | m);
  case 0xB:
    return decode_float_unary(first, second);
  default: /* VMLA, VFMA and their kin */
    return float_arithmetic(3, d, d | n | m);
  }
}

/* VMOV between a core and an S register, VMRS, VMSR. */
static struct instruction decode_float_transfer(unsigned first, unsigned second) {
  int fromFloat = (first & 0xFFF0) == 0xEE10;
  return float_arithmetic(1, 0, fromFloat ? float_n(first, second) : 0);
}

/* A D register is two S registers, of which the encoding names the first as its own number. */
static uint32_t float_pair(uint32_t single, int isDouble) {
  return isDouble ? single | single << 1 : single;
}

/* VLDR, VSTR, VLDM, VSTM, VPUSH, VPOP and VMOV of two registers. */
static struct instruction decode_float_memory(unsigned first, unsigned second) {
  int loads = bits(first, 4, 4), isDouble = bits(second, 8, 8);
  if ((first & 0xFFE0) == 0xEC40) {
    uint32_t pair = float_m(second) | float_m(second) << 1;
    return float_arithmetic(2, 0, loads ? pair : 0);
  }
  int isSingle = bits(first, 8, 8) && !bits(first, 5, 5);
  struct instruction result = plain(4, 1 + (isSingle ? 1 + isDouble : bits(second, 7, 0)));
  result.reads = loads;
  if (isSingle && !loads)
    result.floatRead = float_pair(float_d(first, second), isDouble);
  return result;
}

static struct instruction decode_float(unsigned first, unsigned second) {
  if ((first & 0xFE00) == 0xEC00)
    return decode_float_memory(first, second);
  return bits(second, 4, 4) ? decode_float_transfer(first, second)
                            : decode_float_arithmetic(first, second);
}

static struct instruction decode32(unsigned first, unsigned second) {
  if ((first & 0xFE00) == 0xE800)
    return decode_multiple32(first, second);
  if ((first & 0xFC00) == 0xEC00)
    return decode_float(first, second);
  if ((first & 0xF800) == 0xF000 && second & 0x8000)
    return decode_control32(first, second);
  if ((first & 0xFE00) == 0xF800)
    return decode_single32(first, second);
  return plain(4, is_divide(first, second) ? DIVIDE_CYCLES : 1);
}

/*===--------------------------------------------------------------------------------------------*/

struct instruction decode(const uint16_t *code) {
  return is_wide(code[0]) ? decode32(code[0], code[1]) : decode16(code[0]);
}

unsigned cycles_after(const struct instruction *previous, const struct instruction *next) {
  unsigned cycles = next->cycles;
  if (previous->kind == LOAD) {
    int pairs = next->kind == LOAD && !(previous->loaded & next->address);
    if (pairs || next->kind == STORE_INDEXED)
      --cycles;
  }
  if (previous->floatWritten & next->floatRead)
    ++cycles;
  return cycles;
}
