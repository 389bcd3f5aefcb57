// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/Program.h"

#include "dialects/mcu/MCUOps.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"

#include <algorithm>

using namespace mlir;

namespace thimble::emit {

llvm::StringRef cType(ElementKind kind) {
  switch (kind) {
  case ElementKind::Bool:
    return "bool";
  case ElementKind::Int8:
    return "int8_t";
  case ElementKind::UInt8:
    return "uint8_t";
  case ElementKind::Int16:
    return "int16_t";
  case ElementKind::Int32:
    return "int32_t";
  case ElementKind::Int64:
    return "int64_t";
  case ElementKind::Float32:
    return "float";
  }
  llvm_unreachable("unknown element kind");
}

int64_t byteSize(ElementKind kind) {
  switch (kind) {
  case ElementKind::Bool:
  case ElementKind::Int8:
  case ElementKind::UInt8:
    return 1;
  case ElementKind::Int16:
    return 2;
  case ElementKind::Int32:
  case ElementKind::Float32:
    return 4;
  case ElementKind::Int64:
    return 8;
  }
  llvm_unreachable("unknown element kind");
}

// The kind of elements stored as `type`, if the API has it.
static std::optional<ElementKind> kindOf(Type type, bool isSigned) {
  if (type.isF32())
    return ElementKind::Float32;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  if (integer.getWidth() == 8)
    return isSigned ? ElementKind::Int8 : ElementKind::UInt8;
  if (!isSigned)
    return std::nullopt;
  switch (integer.getWidth()) {
  case 1:
    return ElementKind::Bool;
  case 16:
    return ElementKind::Int16;
  case 32:
    return ElementKind::Int32;
  case 64:
    return ElementKind::Int64;
  default:
    return std::nullopt;
  }
}

static FailureOr<TensorInfo> describeTensor(Operation *op, StringRef name, Type type,
                                            Value buffer) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return op->emitOpError("tensor must have a static shape, got ") << type, failure();
  TensorInfo info;
  info.name = name.str();
  info.shape = tensor.getShape().vec();
  info.elements = tensor.getNumElements();
  Type element = tensor.getElementType();
  std::optional<ElementKind> kind;
  if (auto quantized = dyn_cast<quant::QuantizedType>(element)) {
    kind = kindOf(quantized.getStorageType(), quantized.isSigned());
    if (auto uniform = dyn_cast<quant::UniformQuantizedType>(element)) {
      info.scale = uniform.getScale();
      info.zeroPoint = uniform.getZeroPoint();
    }
  } else {
    kind = kindOf(element, !element.isUnsignedInteger());
  }
  if (!kind)
    return op->emitOpError(
               "element must be bool, int8, uint8, int16, int32, int64 or float32, got ")
               << element,
           failure();
  info.kind = *kind;
  info.bytes = info.elements * byteSize(*kind);
  info.region = mcu::regionOf(buffer);
  auto input = dyn_cast<mcu::InputOp>(op);
  info.offset = input && input.arrivesByRows() ? -1 : mcu::arenaOffset(buffer);
  return info;
}

// Whether arenaOffset may be asked for `buffer`.
static LogicalResult checkPlaced(Operation *user, Value buffer) {
  Operation *root = mcu::resolve(buffer).root.getDefiningOp();
  bool placed = false;
  if (auto input = dyn_cast_or_null<mcu::InputOp>(root))
    placed = input.getOffset().has_value();
  else if (auto ram = dyn_cast_or_null<mcu::BufferOp>(root))
    placed = ram.getOffset().has_value();
  if (!placed)
    return user->emitOpError("buffer has no place in the arena");
  return success();
}

static mcu::Lifetime lifetimeOf(Value buffer) {
  return cast<mcu::BufferType>(mcu::resolve(buffer).root.getType()).getLifetime();
}

static FailureOr<LayerCall> describeCall(ModuleOp module, mcu::CallOp op) {
  LayerCall call;
  call.index = op.getIndex();
  call.layer = op.getLayer().str();
  call.op = op.getOp().str();
  call.kernel = op.getKernel().str();
  call.macs = op.getMacs();
  call.cycles = op.getCycles();
  call.operation = op;
  call.function = module.lookupSymbol<func::FuncOp>(op.getCallee());
  if (!call.function)
    return op.emitOpError("'") << op.getCallee() << "' is not a function", failure();
  for (Value buffer : op.getBuffers()) {
    if (failed(checkPlaced(op, buffer)))
      return failure();
    call.arguments.push_back({buffer, mcu::regionOf(buffer), mcu::arenaOffset(buffer),
                              cast<mcu::BufferType>(buffer.getType()).getBytes(), false});
  }
  for (int64_t position : op.getWrites())
    call.arguments[position].written = true;
  return call;
}

// Puts `info` at `index` of `list`; false where the index is taken or out of sensible range.
static bool place(std::vector<std::optional<TensorInfo>> &list, int64_t index, TensorInfo info) {
  if (index < 0 || index > 65535)
    return false;
  if (static_cast<size_t>(index) >= list.size())
    list.resize(index + 1);
  if (list[index])
    return false;
  list[index] = std::move(info);
  return true;
}

