// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{buffer element must be an integer or float, got 'index'}}
func.func private @buffer_element(!mcu.buffer<4xindex, nhwc, activation>)

// -----

// expected-error @+1 {{ring depth must not be negative, got -1}}
func.func private @buffer_ring(!mcu.buffer<4xi8, nhwc, activation, ring = -1>)

// -----

mcu.program @buffer_lifetime {
  // expected-error @+1 {{lifetime must be activation, scratch, state or output, got constant}}
  %0 = mcu.buffer "x" : !mcu.buffer<4xi8, nhwc, constant>
}

// -----

mcu.program @alias_bytes {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  // expected-error @+1 {{bytes [12, 20) are not within the 16 bytes of the source}}
  %1 = mcu.alias %0[12] : !mcu.buffer<4xi32, nhwc, activation> -> !mcu.buffer<2xi32, nhwc, activation>
}

// -----

mcu.program @stream_rows {
  // expected-error @+1 {{rows must be positive, got 0}}
  mcu.stream 0 "x" rows(0) {
  }
}

// -----

mcu.program @stream_body {
  mcu.stream 0 "x" rows(1) {
    // expected-error @+1 {{is not a kernel: a stream holds kernels only}}
    %0 = mcu.buffer "x" : !mcu.buffer<4xi8, nhwc, activation>
  }
}

// -----

mcu.program @kernel_tensors {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  mcu.stream 0 "x" rows(1) {
    // expected-error @+1 {{expects a tensor for each of the 1 inputs, got 0}}
    mcu.kernel "k" ins(%0 : !mcu.buffer<4xi32, nhwc, activation>) outs(%0 : !mcu.buffer<4xi32, nhwc, activation>) cycles 0 flash 0 {
      mcu.yield
    }
  }
}

// -----

mcu.program @kernel_yield {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  mcu.stream 0 "x" rows(1) {
    // expected-error @+1 {{yields 0 tensors for 1 outputs}}
    mcu.kernel "k" ins(%0 : !mcu.buffer<4xi32, nhwc, activation>) outs(%0 : !mcu.buffer<4xi32, nhwc, activation>) cycles 0 flash 0 {
    ^bb0(%t: tensor<4xi32>):
      mcu.yield
    }
  }
}

// -----

mcu.program @call_unknown {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  // expected-error @+1 {{'nothing' is not a function}}
  mcu.call @nothing(%0) layer 0 "x" "neg" "k" writes [] macs 0 cycles 0 : !mcu.buffer<4xi32, nhwc, activation>
}

// -----

func.func private @layer(memref<4xi32>)
mcu.program @call_arguments {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  // expected-error @+1 {{'layer' takes 1 buffers, got 2}}
  mcu.call @layer(%0, %0) layer 0 "x" "neg" "k" writes [] macs 0 cycles 0 : !mcu.buffer<4xi32, nhwc, activation>, !mcu.buffer<4xi32, nhwc, activation>
}

// -----

func.func private @layer(memref<4xi32>)
mcu.program @call_writes {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  // expected-error @+1 {{writes position 1 of 1 buffers}}
  mcu.call @layer(%0) layer 0 "x" "neg" "k" writes [1] macs 0 cycles 0 : !mcu.buffer<4xi32, nhwc, activation>
}
