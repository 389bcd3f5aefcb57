// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic" \
// RUN:   --mcu-place-buffers --mcu-lower-kernels --cse --split-input-file %s | FileCheck %s

// A stream becomes a call, its kernel a function of the buffers in RAM. Long runs move by words.
// CHECK-LABEL: mcu.program @net
// CHECK: mcu.call @net_layer_00_slice(%{{.*}}, %{{.*}}) layer 0 "" "slice" "movement.portable" writes [1]
// CHECK: func.func private @net_layer_00_slice(%[[IN:.*]]: memref<80xi8>, %[[OUT:.*]]: memref<36xi8>)
// CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step
// CHECK: scf.for
// CHECK: %[[WORD:.*]] = m4.load_word %[[IN]]
// CHECK: m4.store_word %[[WORD]], %[[OUT]]
// CHECK: memref.load %[[IN]]
// CHECK: memref.store {{.*}}, %[[OUT]]
func.func @main(%x: tensor<4x20xi8>) -> tensor<4x9xi8> {
  %y = nn.slice %x {begin = array<i64: 0, 3>, size = array<i64: 4, 9>} : (tensor<4x20xi8>) -> tensor<4x9xi8>
  return %y : tensor<4x9xi8>
}

// -----

// Many copies between two buffers are a loop over a table of the numbers in which they differ.
// CHECK: memref.global "private" constant @net_layer_00_mirror_pad_copies : memref<{{[0-9]+}}xi32>
// CHECK: func.func private @net_layer_00_mirror_pad(
// CHECK: memref.get_global @net_layer_00_mirror_pad_copies
// CHECK-COUNT-3: scf.for
// CHECK-NOT: scf.for
func.func @main(%x: tensor<4x5xi16>) -> tensor<7x8xi16> {
  %y = nn.mirror_pad %x {paddings = array<i64: 1, 2, 2, 1>, mode = #nn.mirror<reflect>}
     : (tensor<4x5xi16>) -> tensor<7x8xi16>
  return %y : tensor<7x8xi16>
}

// -----

// A border is filled with the zero point.
// CHECK: func.func private @net_layer_00_pad(%{{.*}}: memref<4xi8>, %[[OUT:.*]]: memref<16xi8>)
// CHECK: %[[WORD:.*]] = arith.constant 117901063 : i32
// CHECK: m4.store_word %[[WORD]], %[[OUT]]
!q = !quant.uniform<i8:f32, 5.000000e-01:7>
func.func @main(%x: tensor<2x2x!q>) -> tensor<4x4x!q> {
  %y = nn.pad %x {paddings = array<i64: 1, 1, 1, 1>} : (tensor<2x2x!q>) -> tensor<4x4x!q>
  return %y : tensor<4x4x!q>
}

// -----

// A gathered index is clamped to the axis.
// CHECK: func.func private @net_layer_00_gather(
// CHECK: %[[AT:.*]] = memref.load %{{.*}} : memref<3xi64>
// CHECK-DAG: %[[LAST:.*]] = arith.constant 4 : i64
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i64
// CHECK: %[[LOW:.*]] = arith.maxsi %[[AT]], %[[ZERO]]
// CHECK: %[[CLAMPED:.*]] = arith.minsi %[[LOW]], %[[LAST]]
// CHECK: arith.index_cast %[[CLAMPED]] : i64 to index
func.func @main(%x: tensor<5x2xf32>, %i: tensor<3xi64>) -> tensor<3x2xf32> {
  %y = nn.gather %x, %i {axis = 0 : i64, batchDims = 0 : i64} : (tensor<5x2xf32>, tensor<3xi64>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// -----

// A scattered element is dropped where its index lies outside.
// CHECK: func.func private @net_layer_00_scatter_nd(
// CHECK: %[[AT:.*]] = memref.load %{{.*}} : memref<2xi32>
// CHECK: %[[NOT_BELOW:.*]] = arith.cmpi sge, %[[AT]], %{{.*}} : i32
// CHECK: %[[BELOW:.*]] = arith.cmpi slt, %[[AT]], %{{.*}} : i32
// CHECK: %[[INSIDE:.*]] = arith.andi %[[NOT_BELOW]], %[[BELOW]]
// CHECK: scf.if %[[INSIDE]]
// CHECK: memref.store
func.func @main(%i: tensor<2x1xi32>, %u: tensor<2xi16>) -> tensor<5xi16> {
  %y = nn.scatter_nd %i, %u : (tensor<2x1xi32>, tensor<2xi16>) -> tensor<5xi16>
  return %y : tensor<5xi16>
}

// -----

// Sums of plain 32-bit integers for a mean have 64 bits; a sum of few bytes cannot overflow.
// CHECK: func.func private @net_layer_00_mean(
// CHECK: scf.for {{.*}} -> (i64)
// CHECK: arith.extsi %{{.*}} : i32 to i64
// CHECK: arith.addi %{{.*}}, %{{.*}} : i64
// CHECK: arith.divsi %{{.*}}, %{{.*}} : i64
// CHECK: arith.trunci %{{.*}} : i64 to i32
func.func @main(%x: tensor<3x4xi32>) -> tensor<3xi32> {
  %y = nn.mean %x {axes = array<i64: 1>, keepDims = false} : (tensor<3x4xi32>) -> tensor<3xi32>
  return %y : tensor<3xi32>
}

// -----

// CHECK: func.func private @net_layer_00_sum(
// CHECK: arith.addi %{{.*}}, %{{.*}} overflow<nsw> : i32
// CHECK: call @thimble_requantize_double
!q = !quant.uniform<i8:f32, 5.000000e-01:7>
func.func @main(%x: tensor<3x4x!q>) -> tensor<3x!q> {
  %y = nn.sum %x {axes = array<i64: 1>, keepDims = false} : (tensor<3x4x!q>) -> tensor<3x!q>
  return %y : tensor<3x!q>
}
