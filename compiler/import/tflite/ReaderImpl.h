// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The steps of readModel. Each returns an empty string, or the message of the error
// it found.
#pragma once

#include "compiler/import/tflite/Reader.h"

#include <optional>

namespace thimble::tflite {

using Message = std::string;

/// What a tensor may occupy: the whole SRAM region of the Cortex-M memory map. Also
/// keeps every product of dimensions far from overflow.
constexpr int64_t maxTensorBytes = int64_t(1) << 29;
constexpr uint32_t maxRank = 8;

/// Lists in a FlatBuffer can share their bytes, so a small file can describe lists
/// longer in sum than any memory. An honest one has room for what it lists; that, with
/// some allowance for sharing, is the budget.
struct Budget {
  size_t bytes;
  bool take(size_t count, size_t width) {
    if (count > bytes / width)
      return false;
    bytes -= count * width;
    return true;
  }
};

/// A FlatBuffers vector, which may be absent, as a range.
template <typename T> size_t sizeOf(const flatbuffers::Vector<T> *vector) {
  return vector ? vector->size() : 0;
}
inline std::string_view viewOf(const flatbuffers::String *s) {
  return s ? std::string_view(s->c_str(), s->size()) : std::string_view();
}

Message readTensor(const schema::Model &file, const schema::Tensor &in, Budget &budget,
                   const std::string &where, Tensor &out);
Message readOperator(const schema::Model &file, const schema::Operator &in, Budget &budget,
                     size_t index, const Subgraph &subgraph, Operator &out);
/// Checks the values of `op`'s options; operands are in range and of legal number.
Message checkOptions(const Subgraph &subgraph, Operator &op);
/// Checks producers, order, inputs and outputs of `subgraph`; marks empty constants.
Message checkGraph(Subgraph &subgraph, bool isMain);
/// Checks that calls between subgraphs fit and do not recur.
Message checkCalls(const Model &model);

/// How many operands an operator takes and whether it reads an options table.
struct OperatorRule {
  BuiltinOperator code;
  BuiltinOptions options;
  /// Without options the format's defaults would not be legal, or mean nothing.
  bool needsOptions;
  int minInputs, maxInputs, minOutputs, maxOutputs;
};
constexpr int anyNumber = 1 << 30;
/// The rule for `code`; null for operators that Thimble does not know more of than
/// the name.
const OperatorRule *findRule(BuiltinOperator code);

} // namespace thimble::tflite
