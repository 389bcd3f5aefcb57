// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/c/Constants.h"

#include "compiler/emit/c/FunctionPrinter.h"
#include "compiler/emit/c/Literals.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;

namespace thimble::emit {

// The value of element `i` of packed little-endian `data`.
static std::string element(ArrayRef<char> data, int64_t i, Type type) {
  const unsigned bytes = type.getIntOrFloatBitWidth() / 8;
  uint64_t bits = 0;
  for (unsigned k = 0; k < bytes; ++k)
    bits |= static_cast<uint64_t>(static_cast<unsigned char>(data[i * bytes + k])) << (8 * k);
  const llvm::APInt raw(8 * bytes, bits);
  if (!type.isF32())
    return signedLiteral(raw);
  return floatLiteral(raw.bitsToFloat());
}

// Raw bytes of the initial value; a splat has those of one element.
static std::optional<ArrayRef<char>> rawData(Attribute value, bool &isSplat) {
  isSplat = false;
  if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(value)) {
    isSplat = dense.isSplat();
    return dense.getRawData();
  }
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      return blob->getData();
  return std::nullopt;
}

FailureOr<std::string> printConstant(memref::GlobalOp global, StringRef macro) {
  auto type = dyn_cast<MemRefType>(global.getType());
  if (!type || type.getRank() != 1 || !type.hasStaticShape())
    return global.emitOpError("has no C form: it must have one dimension"), failure();
  Type elementType = type.getElementType();
  const bool known = elementType.isF32() || elementType.isInteger(8) || elementType.isInteger(16) ||
                     elementType.isInteger(32) || elementType.isInteger(64);
  if (!known || !global.getInitialValue())
    return global.emitOpError(
               "has no C form: it must have a value of i8, i16, i32, i64 or f32 elements"),
           failure();
  bool isSplat = false;
  const int64_t count = type.getNumElements(), bytes = elementType.getIntOrFloatBitWidth() / 8;
  std::optional<ArrayRef<char>> data = rawData(*global.getInitialValue(), isSplat);
  if (!data || static_cast<int64_t>(data->size()) < (isSplat ? 1 : count) * bytes)
    return global.emitOpError("value is missing or too short"), failure();

  std::string text;
  if (std::optional<uint64_t> align = global.getAlignment(); align && *align > 1)
    text = "THIMBLE_ALIGN(" + std::to_string(*align) + ") ";
  text += "static const " + scalarType(elementType) + " " + global.getSymName().str() + "[" +
          std::to_string(count) + "] " + macro.str() + "_CONST = {\n";
  constexpr size_t width = 100;
  std::string row = "   ";
  for (int64_t i = 0; i < count; ++i) {
    const std::string piece = element(*data, isSplat ? 0 : i, elementType);
    const bool isLast = i + 1 == count;
    if (row.size() + 1 + piece.size() + (isLast ? 0 : 1) > width) {
      text += row + "\n";
      row = "   ";
    }
    row += " " + piece + (isLast ? "" : ",");
  }
  return text + row + "};\n";
}

} // namespace thimble::emit
