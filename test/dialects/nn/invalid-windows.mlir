// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --split-input-file --verify-diagnostics

func.func @conv_rank(%x: tensor<8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects an input of rank 4, got 3}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_strides(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects strides in [1, 2147483647], got 0}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 0, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_strides_count(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects 2 entries in strides, got 1}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_dilations(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects dilations in [1, 2147483647], got -1}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, -1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_pads(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects pads at the top and left in [0, 2147483647], got -1}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, -1, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_pads_large(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects sizes of at most 2147483647, got 2147483655}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 2147483647, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_filter_fits_what_is_left(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects a filter that fits into the padded input, got 3 rows over 2}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, -6, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_filter_fits(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects a filter that fits into the padded input, got 9 rows over 8}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 4, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_groups(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @below {{expects input channels that are a multiple of the filter's, got 2 and 3}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x3xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_group_outputs(%x: tensor<1x8x8x2xf32>, %w: tensor<3x3x3x1xf32>) {
  // expected-error @below {{expects output channels that are a multiple of the 2 groups, got 3}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<3x3x3x1xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_bias(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>, %b: tensor<3xf32>) {
  // expected-error @below {{expects a bias of 4 elements, one a channel, got 'tensor<3xf32>'}}
  %0 = nn.conv_2d %x, %w, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>, tensor<3xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @conv_result(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects a result of type 'tensor<1x6x6x4xf32>', got 'tensor<1x6x6x5xf32>'}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x5xf32>
  return
}

// -----

func.func @depthwise_filter(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects a filter whose first dimension is 1, got 4}}
  %0 = nn.depthwise_conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @depthwise_multiple(%x: tensor<1x8x8x2xf32>, %w: tensor<1x3x3x3xf32>) {
  // expected-error @below {{expects output channels that are a multiple of the input's, got 3 and 2}}
  %0 = nn.depthwise_conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<1x3x3x3xf32>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @transpose_conv_channels(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x3xf32>) {
  // expected-error @below {{expects as many input channels as the filter has, got 2 and 3}}
  %0 = nn.transpose_conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x3xf32>) -> tensor<1x10x10x4xf32>
  return
}

// -----

func.func @transpose_conv_pads(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects pads in [0, 2147483647], got -1}}
  %0 = nn.transpose_conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, -1, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x11x10x4xf32>
  return
}

// -----

func.func @transpose_conv_result(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2xf32>) {
  // expected-error @below {{expects a result over which the filter has 8 x 8 positions, got 14 x 8}}
  %0 = nn.transpose_conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2xf32>) -> tensor<1x16x10x4xf32>
  return
}

// -----

func.func @fully_connected_rows(%x: tensor<3x5xf32>, %w: tensor<2x4xf32>) {
  // expected-error @below {{expects an input of rows of 4 elements, got 15 elements}}
  %0 = nn.fully_connected %x, %w {activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<3x5xf32>, tensor<2x4xf32>) -> tensor<3x2xf32>
  return
}

// -----

func.func @fully_connected_result(%x: tensor<3x4xf32>, %w: tensor<2x4xf32>) {
  // expected-error @below {{expects a result of type 'tensor<3x2xf32>', got 'tensor<4x2xf32>'}}
  %0 = nn.fully_connected %x, %w {activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<3x4xf32>, tensor<2x4xf32>) -> tensor<4x2xf32>
  return
}

// -----

func.func @batch_matmul_inner(%x: tensor<2x3xf32>, %w: tensor<4x5xf32>) {
  // expected-error @below {{expects columns of the first matrix to equal rows of the second, got 3 and 4}}
  %0 = nn.batch_matmul %x, %w {adjX = false, adjY = false} : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return
}

// -----

