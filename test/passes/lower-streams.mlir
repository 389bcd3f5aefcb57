// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --mcu-lower-streams --split-input-file %s | FileCheck %s
// RUN: thimble-opt --mcu-lower-streams=instrument=true --split-input-file %s | FileCheck %s --check-prefix=HOOK

!x = !mcu.buffer<1x4x8xi8, nhwc, input>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 3>
!y = !mcu.buffer<1x4x8xi8, nhwc, output>
!sum = !mcu.buffer<8xi8, nhwc, output>
!q = tensor<1x4x8x!quant.uniform<i8:f32, 5.000000e-01>>

// Rows of %x come into a ring after one of padding; two stages read it, one of them row by row to a sum.
// CHECK: memref.global {{.*}}@net_stream_00_schedule : memref<13xi8> = dense<[1, 0, 2, 3, 0, 2, 3, 0, 2, 3, 0, 2, 3]>
mcu.program @net attributes {arena_bytes = 128 : i64, lower_bound = 128 : i64} {
  %x = mcu.input 0 "x" at 0 : 0 as !q : !x
  %ring = mcu.buffer "ring" at 0 : 32 : !ring
  %y = mcu.buffer "y" at 0 : 64 : !y
  %sum = mcu.buffer "sum" at 0 : 96 : !sum
  %p = mcu.buffer "positions" at 0 : 104 : !mcu.buffer<6xi32, nhwc, activation>
  // CHECK: mcu.stream schedule [1, 0, 2, 3, 0, 2, 3, 0, 2, 3, 0, 2, 3] {{.*}} driver @net_stream_00
  mcu.stream schedule [1, 0, 2, 3, 0, 2, 3, 0, 2, 3, 0, 2, 3] positions(%p : !mcu.buffer<6xi32, nhwc, activation>) {
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
    mcu.fill_rows %ring value(-128) rows(1) : !ring
    mcu.call @negate(%ring, %y) layer 0 "negate" "neg" "k" writes [1] macs 0 cycles 0 walk [1, 0] by [1, 1] rows [1, 1] : !ring, !y
    mcu.call @add(%ring, %sum) layer 1 "sum" "sum" "k" writes [1] macs 0 cycles 0 walk [1, 0] by [1, 0] rows [1, 0] each_row : !ring, !sum
  }
}
func.func private @negate(memref<8xi8>, memref<8xi8>)
func.func private @add(memref<8xi8>, memref<8xi8>, i32)

// CHECK: func.func private @net_stream_00(%[[ARENA:.*]]: memref<128xi8>)
// CHECK: memref.view %[[ARENA]][%{{.*}}][] : memref<128xi8> to memref<6xi32>
// The ring is empty, its readers begin after the padding.
// CHECK-COUNT-6: memref.store
// CHECK: scf.for
// CHECK: scf.index_switch
// A copy: to the ring's end, from where %x has come to; both move on.
// CHECK: case 0
// CHECK: call @thimble_copy_rows({{.*}}) : (memref<1xi8>, memref<1xi8>, i32) -> ()
// CHECK-COUNT-2: memref.store
// CHECK-NOT: memref.store
// CHECK: case 1
// CHECK: %[[VALUE:.*]] = arith.constant -128 : i32
// CHECK: call @thimble_fill_rows(%{{.*}}, %[[VALUE]], %{{.*}})
// CHECK-COUNT-1: memref.store
// CHECK-NOT: memref.store
// A reader: what both have passed goes, the others move to the front.
// CHECK: case 2
// CHECK: call @negate(%{{.*}}, %{{.*}}) : (memref<8xi8>, memref<8xi8>) -> ()
// CHECK: arith.minsi
// CHECK: scf.if
// CHECK: call @thimble_copy_rows
// CHECK: default
// CHECK: call @add(%{{.*}}, %{{.*}}, %{{.*}}) : (memref<8xi8>, memref<8xi8>, i32) -> ()
// CHECK: scf.if
// CHECK: call @thimble_copy_rows

