// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates --nn-order-operators --split-input-file %s | FileCheck %s

// One large tensor at a time; what moves nothing goes with its reader, or to the end without one.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[X:.*]]: tensor<2x8xf32>
// CHECK: %[[A:.*]] = nn.tile %[[X]]
// CHECK: %[[AS:.*]] = nn.reshape %[[A]]
// CHECK: %[[C:.*]] = nn.reduce_max %[[AS]]
// CHECK: %[[B:.*]] = nn.tile %[[X]]
// CHECK: %[[BS:.*]] = nn.reshape %[[B]]
// CHECK: %[[D:.*]] = nn.reduce_max %[[BS]]
// CHECK: nn.reshape %[[D]]
// CHECK: return %[[C]], %[[D]]
func.func @main(%x: tensor<2x8xf32>) -> (tensor<1xf32>, tensor<1xf32>) {
  %a = nn.tile %x {multiples = array<i64: 8, 1>} : (tensor<2x8xf32>) -> tensor<16x8xf32>
  %b = nn.tile %x {multiples = array<i64: 16, 1>} : (tensor<2x8xf32>) -> tensor<32x8xf32>
  %as = nn.reshape %a : (tensor<16x8xf32>) -> tensor<128xf32>
  %bs = nn.reshape %b : (tensor<32x8xf32>) -> tensor<256xf32>
  %c = nn.reduce_max %as {axes = array<i64: 0>, keepDims = true} : (tensor<128xf32>) -> tensor<1xf32>
  %d = nn.reduce_max %bs {axes = array<i64: 0>, keepDims = true} : (tensor<256xf32>) -> tensor<1xf32>
  %unread = nn.reshape %d : (tensor<1xf32>) -> tensor<1x1xf32>
  return %c, %d : tensor<1xf32>, tensor<1xf32>
}

// -----

// The last reader of %x has its result in its place.
// CHECK-LABEL: func.func @main
// CHECK: nn.reduce_max
// CHECK: nn.neg {{.*}}inPlace = array<i64: 0>
func.func @main(%x: tensor<64xf32>) -> (tensor<64xf32>, tensor<1xf32>) {
  %n = nn.neg %x : (tensor<64xf32>) -> tensor<64xf32>
  %m = nn.reduce_max %x {axes = array<i64: 0>, keepDims = true} : (tensor<64xf32>) -> tensor<1xf32>
  return %n, %m : tensor<64xf32>, tensor<1xf32>
}

// -----

// Two parts of one output: it is live from the first on, so that the order changes nothing.
// CHECK-LABEL: func.func @main
// CHECK: nn.tile {{.*}}multiples = array<i64: 2>
// CHECK: nn.tile {{.*}}multiples = array<i64: 4>
// CHECK: nn.concatenation
func.func @main(%x: tensor<8xf32>) -> tensor<48xf32> {
  %a = nn.tile %x {multiples = array<i64: 2>} : (tensor<8xf32>) -> tensor<16xf32>
  %b = nn.tile %x {multiples = array<i64: 4>} : (tensor<8xf32>) -> tensor<32xf32>
  %c = nn.concatenation %a, %b {axis = 0 : i64} : (tensor<16xf32>, tensor<32xf32>) -> tensor<48xf32>
  return %c : tensor<48xf32>
}
