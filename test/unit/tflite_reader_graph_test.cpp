// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators: codes, operands, options; and the order of the graph.
#include "tflite_model.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace thimble;
using namespace thimble::tflite;
using namespace thimble::tflite::test;

namespace {

/// A convolution with its operator changed.
std::unique_ptr<schema::ModelT> with(void (*change)(schema::OperatorT &)) {
  auto model = convModel();
  change(*model->subgraphs[0]->operators[0]);
  return model;
}

/// A convolution with its options changed.
std::unique_ptr<schema::ModelT> withOptions(void (*change)(schema::Conv2DOptionsT &)) {
  auto model = convModel();
  change(*model->subgraphs[0]->operators[0]->builtin_options.AsConv2DOptions());
  return model;
}

TEST(TFLiteReaderOperator, code) {
  EXPECT_EQ(errorOf(*with([](auto &op) { op.opcode_index = 1; })),
            "operator 0: operator code 1 of 1");
  auto model = convModel();
  schema::OperatorCodeT &code = *model->operator_codes[0];
  // Old files have the byte only; the larger of the two counts.
  code.builtin_code = BuiltinOperator::ADD;
  code.deprecated_builtin_code = 3;
  EXPECT_EQ(errorOf(*model), "no error");
  code.deprecated_builtin_code = 127;
  EXPECT_EQ(errorOf(*model), "operator 0: operator code 127 stands for no operator");
  code.deprecated_builtin_code = -1;
  code.builtin_code = BuiltinOperator(-2);
  EXPECT_EQ(errorOf(*model), "operator 0: operator code -1 stands for no operator");
}

TEST(TFLiteReaderOperator, names_every_operator) {
  auto model = convModel();
  model->operator_codes[0]->builtin_code = BuiltinOperator(1000);
  Result<Model> unknown = readPacked(*model);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(describe(unknown->subgraphs[0], unknown->subgraphs[0].operators[0]),
            "layer \"y\" (operator number 1000)");
  model->operator_codes[0]->builtin_code = BuiltinOperator::CUSTOM;
  EXPECT_EQ(errorOf(*model), "operator 0: a custom operator without a name");
  model->operator_codes[0]->custom_code = "Foo";
  Result<Model> custom = readPacked(*model);
  ASSERT_TRUE(custom);
  EXPECT_EQ(operatorName(custom->subgraphs[0].operators[0]), "custom operator \"Foo\"");
}

TEST(TFLiteReaderOperator, operands_in_range) {
  EXPECT_EQ(errorOf(*with([](auto &op) { op.inputs[0] = 4; })),
            "layer \"y\" (CONV_2D): input 0 is tensor 4, legal are -1 to 3");
  EXPECT_EQ(errorOf(*with([](auto &op) { op.inputs[0] = -2; })),
            "layer \"y\" (CONV_2D): input 0 is tensor -2, legal are -1 to 3");
  EXPECT_EQ(errorOf(*with([](auto &op) { op.outputs[0] = -1; })),
            "operator 0 (CONV_2D): output 0 is tensor -1, legal are 0 to 3");
}

TEST(TFLiteReaderOperator, number_of_operands) {
  EXPECT_EQ(errorOf(*with([](auto &op) { op.inputs.clear(); })),
            "layer \"y\" (CONV_2D): 0 inputs, legal is 2 to 3 inputs");
  EXPECT_EQ(errorOf(*with([](auto &op) { op.outputs.clear(); })),
            "operator 0 (CONV_2D): 0 outputs, legal is 1 output");
  EXPECT_EQ(errorOf(*with([](auto &op) { op.inputs[2] = -1; })), "no error");
  EXPECT_EQ(errorOf(*with([](auto &op) { op.inputs[1] = -1; })),
            "layer \"y\" (CONV_2D): input 1 is absent, it is not optional");
}

TEST(TFLiteReaderOperator, options_of_the_operator) {
  EXPECT_EQ(errorOf(*with([](auto &op) { op.builtin_options.Reset(); })),
            "layer \"y\" (CONV_2D): has no options, it needs Conv2DOptions");
  EXPECT_EQ(errorOf(*with([](auto &op) { op.builtin_options.Set(schema::Pool2DOptionsT()); })),
            "layer \"y\" (CONV_2D): has options of another operator (Pool2DOptions), legal are "
            "Conv2DOptions");
}

TEST(TFLiteReaderOperator, options_default_when_absent) {
  auto model = chainModel();
  model->operator_codes[0]->builtin_code = BuiltinOperator::LEAKY_RELU;
  model->subgraphs[0]->operators[0]->builtin_options.Reset();
  Result<Model> read = readPacked(*model);
  ASSERT_TRUE(read) << read.error();
  const Operator &op = read->subgraphs[0].operators[0];
  EXPECT_EQ(op.options<schema::LeakyReluOptions>().alpha(), 0.0f);
  EXPECT_EQ(op.options<schema::Conv2DOptions>().dilation_w_factor(), 1);
}

TEST(TFLiteReaderOperator, convolution) {
  const std::string layer = "layer \"y\" (CONV_2D): ";
  EXPECT_EQ(errorOf(*withOptions([](auto &o) { o.stride_w = 0; })),
            layer + "stride_w is 0, legal are 1 to 65535");
  EXPECT_EQ(errorOf(*withOptions([](auto &o) { o.stride_h = -1; })),
            layer + "stride_h is -1, legal are 1 to 65535");
  EXPECT_EQ(errorOf(*withOptions([](auto &o) { o.dilation_h_factor = INT32_MAX; })),
            layer + "dilation_h_factor is 2147483647, legal are 1 to 65535");
  EXPECT_EQ(errorOf(*withOptions([](auto &o) { o.padding = schema::Padding(77); })),
            layer + "padding is 77, legal are 0 (SAME) and 1 (VALID)");
  using Activation = schema::ActivationFunctionType;
  EXPECT_EQ(errorOf(*withOptions([](auto &o) { o.fused_activation_function = Activation(99); })),
            layer + "fused activation is 99, legal are 0 to 5");
  EXPECT_EQ(notesOf(*withOptions([](auto &o) { o.fused_activation_function = Activation::TANH; })),
            layer + "fused activation TANH or SIGN_BIT, supported are NONE, RELU, RELU_N1_TO_1 and "
                    "RELU6");
}

/// The error of `code` with `options` on x [1,4]; m is its result.
template <typename Options> std::string errorWith(BuiltinOperator code, const Options &options) {
  auto model = chainModel();
  model->operator_codes[0]->builtin_code = code;
  model->subgraphs[0]->operators[0]->builtin_options.Set(Options(options));
  return errorOf(*model);
}

TEST(TFLiteReaderOperator, other_options) {
  schema::Pool2DOptionsT pool;
  pool.stride_w = pool.stride_h = pool.filter_width = 1;
  EXPECT_EQ(errorWith(BuiltinOperator::MAX_POOL_2D, pool),
            "layer \"m\" (MAX_POOL_2D): filter_height is 0, legal are 1 to 65535");
  schema::SoftmaxOptionsT softmax;
  softmax.beta = INFINITY;
  EXPECT_EQ(errorWith(BuiltinOperator::SOFTMAX, softmax),
            "layer \"m\" (SOFTMAX): beta is inf, legal are finite values");
  schema::ConcatenationOptionsT concatenation;
  concatenation.axis = INT32_MIN;
  EXPECT_EQ(errorWith(BuiltinOperator::CONCATENATION, concatenation),
            "layer \"m\" (CONCATENATION): axis is -2147483648, legal are -2 to 1");
  schema::UnpackOptionsT unpack;
  unpack.num = 2;
  EXPECT_EQ(errorWith(BuiltinOperator::UNPACK, unpack),
            "layer \"m\" (UNPACK): num is 2, but there are 1 outputs");
  schema::SqueezeOptionsT squeeze;
  squeeze.squeeze_dims = {0, 2};
  EXPECT_EQ(errorWith(BuiltinOperator::SQUEEZE, squeeze),
            "layer \"m\" (SQUEEZE): squeeze dimension is 2, legal are -2 to 1");
  EXPECT_EQ(errorWith(BuiltinOperator::DEPTH_TO_SPACE, schema::DepthToSpaceOptionsT()),
            "layer \"m\" (DEPTH_TO_SPACE): block_size is 0, legal are 1 to 65535");
}

TEST(TFLiteReaderGraph, order) {
  EXPECT_EQ(errorOf(*chainModel()), "no error");
  auto swapped = chainModel();
  std::swap(swapped->subgraphs[0]->operators[0], swapped->subgraphs[0]->operators[1]);
  EXPECT_EQ(errorOf(*swapped), "layer \"y\" (RELU): reads tensor \"m\" before layer \"m\" (RELU) "
                               "writes it, legal is an order in which every tensor is written "
                               "first");
  auto loop = chainModel();
  loop->subgraphs[0]->operators[0]->inputs[0] = 1;
  EXPECT_EQ(errorOf(*loop), "layer \"m\" (RELU): reads tensor \"m\" before layer \"m\" (RELU) "
                            "writes it, legal is an order in which every tensor is written first");
  auto nobody = chainModel();
  nobody->subgraphs[0]->inputs.clear();
  EXPECT_EQ(errorOf(*nobody), "layer \"m\" (RELU): reads tensor \"x\", which is neither an input "
                              "nor constant and nobody writes");
}

TEST(TFLiteReaderGraph, one_writer) {
  auto twice = chainModel();
  twice->subgraphs[0]->operators[1]->outputs[0] = 1;
  EXPECT_EQ(errorOf(*twice), "layer \"m\" (RELU) writes tensor \"m\", which is written already by "
                             "layer \"m\" (RELU)");
  auto input = chainModel();
  input->subgraphs[0]->operators[1]->outputs[0] = 0;
  EXPECT_EQ(errorOf(*input),
            "layer \"x\" (RELU) writes tensor \"x\", which is an input of the subgraph");
  auto constant = convModel();
  constant->subgraphs[0]->operators[0]->outputs[0] = 1;
  EXPECT_EQ(errorOf(*constant), "layer \"w\" (CONV_2D) writes tensor \"w\", which is constant");
}

TEST(TFLiteReaderGraph, interface) {
  auto model = chainModel();
  model->subgraphs[0]->inputs = {0, 0};
  EXPECT_EQ(errorOf(*model), "tensor \"x\" is listed twice as an input");
  model->subgraphs[0]->inputs = {3};
  EXPECT_EQ(errorOf(*model), "input 0 is tensor 3 of 3");
  model = chainModel();
  model->subgraphs[0]->outputs.clear();
  EXPECT_EQ(errorOf(*model), "the main subgraph has no outputs, legal is at least one");
  model = chainModel();
  addTensor(*model, {"z", {1}});
  model->subgraphs[0]->outputs = {3};
  EXPECT_EQ(errorOf(*model), "output tensor \"z\" is written by nobody");
  model = convModel();
  model->subgraphs[0]->inputs = {0, 1};
  EXPECT_EQ(errorOf(*model), "input tensor \"w\" has constant data");
}

TEST(TFLiteReaderGraph, names_are_escaped) {
  auto model = chainModel();
  model->subgraphs[0]->tensors[0]->name = "*/\n\x1b[2J" + std::string(1 << 20, 'a');
  model->subgraphs[0]->inputs.clear();
  EXPECT_EQ(errorOf(*model), "layer \"m\" (RELU): reads tensor \"*/\\n\\x1b[2J" +
                                 std::string(57, 'a') +
                                 "...\", which is neither an input nor constant and nobody writes");
}

TEST(TFLiteReaderGraph, layers_without_names) {
  auto model = chainModel();
  for (auto &tensor : model->subgraphs[0]->tensors)
    tensor->name.clear();
  model->subgraphs[0]->inputs.clear();
  EXPECT_EQ(errorOf(*model), "operator 0 (RELU): reads tensor 0, which is neither an input nor "
                             "constant and nobody writes");
}

} // namespace
