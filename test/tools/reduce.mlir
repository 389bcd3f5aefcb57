// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// What a script does not find interesting goes.
// RUN: thimble-reduce %s -reduction-tree='traversal-mode=0 test=%S/Inputs/has_relu.sh' | FileCheck %s

// CHECK-NOT: @other
// CHECK: func.func @main
// CHECK: nn.relu
// CHECK-NOT: nn.neg
func.func @other(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nn.neg %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = nn.relu %x : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
