// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --nn-remove-idle-clamps | FileCheck %s

!x = !quant.uniform<i8:f32, 1.000000e-01:4>
!positive = !quant.uniform<i8:f32, 1.000000e-01:-128>
!unit = !quant.uniform<i8:f32, 3.906250e-03:-128>

// CHECK-LABEL: @relu_of_logistic
func.func @relu_of_logistic(%x: tensor<256x!x>) -> tensor<256x!unit> {
  // CHECK-NEXT: %[[L:.*]] = nn.logistic
  // CHECK-NEXT: return %[[L]]
  %0 = nn.logistic %x : (tensor<256x!x>) -> tensor<256x!unit>
  %1 = nn.relu %0 : (tensor<256x!unit>) -> tensor<256x!unit>
  return %1 : tensor<256x!unit>
}

// The bounds of an earlier clamp pass through movements and pooling.
// CHECK-LABEL: @relu_again
func.func @relu_again(%x: tensor<1x4x4x2x!x>) -> tensor<8x!x> {
  // CHECK-NEXT: nn.relu
  // CHECK-NEXT: nn.max_pool_2d {{.*}}activation = #nn.activation<none>
  // CHECK-NEXT: nn.reshape
  // CHECK-NEXT: return
  %0 = nn.relu %x : (tensor<1x4x4x2x!x>) -> tensor<1x4x4x2x!x>
  %1 = nn.max_pool_2d %0 {filter = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<relu>} : (tensor<1x4x4x2x!x>) -> tensor<1x2x2x2x!x>
  %2 = nn.reshape %1 : (tensor<1x2x2x2x!x>) -> tensor<8x!x>
  %3 = nn.relu %2 : (tensor<8x!x>) -> tensor<8x!x>
  return %3 : tensor<8x!x>
}

// The least number of the type is 0.
// CHECK-LABEL: @whole_range
func.func @whole_range(%x: tensor<256x!x>) -> tensor<256x!positive> {
  // CHECK-NEXT: nn.add {{.*}}activation = #nn.activation<none>
  %0 = nn.add %x, %x {activation = #nn.activation<relu>} : (tensor<256x!x>, tensor<256x!x>) -> tensor<256x!positive>
  return %0 : tensor<256x!positive>
}

// CHECK-LABEL: @floats
func.func @floats(%x: tensor<100xf32>) -> tensor<100xf32> {
  // CHECK-NEXT: nn.relu6
  // CHECK-NEXT: return
  %0 = nn.relu6 %x : (tensor<100xf32>) -> tensor<100xf32>
  %1 = nn.relu %0 : (tensor<100xf32>) -> tensor<100xf32>
  return %1 : tensor<100xf32>
}

// CHECK-LABEL: @needed
func.func @needed(%x: tensor<256x!x>, %f: tensor<100xf32>) -> (tensor<256x!x>, tensor<256x!x>, tensor<100xf32>) {
  // CHECK: nn.relu %
  // CHECK: nn.add {{.*}}activation = #nn.activation<relu>
  // CHECK: nn.relu %
  // CHECK: nn.relu6
  %0 = nn.relu %x : (tensor<256x!x>) -> tensor<256x!x>
  %1 = nn.add %x, %x {activation = #nn.activation<relu>} : (tensor<256x!x>, tensor<256x!x>) -> tensor<256x!x>
  %2 = nn.relu %f : (tensor<100xf32>) -> tensor<100xf32>
  %3 = nn.relu6 %2 : (tensor<100xf32>) -> tensor<100xf32>
  return %0, %1, %3 : tensor<256x!x>, tensor<256x!x>, tensor<100xf32>
}
