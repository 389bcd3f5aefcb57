// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --verify-roundtrip | FileCheck %s

!q8 = !quant.uniform<i8:f32, 5.000000e-01:-3>
!w8 = !quant.uniform<i8:f32:0, {2.500000e-01,1.250000e-01}>
!qu8 = !quant.uniform<u8:f32, 5.000000e-01:128>
!q16 = !quant.uniform<i16:f32, 3.0517578125e-05>
!p8 = !quant.uniform<i8:f32, 3.906250e-03:-128>

// CHECK-LABEL: @constants
func.func @constants() {
  // CHECK: nn.constant dense<[1, -2]> : tensor<2xi8> -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01:-3>>
  %0 = nn.constant dense<[1, -2]> : tensor<2xi8> -> tensor<2x!q8>
  // CHECK: nn.constant dense<[1, 255]> : tensor<2xui8>
  %1 = nn.constant dense<[1, 255]> : tensor<2xui8> -> tensor<2x!qu8>
  %2 = nn.constant dense<true> : tensor<2xi1> -> tensor<2xi1>
  // CHECK: nn.constant dense_resource<weights>
  %3 = nn.constant dense_resource<weights> : tensor<4xi8> -> tensor<4x!q8>
  return
}

// CHECK-LABEL: @convolutions
func.func @convolutions(%x: tensor<1x8x8x1x!q8>, %f: tensor<1x8x8x1xf32>, %x16: tensor<1x8x8x1x!q16>,
                        %w: tensor<2x3x3x1x!w8>, %wf: tensor<2x3x3x1xf32>, %b: tensor<2xi32>,
                        %bf: tensor<2xf32>, %b64: tensor<2xi64>, %dw: tensor<1x3x3x2xf32>) {
  // CHECK: nn.conv_2d {{.*}}activation = #nn.activation<relu>{{.*}}requant = #nn.requant<double>
  %0 = nn.conv_2d %x, %w, %b {strides = array<i64: 1, 2>, dilations = array<i64: 1, 1>,
         pads = array<i64: 1, 1, 1, 1>, activation = #nn.activation<relu>, requant = #nn.requant<double>}
       : (tensor<1x8x8x1x!q8>, tensor<2x3x3x1x!w8>, tensor<2xi32>) -> tensor<1x8x4x2x!q8>
  %1 = nn.conv_2d %x16, %w, %b64 {strides = array<i64: 1, 1>, dilations = array<i64: 2, 2>,
         pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>, requant = #nn.requant<double>}
       : (tensor<1x8x8x1x!q16>, tensor<2x3x3x1x!w8>, tensor<2xi64>) -> tensor<1x4x4x2x!q16>
  %2 = nn.conv_2d %f, %wf {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
         pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<relu6>, requant = #nn.requant<double>}
       : (tensor<1x8x8x1xf32>, tensor<2x3x3x1xf32>) -> tensor<1x6x6x2xf32>
  // CHECK: nn.depthwise_conv_2d
  %3 = nn.depthwise_conv_2d %f, %dw, %bf {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
         pads = array<i64: 0, 1, 0, 1>, activation = #nn.activation<none>, requant = #nn.requant<double>}
       : (tensor<1x8x8x1xf32>, tensor<1x3x3x2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
  // CHECK: nn.transpose_conv
  %4 = nn.transpose_conv %x, %w, %b {strides = array<i64: 2, 2>, pads = array<i64: 0, 1, 0, 1>,
         activation = #nn.activation<none>, requant = #nn.requant<double>}
       : (tensor<1x8x8x1x!q8>, tensor<2x3x3x1x!w8>, tensor<2xi32>) -> tensor<1x16x16x2x!q8>
  return
}

// CHECK-LABEL: @products
func.func @products(%x: tensor<4x6x!q8>, %w: tensor<2x6x!q8>, %b: tensor<2xi32>, %m: tensor<3x1x2x5xf32>,
                    %n: tensor<4x5x7xf32>) {
  // CHECK: nn.fully_connected {{.*}}#nn.requant<single>
  %0 = nn.fully_connected %x, %w, %b {activation = #nn.activation<none>, requant = #nn.requant<single>}
       : (tensor<4x6x!q8>, tensor<2x6x!q8>, tensor<2xi32>) -> tensor<4x2x!q8>
  %1 = nn.fully_connected %x, %w {activation = #nn.activation<none>, requant = #nn.requant<double>}
       : (tensor<4x6x!q8>, tensor<2x6x!q8>) -> tensor<2x2x2x!q8>
  // CHECK: nn.batch_matmul
  %2 = nn.batch_matmul %m, %n {adjX = false, adjY = false} : (tensor<3x1x2x5xf32>, tensor<4x5x7xf32>) -> tensor<3x4x2x7xf32>
  return
}

// CHECK-LABEL: @windows
func.func @windows(%x: tensor<1x8x8x2x!q8>, %f: tensor<1x8x8x2xf32>) {
  // CHECK: nn.average_pool_2d
  %0 = nn.average_pool_2d %x {filter = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>,
         activation = #nn.activation<none>} : (tensor<1x8x8x2x!q8>) -> tensor<1x4x4x2x!q8>
  // CHECK: nn.max_pool_2d
  %1 = nn.max_pool_2d %x {filter = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>,
         activation = #nn.activation<none>} : (tensor<1x8x8x2x!q8>) -> tensor<1x8x8x2x!q8>
  // CHECK: nn.l2_pool_2d
  %2 = nn.l2_pool_2d %f {filter = array<i64: 8, 8>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
         activation = #nn.activation<none>} : (tensor<1x8x8x2xf32>) -> tensor<1x1x1x2xf32>
  // The last row and column left out.
  // CHECK: nn.max_pool_2d {{.*}}pads = array<i64: 0, -1, 1, -1>
  %5 = nn.max_pool_2d %x {filter = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, -1, 1, -1>,
         activation = #nn.activation<none>} : (tensor<1x8x8x2x!q8>) -> tensor<1x3x4x2x!q8>
  // CHECK: nn.resize_bilinear
  %3 = nn.resize_bilinear %x {alignCorners = false, halfPixelCenters = true} : (tensor<1x8x8x2x!q8>) -> tensor<1x16x12x2x!q8>
  // CHECK: nn.resize_nearest_neighbor
  %4 = nn.resize_nearest_neighbor %f {alignCorners = true, halfPixelCenters = false} : (tensor<1x8x8x2xf32>) -> tensor<1x3x3x2xf32>
  return
}

// CHECK-LABEL: @normalizations
func.func @normalizations(%x: tensor<2x5x!q8>, %f: tensor<2x5xf32>) {
  // CHECK: nn.softmax {{.*}}beta = 1.000000e+00
  %0 = nn.softmax %x {beta = 1.0 : f32} : (tensor<2x5x!q8>) -> tensor<2x5x!p8>
  %1 = nn.softmax %x {beta = 1.0 : f32} : (tensor<2x5x!q8>) -> tensor<2x5x!quant.uniform<i16:f32, 1.52587890625e-05:-32768>>
  // CHECK: nn.log_softmax
  %2 = nn.log_softmax %f : (tensor<2x5xf32>) -> tensor<2x5xf32>
  // CHECK: nn.l2_normalization
  %3 = nn.l2_normalization %f : (tensor<2x5xf32>) -> tensor<2x5xf32>
  return
}

// CHECK-LABEL: @unary
func.func @unary(%x: tensor<4x!q8>, %f: tensor<4xf32>, %c: tensor<4xi1>) {
  %0 = nn.abs %x : (tensor<4x!q8>) -> tensor<4x!p8>
  %1 = nn.neg %f : (tensor<4xf32>) -> tensor<4xf32>
  %2 = nn.sqrt %f : (tensor<4xf32>) -> tensor<4xf32>
  %3 = nn.rsqrt %f : (tensor<4xf32>) -> tensor<4xf32>
  %4 = nn.square %f : (tensor<4xf32>) -> tensor<4xf32>
  %5 = nn.exp %f : (tensor<4xf32>) -> tensor<4xf32>
  %6 = nn.log %f : (tensor<4xf32>) -> tensor<4xf32>
  %7 = nn.sin %f : (tensor<4xf32>) -> tensor<4xf32>
  %8 = nn.cos %f : (tensor<4xf32>) -> tensor<4xf32>
  %9 = nn.floor %f : (tensor<4xf32>) -> tensor<4xf32>
  %10 = nn.ceil %f : (tensor<4xf32>) -> tensor<4xf32>
  %11 = nn.round %f : (tensor<4xf32>) -> tensor<4xf32>
  %12 = nn.relu %x : (tensor<4x!q8>) -> tensor<4x!p8>
  %13 = nn.relu6 %x : (tensor<4x!q8>) -> tensor<4x!q8>
  %14 = nn.relu_n1_to_1 %x : (tensor<4x!q8>) -> tensor<4x!q8>
  %15 = nn.relu_0_to_1 %x : (tensor<4x!q8>) -> tensor<4x!q8>
  // CHECK: nn.logistic %{{.*}} {litert}
  %16 = nn.logistic %x {litert} : (tensor<4x!q8>) -> tensor<4x!p8>
  %17 = nn.tanh %x : (tensor<4x!q8>) -> tensor<4x!quant.uniform<i8:f32, 7.812500e-03>>
  %18 = nn.elu %x : (tensor<4x!q8>) -> tensor<4x!p8>
  %19 = nn.hard_swish %x : (tensor<4x!q8>) -> tensor<4x!p8>
  %20 = nn.logical_not %c : (tensor<4xi1>) -> tensor<4xi1>
  // CHECK: nn.gelu %{{.*}} {approximate = true}
  %21 = nn.gelu %f {approximate = true} : (tensor<4xf32>) -> tensor<4xf32>
  // CHECK: nn.leaky_relu %{{.*}} {alpha = 1.000000e-01 : f32}
  %22 = nn.leaky_relu %x {alpha = 0.1 : f32} : (tensor<4x!q8>) -> tensor<4x!q8>
  // CHECK: nn.lookup
  %23 = nn.lookup %x {table = dense<3> : tensor<256xi8>} : (tensor<4x!q8>) -> tensor<4x!p8>
  %24 = nn.cast %f : (tensor<4xf32>) -> tensor<4xi32>
  // CHECK: nn.quantize
  %25 = nn.quantize %f : (tensor<4xf32>) -> tensor<4x!q8>
  %26 = nn.dequantize %x : (tensor<4x!q8>) -> tensor<4xf32>
  return
}

// CHECK-LABEL: @binary
func.func @binary(%a: tensor<2x1x4xf32>, %b: tensor<3x1xf32>, %x: tensor<4x!q8>, %c: tensor<4xi1>, %i: tensor<4xi32>) {
  // CHECK: nn.add {{.*}}-> tensor<2x3x4xf32>
  %0 = nn.add %a, %b {activation = #nn.activation<none>} : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  %1 = nn.sub %x, %x {activation = #nn.activation<relu6>} : (tensor<4x!q8>, tensor<4x!q8>) -> tensor<4x!p8>
  %2 = nn.mul %x, %x {activation = #nn.activation<none>} : (tensor<4x!q8>, tensor<4x!q8>) -> tensor<4x!p8>
  %3 = nn.div %a, %b {activation = #nn.activation<none>} : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  %4 = nn.minimum %x, %x : (tensor<4x!q8>, tensor<4x!q8>) -> tensor<4x!q8>
  %5 = nn.maximum %a, %b : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  %6 = nn.squared_difference %a, %b : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  %7 = nn.floor_div %a, %b : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  %8 = nn.floor_mod %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  %9 = nn.pow %a, %b : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  %10 = nn.atan2 %a, %b : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xf32>
  %11 = nn.equal %a, %b : (tensor<2x1x4xf32>, tensor<3x1xf32>) -> tensor<2x3x4xi1>
  %12 = nn.not_equal %x, %x : (tensor<4x!q8>, tensor<4x!q8>) -> tensor<4xi1>
  %13 = nn.less %x, %x : (tensor<4x!q8>, tensor<4x!q8>) -> tensor<4xi1>
  %14 = nn.less_equal %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
  %15 = nn.greater %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
  %16 = nn.greater_equal %i, %i : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi1>
  %17 = nn.logical_and %c, %c : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %18 = nn.logical_or %c, %c : (tensor<4xi1>, tensor<4xi1>) -> tensor<4xi1>
  %19 = nn.prelu %x, %x : (tensor<4x!q8>, tensor<4x!q8>) -> tensor<4x!p8>
  // CHECK: nn.add_n
  %20 = nn.add_n %i, %i, %i : (tensor<4xi32>, tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  // CHECK: nn.select
  %21 = nn.select %c, %x, %x : (tensor<4xi1>, tensor<4x!q8>, tensor<4x!q8>) -> tensor<4x!q8>
  return
}

// CHECK-LABEL: @movement
func.func @movement(%x: tensor<2x4x6x4x!q8>, %v: tensor<!q8>) {
  %0 = nn.reshape %x : (tensor<2x4x6x4x!q8>) -> tensor<8x24x!q8>
  // CHECK: nn.transpose
  %1 = nn.transpose %x {permutation = array<i64: 0, 3, 1, 2>} : (tensor<2x4x6x4x!q8>) -> tensor<2x4x4x6x!q8>
  %2 = nn.slice %x {begin = array<i64: 0, 1, 2, 3>, size = array<i64: 2, 3, 4, 1>} : (tensor<2x4x6x4x!q8>) -> tensor<2x3x4x1x!q8>
  // CHECK: nn.strided_slice
  %3 = nn.strided_slice %x {begin = array<i64: 0, 3, 0, 0>, size = array<i64: 1, 2, 6, 4>, strides = array<i64: 1, -2, 1, 1>}
       : (tensor<2x4x6x4x!q8>) -> tensor<2x6x4x!q8>
  %4 = nn.concatenation %x, %x {axis = 3 : i64} : (tensor<2x4x6x4x!q8>, tensor<2x4x6x4x!q8>) -> tensor<2x4x6x8x!q8>
  // CHECK: nn.split
  %5:2 = nn.split %x {axis = 1 : i64} : (tensor<2x4x6x4x!q8>) -> (tensor<2x1x6x4x!q8>, tensor<2x3x6x4x!q8>)
  %6 = nn.pack %x, %x {axis = 0 : i64} : (tensor<2x4x6x4x!q8>, tensor<2x4x6x4x!q8>) -> tensor<2x2x4x6x4x!q8>
  %7:2 = nn.unpack %x {axis = 0 : i64} : (tensor<2x4x6x4x!q8>) -> (tensor<4x6x4x!q8>, tensor<4x6x4x!q8>)
  // CHECK: nn.pad
  %8 = nn.pad %x {paddings = array<i64: 0, 0, 1, 1, 1, 1, 0, 0>} : (tensor<2x4x6x4x!q8>) -> tensor<2x6x8x4x!q8>
  %9 = nn.pad %x, %v {paddings = array<i64: 0, 0, 1, 1, 1, 1, 0, 0>} : (tensor<2x4x6x4x!q8>, tensor<!q8>) -> tensor<2x6x8x4x!q8>
  // CHECK: nn.mirror_pad {{.*}}mode = #nn.mirror<reflect>
  %10 = nn.mirror_pad %x {paddings = array<i64: 0, 0, 3, 1, 1, 1, 0, 0>, mode = #nn.mirror<reflect>} : (tensor<2x4x6x4x!q8>) -> tensor<2x8x8x4x!q8>
  %11 = nn.tile %x {multiples = array<i64: 1, 2, 1, 3>} : (tensor<2x4x6x4x!q8>) -> tensor<2x8x6x12x!q8>
  %12 = nn.broadcast_to %v : (tensor<!q8>) -> tensor<3x!q8>
  %13 = nn.reverse %x {axes = array<i64: 1, 2>} : (tensor<2x4x6x4x!q8>) -> tensor<2x4x6x4x!q8>
  %14 = nn.space_to_depth %x {blockSize = 2 : i64} : (tensor<2x4x6x4x!q8>) -> tensor<2x2x3x16x!q8>
  %15 = nn.depth_to_space %x {blockSize = 2 : i64} : (tensor<2x4x6x4x!q8>) -> tensor<2x8x12x1x!q8>
  // CHECK: nn.space_to_batch_nd
  %16 = nn.space_to_batch_nd %x {blockShape = array<i64: 2, 2>, paddings = array<i64: 1, 1, 0, 0>} : (tensor<2x4x6x4x!q8>) -> tensor<8x3x3x4x!q8>
  %17 = nn.batch_to_space_nd %x {blockShape = array<i64: 2, 1>, crops = array<i64: 1, 0, 0, 1>} : (tensor<2x4x6x4x!q8>) -> tensor<1x7x5x4x!q8>
  return
}

// CHECK-LABEL: @indexing
func.func @indexing(%x: tensor<2x5x3xf32>, %i: tensor<2x2xi32>, %u: tensor<2x3xf32>, %s: tensor<1xf32>) {
  // CHECK: nn.gather
  %0 = nn.gather %x, %i {axis = 1 : i64, batchDims = 1 : i64} : (tensor<2x5x3xf32>, tensor<2x2xi32>) -> tensor<2x2x3xf32>
  %1 = nn.gather_nd %x, %i : (tensor<2x5x3xf32>, tensor<2x2xi32>) -> tensor<2x3xf32>
  %2 = nn.scatter_nd %i, %u : (tensor<2x2xi32>, tensor<2x3xf32>) -> tensor<4x5x3xf32>
  // CHECK: nn.one_hot
  %3 = nn.one_hot %i, %s, %s {axis = 2 : i64} : (tensor<2x2xi32>, tensor<1xf32>, tensor<1xf32>) -> tensor<2x2x7xf32>
  %4 = nn.fill %s : (tensor<1xf32>) -> tensor<4x4xf32>
  %5 = nn.shape %x : (tensor<2x5x3xf32>) -> tensor<3xi32>
  return
}

// CHECK-LABEL: @reductions
func.func @reductions(%x: tensor<2x4x6x!q8>, %f: tensor<2x4xf32>, %c: tensor<2x4xi1>) {
  // CHECK: nn.mean {{.*}}keepDims = true
  %0 = nn.mean %x {axes = array<i64: 1, 2>, keepDims = true} : (tensor<2x4x6x!q8>) -> tensor<2x1x1x!p8>
  %1 = nn.sum %x {axes = array<i64: 0>, keepDims = false} : (tensor<2x4x6x!q8>) -> tensor<4x6x!p8>
  %2 = nn.reduce_max %x {axes = array<i64: 2>, keepDims = false} : (tensor<2x4x6x!q8>) -> tensor<2x4x!q8>
  %3 = nn.reduce_min %f {axes = array<i64: 0, 1>, keepDims = false} : (tensor<2x4xf32>) -> tensor<f32>
  %4 = nn.reduce_prod %f {axes = array<i64: 1>, keepDims = false} : (tensor<2x4xf32>) -> tensor<2xf32>
  %5 = nn.reduce_any %c {axes = array<i64: 1>, keepDims = false} : (tensor<2x4xi1>) -> tensor<2xi1>
  %6 = nn.reduce_all %c {axes = array<i64: 1>, keepDims = false} : (tensor<2x4xi1>) -> tensor<2xi1>
  // CHECK: nn.arg_max
  %7 = nn.arg_max %x {axis = 2 : i64} : (tensor<2x4x6x!q8>) -> tensor<2x4xi32>
  %8 = nn.arg_min %f {axis = 0 : i64} : (tensor<2x4xf32>) -> tensor<4xi64>
  return
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x0100000001020304"
    }
  }
#-}
