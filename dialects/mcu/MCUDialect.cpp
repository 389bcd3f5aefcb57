// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCUOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace thimble::mcu;

// A shape is printed as in `tensor<...>`: 1x25x5x64xi8.
static ParseResult parseShape(AsmParser &parser, SmallVector<int64_t> &shape, Type &elementType) {
  return failure(parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
                 parser.parseType(elementType));
}
static void printShape(AsmPrinter &printer, ArrayRef<int64_t> shape, Type elementType) {
  printer.printDimensionList(shape);
  if (!shape.empty())
    printer << 'x';
  printer << elementType;
}

#include "dialects/mcu/MCUDialect.cpp.inc"
#include "dialects/mcu/MCUEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/mcu/MCUAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/mcu/MCUTypes.cpp.inc"

void MCUDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/mcu/MCUTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/mcu/MCUAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/mcu/MCUOps.cpp.inc"
      >();
}

LogicalResult BufferType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Type elementType, Layout layout,
                                 Lifetime lifetime, int64_t ring) {
  if (!elementType.isIntOrFloat())
    return emitError() << "buffer element must be an integer or float, got " << elementType;
  if (llvm::any_of(shape, [](int64_t d) { return d < 0; }))
    return emitError() << "buffer dimensions must not be negative";
  if (ring < 0)
    return emitError() << "ring depth must not be negative, got " << ring;
  if (ring > 0 && (shape.size() < 2 || shape.front() != 1))
    return emitError() << "rings are of tensors with rows and without a batch";
  return success();
}

static int64_t product(ArrayRef<int64_t> sizes) {
  int64_t n = 1;
  for (int64_t d : sizes)
    n *= d;
  return n;
}

static int64_t elementBytes(Type type) { return (type.getIntOrFloatBitWidth() + 7) / 8; }

int64_t BufferType::getNumElements() const {
  if (getRing() != 0)
    return getRing() * product(getShape().drop_front(2));
  return product(getShape());
}

int64_t BufferType::getBytes() const { return getNumElements() * elementBytes(getElementType()); }

BufferType BufferType::withShape(ArrayRef<int64_t> shape) const {
  return get(getContext(), shape, getElementType(), getLayout(), getLifetime(), getRing());
}

int64_t BufferType::getRowBytes() const {
  return product(getShape().drop_front(2)) * elementBytes(getElementType());
}
