// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --split-input-file --verify-diagnostics

func.func @types_row(%x: tensor<4xi32>) {
  // expected-error @below {{'nn.sqrt' op does not accept i32 -> i32; it accepts f32 -> f32; q8 -> q8; q16 -> q16}}
  %0 = nn.sqrt %x : (tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @conv_hybrid(%x: tensor<1x8x8x2xf32>, %w: tensor<4x3x3x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{'nn.conv_2d' op has float activations and quantized weights: hybrid (dynamic-range) arithmetic is not supported}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2xf32>, tensor<4x3x3x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<1x6x6x4xf32>
  return
}

// -----

func.func @operand_element(%x: tensor<4xf64>) {
  // expected-error @below {{operand #0: expects elements of i1, i8, ui8, i16, i32, i64, f32 or !quant.uniform; it is 'tensor<4xf64>'}}
  %0 = nn.sqrt %x : (tensor<4xf64>) -> tensor<4xf64>
  return
}

// -----

func.func @operand_dynamic(%x: tensor<?xf32>) {
  // expected-error @below {{operand #0: expects a tensor of static shape}}
  %0 = nn.sqrt %x : (tensor<?xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @operand_empty(%x: tensor<0x4xf32>) {
  // expected-error @below {{operand #0: expects positive dimensions, got 0}}
  %0 = nn.sqrt %x : (tensor<0x4xf32>) -> tensor<0x4xf32>
  return
}

// -----

func.func @operand_large(%x: tensor<65536x65536xf32>) {
  // expected-error @below {{operand #0: expects at most 2147483647 bytes in a tensor}}
  %0 = nn.sqrt %x : (tensor<65536x65536xf32>) -> tensor<65536x65536xf32>
  return
}

// -----

func.func @operand_encoding(%x: tensor<4xf32, 1>) {
  // expected-error @below {{operand #0: expects a tensor without encoding}}
  %0 = nn.sqrt %x : (tensor<4xf32, 1>) -> tensor<4xf32>
  return
}

// -----

func.func @result_shape(%x: tensor<4xf32>) {
  // expected-error @below {{'nn.sqrt' op expects a result of type 'tensor<4xf32>', got 'tensor<5xf32>'}}
  %0 = nn.sqrt %x : (tensor<4xf32>) -> tensor<5xf32>
  return
}

// -----

func.func @zero_point_range(%x: tensor<4x!quant.uniform<i8:f32, 1.0:128>>) {
  // expected-error @below {{expects a zero point in [-128, 127] of a quantization to int8, got 128}}
  %0 = nn.relu %x : (tensor<4x!quant.uniform<i8:f32, 1.0:128>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @storage_bounds(%x: tensor<4x!quant.uniform<i8<-127:127>:f32, 1.0>>) {
  // expected-error @below {{expects a quantization over the full range of its storage type}}
  %0 = nn.relu %x : (tensor<4x!quant.uniform<i8<-127:127>:f32, 1.0>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @storage_type(%x: tensor<4x!quant.uniform<u16:f32, 1.0>>) {
  // expected-error @below {{expects a quantization to i8, u8, i16 or i32}}
  %0 = nn.relu %x : (tensor<4x!quant.uniform<u16:f32, 1.0>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @expressed_type(%x: tensor<4x!quant.uniform<i8:f64, 1.0>>) {
  // expected-error @below {{expects a quantization of f32}}
  %0 = nn.relu %x : (tensor<4x!quant.uniform<i8:f64, 1.0>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @axis_count(%x: tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<4x3x3x2x!quant.uniform<i8:f32:0, {1.0, 2.0}>>) {
  // expected-error @below {{operand #1: expects a scale for each of the 4 indices of axis 0, got 2}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<4x3x3x2x!quant.uniform<i8:f32:0, {1.0, 2.0}>>) -> tensor<1x6x6x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @axis_zero_point(%x: tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x3x3x2x!quant.uniform<i8:f32:0, {1.0, 2.0:3}>>) {
  // expected-error @below {{operand #1: expects zero point 0 of a quantization per axis, got 3}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x3x3x2x!quant.uniform<i8:f32:0, {1.0, 2.0:3}>>) -> tensor<1x6x6x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @axis_range(%x: tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<2x3x3x2x!quant.uniform<i8:f32:7, {1.0, 2.0}>>) {
  // expected-error @below {{operand #1: expects a quantized axis less than the rank 4, got 7}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<2x3x3x2x!quant.uniform<i8:f32:7, {1.0, 2.0}>>) -> tensor<1x6x6x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @filter_axis(%x: tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, %w: tensor<4x3x3x2x!quant.uniform<i8:f32:3, {1.0, 2.0}>>) {
  // expected-error @below {{expects a filter quantized per channel along axis 0, got 3}}
  %0 = nn.conv_2d %x, %w {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
      activation = #nn.activation<none>, requant = #nn.requant<double>} : (tensor<1x8x8x2x!quant.uniform<i8:f32, 5.000000e-01:-3>>, tensor<4x3x3x2x!quant.uniform<i8:f32:3, {1.0, 2.0}>>) -> tensor<1x6x6x4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @axis_elsewhere(%x: tensor<2x!quant.uniform<i8:f32:0, {1.0, 2.0}>>) {
  // expected-error @below {{does not accept q8 per channel -> q8}}
  %0 = nn.relu %x : (tensor<2x!quant.uniform<i8:f32:0, {1.0, 2.0}>>) -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @int16_zero_point(%x: tensor<4x!quant.uniform<i16:f32, 1.0:1>>) {
  // expected-error @below {{expects zero point 0 of an i16 quantization, got 1}}
  %0 = nn.relu %x : (tensor<4x!quant.uniform<i16:f32, 1.0:1>>) -> tensor<4x!quant.uniform<i16:f32, 1.0>>
  return
}

// -----

func.func @logistic_scale(%x: tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{expects a result of scale 0.00390625 and zero point -128, got 0.5:-3}}
  %0 = nn.logistic %x : (tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @softmax_scale(%x: tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{expects a result of scale 0.00390625 and zero point -128, got 0.00390625:0}}
  %0 = nn.softmax %x {beta = 1.0 : f32} : (tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<4x!quant.uniform<i8:f32, 3.906250e-03>>
  return
}

// -----

func.func @tanh_scale(%x: tensor<4x!quant.uniform<i16:f32, 1.0>>) {
  // expected-error @below {{expects a result of scale 3.05175781e-05 and zero point 0, got 1:0}}
  %0 = nn.tanh %x : (tensor<4x!quant.uniform<i16:f32, 1.0>>) -> tensor<4x!quant.uniform<i16:f32, 1.0>>
  return
}

// -----

func.func @same_quantization(%x: tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) {
  // expected-error @below {{expects equal quantization of its tensors, got 0.5:-3 and 0.25:-3}}
  %0 = nn.reshape %x : (tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>) -> tensor<2x2x!quant.uniform<i8:f32, 0.25:-3>>
  return
}

// -----

func.func @constant_type(%x: tensor<4xf32>) {
  // expected-error @below {{'nn.constant' op expects a value of type tensor<4xi8>, got tensor<4xi16>}}
  %0 = nn.constant dense<1> : tensor<4xi16> -> tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  return
}

// -----

func.func @constant_resource(%x: tensor<4xf32>) {
  // expected-error @below {{'nn.constant' op expects the resource of a constant to be defined}}
  %0 = nn.constant dense_resource<absent> : tensor<4xi8> -> tensor<4xi8>
  return
}

// -----

func.func @constant_sparse(%x: tensor<4xf32>) {
  // expected-error @below {{'nn.constant' op expects a dense or dense_resource value}}
  %0 = nn.constant sparse<0, 1> : tensor<4xi8> -> tensor<4xi8>
  return
}

// -----

func.func @beta_positive(%x: tensor<4xf32>) {
  // expected-error @below {{'nn.softmax' op expects a positive beta, got -1.0}}
  %0 = nn.softmax %x {beta = -1.0 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @alpha_finite(%x: tensor<4xf32>) {
  // expected-error @below {{'nn.leaky_relu' op expects a finite "alpha"}}
  %0 = nn.leaky_relu %x {alpha = 0x7FC00000 : f32} : (tensor<4xf32>) -> tensor<4xf32>
  return
}
