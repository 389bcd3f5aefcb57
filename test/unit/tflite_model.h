// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Small TFLite files made by hand, for the tests of the reader to spoil.
#pragma once

#include "compiler/import/tflite/Reader.h"

#include <memory>
#include <string>
#include <vector>

namespace thimble::tflite::test {

struct TensorSpec {
  std::string name;
  std::vector<int32_t> shape;
  schema::TensorType type = schema::TensorType::INT8;
  float scale = 0.5f;
  int64_t zeroPoint = 0;
  /// Bytes of constant data; empty for an activation.
  std::vector<uint8_t> data = {};
};

inline std::unique_ptr<schema::ModelT> emptyModel() {
  auto model = std::make_unique<schema::ModelT>();
  model->version = 3;
  model->buffers.push_back(std::make_unique<schema::BufferT>());
  model->subgraphs.push_back(std::make_unique<schema::SubGraphT>());
  return model;
}

inline schema::TensorT &addTensor(schema::ModelT &model, const TensorSpec &spec, int subgraph = 0) {
  auto tensor = std::make_unique<schema::TensorT>();
  tensor->name = spec.name;
  tensor->shape = spec.shape;
  tensor->type = spec.type;
  tensor->quantization = std::make_unique<schema::QuantizationParametersT>();
  tensor->quantization->scale = {spec.scale};
  tensor->quantization->zero_point = {spec.zeroPoint};
  if (!spec.data.empty()) {
    tensor->buffer = static_cast<uint32_t>(model.buffers.size());
    model.buffers.push_back(std::make_unique<schema::BufferT>());
    model.buffers.back()->data = spec.data;
  }
  auto &tensors = model.subgraphs[subgraph]->tensors;
  tensors.push_back(std::move(tensor));
  return *tensors.back();
}

template <typename Options>
schema::OperatorT &addOperator(schema::ModelT &model, BuiltinOperator code,
                               std::vector<int32_t> inputs, std::vector<int32_t> outputs,
                               Options options, int subgraph = 0) {
  auto opcode = std::make_unique<schema::OperatorCodeT>();
  opcode->builtin_code = code;
  model.operator_codes.push_back(std::move(opcode));
  auto op = std::make_unique<schema::OperatorT>();
  op->opcode_index = static_cast<uint32_t>(model.operator_codes.size()) - 1;
  op->inputs = std::move(inputs);
  op->outputs = std::move(outputs);
  op->builtin_options.Set(std::move(options));
  auto &operators = model.subgraphs[subgraph]->operators;
  operators.push_back(std::move(op));
  return *operators.back();
}

/// x [1,8,8,3] * w [4,3,3,3] + b [4] -> y [1,8,8,4], tensors 0 to 3.
inline std::unique_ptr<schema::ModelT> convModel() {
  auto model = emptyModel();
  addTensor(*model, {"x", {1, 8, 8, 3}});
  addTensor(*model,
            {"w", {4, 3, 3, 3}, schema::TensorType::INT8, 0.25f, 0, std::vector<uint8_t>(108, 1)});
  addTensor(*model, {"b", {4}, schema::TensorType::INT32, 0.125f, 0, std::vector<uint8_t>(16, 0)});
  addTensor(*model, {"y", {1, 8, 8, 4}});
  schema::Conv2DOptionsT options;
  options.stride_w = options.stride_h = 1;
  addOperator(*model, BuiltinOperator::CONV_2D, {0, 1, 2}, {3}, options);
  model->subgraphs[0]->inputs = {0};
  model->subgraphs[0]->outputs = {3};
  return model;
}

/// x -RELU-> m -RELU-> y, tensors 0 to 2.
inline std::unique_ptr<schema::ModelT> chainModel() {
  auto model = emptyModel();
  for (const char *name : {"x", "m", "y"})
    addTensor(*model, {name, {1, 4}});
  addOperator(*model, BuiltinOperator::RELU, {0}, {1}, schema::AddOptionsT());
  addOperator(*model, BuiltinOperator::RELU, {1}, {2}, schema::AddOptionsT());
  model->subgraphs[0]->inputs = {0};
  model->subgraphs[0]->outputs = {2};
  return model;
}

inline std::vector<uint8_t> pack(const schema::ModelT &model) {
  flatbuffers::FlatBufferBuilder builder;
  schema::FinishModelBuffer(builder, schema::Model::Pack(builder, &model));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

inline Result<Model> readPacked(const schema::ModelT &model) {
  std::vector<uint8_t> bytes = pack(model);
  return readModel({bytes.data(), bytes.size()});
}

/// The message of the error, or what else came out.
inline std::string errorOf(const schema::ModelT &model) {
  Result<Model> result = readPacked(model);
  return result ? "no error" : result.error();
}

/// "where: reason" of every note, one a line.
inline std::string notesOf(const schema::ModelT &model) {
  Result<Model> result = readPacked(model);
  if (!result)
    return "error: " + result.error();
  std::string notes;
  for (const Unsupported &note : unsupported(*result))
    notes += (notes.empty() ? "" : "\n") + note.where + ": " + note.reason;
  return notes;
}

} // namespace thimble::tflite::test
