// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates %s | FileCheck %s
// RUN: thimble-opt --nn-list-candidates=target=generic %s | FileCheck %s --check-prefix=GENERIC

!x = !quant.uniform<i8:f32, 5.000000e-01:-3>
!w = !quant.uniform<i8:f32, 2.500000e-01>
!y = !quant.uniform<i8:f32, 8.000000e+00:-128>

// GENERIC-NOT: {{winograd|unrolled|looped|registers}}

// The fewer multiplications the fewer cycles.
// CHECK-LABEL: @three_by_three
// CHECK: nn.conv_2d {{.*}}mcu.candidates = [
// CHECK-SAME: kernel = "conv_2d.winograd4"
// CHECK-SAME: kernel = "conv_2d.winograd2"
// CHECK-SAME: kernel = "conv_2d.unrolled"
// CHECK-SAME: kernel = "conv_2d.looped"
func.func @three_by_three(%x: tensor<1x16x16x16x!x>) -> tensor<1x16x16x16x!y> {
  %w = nn.constant dense<3> : tensor<16x3x3x16xi8> -> tensor<16x3x3x16x!w>
  %b = nn.constant dense<100> : tensor<16xi32> -> tensor<16xi32>
  %y = nn.conv_2d %x, %w, %b {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x16x16x16x!x>, tensor<16x3x3x16x!w>, tensor<16xi32>) -> tensor<1x16x16x16x!y>
  return %y : tensor<1x16x16x16x!y>
}

// Few channels stay in registers.
// CHECK-LABEL: @pointwise
// CHECK: nn.conv_2d {{.*}}mcu.candidates = [
// CHECK-NOT: winograd
// CHECK-SAME: kernel = "conv_2d.registers"
// CHECK-SAME: kernel = "conv_2d.unrolled"
// CHECK-SAME: kernel = "conv_2d.looped"
func.func @pointwise(%x: tensor<1x5x5x8x!x>) -> tensor<1x5x5x16x!y> {
  %w = nn.constant dense<3> : tensor<16x1x1x8xi8> -> tensor<16x1x1x8x!w>
  %b = nn.constant dense<100> : tensor<16xi32> -> tensor<16xi32>
  %y = nn.conv_2d %x, %w, %b {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x5x5x8x!x>, tensor<16x1x1x8x!w>, tensor<16xi32>) -> tensor<1x5x5x16x!y>
  return %y : tensor<1x5x5x16x!y>
}

// Few groups are one, with zeros between them.
// CHECK-LABEL: @two_groups
// CHECK: nn.conv_2d {{.*}}mcu.candidates = [
// CHECK-SAME: kernel = "conv_2d.unrolled"
func.func @two_groups(%x: tensor<1x8x8x16x!x>) -> tensor<1x8x8x16x!y> {
  %w = nn.constant dense<3> : tensor<16x3x3x8xi8> -> tensor<16x3x3x8x!w>
  %b = nn.constant dense<100> : tensor<16xi32> -> tensor<16xi32>
  %y = nn.conv_2d %x, %w, %b {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x8x8x16x!x>, tensor<16x3x3x8x!w>, tensor<16xi32>) -> tensor<1x8x8x16x!y>
  return %y : tensor<1x8x8x16x!y>
}

// A window as large as the picture is a fully connected layer.
// CHECK-LABEL: @whole_picture
// CHECK: nn.conv_2d {{.*}}mcu.candidates = [{{.*}}kernel = "fully_connected.unrolled"
// CHECK-SAME: kernel = "fully_connected.looped_by_8", scratch = 0
// CHECK-SAME: kernel = "fully_connected.looped", scratch = 0
func.func @whole_picture(%x: tensor<1x4x4x16x!x>) -> tensor<1x1x1x16x!y> {
  %w = nn.constant dense<3> : tensor<16x4x4x16xi8> -> tensor<16x4x4x16x!w>
  %b = nn.constant dense<100> : tensor<16xi32> -> tensor<16xi32>
  %y = nn.conv_2d %x, %w, %b {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x4x4x16x!x>, tensor<16x4x4x16x!w>, tensor<16xi32>) -> tensor<1x1x1x16x!y>
  return %y : tensor<1x1x1x16x!y>
}
