// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/import/tflite/ReaderImpl.h"

namespace thimble::tflite {
namespace {

constexpr int nobody = -1;
constexpr int theInterface = -2;

/// Checks one operator's operands against what is written so far and adds its results.
/// `writer` maps each tensor to the operator that writes it in the whole subgraph.
Message checkOperator(const Subgraph &subgraph, int index, const std::vector<int> &writer,
                      std::vector<bool> &available) {
  const Operator &op = subgraph.operators[index];
  for (int input : op.inputs) {
    if (input < 0 || available[input])
      continue;
    std::string tensor = describe(subgraph, input);
    if (writer[input] == nobody)
      return "reads " + tensor + ", which is neither an input nor constant and nobody writes";
    return "reads " + tensor + " before " + describe(subgraph, subgraph.operators[writer[input]]) +
           " writes it, legal is an order in which every tensor is written first";
  }
  for (int output : op.outputs)
    available[output] = true;
  return {};
}

/// Who writes each tensor: checks that at most one operator does and that it may.
Message findWriters(const Subgraph &subgraph, std::vector<int> &writer) {
  for (size_t i = 0; i < subgraph.operators.size(); ++i) {
    const Operator &op = subgraph.operators[i];
    for (int output : op.outputs) {
      const Tensor &tensor = subgraph.tensors[output];
      auto fail = [&](const std::string &why) {
        return describe(subgraph, op) + " writes " + describe(subgraph, output) + why;
      };
      if (tensor.isConstant)
        return fail(", which is constant");
      if (tensor.isVariable)
        return fail(", which is a variable");
      if (writer[output] == theInterface)
        return fail(", which is an input of the subgraph");
      if (writer[output] != nobody)
        return fail(", which is written already by " +
                    describe(subgraph, subgraph.operators[writer[output]]));
      writer[output] = static_cast<int>(i);
    }
  }
  return {};
}

/// Scales per channel belong to weights. Of what is computed, only the operators that
/// convert can have them.
void noteChannels(Subgraph &subgraph) {
  auto note = [&](const std::vector<int> &operands) {
    for (int index : operands) {
      if (index < 0)
        continue;
      Tensor &tensor = subgraph.tensors[index];
      bool perChannel = tensor.type.quantization && tensor.type.quantization->perChannel();
      if (perChannel && !tensor.isConstant && tensor.unsupported.empty())
        tensor.unsupported = "quantization per channel of a tensor that is not constant, supported "
                             "for QUANTIZE and DEQUANTIZE only";
    }
  };
  for (const Operator &op : subgraph.operators) {
    if (op.code != BuiltinOperator::DEQUANTIZE)
      note(op.inputs);
    if (op.code != BuiltinOperator::QUANTIZE)
      note(op.outputs);
  }
}

} // namespace

Message checkGraph(Subgraph &subgraph, bool isMain) {
  std::vector<int> writer(subgraph.tensors.size(), nobody);
  for (int input : subgraph.inputs) {
    if (writer[input] == theInterface)
      return describe(subgraph, input) + " is listed twice as an input";
    if (subgraph.tensors[input].isConstant)
      return "input " + describe(subgraph, input) + " has constant data";
    writer[input] = theInterface;
  }
  if (Message m = findWriters(subgraph, writer); !m.empty())
    return m;

  std::vector<bool> available(subgraph.tensors.size());
  for (size_t i = 0; i < available.size(); ++i) {
    Tensor &tensor = subgraph.tensors[i];
    bool isEmpty = tensor.type.elements() == 0;
    // A constant without elements has no data that would tell it is one.
    if (isEmpty && writer[i] == nobody && !tensor.isVariable)
      tensor.isConstant = true;
    if (isEmpty && !tensor.isConstant && tensor.unsupported.empty())
      tensor.unsupported = "no elements: a dimension is 0, supported are 1 and more";
    available[i] = tensor.isConstant || tensor.isVariable || writer[i] == theInterface;
  }
  noteChannels(subgraph);
  for (size_t i = 0; i < subgraph.operators.size(); ++i)
    if (Message m = checkOperator(subgraph, static_cast<int>(i), writer, available); !m.empty())
      return describe(subgraph, subgraph.operators[i]) + ": " + m;

  if (isMain && subgraph.outputs.empty())
    return "the main subgraph has no outputs, legal is at least one";
  for (int output : subgraph.outputs)
    if (!available[output])
      return "output " + describe(subgraph, output) + " is written by nobody";
  return {};
}

} // namespace thimble::tflite
