// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Slices.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using llvm::BitVector;

namespace thimble {

/// Appends the live elements of the tensor at `from`, which then points behind it.
static void appendSlices(const std::byte *&from, ArrayRef<BitVector> indices, size_t elementSize,
                         bool isLive, std::vector<std::byte> &to) {
  if (indices.empty()) {
    if (isLive)
      to.insert(to.end(), from, from + elementSize);
    from += elementSize;
    return;
  }
  for (unsigned i = 0; i < indices.front().size(); ++i)
    appendSlices(from, indices.drop_front(), elementSize, isLive && indices.front()[i], to);
}

std::vector<std::byte> sliceData(const Tensor &tensor, ArrayRef<BitVector> indices) {
  std::vector<std::byte> result;
  const std::byte *from = tensor.data.data();
  appendSlices(from, indices, byteSize(tensor.type.element), /*isLive=*/true, result);
  return result;
}

template <typename T> static SmallVector<T> pick(ArrayRef<T> values, const BitVector &indices) {
  SmallVector<T> picked;
  for (unsigned i : indices.set_bits())
    picked.push_back(values[i]);
  return picked;
}

RankedTensorType sliceType(RankedTensorType type, ArrayRef<BitVector> indices) {
  Type element = type.getElementType();
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element)) {
    const BitVector &channels = indices[static_cast<size_t>(perAxis.getQuantizedDimension())];
    element = quant::UniformQuantizedPerAxisType::get(
        perAxis.getFlags(), perAxis.getStorageType(), perAxis.getExpressedType(),
        pick(perAxis.getScales(), channels), pick(perAxis.getZeroPoints(), channels),
        perAxis.getQuantizedDimension(), perAxis.getStorageTypeMin(), perAxis.getStorageTypeMax());
  }
  SmallVector<int64_t> shape;
  for (const BitVector &axis : indices)
    shape.push_back(axis.count());
  return RankedTensorType::get(shape, element);
}

std::string listIndices(const BitVector &indices) {
  SmallVector<std::string> runs;
  for (int first = indices.find_first(); first >= 0;) {
    int end = indices.find_next_unset(static_cast<unsigned>(first));
    if (end < 0)
      end = static_cast<int>(indices.size());
    runs.push_back(std::to_string(first));
    if (end > first + 1)
      runs.back() += "-" + std::to_string(end - 1);
    first = indices.find_next(static_cast<unsigned>(end - 1));
  }
  return llvm::join(runs, ", ");
}

} // namespace thimble
