/* Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
 *
 * See shadow.h. The first access or call that the plan does not have ends the program.
 */
#define _GNU_SOURCE
#include "shadow.h"

#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS = 7 };

static const struct shadow_plan *plan;
static uintptr_t arena;
static uint8_t *marks; /* of each byte of the arena */
static size_t next;    /* event */
static const struct shadow_event *now, *driver;
static int depth; /* of calls in a layer's function */

static _Noreturn void fail(const char *what, const char *why) {
  printf("shadow: %s: %s %s\n", now ? now->name : "between layers", what, why);
  exit(STATUS);
}

/*===-- Accesses ---------------------------------------------------------------------------===*/

enum { MAX_SEGMENTS = 16 };
static struct {
  uintptr_t begin, end;
} constants[MAX_SEGMENTS];
static int num_constants;

/* The program's own segments that cannot be written come first. */
static int list_constants(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size, (void)data;
  for (int i = 0; i < info->dlpi_phnum && num_constants < MAX_SEGMENTS; ++i) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
      continue;
    constants[num_constants].begin = info->dlpi_addr + segment->p_vaddr;
    constants[num_constants++].end = info->dlpi_addr + segment->p_vaddr + segment->p_memsz;
  }
  return 1; /* not those of libraries */
}

static bool is_constant(uintptr_t begin, uintptr_t end) {
  for (int i = 0; i < num_constants; ++i)
    if (constants[i].begin <= begin && end <= constants[i].end)
      return true;
  return false;
}

static bool is_stack(uintptr_t begin, uintptr_t end) {
  extern void *__libc_stack_end;
  return (uintptr_t)__builtin_frame_address(0) <= begin && end <= (uintptr_t)__libc_stack_end;
}

static _Noreturn void refuse(uintptr_t address, size_t bytes, bool writes, size_t at) {
  char what[80];
  snprintf(what, sizeof what, "%s %zu bytes at %td of the arena:", writes ? "writes" : "reads",
           bytes, (ptrdiff_t)(address - arena));
  if (at >= (size_t)plan->arena_bytes)
    fail(what, "they are neither in the arena, nor constant, nor on the stack");
  if (marks[at] & (writes ? SHADOW_WRITE : SHADOW_READ))
    fail(what, "not all of them have been written");
  fail(what, "not all of them are its own");
}

static inline void touch(const volatile void *pointer, size_t bytes, bool writes) {
  const uintptr_t address = (uintptr_t)pointer, begin = address - arena;
  const uint8_t need = writes ? SHADOW_WRITE : SHADOW_READ | SHADOW_FULL;
  if (begin >= (uintptr_t)plan->arena_bytes) {
    if (!is_stack(address, address + bytes) && (writes || !is_constant(address, address + bytes)))
      refuse(address, bytes, writes, begin);
    return;
  }
  for (size_t at = begin; at < begin + bytes; ++at) {
    if (at >= (size_t)plan->arena_bytes || (marks[at] & need) != need)
      refuse(address, bytes, writes, at);
    if (writes)
      marks[at] |= SHADOW_FULL;
  }
}

#define ACCESS(name, bytes, writes)                                                                \
  void __tsan_##name(void *address) { touch(address, bytes, writes); }
