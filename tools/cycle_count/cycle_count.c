/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * A QEMU plugin that counts the instructions that a Cortex-M4 program executes and estimates their
 * cycles.
 *
 *   qemu-system-arm ... -plugin cycle_count.so,out=FILE[,entry=ADDRESS][,flash settings]
 *
 * FILE gets a line for each call of the function at ADDRESS and, before it, for each call that the
 * function made itself; what they called in turn is included. The last line is of the whole run.
 *
 *   call DEPTH ADDRESS INSTRUCTIONS CYCLES WAITS      (DEPTH is 0 for the function, 1 for its
 * calls) total INSTRUCTIONS CYCLES WAITS
 *
 * CYCLES is for memory that never waits; WAITS are cycles beside it, waited for the flash that
 * flash.h models: flash=BEGIN:END,wait=STATES,line=BYTES,icache=LINES,dcache=LINES,prefetch=0 or 1.
 *
 * Costs are those of a translated block, known when it is translated. What only execution tells is
 * added: whether the branch at its end was taken, and accesses that are not aligned. An instruction
 * that IT skips counts as executed.
 */
#include "flash.h"
#include "instruction.h"
#include "qemu_plugin.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
                               char **argv);

/*===-- State -----------------------------------------------------------------------------------*/

struct block {
  uint32_t begin, end;
  unsigned instructions, cycles;
  struct instruction first, last;
};

struct counts {
  uint64_t instructions, cycles, waits;
};

/* A call that is being measured. */
struct span {
  uint32_t function;
  size_t height; /* of the stack of calls inside it */
  struct counts start;
};

enum { DEEPEST_CALL = 4096, NO_ADDRESS = UINT32_MAX };

static FILE *out;
static uint32_t entry = NO_ADDRESS;
static struct flash flash;

static struct counts now;
static const struct block *previous;
static uint32_t returns[DEEPEST_CALL]; /* addresses that calls return to */
static size_t height;
enum { SPANS = 4 }; /* a layer may be called by a driver, by NAME_push_rows, by a program */
static struct span spans[SPANS]; /* of `entry`, of what it called, of what that called, ... */
static unsigned measuring;

/*===-- Calls -----------------------------------------------------------------------------------*/

static void print_counts(struct counts since) {
  fprintf(out, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", now.instructions - since.instructions,
          now.cycles - since.cycles, now.waits - since.waits);
}

static void open_span(uint32_t function) {
  spans[measuring++] = (struct span){function, height, now};
}

static void close_spans(void) {
  while (measuring && height < spans[measuring - 1].height) {
    const struct span *span = &spans[--measuring];
    fprintf(out, "call %u 0x%08" PRIx32 " ", measuring, span->function);
    print_counts(span->start);
  }
}

/* Control reaches `address` by the branch at the end of the previous block. */
static void follow_branch(uint32_t address) {
  if (previous->last.kind == CALL) {
    if (height < DEEPEST_CALL)
      returns[height++] = previous->end;
    if (measuring && measuring < SPANS && height == spans[measuring - 1].height + 1)
      open_span(address);
  } else if (height && address == returns[height - 1]) {
    --height;
    close_spans();
  }
  if (address == entry && !measuring)
    open_span(address);
}

/*===-- Execution -------------------------------------------------------------------------------*/

static int is_branch(const struct instruction *instruction) {
  return instruction->kind == BRANCH || instruction->kind == CALL;
}

static void on_block(unsigned cpu, void *data) {
  (void)cpu;
  const struct block *block = data;
  if (previous && is_branch(&previous->last)) {
    if (block->begin != previous->end)
      now.cycles += REFILL_CYCLES;
    follow_branch(block->begin);
  } else if (previous && block->begin == previous->end) {
    /* QEMU begins a block at each page: the pipeline does not notice. */
    now.cycles += cycles_after(&previous->last, &block->first);
    now.cycles -= block->first.cycles;
  }
  now.instructions += block->instructions;
  now.cycles += block->cycles;
  if (flash.wait)
    now.waits += flash_fetch(&flash, block->begin, block->end);
  previous = block;
}

static void on_read(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
  (void)cpu, (void)info;
  unsigned width = (unsigned)(uintptr_t)data;
  /* An unaligned word is read in two parts, in three at an odd address. */
  if (width && address & (width - 1))
    now.cycles += address & 1 && width == 4 ? 2 : 1;
  now.waits += flash_read(&flash, (uint32_t)address);
}

