// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-asm %s | FileCheck %s
// RUN: thimble-translate --mcu-to-c %s | FileCheck %s --check-prefix=C
// RUN: thimble-translate --mcu-to-c --c-layer-hooks %s | grep -v 'include "r.h"' | \
// RUN:   clang-22 -x c -std=c11 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow -Wpedantic -I%root/runtime -
// RUN: thimble-translate --mcu-to-c --c-layer-hooks %s | grep -v 'include "r.h"' | \
// RUN:   clang-22 -x c++ -std=c++17 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow -Wpedantic -I%root/runtime -

// A running sum in a second region of RAM, whose address the arena holds. Inputs/run.c runs it.

#ram = #mcu.region<name = "RAM", capacity = 64, used = 16, lower_bound = 16>
#ccm = #mcu.region<name = "C*/CM", capacity = 32, used = 16, lower_bound = 16>
mcu.program @r attributes {arena_bytes = 16 : i64, lower_bound = 16 : i64, ram = [#ram, #ccm]} {
  %x = mcu.input 0 "x" at 0 : 8 as tensor<8xi8> : !mcu.buffer<8xi8, nhwc, input>
  %s = mcu.buffer "s" at 1 : 8 : !mcu.buffer<8xi8, nhwc, state>
  mcu.call @r_layer_00_add(%x, %s) layer 0 "sum" "add" "add.portable" writes [1] macs 0 cycles 100 : !mcu.buffer<8xi8, nhwc, input>, !mcu.buffer<8xi8, nhwc, state>
  mcu.output 0 "y" %s as tensor<8xi8> : !mcu.buffer<8xi8, nhwc, state>
}
func.func private @r_layer_00_add(%input: memref<8xi8>, %sum: memref<8xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  scf.for %i = %c0 to %c8 step %c1 {
    %a = memref.load %input[%i] : memref<8xi8>
    %b = memref.load %sum[%i] : memref<8xi8>
    %c = arith.addi %a, %b : i8
    memref.store %c, %sum[%i] : memref<8xi8>
  }
  return
}

// CHECK-LABEL: r_init:
// CHECK: mvn{{[a-z]*}} r0, #4
// CHECK-LABEL: r_output_0:
// CHECK: ldr r0, [r0]
// CHECK-NEXT: adds r0, #8
// CHECK-LABEL: r_invoke:

// C: #define R_ARENA_BYTES 16
// C: #define R_NUM_REGIONS 2
// C: #define R_REGION_0_BYTES R_ARENA_BYTES
// C: #define R_REGION_1_BYTES 16 /* C* /CM */
// C: #define R_REGION_1_ALIGN R_ARENA_ALIGN
// C: int r_init(void *arena) {
// C-NEXT: return arena == NULL ? THIMBLE_ERROR_NULL : THIMBLE_ERROR_REGIONS;
// C: int r_init_regions(void *const *regions) {
// C: *(void **)(void *)((uint8_t *)regions[0] + 0) = regions[1];
// C-NEXT: memset((uint8_t *)regions[1] + 8, 0, 8);
// C: return (int8_t *)(void *)((uint8_t *)arena + 8);
// C: return (const int8_t *)(const void *)(r_region(arena, 0) + 8);
// C: uint8_t *const region_1 = r_region(arena, 0);
// C-NEXT: if (region_1 == NULL)
// C-NEXT: return THIMBLE_ERROR_STATE;
// C-NEXT: r_layer_00_add((int8_t *)(void *)(base + 8), (int8_t *)(void *)(region_1 + 8));
