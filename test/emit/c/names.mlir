// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-c %s | FileCheck %s
// RUN: thimble-translate --mcu-to-c %s | grep -v 'include "m.h"' | \
// RUN:   clang-22 -x c -std=c11 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -
// RUN: thimble-translate --mcu-to-c %s | grep -v 'include "m.h"' | \
// RUN:   clang-22 -x c++ -std=c++17 -fsyntax-only -Werror -Wall -Wextra -Wconversion -Wshadow \
// RUN:   -Wpedantic -I%root/runtime -

// Names of the model's author, in comments and variables.

// CHECK: /* "comment / *" */
// CHECK: /* Layer 0, "?\?/\x0d\xc3\xbc \"\\: {{x+}}...": o
// CHECK: static void m_layer(const int8_t *int_1, int8_t *a_b) {
// CHECK: for (int32_t m_layer_1 = 0; m_layer_1 < 2; ++m_layer_1) {
// CHECK-NEXT: const int8_t v3d = int_1[m_layer_1];
// CHECK-NEXT: a_b[m_layer_1] = v3d;
// CHECK-NEXT: a_b[m_layer_1 + 1] = v3d;
// CHECK: for (int32_t m_layer_1 = 0; m_layer_1 < 2; ++m_layer_1) {
// CHECK-NEXT: for (int32_t m_layer_2 = 0; m_layer_2 < m_layer_1; ++m_layer_2) {

module {
  mcu.program @m attributes {arena_bytes = 16 : i64} {
    %x = mcu.input 0 "comment /\2A" at 0 : 0 as tensor<4xi8> : !mcu.buffer<4xi8, nhwc, input>
    %y = mcu.buffer "y" at 0 : 8 : !mcu.buffer<4xi8, nhwc, output>
    mcu.call @m_layer(%x, %y) layer 0 "??/\0D\C3\BC \22\\: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" "o" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<4xi8, nhwc, input>, !mcu.buffer<4xi8, nhwc, output>
    mcu.output 0 "y" %y as tensor<4xi8> : !mcu.buffer<4xi8, nhwc, output>
  }
  func.func private @m_layer(%input: memref<4xi8> loc("int"), %output: memref<4xi8> loc("a/b")) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    "scf.for"(%c0, %c2, %c1) ({
    ^bb0(%i: index loc("m_layer")):
      %a = memref.load %input[%i] : memref<4xi8> loc("3d")
      memref.store %a, %output[%i] : memref<4xi8>
      %j = arith.addi %i, %c1 : index
      memref.store %a, %output[%j] : memref<4xi8>
      scf.yield
    }) : (index, index, index) -> ()
    "scf.for"(%c0, %c2, %c1) ({
    ^bb0(%i: index loc("m_layer")):
      "scf.for"(%c0, %i, %c1) ({
      ^bb1(%j: index loc("m_layer")):
        %a = memref.load %input[%j] : memref<4xi8> loc("v")
        memref.store %a, %output[%i] : memref<4xi8>
        scf.yield
      }) : (index, index, index) -> ()
      scf.yield
    }) : (index, index, index) -> ()
    return
  }
}
