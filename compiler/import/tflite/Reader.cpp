// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/import/tflite/Reader.h"

#include "compiler/import/tflite/ReaderImpl.h"

#include <algorithm>
#include <cstring>

namespace thimble::tflite {
namespace {

constexpr uint32_t supportedVersion = 3;

/// Checks the container: identifier and every offset in it.
Message verify(const uint8_t *data, size_t size) {
  // Root offset and identifier.
  constexpr size_t header = 8;
  if (size < header)
    return "not a TFLite file: " + std::to_string(size) + " bytes long";
  if (size >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return "file is " + std::to_string(size) + " bytes long, legal are less than 2 GB";
  if (!schema::ModelBufferHasIdentifier(data))
    return "not a TFLite file: its identifier is " +
           quoteName({reinterpret_cast<const char *>(data) + 4, 4}) + ", legal is \"TFL3\"";
  flatbuffers::Verifier::Options options;
  // The format nests five tables deep. Each has an offset of four bytes that points to it;
  // what has more tables than that visits them in many ways, to make small files big.
  options.max_depth = 16;
  options.max_tables = static_cast<uint32_t>(size / 4);
  flatbuffers::Verifier verifier(data, size, options);
  if (!schema::VerifyModelBuffer(verifier))
    return "file is damaged or cut off: an offset in it does not lead where it should";
  return {};
}

Message readInterface(const flatbuffers::Vector<int32_t> *in, const char *noun, size_t tensors,
                      Budget &budget, std::vector<int> &out) {
  if (!budget.take(sizeOf(in), sizeof(int32_t)))
    return std::string("the file describes more ") + noun + "s than it has room for";
  for (uint32_t i = 0; i < sizeOf(in); ++i) {
    int index = in->Get(i);
    if (index < 0 || index >= int64_t(tensors))
      return std::string(noun) + " " + std::to_string(i) + " is tensor " + std::to_string(index) +
             " of " + std::to_string(tensors);
    out.push_back(index);
  }
  return {};
}

Message readSubgraph(const schema::Model &file, const schema::SubGraph &in, Budget &budget,
                     bool isMain, Subgraph &out) {
  out.name = viewOf(in.name());
  out.tensors.resize(sizeOf(in.tensors()));
  for (uint32_t i = 0; i < out.tensors.size(); ++i) {
    const schema::Tensor &tensor = *in.tensors()->Get(i);
    std::string_view name = viewOf(tensor.name());
    std::string where = "tensor " + (name.empty() ? std::to_string(i) : quoteName(name));
    if (Message m = readTensor(file, tensor, budget, where, out.tensors[i]); !m.empty())
      return m;
  }
  if (Message m = readInterface(in.inputs(), "input", out.tensors.size(), budget, out.inputs);
      !m.empty())
    return m;
  if (Message m = readInterface(in.outputs(), "output", out.tensors.size(), budget, out.outputs);
      !m.empty())
    return m;
  out.operators.resize(sizeOf(in.operators()));
  for (uint32_t i = 0; i < out.operators.size(); ++i)
    if (Message m = readOperator(file, *in.operators()->Get(i), budget, i, out, out.operators[i]);
        !m.empty())
      return m;
  return checkGraph(out, isMain);
}

void noteTensors(const Subgraph &subgraph, const std::vector<int> &indices, std::vector<bool> &seen,
                 std::vector<Unsupported> &notes) {
  for (int index : indices) {
    if (index < 0 || seen[index])
      continue;
    seen[index] = true;
    const std::string &reason = subgraph.tensors[index].unsupported;
    if (!reason.empty())
      notes.push_back({describe(subgraph, index), reason});
  }
}

} // namespace

Result<Model> readModel(Bytes bytes) {
  // An aligned copy, which the model keeps: FlatBuffers reads numbers in place.
  auto file = std::make_shared<std::vector<uint64_t>>((bytes.size + 7) / 8);
  if (bytes.size != 0)
    std::memcpy(file->data(), bytes.data, bytes.size);
  const uint8_t *data = reinterpret_cast<const uint8_t *>(file->data());
  if (Message m = verify(data, bytes.size); !m.empty())
    return Error{m};

  const schema::Model &root = *schema::GetModel(data);
  Model model;
  model.file = std::move(file);
  model.version = root.version();
  model.description = viewOf(root.description());
  if (model.version != supportedVersion)
    return Error{"schema version " + std::to_string(model.version) + ", legal is " +
                 std::to_string(supportedVersion)};
  size_t count = sizeOf(root.subgraphs());
  if (count == 0)
    return Error{"model has no subgraphs, legal is at least one"};
  Budget budget{4 * bytes.size};
  model.subgraphs.resize(count);
  for (uint32_t i = 0; i < count; ++i) {
    Message m = readSubgraph(root, *root.subgraphs()->Get(i), budget, i == 0, model.subgraphs[i]);
    if (!m.empty())
      return Error{i == 0 ? m : "subgraph " + std::to_string(i) + ": " + m};
  }
  if (Message m = checkCalls(model); !m.empty())
    return Error{m};
  return model;
}

std::string operatorName(const Operator &op) {
  if (op.code == BuiltinOperator::CUSTOM)
    return "custom operator " + quoteName(op.customName);
  std::string name = schema::EnumNameBuiltinOperator(op.code);
  return name.empty() ? "operator number " + std::to_string(static_cast<int>(op.code)) : name;
}

std::string_view layerName(const Subgraph &subgraph, const Operator &op) {
  return op.outputs.empty() ? std::string_view() : subgraph.tensors[op.outputs[0]].name;
}

std::string describe(const Subgraph &subgraph, const Operator &op) {
  std::string_view layer = layerName(subgraph, op);
  std::string where = layer.empty() ? "operator " + std::to_string(&op - subgraph.operators.data())
                                    : "layer " + quoteName(layer);
  return where + " (" + operatorName(op) + ")";
}

std::string describe(const Subgraph &subgraph, int tensor) {
  std::string_view name = subgraph.tensors[tensor].name;
  return "tensor " + (name.empty() ? std::to_string(tensor) : quoteName(name));
}

std::vector<Unsupported> unsupported(const Model &model) {
  std::vector<Unsupported> notes;
  for (const Subgraph &subgraph : model.subgraphs) {
    std::vector<bool> seen(subgraph.tensors.size());
    noteTensors(subgraph, subgraph.inputs, seen, notes);
    for (const Operator &op : subgraph.operators) {
      if (!op.unsupported.empty())
        notes.push_back({describe(subgraph, op), op.unsupported});
      noteTensors(subgraph, op.inputs, seen, notes);
      noteTensors(subgraph, op.outputs, seen, notes);
    }
    noteTensors(subgraph, subgraph.outputs, seen, notes);
  }
  return notes;
}

} // namespace thimble::tflite