/*===-- Translation -----------------------------------------------------------------------------*/

static struct instruction instruction_of(struct qemu_plugin_insn *instruction) {
  uint16_t code[2] = {0, 0};
  const unsigned char *bytes = qemu_plugin_insn_data(instruction);
  /* The first halfword tells the size; QEMU's own is wrong at the end of a page. */
  memcpy(code, bytes, 2);
  if (is_wide(code[0]))
    memcpy(code + 1, bytes + 2, 2);
  return decode(code);
}

/* Blocks that QEMU translates again are few: they are kept until it ends. */
static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
  (void)id;
  struct block *block = calloc(1, sizeof *block);
  if (!block)
    abort();
  block->begin = (uint32_t)qemu_plugin_tb_vaddr(tb);
  size_t count = qemu_plugin_tb_n_insns(tb);
  for (size_t i = 0; i < count; ++i) {
    struct qemu_plugin_insn *handle = qemu_plugin_tb_get_insn(tb, i);
    struct instruction instruction = instruction_of(handle);
    block->cycles += i ? cycles_after(&block->last, &instruction) : instruction.cycles;
    block->end = (uint32_t)qemu_plugin_insn_vaddr(handle) + instruction.bytes;
    block->last = instruction;
    if (!i)
      block->first = instruction;
    /* QEMU 7.2 takes a callback for reads alone for one for writes; these only read. */
    if (instruction.unaligned || (flash.wait && instruction.reads))
      qemu_plugin_register_vcpu_mem_cb(handle, on_read, QEMU_PLUGIN_NO_REGISTERS,
                                       QEMU_PLUGIN_READS_AND_WRITES,
                                       (void *)(uintptr_t)instruction.unaligned);
  }
  block->instructions = (unsigned)count;
  qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_NO_REGISTERS, block);
}

/*===-- Begin and end ---------------------------------------------------------------------------*/

static void on_end(qemu_plugin_id_t id, void *data) {
  (void)id, (void)data;
  fprintf(out, "total ");
  print_counts((struct counts){0, 0, 0});
  fclose(out);
}

/* The value of `argument` if it is NAME=VALUE, or NULL. */
static const char *value_of(const char *argument, const char *name) {
  size_t length = strlen(name);
  return !strncmp(argument, name, length) && argument[length] == '=' ? argument + length + 1 : NULL;
}

static unsigned lines(const char *text) {
  unsigned long count = strtoul(text, NULL, 0);
  return count < MOST_LINES ? (unsigned)count : MOST_LINES;
}

static int parse(const char *argument) {
  const char *value;
  if ((value = value_of(argument, "out"))) {
    out = fopen(value, "w");
  } else if ((value = value_of(argument, "entry"))) {
    entry = (uint32_t)strtoul(value, NULL, 0) & ~UINT32_C(1);
  } else if ((value = value_of(argument, "flash"))) {
    char *colon;
    flash.begin = (uint32_t)strtoul(value, &colon, 0);
    flash.end = *colon ? (uint32_t)strtoul(colon + 1, NULL, 0) : 0;
  } else if ((value = value_of(argument, "wait"))) {
    flash.wait = (unsigned)strtoul(value, NULL, 0);
  } else if ((value = value_of(argument, "line"))) {
    flash.lineBytes = (unsigned)strtoul(value, NULL, 0);
  } else if ((value = value_of(argument, "icache"))) {
    flash.instructions.lines = lines(value);
  } else if ((value = value_of(argument, "dcache"))) {
    flash.data.lines = lines(value);
  } else if ((value = value_of(argument, "prefetch"))) {
    flash.prefetch = !!strtoul(value, NULL, 0);
  } else {
    return 0;
  }
  return 1;
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
  (void)info;
  for (int i = 0; i < argc; ++i)
    if (!parse(argv[i])) {
      fprintf(stderr, "cycle_count: unknown argument '%s'\n", argv[i]);
      return -1;
    }
  if (!out) {
    fprintf(stderr, "cycle_count: out=FILE is missing or cannot be written\n");
    return -1;
  }
  if (flash.wait && !flash.lineBytes) {
    fprintf(stderr, "cycle_count: wait needs line=BYTES\n");
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, on_end, NULL);
  return 0;
}
