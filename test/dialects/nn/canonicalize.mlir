// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --canonicalize | FileCheck %s

!q8 = !quant.uniform<i8:f32, 5.000000e-01:-3>

// CHECK-LABEL: @reshape_of_reshape
func.func @reshape_of_reshape(%x: tensor<2x6x!q8>) -> tensor<4x3x!q8> {
  // CHECK-NEXT: %[[R:.*]] = nn.reshape %arg0 : (tensor<2x6x{{.*}}>) -> tensor<4x3x
  // CHECK-NEXT: return %[[R]]
  %0 = nn.reshape %x : (tensor<2x6x!q8>) -> tensor<12x!q8>
  %1 = nn.reshape %0 : (tensor<12x!q8>) -> tensor<4x3x!q8>
  return %1 : tensor<4x3x!q8>
}

// CHECK-LABEL: @reshape_back
func.func @reshape_back(%x: tensor<2x6xf32>) -> tensor<2x6xf32> {
  // CHECK-NEXT: return %arg0
  %0 = nn.reshape %x : (tensor<2x6xf32>) -> tensor<12xf32>
  %1 = nn.reshape %0 : (tensor<12xf32>) -> tensor<2x6xf32>
  return %1 : tensor<2x6xf32>
}

// CHECK-LABEL: @identities
func.func @identities(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK-NEXT: return %arg0
  %0 = nn.transpose %x {permutation = array<i64: 0, 1>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = nn.slice %0 {begin = array<i64: 0, 0>, size = array<i64: 2, 2>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = nn.strided_slice %1 {begin = array<i64: 0, 0>, size = array<i64: 2, 2>, strides = array<i64: 1, 1>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %3 = nn.pad %2 {paddings = array<i64: 0, 0, 0, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %4 = nn.mirror_pad %3 {paddings = array<i64: 0, 0, 0, 0>, mode = #nn.mirror<reflect>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %5 = nn.tile %4 {multiples = array<i64: 1, 1>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %6 = nn.broadcast_to %5 : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %7 = nn.reverse %6 {axes = array<i64>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %8 = nn.concatenation %7 {axis = 0 : i64} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %8 : tensor<2x2xf32>
}

// A movement can keep the type and still move.
// CHECK-LABEL: @no_identities
func.func @no_identities(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  // CHECK: nn.transpose
  // CHECK: nn.strided_slice
  // CHECK: nn.reverse
  %0 = nn.transpose %x {permutation = array<i64: 1, 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %1 = nn.strided_slice %0 {begin = array<i64: 1, 0>, size = array<i64: 2, 2>, strides = array<i64: -1, 1>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  %2 = nn.reverse %1 {axes = array<i64: 0>} : (tensor<2x2xf32>) -> tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

// Equal constants become one.
// CHECK-LABEL: @constants
func.func @constants() -> (tensor<2xi32>, tensor<2xi32>) {
  // CHECK-NEXT: %[[C:.*]] = nn.constant
  // CHECK-NEXT: return %[[C]], %[[C]]
  %0 = nn.constant dense<[1, 2]> : tensor<2xi32> -> tensor<2xi32>
  %1 = nn.constant dense<[1, 2]> : tensor<2xi32> -> tensor<2xi32>
  return %0, %1 : tensor<2xi32>, tensor<2xi32>
}