// The hook is for the rows that a firing wrote, and for a result that is there with the last row.
// HOOK: %[[ROW:.*]] = arith.extsi %{{.*}} : i16 to i32
// HOOK: call @negate
// HOOK: call @thimble_layer_hook(%{{.*}}, %{{.*}}, %{{.*}}, %[[ROW]], %{{.*}})
// HOOK: call @add
// HOOK: scf.if
// HOOK: call @thimble_layer_hook
// HOOK: mcu.program @one

// -----

!x = !mcu.buffer<1x4x8xi8, nhwc, input>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 1>
!y = !mcu.buffer<1x4x8xi8, nhwc, output>
!q = tensor<1x4x8x!quant.uniform<i8:f32, 5.000000e-01>>

// The only reader of a ring needs no position, and one that takes the whole ring leaves nothing to move.
mcu.program @one attributes {arena_bytes = 96 : i64, lower_bound = 96 : i64} {
  %x = mcu.input 0 "x" at 0 : 0 as !q : !x
  %ring = mcu.buffer "ring" at 0 : 32 : !ring
  %y = mcu.buffer "y" at 0 : 40 : !y
  %p = mcu.buffer "positions" at 0 : 72 : !mcu.buffer<3xi32, nhwc, activation>
  mcu.stream schedule [0, 1, 0, 1, 0, 1, 0, 1] positions(%p : !mcu.buffer<3xi32, nhwc, activation>) {
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
    mcu.call @negate(%ring, %y) layer 0 "negate" "neg" "k" writes [1] macs 0 cycles 0 walk [0, 0] by [1, 1] rows [1, 1] : !ring, !y
  }
}
func.func private @negate(memref<8xi8>, memref<8xi8>)
// CHECK: func.func private @one_stream_00(
// CHECK: case 0
// CHECK: call @thimble_copy_rows
// CHECK: default
// CHECK: call @negate
// CHECK-NOT: call @thimble_copy_rows
// CHECK-NOT: scf.if

// -----

!x = !mcu.buffer<1x4x8xi8, nhwc, input>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
!y = !mcu.buffer<1x4x8xi8, nhwc, output>
!count = !mcu.buffer<1xi32, nhwc, state>
!p = !mcu.buffer<2xi32, nhwc, activation>
!q = tensor<1x4x8x!quant.uniform<i8:f32, 5.000000e-01>>

// The caller has the rows of %x: the driver is called with each, and fires what that makes possible. The
// input has no place and no position.
// CHECK-DAG: memref.global {{.*}}@net_stream_00_schedule : memref<9xi8> = dense<[1, 0, 2, 0, 2, 0, 2, 0, 2]>
// CHECK-DAG: memref.global {{.*}}@net_stream_00_begins : memref<5xi16> = dense<[0, 3, 5, 7, 9]>
// CHECK: func.func private @net_stream_00(%[[ARENA:.*]]: memref<64xi8>, %[[PUSHED:.*]]: memref<8xi8> {mcu.read_only}, %[[NUMBER:.*]]: i32)
// CHECK: %[[IS_FIRST:.*]] = arith.cmpi eq, %[[NUMBER]]
// CHECK: scf.if %[[IS_FIRST]]
// CHECK-COUNT-2: memref.store
// CHECK-NOT: memref.store
// CHECK: scf.for
// CHECK: case 0
// CHECK: %[[ROW:.*]] = memref.view %[[PUSHED]]
// CHECK: call @thimble_copy_rows(%{{.*}}, %[[ROW]], %{{.*}})
// CHECK-COUNT-1: memref.store
// CHECK-NOT: memref.store
// CHECK: case 1
mcu.program @net attributes {arena_bytes = 64 : i64, lower_bound = 64 : i64} {
  %count = mcu.buffer "rows pushed" at 0 : 60 : !count
  %x = mcu.input 0 "x" pushed(%count : !count) as !q : !x
  %ring = mcu.buffer "ring" at 0 : 32 : !ring
  %y = mcu.buffer "y" at 0 : 0 : !y
  %p = mcu.buffer "positions" at 0 : 48 : !p
  mcu.stream schedule [1, 0, 2, 0, 2, 0, 2, 0, 2] positions(%p : !p) {
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
    mcu.fill_rows %ring value(-128) rows(1) : !ring
    mcu.call @negate(%ring, %y) layer 0 "negate" "neg" "k" writes [1] macs 0 cycles 0 walk [0, 0] by [1, 1] rows [2, 1] : !ring, !y
  }
  mcu.output 0 "y" %y as !q : !y
}
func.func private @negate(memref<16xi8>, memref<8xi8>)

