// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-c --split-input-file --verify-diagnostics %s

// expected-error @+1 {{expected one mcu.program}}
module {}

// -----

module {
  // expected-error @+1 {{buffers are not placed: arena_bytes is missing}}
  mcu.program @m {}
}

// -----

module {
  mcu.program @m attributes {arena_bytes = 8 : i64} {
    %y = mcu.buffer "y" : !mcu.buffer<4xi8, nhwc, output>
    // expected-error @+1 {{buffer has no place in the arena}}
    mcu.call @layer(%y) layer 0 "l" "o" "k" writes [0] macs 0 cycles 0 : !mcu.buffer<4xi8, nhwc, output>
  }
  func.func private @layer(%y: memref<4xi8>) {
    return
  }
}

// -----

module {
  mcu.program @m attributes {arena_bytes = 8 : i64} {
    %y = mcu.buffer "y" at 0 : 0 : !mcu.buffer<4xi8, nhwc, output>
    mcu.call @layer(%y) layer 0 "l" "o" "k" writes [0] macs 0 cycles 0 : !mcu.buffer<4xi8, nhwc, output>
  }
  func.func private @layer(%y: memref<4xi8>) {
    // expected-error @+1 {{'memref.alloca' op has no C form}}
    %a = memref.alloca() : memref<4xi8>
    return
  }
}
