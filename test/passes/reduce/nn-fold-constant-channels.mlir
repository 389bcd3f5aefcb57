// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --nn-fold-constant-channels | FileCheck %s
// RUN: thimble-opt %s --nn-fold-constant-channels --mlir-disable-threading --remark-format=emitRemark \
// RUN:   --remarks-filter=reduce --remark-policy=all 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

!x = !quant.uniform<i8:f32, 1.000000e-01>
!u = !quant.uniform<u8:f32, 1.000000e-01:120>
!s = !quant.uniform<i16:f32, 1.000000e-03>
!w = !quant.uniform<i8:f32, 1.000000e-01>
!y = !quant.uniform<i8:f32, 1.000000e+00:3>
!p = !quant.uniform<i8:f32, 3.906250e-03:-128>
#one = array<i64: 1, 1>
#none = array<i64: 0, 0, 0, 0>
#same = array<i64: 1, 1, 1, 1>
#linear = #nn.activation<none>
#double = #nn.requant<double>

// Filters of zeros whose scales give a multiplier of zero, and one with which the bias wraps, a bias
// that no input can make up for, and a channel that varies.
!absurd = !quant.uniform<i8:f32:0, {1.000000e-01, 1.000000e-30, 1.000000e+06, 1.000000e-01}>
// REMARK: ConstantChannels {{.*}}"lo = hi in these of 4 output channels, whatever the input: 3 in 1-2; 127 in 0"
// CHECK-LABEL: @absurd_scales
func.func @absurd_scales(%x: tensor<1x2x2x1x!x>) -> tensor<1x2x2x4x!y> {
  // CHECK-DAG: %[[W:.*]] = nn.constant dense<{{\[\[\[\[}}0]]], {{\[\[\[}}0]]], {{\[\[\[}}0]]], {{\[\[\[}}7]]]]>
  // CHECK-DAG: %[[B:.*]] = nn.constant dense<[87200, 1073741824, -1073741824, 5]>
  // CHECK: nn.conv_2d %arg0, %[[W]], %[[B]]
  %w = nn.constant dense<[[[[100]]], [[[0]]], [[[0]]], [[[7]]]]> : tensor<4x1x1x1xi8> -> tensor<4x1x1x1x!absurd>
  %b = nn.constant dense<[100000, 1073741824, -1073741824, 5]> : tensor<4xi32> -> tensor<4xi32>
  %0 = nn.conv_2d %x, %w, %b {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x2x2x1x!x>, tensor<4x1x1x1x!absurd>, tensor<4xi32>) -> tensor<1x2x2x4x!y>
  return %0 : tensor<1x2x2x4x!y>
}