// -----

!x = !mcu.buffer<1x4x8xi8, nhwc, input>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
!y = !mcu.buffer<1x4x8xi8, nhwc, output>
!q = tensor<1x4x8x!quant.uniform<i8:f32, 5.000000e-01>>

// A lazy ring moves what its reader has not passed before rows are appended, and the reader has a position.
// CHECK: func.func private @lazy_stream_00
// CHECK: case 0
// CHECK: arith.minsi
// CHECK: scf.if
// CHECK: call @thimble_copy_rows
// CHECK: }
// CHECK: call @thimble_copy_rows
// CHECK: default
// CHECK-NOT: thimble_copy_rows
// CHECK: call @negate
// CHECK-NOT: thimble_copy_rows
// CHECK: return
mcu.program @lazy attributes {arena_bytes = 128 : i64, lower_bound = 128 : i64} {
  %x = mcu.input 0 "x" at 0 : 0 as !q : !x
  %ring = mcu.buffer "ring" at 0 : 32 lazy : !ring
  %y = mcu.buffer "y" at 0 : 64 : !y
  %p = mcu.buffer "positions" at 0 : 96 : !mcu.buffer<4xi32, nhwc, activation>
  mcu.stream schedule [0, 0, 1, 0, 1, 0, 1] positions(%p : !mcu.buffer<4xi32, nhwc, activation>) {
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
    mcu.call @negate(%ring, %y) layer 0 "negate" "neg" "k" writes [1] macs 0 cycles 0 walk [0, 0] by [1, 1] rows [2, 1] : !ring, !y
  }
}
func.func private @negate(memref<16xi8>, memref<8xi8>)

// -----

!x = !mcu.buffer<1x4x8xi8, nhwc, input>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
!y = !mcu.buffer<1x4x8xi8, nhwc, output>
!q = tensor<1x4x8x!quant.uniform<i8:f32, 5.000000e-01>>
#ram = #mcu.region<name = "RAM", capacity = 64, used = 56, lower_bound = 56>
#ccm = #mcu.region<name = "CCM", capacity = 64, used = 48, lower_bound = 48>

// The driver gets the base of each region.
mcu.program @two attributes {arena_bytes = 56 : i64, lower_bound = 56 : i64, ram = [#ram, #ccm]} {
  %x = mcu.input 0 "x" at 0 : 8 as !q : !x
  %ring = mcu.buffer "ring" at 0 : 40 : !ring
  %y = mcu.buffer "y" at 1 : 0 : !y
  %p = mcu.buffer "positions" at 1 : 32 : !mcu.buffer<3xi32, nhwc, activation>
  mcu.stream schedule [0, 1, 0, 1, 0, 1, 0, 1] positions(%p : !mcu.buffer<3xi32, nhwc, activation>) {
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
    mcu.call @negate(%ring, %y) layer 0 "negate" "neg" "k" writes [1] macs 0 cycles 0 walk [0, 0] by [1, 1] rows [1, 1] : !ring, !y
  }
}
func.func private @negate(memref<8xi8>, memref<8xi8>)
// CHECK: func.func private @two_stream_00(%[[ARENA:.*]]: memref<56xi8>, %[[CCM:.*]]: memref<48xi8>)
// CHECK: memref.view %[[CCM]][%{{.*}}][] : memref<48xi8> to memref<3xi32>
// CHECK: case 0
// CHECK-COUNT-2: memref.view %[[ARENA]]
// CHECK: default
// CHECK: %[[IN:.*]] = memref.view %[[ARENA]]
// CHECK: %[[OUT:.*]] = memref.view %[[CCM]]
// CHECK: call @negate(%[[IN]], %[[OUT]])