#define ACCESSES(bytes)                                                                            \
  ACCESS(read##bytes, bytes, false)                                                                \
  ACCESS(write##bytes, bytes, true)                                                                \
  ACCESS(unaligned_read##bytes, bytes, false)                                                      \
  ACCESS(unaligned_write##bytes, bytes, true)
ACCESS(read1, 1, false)
ACCESS(write1, 1, true)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void *address, size_t bytes) { touch(address, bytes, false); }
void __tsan_write_range(void *address, size_t bytes) { touch(address, bytes, true); }

void __tsan_init(void) { dl_iterate_phdr(list_constants, NULL); }
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void) {}

void *shadow_memcpy(void *to, const void *from, size_t bytes) {
  touch(from, bytes, false);
  touch(to, bytes, true);
  return memcpy(to, from, bytes);
}

void *shadow_memmove(void *to, const void *from, size_t bytes) {
  touch(from, bytes, false);
  touch(to, bytes, true);
  return memmove(to, from, bytes);
}

void *shadow_memset(void *to, int value, size_t bytes) {
  touch(to, bytes, true);
  return memset(to, value, bytes);
}

/*===-- Events -----------------------------------------------------------------------------===*/

static void mark(const struct shadow_range *range, const struct shadow_range *end, uint8_t set,
                 uint8_t clear) {
  for (; range < end; ++range)
    for (int32_t at = range->begin; at < range->end; ++at)
      marks[at] = (uint8_t)((marks[at] & ~clear) | set);
}

/* From now on what `event` may touch may be touched; nothing if there is none. */
static void allow(const struct shadow_event *event) {
  const struct shadow_range *r = plan->ranges;
  if (now)
    mark(r + now->freed, r + now->writes, 0, SHADOW_READ | SHADOW_WRITE);
  now = event;
  if (now) {
    mark(r + now->freed, r + now->reads, SHADOW_READ, 0);
    mark(r + now->reads, r + now->writes, SHADOW_WRITE, 0);
  }
}

static void start(const struct shadow_event *event) {
  ++next;
  mark(plan->ranges + event[-1].writes, plan->ranges + event->freed, 0, SHADOW_FULL);
  allow(event);
}

void __cyg_profile_func_enter(void *function, void *site) {
  (void)site;
  if (!next || depth++)
    return;
  const struct shadow_event *event = &plan->events[next];
  if (next == plan->num_events || event->function != function)
    fail("calls another function than", next < plan->num_events ? event->name : "none");
  start(event);
  if (event->is_driver) {
    driver = event;
    depth = 0;
  }
}

void __cyg_profile_func_exit(void *function, void *site) {
  (void)site;
  if (!next)
    return;
  if (depth) {
    if (--depth == 0)
      allow(driver);
  } else if (driver && driver->function == function) {
    driver = NULL;
    allow(NULL);
  }
}

int shadow_move(const void *to, const void *from, int32_t bytes) {
  if (bytes <= 0)
    return 0;
  if (depth)
    return 1; /* a kernel's own */
  const struct shadow_event *event = &plan->events[next];
  char what[80];
  const int32_t source = from ? (int32_t)((uintptr_t)from - arena) : -1;
  const int32_t target = (int32_t)((uintptr_t)to - arena);
  snprintf(what, sizeof what, "moves %d bytes from %d to %d instead of", bytes, source, target);
  if (next == plan->num_events || event->function)
    fail(what, next < plan->num_events ? event->name : "none");
  if (event->to != target || event->from != source || event->bytes != bytes) {
    now = event;
    fail(what, "those of the plan");
  }
  start(event);
  return 1;
}

void shadow_moved(void) {
  if (!depth)
    allow(driver);
}

/*===-- Calls of the model ------------------------------------------------------------------===*/

static void enter(const struct shadow_plan *its_plan, void *its_arena) {
  plan = its_plan;
  arena = (uintptr_t)its_arena;
  depth = 0;
  now = driver = NULL;
  free(marks);
  marks = calloc((size_t)plan->arena_bytes + 1, 1);
  if (!marks)
    exit(4);
}

void shadow_init(const struct shadow_plan *its_plan, void *its_arena) {
  enter(its_plan, its_arena);
  next = 0;
  allow(plan->events);
}

void shadow_invoke(const struct shadow_plan *its_plan, void *its_arena) {
  enter(its_plan, its_arena);
  next = 1;
  mark(plan->given, plan->given + plan->num_given, SHADOW_FULL, 0);
}

void shadow_finish(void) {
  if (next && next != plan->num_events)
    fail("ends before", plan->events[next].name);
  for (const struct shadow_range *r = plan->results; next && r < plan->results + plan->num_results;
       ++r)
    for (int32_t at = r->begin; at < r->end; ++at)
      if (!(marks[at] & SHADOW_FULL))
        fail("ends", "with a byte of an output unwritten");
  next = 0;
}