func.func @batch_matmul_rank(%x: tensor<3xf32>, %w: tensor<3x5xf32>) {
  // expected-error @below {{expects operands of rank 2 to 6, got 1}}
  %0 = nn.batch_matmul %x, %w {adjX = false, adjY = false} : (tensor<3xf32>, tensor<3x5xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @batch_matmul_batch(%x: tensor<2x2x3xf32>, %w: tensor<3x3x5xf32>) {
  // expected-error @below {{expects leading dimensions that are equal or 1}}
  %0 = nn.batch_matmul %x, %w {adjX = false, adjY = false} : (tensor<2x2x3xf32>, tensor<3x3x5xf32>) -> tensor<2x2x5xf32>
  return
}

// -----

func.func @pool_pads(%x: tensor<1x8x8x2xf32>) {
  // expected-error @below {{expects pads less than the filter's size 2, got 2}}
  %0 = nn.average_pool_2d %x {filter = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 2, 0, 0, 0>,
      activation = #nn.activation<none>} : (tensor<1x8x8x2xf32>) -> tensor<1x4x4x2xf32>
  return
}

// -----

func.func @pool_filter(%x: tensor<1x8x8x2xf32>) {
  // expected-error @below {{expects filter in [1, 2147483647], got 0}}
  %0 = nn.average_pool_2d %x {filter = array<i64: 0, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>} : (tensor<1x8x8x2xf32>) -> tensor<1x4x4x2xf32>
  return
}

// -----

func.func @pool_product(%x: tensor<1x8x8x2xf32>) {
  // expected-error @below {{expects a filter of at most 2147483647 elements, got 2147483647 x 2}}
  %0 = nn.average_pool_2d %x {filter = array<i64: 2147483647, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>} : (tensor<1x8x8x2xf32>) -> tensor<1x4x4x2xf32>
  return
}

// -----

func.func @resize_modes(%x: tensor<1x4x4x1xf32>) {
  // expected-error @below {{expects at most one of alignCorners and halfPixelCenters}}
  %0 = nn.resize_bilinear %x {alignCorners = true, halfPixelCenters = true} : (tensor<1x4x4x1xf32>) -> tensor<1x8x8x1xf32>
  return
}

// -----

func.func @resize_channels(%x: tensor<1x4x4x1xf32>) {
  // expected-error @below {{expects a result of type 'tensor<1x8x8x1xf32>'}}
  %0 = nn.resize_bilinear %x {alignCorners = true, halfPixelCenters = false} : (tensor<1x4x4x1xf32>) -> tensor<1x8x8x2xf32>
  return
}

// -----

func.func @softmax_scalar(%x: tensor<f32>) {
  // expected-error @below {{expects an input of rank 1 or more, got a scalar}}
  %0 = nn.softmax %x {beta = 1.0 : f32} : (tensor<f32>) -> tensor<f32>
  return
}

// -----

func.func @lookup_table(%x: tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{expects a dense table of 256 elements of 'i8'}}
  %0 = nn.lookup %x {table = dense<1> : tensor<255xi8>} : (tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @add_shapes(%x: tensor<2xf32>, %y: tensor<3xf32>) {
  // expected-error @below {{expects operands whose dimensions are equal or 1}}
  %0 = nn.add %x, %y {activation = #nn.activation<none>} : (tensor<2xf32>, tensor<3xf32>) -> tensor<3xf32>
  return
}

// -----

func.func @add_rank(%x: tensor<1x1x1x1x1x1x2xf32>) {
  // expected-error @below {{expects operands of rank 6 at most, got 7}}
  %0 = nn.add %x, %x {activation = #nn.activation<none>} : (tensor<1x1x1x1x1x1x2xf32>, tensor<1x1x1x1x1x1x2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @add_n_shapes(%x: tensor<2xf32>, %y: tensor<1xf32>) {
  // expected-error @below {{expects inputs of one shape}}
  %0 = nn.add_n %x, %y : (tensor<2xf32>, tensor<1xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @add_n_none(%x: tensor<2xf32>) {
  // expected-error @below {{does not accept nothing -> f32}}
  %0 = nn.add_n : () -> tensor<2xf32>
  return
}

// -----

func.func @arg_axis(%x: tensor<2xf32>) {
  // expected-error @below {{expects axis in [0, 1), got -1}}
  %0 = nn.arg_max %x {axis = -1 : i64} : (tensor<2xf32>) -> tensor<i32>
  return
}

// -----

func.func @mean_axes(%x: tensor<2x3xf32>) {
  // expected-error @below {{expects axes in [0, 2), got 2}}
  %0 = nn.mean %x {axes = array<i64: 2>, keepDims = false} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @mean_axes_twice(%x: tensor<2x3xf32>) {
  // expected-error @below {{expects different axes, got 1 twice}}
  %0 = nn.mean %x {axes = array<i64: 1, 1>, keepDims = false} : (tensor<2x3xf32>) -> tensor<2xf32>
  return
}
