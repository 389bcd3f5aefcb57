// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --nn-merge-lookups | FileCheck %s

!x = !quant.uniform<i8:f32, 5.000000e-02:4>
!u = !quant.uniform<u8:f32, 5.000000e-02:132>
!y = !quant.uniform<i8:f32, 3.906250e-03:-128>

// CHECK-LABEL: @through_floats
func.func @through_floats(%x: tensor<256x!x>) -> tensor<256x!y> {
  // CHECK-NEXT: %[[L:.*]] = nn.lookup %arg0 {{.*}} : tensor<256xi8>
  // CHECK-NEXT: return %[[L]]
  %0 = nn.dequantize %x : (tensor<256x!x>) -> tensor<256xf32>
  %1 = nn.logistic %0 : (tensor<256xf32>) -> tensor<256xf32>
  %2 = nn.quantize %1 : (tensor<256xf32>) -> tensor<256x!y>
  return %2 : tensor<256x!y>
}

// x * relu6(x + 3): the same tensor twice, and constants of one value. CHECK-LABEL: @gate
func.func @gate(%x: tensor<2x200x!u>) -> tensor<2x200x!u> {
  // CHECK: %[[L:.*]] = nn.lookup %arg0 {{.*}} : tensor<256xui8>
  // CHECK-NEXT: return %[[L]]
  %three = nn.constant dense<192> : tensor<1x1xui8> -> tensor<1x1x!u>
  %0 = nn.add %x, %three {activation = #nn.activation<none>} : (tensor<2x200x!u>, tensor<1x1x!u>) -> tensor<2x200x!u>
  %1 = nn.relu6 %0 : (tensor<2x200x!u>) -> tensor<2x200x!u>
  %2 = nn.mul %x, %1 {activation = #nn.activation<none>} : (tensor<2x200x!u>, tensor<2x200x!u>) -> tensor<2x200x!u>
  return %2 : tensor<2x200x!u>
}

// Two chains, and one operator alone, which needs no table of its own here.
// CHECK-LABEL: @several
func.func @several(%x: tensor<256x!x>) -> (tensor<256x!y>, tensor<256x!u>, tensor<256x!x>) {
  // CHECK-DAG: nn.lookup %arg0 {{.*}} -> tensor<256x!quant.uniform<i8:f32, 3.906250e-03:-128>>
  // CHECK-DAG: nn.lookup %arg0 {{.*}} -> tensor<256x!quant.uniform<u8:f32
  // CHECK-DAG: nn.neg %arg0
  %0 = nn.relu %x : (tensor<256x!x>) -> tensor<256x!x>
  %1 = nn.logistic %0 : (tensor<256x!x>) -> tensor<256x!y>
  %2 = nn.elu %x : (tensor<256x!x>) -> tensor<256x!x>
  %3 = nn.quantize %2 : (tensor<256x!x>) -> tensor<256x!u>
  %4 = nn.neg %x : (tensor<256x!x>) -> tensor<256x!x>
  return %1, %3, %4 : tensor<256x!y>, tensor<256x!u>, tensor<256x!x>
}

// A chain is cut where others read it, where it has two roots, and where a constant varies.
// CHECK-LABEL: @stays
func.func @stays(%x: tensor<2x!x>, %z: tensor<2x!x>) -> (tensor<2x!x>, tensor<2x!y>, tensor<2x!x>, tensor<2x!x>) {
  // CHECK-NOT: nn.lookup
  // CHECK: return
  %several = nn.constant dense<[1, 2]> : tensor<2xi8> -> tensor<2x!x>
  %0 = nn.relu %x : (tensor<2x!x>) -> tensor<2x!x>
  %1 = nn.logistic %0 : (tensor<2x!x>) -> tensor<2x!y>
  %2 = nn.mul %x, %z {activation = #nn.activation<none>} : (tensor<2x!x>, tensor<2x!x>) -> tensor<2x!x>
  %3 = nn.abs %2 : (tensor<2x!x>) -> tensor<2x!x>
  %4 = nn.add %x, %several {activation = #nn.activation<none>} : (tensor<2x!x>, tensor<2x!x>) -> tensor<2x!x>
  %5 = nn.neg %4 : (tensor<2x!x>) -> tensor<2x!x>
  return %0, %1, %3, %5 : tensor<2x!x>, tensor<2x!y>, tensor<2x!x>, tensor<2x!x>
}
