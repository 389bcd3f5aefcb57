// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCUOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace thimble::mcu;

#define GET_OP_CLASSES
#include "dialects/mcu/MCUOps.cpp.inc"

Place thimble::mcu::resolve(Value buffer) {
  int64_t offset = 0;
  while (auto alias = buffer.getDefiningOp<AliasOp>()) {
    offset += alias.getByteOffset();
    buffer = alias.getSource();
  }
  return {buffer, offset};
}

int64_t thimble::mcu::arenaOffset(Value buffer) {
  Place place = resolve(buffer);
  if (auto input = place.root.getDefiningOp<InputOp>())
    return *input.getOffset() + place.byteOffset;
  return *cast<BufferOp>(place.root.getDefiningOp()).getOffset() + place.byteOffset;
}

LogicalResult BufferOp::verify() {
  Lifetime lifetime = getBuffer().getType().getLifetime();
  if (lifetime == Lifetime::Constant || lifetime == Lifetime::Input)
    return emitOpError("lifetime must be activation, scratch, state or output, got ")
           << stringifyLifetime(lifetime);
  return success();
}

LogicalResult AliasOp::verify() {
  int64_t offset = getByteOffset();
  int64_t source = getSource().getType().getBytes(), part = getBuffer().getType().getBytes();
  if (offset < 0 || offset > source || part > source - offset)
    return emitOpError("bytes [") << offset << ", " << offset + part << ") are not within the "
                                  << source << " bytes of the source";
  return success();
}

LogicalResult StreamOp::verify() {
  if (getRows() < 1)
    return emitOpError("rows must be positive, got ") << getRows();
  for (Operation &op : getBody().front())
    if (!isa<KernelOp>(op))
      return op.emitOpError("is not a kernel: a stream holds kernels only");
  return success();
}

LogicalResult KernelOp::verify() {
  Block &body = getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError("expects a tensor for each of the ")
           << getInputs().size() << " inputs, got " << body.getNumArguments();
  if (body.empty() || !isa<YieldOp>(body.back()))
    return emitOpError("body must end with mcu.yield");
  if (body.back().getNumOperands() != getOutputs().size())
    return emitOpError("yields ") << body.back().getNumOperands() << " tensors for "
                                  << getOutputs().size() << " outputs";
  return success();
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(
      (*this)->getParentOp(), getCalleeAttr());
  if (!function)
    return emitOpError("'") << getCallee() << "' is not a function";
  if (function.getNumArguments() != getBuffers().size())
    return emitOpError("'") << getCallee() << "' takes " << function.getNumArguments()
                            << " buffers, got " << getBuffers().size();
  for (int64_t position : getWrites())
    if (position < 0 || position >= static_cast<int64_t>(getBuffers().size()))
      return emitOpError("writes position ") << position << " of " << getBuffers().size()
                                             << " buffers";
  return success();
}
