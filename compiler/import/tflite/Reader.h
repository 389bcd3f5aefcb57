// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reads TFLite files. The file is untrusted: `readModel` checks everything it
// returns, so that whoever walks a Model needs no check for memory safety. What
// is checked later, by the nn dialect, is whether the shapes and types of an
// operator's operands fit together.
//
// Two kinds of trouble are kept apart. A malformed file is an error: one message,
// no Model. What the format allows and Thimble has no use for (float16 tensors,
// sparse weights, ...) is noted on the tensor or operator concerned
// (`unsupported`), so that `thimble check` can name everything at once.
#pragma once

#include "compiler/import/tflite/schema_generated.h"
#include "compiler/support/Quote.h"
#include "compiler/support/Result.h"
#include "dialects/nn/reference/Tensor.h"

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace thimble::tflite {

using BuiltinOperator = schema::BuiltinOperator;
using BuiltinOptions = schema::BuiltinOptions;

/// Bytes somebody else owns.
struct Bytes {
  const uint8_t *data = nullptr;
  size_t size = 0;
};

struct Tensor {
  /// As in the file: any bytes, any length, neither unique nor present for sure.
  /// Use `quoteName` in messages.
  std::string_view name;
  /// Without meaning if the tensor's type is unsupported. Quantization is kept for
  /// integer types only; per channel on constants, operands of DEQUANTIZE and results of
  /// QUANTIZE.
  TensorType type;
  /// Whether `data` holds the value: type.bytes() bytes, row-major, little-endian,
  /// of no particular alignment. Several tensors may share the bytes.
  bool isConstant = false;
  Bytes data;
  /// Keeps its value from one invocation to the next.
  bool isVariable = false;
  /// The file leaves a dimension open (-1 in its signature); `type` has the static one.
  bool isDynamic = false;
  /// Why Thimble cannot use it; empty if it can.
  std::string unsupported;
};

struct Operator {
  BuiltinOperator code = BuiltinOperator::CUSTOM;
  /// Name of a CUSTOM operator; empty for others.
  std::string_view customName;
  Bytes customOptions;
  int version = 1;
  /// Indices of the subgraph's tensors. -1 is an absent optional input; outputs are
  /// never absent.
  std::vector<int> inputs, outputs, intermediates;
  /// Which options table the file has, NONE included, and the table.
  BuiltinOptions optionsType = BuiltinOptions::NONE;
  const void *optionsTable = nullptr;
  /// Why Thimble cannot use it in this form; empty if nothing in the options speaks
  /// against it. Says nothing of operators without an importer.
  std::string unsupported;

  bool hasInput(size_t i) const { return i < inputs.size() && inputs[i] >= 0; }

  /// The options as the generated class T (schema::Conv2DOptions, ...). If the file
  /// has none, or another table for an operator that needs none, a table whose
  /// fields have the format's defaults.
  template <typename T> const T &options() const {
    if (optionsType != schema::BuiltinOptionsTraits<T>::enum_value)
      return *reinterpret_cast<const T *>(emptyTable());
    return *static_cast<const T *>(optionsTable);
  }

private:
  static const void *emptyTable();
};

/// Operators are in an order in which every tensor is written before it is read, and
/// no tensor is written twice, or is constant, a variable or an input and written.
struct Subgraph {
  std::string_view name;
  std::vector<Tensor> tensors;
  std::vector<int> inputs, outputs;
  std::vector<Operator> operators;
};

/// Views into `file`: copies of a Model share it, and names, options and constants live
/// as long as any of them.
struct Model {
  std::shared_ptr<const std::vector<uint64_t>> file;
  uint32_t version = 0;
  std::string_view description;
  /// The first is the main one. References between them are in range and acyclic.
  std::vector<Subgraph> subgraphs;
};

/// The model in `bytes`, or what is wrong with them. Takes time and memory linear in
/// the size of the file.
Result<Model> readModel(Bytes bytes);

/// "CONV_2D", "custom operator \"Foo\"", "operator 300".
std::string operatorName(const Operator &op);
/// The name of the first output tensor, which is what a layer is called; empty if the
/// operator has no outputs.
std::string_view layerName(const Subgraph &subgraph, const Operator &op);
/// Indices of the subgraphs `op` calls: none but for control flow.
std::vector<int> calledSubgraphs(const Operator &op);
/// "layer "conv1" (CONV_2D)", or "operator 3 (CONV_2D)" for a layer without a name.
std::string describe(const Subgraph &subgraph, const Operator &op);
/// "tensor "x"", or "tensor 7" for one without a name.
std::string describe(const Subgraph &subgraph, int tensor);

/// Something in the model that Thimble has no use for.
struct Unsupported {
  /// `describe` of the layer or tensor.
  std::string where;
  std::string reason;
};
/// All `unsupported` notes on operators and on the tensors they or the interface use,
/// in file order, each tensor once.
std::vector<Unsupported> unsupported(const Model &model);

} // namespace thimble::tflite
