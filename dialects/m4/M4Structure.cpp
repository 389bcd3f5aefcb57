// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Kernels, loops and conditions: textual form and verification.
#include "dialects/m4/M4Ops.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace thimble::m4;

// The class of a register, whatever its number.
static bool isSameClass(Type a, Type b) { return a.getTypeID() == b.getTypeID(); }
static bool areSameClasses(TypeRange a, TypeRange b) {
  return a.size() == b.size() && llvm::all_of(llvm::zip(a, b), [](auto pair) {
           return isSameClass(std::get<0>(pair), std::get<1>(pair));
         });
}

//===-- kernel ------------------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &state) {
  StringAttr name;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(), state.attributes))
    return failure();
  SmallVector<OpAsmParser::Argument> arguments;
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren, /*allowType=*/true) ||
      parser.parseOptionalAttrDictWithKeyword(state.attributes))
    return failure();
  return parser.parseRegion(*state.addRegion(), arguments);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << " ";
  printer.printSymbolName(getSymName());
  printer << "(";
  llvm::interleaveComma(getBlock().getArguments(), printer,
                        [&](BlockArgument a) { printer.printRegionArgument(a); });
  printer << ")";
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {SymbolTable::getSymbolAttrName()});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verifyRegions() {
  Block &block = getBlock();
  if (block.getNumArguments() > 4)
    return emitOpError("has more arguments than r0 to r3 hold");
  for (BlockArgument argument : block.getArguments())
    if (!isa<GprType>(argument.getType()))
      return emitOpError("arguments must be core registers");
  if (getFrame() % 4 != 0)
    return emitOpError("frame must be a multiple of 4 bytes");
  if (!isa<ReturnOp>(block.getTerminator()))
    return emitOpError("must end with m4.return");
  const bool isAllocated = llvm::all_of(block.getArgumentTypes(),
                                        [](Type type) { return !cast<GprType>(type).isVirtual(); });
  return block.getNumArguments() > 0 && isAllocated ? verifyAllocation(*this) : success();
}

//===-- loop --------------------------------------------------------------------------------===//

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &state) {
  Builder &builder = parser.getBuilder();
  int64_t trips = 0;
  std::string condition;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<OpAsmParser::UnresolvedOperand> initial;
  SmallVector<Type> types;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseInteger(trips) || parser.parseKeyword("while") ||
      parser.parseKeywordOrString(&condition))
    return failure();
  state.addAttribute(getTripsAttrName(state.name), builder.getI64IntegerAttr(trips));
  state.addAttribute(getConditionAttrName(state.name), builder.getStringAttr(condition));
  if (succeeded(parser.parseOptionalKeyword("carry"))) {
    auto parsePair = [&]() -> ParseResult {
      return failure(parser.parseArgument(arguments.emplace_back()) || parser.parseEqual() ||
                     parser.parseOperand(initial.emplace_back()));
    };
    if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parsePair) ||
        parser.parseColonTypeList(types))
      return failure();
  }
  if (types.size() != arguments.size())
    return parser.emitError(loc, "needs a type for each carried register");
  for (auto [argument, type] : llvm::zip(arguments, types))
    argument.type = type;
  state.addTypes(types);
  return failure(parser.resolveOperands(initial, types, loc, state.operands) ||
                 parser.parseOptionalAttrDictWithKeyword(state.attributes) ||
                 parser.parseRegion(*state.addRegion(), arguments));
}

void LoopOp::print(OpAsmPrinter &printer) {
  printer << " " << getTrips() << " while " << getCondition();
  if (!getInitial().empty()) {
    printer << " carry(";
    llvm::interleaveComma(
        llvm::zip(getBlock().getArguments(), getInitial()), printer,
        [&](auto pair) { printer << std::get<0>(pair) << " = " << std::get<1>(pair); });
    printer << ") : ";
    llvm::interleaveComma(getResultTypes(), printer);
  }
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(), {"trips", "condition"});
  printer << " ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult LoopOp::verifyRegions() {
  auto next = dyn_cast<NextOp>(getBlock().getTerminator());
  if (!next)
    return emitOpError("must end with m4.next");
  if (static_cast<int64_t>(getTrips()) < 1)
    return emitOpError("runs its body at least once");
  if (!areSameClasses(getInitial().getTypes(), getBlock().getArgumentTypes()) ||
      !areSameClasses(getInitial().getTypes(), next.getCarried().getTypes()) ||
      !areSameClasses(getInitial().getTypes(), getResultTypes()))
    return emitOpError("carried registers must be of the same classes everywhere");
  auto setsFlags = [](Operation &op) {
    auto instruction = dyn_cast<Instruction>(op);
    return instruction && instruction.setsFlags();
  };
  // What is between must leave the flags alone.
  for (Operation &op : llvm::reverse(getBlock().without_terminator())) {
    if (setsFlags(op))
      return success();
    if (op.getNumRegions() > 0)
      break;
  }
  return emitOpError("no instruction sets the flags that m4.next reads");
}

//===-- if ----------------------------------------------------------------------------------===//

LogicalResult IfOp::verifyRegions() {
  for (Region &region : getOperation()->getRegions()) {
    if (region.empty())
      continue;
    auto yield = dyn_cast<YieldOp>(region.front().getTerminator());
    if (!yield || !areSameClasses(yield.getValues().getTypes(), getResultTypes()))
      return emitOpError("bodies must yield a register for each result");
  }
  if (getNumResults() > 0 && getOtherwise().empty())
    return emitOpError("needs an else for its results");
  return success();
}

//===-- call --------------------------------------------------------------------------------===//

LogicalResult CallOp::verify() {
  if (getOffsets().size() != getBuffers().size())
    return emitOpError("needs an offset for each buffer");
  const auto count = static_cast<int64_t>(getBuffers().size());
  if (llvm::any_of(getWrites(), [&](int64_t i) { return i < 0 || i >= count; }))
    return emitOpError("writes a buffer that it does not pass");
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(*this, getKernelAttr());
  if (!kernel)
    return emitOpError("'") << getKernel() << "' is not a kernel";
  if (kernel.getBlock().getNumArguments() != getBuffers().size() + getWords().size())
    return emitOpError("passes ") << getBuffers().size() + getWords().size() << " operands to '"
                                  << getKernel() << "', which takes "
                                  << kernel.getBlock().getNumArguments();
  return success();
}
