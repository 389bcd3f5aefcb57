// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates %s | FileCheck %s
// RUN: thimble-opt --nn-list-candidates=target=nucleo-l4r5zi %s | FileCheck %s --check-prefix=BOARD

!x = !quant.uniform<i8:f32, 5.000000e-01:-3>
!w = !quant.uniform<i8:f32, 2.500000e-01>
!y = !quant.uniform<i8:f32, 8.000000e+00:-128>

// Code that does not fit the cache of a board is fetched from flash again and again: loops are better.
// CHECK-LABEL: @unrolled_or_looped
// CHECK: kernel = "conv_2d.unrolled"
// CHECK-SAME: kernel = "conv_2d.looped"
// BOARD-LABEL: @unrolled_or_looped
// BOARD: kernel = "conv_2d.looped"
// BOARD-SAME: kernel = "conv_2d.unrolled"
func.func @unrolled_or_looped(%x: tensor<1x16x16x16x!x>) -> tensor<1x16x16x16x!y> {
  %w = nn.constant dense<3> : tensor<16x3x3x16xi8> -> tensor<16x3x3x16x!w>
  %b = nn.constant dense<100> : tensor<16xi32> -> tensor<16xi32>
  %y = nn.conv_2d %x, %w, %b {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x16x16x16x!x>, tensor<16x3x3x16x!w>, tensor<16xi32>) -> tensor<1x16x16x16x!y>
  return %y : tensor<1x16x16x16x!y>
}
