// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --split-input-file --verify-diagnostics

func.func @reshape_elements(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects as many elements in the result as in the input, got 9 and 8}}
  %0 = nn.reshape %x : (tensor<2x4xf32>) -> tensor<9xf32>
  return
}

// -----

func.func @transpose_count(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects a permutation of 2 axes, got 1}}
  %0 = nn.transpose %x {permutation = array<i64: 0>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @transpose_twice(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects different permutation, got 0 twice}}
  %0 = nn.transpose %x {permutation = array<i64: 0, 0>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @slice_range(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects a slice within the 4 elements of an axis, got [3, 5)}}
  %0 = nn.slice %x {begin = array<i64: 0, 3>, size = array<i64: 1, 2>} : (tensor<2x4xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @slice_begin(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects begin in [0, 2147483647], got -1}}
  %0 = nn.slice %x {begin = array<i64: 0, -1>, size = array<i64: 1, 2>} : (tensor<2x4xf32>) -> tensor<1x2xf32>
  return
}

// -----

func.func @strided_slice_range(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects a slice within the 4 elements of an axis, got elements 1 to -1}}
  %0 = nn.strided_slice %x {begin = array<i64: 0, 1>, size = array<i64: 1, 3>, strides = array<i64: 1, -1>} : (tensor<2x4xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @strided_slice_zero(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects strides other than 0}}
  %0 = nn.strided_slice %x {begin = array<i64: 0, 1>, size = array<i64: 1, 3>, strides = array<i64: 1, 0>} : (tensor<2x4xf32>) -> tensor<1x3xf32>
  return
}

// -----

