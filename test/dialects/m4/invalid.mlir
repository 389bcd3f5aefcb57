// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --split-input-file --verify-diagnostics

func.func @ssat_bits(%a: i32) -> i32 {
  // expected-error @+1 {{attribute 'bits' failed to satisfy constraint: 32-bit signless integer attribute whose minimum value is 1 whose maximum value is 32}}
  %0 = m4.ssat %a to 33
  return %0 : i32
}

// -----

func.func @word_type(%a: i64) -> i64 {
  // expected-error @+1 {{operand #0 must be 32-bit signless integer, but got 'i64'}}
  %0 = "m4.sxtb16"(%a) : (i64) -> i64
  return %0 : i64
}

// -----

func.func @load_rank(%m: memref<4x4xi8>, %i: index) -> i32 {
  // expected-error @+1 {{operand #0 must be 1D memref of integer values, but got 'memref<4x4xi8>'}}
  %0 = m4.load_word %m[%i] : memref<4x4xi8>
  return %0 : i32
}
