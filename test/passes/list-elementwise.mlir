// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates %s | FileCheck %s

!x = !quant.uniform<i8:f32, 5.000000e-01:-3>
!y = !quant.uniform<i8:f32, 6.000000e-01:-128>

// Over the axes of a picture.
// CHECK-LABEL: @mean
// CHECK: kernel = "mean.smlaw"
func.func @mean(%x: tensor<1x7x7x64x!x>) -> tensor<1x64x!y> {
  %y = nn.mean %x {axes = array<i64: 1, 2>, keepDims = false} : (tensor<1x7x7x64x!x>) -> tensor<1x64x!y>
  return %y : tensor<1x64x!y>
}

// What lies between the means belongs to others.
// CHECK-LABEL: @mean_of_channels
// CHECK-NOT: mean.smlaw
// CHECK: return
func.func @mean_of_channels(%x: tensor<1x7x7x64x!x>) -> tensor<1x7x7x!y> {
  %y = nn.mean %x {axes = array<i64: 3>, keepDims = false} : (tensor<1x7x7x64x!x>) -> tensor<1x7x7x!y>
  return %y : tensor<1x7x7x!y>
}

// One row for all pixels, but no column for all channels.
// CHECK-LABEL: @rows
// CHECK: kernel = "add.smlaw"
func.func @rows(%x: tensor<1x8x8x16x!x>, %z: tensor<16x!x>) -> tensor<1x8x8x16x!y> {
  %y = nn.add %x, %z {activation = #nn.activation<none>} : (tensor<1x8x8x16x!x>, tensor<16x!x>) -> tensor<1x8x8x16x!y>
  return %y : tensor<1x8x8x16x!y>
}
// CHECK-LABEL: @columns
// CHECK-NOT: add.smlaw
// CHECK: return
func.func @columns(%x: tensor<1x8x8x16x!x>, %z: tensor<8x8x1x!x>) -> tensor<1x8x8x16x!y> {
  %y = nn.add %x, %z {activation = #nn.activation<none>} : (tensor<1x8x8x16x!x>, tensor<8x8x1x!x>) -> tensor<1x8x8x16x!y>
  return %y : tensor<1x8x8x16x!y>
}
