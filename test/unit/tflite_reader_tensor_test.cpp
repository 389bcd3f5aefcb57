// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Tensors: shape, type, quantization and data.
#include "tflite_model.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace thimble;
using namespace thimble::tflite;
using namespace thimble::tflite::test;

namespace {

/// A convolution with its tensor `index` changed.
std::unique_ptr<schema::ModelT> with(int index, void (*change)(schema::TensorT &)) {
  auto model = convModel();
  change(*model->subgraphs[0]->tensors[index]);
  return model;
}

constexpr int x = 0, w = 1, b = 2;

TEST(TFLiteReaderTensor, shape) {
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.shape[1] = -1; })),
            "tensor \"x\": dimension 1 is -1, a static shape has no negative dimensions");
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.shape.assign(9, 1); })),
            "tensor \"x\": rank 9, legal ranks are 0 to 8");
  const char *tooLarge = "tensor \"x\": larger than 536870912 bytes, which is all the memory that "
                         "a Cortex-M can have";
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.shape = {INT32_MAX, INT32_MAX, INT32_MAX}; })),
            tooLarge);
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.shape = {65536, 65536, 0}; })), tooLarge);
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.shape = {1 << 29}; })), "no error");
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.shape = {(1 << 29) + 1}; })), tooLarge);
}

TEST(TFLiteReaderTensor, signature) {
  auto model = with(x, [](auto &t) { t.shape_signature = {-1, 8, 8, 3}; });
  Result<Model> read = readPacked(*model);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->subgraphs[0].tensors[0].isDynamic);
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.shape_signature = {-1}; })),
            "tensor \"x\": shape has rank 4, its signature 1");
}

TEST(TFLiteReaderTensor, type) {
  EXPECT_EQ(notesOf(*with(x, [](auto &t) { t.type = schema::TensorType::FLOAT16; })),
            "tensor \"x\": type float16, supported are bool, int8, uint8, int16, int32, int64 and "
            "float32");
  EXPECT_EQ(notesOf(*with(x, [](auto &t) { t.type = schema::TensorType(100); })),
            "tensor \"x\": type number 100, supported are bool, int8, uint8, int16, int32, int64 "
            "and float32");
  EXPECT_EQ(notesOf(*with(
                w, [](auto &t) { t.sparsity = std::make_unique<schema::SparsityParametersT>(); })),
            "tensor \"w\": sparse data, supported is dense data");
}

TEST(TFLiteReaderTensor, notes_all_and_only_what_is_used) {
  auto model = with(x, [](auto &t) { t.type = schema::TensorType::INT4; });
  model->subgraphs[0]->tensors[3]->type = schema::TensorType::STRING;
  addTensor(*model, {"unused", {1}, schema::TensorType::COMPLEX64});
  std::string notes = notesOf(*model);
  EXPECT_NE(notes.find("\"x\": type int4"), std::string::npos);
  EXPECT_NE(notes.find("\"y\": type string"), std::string::npos);
  EXPECT_EQ(notes.find("unused"), std::string::npos);
}

TEST(TFLiteReaderTensor, empty) {
  EXPECT_EQ(notesOf(*with(x, [](auto &t) { t.shape[1] = 0; })),
            "tensor \"x\": no elements: a dimension is 0, supported are 1 and more");
  auto model = convModel();
  addTensor(*model, {"shape", {0}, schema::TensorType::INT32});
  addTensor(*model, {"z", {}});
  addOperator(*model, BuiltinOperator::RESHAPE, {3, 4}, {5}, schema::ReshapeOptionsT());
  Result<Model> read = readPacked(*model);
  ASSERT_TRUE(read) << read.error();
  EXPECT_TRUE(read->subgraphs[0].tensors[4].isConstant);
}

TEST(TFLiteReaderTensor, scale) {
  for (float scale : {0.0f, -1.0f, NAN, INFINITY}) {
    auto model = convModel();
    model->subgraphs[0]->tensors[0]->quantization->scale = {scale};
    EXPECT_EQ(errorOf(*model), "tensor \"x\": scale " + std::to_string(scale) +
                                   ", legal are finite and positive ones");
  }
}

