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
    element = IntegerType::get(element.getContext(), std::max(8u, element.getIntOrFloatBitWidth()));
  return MemRefType::get({type.getNumElements()}, element);
}

static ElementType elementOf(mcu::BufferType type) {
  return nn::toTensorType(RankedTensorType::get({1}, type.getElementType()))->element;
}

namespace thimble {
namespace {

/// The function of one kernel while it is built: an argument for each buffer.
class KernelFunction {
public:
  KernelFunction(OpBuilder &builder, ModuleOp module, StringRef name, mcu::KernelOp kernel)
      : unnamed(builder.getUnknownLoc()) {
    addAll(kernel.getInputsMutable(), "input");
    addAll(kernel.getOutputsMutable(), "output");
    addAll(kernel.getScratchMutable(), "scratch");

    SmallVector<Type> types;
    for (Value buffer : buffers)
      types.push_back(memrefOf(cast<mcu::BufferType>(buffer.getType())));
    if (kernel.getEachRow()) {
      types.push_back(builder.getI32Type());
      names.push_back("row");
    }
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

  /// The row to compute, of a kernel that is called for each.
  Val row(KernelBuilder &b) { return b.toIndex(Val(b, function.getArguments().back())); }

  /// What the kernel says of its inputs and outputs, said of the buffers.
  DenseI64ArrayAttr walk(std::optional<ArrayRef<int64_t>> ofOperands) const {
    if (!ofOperands)
      return {};
    SmallVector<int64_t> ofBuffers;
    for (unsigned operand : operands)
      ofBuffers.push_back(operand < ofOperands->size() ? (*ofOperands)[operand] : 0);
    return DenseI64ArrayAttr::get(unnamed.getContext(), ofBuffers);
  }

  func::FuncOp function;
  SmallVector<Value> buffers;
  SmallVector<int64_t> writes;

private:
  // Constants are no arguments: kernels have tables of their own.
  void addAll(MutableOperandRange range, StringRef name) {
    for (auto [position, operand] : llvm::enumerate(range)) {
      if (operand.get().getDefiningOp<mcu::ConstantOp>())
        continue;
      if (name == "output")
        writes.push_back(static_cast<int64_t>(buffers.size()));
      buffers.push_back(operand.get());
      operands.push_back(operand.getOperandNumber());
      names.push_back(range.size() == 1 ? name.str()
                                        : llvm::formatv("{0}_{1}", name, position).str());
    }
  }

  Location unnamed;
  SmallVector<unsigned> operands; // of the kernel, for each buffer
  SmallVector<std::string> names;
};

struct LowerKernelsPass : thimble::impl::LowerKernelsBase<LowerKernelsPass> {
  void runOnOperation() override {
    SmallVector<mcu::KernelOp> kernels;
    getOperation().walk([&](mcu::KernelOp kernel) { kernels.push_back(kernel); });
    for (mcu::KernelOp kernel : kernels)
      if (failed(lower(kernel)))
        return signalPassFailure();
    // A stream of one kernel is its call.
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](mcu::StreamOp stream) {
      if (!stream.getSchedule()) {
        rewriter.inlineBlockBefore(&stream.getBody().front(), stream);
        stream.erase();
      }
    });
    // What remains of the constants is in the functions' tables.
    getOperation().walk([](mcu::ConstantOp constant) {
      if (constant->use_empty())
        constant.erase();
    });
  }

  LogicalResult lower(mcu::KernelOp kernelOp) {
    const Kernel *kernel = findKernel(kernelOp.getKernel());
    if (!kernel)
      return kernelOp.emitOpError("unknown kernel '") << kernelOp.getKernel() << "'";
    auto op = cast<nn::NNOperator>(kernelOp.getBody().front().front());
    auto program = kernelOp->getParentOfType<mcu::ProgramOp>();

    StringRef mnemonic = op->getName().stripDialect();
    std::string name =
        llvm::formatv("{0}_layer_{1,0+2}_{2}", program.getSymName(), kernelOp.getIndex(), mnemonic);
    OpBuilder builder(kernelOp);
    KernelFunction fn(builder, getOperation(), name, kernelOp);

    builder.setInsertionPointToStart(&fn.function.getBody().front());
    KernelBuilder b(builder, getOperation(), builder.getUnknownLoc(), name,
                    program.getSymName().str());
    KernelOperands operands = operandsOf(kernelOp, fn);
    if (kernelOp.getEachRow())
      kernel->emit(b, op, operands, fn.row(b));
    else
      b.loop("row", kernelOp.getRows(), [&](Val row) { kernel->emit(b, op, operands, row); });
    func::ReturnOp::create(builder, builder.getUnknownLoc());
    // Kernels compute what some shapes do not need.
    IRRewriter rewriter(builder);
    (void)runRegionDCE(rewriter, fn.function->getRegions());

    builder.setInsertionPoint(kernelOp);
    auto stream = cast<mcu::StreamOp>(kernelOp->getParentOp());
    const int64_t firings = kernelOp.getEachRow() ? 1 : stream.firingsOf(kernelOp);
    mcu::CallOp::create(builder, kernelOp.getLoc(), FlatSymbolRefAttr::get(fn.function), fn.buffers,
                        kernelOp.getIndexAttr(), kernelOp.getLayerAttr(),
                        builder.getStringAttr(mnemonic), kernelOp.getKernelAttr(),
                        builder.getDenseI64ArrayAttr(fn.writes),
                        builder.getI64IntegerAttr(op.getMacs() * firings), kernelOp.getCyclesAttr(),
                        kernelOp.getEachRowAttr(), fn.walk(kernelOp.getFirst()),
                        fn.walk(kernelOp.getAdvance()), fn.walk(kernelOp.getExtent()));
    kernelOp.erase();
    return success();
  }

  KernelOperands operandsOf(mcu::KernelOp kernelOp, KernelFunction &fn) {
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
