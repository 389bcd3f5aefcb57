// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-object --split-input-file --verify-diagnostics %s

// What a lowering that is not finished gives: an error, and no object.

// expected-error @below {{object: the runtime has no function 'thimble_nothing'}}
module {
  mcu.program @e attributes {arena_bytes = 8 : i64} {
    %y = mcu.buffer "y" at 0 : 0 : !mcu.buffer<4xi8, nhwc, output>
    mcu.call @e_layer_00_f(%y) layer 0 "f" "f" "f" writes [0] macs 0 cycles 0 : !mcu.buffer<4xi8, nhwc, output>
    mcu.output 0 "y" %y as tensor<4xi8> : !mcu.buffer<4xi8, nhwc, output>
  }
  func.func private @thimble_nothing()
  func.func private @e_layer_00_f(%output: memref<4xi8>) {
    func.call @thimble_nothing() : () -> ()
    return
  }
}

// -----

// expected-error @below {{object: the runtime's function 'thimble_clamp_i32' is of another type}}
module {
  mcu.program @e attributes {arena_bytes = 8 : i64} {
    %y = mcu.buffer "y" at 0 : 0 : !mcu.buffer<4xi8, nhwc, output>
    mcu.call @e_layer_00_f(%y) layer 0 "f" "f" "f" writes [0] macs 0 cycles 0 : !mcu.buffer<4xi8, nhwc, output>
    mcu.output 0 "y" %y as tensor<4xi8> : !mcu.buffer<4xi8, nhwc, output>
  }
  func.func private @thimble_clamp_i32()
  func.func private @e_layer_00_f(%output: memref<4xi8>) {
    func.call @thimble_clamp_i32() : () -> ()
    return
  }
}

// -----

module {
  mcu.program @e attributes {arena_bytes = 8 : i64} {
    %y = mcu.buffer "y" at 0 : 0 : !mcu.buffer<4xi8, nhwc, output>
    mcu.call @e_layer_00_f(%y) layer 0 "f" "f" "f" writes [0] macs 0 cycles 0 : !mcu.buffer<4xi8, nhwc, output>
    mcu.output 0 "y" %y as tensor<4xi8> : !mcu.buffer<4xi8, nhwc, output>
  }
  func.func private @e_layer_00_f(%output: memref<4xi8>) {
    // expected-error @below {{failed to legalize operation 'memref.alloc'}}
    %buffer = memref.alloc() : memref<4xi8>
    return
  }
}

// -----

// expected-error @below {{expected one mcu.program}}
module {
}
