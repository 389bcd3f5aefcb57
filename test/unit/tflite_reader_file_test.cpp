// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The file as a whole: identifier, offsets, version, subgraphs and their calls.
#include "tflite_model.h"

#include <gtest/gtest.h>

using namespace thimble;
using namespace thimble::tflite;
using namespace thimble::tflite::test;

namespace {

std::string errorOf(const std::vector<uint8_t> &bytes) {
  Result<Model> result = readModel({bytes.data(), bytes.size()});
  return result ? "no error" : result.error();
}
using thimble::tflite::test::errorOf;

TEST(TFLiteReaderFile, ReadsAConvolution) {
  auto file = convModel();
  file->description = "test";
  Result<Model> model = readPacked(*file);
  ASSERT_TRUE(model) << model.error();
  EXPECT_EQ(model->version, 3u);
  EXPECT_EQ(model->description, "test");
  const Subgraph &main = model->subgraphs.at(0);
  EXPECT_EQ(main.inputs, std::vector<int>{0});
  EXPECT_EQ(main.outputs, std::vector<int>{3});
  const tflite::Tensor &w = main.tensors.at(1);
  EXPECT_EQ(w.name, "w");
  EXPECT_TRUE(w.isConstant);
  EXPECT_EQ(w.data.size, 108u);
  EXPECT_EQ(w.type.scale(), 0.25f);
  EXPECT_FALSE(main.tensors.at(0).isConstant);
  const Operator &op = main.operators.at(0);
  EXPECT_EQ(operatorName(op), "CONV_2D");
  EXPECT_EQ(layerName(main, op), "y");
  EXPECT_EQ(op.options<schema::Conv2DOptions>().stride_w(), 1);
  EXPECT_EQ(op.options<schema::Conv2DOptions>().dilation_h_factor(), 1);
  EXPECT_TRUE(op.hasInput(2));
  EXPECT_FALSE(op.hasInput(3));
  EXPECT_TRUE(unsupported(*model).empty());
}

TEST(TFLiteReaderFile, OutlivesTheBytes) {
  std::vector<uint8_t> bytes = pack(*convModel());
  Result<Model> model = readModel({bytes.data(), bytes.size()});
  ASSERT_TRUE(model);
  Model copy = *model;
  std::fill(bytes.begin(), bytes.end(), uint8_t(0xff));
  EXPECT_EQ(copy.subgraphs[0].tensors[3].name, "y");
}

TEST(TFLiteReaderFile, AcceptsBytesAtAnyAlignment) {
  std::vector<uint8_t> bytes = pack(*convModel());
  bytes.insert(bytes.begin(), 0);
  EXPECT_TRUE(bool(readModel({bytes.data() + 1, bytes.size() - 1})));
}

TEST(TFLiteReaderFile, RefusesOtherFiles) {
  EXPECT_EQ(errorOf(std::vector<uint8_t>()), "not a TFLite file: 0 bytes long");
  EXPECT_EQ(errorOf(std::vector<uint8_t>(7)), "not a TFLite file: 7 bytes long");
  EXPECT_EQ(errorOf(std::vector<uint8_t>{8, 0, 0, 0, 'T', 'F', 'L', '0', 0, 0, 0, 0}),
            "not a TFLite file: its identifier is \"TFL0\", legal is \"TFL3\"");
}

TEST(TFLiteReaderFile, SurvivesEveryTruncation) {
  std::vector<uint8_t> bytes = pack(*convModel());
  for (size_t n = 0; n < bytes.size(); ++n) {
    std::vector<uint8_t> part(bytes.begin(), bytes.begin() + n);
    Result<Model> result = readModel({part.data(), part.size()});
    EXPECT_TRUE(result || !result.error().empty());
  }
  bytes.resize(bytes.size() / 2);
  EXPECT_EQ(errorOf(bytes),
            "file is damaged or cut off: an offset in it does not lead where it should");
}

TEST(TFLiteReaderFile, SurvivesEveryByteChanged) {
  const std::vector<uint8_t> bytes = pack(*convModel());
  for (size_t i = 0; i < bytes.size(); ++i)
    for (uint8_t value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      std::vector<uint8_t> spoiled = bytes;
      spoiled[i] = value;
      Result<Model> result = readModel({spoiled.data(), spoiled.size()});
      EXPECT_TRUE(result || result.error().find('\n') == std::string::npos);
    }
}

/// 4,000 operators that share one list of 40,000 inputs: without a bound, 640 MB.
TEST(TFLiteReaderFile, lists_that_share_their_bytes) {
  flatbuffers::FlatBufferBuilder builder;
  auto inputs = builder.CreateVector(std::vector<int32_t>(40000, 0));
  std::vector<flatbuffers::Offset<schema::Operator>> operators;
  for (int i = 0; i < 4000; ++i)
    operators.push_back(schema::CreateOperator(builder, 0, inputs));
  auto tensor = schema::CreateTensor(builder);
  auto tensors = builder.CreateVector(&tensor, 1);
  auto subgraph = schema::CreateSubGraph(builder, tensors, 0, 0, builder.CreateVector(operators));
  auto subgraphs = builder.CreateVector(&subgraph, 1);
  auto code = schema::CreateOperatorCode(builder, 0, 0, 1, BuiltinOperator::HASHTABLE);
  auto codes = builder.CreateVector(&code, 1);
  schema::FinishModelBuffer(builder, schema::CreateModel(builder, 3, codes, subgraphs));
  std::vector<uint8_t> bytes(builder.GetBufferPointer(),
                             builder.GetBufferPointer() + builder.GetSize());
  EXPECT_NE(errorOf(bytes).find("the file describes more operands than it has room for"),
            std::string::npos);
}

TEST(TFLiteReaderFile, version) {
  auto model = convModel();
  model->version = 2;
  EXPECT_EQ(errorOf(*model), "schema version 2, legal is 3");
}

TEST(TFLiteReaderFile, needs_a_subgraph) {
  auto model = convModel();
  model->subgraphs.clear();
  EXPECT_EQ(errorOf(*model), "model has no subgraphs, legal is at least one");
}

/// Main calls subgraphs 1 and 2 by `op`; each passes its input through.
std::unique_ptr<schema::ModelT> callModel() {
  auto model = emptyModel();
  auto Bool = schema::TensorType::BOOL;
  addTensor(*model, {"c", {1}, Bool});
  addTensor(*model, {"x", {4}});
  addTensor(*model, {"y", {4}});
  model->subgraphs[0]->inputs = {0, 1};
  model->subgraphs[0]->outputs = {2};
  for (int i = 1; i < 3; ++i) {
    model->subgraphs.push_back(std::make_unique<schema::SubGraphT>());
    addTensor(*model, {"p", {4}}, i);
    model->subgraphs[i]->inputs = model->subgraphs[i]->outputs = {0};
  }
  return model;
}

TEST(TFLiteReaderFile, if_branches) {
  auto withBranches = [](int then, int otherwise) {
    auto model = callModel();
    schema::IfOptionsT options;
    options.then_subgraph_index = then;
    options.else_subgraph_index = otherwise;
    addOperator(*model, BuiltinOperator::IF, {0, 1}, {2}, options);
    return model;
  };
  EXPECT_EQ(errorOf(*withBranches(1, 2)), "no error");
  EXPECT_EQ(errorOf(*withBranches(1, 3)), "layer \"y\" (IF): calls subgraph 3, legal are 0 to 2");
  EXPECT_EQ(errorOf(*withBranches(1, -1)), "layer \"y\" (IF): calls subgraph -1, legal are 0 to 2");
  auto model = withBranches(1, 2);
  model->subgraphs[2]->outputs.clear();
  EXPECT_EQ(errorOf(*model), "layer \"y\" (IF): else branch is subgraph 2 with 1 inputs and 0 "
                             "outputs, legal are 1 and 1");
  EXPECT_EQ(errorOf(*withBranches(0, 2)), "layer \"y\" (IF): then branch is subgraph 0 with 2 "
                                          "inputs and 1 outputs, legal are 1 and 1");
}

TEST(TFLiteReaderFile, while_condition) {
  auto model = callModel();
  schema::WhileOptionsT options;
  options.cond_subgraph_index = 1;
  options.body_subgraph_index = 2;
  addOperator(*model, BuiltinOperator::WHILE, {1}, {2}, options);
  EXPECT_EQ(errorOf(*model),
            "layer \"y\" (WHILE): condition is subgraph 1, whose output is no bool");
  addTensor(*model, {"d", {1}, schema::TensorType::BOOL, 1, 0, {1}}, 1);
  model->subgraphs[1]->outputs = {1};
  EXPECT_EQ(errorOf(*model), "no error");
  model->subgraphs[0]->operators[0]->builtin_options.AsWhileOptions()->body_subgraph_index = 1;
  EXPECT_EQ(errorOf(*model), "layer \"y\" (WHILE): condition and body are the same subgraph, 1");
}

TEST(TFLiteReaderFile, recursion) {
  auto model = callModel();
  schema::IfOptionsT options;
  options.then_subgraph_index = options.else_subgraph_index = 1;
  addOperator(*model, BuiltinOperator::IF, {0, 1}, {2}, options);
  addTensor(*model, {"c", {1}, schema::TensorType::BOOL, 1, 0, {1}}, 1);
  addTensor(*model, {"q", {4}}, 1);
  addOperator(*model, BuiltinOperator::IF, {1, 0}, {2}, options, 1);
  EXPECT_EQ(errorOf(*model), "subgraph 1 \"\" is part of a recursion, legal are calls that end");
}

} // namespace
