// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --nn-fuse-activations | FileCheck %s

!q = !quant.uniform<i8:f32, 5.000000e-02:-20>
!other = !quant.uniform<i8:f32, 6.000000e-02:-20>
!s = !quant.uniform<i16:f32, 1.000000e-03>

// CHECK-LABEL: @add_relu
func.func @add_relu(%a: tensor<256x!q>, %b: tensor<256x!q>) -> tensor<256x!q> {
  // CHECK-NEXT: %[[S:.*]] = nn.add {{.*}}activation = #nn.activation<relu>
  // CHECK-NEXT: return %[[S]]
  %0 = nn.add %a, %b {activation = #nn.activation<none>} : (tensor<256x!q>, tensor<256x!q>) -> tensor<256x!q>
  %1 = nn.relu %0 : (tensor<256x!q>) -> tensor<256x!q>
  return %1 : tensor<256x!q>
}

// What another operator clamps to is an activation too.
// CHECK-LABEL: @relu_then_minimum
func.func @relu_then_minimum(%a: tensor<256x!q>, %b: tensor<256x!q>) -> tensor<256x!q> {
  // CHECK: nn.mul {{.*}}activation = #nn.activation<relu6>
  // CHECK-NEXT: return
  %six = nn.constant dense<100> : tensor<1xi8> -> tensor<1x!q>
  %0 = nn.mul %a, %b {activation = #nn.activation<relu>} : (tensor<256x!q>, tensor<256x!q>) -> tensor<256x!q>
  %1 = nn.minimum %0, %six : (tensor<256x!q>, tensor<1x!q>) -> tensor<256x!q>
  return %1 : tensor<256x!q>
}

// CHECK-LABEL: @int16
func.func @int16(%a: tensor<300x!s>) -> tensor<300x!s> {
  // CHECK-NEXT: nn.sub {{.*}}activation = #nn.activation<relu_n1_to_1>
  // CHECK-NEXT: return
  %0 = nn.sub %a, %a {activation = #nn.activation<none>} : (tensor<300x!s>, tensor<300x!s>) -> tensor<300x!s>
  %1 = nn.relu_n1_to_1 %0 : (tensor<300x!s>) -> tensor<300x!s>
  return %1 : tensor<300x!s>
}

// CHECK-LABEL: @floats
func.func @floats(%a: tensor<300xf32>) -> tensor<300xf32> {
  // CHECK-NEXT: nn.add {{.*}}activation = #nn.activation<relu6>
  // CHECK-NEXT: return
  %0 = nn.add %a, %a {activation = #nn.activation<none>} : (tensor<300xf32>, tensor<300xf32>) -> tensor<300xf32>
  %1 = nn.relu %0 : (tensor<300xf32>) -> tensor<300xf32>
  %2 = nn.relu6 %1 : (tensor<300xf32>) -> tensor<300xf32>
  return %2 : tensor<300xf32>
}

// Requantization, another use, and what is no clamp stay.
// CHECK-LABEL: @stays
func.func @stays(%a: tensor<256x!q>) -> (tensor<256x!other>, tensor<256x!q>, tensor<256x!q>, tensor<256x!q>) {
  // CHECK: nn.relu
  // CHECK: nn.relu
  // CHECK: nn.leaky_relu
  %0 = nn.add %a, %a {activation = #nn.activation<none>} : (tensor<256x!q>, tensor<256x!q>) -> tensor<256x!q>
  %1 = nn.relu %0 : (tensor<256x!q>) -> tensor<256x!other>
  %2 = nn.sub %a, %a {activation = #nn.activation<none>} : (tensor<256x!q>, tensor<256x!q>) -> tensor<256x!q>
  %3 = nn.relu %2 : (tensor<256x!q>) -> tensor<256x!q>
  %4 = nn.mul %a, %a {activation = #nn.activation<none>} : (tensor<256x!q>, tensor<256x!q>) -> tensor<256x!q>
  %5 = nn.leaky_relu %4 {alpha = 0.5 : f32} : (tensor<256x!q>) -> tensor<256x!q>
  return %1, %2, %3, %5 : tensor<256x!other>, tensor<256x!q>, tensor<256x!q>, tensor<256x!q>
}
