// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/m4/M4Ops.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include <limits>

using namespace mlir;
using namespace thimble::m4;

#include "dialects/m4/M4Dialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/m4/M4Types.cpp.inc"

void M4Dialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/m4/M4Types.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/m4/M4Ops.cpp.inc"
      >();
}

//===-- Registers ---------------------------------------------------------------------------===//

std::string GprType::getName() const {
  return getNumber() == linkRegister ? "lr" : "r" + std::to_string(getNumber());
}
std::string FprType::getName() const { return "s" + std::to_string(getNumber()); }

// `<r4>`, or nothing: virtual.
template <typename Register>
static Type parseRegister(AsmParser &parser, StringRef prefix, int numbered) {
  if (failed(parser.parseOptionalLess()))
    return Register::get(parser.getContext());
  StringRef name;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&name) || parser.parseGreater())
    return {};
  int number = -1;
  if (name == "lr")
    number = linkRegister;
  else if (!name.consume_front(prefix) || name.getAsInteger(10, number) || number >= numbered)
    number = std::numeric_limits<int>::max();
  return Register::getChecked([&] { return parser.emitError(loc); }, parser.getContext(), number);
}
template <typename Register> static void printRegister(AsmPrinter &printer, Register type) {
  if (!type.isVirtual())
    printer << "<" << type.getName() << ">";
}
Type GprType::parse(AsmParser &parser) { return parseRegister<GprType>(parser, "r", linkRegister); }
Type FprType::parse(AsmParser &parser) { return parseRegister<FprType>(parser, "s", numFprs); }
void GprType::print(AsmPrinter &printer) const { printRegister(printer, *this); }
void FprType::print(AsmPrinter &printer) const { printRegister(printer, *this); }

LogicalResult GprType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int number) {
  if (number < -1 || number >= numGprs)
    return emitError() << "core registers are r0 to r12 and lr";
  return success();
}
LogicalResult FprType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int number) {
  if (number < -1 || number >= numFprs)
    return emitError() << "S registers are s0 to s31";
  return success();
}
