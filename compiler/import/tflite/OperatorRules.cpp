// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Numbers of operands and options tables, by operator, as TFLite defines them. An
// input beyond the least number is optional: it may be left out or be -1.
#include "compiler/import/tflite/ReaderImpl.h"

#include <array>

namespace thimble::tflite {
namespace {

using Op = BuiltinOperator;
using Opt = BuiltinOptions;

constexpr OperatorRule needs(Op code, Opt options, int minIn, int maxIn, int minOut = 1,
                             int maxOut = 1) {
  return {code, options, true, minIn, maxIn, minOut, maxOut};
}
constexpr OperatorRule takes(Op code, Opt options, int minIn, int maxIn, int minOut = 1,
                             int maxOut = 1) {
  return {code, options, false, minIn, maxIn, minOut, maxOut};
}
constexpr OperatorRule plain(Op code, int inputs) {
  return {code, Opt::NONE, false, inputs, inputs, 1, 1};
}

constexpr OperatorRule rules[] = {
    needs(Op::CONV_2D, Opt::Conv2DOptions, 2, 3),
    needs(Op::DEPTHWISE_CONV_2D, Opt::DepthwiseConv2DOptions, 2, 3),
    needs(Op::TRANSPOSE_CONV, Opt::TransposeConvOptions, 3, 4),
    takes(Op::FULLY_CONNECTED, Opt::FullyConnectedOptions, 2, 3),
    takes(Op::BATCH_MATMUL, Opt::BatchMatMulOptions, 2, 2),
    needs(Op::AVERAGE_POOL_2D, Opt::Pool2DOptions, 1, 1),
    needs(Op::MAX_POOL_2D, Opt::Pool2DOptions, 1, 1),
    needs(Op::L2_POOL_2D, Opt::Pool2DOptions, 1, 1),
    takes(Op::ADD, Opt::AddOptions, 2, 2),
    takes(Op::SUB, Opt::SubOptions, 2, 2),
    takes(Op::MUL, Opt::MulOptions, 2, 2),
    takes(Op::DIV, Opt::DivOptions, 2, 2),
    takes(Op::ADD_N, Opt::NONE, 1, anyNumber),
    plain(Op::MAXIMUM, 2),
    plain(Op::MINIMUM, 2),
    plain(Op::POW, 2),
    plain(Op::FLOOR_DIV, 2),
    plain(Op::FLOOR_MOD, 2),
    plain(Op::ATAN2, 2),
    plain(Op::SQUARED_DIFFERENCE, 2),
    plain(Op::EQUAL, 2),
    plain(Op::NOT_EQUAL, 2),
    plain(Op::GREATER, 2),
    plain(Op::GREATER_EQUAL, 2),
    plain(Op::LESS, 2),
    plain(Op::LESS_EQUAL, 2),
    plain(Op::LOGICAL_AND, 2),
    plain(Op::LOGICAL_OR, 2),
    plain(Op::LOGICAL_NOT, 1),
    plain(Op::SELECT, 3),
    plain(Op::SELECT_V2, 3),
    needs(Op::SOFTMAX, Opt::SoftmaxOptions, 1, 1),
    plain(Op::LOG_SOFTMAX, 1),
    plain(Op::LOGISTIC, 1),
    plain(Op::TANH, 1),
    plain(Op::RELU, 1),
    plain(Op::RELU6, 1),
    plain(Op::RELU_N1_TO_1, 1),
    plain(Op::RELU_0_TO_1, 1),
    takes(Op::LEAKY_RELU, Opt::LeakyReluOptions, 1, 1),
    plain(Op::PRELU, 2),
    plain(Op::ELU, 1),
    takes(Op::GELU, Opt::GeluOptions, 1, 1),
    plain(Op::HARD_SWISH, 1),
    plain(Op::ABS, 1),
    plain(Op::NEG, 1),
    plain(Op::SIGN, 1),
    plain(Op::SQRT, 1),
    plain(Op::RSQRT, 1),
    plain(Op::SQUARE, 1),
    plain(Op::EXP, 1),
    plain(Op::LOG, 1),
    plain(Op::SIN, 1),
    plain(Op::COS, 1),
    plain(Op::FLOOR, 1),
    plain(Op::CEIL, 1),
    plain(Op::ROUND, 1),
    takes(Op::L2_NORMALIZATION, Opt::L2NormOptions, 1, 1),
    takes(Op::LOCAL_RESPONSE_NORMALIZATION, Opt::LocalResponseNormalizationOptions, 1, 1),
    takes(Op::RESHAPE, Opt::ReshapeOptions, 1, 2),
    takes(Op::SQUEEZE, Opt::SqueezeOptions, 1, 1),
    plain(Op::EXPAND_DIMS, 2),
    takes(Op::SHAPE, Opt::ShapeOptions, 1, 1),
    plain(Op::RANK, 1),
    needs(Op::PACK, Opt::PackOptions, 1, anyNumber),
    needs(Op::UNPACK, Opt::UnpackOptions, 1, 1, 1, anyNumber),
    needs(Op::CONCATENATION, Opt::ConcatenationOptions, 1, anyNumber),
    needs(Op::SPLIT, Opt::SplitOptions, 2, 2, 1, anyNumber),
    needs(Op::SPLIT_V, Opt::SplitVOptions, 3, 3, 1, anyNumber),
    plain(Op::SLICE, 3),
    takes(Op::STRIDED_SLICE, Opt::StridedSliceOptions, 4, 4),
    plain(Op::PAD, 2),
    plain(Op::PADV2, 3),
    takes(Op::MIRROR_PAD, Opt::MirrorPadOptions, 2, 2),
    takes(Op::MEAN, Opt::ReducerOptions, 2, 2),
    takes(Op::SUM, Opt::ReducerOptions, 2, 2),
    takes(Op::REDUCE_MAX, Opt::ReducerOptions, 2, 2),
    takes(Op::REDUCE_MIN, Opt::ReducerOptions, 2, 2),
    takes(Op::REDUCE_PROD, Opt::ReducerOptions, 2, 2),
    takes(Op::REDUCE_ANY, Opt::ReducerOptions, 2, 2),
    takes(Op::REDUCE_ALL, Opt::ReducerOptions, 2, 2),
    takes(Op::ARG_MAX, Opt::ArgMaxOptions, 2, 2),
    takes(Op::ARG_MIN, Opt::ArgMinOptions, 2, 2),
    takes(Op::CUMSUM, Opt::CumsumOptions, 2, 2),
    plain(Op::QUANTIZE, 1),
    plain(Op::DEQUANTIZE, 1),
    takes(Op::CAST, Opt::CastOptions, 1, 1),
    takes(Op::GATHER, Opt::GatherOptions, 2, 2),
    plain(Op::GATHER_ND, 2),
    plain(Op::SCATTER_ND, 3),
    takes(Op::ONE_HOT, Opt::OneHotOptions, 4, 4),
    plain(Op::TRANSPOSE, 2),
    plain(Op::TILE, 2),
    plain(Op::BROADCAST_TO, 2),
    plain(Op::BROADCAST_ARGS, 2),
    plain(Op::FILL, 2),
    plain(Op::ZEROS_LIKE, 1),
    plain(Op::RANGE, 3),
    plain(Op::REVERSE_V2, 2),
    takes(Op::REVERSE_SEQUENCE, Opt::ReverseSequenceOptions, 2, 2),
    plain(Op::DYNAMIC_UPDATE_SLICE, 3),
    takes(Op::RESIZE_NEAREST_NEIGHBOR, Opt::ResizeNearestNeighborOptions, 2, 2),
    takes(Op::RESIZE_BILINEAR, Opt::ResizeBilinearOptions, 2, 2),
    needs(Op::SPACE_TO_DEPTH, Opt::SpaceToDepthOptions, 1, 1),
    needs(Op::DEPTH_TO_SPACE, Opt::DepthToSpaceOptions, 1, 1),
    plain(Op::SPACE_TO_BATCH_ND, 3),
    plain(Op::BATCH_TO_SPACE_ND, 3),
    needs(Op::SVDF, Opt::SVDFOptions, 5, 5),
    needs(Op::IF, Opt::IfOptions, 1, anyNumber, 0, anyNumber),
    needs(Op::WHILE, Opt::WhileOptions, 1, anyNumber, 0, anyNumber),
    needs(Op::CALL_ONCE, Opt::CallOnceOptions, 0, 0, 0, 0),
    takes(Op::VAR_HANDLE, Opt::VarHandleOptions, 0, 0),
    plain(Op::READ_VARIABLE, 1),
    takes(Op::ASSIGN_VARIABLE, Opt::NONE, 2, 2, 0, 0),
};

constexpr size_t operatorCount = static_cast<size_t>(Op::MAX) + 1;

/// Index into `rules` by code, -1 for none.
std::array<int, operatorCount> makeIndex() {
  std::array<int, operatorCount> index;
  index.fill(-1);
  for (size_t i = 0; i < sizeof rules / sizeof *rules; ++i)
    index[static_cast<size_t>(rules[i].code)] = static_cast<int>(i);
  return index;
}

} // namespace

const OperatorRule *findRule(BuiltinOperator code) {
  static const std::array<int, operatorCount> index = makeIndex();
  int64_t i = static_cast<int64_t>(code);
  if (i < 0 || i >= static_cast<int64_t>(operatorCount) || index[i] < 0)
    return nullptr;
  return &rules[index[i]];
}

} // namespace thimble::tflite
