// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/import/tflite/ReaderImpl.h"

#include <cmath>

namespace thimble::tflite {
namespace {

using Op = BuiltinOperator;

/// Strides, dilations, filter and block sizes. Far more than any tensor has rows, and
/// small enough that no product of two of them with a dimension overflows 64 bits.
constexpr int64_t maxStep = 65535;

/// Collects the first complaint.
class Checker {
public:
  Checker(const Subgraph &subgraph, Operator &op) : subgraph(subgraph), op(op) {}

  Message message;

  void inRange(const char *what, int64_t value, int64_t low, int64_t high) {
    if (value < low || value > high)
      fail(std::string(what) + " is " + std::to_string(value) + ", legal are " +
           std::to_string(low) + " to " + std::to_string(high));
  }
  void step(const char *what, int64_t value) { inRange(what, value, 1, maxStep); }

  void finite(const char *what, float value) {
    if (!std::isfinite(value))
      fail(std::string(what) + " is " + std::to_string(value) + ", legal are finite values");
  }

  void count(const char *what, int64_t value, size_t operands, const char *noun) {
    if (value != int64_t(operands))
      fail(std::string(what) + " is " + std::to_string(value) + ", but there are " +
           std::to_string(operands) + " " + noun);
  }

  /// `axis` counts from the front, or if negative from the back, of `rank` dimensions.
  void axis(const char *what, int64_t value, int64_t rank) {
    if (rank == 0)
      fail(std::string(what) + " " + std::to_string(value) + " of a scalar");
    else
      inRange(what, value, -rank, rank - 1);
  }

  void padding(schema::Padding padding) {
    if (*schema::EnumNamePadding(padding) == 0)
      fail("padding is " + std::to_string(int(padding)) + ", legal are 0 (SAME) and 1 (VALID)");
  }

  void activation(schema::ActivationFunctionType activation) {
    using Type = schema::ActivationFunctionType;
    if (*schema::EnumNameActivationFunctionType(activation) == 0)
      fail("fused activation is " + std::to_string(int(activation)) + ", legal are 0 to 5");
    else if (activation == Type::TANH || activation == Type::SIGN_BIT)
      unsupported("fused activation TANH or SIGN_BIT, supported are NONE, RELU, RELU_N1_TO_1 and "
                  "RELU6");
  }

  void indexType(const char *what, schema::TensorType type) {
    if (type != schema::TensorType::INT32 && type != schema::TensorType::INT64)
      fail(std::string(what) + " is " + std::to_string(int(type)) +
           ", legal are 2 (INT32) and 4 (INT64)");
  }

  void resize(bool alignCorners, bool halfPixelCenters) {
    if (alignCorners && halfPixelCenters)
      fail("align_corners and half_pixel_centers are both set, legal is one of them");
  }

  void unsupported(std::string why) {
    if (op.unsupported.empty())
      op.unsupported = std::move(why);
  }
  void fail(std::string what) {
    if (message.empty())
      message = std::move(what);
  }

