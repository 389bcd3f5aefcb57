// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The table itself. Order: as in NNOps.td.

#include "dialects/nn/NNLegality.h"

namespace thimble::nn {

namespace {
constexpr llvm::StringLiteral all = "i1 i8 u8 i16 i32 i64 f32 q8 qu8 q16 q32";
constexpr unsigned same = SameQuantization;
constexpr unsigned moves = SameQuantization | AnyZeroPoint;
} // namespace

llvm::ArrayRef<LegalityRow> legalityTable() {
  static constexpr LegalityRow rows[] = {
      // Convolutions and matrix products.
      {"conv_2d", "f32, f32, f32? -> f32"},
      {"conv_2d", "q8, q8 per channel, i32? -> q8"},
      {"conv_2d", "q8, q8, i32? -> q8"},
      {"conv_2d", "qu8, qu8, i32? -> qu8"},
      {"conv_2d", "q16, q8 per channel, T? -> q16", "i32 i64"},
      {"conv_2d", "q16, q8, T? -> q16", "i32 i64"},
      {"depthwise_conv_2d", "f32, f32, f32? -> f32"},
      {"depthwise_conv_2d", "q8, q8 per channel, i32? -> q8"},
      {"depthwise_conv_2d", "q8, q8, i32? -> q8"},
      {"depthwise_conv_2d", "qu8, qu8, i32? -> qu8"},
      {"depthwise_conv_2d", "q16, q8 per channel, T? -> q16", "i32 i64"},
      {"depthwise_conv_2d", "q16, q8, T? -> q16", "i32 i64"},
      {"transpose_conv", "f32, f32, f32? -> f32"},
      {"transpose_conv", "q8, q8 per channel, i32? -> q8"},
      {"transpose_conv", "q8, q8, i32? -> q8"},
      {"transpose_conv", "qu8, qu8, i32? -> qu8"},
      {"transpose_conv", "q16, q8 per channel, T? -> q16", "i32 i64"},
      {"transpose_conv", "q16, q8, T? -> q16", "i32 i64"},
      {"fully_connected", "f32, f32, f32? -> f32"},
      {"fully_connected", "q8, q8 per channel, i32? -> q8"},
      {"fully_connected", "q8, q8, i32? -> q8"},
      {"fully_connected", "qu8, qu8, i32? -> qu8"},
      {"fully_connected", "q16, q8 per channel, T? -> q16", "i32 i64"},
      {"fully_connected", "q16, q8, T? -> q16", "i32 i64"},
      {"batch_matmul", "T, T -> T", "f32 q8 q16"},
      // Pooling.
      {"average_pool_2d", "T -> T", "f32 q8 qu8 q16", NearQuantization},
      {"max_pool_2d", "T -> T", "f32 q8 qu8 q16", NearQuantization},
      {"l2_pool_2d", "f32 -> f32"},
      // Normalizations.
      {"softmax", "T -> T", "f32 q8 qu8 q16"},
      {"softmax", "q8 -> q16", "", AnyZeroPoint},
      {"log_softmax", "T -> T", "f32 q8 qu8"},
      {"l2_normalization", "T -> T", "f32 q8 qu8"},
      // Elementwise functions of one tensor.
      {"abs", "T -> T", "f32 i16 i32 i64 q8 q16"},
      {"neg", "T -> T", "f32 i32 i64 q8 q16"},
      {"sqrt", "T -> T", "f32 q8 q16"},
      {"rsqrt", "T -> T", "f32 q8 q16"},
      {"square", "T -> T", "f32 i32 i64"},
      {"exp", "T -> T", "f32 q8 q16"},
      {"log", "T -> T", "f32 q8 q16"},
      {"sin", "T -> T", "f32"},
      {"cos", "T -> T", "f32"},
      {"floor", "T -> T", "f32"},
      {"ceil", "T -> T", "f32"},
      {"round", "T -> T", "f32"},
      {"relu", "T -> T", "f32 q8 qu8 q16"},
      {"relu6", "T -> T", "f32 q8 qu8 q16"},
      {"relu_n1_to_1", "T -> T", "f32 q8 qu8 q16"},
      {"relu_0_to_1", "T -> T", "f32 q8 qu8 q16"},
      {"logistic", "T -> T", "f32 q8 qu8 q16"},
      {"tanh", "T -> T", "f32 q8 qu8 q16"},
      {"elu", "T -> T", "f32 q8"},
      {"hard_swish", "T -> T", "f32 q8 qu8"},
      {"logical_not", "i1 -> i1"},
      {"gelu", "T -> T", "f32 q8 qu8 q16"},
      {"leaky_relu", "T -> T", "f32 q8 qu8 q16"},
      {"lookup", "q8 -> T", "q8 qu8 i8 u8"},
      {"lookup", "qu8 -> T", "q8 qu8 i8 u8"},
      // Conversions.
      {"cast", "i1 -> T", all, AnyZeroPoint},
      {"cast", "i8 -> T", all, AnyZeroPoint},
      {"cast", "u8 -> T", all, AnyZeroPoint},
      {"cast", "i16 -> T", all, AnyZeroPoint},
      {"cast", "i32 -> T", all, AnyZeroPoint},
      {"cast", "i64 -> T", all, AnyZeroPoint},
      {"cast", "f32 -> T", all, AnyZeroPoint},
      {"cast", "q8 -> T", all, AnyZeroPoint},
      {"cast", "qu8 -> T", all, AnyZeroPoint},
      {"cast", "q16 -> T", all, AnyZeroPoint},
      {"cast", "q32 -> T", all, AnyZeroPoint},
      {"quantize", "f32 -> T", "q8 qu8 q16 q32", AnyZeroPoint},
      {"quantize", "q8 -> T", "q8 qu8 q16 q32", AnyZeroPoint},
      {"quantize", "qu8 -> T", "q8 qu8 q16 q32", AnyZeroPoint},
      {"quantize", "q16 -> T", "q8 qu8 q16 q32", AnyZeroPoint},
      {"quantize", "q32 -> T", "q8 qu8 q16 q32", AnyZeroPoint},
      {"dequantize", "T -> f32", "q8 qu8 q16 q32", AnyZeroPoint},
      {"dequantize", "q8 per channel -> f32"},
      // Elementwise functions of two tensors.
      {"add", "T, T -> T", "f32 i32 i64 q8 qu8 q16"},
      {"sub", "T, T -> T", "f32 i32 i64 q8 qu8 q16"},
      {"mul", "T, T -> T", "f32 i32 i64 q8 qu8 q16"},
      {"div", "T, T -> T", "f32 i32 i64 q8 qu8"},
      {"minimum", "T, T -> T", "f32 i8 i16 i32 i64 q8 qu8 q16", same},
      {"maximum", "T, T -> T", "f32 i8 i16 i32 i64 q8 qu8 q16", same},
      {"squared_difference", "T, T -> T", "f32 i32 i64 q8 q16"},
      {"floor_div", "T, T -> T", "f32 i8 i16 i32 i64"},
      {"floor_mod", "T, T -> T", "f32 i8 i16 i32 i64"},
      {"pow", "T, T -> T", "f32 i32 i64"},
      {"atan2", "f32, f32 -> f32"},
      {"equal", "T, T -> i1", "i1 i32 i64 f32 q8 qu8 q16"},
      {"not_equal", "T, T -> i1", "i1 i32 i64 f32 q8 qu8 q16"},
      {"less", "T, T -> i1", "i32 i64 f32 q8 qu8 q16"},
      {"less_equal", "T, T -> i1", "i32 i64 f32 q8 qu8 q16"},
      {"greater", "T, T -> i1", "i32 i64 f32 q8 qu8 q16"},
      {"greater_equal", "T, T -> i1", "i32 i64 f32 q8 qu8 q16"},
      {"logical_and", "i1, i1 -> i1"},
      {"logical_or", "i1, i1 -> i1"},
      {"prelu", "T, T -> T", "f32 q8 qu8"},
      {"add_n", "T... -> T", "f32 i32"},
      {"add_n", "T... -> T", "q8", SameInputs},
      {"select", "i1, T, T -> T", all, same},
      // Movement of elements.
      {"reshape", "T -> T", all, moves},
      {"transpose", "T -> T", all, moves},
      {"slice", "T -> T", all, moves},
      {"strided_slice", "T -> T", all, moves},
      {"concatenation", "T... -> T", "i1 i8 u8 i16 i32 i64 f32 q8 qu8 q32", moves},
      {"concatenation", "q16... -> q16"},
      {"split", "T -> T...", all, moves},
      {"pack", "T... -> T", all, moves},
      {"unpack", "T -> T...", all, moves},
      {"pad", "T, T? -> T", all, moves},
      {"mirror_pad", "T -> T", all, moves},
      {"tile", "T -> T", all, moves},
      {"broadcast_to", "T -> T", all, moves},
      {"reverse", "T -> T", all, moves},
      {"space_to_depth", "T -> T", all, moves},
      {"depth_to_space", "T -> T", all, moves},
      {"space_to_batch_nd", "T -> T", all, moves},
      {"batch_to_space_nd", "T -> T", all, moves},
      // Indexing by run-time tensors.
      {"gather", "T, i32 -> T", all, moves},
      {"gather", "T, i64 -> T", all, moves},
      {"gather_nd", "T, i32 -> T", all, moves},
      {"gather_nd", "T, i64 -> T", all, moves},
      {"scatter_nd", "i32, T -> T", all, moves},
      {"scatter_nd", "i64, T -> T", all, moves},
      {"one_hot", "i32, T, T -> T", all, moves},
      {"one_hot", "i64, T, T -> T", all, moves},
      {"fill", "T -> T", all, moves},
      {"shape", "T -> i32", all, AnyZeroPoint},
      {"shape", "T -> i64", all, AnyZeroPoint},
      // Reductions.
      {"mean", "T -> T", "f32 i32 i64 q8 qu8 q16"},
      {"sum", "T -> T", "f32 i32 i64 q8 qu8 q16"},
      {"reduce_max", "T -> T", "f32 i32 i64 q8 qu8 q16", same},
      {"reduce_min", "T -> T", "f32 i32 i64 q8 qu8 q16", same},
      {"reduce_prod", "T -> T", "f32 i32 i64"},
      {"reduce_any", "i1 -> i1"},
      {"reduce_all", "i1 -> i1"},
      {"arg_max", "T -> i32", "f32 i32 q8 qu8 q16"},
      {"arg_max", "T -> i64", "f32 i32 q8 qu8 q16"},
      {"arg_min", "T -> i32", "f32 i32 q8 qu8 q16"},
      {"arg_min", "T -> i64", "f32 i32 q8 qu8 q16"},
      // Resizing.
      {"resize_bilinear", "T -> T", "f32 q8 qu8 q16", same},
      {"resize_nearest_neighbor", "T -> T", all, moves},
  };
  return rows;
}

llvm::ArrayRef<FixedOutput> fixedOutputs() {
  static constexpr FixedOutput outputs[] = {
      {"softmax", "q8", 1.0 / 256, -128, 0},
      {"softmax", "qu8", 1.0 / 256, 0, 0},
      {"softmax", "q16", 1.0 / 32768, 0, 1e-3},
      {"softmax", "q16", 1.0 / 65536, -32768, 1e-3}, // of an int8 operand
      {"log_softmax", "q8", 16.0 / 256, 127, 0},
      {"log_softmax", "qu8", 16.0 / 256, 255, 0},
      {"l2_normalization", "q8", 1.0 / 128, 0, 0},
      {"l2_normalization", "qu8", 1.0 / 128, 128, 0},
      {"logistic", "q8", 1.0 / 256, -128, 0},
      {"logistic", "qu8", 1.0 / 256, 0, 0},
      {"logistic", "q16", 1.0 / 32768, 0, 1e-3},
      {"tanh", "q8", 1.0 / 128, 0, 0},
      {"tanh", "qu8", 1.0 / 128, 128, 0},
      {"tanh", "q16", 1.0 / 32768, 0, 1e-3},
  };
  return outputs;
}

} // namespace thimble::nn
