// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What all instructions have in common: their textual form, and their assembly text.
#include "dialects/m4/M4Ops.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace thimble::m4;

#include "dialects/m4/M4Interfaces.cpp.inc"

//===-- Textual form: operands, attributes, and types unless all are i32 --------------------===//

static ParseResult parseInstruction(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands) || parser.parseOptionalAttrDict(state.attributes))
    return failure();
  FunctionType types;
  if (succeeded(parser.parseOptionalColon())) {
    if (parser.parseType(types))
      return failure();
  } else {
    Type i32 = parser.getBuilder().getI32Type();
    SmallVector<Type> inputs(operands.size(), i32);
    types = parser.getBuilder().getFunctionType(inputs, {i32});
  }
  state.addTypes(types.getResults());
  return parser.resolveOperands(operands, types.getInputs(), loc, state.operands);
}

static void printInstruction(OpAsmPrinter &printer, Operation *op) {
  if (op->getNumOperands() > 0)
    printer << " " << op->getOperands();
  printer.printOptionalAttrDict(op->getAttrs());
  auto isWord = [](Type type) { return type.isInteger(); };
  if (op->getNumResults() != 1 || !isWord(op->getResult(0).getType()) ||
      !llvm::all_of(op->getOperandTypes(), isWord)) {
    printer << " : ";
    printer.printFunctionalType(op);
  }
}

//===-- Assembly text -----------------------------------------------------------------------===//

bool thimble::m4::isShiftedByte(uint32_t value) {
  return value == 0 || llvm::countl_zero(value) + llvm::countr_zero(value) >= 24;
}

// What MOV can make: a byte in each of some places, or eight bits anywhere.
static bool isMovable(uint32_t v) {
  const uint32_t byte = v & 0xff, high = v >> 8 & 0xff;
  return isShiftedByte(v) || v == (byte | byte << 16) || v == (high << 8 | high << 24) ||
         v == byte * 0x01010101u;
}

bool thimble::m4::isModifiedImmediate(uint32_t value) {
  return isMovable(value) || isMovable(~value) || value <= 0xffff;
}

static std::string constantText(uint32_t value) {
  if (value <= 0xffff)
    return "movw %r, #" + std::to_string(value);
  if (isMovable(value))
    return "mov.w %r, #" + std::to_string(value);
  if (isMovable(~value))
    return "mvn.w %r, #" + std::to_string(~value);
  return "movw %r, #" + std::to_string(value & 0xffff) + "\nmovt %r, #" +
         std::to_string(value >> 16);
}

// An instruction for numbers from 0 on, and one for those below.
static std::string signedText(IntegerAttr number, StringRef positive, StringRef negative) {
  const int64_t value = number.getInt();
  return (value < 0 ? negative : positive).str() + std::to_string(value < 0 ? -value : value);
}

// ADDW takes any twelve bits, ADD.W a modified immediate; SUB alike.
static std::string addText(IntegerAttr number, StringRef registers) {
  const int64_t value = number.getInt(), magnitude = value < 0 ? -value : value;
  return ((value < 0 ? "sub" : "add") + StringRef(magnitude < 4096 ? "w " : ".w ") + registers +
          ", #")
             .str() +
         std::to_string(magnitude);
}

// Of a load or store: b, sb, ub, h, sh, uh; a word has none.
static std::string kindSuffix(StringRef kind) {
  if (kind == "w")
    return "";
  return (kind.starts_with("u") ? kind.drop_front() : kind).str();
}

static std::string memoryText(StringRef mnemonic, StringRef kind, StringRef value, StringRef base,
                              uint64_t offset) {
  const int64_t bytes = static_cast<int64_t>(offset);
  const std::string width = mnemonic.starts_with("v") ? "" : ".w";
  // A negative offset has no form of its own.
  return (mnemonic + kindSuffix(kind) + (bytes < 0 ? std::string() : width) + " " + value + ", [" +
          base + (bytes ? ", #" + std::to_string(bytes) : std::string()) + "]")
      .str();
}

#define GET_OP_CLASSES
#include "dialects/m4/M4Ops.cpp.inc"

LogicalResult SsatOp::verify() {
  if (getShift() && getValue().getType().isInteger())
    return emitOpError("shifts registers only");
  return success();
}

//===-- Runtime functions -------------------------------------------------------------------===//

template <typename Op> using RuntimeFunctionOf = decltype(Op::getRuntimeFunction());

template <typename... Ops> static llvm::StringRef runtimeFunctionAmong(Operation *op) {
  llvm::StringRef name;
  auto ask = [&](auto candidate) {
    using Op = decltype(candidate);
    if constexpr (llvm::is_detected<RuntimeFunctionOf, Op>::value)
      if (isa<Op>(op))
        name = Op::getRuntimeFunction();
  };
  (ask(Ops()), ...);
  return name;
}

llvm::StringRef thimble::m4::runtimeFunction(Operation *op) {
  return runtimeFunctionAmong<
#define GET_OP_LIST
#include "dialects/m4/M4Ops.cpp.inc"
      >(op);
}
