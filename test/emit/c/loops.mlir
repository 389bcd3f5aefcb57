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
  mcu.call @accumulate(%x, %y) layer 0 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, input>, !mcu.buffer<8xi32, nhwc, output>
  mcu.call @swap(%x, %y) layer 1 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, input>, !mcu.buffer<8xi32, nhwc, output>
  mcu.call @order(%x, %y) layer 2 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, input>, !mcu.buffer<8xi32, nhwc, output>
  mcu.call @choose(%x, %y) layer 3 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, input>, !mcu.buffer<8xi32, nhwc, output>
  mcu.call @kept(%x, %y) layer 4 "l" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<8xi32, nhwc, input>, !mcu.buffer<8xi32, nhwc, output>
  mcu.output 0 "y" %y as tensor<8xi32> : !mcu.buffer<8xi32, nhwc, output>
}

// An accumulator keeps its variable through nested loops and conditionals.
// CHECK-LABEL: static void accumulate(
// CHECK: for (int32_t [[I:v[0-9]+]] = 0; [[I]] < 8; ++[[I]]) {
// CHECK-NEXT: int32_t [[ACC:v[0-9]+]] = 100;
// CHECK-NEXT: for (int32_t [[J:v[0-9]+]] = 0; [[J]] < 4; [[J]] += 2) {
// CHECK-NEXT: if ([[I]] + [[J]] < 8) {
// CHECK-NEXT: for (int32_t [[K:v[0-9]+]] = 0; [[K]] < 3; ++[[K]]) {
// CHECK-NEXT: [[ACC]] += input{{\[}}[[I]] + [[J]]] * [[K]];
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: }
// CHECK-NEXT: output{{\[}}[[I]]] = [[ACC]];
func.func private @accumulate(%input: memref<8xi32> loc("input"), %output: memref<8xi32> loc("output")) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %c4 = arith.constant 4 : index
  %c8 = arith.constant 8 : index
  %bias = arith.constant 100 : i32
  scf.for %i = %c0 to %c8 step %c1 {
    %sum = scf.for %j = %c0 to %c4 step %c2 iter_args(%a = %bias) -> i32 {
      %in = arith.addi %i, %j : index
      %ok = arith.cmpi slt, %in, %c8 : index
      %next = scf.if %ok -> i32 {
        %inner = scf.for %k = %c0 to %c3 step %c1 iter_args(%b = %a) -> i32 {
          %at = arith.addi %i, %j : index
          %v = memref.load %input[%at] : memref<8xi32>
          %ki = arith.index_cast %k : index to i32
          %p = arith.muli %v, %ki overflow<nsw> : i32
          %s = arith.addi %b, %p overflow<nsw> : i32
          scf.yield %s : i32
        }
        scf.yield %inner : i32
      } else {
        scf.yield %a : i32
      }
      scf.yield %next : i32
    }
    memref.store %sum, %output[%i] : memref<8xi32>
  }
  return
}

// CHECK-LABEL: static void swap(
// CHECK: const int32_t [[A:v[0-9]+]]_next = [[B:v[0-9]+]];
// CHECK-NEXT: [[B]] = [[A]];
// CHECK-NEXT: [[A]] = [[A]]_next;
func.func private @swap(%input: memref<8xi32>, %output: memref<8xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %x = memref.load %input[%c0] : memref<8xi32>
  %y = memref.load %input[%c1] : memref<8xi32>
  %r:2 = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %x, %b = %y) -> (i32, i32) {
    scf.yield %b, %a : i32, i32
  }
  memref.store %r#0, %output[%c0] : memref<8xi32>
  memref.store %r#1, %output[%c1] : memref<8xi32>
  return
}

// The old value of a is read before it changes.
// CHECK-LABEL: static void order(
// CHECK: [[B:v[0-9]+]] += [[A:v[0-9]+]];
// CHECK-NEXT: [[A]] += 1;
func.func private @order(%input: memref<8xi32>, %output: memref<8xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %one = arith.constant 1 : i32
  %zero = arith.constant 0 : i32
  %r:2 = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %one, %b = %zero) -> (i32, i32) {
    %na = arith.addi %a, %one overflow<nsw> : i32
    %nb = arith.addi %b, %a overflow<nsw> : i32
    scf.yield %na, %nb : i32, i32
  }
  memref.store %r#0, %output[%c0] : memref<8xi32>
  memref.store %r#1, %output[%c1] : memref<8xi32>
  return
}

// A load waits for its use, but not past a store; results of a conditional are locals.
// CHECK-LABEL: static void choose(
// CHECK: const int32_t [[OLD:v[0-9]+]] = input[0];
// CHECK-NEXT: output[0] = 7;
// CHECK-NEXT: int32_t [[R:v[0-9]+]];
// CHECK-NEXT: if ([[OLD]] > 3) {
// CHECK-NEXT: [[R]] = input[1];
// CHECK-NEXT: } else {
// CHECK-NEXT: [[R]] = 5;
// CHECK-NEXT: }
// CHECK-NEXT: output[1] = [[R]];
func.func private @choose(%input: memref<8xi32> loc("input"), %output: memref<8xi32> loc("output")) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %three = arith.constant 3 : i32
  %five = arith.constant 5 : i32
  %seven = arith.constant 7 : i32
  %old = memref.load %input[%c0] : memref<8xi32>
  memref.store %seven, %output[%c0] : memref<8xi32>
  %c = arith.cmpi sgt, %old, %three : i32
  %r = scf.if %c -> i32 {
    %v = memref.load %input[%c1] : memref<8xi32>
    scf.yield %v : i32
  } else {
    scf.yield %five : i32
  }
  memref.store %r, %output[%c1] : memref<8xi32>
  return
}

// A value that is read after the loop keeps its variable: the inner loop gets its own.
// CHECK-LABEL: static void kept(
// CHECK: int32_t [[A:v[0-9]+]] = 0;
// CHECK: int32_t [[B:v[0-9]+]] = [[A]];
// CHECK: [[B]] += 1;
// CHECK: [[A]] *= [[B]];
func.func private @kept(%input: memref<8xi32>, %output: memref<8xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0 : i32
  %one = arith.constant 1 : i32
  %r = scf.for %i = %c0 to %c8 step %c1 iter_args(%a = %zero) -> i32 {
    %b = scf.for %j = %c0 to %c8 step %c1 iter_args(%d = %a) -> i32 {
      %e = arith.addi %d, %one overflow<nsw> : i32
      scf.yield %e : i32
    }
    %f = arith.muli %b, %a overflow<nsw> : i32
    scf.yield %f : i32
  }
  memref.store %r, %output[%c0] : memref<8xi32>
  return
}
