// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/Elementwise.h"

using namespace mlir;
using namespace thimble;

Rule thimble::ruleOf(Operation *op) { return op->hasAttr("litert") ? Rule::Litert : Rule::Micro; }

Candidate thimble::elementwiseCandidate(const KernelQuery &query, double perElement,
                                        ArrayRef<unsigned> inPlace) {
  const CostRules &costs = query.target.costs;
  const TensorType &out = query.outputs[0];
  double moves = costs.load * static_cast<double>(query.inputs.size()) + costs.store +
                 costs.takenBranch + costs.alu;
  Candidate c;
  c.cycles = static_cast<int64_t>((moves + perElement) * static_cast<double>(out.elements()));
  constexpr int64_t codeBytes = 150;
  c.flashBytes = codeBytes;
  for (const auto &constant : query.constants)
    if (constant && constant->elements() > 1)
      c.flashBytes += static_cast<int64_t>(constant->data.size());
  // A compiler may take it that floats and integers do not share memory.
  auto isFloat = [](ElementType type) { return type == ElementType::Float32; };
  for (unsigned position : inPlace) {
    ElementType in = query.inputs[position].element;
    if (!query.constants[position] && byteSize(in) == byteSize(out.element) &&
        isFloat(in) == isFloat(out.element))
      c.inPlaceInputs.push_back(position);
  }
  return c;
}

SmallVector<unsigned, 2> thimble::unbroadcast(const KernelQuery &query) {
  SmallVector<unsigned, 2> positions;
  for (unsigned i = 0; i < query.inputs.size(); ++i)
    if (query.inputs[i].elements() == query.outputs[0].elements())
      positions.push_back(i);
  return positions;
}

// The first element of a constant as a literal of the type that it is loaded as.
static Val literalOf(KernelBuilder &b, const Tensor &tensor) {
  switch (tensor.type.element) {
  case ElementType::Bool:
  case ElementType::UInt8:
    return b.i32(std::to_integer<uint8_t>(tensor.data[0]));
  case ElementType::Int8:
    return b.i32(*tensor.as<int8_t>());
  case ElementType::Int16:
    return b.i32(*tensor.as<int16_t>());
  case ElementType::Int32:
    return b.i32(*tensor.as<int32_t>());
  case ElementType::Int64:
    return b.i64(*tensor.as<int64_t>());
  case ElementType::Float32:
    return b.f32(*tensor.as<float>());
  }
  return Val();
}

namespace {

/// The loop nest while it is built.
struct ElementLoop {
  KernelBuilder &b;
  const BroadcastLoop &loop;
  ArrayRef<KernelOperand> operands;
  const KernelOperand &output;
  function_ref<Val(ArrayRef<Val>)> body;
  SmallVector<Buffer> buffers;

  static StringRef operandName(size_t position) {
    constexpr StringRef names[] = {"a", "b", "c"};
    return position < 3 ? names[position] : "d";
  }

  /// Operands that are the same from dimension `depth` inwards are loaded before its loop.
  bool isFixed(size_t operand, size_t depth) const {
    return llvm::all_of(ArrayRef(loop.strides[operand]).drop_front(depth),
                        [](int64_t stride) { return stride == 0; });
  }

  void build(size_t depth, Val out, SmallVector<Val> at, SmallVector<Val> loaded) {
    for (size_t k = 0; k < operands.size(); ++k) {
      if (loaded[k] || !isFixed(k, depth))
        continue;
      bool literal = operands[k].constant && isFixed(k, 0);
      loaded[k] =
          literal ? literalOf(b, *operands[k].constant) : b.load(buffers[k], at[k], operandName(k));
    }
    if (depth == loop.extents.size()) {
      b.store(output.buffer, out, body(loaded));
      return;
    }
    constexpr StringRef counters[] = {"i", "j", "k", "l", "m", "n"};
    b.loop(counters[std::min<size_t>(depth, 5)], loop.extents[depth], [&](Val i) {
      SmallVector<Val> next = at;
      for (size_t k = 0; k < operands.size(); ++k)
        next[k] = at[k] + i * loop.strides[k][depth];
      build(depth + 1, out * loop.extents[depth] + i, next, loaded);
    });
  }
};

} // namespace

void thimble::mapElements(KernelBuilder &b, const BroadcastLoop &loop,
                          ArrayRef<KernelOperand> operands, const KernelOperand &output,
                          function_ref<Val(ArrayRef<Val>)> body) {
  ElementLoop nest{b, loop, operands, output, body, {}};
  for (size_t k = 0; k < operands.size(); ++k) {
    bool literal = operands[k].constant && nest.isFixed(k, 0);
    nest.buffers.push_back(literal ? Buffer()
                                   : bufferOf(b, operands[k], ElementLoop::operandName(k)));
  }
  nest.build(0, b.index(0), SmallVector<Val>(operands.size(), b.index(0)),
             SmallVector<Val>(operands.size()));
}

void thimble::mapElements(KernelBuilder &b, const KernelOperands &operands,
                          function_ref<Val(Val)> body) {
  Shape flat = {operands.outputs[0].type.elements()};
  mapElements(b, broadcastLoop({flat}, flat), ArrayRef(operands.inputs).take_front(),
              operands.outputs[0], [&](ArrayRef<Val> x) { return body(x[0]); });
}

Val thimble::scaled(KernelBuilder &b, Val value, QuantizedMultiplier multiplier) {
  if (std::optional<int64_t> known = value.constant())
    return b.i32(requantize(static_cast<int32_t>(*known), multiplier));
  return b.requantize(value, multiplier, Rounding::Double);
}
