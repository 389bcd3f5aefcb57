// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{buffer element must be an integer or float, got 'index'}}
func.func private @buffer_element(!mcu.buffer<4xindex, nhwc, activation>)

// -----

// expected-error @+1 {{ring depth must not be negative, got -1}}
func.func private @buffer_ring(!mcu.buffer<4xi8, nhwc, activation, ring = -1>)

// -----

// expected-error @+1 {{rings are of tensors with rows and without a batch}}
func.func private @buffer_ring_batch(!mcu.buffer<2x4xi8, nhwc, activation, ring = 1>)

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

mcu.program @stream_body {
  mcu.stream {
    // expected-error @+1 {{is no stage: a stream holds kernels, calls and moves of rows}}
    %0 = mcu.buffer "x" : !mcu.buffer<4xi8, nhwc, activation>
  }
}

// -----

mcu.program @stream_empty {
  // expected-error @+1 {{without a schedule holds one kernel, got 0 stages}}
  mcu.stream {
  }
}

// -----

!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
mcu.program @stream_without_schedule {
  %ring = mcu.buffer "ring" : !ring
  // expected-error @+1 {{without a schedule holds one kernel, got 1 stages}}
  mcu.stream {
    mcu.fill_rows %ring value(0) rows(1) : !ring
  }
}

// -----

!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
!slots = !mcu.buffer<1xi32, nhwc, activation>
mcu.program @stream_schedule {
  %ring = mcu.buffer "ring" : !ring
  %p = mcu.buffer "" : !slots
  // expected-error @+1 {{fires stage 1 of 1}}
  mcu.stream schedule [0, 1] positions(%p : !slots) {
    mcu.fill_rows %ring value(0) rows(1) : !ring
  }
}

// -----

!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
!slots = !mcu.buffer<1xi32, nhwc, activation>
mcu.program @stream_schedule_negative {
  %ring = mcu.buffer "ring" : !ring
  %p = mcu.buffer "" : !slots
  // expected-error @+1 {{fires stage -1 of 1}}
  mcu.stream schedule [0, -1] positions(%p : !slots) {
    mcu.fill_rows %ring value(0) rows(1) : !ring
  }
}

// -----

!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
!slots = !mcu.buffer<2xi32, nhwc, activation>
mcu.program @stream_positions {
  %ring = mcu.buffer "ring" : !ring
  %p = mcu.buffer "" : !slots
  // expected-error @+1 {{needs 1 positions of i32, got '!mcu.buffer<2xi32, nhwc, activation>'}}
  mcu.stream schedule [0] positions(%p : !slots) {
    mcu.fill_rows %ring value(0) rows(1) : !ring
  }
}

// -----

!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
!slots = !mcu.buffer<1xi16, nhwc, activation>
mcu.program @stream_positions_type {
  %ring = mcu.buffer "ring" : !ring
  %p = mcu.buffer "" : !slots
  // expected-error @+1 {{needs 1 positions of i32, got '!mcu.buffer<1xi16, nhwc, activation>'}}
  mcu.stream schedule [0] positions(%p : !slots) {
    mcu.fill_rows %ring value(0) rows(1) : !ring
  }
}

// -----

!x = !mcu.buffer<1x4x8xf32, nhwc, activation>
!slots = !mcu.buffer<2xi32, nhwc, activation>
mcu.program @stage_without_walk {
  %x = mcu.buffer "x" : !x
  %p = mcu.buffer "" : !slots
  mcu.stream schedule [0] positions(%p : !slots) {
    // expected-error @+1 {{must say how it walks through its operands}}
    mcu.kernel 0 "x" "k" rows(1) ins(%x : !x) outs(%x : !x) cycles 0 flash 0 {
    ^bb0(%t: tensor<1x1x8xf32>):
      mcu.yield %t : tensor<1x1x8xf32>
    }
  }
}

// -----

func.func private @layer(memref<8xf32>)
!x = !mcu.buffer<1x4x8xf32, nhwc, activation>
!slots = !mcu.buffer<1xi32, nhwc, activation>
mcu.program @call_without_walk {
  %x = mcu.buffer "x" : !x
  %p = mcu.buffer "" : !slots
  mcu.stream schedule [0] positions(%p : !slots) {
    // expected-error @+1 {{must say how it walks through its operands}}
    mcu.call @layer(%x) layer 0 "x" "neg" "k" writes [0] macs 0 cycles 0 : !x
  }
}

// -----

