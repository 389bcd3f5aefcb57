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
  // CHECK-NEXT: mcu.stream {
  mcu.stream {
    // CHECK-NEXT: mcu.kernel 0 "negate" "unary.portable" rows(1) ins(%[[X]] : {{.*}}) outs(%[[Y]] : {{.*}}) scratch(%[[S]] : {{.*}}) cycles 80 flash 40
    mcu.kernel 0 "negate" "unary.portable" rows(1) ins(%x : !mcu.buffer<1x8xi8, nhwc, input>) outs(%y : !mcu.buffer<1x8xi8, nhwc, output>) scratch(%s : !mcu.buffer<2xi32, nhwc, scratch>) cycles 80 flash 40 {
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

// Two regions: the first begins with the address of the second.
#ram = #mcu.region<name = "RAM", capacity = 64, used = 16, lower_bound = 16>
#ccm = #mcu.region<name = "CCM", capacity = 32, used = 8, lower_bound = 4>
// CHECK-LABEL: mcu.program @two_regions attributes {arena_bytes = 16 : i64, lower_bound = 16 : i64,
// CHECK-SAME: ram = [#mcu.region<name = "RAM", capacity = 64, used = 16, lower_bound = 16>, #mcu.region<name = "CCM", capacity = 32, used = 8, lower_bound = 4>]}
mcu.program @two_regions attributes {arena_bytes = 16 : i64, lower_bound = 16 : i64, ram = [#ram, #ccm]} {
  // CHECK-NEXT: mcu.input 0 "x" at 0 : 8
  %x = mcu.input 0 "x" at 0 : 8 as tensor<8xi8> : !mcu.buffer<8xi8, nhwc, input>
  // CHECK-NEXT: mcu.buffer "y" at 1 : 0
  %y = mcu.buffer "y" at 1 : 0 : !mcu.buffer<8xi8, nhwc, activation>
}

// Before placement; the layouts and lifetimes; a lowered stream.
// CHECK-LABEL: mcu.program @lowered
mcu.program @lowered {
  // CHECK-NEXT: mcu.buffer "ring" : <1x4x8xi16, wide, activation, ring = 3>
  %ring = mcu.buffer "ring" : !mcu.buffer<1x4x8xi16, wide, activation, ring = 3>
  // CHECK-NEXT: mcu.buffer "state" : <8xf32, chw, state>
  %state = mcu.buffer "state" : !mcu.buffer<8xf32, chw, state>
  // CHECK-NEXT: mcu.buffer "scalar" : <i8, packed4, scratch>
  %scalar = mcu.buffer "scalar" : !mcu.buffer<i8, packed4, scratch>
  // CHECK-NEXT: mcu.call @layer(%{{.*}}, %{{.*}}) layer 0 "first" "neg" "unary.portable" writes [1] macs 0 cycles 80
  mcu.call @layer(%ring, %state) layer 0 "first" "neg" "unary.portable" writes [1] macs 0 cycles 80 : !mcu.buffer<1x4x8xi16, wide, activation, ring = 3>, !mcu.buffer<8xf32, chw, state>
}

// Rows of two tensors added in turn: one comes with padding through a ring that two stages read.
!x = !mcu.buffer<1x4x8xi8, nhwc, input>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 3>
!y = !mcu.buffer<1x4x8xi8, nhwc, output>
!sum = !mcu.buffer<8xi8, nhwc, output>
!t = tensor<1x1x8x!q>
// CHECK-LABEL: mcu.program @rows
mcu.program @rows {
  %x = mcu.input 0 "x" as tensor<1x4x8x!q> : !x
  %ring = mcu.buffer "ring" : !ring
  %y = mcu.buffer "y" : !y
  %sum = mcu.buffer "sum" : !sum
  // The ring's bytes, its two readers, the copied operand, the rows of %y, and the firings of the last.
  // CHECK: %[[P:.*]] = mcu.buffer "positions"
  %p = mcu.buffer "positions" : !mcu.buffer<6xi32, nhwc, activation>
  // CHECK-NEXT: mcu.stream schedule [1, 0, 2, 3, 0, 2, 3, 0, 2, 3, 0, 2, 3, 1] positions(%[[P]] : {{.*}}) driver @driver
  mcu.stream schedule [1, 0, 2, 3, 0, 2, 3, 0, 2, 3, 0, 2, 3, 1] positions(%p : !mcu.buffer<6xi32, nhwc, activation>) driver @driver {
    // CHECK-NEXT: mcu.copy_rows %{{.*}} to %{{.*}} rows(1) : <{{.*}}input> -> <{{.*}}ring = 3>
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
    // CHECK-NEXT: mcu.fill_rows %{{.*}} value(-128) rows(1) : <1x4x8xi8, nhwc, activation, ring = 3>
    mcu.fill_rows %ring value(-128) rows(1) : !ring
    // CHECK-NEXT: mcu.kernel 0 "negate" "unary.portable" rows(1) {{.*}} walk [1, 0] by [1, 1] rows [1, 1] cycles 96 flash 40
    mcu.kernel 0 "negate" "unary.portable" rows(1) ins(%ring : !ring) outs(%y : !y) walk [1, 0] by [1, 1] rows [1, 1] cycles 96 flash 40 {
    ^bb0(%t: !t):
      %0 = nn.neg %t : (!t) -> !t
      mcu.yield %0 : !t
    }
    // CHECK: mcu.call @row(%{{.*}}, %{{.*}}) layer 1 "sum" "sum" "reduction.portable" writes [1] macs 0 cycles 80 walk [1, 0] by [1, 0] rows [1, 0] each_row :
    mcu.call @row(%ring, %sum) layer 1 "sum" "sum" "reduction.portable" writes [1] macs 0 cycles 80 walk [1, 0] by [1, 0] rows [1, 0] each_row : !ring, !sum
  }
}
func.func private @row(memref<8xi8>, memref<8xi8>, i32)
func.func private @driver(memref<256xi8>)
func.func private @layer(memref<24xi16>, memref<8xf32>)
