// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: @multiply
func.func @multiply(%a: i32, %b: i32, %acc: i32) -> i32 {
  // CHECK-NEXT: m4.smlad %arg0, %arg1, %arg2
  // CHECK-NEXT: m4.smladx
  // CHECK-NEXT: m4.smlabb
  // CHECK-NEXT: m4.smlabt
  // CHECK-NEXT: m4.smlatb
  // CHECK-NEXT: m4.smlatt
  // CHECK-NEXT: m4.smuad
  // CHECK-NEXT: m4.smmul
  // CHECK-NEXT: m4.smmla
  // CHECK-NEXT: m4.smmlar
  %0 = m4.smlad %a, %b, %acc
  %1 = m4.smladx %a, %b, %0
  %2 = m4.smlabb %a, %b, %1
  %3 = m4.smlabt %a, %b, %2
  %4 = m4.smlatb %a, %b, %3
  %5 = m4.smlatt %a, %b, %4
  %6 = m4.smuad %a, %5
  %7 = m4.smmul %a, %6
  %8 = m4.smmla %a, %b, %7
  %9 = m4.smmlar %a, %b, %8
  return %9 : i32
}

// CHECK-LABEL: @bytes_and_halves
func.func @bytes_and_halves(%m: memref<16xi8>, %i: index) {
  // CHECK-NEXT: %[[W:.*]] = m4.load_word %arg0[%arg1] : memref<16xi8>
  // CHECK-NEXT: m4.sxtb16 %[[W]]
  // CHECK-NEXT: m4.sxtb16_ror8 %[[W]]
  // CHECK-NEXT: m4.sadd16
  // CHECK-NEXT: m4.ssub16
  // CHECK-NEXT: m4.smax8
  // CHECK-NEXT: m4.smin8
  // CHECK-NEXT: m4.pkhbt
  // CHECK-NEXT: m4.pkhtb
  // CHECK-NEXT: %[[S:.*]] = m4.ssat %{{.*}} {bits = 8 : i32}
  // CHECK-NEXT: m4.store_word %[[S]], %arg0[%arg1] : memref<16xi8>
  %0 = m4.load_word %m[%i] : memref<16xi8>
  %1 = m4.sxtb16 %0
  %2 = m4.sxtb16_ror8 %0
  %3 = m4.sadd16 %1, %2
  %4 = m4.ssub16 %3, %2
  %max = m4.smax8 %0, %3
  %min = m4.smin8 %max, %4
  %5 = m4.pkhbt %3, %4
  %6 = m4.pkhtb %5, %4
  %7 = m4.ssat %6 {bits = 8 : i32}
  m4.store_word %7, %m[%i] : memref<16xi8>
  return
}
