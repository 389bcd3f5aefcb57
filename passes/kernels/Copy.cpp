// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/Copy.h"

#include <cmath>

using namespace mlir;
using namespace thimble;

// Elements of a word where a run of `count` should be moved by words; otherwise 0.
static int64_t elementsPerWord(ElementType element, int64_t count) {
  int64_t perWord = 4 / static_cast<int64_t>(byteSize(element));
  return perWord > 1 && count >= 2 * perWord ? perWord : 0;
}

void thimble::copyRun(KernelBuilder &b, Buffer in, Val inStart, Buffer out, Val outStart,
                      int64_t count) {
  int64_t perWord = elementsPerWord(in.element, count);
  int64_t byWords = perWord ? count / perWord * perWord : 0;
  if (byWords)
    b.loop("i", b.index(0), b.index(byWords), perWord,
           [&](Val i) { b.storeWord(out, outStart + i, b.loadWord(in, inStart + i, "word")); });
  else
    b.loop("i", count, [&](Val i) { b.store(out, outStart + i, b.load(in, inStart + i)); });
  for (int64_t i = byWords; byWords && i < count; ++i)
    b.store(out, outStart + i, b.load(in, inStart + i));
}

void thimble::fillRun(KernelBuilder &b, Buffer out, Val start, int64_t count, Val value) {
  std::optional<int64_t> known = value.constant();
  int64_t perWord = known ? elementsPerWord(out.element, count) : 0;
  int64_t byWords = perWord ? count / perWord * perWord : 0;
  if (byWords) {
    uint32_t bits = static_cast<uint32_t>(*known);
    Val word = b.i32(static_cast<int32_t>(perWord == 4 ? (bits & 0xff) * 0x01010101u
                                                       : (bits & 0xffff) * 0x00010001u));
    b.loop("i", b.index(0), b.index(byWords), perWord,
           [&](Val i) { b.storeWord(out, start + i, word); });
    for (int64_t i = byWords; i < count; ++i)
      b.store(out, start + i, value);
  } else {
    b.loop("i", count, [&](Val i) { b.store(out, start + i, value); });
  }
}

// A number that a literal says exactly: all but NaN, which has many.
static std::optional<Val> literalOf(KernelBuilder &b, const Tensor &tensor) {
  switch (tensor.type.element) {
  case ElementType::Bool:
  case ElementType::UInt8:
    return b.i32(static_cast<uint8_t>(tensor.data[0]));
  case ElementType::Int8:
    return b.i32(tensor.as<int8_t>()[0]);
  case ElementType::Int16:
    return b.i32(tensor.as<int16_t>()[0]);
  case ElementType::Int32:
    return b.i32(tensor.as<int32_t>()[0]);
  case ElementType::Int64:
    return b.i64(tensor.as<int64_t>()[0]);
  case ElementType::Float32:
    if (std::isnan(tensor.as<float>()[0]))
      return std::nullopt;
    return b.f32(tensor.as<float>()[0]);
  }
  return std::nullopt;
}

Val thimble::scalarOf(KernelBuilder &b, const KernelOperand &operand, StringRef name) {
  if (operand.constant)
    if (std::optional<Val> known = literalOf(b, *operand.constant))
      return *known;
  return b.load(bufferOf(b, operand, name), b.index(0), name);
}

Val thimble::zeroOf(KernelBuilder &b, const TensorType &type) {
  if (type.element == ElementType::Float32)
    return b.f32(0.0f);
  return type.element == ElementType::Int64 ? b.i64(type.zeroPoint()) : b.i32(type.zeroPoint());
}

int64_t thimble::movementCycles(const Target &target, int64_t elements, double perElement) {
  const CostRules &costs = target.costs;
  double each = costs.load + costs.store + costs.alu + costs.takenBranch + perElement;
  return static_cast<int64_t>(static_cast<double>(elements) * each) + 20;
}