  /// Rank of input `i`, which is present.
  int64_t inputRank(size_t i) const { return subgraph.tensors[op.inputs[i]].type.rank(); }
  int64_t outputRank() const { return subgraph.tensors[op.outputs[0]].type.rank(); }

private:
  const Subgraph &subgraph;
  Operator &op;
};

template <typename T> void checkStrides(Checker &c, const T &o) {
  c.padding(o.padding());
  c.step("stride_w", o.stride_w());
  c.step("stride_h", o.stride_h());
  c.activation(o.fused_activation_function());
}

template <typename T> void checkDilations(Checker &c, const T &o) {
  c.step("dilation_w_factor", o.dilation_w_factor());
  c.step("dilation_h_factor", o.dilation_h_factor());
}

void checkPool(Checker &c, const schema::Pool2DOptions &o) {
  checkStrides(c, o);
  c.step("filter_width", o.filter_width());
  c.step("filter_height", o.filter_height());
}

void checkFullyConnected(Checker &c, const schema::FullyConnectedOptions &o) {
  using Format = schema::FullyConnectedOptionsWeightsFormat;
  c.activation(o.fused_activation_function());
  c.inRange("weights_format", int(o.weights_format()), 0, 1);
  if (o.weights_format() != Format::DEFAULT)
    c.unsupported("weights in the format SHUFFLED4x16INT8, supported is DEFAULT");
}

void checkSqueeze(Checker &c, const schema::SqueezeOptions &o) {
  size_t n = sizeOf(o.squeeze_dims());
  if (n > maxRank)
    return c.fail(std::to_string(n) + " squeeze_dims, legal are 0 to " + std::to_string(maxRank));
  for (uint32_t i = 0; i < n; ++i)
    c.axis("squeeze dimension", o.squeeze_dims()->Get(i), c.inputRank(0));
}

void checkReshape(Checker &c, const schema::ReshapeOptions &o) {
  size_t n = sizeOf(o.new_shape());
  // Where the shape is an operand as well, the operand decides.
  if (n > maxRank)
    return c.fail("new_shape has rank " + std::to_string(n) + ", legal are 0 to " +
                  std::to_string(maxRank));
}

void checkGather(Checker &c, const schema::GatherOptions &o) {
  c.axis("axis", o.axis(), c.inputRank(0));
  c.inRange("batch_dims", o.batch_dims(), -c.inputRank(1), c.inputRank(1));
}

} // namespace

Message checkOptions(const Subgraph &subgraph, Operator &op) {
  Checker c(subgraph, op);
  switch (op.code) {
  case Op::CONV_2D:
    checkStrides(c, op.options<schema::Conv2DOptions>());
    checkDilations(c, op.options<schema::Conv2DOptions>());
    break;
  case Op::DEPTHWISE_CONV_2D:
    // The depth multiplier follows from the shapes; here it only must not be negative.
    checkStrides(c, op.options<schema::DepthwiseConv2DOptions>());
    checkDilations(c, op.options<schema::DepthwiseConv2DOptions>());
    c.inRange("depth_multiplier", op.options<schema::DepthwiseConv2DOptions>().depth_multiplier(),
              0, INT32_MAX);
    break;
  case Op::TRANSPOSE_CONV:
    checkStrides(c, op.options<schema::TransposeConvOptions>());
    break;
  case Op::AVERAGE_POOL_2D:
  case Op::MAX_POOL_2D:
  case Op::L2_POOL_2D:
    checkPool(c, op.options<schema::Pool2DOptions>());
    break;
  case Op::FULLY_CONNECTED:
    checkFullyConnected(c, op.options<schema::FullyConnectedOptions>());
    break;
  case Op::ADD:
    c.activation(op.options<schema::AddOptions>().fused_activation_function());
    break;
  case Op::SUB:
    c.activation(op.options<schema::SubOptions>().fused_activation_function());
    break;
  case Op::MUL:
    c.activation(op.options<schema::MulOptions>().fused_activation_function());
    break;
  case Op::DIV:
    c.activation(op.options<schema::DivOptions>().fused_activation_function());
    break;
  case Op::L2_NORMALIZATION:
    c.activation(op.options<schema::L2NormOptions>().fused_activation_function());
    break;
  case Op::CONCATENATION:
    c.activation(op.options<schema::ConcatenationOptions>().fused_activation_function());
    c.axis("axis", op.options<schema::ConcatenationOptions>().axis(), c.inputRank(0));
    break;
  case Op::PACK:
    c.count("values_count", op.options<schema::PackOptions>().values_count(), op.inputs.size(),
            "inputs");
    c.axis("axis", op.options<schema::PackOptions>().axis(), c.inputRank(0) + 1);
    break;
  case Op::UNPACK:
    c.count("num", op.options<schema::UnpackOptions>().num(), op.outputs.size(), "outputs");
    c.axis("axis", op.options<schema::UnpackOptions>().axis(), c.inputRank(0));
    break;
  case Op::SPLIT:
    c.count("num_splits", op.options<schema::SplitOptions>().num_splits(), op.outputs.size(),
            "outputs");
    break;
  case Op::SPLIT_V:
    c.count("num_splits", op.options<schema::SplitVOptions>().num_splits(), op.outputs.size(),
            "outputs");
    break;
  case Op::SOFTMAX:
    c.finite("beta", op.options<schema::SoftmaxOptions>().beta());
    break;
  case Op::LEAKY_RELU:
    c.finite("alpha", op.options<schema::LeakyReluOptions>().alpha());
    break;
  case Op::SPACE_TO_DEPTH:
    c.step("block_size", op.options<schema::SpaceToDepthOptions>().block_size());
    break;
  case Op::DEPTH_TO_SPACE:
    c.step("block_size", op.options<schema::DepthToSpaceOptions>().block_size());
    break;
  case Op::SQUEEZE:
    checkSqueeze(c, op.options<schema::SqueezeOptions>());
    break;
  case Op::RESHAPE:
    checkReshape(c, op.options<schema::ReshapeOptions>());
    break;
  case Op::GATHER:
    checkGather(c, op.options<schema::GatherOptions>());
    break;
  case Op::ONE_HOT:
    c.axis("axis", op.options<schema::OneHotOptions>().axis(), c.outputRank());
    break;
  case Op::MIRROR_PAD:
    c.inRange("mode", int(op.options<schema::MirrorPadOptions>().mode()), 0, 1);
    break;
  case Op::ARG_MAX:
    c.indexType("output_type", op.options<schema::ArgMaxOptions>().output_type());
    break;
  case Op::ARG_MIN:
    c.indexType("output_type", op.options<schema::ArgMinOptions>().output_type());
    break;
  case Op::SHAPE:
    c.indexType("out_type", op.options<schema::ShapeOptions>().out_type());
    break;
  case Op::RESIZE_BILINEAR: {
    // RESIZE_NEAREST_NEIGHBOR knows what to do with both.
    const auto &o = op.options<schema::ResizeBilinearOptions>();
    c.resize(o.align_corners(), o.half_pixel_centers());
    break;
  }
  case Op::SVDF:
    c.step("rank", op.options<schema::SVDFOptions>().rank());
    c.activation(op.options<schema::SVDFOptions>().fused_activation_function());
    break;
  default:
    break;
  }
  return c.message;
}

} // namespace thimble::tflite
