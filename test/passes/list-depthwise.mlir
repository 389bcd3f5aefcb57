// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates %s | FileCheck %s
// RUN: thimble-opt --nn-list-candidates=target=generic %s | FileCheck %s --check-prefix=GENERIC

!x = !quant.uniform<i8:f32, 5.000000e-01:-3>
!w = !quant.uniform<i8:f32, 2.500000e-01>
!y = !quant.uniform<i8:f32, 8.000000e+00:-128>

// GENERIC-NOT: kernel = "{{[a-z_0-9]+}}.{{strip|narrow|direct|registers|window|taps|gather|smla}}"

// With stride 1 a transposed picture serves three output columns.
// CHECK-LABEL: @stride_1
// CHECK: nn.depthwise_conv_2d {{.*}}mcu.candidates = [
// CHECK-NOT: direct
// CHECK-NOT: narrow
// CHECK-SAME: kernel = "depthwise_conv_2d.strip"
// CHECK-SAME: kernel = "depthwise_conv_2d.taps"
func.func @stride_1(%x: tensor<1x12x20x6x!x>) -> tensor<1x12x20x6x!y> {
  %w = nn.constant dense<3> : tensor<1x3x3x6xi8> -> tensor<1x3x3x6x!w>
  %y = nn.depthwise_conv_2d %x, %w {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x12x20x6x!x>, tensor<1x3x3x6x!w>) -> tensor<1x12x20x6x!y>
  return %y : tensor<1x12x20x6x!y>
}

// With stride 2 it is not worth the transposition.
// CHECK-LABEL: @stride_2
// CHECK: nn.depthwise_conv_2d {{.*}}mcu.candidates = [
// CHECK-NOT: strip
// CHECK-SAME: kernel = "depthwise_conv_2d.direct"
// CHECK-SAME: kernel = "depthwise_conv_2d.taps"
func.func @stride_2(%x: tensor<1x12x12x8x!x>) -> tensor<1x6x6x8x!y> {
  %w = nn.constant dense<3> : tensor<1x3x3x8xi8> -> tensor<1x3x3x8x!w>
  %y = nn.depthwise_conv_2d %x, %w {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, requant = #nn.requant<double>, strides = array<i64: 2, 2>} : (tensor<1x12x12x8x!x>, tensor<1x3x3x8x!w>) -> tensor<1x6x6x8x!y>
  return %y : tensor<1x6x6x8x!y>
}

// A channel of a small picture is a few registers.
// CHECK-LABEL: @small
// CHECK: nn.depthwise_conv_2d {{.*}}mcu.candidates = [
// CHECK-SAME: kernel = "depthwise_conv_2d.registers"
// CHECK-SAME: kernel = "depthwise_conv_2d.strip"
// CHECK-SAME: kernel = "depthwise_conv_2d.narrow"
func.func @small(%x: tensor<1x3x3x16x!x>) -> tensor<1x3x3x16x!y> {
  %w = nn.constant dense<3> : tensor<1x3x3x16xi8> -> tensor<1x3x3x16x!w>
  %y = nn.depthwise_conv_2d %x, %w {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x3x3x16x!x>, tensor<1x3x3x16x!w>) -> tensor<1x3x3x16x!y>
  return %y : tensor<1x3x3x16x!y>
}

// Any other window on the picture.
// CHECK-LABEL: @along_time
// CHECK: nn.depthwise_conv_2d {{.*}}mcu.candidates = [
// CHECK-NOT: strip
// CHECK-SAME: kernel = "depthwise_conv_2d.window"
func.func @along_time(%x: tensor<1x24x1x16x!x>) -> tensor<1x15x1x16x!y> {
  %w = nn.constant dense<3> : tensor<1x10x1x16xi8> -> tensor<1x10x1x16x!w>
  %y = nn.depthwise_conv_2d %x, %w {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x24x1x16x!x>, tensor<1x10x1x16x!w>) -> tensor<1x15x1x16x!y>
  return %y : tensor<1x15x1x16x!y>
}

// One channel makes a depthwise convolution an ordinary one.
// CHECK-LABEL: @first
// CHECK: nn.depthwise_conv_2d {{.*}}mcu.candidates = [
// CHECK-SAME: kernel = "conv_2d.gather"
func.func @first(%x: tensor<1x49x40x1x!x>) -> tensor<1x25x20x8x!y> {
  %w = nn.constant dense<3> : tensor<1x10x8x8xi8> -> tensor<1x10x8x8x!w>
  %y = nn.depthwise_conv_2d %x, %w {activation = #nn.activation<relu>, dilations = array<i64: 1, 1>, pads = array<i64: 4, 5, 3, 3>, requant = #nn.requant<double>, strides = array<i64: 2, 2>} : (tensor<1x49x40x1x!x>, tensor<1x10x8x8x!w>) -> tensor<1x25x20x8x!y>
  return %y : tensor<1x25x20x8x!y>
}
