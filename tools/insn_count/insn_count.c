/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * A QEMU plugin that counts the instructions a program executes.
 *
 *   qemu-system-arm ... -plugin libinsn_count.so,out=FILE[,from=ADDRESS,to=ADDRESS]
 *
 * FILE gets `total N` and, for each time control passed from the instruction at `from` to the one
 * at `to` (both entries of functions), `span N`. Counting is per translated block, so both
 * addresses have to begin a block, as the entry of a called function does.
 *
 * Debian ships QEMU with plugins enabled but not their header: the part of interface version 1
 * used here is declared below.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_info;
typedef uint64_t plugin_id;
enum { NO_REGISTERS = 0, ADD_U64 = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                           void (*callback)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
                                          void (*callback)(unsigned, void *), int flags,
                                          void *data);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int operation,
                                              void *counter, uint64_t increment);
void qemu_plugin_register_atexit_cb(plugin_id id, void (*callback)(plugin_id, void *),
                                    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_plugin_info *info, int argc,
                               char **argv);

static uint64_t executed;
static uint64_t from = UINT64_MAX, to = UINT64_MAX;
static uint64_t spanStart = UINT64_MAX;
static FILE *out;

static void atFrom(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  spanStart = executed;
}

static void atTo(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  if (spanStart != UINT64_MAX)
    fprintf(out, "span %" PRIu64 "\n", executed - spanStart);
  spanStart = UINT64_MAX;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb) {
  (void)id;
  uint64_t address = qemu_plugin_tb_vaddr(tb);
  // Callbacks run before the block's own count is added.
  if (address == from)
    qemu_plugin_register_vcpu_tb_exec_cb(tb, atFrom, NO_REGISTERS, NULL);
  if (address == to)
    qemu_plugin_register_vcpu_tb_exec_cb(tb, atTo, NO_REGISTERS, NULL);
  qemu_plugin_register_vcpu_tb_exec_inline(tb, ADD_U64, &executed, qemu_plugin_tb_n_insns(tb));
}

static void finished(plugin_id id, void *data) {
  (void)id, (void)data;
  fprintf(out, "total %" PRIu64 "\n", executed);
  fclose(out);
}

int qemu_plugin_install(plugin_id id, const struct qemu_plugin_info *info, int argc,
                        char **argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (!strncmp(argv[i], "out=", 4)) {
      out = fopen(argv[i] + 4, "w");
    } else if (!strncmp(argv[i], "from=", 5)) {
      from = strtoull(argv[i] + 5, NULL, 0) & ~UINT64_C(1);
    } else if (!strncmp(argv[i], "to=", 3)) {
      to = strtoull(argv[i] + 3, NULL, 0) & ~UINT64_C(1);
    } else {
      fprintf(stderr, "insn_count: unknown argument '%s', expected out=, from= or to=\n", argv[i]);
      return -1;
    }
  }
  if (!out) {
    fprintf(stderr, "insn_count: out=FILE is missing or cannot be written\n");
    return -1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  qemu_plugin_register_atexit_cb(id, finished, NULL);
  return 0;
}