// A constant that is not the zero point adds less in the corners of a padded picture; without
// padding every window sees the same. Both layers read one filter, of which only one gets a copy.
// REMARK: ConstantChannels {{.*}}2 output channels, whatever the input: 13 in 1"
// REMARK: [Missed] FoldInputs {{.*}}"constant input channels 1 stay: what they add differs at the border"
// REMARK: [Passed] FoldInputs {{.*}}"the bias takes in constant input channels 1"
// CHECK-LABEL: @borders
func.func @borders(%x: tensor<1x4x4x1x!x>) -> (tensor<1x4x4x1x!y>, tensor<1x2x2x1x!y>) {
  // 9 taps of weight 2 on 13 - 3.
  // CHECK: %[[SAME:.*]] = nn.constant dense<{{.*}}[1, 2]{{.*}}> : tensor<1x3x3x2xi8>
  // CHECK: nn.conv_2d %{{.*}}, %[[SAME]], %{{.*}} pads = array<i64: 1, 1, 1, 1>
  // CHECK: %[[VALID:.*]] = nn.constant dense<{{.*}}[1, 0]{{.*}}> : tensor<1x3x3x2xi8>
  // CHECK: %[[B:.*]] = nn.constant dense<187> : tensor<1xi32>
  // CHECK: nn.conv_2d %{{.*}}, %[[VALID]], %[[B]] {{.*}} pads = array<i64: 0, 0, 0, 0>
  %w = nn.constant dense<[[[[5]]], [[[0]]]]> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!w>
  %b = nn.constant dense<[0, 1000]> : tensor<2xi32> -> tensor<2xi32>
  %f = nn.constant dense<[[[[1, 2], [1, 2], [1, 2]], [[1, 2], [1, 2], [1, 2]], [[1, 2], [1, 2], [1, 2]]]]> : tensor<1x3x3x2xi8> -> tensor<1x3x3x2x!w>
  %c = nn.constant dense<7> : tensor<1xi32> -> tensor<1xi32>
  %0 = nn.conv_2d %x, %w, %b {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x4x4x1x!x>, tensor<2x1x1x1x!w>, tensor<2xi32>) -> tensor<1x4x4x2x!y>
  %1 = nn.conv_2d %0, %f, %c {strides = #one, dilations = #one, pads = #same, activation = #linear, requant = #double} : (tensor<1x4x4x2x!y>, tensor<1x3x3x2x!w>, tensor<1xi32>) -> tensor<1x4x4x1x!y>
  %2 = nn.conv_2d %0, %f, %c {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x4x4x2x!y>, tensor<1x3x3x2x!w>, tensor<1xi32>) -> tensor<1x2x2x1x!y>
  return %1, %2 : tensor<1x4x4x1x!y>, tensor<1x2x2x1x!y>
}

// The zero point adds nothing anywhere. A depthwise layer in whose scaling the border disappears
// gives a constant again (channel 1), one with a larger scale does not (channel 2).
!coarse = !quant.uniform<i8:f32:3, {1.000000e-01, 1.000000e-04, 1.000000e-01}>
// CHECK-LABEL: @depthwise_same
func.func @depthwise_same(%x: tensor<1x4x4x1x!x>) -> tensor<1x4x4x2x!y> {
  // CHECK-DAG: nn.constant dense<{{\[\[\[\[}}1, 0, 1], {{.*}}> : tensor<1x3x3x3xi8>
  // CHECK-DAG: nn.constant dense<{{\[\[\[\[}}1, 0, 1]]], {{\[\[\[}}0, 0, 2]]]]> : tensor<2x1x1x3xi8>
  // CHECK-DAG: nn.constant dense<[0, 90]> : tensor<2xi32>
  %w = nn.constant dense<[[[[5]]], [[[0]]], [[[0]]]]> : tensor<3x1x1x1xi8> -> tensor<3x1x1x1x!w>
  %b = nn.constant dense<[0, 10000, 1000]> : tensor<3xi32> -> tensor<3xi32>
  %d = nn.constant dense<1> : tensor<1x3x3x3xi8> -> tensor<1x3x3x3x!coarse>
  %e = nn.constant dense<[0, 900000, 0]> : tensor<3xi32> -> tensor<3xi32>
  %f = nn.constant dense<[[[[1, 0, 1]]], [[[0, 1, 2]]]]> : tensor<2x1x1x3xi8> -> tensor<2x1x1x3x!w>
  %0 = nn.conv_2d %x, %w, %b {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x4x4x1x!x>, tensor<3x1x1x1x!w>, tensor<3xi32>) -> tensor<1x4x4x3x!y>
  %1 = nn.depthwise_conv_2d %0, %d, %e {strides = #one, dilations = #one, pads = #same, activation = #linear, requant = #double} : (tensor<1x4x4x3x!y>, tensor<1x3x3x3x!coarse>, tensor<3xi32>) -> tensor<1x4x4x3x!y>
  %2 = nn.conv_2d %1, %f {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x4x4x3x!y>, tensor<2x1x1x3x!w>) -> tensor<1x4x4x2x!y>
  return %2 : tensor<1x4x4x2x!y>
}

// A pad is the zero point: around another constant it makes windows differ.
// REMARK: [Missed] FoldInputs {{.*}}"constant input channels 1 stay
// CHECK-LABEL: @padded_constant
func.func @padded_constant(%x: tensor<1x3x3x1x!x>) -> tensor<1x4x4x1x!y> {
  // CHECK: nn.constant dense<{{.*}}1, 2]{{.*}}> : tensor<1x1x1x2xi8>
  %w = nn.constant dense<[[[[5]]], [[[0]]]]> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!w>
  %b = nn.constant dense<[0, 1000]> : tensor<2xi32> -> tensor<2xi32>
  %f = nn.constant dense<[[[[1, 2]]]]> : tensor<1x1x1x2xi8> -> tensor<1x1x1x2x!w>
  %0 = nn.conv_2d %x, %w, %b {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x3x3x1x!x>, tensor<2x1x1x1x!w>, tensor<2xi32>) -> tensor<1x3x3x2x!y>
  %1 = nn.pad %0 {paddings = array<i64: 0, 0, 0, 1, 0, 1, 0, 0>} : (tensor<1x3x3x2x!y>) -> tensor<1x4x4x2x!y>
  %2 = nn.conv_2d %1, %f {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x4x4x2x!y>, tensor<1x1x1x2x!w>) -> tensor<1x4x4x1x!y>
  return %2 : tensor<1x4x4x1x!y>
}

// Through a picture laid flat, an average and an addition: 13 and 2 * 13 - 3. A layer without a bias
// gets one.
// CHECK-LABEL: @flattened
func.func @flattened(%x: tensor<1x2x2x1x!x>) -> tensor<1x2x!y> {
  // CHECK-DAG: nn.constant dense<{{\[\[}}1, 0, 3, 0, 5, 0, 7, 0], [-1, 0, -1, 0, -1, 0, -1, 0]]> : tensor<2x8xi8>
  // CHECK-DAG: nn.constant dense<[400, -80]> : tensor<2xi32>
  %w = nn.constant dense<[[[[5]]], [[[0]]]]> : tensor<2x1x1x1xi8> -> tensor<2x1x1x1x!w>
  %b = nn.constant dense<[0, 1000]> : tensor<2xi32> -> tensor<2xi32>
  %f = nn.constant dense<[[1, 2, 3, 4, 5, 6, 7, 8], [-1, -1, -1, -1, -1, -1, -1, -1]]> : tensor<2x8xi8> -> tensor<2x8x!w>
  %0 = nn.conv_2d %x, %w, %b {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x2x2x1x!x>, tensor<2x1x1x1x!w>, tensor<2xi32>) -> tensor<1x2x2x2x!y>
  %1 = nn.average_pool_2d %0 {filter = array<i64: 2, 2>, strides = #one, pads = array<i64: 0, 1, 1, 0>, activation = #linear} : (tensor<1x2x2x2x!y>) -> tensor<1x2x2x2x!y>
  %2 = nn.add %0, %1 {activation = #linear} : (tensor<1x2x2x2x!y>, tensor<1x2x2x2x!y>) -> tensor<1x2x2x2x!y>
  %3 = nn.reshape %2 : (tensor<1x2x2x2x!y>) -> tensor<1x8x!y>
  %4 = nn.fully_connected %3, %f {activation = #linear, requant = #double} : (tensor<1x8x!y>, tensor<2x8x!w>) -> tensor<1x2x!y>
  return %4 : tensor<1x2x!y>
}

// Unsigned weights have a zero point of their own; int16 layers without a bias add in 64 bits.
!uw = !quant.uniform<u8:f32, 1.000000e-01:100>
// CHECK-LABEL: @other_types
func.func @other_types(%u: tensor<1x2x!u>, %s: tensor<1x2x!s>) -> (tensor<1x1x!u>, tensor<1x1x!s>) {
  // CHECK-DAG: nn.constant dense<{{\[\[}}90, 100]]> : tensor<1x2xui8>
  // CHECK-DAG: nn.constant dense<540> : tensor<1xi32>
  // CHECK-DAG: nn.constant dense<{{\[\[}}3, 0]]> : tensor<1x2xi8>
  // CHECK-DAG: nn.constant dense<-131068> : tensor<1xi64>
  %uw = nn.constant dense<[[101, 99], [100, 100]]> : tensor<2x2xui8> -> tensor<2x2x!uw>
  %ub = nn.constant dense<[0, 1000000]> : tensor<2xi32> -> tensor<2xi32>
  %uv = nn.constant dense<[[90, 104]]> : tensor<1x2xui8> -> tensor<1x2x!uw>
  %0 = nn.fully_connected %u, %uw, %ub {activation = #linear, requant = #double} : (tensor<1x2x!u>, tensor<2x2x!uw>, tensor<2xi32>) -> tensor<1x2x!u>
  %1 = nn.fully_connected %0, %uv {activation = #linear, requant = #double} : (tensor<1x2x!u>, tensor<1x2x!uw>) -> tensor<1x1x!u>
  %sw = nn.constant dense<[[1, -1], [0, 0]]> : tensor<2x2xi8> -> tensor<2x2x!w>
  %sb = nn.constant dense<[0, 100000000]> : tensor<2xi64> -> tensor<2xi64>
  %sv = nn.constant dense<[[3, -4]]> : tensor<1x2xi8> -> tensor<1x2x!w>
  %2 = nn.fully_connected %s, %sw, %sb {activation = #linear, requant = #double} : (tensor<1x2x!s>, tensor<2x2x!w>, tensor<2xi64>) -> tensor<1x2x!s>
  %3 = nn.fully_connected %2, %sv {activation = #linear, requant = #double} : (tensor<1x2x!s>, tensor<1x2x!w>) -> tensor<1x1x!s>
  return %1, %3 : tensor<1x1x!u>, tensor<1x1x!s>
}

// A tensor that is constant throughout: as the operand of an addition, once for all pixels, and as the
// network's result, whatever computes it.
// REMARK: ConstantTensor {{.*}}a constant of 2 bytes"
// CHECK-LABEL: @constant_tensors
func.func @constant_tensors(%x: tensor<1x2x2x2x!x>) -> (tensor<1x2x2x2x!y>, tensor<1x8x!p>) {
  // CHECK-NEXT: %[[C:.*]] = nn.constant dense<{{\[\[\[\[}}13, -7]]]]> : tensor<1x1x1x2xi8> -> tensor<1x1x1x2x!quant.uniform<i8:f32, 1.000000e+00:3>>
  // CHECK-NEXT: %[[Y:.*]] = nn.add %arg0, %[[C]]
  // CHECK-NEXT: %[[P:.*]] = nn.constant dense<{{.*}}> : tensor<1x8xi8>
  // CHECK-NEXT: return %[[Y]], %[[P]]
  %w = nn.constant dense<0> : tensor<2x1x1x2xi8> -> tensor<2x1x1x2x!w>
  %b = nn.constant dense<[1000, -1000]> : tensor<2xi32> -> tensor<2xi32>
  %0 = nn.conv_2d %x, %w, %b {strides = #one, dilations = #one, pads = #none, activation = #linear, requant = #double} : (tensor<1x2x2x2x!x>, tensor<2x1x1x2x!w>, tensor<2xi32>) -> tensor<1x2x2x2x!y>
  %1 = nn.add %x, %0 {activation = #linear} : (tensor<1x2x2x2x!x>, tensor<1x2x2x2x!y>) -> tensor<1x2x2x2x!y>
  %2 = nn.reshape %0 : (tensor<1x2x2x2x!y>) -> tensor<1x8x!y>
  %3 = nn.softmax %2 {beta = 1.0 : f32} : (tensor<1x8x!y>) -> tensor<1x8x!p>
  return %1, %3 : tensor<1x2x2x2x!y>, tensor<1x8x!p>
}

// Sums that can leave 32 bits can be anything, and so can what a left shift pushes out of them.
!big = !quant.uniform<i8:f32, 1.000000e+03>
// CHECK-LABEL: @overflows
func.func @overflows(%x: tensor<1x1x!x>) -> (tensor<1x1x!y>, tensor<1x1x!x>) {
  // CHECK-DAG: nn.constant dense<100> : tensor<1x1xi8>
  // CHECK-DAG: nn.constant dense<2147480000> : tensor<1xi32>
  // CHECK-DAG: nn.constant dense<1> : tensor<1x1xi8>
  // CHECK-DAG: nn.constant dense<5000000> : tensor<1xi32>
  %w = nn.constant dense<100> : tensor<1x1xi8> -> tensor<1x1x!w>
  %b = nn.constant dense<2147480000> : tensor<1xi32> -> tensor<1xi32>
  %v = nn.constant dense<1> : tensor<1x1xi8> -> tensor<1x1x!big>
  %c = nn.constant dense<5000000> : tensor<1xi32> -> tensor<1xi32>
  %0 = nn.fully_connected %x, %w, %b {activation = #linear, requant = #double} : (tensor<1x1x!x>, tensor<1x1x!w>, tensor<1xi32>) -> tensor<1x1x!y>
  %1 = nn.fully_connected %x, %v, %c {activation = #linear, requant = #double} : (tensor<1x1x!x>, tensor<1x1x!big>, tensor<1xi32>) -> tensor<1x1x!x>
  return %0, %1 : tensor<1x1x!y>, tensor<1x1x!x>
}
