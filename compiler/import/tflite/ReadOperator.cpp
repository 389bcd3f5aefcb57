// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/import/tflite/ReaderImpl.h"

#include <algorithm>

namespace thimble::tflite {
namespace {

std::string plural(int n, const char *noun) {
  return std::to_string(n) + " " + noun + (n == 1 ? "" : "s");
}

/// Checks that there are `least` to `most` operands.
Message checkCount(size_t have, int least, int most, const char *noun) {
  if (have >= size_t(least) && have <= size_t(most))
    return {};
  std::string legal = plural(least, noun);
  if (most == anyNumber)
    legal = "at least " + legal;
  else if (most != least)
    legal = std::to_string(least) + " to " + plural(most, noun);
  return plural(static_cast<int>(have), noun) + ", legal is " + legal;
}

Message readIndices(const flatbuffers::Vector<int32_t> *in, size_t tensors, int least,
                    const char *noun, Budget &budget, std::vector<int> &out) {
  if (!budget.take(sizeOf(in), sizeof(int32_t)))
    return "the file describes more operands than it has room for";
  for (uint32_t i = 0; i < sizeOf(in); ++i) {
    int index = in->Get(i);
    if (index < least || index >= int64_t(tensors))
      return std::string(noun) + " " + std::to_string(i) + " is tensor " + std::to_string(index) +
             ", legal are " + std::to_string(least) + " to " + std::to_string(int64_t(tensors) - 1);
    out.push_back(index);
  }
  return {};
}

Message readCode(const schema::Model &file, uint32_t index, Operator &out) {
  size_t codes = sizeOf(file.operator_codes());
  if (index >= codes)
    return "operator code " + std::to_string(index) + " of " + std::to_string(codes);
  const schema::OperatorCode &code = *file.operator_codes()->Get(index);
  // Writers put codes below 127 into both fields, old ones into the byte alone.
  int32_t number =
      std::max(int32_t(code.deprecated_builtin_code()), static_cast<int32_t>(code.builtin_code()));
  out.code = static_cast<BuiltinOperator>(number);
  out.version = code.version();
  if (number < 0 || out.code == BuiltinOperator::PLACEHOLDER_FOR_GREATER_OP_CODES)
    return "operator code " + std::to_string(number) + " stands for no operator";
  if (out.code == BuiltinOperator::CUSTOM) {
    out.customName = viewOf(code.custom_code());
    if (out.customName.empty())
      return "a custom operator without a name";
  }
  return {};
}

Message checkOperands(const Operator &op, const OperatorRule &rule) {
  if (Message m = checkCount(op.inputs.size(), rule.minInputs, rule.maxInputs, "input"); !m.empty())
    return m;
  if (Message m = checkCount(op.outputs.size(), rule.minOutputs, rule.maxOutputs, "output");
      !m.empty())
    return m;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    bool isOptional = rule.maxInputs == anyNumber ? false : i >= size_t(rule.minInputs);
    // The one operator with an optional input in the middle, its bias.
    isOptional |= rule.code == BuiltinOperator::SVDF && i == 3;
    if (op.inputs[i] < 0 && !isOptional)
      return "input " + std::to_string(i) + " is absent, it is not optional";
  }
  return {};
}

Message readOptions(const schema::Operator &in, const OperatorRule *rule, Operator &out) {
  BuiltinOptions type = in.builtin_options_type();
  if (type > BuiltinOptions::MAX || in.builtin_options() == nullptr)
    type = BuiltinOptions::NONE;
  out.optionsType = type;
  out.optionsTable = type == BuiltinOptions::NONE ? nullptr : in.builtin_options();
  if (const auto *custom = in.custom_options())
    out.customOptions = {custom->data(), custom->size()};
  if (!rule || rule->options == BuiltinOptions::NONE || type == rule->options)
    return {};
  const char *legal = schema::EnumNameBuiltinOptions(rule->options);
  if (in.builtin_options_type() != BuiltinOptions::NONE && in.builtin_options()) {
    std::string found = type == BuiltinOptions::NONE
                            ? "number " + std::to_string(int(in.builtin_options_type()))
                            : schema::EnumNameBuiltinOptions(type);
    return "has options of another operator (" + found + "), legal are " + legal;
  }
  if (rule->needsOptions)
    return std::string("has no options, it needs ") + legal;
  return {};
}

} // namespace

Message readOperator(const schema::Model &file, const schema::Operator &in, Budget &budget,
                     size_t index, const Subgraph &subgraph, Operator &out) {
  std::string position = "operator " + std::to_string(index);
  if (Message m = readCode(file, in.opcode_index(), out); !m.empty())
    return position + ": " + m;
  size_t tensors = subgraph.tensors.size();
  Message m = readIndices(in.outputs(), tensors, 0, "output", budget, out.outputs);
  if (!m.empty())
    return position + " (" + operatorName(out) + "): " + m;
  m = readIndices(in.inputs(), tensors, -1, "input", budget, out.inputs);
  if (m.empty())
    m = readIndices(in.intermediates(), tensors, -1, "intermediate", budget, out.intermediates);
  const OperatorRule *rule = findRule(out.code);
  if (m.empty() && rule)
    m = checkOperands(out, *rule);
  if (m.empty())
    m = readOptions(in, rule, out);
  if (m.empty())
    m = checkOptions(subgraph, out);
  if (m.empty())
    return {};
  std::string_view layer = layerName(subgraph, out);
  return (layer.empty() ? position : "layer " + quoteName(layer)) + " (" + operatorName(out) +
         "): " + m;
}

const void *Operator::emptyTable() {
  // A table with a vtable of no fields: every accessor returns its default.
  struct Empty {
    uint16_t vtableBytes = 4, tableBytes = 4;
    int32_t toVtable = 4;
  };
  static const Empty empty;
  return &empty.toVtable;
}

} // namespace thimble::tflite