!x = !mcu.buffer<1x4x8xf32, nhwc, activation>
mcu.program @walk_numbers {
  %x = mcu.buffer "x" : !x
  mcu.stream {
    // expected-error @+1 {{walk, by and rows must have 2 numbers each}}
    mcu.kernel 0 "x" "k" rows(1) ins(%x : !x) outs(%x : !x) walk [0, 0] by [1] rows [1, 1] cycles 0 flash 0 {
    ^bb0(%t: tensor<1x1x8xf32>):
      mcu.yield %t : tensor<1x1x8xf32>
    }
  }
}

// -----

!x = !mcu.buffer<1x4x8xf32, nhwc, activation>
mcu.program @walk_negative {
  %x = mcu.buffer "x" : !x
  mcu.stream {
    // expected-error @+1 {{rows of a walk must not be negative, got -1}}
    mcu.kernel 0 "x" "k" rows(1) ins(%x : !x) outs(%x : !x) walk [-1, 0] by [1, 1] rows [1, 1] cycles 0 flash 0 {
    ^bb0(%t: tensor<1x1x8xf32>):
      mcu.yield %t : tensor<1x1x8xf32>
    }
  }
}

// -----

!x = !mcu.buffer<1x4x8xi8, nhwc, activation>
mcu.program @copy_to_tensor {
  %x = mcu.buffer "x" : !x
  mcu.stream {
    // expected-error @+1 {{appends to a ring, got '!mcu.buffer<1x4x8xi8, nhwc, activation>'}}
    mcu.copy_rows %x to %x rows(1) : !x -> !x
  }
}

// -----

!x = !mcu.buffer<8xi8, nhwc, activation>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
mcu.program @copy_no_rows {
  %x = mcu.buffer "x" : !x
  %ring = mcu.buffer "ring" : !ring
  mcu.stream {
    // expected-error @+1 {{walks through rows, got '!mcu.buffer<8xi8, nhwc, activation>'}}
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
  }
}

// -----

func.func private @layer(memref<8xf32>)
!x = !mcu.buffer<2x4x8xf32, nhwc, activation>
!slots = !mcu.buffer<1xi32, nhwc, activation>
mcu.program @walk_batches {
  %x = mcu.buffer "x" : !x
  %p = mcu.buffer "" : !slots
  mcu.stream schedule [0] positions(%p : !slots) {
    // expected-error @+1 {{walks through rows, got '!mcu.buffer<2x4x8xf32, nhwc, activation>'}}
    mcu.call @layer(%x) layer 0 "x" "neg" "k" writes [0] macs 0 cycles 0 walk [0] by [1] rows [1] : !x
  }
}

// -----

!x = !mcu.buffer<1x4x4xi8, nhwc, activation>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
mcu.program @copy_other_rows {
  %x = mcu.buffer "x" : !x
  %ring = mcu.buffer "ring" : !ring
  mcu.stream {
    // expected-error @+1 {{rows of source and ring must be of the same size}}
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
  }
}

// -----

!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
mcu.program @fill_rows {
  %ring = mcu.buffer "ring" : !ring
  mcu.stream {
    // expected-error @+1 {{rows must be from 1 to the ring's 2, got 3}}
    mcu.fill_rows %ring value(0) rows(3) : !ring
  }
}

// -----

!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 2>
mcu.program @fill_value {
  %ring = mcu.buffer "ring" : !ring
  mcu.stream {
    // expected-error @+1 {{value must be a byte, got 256}}
    mcu.fill_rows %ring value(256) rows(1) : !ring
  }
}

// -----

mcu.program @kernel_tensors {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  mcu.stream {
    // expected-error @+1 {{expects a tensor for each of the 1 inputs, got 0}}
    mcu.kernel 0 "x" "k" rows(1) ins(%0 : !mcu.buffer<4xi32, nhwc, activation>) outs(%0 : !mcu.buffer<4xi32, nhwc, activation>) cycles 0 flash 0 {
      mcu.yield
    }
  }
}

// -----

