// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-c %s | FileCheck %s
// RUN: thimble-translate --mcu-to-c %s | grep -v 'include "m.h"' | \
// RUN:   clang-22 -x c -std=c11 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -
// RUN: thimble-translate --mcu-to-c %s | grep -v 'include "m.h"' | \
// RUN:   clang-22 -x c++ -std=c++17 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -

mcu.program @m attributes {arena_bytes = 64 : i64} {
  %x = mcu.input 0 "x" at 0 : 0 as tensor<8xi32> : !mcu.buffer<8xi32, nhwc, input>
  %y = mcu.buffer "y" at 0 : 32 : !mcu.buffer<8xi32, nhwc, output>
  %z = mcu.buffer "z" at 0 : 0 : !mcu.buffer<8xi64, nhwc, activation>
  mcu.call @wrap(%x, %y) layer 0 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, input>, !mcu.buffer<8xi32, nhwc, output>
  mcu.call @precedence(%x, %y) layer 1 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, input>, !mcu.buffer<8xi32, nhwc, output>
  mcu.call @limits(%y, %z) layer 2 "l" "o" "k" writes [0, 1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, output>, !mcu.buffer<8xi64, nhwc, activation>
  mcu.output 0 "y" %y as tensor<8xi32> : !mcu.buffer<8xi32, nhwc, output>
}

// Arithmetic that may wrap goes through unsigned types, once.
// CHECK-LABEL: static void wrap(
// CHECK: const int32_t [[A:v[0-9]+]] = input[0];
// CHECK: const int32_t [[B:v[0-9]+]] = input[1];
// CHECK: output[0] = (int32_t)((uint32_t)[[A]] + (uint32_t)[[B]]);
// CHECK: output[1] = (int32_t)(((uint32_t)[[A]] - 5u) * (uint32_t)[[B]]);
// CHECK: output[2] = (int32_t)((uint32_t)[[A]] << 3);
// CHECK: output[3] = (int32_t)((uint32_t)[[A]] >> 3);
// CHECK: output[4] = [[A]] >> 3;
// CHECK: output[5] = (int32_t)((uint32_t)[[A]] / 3u);
// CHECK: output[6] = (uint32_t)[[A]] < (uint32_t)[[B]] ? 1 : 0;
// CHECK: output[7] = (uint32_t)[[A]] < (uint32_t)[[B]] ? [[A]] : [[B]];
func.func private @wrap(%input: memref<8xi32> loc("input"), %output: memref<8xi32> loc("output")) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  %c7 = arith.constant 7 : index
  %three = arith.constant 3 : i32
  %m5 = arith.constant -5 : i32
  %a = memref.load %input[%c0] : memref<8xi32>
  %b = memref.load %input[%c1] : memref<8xi32>
  %0 = arith.addi %a, %b : i32
  memref.store %0, %output[%c0] : memref<8xi32>
  %1 = arith.addi %a, %m5 : i32
  %2 = arith.muli %1, %b : i32
  memref.store %2, %output[%c1] : memref<8xi32>
  %3 = arith.shli %a, %three : i32
  memref.store %3, %output[%c2] : memref<8xi32>
  %4 = arith.shrui %a, %three : i32
  memref.store %4, %output[%c3] : memref<8xi32>
  %5 = arith.shrsi %a, %three : i32
  memref.store %5, %output[%c4] : memref<8xi32>
  %6 = arith.divui %a, %three : i32
  memref.store %6, %output[%c5] : memref<8xi32>
  %7 = arith.cmpi ult, %a, %b : i32
  %8 = arith.extui %7 : i1 to i32
  memref.store %8, %output[%c6] : memref<8xi32>
  %9 = arith.minui %a, %b : i32
  memref.store %9, %output[%c7] : memref<8xi32>
  return
}

