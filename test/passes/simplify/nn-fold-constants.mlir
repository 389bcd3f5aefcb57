// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --nn-fold-constants | FileCheck %s
// RUN: thimble-opt %s '--nn-fold-constants=growth=4096' | FileCheck %s --check-prefix=GROWTH
// RUN: thimble-opt %s --nn-fold-constants --mlir-disable-threading --remark-format=emitRemark --remarks-filter=simplify \
// RUN:   --remark-policy=all 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// REMARK: remark: [Passed] Fold | Category:simplify{{.*}}Reason="abs of constants is a constant of 8 bytes"

// CHECK-LABEL: @chain
func.func @chain() -> tensor<2xi32> {
  // CHECK-NEXT: %[[C:.*]] = nn.constant dense<[3, 4]> : tensor<2xi32>
  // CHECK-NEXT: return %[[C]]
  %0 = nn.constant dense<[1, -2]> : tensor<2xi32> -> tensor<2xi32>
  %1 = nn.constant dense<2> : tensor<1xi32> -> tensor<1xi32>
  %2 = nn.abs %0 : (tensor<2xi32>) -> tensor<2xi32>
  %3 = nn.add %2, %1 {activation = #nn.activation<none>} : (tensor<2xi32>, tensor<1xi32>) -> tensor<2xi32>
  return %3 : tensor<2xi32>
}

// A shape is known whatever the tensor.
// CHECK-LABEL: @shape
func.func @shape(%x: tensor<3x5xf32>) -> tensor<2xi32> {
  // CHECK-NEXT: %[[C:.*]] = nn.constant dense<[3, 5]>
  // CHECK-NEXT: return %[[C]]
  %0 = nn.shape %x : (tensor<3x5xf32>) -> tensor<2xi32>
  return %0 : tensor<2xi32>
}

// A large result stays an operator: flash for it costs more than computing it.
// CHECK-LABEL: @large
// GROWTH-LABEL: @large
func.func @large() -> tensor<200xf32> {
  // CHECK: nn.fill
  // GROWTH-NOT: nn.fill
  %0 = nn.constant dense<1.5> : tensor<f32> -> tensor<f32>
  %1 = nn.fill %0 : (tensor<f32>) -> tensor<200xf32>
  return %1 : tensor<200xf32>
}

!w = !quant.uniform<i8:f32, 5.000000e-01>
// But weights are wanted as constants.
// CHECK-LABEL: @weights
func.func @weights(%x: tensor<1x100xf32>) -> tensor<1x4xf32> {
  // CHECK-NOT: nn.dequantize
  // CHECK: nn.fully_connected
  %0 = nn.constant dense<3> : tensor<4x100xi8> -> tensor<4x100x!w>
  %1 = nn.dequantize %0 : (tensor<4x100x!w>) -> tensor<4x100xf32>
  %2 = nn.fully_connected %x, %1 {activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x100xf32>, tensor<4x100xf32>) -> tensor<1x4xf32>
  return %2 : tensor<1x4xf32>
}
