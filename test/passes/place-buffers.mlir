// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic" \
// RUN:   --mcu-place-buffers --split-input-file %s | FileCheck %s
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic" \
// RUN:   --mcu-place-buffers --split-input-file %s --mlir-disable-threading --remark-format=emitRemark \
// RUN:   --remarks-filter=memory --remark-policy=all 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=REMARK

// The chain of four buffers needs the two largest neighbours; the last takes over the first's place.
// CHECK-LABEL: mcu.program @net attributes {arena_bytes = 32 : i64, lower_bound = 32 : i64}
// REMARK: remark: [Passed] Placement | Category:memory{{.*}}Reason="arena of 32 bytes, the least for this order"
// REMARK: remark: [Analysis] Peak | Category:memory{{.*}}Reason="at most 32 bytes live, in step {{[0-9]}}: {{.*}}; the arena has 0 more"
// CHECK: mcu.input 0 "" at 0 : 0
// CHECK: mcu.buffer "" at 0 : 16
// CHECK: mcu.buffer "" at 0 : 0
func.func @main(%x: tensor<16xi8>) -> tensor<16xi8> {
  %a = nn.reverse %x {axes = array<i64: 0>} : (tensor<16xi8>) -> tensor<16xi8>
  %b = nn.reverse %a {axes = array<i64: 0>} : (tensor<16xi8>) -> tensor<16xi8>
  return %b : tensor<16xi8>
}

// -----

// Inputs are there together before the first step, used or not; a part of an input that is an
// output keeps the input until the end.
// CHECK-LABEL: mcu.program @net attributes {arena_bytes = 40 : i64, lower_bound = 40 : i64}
// REMARK: Reason="at most 40 bytes live, before the first step: 40 input; the arena has 0 more"
// CHECK: mcu.input 0 "" at 0 : 24
// CHECK: mcu.input 1 "" at 0 : 0
// CHECK: mcu.buffer "" at 0 : 0
func.func @main(%x: tensor<16xi8>, %unused: tensor<24xi8>) -> (tensor<16xi8>, tensor<4xi8>) {
  %a = nn.reverse %x {axes = array<i64: 0>} : (tensor<16xi8>) -> tensor<16xi8>
  %h = nn.slice %x {begin = array<i64: 12>, size = array<i64: 4>} : (tensor<16xi8>) -> tensor<4xi8>
  return %a, %h : tensor<16xi8>, tensor<4xi8>
}

// -----

// 64-bit elements want an aligned place, 8-bit ones that of a word.
// CHECK-LABEL: mcu.program @net
// CHECK: mcu.input 0 "" at 0 : {{(0|4|8|12|16|20|24)}} as tensor<3xi8>
// CHECK: mcu.buffer "" at 0 : {{(0|8|16|24)}} : <1xi64
func.func @main(%x: tensor<3xi8>, %i: tensor<1xi64>) -> (tensor<1xi64>, tensor<3xi8>) {
  %r = nn.reverse %x {axes = array<i64: 0>} : (tensor<3xi8>) -> tensor<3xi8>
  %a = nn.gather %i, %i {axis = 0 : i64, batchDims = 0 : i64} : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  return %a, %r : tensor<1xi64>, tensor<3xi8>
}

// -----

// Bytes of a concatenation are live from the operand on that they come from: what is tiled and sliced
// takes those of the second in the meantime.
// CHECK-LABEL: mcu.program @net attributes {arena_bytes = 32 : i64, lower_bound = 32 : i64}
func.func @main(%x: tensor<8xi8>) -> tensor<16xi8> {
  %a = nn.reverse %x {axes = array<i64: 0>} : (tensor<8xi8>) -> tensor<8xi8>
  %b = nn.reverse %a {axes = array<i64: 0>} : (tensor<8xi8>) -> tensor<8xi8>
  %t = nn.tile %b {multiples = array<i64: 2>} : (tensor<8xi8>) -> tensor<16xi8>
  %u = nn.slice %t {begin = array<i64: 1>, size = array<i64: 8>} : (tensor<16xi8>) -> tensor<8xi8>
  %c = nn.reverse %u {axes = array<i64: 0>} : (tensor<8xi8>) -> tensor<8xi8>
  %all = nn.concatenation %a, %c {axis = 0 : i64} : (tensor<8xi8>, tensor<8xi8>) -> tensor<16xi8>
  return %all : tensor<16xi8>
}