func.func @strided_slice_result(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects a result of type 'tensor<2x2xf32>'}}
  %0 = nn.strided_slice %x {begin = array<i64: 0, 0>, size = array<i64: 2, 2>, strides = array<i64: 1, 2>} : (tensor<2x4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @concatenation_none(%x: tensor<2xf32>) {
  // expected-error @below {{does not accept nothing -> f32}}
  %0 = nn.concatenation {axis = 0 : i64} : () -> tensor<2xf32>
  return
}

// -----

func.func @concatenation_axis(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects axis in [0, 2), got 2}}
  %0 = nn.concatenation %x {axis = 2 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @concatenation_shapes(%x: tensor<2x4xf32>, %y: tensor<2x5xf32>) {
  // expected-error @below {{expects inputs that differ along axis 0 only}}
  %0 = nn.concatenation %x, %y {axis = 0 : i64} : (tensor<2x4xf32>, tensor<2x5xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @split_sum(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects results that make up the 2 elements of axis 0, got 1}}
  %0 = nn.split %x {axis = 0 : i64} : (tensor<2x4xf32>) -> tensor<1x4xf32>
  return
}

// -----

func.func @split_rank(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects results of the input's rank, got 'tensor<4xf32>'}}
  %0 = nn.split %x {axis = 0 : i64} : (tensor<2x4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @pack_axis(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects axis in [0, 3), got 3}}
  %0 = nn.pack %x {axis = 3 : i64} : (tensor<2x4xf32>) -> tensor<2x4x1xf32>
  return
}

// -----

func.func @unpack_count(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects 2 results, one an index of axis 0, got 1}}
  %0 = nn.unpack %x {axis = 0 : i64} : (tensor<2x4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @pad_negative(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects paddings in [0, 2147483647], got -1}}
  %0 = nn.pad %x {paddings = array<i64: 0, 0, -1, 0>} : (tensor<2x4xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @pad_count(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects 4 entries in paddings, got 2}}
  %0 = nn.pad %x {paddings = array<i64: 0, 0>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @pad_large(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects sizes of at most 2147483647, got 2147483651}}
  %0 = nn.pad %x {paddings = array<i64: 0, 0, 2147483647, 0>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @pad_value(%x: tensor<2x4xf32>, %v: tensor<2xf32>) {
  // expected-error @below {{expects a value of one element, got 2}}
  %0 = nn.pad %x, %v {paddings = array<i64: 0, 0, 0, 0>} : (tensor<2x4xf32>, tensor<2xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @mirror_pad_reflect(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects paddings in [0, 1] of axis 0, got 2}}
  %0 = nn.mirror_pad %x {paddings = array<i64: 2, 0, 0, 0>, mode = #nn.mirror<reflect>} : (tensor<2x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @tile_multiples(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects multiples in [1, 2147483647], got 0}}
  %0 = nn.tile %x {multiples = array<i64: 0, 1>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @broadcast_to_shape(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects an input whose dimensions are 1 or the result's}}
  %0 = nn.broadcast_to %x : (tensor<2x4xf32>) -> tensor<4x4xf32>
  return
}

// -----

func.func @reverse_axes(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects axes in [0, 2), got 2}}
  %0 = nn.reverse %x {axes = array<i64: 2>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @space_to_depth_block(%x: tensor<1x4x4x4xf32>) {
  // expected-error @below {{expects blockSize in [1, 32767], got 0}}
  %0 = nn.space_to_depth %x {blockSize = 0 : i64} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @space_to_depth_size(%x: tensor<1x4x4x4xf32>) {
  // expected-error @below {{expects height and width that are multiples of 3, got 4 and 4}}
  %0 = nn.space_to_depth %x {blockSize = 3 : i64} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @depth_to_space_channels(%x: tensor<1x4x4x4xf32>) {
  // expected-error @below {{expects channels that are a multiple of 9, got 4}}
  %0 = nn.depth_to_space %x {blockSize = 3 : i64} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @space_to_batch_block(%x: tensor<1x4x4x4xf32>) {
  // expected-error @below {{expects padded sizes that are multiples of the block 3, got 4}}
  %0 = nn.space_to_batch_nd %x {blockShape = array<i64: 3, 1>, paddings = array<i64: 0, 0, 0, 0>} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @space_to_batch_count(%x: tensor<1x4x4x4xf32>) {
  // expected-error @below {{expects blockShape of 1 to 3 entries, got 4}}
  %0 = nn.space_to_batch_nd %x {blockShape = array<i64: 2, 2, 2, 2>, paddings = array<i64: 0, 0, 0, 0>} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @batch_to_space_batch(%x: tensor<1x4x4x4xf32>) {
  // expected-error @below {{expects a batch that is a multiple of 2, got 1}}
  %0 = nn.batch_to_space_nd %x {blockShape = array<i64: 2>, crops = array<i64: 0, 0>} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @batch_to_space_crops(%x: tensor<1x4x4x4xf32>) {
  // expected-error @below {{expects crops that leave some of 4 elements, got 2 and 2}}
  %0 = nn.batch_to_space_nd %x {blockShape = array<i64: 1>, crops = array<i64: 2, 2>} : (tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return
}

// -----

func.func @gather_batch(%x: tensor<2x4xf32>, %i: tensor<2x2xi32>) {
  // expected-error @below {{expects batchDims in [0, 1], got 2}}
  %0 = nn.gather %x, %i {axis = 1 : i64, batchDims = 2 : i64} : (tensor<2x4xf32>, tensor<2x2xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @gather_batch_shape(%x: tensor<2x4xf32>, %i: tensor<3x2xi32>) {
  // expected-error @below {{expects input and indices alike in the first 1 dimensions}}
  %0 = nn.gather %x, %i {axis = 1 : i64, batchDims = 1 : i64} : (tensor<2x4xf32>, tensor<3x2xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @gather_nd_depth(%x: tensor<2x4xf32>, %i: tensor<3x3xi32>) {
  // expected-error @below {{expects indices whose last dimension is in [1, 2]}}
  %0 = nn.gather_nd %x, %i : (tensor<2x4xf32>, tensor<3x3xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @scatter_nd_updates(%i: tensor<3x1xi32>, %u: tensor<3x5xf32>) {
  // expected-error @below {{expects updates of shape [3, 4], got 'tensor<3x5xf32>'}}
  %0 = nn.scatter_nd %i, %u : (tensor<3x1xi32>, tensor<3x5xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @one_hot_values(%i: tensor<3xi32>, %u: tensor<2x4xf32>) {
  // expected-error @below {{expects values of one element}}
  %0 = nn.one_hot %i, %u, %u {axis = 1 : i64} : (tensor<3xi32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<3x7xf32>
  return
}

// -----

func.func @fill_value(%x: tensor<2x4xf32>) {
  // expected-error @below {{expects a value of one element, got 8}}
  %0 = nn.fill %x : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return
}
