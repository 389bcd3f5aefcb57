// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --nn-fold-pad | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-01:-3>
!w = !quant.uniform<i8:f32, 2.500000e-01>
!y = !quant.uniform<i8:f32, 2.000000e+00:5>

// CHECK-LABEL: @both_convolutions
func.func @both_convolutions(%x: tensor<1x5x4x2x!q>) -> (tensor<1x3x4x1x!y>, tensor<1x6x6x2x!y>) {
  // CHECK-NOT: nn.pad
  // CHECK: nn.conv_2d %arg0, {{.*}}pads = array<i64: 1, 2, 1, 1>
  // CHECK: nn.depthwise_conv_2d %arg0, {{.*}}pads = array<i64: 1, 1, 1, 1>
  %w = nn.constant dense<[[[[1, -2], [3, 4], [5, -6]], [[7, 8], [-9, 10], [11, 12]], [[13, -14], [15, 16], [17, 18]]]]> : tensor<1x3x3x2xi8> -> tensor<1x3x3x2x!w>
  %d = nn.constant dense<[[[[1, -2]], [[3, 4]]]]> : tensor<1x2x1x2xi8> -> tensor<1x2x1x2x!w>
  %0 = nn.pad %x {paddings = array<i64: 0, 0, 1, 1, 1, 1, 0, 0>} : (tensor<1x5x4x2x!q>) -> tensor<1x7x6x2x!q>
  %1 = nn.conv_2d %0, %w {strides = array<i64: 2, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 0>, activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x7x6x2x!q>, tensor<1x3x3x2x!w>) -> tensor<1x3x4x1x!y>
  %2 = nn.depthwise_conv_2d %0, %d {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x7x6x2x!q>, tensor<1x2x1x2x!w>) -> tensor<1x6x6x2x!y>
  return %1, %2 : tensor<1x3x4x1x!y>, tensor<1x6x6x2x!y>
}

// A border of something else, around channels, or that others read stays.
// CHECK-LABEL: @stays
func.func @stays(%x: tensor<1x2x2x1xf32>) -> (tensor<1x4x4x1xf32>, tensor<1x2x2x1xf32>, tensor<1x4x4x1xf32>) {
  // CHECK-COUNT-3: nn.pad
  %one = nn.constant dense<1.0> : tensor<f32> -> tensor<f32>
  %w = nn.constant dense<2.0> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %w3 = nn.constant dense<2.0> : tensor<1x1x1x3xf32> -> tensor<1x1x1x3xf32>
  %0 = nn.pad %x, %one {paddings = array<i64: 0, 0, 1, 1, 1, 1, 0, 0>} : (tensor<1x2x2x1xf32>, tensor<f32>) -> tensor<1x4x4x1xf32>
  %1 = nn.conv_2d %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x4x4x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x4x4x1xf32>
  %2 = nn.pad %x {paddings = array<i64: 0, 0, 0, 0, 0, 0, 1, 1>} : (tensor<1x2x2x1xf32>) -> tensor<1x2x2x3xf32>
  %3 = nn.conv_2d %2, %w3 {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x2x2x3xf32>, tensor<1x1x1x3xf32>) -> tensor<1x2x2x1xf32>
  %4 = nn.pad %x {paddings = array<i64: 0, 0, 1, 1, 1, 1, 0, 0>} : (tensor<1x2x2x1xf32>) -> tensor<1x4x4x1xf32>
  %5 = nn.conv_2d %4, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x4x4x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x4x4x1xf32>
  %6 = nn.add %4, %5 {activation = #nn.activation<none>} : (tensor<1x4x4x1xf32>, tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32>
  return %1, %3, %6 : tensor<1x4x4x1xf32>, tensor<1x2x2x1xf32>, tensor<1x4x4x1xf32>
}

// 0 * infinity is no zero.
// CHECK-LABEL: @infinite_filter
func.func @infinite_filter(%x: tensor<1x2x2x1xf32>) -> tensor<1x4x4x1xf32> {
  // CHECK: nn.pad
  %w = nn.constant dense<0x7F800000> : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %0 = nn.pad %x {paddings = array<i64: 0, 0, 1, 1, 1, 1, 0, 0>} : (tensor<1x2x2x1xf32>) -> tensor<1x4x4x1xf32>
  %1 = nn.conv_2d %0, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x4x4x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x4x4x1xf32>
  return %1 : tensor<1x4x4x1xf32>
}
