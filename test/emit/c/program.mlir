// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-c --c-layer-hooks %s | FileCheck %s
// RUN: thimble-translate --mcu-to-c --c-layer-hooks %s | grep -v 'include "tiny.h"' | \
// RUN:   clang-22 -x c -std=c11 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -
// RUN: thimble-translate --mcu-to-c --c-layer-hooks %s | grep -v 'include "tiny.h"' | \
// RUN:   clang-22 -x c++ -std=c++17 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -

// The API, an escaped layer name and calls at offsets.

// CHECK: #define TINY_ARENA_BYTES 24
// CHECK: #define TINY_SCRATCH_BYTES 4
// CHECK: #define TINY_NUM_INPUTS 1
// CHECK: /* "x* /\x0a\\" */
// CHECK: #define TINY_INPUT_0_BYTES 4
// CHECK: #define TINY_INPUT_0_TYPE int8_t
// CHECK: #define TINY_INPUT_0_SHAPE {1, 4}
// CHECK: #define TINY_INPUT_0_SCALE 0.5f
// CHECK: #define TINY_INPUT_0_ZERO_POINT (-3)
// CHECK: #define TINY_OUTPUT_0_TYPE uint8_t
// CHECK: int tiny_init(void *arena);
// CHECK: int tiny_init_regions(void *const *regions);
// CHECK: int8_t *tiny_input_0(void *arena);
// CHECK: const uint8_t *tiny_output_0(const void *arena);
// CHECK: void thimble_layer_hook(

// CHECK-NOT: unused
// CHECK: THIMBLE_ALIGN(4) static const int8_t tiny_weights[4] TINY_CONST = {
// CHECK-NEXT: {{^}}    1, -2, 3, -128};
// CHECK: /* Layer 0, "a* /b\x0a": copy
// CHECK-NEXT: kernel copy.plain, 1x4xi8 -> 1x4xi8, scratch 4 bytes, 1,234 MACs */
// CHECK: static void tiny_layer_00(const int8_t *input, int8_t *output, int8_t *scratch) {
// CHECK: int tiny_init(void *arena) {
// CHECK: return (int8_t *)(void *)((uint8_t *)arena + 8);
// CHECK: return (const uint8_t *)(const void *)((const uint8_t *)arena + 16);
// CHECK: tiny_layer_00((int8_t *)(void *)(base + 8), (int8_t *)(void *)(base + 16),
// CHECK: thimble_layer_hook(arena, 0, base + 16, 0, 4);
// CHECK: return THIMBLE_OK;

module {
  mcu.program @tiny attributes {arena_bytes = 24 : i64, lower_bound = 8 : i64} {
    %x = mcu.input 0 "x*/\0A\\" at 0 : 8 as tensor<1x4x!quant.uniform<i8:f32, 0.5:-3>> : !mcu.buffer<1x4xi8, nhwc, input>
    %y = mcu.buffer "y" at 0 : 16 : !mcu.buffer<1x4xi8, nhwc, output>
    %s = mcu.buffer "s" at 0 : 0 : !mcu.buffer<4xi8, nhwc, scratch>
    mcu.call @tiny_layer_00(%x, %y, %s) layer 0 "a*/b\0A" "copy" "copy.plain" writes [1, 2] macs 1234 cycles 5 : !mcu.buffer<1x4xi8, nhwc, input>, !mcu.buffer<1x4xi8, nhwc, output>, !mcu.buffer<4xi8, nhwc, scratch>
    mcu.output 0 "y" %y as tensor<1x4x!quant.uniform<u8:f32, 0.25>> : !mcu.buffer<1x4xi8, nhwc, output>
  }
  memref.global "private" constant @unused : memref<4xi8> = dense<0>
  memref.global "private" constant @tiny_weights : memref<4xi8> = dense<[1, -2, 3, -128]> {alignment = 4 : i64}
  func.func private @tiny_layer_00(%input: memref<4xi8> loc("input"), %output: memref<4xi8> loc("output"), %scratch: memref<4xi8> loc("scratch")) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %w = memref.get_global @tiny_weights : memref<4xi8>
    scf.for %i = %c0 to %c4 step %c1 {
      %a = memref.load %input[%i] : memref<4xi8>
      %b = memref.load %w[%i] : memref<4xi8>
      %ax = arith.extsi %a : i8 to i32
      %bx = arith.extsi %b : i8 to i32
      %p = arith.muli %ax, %bx overflow<nsw> : i32
      %t = arith.trunci %p : i32 to i8
      memref.store %t, %scratch[%i] : memref<4xi8>
      memref.store %t, %output[%i] : memref<4xi8>
    }
    return
  }
}