mcu.program @kernel_yield {
  %0 = mcu.buffer "x" : !mcu.buffer<4xi32, nhwc, activation>
  mcu.stream {
    // expected-error @+1 {{yields 0 tensors for 1 outputs}}
    mcu.kernel 0 "x" "k" rows(1) ins(%0 : !mcu.buffer<4xi32, nhwc, activation>) outs(%0 : !mcu.buffer<4xi32, nhwc, activation>) cycles 0 flash 0 {
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

// -----

func.func private @layer(memref<8xi8>)
!x = !mcu.buffer<1x4x8xi8, nhwc, activation>
mcu.program @call_without_row {
  %0 = mcu.buffer "x" : !x
  // expected-error @+1 {{'layer' takes 0 buffers, got 1}}
  mcu.call @layer(%0) layer 0 "x" "neg" "k" writes [0] macs 0 cycles 0 walk [0] by [1] rows [1] each_row : !x
}

// -----

func.func private @layer(memref<8xi8>)
!x = !mcu.buffer<1x4x8xi8, nhwc, activation>
mcu.program @call_walk {
  %0 = mcu.buffer "x" : !x
  // expected-error @+1 {{walk, by and rows must have 1 numbers each}}
  mcu.call @layer(%0) layer 0 "x" "neg" "k" writes [0] macs 0 cycles 0 walk [0, 0] by [1] rows [1] : !x
}

// -----

!x = !mcu.buffer<1x4x8xi8, nhwc, input>
mcu.program @rows_without_state {
  %c = mcu.buffer "count" : !mcu.buffer<1xi32, nhwc, activation>
  // expected-error @+1 {{rows are counted in a state of 4 bytes}}
  %x = mcu.input 0 "x" pushed(%c : !mcu.buffer<1xi32, nhwc, activation>) as tensor<1x4x8xi8> : !x
}

// -----

!x = !mcu.buffer<1x4x8xi8, nhwc, input>
!y = !mcu.buffer<1x4x8xi8, nhwc, activation>
!ring = !mcu.buffer<1x4x8xi8, nhwc, activation, ring = 1>
!p = !mcu.buffer<1xi32, nhwc, activation>
mcu.program @rows_too_late {
  %c = mcu.buffer "count" : !mcu.buffer<1xi32, nhwc, state>
  %x = mcu.input 0 "x" pushed(%c : !mcu.buffer<1xi32, nhwc, state>) as tensor<1x4x8xi8> : !x
  %ring = mcu.buffer "ring" : !ring
  %p = mcu.buffer "positions" : !p
  mcu.stream schedule [0] positions(%p : !p) {
    mcu.fill_rows %ring value(0) rows(1) : !ring
  }
  mcu.stream schedule [0] positions(%p : !p) {
    // expected-error @+1 {{takes pushed rows: only the first stream can}}
    mcu.copy_rows %x to %ring rows(1) : !x -> !ring
  }
}

// -----

mcu.program @lazy_tensor {
  // expected-error @+1 {{is lazy, but no ring}}
  %0 = mcu.buffer "x" lazy : !mcu.buffer<1x4x8xi8, nhwc, activation>
}

// -----

// expected-error @+1 {{ram must have a region}}
mcu.program @no_region attributes {arena_bytes = 8 : i64, ram = []} {
}

// -----

// expected-error @+1 {{arena_bytes must be the 16 of the first region, got 8}}
mcu.program @other_arena attributes {arena_bytes = 8 : i64, ram = [#mcu.region<name = "RAM", capacity = 64, used = 16, lower_bound = 16>]} {
}

// -----

// expected-error @+1 {{numbers of region 'RAM' must not be negative}}
mcu.program @negative attributes {arena_bytes = 8 : i64, ram = [#mcu.region<name = "RAM", capacity = 64, used = 8, lower_bound = -1>]} {
}

// -----

mcu.program @unknown_region attributes {arena_bytes = 8 : i64} {
  // expected-error @+1 {{is in region 1 of 1}}
  %0 = mcu.buffer "x" at 1 : 0 : !mcu.buffer<8xi8, nhwc, activation>
}

// -----

mcu.program @outside_arena attributes {arena_bytes = 8 : i64} {
  // expected-error @+1 {{bytes [4, 12) are not within [0, 8) of region 0}}
  %0 = mcu.buffer "x" at 0 : 4 : !mcu.buffer<8xi8, nhwc, activation>
}

// -----

#ram = #mcu.region<name = "RAM", capacity = 64, used = 16, lower_bound = 16>
#ccm = #mcu.region<name = "CCM", capacity = 64, used = 8, lower_bound = 8>
mcu.program @in_table attributes {arena_bytes = 16 : i64, ram = [#ram, #ccm]} {
  // expected-error @+1 {{bytes [4, 12) are not within [8, 16) of region 0}}
  %0 = mcu.buffer "x" at 0 : 4 : !mcu.buffer<8xi8, nhwc, activation>
}

// -----

#ram = #mcu.region<name = "RAM", capacity = 64, used = 16, lower_bound = 16>
#ccm = #mcu.region<name = "CCM", capacity = 64, used = 8, lower_bound = 8>
mcu.program @outside_region attributes {arena_bytes = 16 : i64, ram = [#ram, #ccm]} {
  // expected-error @+1 {{bytes [4, 12) are not within [0, 8) of region 1}}
  %0 = mcu.input 0 "x" at 1 : 4 as tensor<8xi8> : !mcu.buffer<8xi8, nhwc, input>
}