TEST(TFLiteReaderTensor, zero_point) {
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.quantization->zero_point = {128}; })),
            "tensor \"x\": zero point 128, legal are -128 to 127 for int8");
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.quantization->zero_point = {int64_t(1) << 32}; })),
            "tensor \"x\": zero point 4294967296, legal are -128 to 127 for int8");
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.quantization->zero_point = {0, 0}; })),
            "tensor \"x\": 1 scales but 2 zero points, legal are as many or none");
  EXPECT_EQ(errorOf(*with(x, [](auto &t) { t.quantization->zero_point.clear(); })), "no error");
}

TEST(TFLiteReaderTensor, per_channel) {
  auto perChannel = [](int index, size_t count, int axis) {
    auto model = convModel();
    auto &q = *model->subgraphs[0]->tensors[index]->quantization;
    q.scale.assign(count, 0.5f);
    q.zero_point.assign(count, 0);
    q.quantized_dimension = axis;
    return model;
  };
  Result<Model> model = readPacked(*perChannel(w, 4, 0));
  ASSERT_TRUE(model) << model.error();
  EXPECT_EQ(model->subgraphs[0].tensors[w].type.quantization->axis, 0);
  EXPECT_EQ(errorOf(*perChannel(w, 4, 4)), "tensor \"w\": quantized dimension 4, legal are 0 to 3");
  EXPECT_EQ(errorOf(*perChannel(w, 4, INT32_MIN)),
            "tensor \"w\": quantized dimension -2147483648, legal are 0 to 3");
  EXPECT_EQ(errorOf(*perChannel(w, 3, 0)),
            "tensor \"w\": 3 scales for 4 channels along dimension 0");
  auto shifted = perChannel(w, 4, 0);
  shifted->subgraphs[0]->tensors[w]->quantization->zero_point[2] = 1;
  EXPECT_EQ(errorOf(*shifted), "tensor \"w\": zero point 1 of a channel, legal is 0 where int8 is "
                               "quantized per channel");
  EXPECT_EQ(notesOf(*perChannel(x, 3, 3)),
            "tensor \"x\": quantization per channel of a tensor that is not constant, supported "
            "for QUANTIZE and DEQUANTIZE only");
}

TEST(TFLiteReaderTensor, bias_with_the_axis_of_its_filter) {
  auto model = convModel();
  auto &q = *model->subgraphs[0]->tensors[b]->quantization;
  q.scale.assign(4, 0.5f);
  q.zero_point.assign(4, 0);
  q.quantized_dimension = 3;
  Result<Model> read = readPacked(*model);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->subgraphs[0].tensors[b].type.quantization->axis, 0);
}

TEST(TFLiteReaderTensor, quantization_details) {
  EXPECT_EQ(notesOf(*with(w, [](auto &t) { t.quantization->details_kind = 1; })),
            "tensor \"w\": quantization by a scheme other than scale and zero point");
}

TEST(TFLiteReaderTensor, data) {
  EXPECT_EQ(errorOf(*with(w, [](auto &t) { t.buffer = 9; })), "tensor \"w\": buffer 9 of 3");
  EXPECT_EQ(errorOf(*with(w, [](auto &t) { t.shape[0] = 5; })),
            "tensor \"w\": 108 bytes of data where type and shape need 135");
  EXPECT_EQ(errorOf(*with(w, [](auto &t) { t.is_variable = true; })),
            "tensor \"w\": is a variable and has constant data, legal is one of the two");
  auto model = convModel();
  model->buffers[1]->offset = 1000;
  EXPECT_EQ(errorOf(*model),
            "tensor \"w\": data behind the end of the flatbuffer, which is not supported");
  auto flag = convModel();
  addTensor(*flag, {"flag", {1}, schema::TensorType::BOOL, 1, 0, {2}});
  EXPECT_EQ(errorOf(*flag), "tensor \"flag\": a bool is 2, legal are 0 and 1");
}

} // namespace
