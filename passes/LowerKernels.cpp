// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/kernels/Kernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

namespace thimble {
#define GEN_PASS_DEF_LOWERKERNELS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

// The memref through which a function sees a buffer: one-dimensional, signless.
static MemRefType memrefOf(mcu::BufferType type) {
  Type element = type.getElementType();
  if (element.isInteger())
    element = IntegerType::get(element.getContext(),
                               std::max(8u, element.getIntOrFloatBitWidth()));
  return MemRefType::get({type.getNumElements()}, element);
}

static ElementType elementOf(mcu::BufferType type) {
  return nn::toTensorType(RankedTensorType::get({1}, type.getElementType()))->element;
}

namespace thimble {
namespace {

/// The function of one stream while it is built: an argument for each buffer.
class StreamFunction {
public:
  StreamFunction(OpBuilder &builder, ModuleOp module, StringRef name, mcu::KernelOp kernel)
      : unnamed(builder.getUnknownLoc()) {
    for (auto [position, input] : llvm::enumerate(kernel.getInputs()))
      if (!input.getDefiningOp<mcu::ConstantOp>())
        add(input, kernel.getInputs().size() == 1 ? "input" : llvm::formatv("input_{0}", position).str());
    for (auto [position, output] : llvm::enumerate(kernel.getOutputs())) {
      writes.push_back(static_cast<int64_t>(buffers.size()));
      add(output, kernel.getOutputs().size() == 1 ? "output" : llvm::formatv("output_{0}", position).str());
    }
    for (auto [position, scratch] : llvm::enumerate(kernel.getScratch()))
      add(scratch, kernel.getScratch().size() == 1 ? "scratch" : llvm::formatv("scratch_{0}", position).str());

    SmallVector<Type> types;
    for (Value buffer : buffers)
      types.push_back(memrefOf(cast<mcu::BufferType>(buffer.getType())));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(module.getBody());
    function = func::FuncOp::create(builder, unnamed, name, builder.getFunctionType(types, {}));
    function.setPrivate();
    Block *entry = function.addEntryBlock();
    for (auto [argument, hint] : llvm::zip(entry->getArguments(), names))
      argument.setLoc(NameLoc::get(builder.getStringAttr(hint)));
  }

  /// How the function's code reads operand `position` among the buffers.
  Buffer bufferAt(size_t position) {
    Value argument = function.getArgument(static_cast<unsigned>(position));
    return {argument, elementOf(cast<mcu::BufferType>(buffers[position].getType()))};
  }

  func::FuncOp function;
  SmallVector<Value> buffers;
  SmallVector<int64_t> writes;

private:
  void add(Value buffer, std::string name) {
    buffers.push_back(buffer);
    names.push_back(std::move(name));
  }

  Location unnamed;
  SmallVector<std::string> names;
};

struct LowerKernelsPass : thimble::impl::LowerKernelsBase<LowerKernelsPass> {
  void runOnOperation() override {
    SmallVector<mcu::StreamOp> streams;
    getOperation().walk([&](mcu::StreamOp stream) { streams.push_back(stream); });
    for (mcu::StreamOp stream : streams)
      if (failed(lower(stream)))
        return signalPassFailure();
    // What remains of the constants is in the functions' tables.
    getOperation().walk([](mcu::ConstantOp constant) {
      if (constant->use_empty())
        constant.erase();
    });
  }

  LogicalResult lower(mcu::StreamOp stream) {
    if (!llvm::hasSingleElement(stream.getBody().front()))
      return stream.emitOpError("holds several kernels: only a stream of one can be lowered");
    auto kernelOp = cast<mcu::KernelOp>(stream.getBody().front().front());
    const Kernel *kernel = findKernel(kernelOp.getKernel());
    if (!kernel)
      return kernelOp.emitOpError("unknown kernel '") << kernelOp.getKernel() << "'";
    auto op = cast<nn::NNOperator>(kernelOp.getBody().front().front());
    auto program = stream->getParentOfType<mcu::ProgramOp>();

    StringRef mnemonic = op->getName().stripDialect();
    std::string name =
        llvm::formatv("{0}_layer_{1,0+2}_{2}", program.getSymName(), stream.getIndex(), mnemonic);
    OpBuilder builder(stream);
    StreamFunction fn(builder, getOperation(), name, kernelOp);

    builder.setInsertionPointToStart(&fn.function.getBody().front());
    KernelBuilder b(builder, getOperation(), builder.getUnknownLoc(), name,
                    program.getSymName().str());
    KernelOperands operands = operandsOf(kernelOp, fn);
    b.loop("row", stream.getRows(), [&](Val row) { kernel->emit(b, op, operands, row); });
    func::ReturnOp::create(builder, builder.getUnknownLoc());
    // Kernels compute what some shapes do not need.
    IRRewriter rewriter(builder);
    (void)runRegionDCE(rewriter, fn.function->getRegions());

    builder.setInsertionPoint(stream);
    mcu::CallOp::create(builder, stream.getLoc(), FlatSymbolRefAttr::get(fn.function), fn.buffers,
                        builder.getI64IntegerAttr(stream.getIndex()), stream.getLayerAttr(),
                        builder.getStringAttr(mnemonic), kernelOp.getKernelAttr(),
                        builder.getDenseI64ArrayAttr(fn.writes),
                        builder.getI64IntegerAttr(op.getMacs()), kernelOp.getCyclesAttr());
    stream.erase();
    return success();
  }

  KernelOperands operandsOf(mcu::KernelOp kernelOp, StreamFunction &fn) {
    KernelOperands operands;
    Block &body = kernelOp.getBody().front();
    size_t position = 0;
    for (auto [input, tensor] : llvm::zip(kernelOp.getInputs(), body.getArguments())) {
      KernelOperand operand;
      operand.type = *nn::toTensorType(tensor.getType());
      if (auto constant = input.getDefiningOp<mcu::ConstantOp>())
        operand.constant =
            std::make_shared<Tensor>(*nn::toTensor(constant.getValue(), tensor.getType()));
      else
        operand.buffer = fn.bufferAt(position++);
      operands.inputs.push_back(std::move(operand));
    }
    for (Value tensor : body.getTerminator()->getOperands())
      operands.outputs.push_back(
          {*nn::toTensorType(tensor.getType()), fn.bufferAt(position++), nullptr});
    for (size_t i = 0; i < kernelOp.getScratch().size(); ++i)
      operands.scratch.push_back(fn.bufferAt(position++));
    return operands;
  }
};

} // namespace
} // namespace thimble
