// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-asm %s | FileCheck %s

// m4 operations become their instructions, and words are read at any alignment.

mcu.program @w attributes {arena_bytes = 32 : i64} {
  %x = mcu.input 0 "x" at 0 : 0 as tensor<17xi8> : !mcu.buffer<17xi8, nhwc, input>
  %y = mcu.buffer "y" at 0 : 20 : !mcu.buffer<2xi32, nhwc, output>
  mcu.call @w_layer_00_dot(%x, %y) layer 0 "dot" "fully_connected" "fc.smlad" writes [1] macs 16 cycles 40 : !mcu.buffer<17xi8, nhwc, input>, !mcu.buffer<2xi32, nhwc, output>
  mcu.output 0 "y" %y as tensor<2xi32> : !mcu.buffer<2xi32, nhwc, output>
}
memref.global "private" constant @w_layer_00_weights : memref<32xi16> = dense<7>
func.func private @w_layer_00_dot(%input: memref<17xi8>, %output: memref<2xi32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c16 = arith.constant 16 : index
  %zero = arith.constant 0 : i32
  %weights = memref.get_global @w_layer_00_weights : memref<32xi16>
  %sum = scf.for %i = %c0 to %c16 step %c4 iter_args(%acc = %zero) -> i32 {
    %at = arith.addi %i, %c1 overflow<nsw> : index
    %x = m4.load_word %input[%at] : memref<17xi8>
    %even = m4.sxtb16 %x
    %odd = m4.sxtb16_ror8 %x
    %i2 = arith.addi %i, %c2 overflow<nsw> : index
    %w0 = m4.load_word %weights[%i] : memref<32xi16>
    %w1 = m4.load_word %weights[%i2] : memref<32xi16>
    %a = m4.smlad %even, %w0, %acc
    %b = m4.smlad %odd, %w1, %a
    scf.yield %b : i32
  }
  %high = m4.smmul %sum, %sum
  %clamped = m4.ssat %high {bits = 16 : i32}
  m4.store_word %sum, %output[%c0] : memref<2xi32>
  memref.store %clamped, %output[%c1] : memref<2xi32>
  return
}

// CHECK-LABEL: w_layer_00_dot:
// CHECK-DAG: sxtb16 {{r[0-9]+|lr}}, {{r[0-9]+|r12|lr}}{{$}}
// CHECK-DAG: sxtb16 {{.*}}, ror #8
// CHECK: smlad
// CHECK: smlad
// CHECK: smmul
// CHECK: ssat {{r[0-9]+|r12|lr}}, #16
// CHECK-NOT: bl
// CHECK: .size w_layer_00_dot
