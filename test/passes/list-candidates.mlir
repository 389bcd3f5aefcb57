// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates %s | FileCheck %s --check-prefixes=ALL,DSP
// RUN: thimble-opt --nn-list-candidates=target=generic %s | FileCheck %s --check-prefixes=ALL,GENERIC
// RUN: thimble-opt --nn-list-candidates=prefer=max_pool_2d.portable %s | FileCheck %s --check-prefix=PREFER

!q = !quant.uniform<i8:f32, 5.000000e-01:-3>

// A core with the DSP extension has the kernel of its instructions too, at fewer cycles.
// ALL-LABEL: @pool
// DSP: nn.max_pool_2d {{.*}}mcu.candidates = [
// DSP-SAME: {cycles = {{[1-9][0-9]*}} : i64, flash = {{[1-9][0-9]*}} : i64, kernel = "max_pool_2d.smax8"
// DSP-SAME: {cycles = {{[1-9][0-9]*}} : i64, flash = {{[1-9][0-9]*}} : i64, kernel = "max_pool_2d.portable"
// GENERIC: nn.max_pool_2d {{.*}}mcu.candidates = [{cycles = {{.*}}kernel = "max_pool_2d.portable"
// GENERIC-NOT: smax8
// A preferred kernel is alone.
// PREFER-LABEL: @pool
// PREFER: nn.max_pool_2d {{.*}}mcu.candidates = [{cycles = {{[0-9]+}} : i64, flash = {{[0-9]+}} : i64, kernel = "max_pool_2d.portable", scratch = 0 : i64}]
func.func @pool(%x: tensor<1x4x4x8x!q>) -> tensor<1x2x2x8x!q> {
  %y = nn.max_pool_2d %x {filter = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>} : (tensor<1x4x4x8x!q>) -> tensor<1x2x2x8x!q>
  return %y : tensor<1x2x2x8x!q>
}

// Channels that do not fill a word are for plain loops.
// ALL-LABEL: @narrow
// ALL: nn.max_pool_2d
// ALL-NOT: smax8
func.func @narrow(%x: tensor<1x4x4x3x!q>) -> tensor<1x2x2x3x!q> {
  %y = nn.max_pool_2d %x {filter = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>} : (tensor<1x4x4x3x!q>) -> tensor<1x2x2x3x!q>
  return %y : tensor<1x2x2x3x!q>
}

// Booleans are bytes, but no table of 256.
// ALL-LABEL: @logical_not
// ALL: nn.logical_not {{.*}}kernel = "unary.portable"
func.func @logical_not(%x: tensor<4xi1>) -> tensor<4xi1> {
  %y = nn.logical_not %x : (tensor<4xi1>) -> tensor<4xi1>
  return %y : tensor<4xi1>
}
