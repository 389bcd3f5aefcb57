// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-c %s | FileCheck %s
// RUN: thimble-translate --mcu-to-c %s | grep -v 'include "m.h"' | \
// RUN:   clang-22 -x c -std=c11 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -
// RUN: thimble-translate --mcu-to-c %s | grep -v 'include "m.h"' | \
// RUN:   clang-22 -x c++ -std=c++17 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -

mcu.program @m attributes {arena_bytes = 64 : i64} {
  %x = mcu.input 0 "x" at 0 : 0 as tensor<8xf32> : !mcu.buffer<8xf32, nhwc, input>
  %y = mcu.buffer "y" at 0 : 32 : !mcu.buffer<8xf32, nhwc, output>
  %z = mcu.buffer "z" at 0 : 0 : !mcu.buffer<32xi8, nhwc, activation>
  mcu.call @floats(%x, %y) layer 0 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xf32, nhwc, input>, !mcu.buffer<8xf32, nhwc, output>
  mcu.call @words(%z) layer 1 "l" "o" "k" writes [0] macs 0 cycles 0 : !mcu.buffer<32xi8, nhwc, activation>
  mcu.output 0 "y" %y as tensor<8xf32> : !mcu.buffer<8xf32, nhwc, output>
}

// CHECK: THIMBLE_FP_STRICT_BEGIN
// CHECK: static const float table[4] M_CONST = {
// CHECK-NEXT: {{^}}    0.1f, -0.0f, INFINITY, 1e+20f};
memref.global "private" constant @table : memref<4xf32> = dense<[0.1, -0.0, 0x7F800000, 1.0e20]>

// CHECK-LABEL: static void floats(
// CHECK: output[0] = [[A:v[0-9]+]] * [[B:v[0-9]+]] + 0.1f;
// CHECK: output[1] = !([[A]] < [[B]]) ? -[[A]] : [[B]] / table[3];
// CHECK: output[2] = (float)(int32_t)[[A]];
// CHECK: output[3] = [[A]] != [[A]] || [[B]] != [[B]] ? 0.0f : 1.0f;
// CHECK: output[4] = thimble_bits_float(thimble_float_bits([[A]]));
// CHECK: output[5] = thimble_expf([[A]]);
func.func private @thimble_expf(f32) -> f32
func.func private @floats(%input: memref<8xf32> loc("input"), %output: memref<8xf32> loc("output")) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %tenth = arith.constant 0.1 : f32
  %table = memref.get_global @table : memref<4xf32>
  %a = memref.load %input[%c0] : memref<8xf32>
  %b = memref.load %input[%c1] : memref<8xf32>
  %0 = arith.mulf %a, %b : f32
  %1 = arith.addf %0, %tenth : f32
  memref.store %1, %output[%c0] : memref<8xf32>
  %2 = arith.cmpf uge, %a, %b : f32
  %3 = arith.negf %a : f32
  %t = memref.load %table[%c3] : memref<4xf32>
  %4 = arith.divf %b, %t : f32
  %5 = arith.select %2, %3, %4 : f32
  memref.store %5, %output[%c1] : memref<8xf32>
  %6 = arith.fptosi %a : f32 to i32
  %7 = arith.sitofp %6 : i32 to f32
  memref.store %7, %output[%c2] : memref<8xf32>
  %8 = arith.cmpf uno, %a, %b : f32
  %9 = arith.select %8, %zero, %one : f32
  memref.store %9, %output[%c3] : memref<8xf32>
  %10 = arith.bitcast %a : f32 to i32
  %11 = arith.bitcast %10 : i32 to f32
  memref.store %11, %output[%c4] : memref<8xf32>
  %12 = func.call @thimble_expf(%a) : (f32) -> f32
  memref.store %12, %output[%c5] : memref<8xf32>
  return
}

// Packed halves are unsigned words.
// CHECK-LABEL: static void words(
// CHECK: const uint32_t [[W:v[0-9]+]] = thimble_load_u32(&z[0]);
// CHECK: thimble_store_u32(&z[4], (uint32_t)thimble_ssat(thimble_smlad([[W]], thimble_sxtb16([[W]]), 5), 8));
// CHECK: thimble_store_u32(&z[8], thimble_pkhbt16([[W]], thimble_sadd16([[W]], 65537u)));
func.func private @words(%z: memref<32xi8> loc("z")) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %five = arith.constant 5 : i32
  %ones = arith.constant 65537 : i32
  %w = m4.load_word %z[%c0] : memref<32xi8>
  %h = m4.sxtb16 %w
  %acc = m4.smlad %w, %h, %five
  %s = m4.ssat %acc {bits = 8 : i32}
  m4.store_word %s, %z[%c4] : memref<32xi8>
  %d = m4.sadd16 %w, %ones
  %p = m4.pkhbt %w, %d
  m4.store_word %p, %z[%c8] : memref<32xi8>
  return
}