// CHECK-LABEL: static void precedence(
// CHECK: output[0] = [[A:v[0-9]+]] - ([[A]] - [[B:v[0-9]+]]);
// CHECK: output[1] = ([[A]] + [[B]]) * [[A]];
// CHECK: output[2] = [[A]] / ([[B]] * [[A]]);
// CHECK: output[3] = ([[A]] & 0xFF) | ([[B]] ^ -1);
// CHECK: output[4] = ([[A]] < [[B]] && [[B]] != 0) || [[A]] == 4 ? [[A]] - 5 : ([[A]] > [[B]] ? 1 : 2);
// CHECK: output[5] = thimble_min_i32(thimble_max_i32([[A]] - 1, -128), 127);
func.func private @precedence(%input: memref<8xi32> loc("input"), %output: memref<8xi32> loc("output")) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c5 = arith.constant 5 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %two = arith.constant 2 : i32
  %four = arith.constant 4 : i32
  %m1 = arith.constant -1 : i32
  %m5 = arith.constant -5 : i32
  %lo = arith.constant -128 : i32
  %hi = arith.constant 127 : i32
  %mask = arith.constant 255 : i32
  %a = memref.load %input[%c0] : memref<8xi32>
  %b = memref.load %input[%c1] : memref<8xi32>
  %0 = arith.subi %a, %b overflow<nsw> : i32
  %1 = arith.subi %a, %0 overflow<nsw> : i32
  memref.store %1, %output[%c0] : memref<8xi32>
  %2 = arith.addi %a, %b overflow<nsw> : i32
  %3 = arith.muli %2, %a overflow<nsw> : i32
  memref.store %3, %output[%c1] : memref<8xi32>
  %4 = arith.muli %b, %a overflow<nsw> : i32
  %5 = arith.divsi %a, %4 : i32
  memref.store %5, %output[%c2] : memref<8xi32>
  %6 = arith.andi %a, %mask : i32
  %7 = arith.xori %b, %m1 : i32
  %8 = arith.ori %6, %7 : i32
  memref.store %8, %output[%c3] : memref<8xi32>
  %9 = arith.cmpi slt, %a, %b : i32
  %10 = arith.cmpi ne, %b, %zero : i32
  %11 = arith.andi %9, %10 : i1
  %12 = arith.cmpi eq, %a, %four : i32
  %13 = arith.ori %11, %12 : i1
  %14 = arith.addi %a, %m5 overflow<nsw> : i32
  %15 = arith.cmpi sgt, %a, %b : i32
  %16 = arith.select %15, %one, %two : i32
  %17 = arith.select %13, %14, %16 : i32
  memref.store %17, %output[%c4] : memref<8xi32>
  %18 = arith.subi %a, %one overflow<nsw> : i32
  %19 = arith.maxsi %18, %lo : i32
  %20 = arith.minsi %19, %hi : i32
  memref.store %20, %output[%c5] : memref<8xi32>
  return
}

// CHECK-LABEL: static void limits(
// CHECK: y[0] = INT32_MIN;
// CHECK: z[0] = INT64_MIN;
// CHECK: z[1] = (int64_t)[[A:v[0-9]+]] * (-INT64_C(5)) + (int64_t)(uint32_t)[[A]];
// CHECK: y[1] = (int32_t)(z[2] >> INT64_C(33));
// CHECK: y[2] = (int8_t)[[A]] + (int16_t)[[A]];
// CHECK: y[3] = (uint8_t)(int8_t)[[A]];
// CHECK: y[4] = [[L:v[0-9]+]] > INT64_C(0) ? -1 : 0;
// CHECK: z[3] = [[L]] > INT64_C(100) ? [[L]] : INT64_C(100);
func.func private @limits(%y: memref<8xi32> loc("y"), %z: memref<8xi64> loc("z")) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %min = arith.constant -2147483648 : i32
  %minl = arith.constant -9223372036854775808 : i64
  %m5 = arith.constant -5 : i64
  %zero = arith.constant 0 : i64
  %hundred = arith.constant 100 : i64
  %s = arith.constant 33 : i64
  memref.store %min, %y[%c0] : memref<8xi32>
  memref.store %minl, %z[%c0] : memref<8xi64>
  %a = memref.load %y[%c4] : memref<8xi32>
  %al = arith.extsi %a : i32 to i64
  %p = arith.muli %al, %m5 overflow<nsw> : i64
  %u = arith.extui %a : i32 to i64
  %q = arith.addi %p, %u overflow<nsw> : i64
  memref.store %q, %z[%c1] : memref<8xi64>
  %l = memref.load %z[%c2] : memref<8xi64>
  %h = arith.shrsi %l, %s : i64
  %t = arith.trunci %h : i64 to i32
  memref.store %t, %y[%c1] : memref<8xi32>
  %b = arith.trunci %a : i32 to i8
  %bs = arith.trunci %a : i32 to i16
  %bx = arith.extsi %b : i8 to i32
  %bsx = arith.extsi %bs : i16 to i32
  %sum = arith.addi %bx, %bsx overflow<nsw> : i32
  memref.store %sum, %y[%c2] : memref<8xi32>
  %d = arith.trunci %a : i32 to i8
  %du = arith.extui %d : i8 to i32
  memref.store %du, %y[%c3] : memref<8xi32>
  %l2 = memref.load %z[%c4] : memref<8xi64>
  %pos = arith.cmpi sgt, %l2, %zero : i64
  %posx = arith.extsi %pos : i1 to i32
  memref.store %posx, %y[%c4] : memref<8xi32>
  %m = arith.maxsi %l2, %hundred : i64
  memref.store %m, %z[%c3] : memref<8xi64>
  return
}
