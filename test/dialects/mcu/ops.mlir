// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --verify-roundtrip | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-01>

// CHECK-LABEL: mcu.program @planned attributes {arena_bytes = 24 : i64, lower_bound = 16 : i64}
mcu.program @planned attributes {arena_bytes = 24 : i64, lower_bound = 16 : i64} {
  // CHECK-NEXT: %[[X:.*]] = mcu.input 0 "x" at 0 : 8 as tensor<1x8x!quant.uniform<{{.*}}>> : <1x8xi8, nhwc, input>
  %x = mcu.input 0 "x" at 0 : 8 as tensor<1x8x!q> : !mcu.buffer<1x8xi8, nhwc, input>
  // CHECK-NEXT: mcu.constant "w" dense<1> : tensor<8xi8> : <8xi8, nhwc, constant>
  %w = mcu.constant "w" dense<1> : tensor<8xi8> : !mcu.buffer<8xi8, nhwc, constant>
  // CHECK-NEXT: %[[Y:.*]] = mcu.buffer "y" at 0 : 0 : <1x8xi8, nhwc, output>
  %y = mcu.buffer "y" at 0 : 0 : !mcu.buffer<1x8xi8, nhwc, output>
  // CHECK-NEXT: %[[S:.*]] = mcu.buffer "y" at 0 : 16 : <2xi32, nhwc, scratch>
  %s = mcu.buffer "y" at 0 : 16 : !mcu.buffer<2xi32, nhwc, scratch>
  // CHECK-NEXT: mcu.stream 0 "negate" rows(1)
  mcu.stream 0 "negate" rows(1) {
    // CHECK-NEXT: mcu.kernel "unary.portable" ins(%[[X]] : {{.*}}) outs(%[[Y]] : {{.*}}) scratch(%[[S]] : {{.*}}) cycles 80 flash 40
    mcu.kernel "unary.portable" ins(%x : !mcu.buffer<1x8xi8, nhwc, input>) outs(%y : !mcu.buffer<1x8xi8, nhwc, output>) scratch(%s : !mcu.buffer<2xi32, nhwc, scratch>) cycles 80 flash 40 {
    ^bb0(%t: tensor<1x8x!q>):
      %0 = nn.neg %t : (tensor<1x8x!q>) -> tensor<1x8x!q>
      // CHECK: mcu.yield %{{.*}} : tensor
      mcu.yield %0 : tensor<1x8x!q>
    }
  }
  // CHECK: mcu.alias %[[Y]][4] : <1x8xi8, nhwc, output> -> <4xi8, nhwc, output>
  %part = mcu.alias %y[4] : !mcu.buffer<1x8xi8, nhwc, output> -> !mcu.buffer<4xi8, nhwc, output>
  // CHECK-NEXT: mcu.output 0 "y" %
  mcu.output 0 "y" %part as tensor<4x!q> : !mcu.buffer<4xi8, nhwc, output>
}

// Before placement; the layouts and lifetimes; a lowered stream.
// CHECK-LABEL: mcu.program @lowered
mcu.program @lowered {
  // CHECK-NEXT: mcu.buffer "ring" : <4x8xi16, wide, activation, ring = 3>
  %ring = mcu.buffer "ring" : !mcu.buffer<4x8xi16, wide, activation, ring = 3>
  // CHECK-NEXT: mcu.buffer "state" : <8xf32, chw, state>
  %state = mcu.buffer "state" : !mcu.buffer<8xf32, chw, state>
  // CHECK-NEXT: mcu.buffer "scalar" : <i8, packed4, scratch>
  %scalar = mcu.buffer "scalar" : !mcu.buffer<i8, packed4, scratch>
  // CHECK-NEXT: mcu.call @layer(%{{.*}}, %{{.*}}) layer 0 "first" "neg" "unary.portable" writes [1] macs 0 cycles 80
  mcu.call @layer(%ring, %state) layer 0 "first" "neg" "unary.portable" writes [1] macs 0 cycles 80 : !mcu.buffer<4x8xi16, wide, activation, ring = 3>, !mcu.buffer<8xf32, chw, state>
}
func.func private @layer(memref<32xi16>, memref<8xf32>)
