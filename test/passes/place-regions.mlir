// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic" \
// RUN:   --mcu-place-buffers="region=RAM:40:0,SDRAM:1K:6" --split-input-file %s | FileCheck %s
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic" \
// RUN:   --mcu-place-buffers="region=RAM:40:0,SDRAM:1K:6" --split-input-file %s --mlir-disable-threading \
// RUN:   --remark-format=emitRemark --remarks-filter=memory --remark-policy=all 2>&1 >/dev/null \
// RUN:   | FileCheck %s --check-prefix=REMARK
// RUN: not thimble-opt --mcu-place-buffers=region=RAM %s --split-input-file 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: region must be NAME:BYTES:WAITS, got 'RAM'

// 32 bytes fit the first region: there is no table of regions, and nothing in the second.
// CHECK-LABEL: mcu.program @net attributes {arena_bytes = 32 : i64, lower_bound = 32 : i64,
// CHECK-SAME: ram = [#mcu.region<name = "RAM", capacity = 40, used = 32, lower_bound = 32>]}
// CHECK: mcu.input 0 "" at 0 :
// REMARK-NOT: Regions
// REMARK: Reason="arena of 32 bytes, the least for this order"
func.func @main(%x: tensor<16xi8>) -> tensor<16xi8> {
  %a = nn.reverse %x {axes = array<i64: 0>} : (tensor<16xi8>) -> tensor<16xi8>
  return %a : tensor<16xi8>
}

// -----

// Input and output are touched 32 times in the same bytes, behind the address of the second region; what is
// between them, written once and read twice, 24 times.
// CHECK-LABEL: mcu.program @net attributes {arena_bytes = 40 : i64
// CHECK-SAME: ram = [#mcu.region<name = "RAM", capacity = 40, used = 40, lower_bound = {{[0-9]+}}>,
// CHECK-SAME: #mcu.region<name = "SDRAM", capacity = 1024, used = 32, lower_bound = 32>]}
// CHECK: mcu.input 0 "" at 0 : 8
// CHECK: mcu.buffer "" at 1 : 0
// CHECK: mcu.buffer "" at 0 : 8
// REMARK: Reason="region RAM has 2 buffers in 40 of 40 bytes, with about 32 accesses of 0 wait states"
// REMARK: Reason="region SDRAM has 1 buffers in 32 of 1024 bytes, with about 24 accesses of 6 wait states"
// REMARK: Reason="about 144 cycles of waiting for RAM, 192 fewer than with all buffers in SDRAM"
func.func @main(%x: tensor<8xi32>) -> tensor<8xi32> {
  %a = nn.reverse %x {axes = array<i64: 0>} : (tensor<8xi32>) -> tensor<8xi32>
  %b = nn.add %a, %a {activation = #nn.activation<none>} : (tensor<8xi32>, tensor<8xi32>) -> tensor<8xi32>
  return %b : tensor<8xi32>
}