static LogicalResult unwrap(Operation *program, StringRef what,
                            std::vector<std::optional<TensorInfo>> &from,
                            std::vector<TensorInfo> &to) {
  for (std::optional<TensorInfo> &info : from) {
    if (!info)
      return program->emitOpError() << what << " " << to.size() << " is missing";
    to.push_back(std::move(*info));
  }
  return success();
}

int64_t Program::ramBytes() const {
  int64_t bytes = 0;
  for (const RegionInfo &region : regions)
    bytes += region.bytes;
  return bytes;
}

static std::vector<RegionInfo> describeRegions(mcu::ProgramOp program) {
  if (!program.getRam())
    return {{"RAM", std::nullopt, static_cast<int64_t>(*program.getArenaBytes()),
             static_cast<int64_t>(program.getLowerBound().value_or(0))}};
  std::vector<RegionInfo> regions;
  for (auto region : program.getRam()->getAsRange<mcu::RegionAttr>())
    regions.push_back(
        {region.getName().str(), region.getCapacity(), region.getUsed(), region.getLowerBound()});
  return regions;
}

FailureOr<Program> describeProgram(ModuleOp module) {
  auto programs = module.getOps<mcu::ProgramOp>();
  if (std::distance(programs.begin(), programs.end()) != 1)
    return module.emitError("expected one mcu.program"), failure();
  mcu::ProgramOp op = *programs.begin();
  if (!op.getArenaBytes())
    return op.emitOpError("buffers are not placed: arena_bytes is missing"), failure();

  Program program;
  auto addCall = [&](mcu::CallOp call) -> LogicalResult {
    FailureOr<LayerCall> described = describeCall(module, call);
    if (failed(described))
      return failure();
    int64_t scratch = 0;
    for (const BufferArgument &argument : described->arguments)
      if (lifetimeOf(argument.buffer) == mcu::Lifetime::Scratch)
        scratch += argument.bytes;
    program.scratchBytes = std::max(program.scratchBytes, scratch);
    program.calls.push_back(std::move(*described));
    return success();
  };
  program.name = op.getSymName().str();
  program.arenaBytes = *op.getArenaBytes();
  program.lowerBound = op.getLowerBound().value_or(0);
  program.regions = describeRegions(op);
  program.operatorBound = op.getOperatorBound().value_or(0);
  std::vector<std::optional<TensorInfo>> inputs, outputs;
  for (Operation &inner : op.getBody().front()) {
    if (auto stream = dyn_cast<mcu::StreamOp>(inner)) {
      auto driver = stream.getDriver() ? module.lookupSymbol<func::FuncOp>(*stream.getDriver())
                                       : func::FuncOp();
      if (!driver)
        return inner.emitOpError("is not lowered"), failure();
      const size_t first = program.calls.size();
      for (auto call : stream.getOps<mcu::CallOp>())
        if (failed(addCall(call)))
          return failure();
      program.steps.push_back(
          {driver, first, program.calls.size() - first, static_cast<bool>(stream.getTaker())});
      continue;
    }
    if (auto call = dyn_cast<mcu::CallOp>(inner)) {
      program.steps.push_back({func::FuncOp(), program.calls.size(), 1});
      if (failed(addCall(call)))
        return failure();
      continue;
    }
    if (auto buffer = dyn_cast<mcu::BufferOp>(inner)) {
      if (buffer.getBuffer().getType().getLifetime() != mcu::Lifetime::State)
        continue;
      if (failed(checkPlaced(buffer, buffer.getBuffer())))
        return failure();
      int64_t bytes = buffer.getBuffer().getType().getBytes();
      program.states.push_back(
          {mcu::regionOf(buffer.getBuffer()), mcu::arenaOffset(buffer.getBuffer()), bytes});
      program.stateBytes += bytes;
      continue;
    }
    auto input = dyn_cast<mcu::InputOp>(inner);
    auto output = dyn_cast<mcu::OutputOp>(inner);
    if (!input && !output)
      continue;
    Value buffer = input ? Value(input.getBuffer()) : Value(output.getBuffer());
    const bool arrives = input && input.arrivesByRows();
    if (!arrives && failed(checkPlaced(&inner, buffer)))
      return failure();
    if (input && input.getPushed()) {
      if (failed(checkPlaced(&inner, input.getPushed())))
        return failure();
      const int64_t rows = input.getRows();
      program.pushed =
          PushedInput{mcu::regionOf(input.getPushed()), mcu::arenaOffset(input.getPushed()), rows,
                      input.getBuffer().getType().getBytes() / rows};
    }
    FailureOr<TensorInfo> info =
        input ? describeTensor(input, input.getName(), input.getTensor(), buffer)
              : describeTensor(output, output.getName(), output.getTensor(), buffer);
    if (failed(info))
      return failure();
    if (input ? !place(inputs, input.getIndex(), std::move(*info))
              : !place(outputs, output.getIndex(), std::move(*info)))
      return inner.emitOpError("index is taken or not in [0, 65535]"), failure();
  }
  if (failed(unwrap(op, "input", inputs, program.inputs)) ||
      failed(unwrap(op, "output", outputs, program.outputs)))
    return failure();
  return program;
}

} // namespace thimble::emit
