// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/plan/Accesses.h"

#include "dialects/nn/NNOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace thimble;

namespace {

// Kernels keep at least four sums in registers: for as many products an activation is loaded once.
constexpr int64_t productsOfLoad = 4;
constexpr int64_t wordBytes = 4;

int64_t bytesOf(Value buffer) { return cast<mcu::BufferType>(buffer.getType()).getBytes(); }

int64_t elementBytes(Value buffer) {
  Type element = cast<mcu::BufferType>(buffer.getType()).getElementType();
  return static_cast<int64_t>(llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
}

bool isConstant(Value buffer) { return mcu::resolve(buffer).root.getDefiningOp<mcu::ConstantOp>(); }

class Counter {
public:
  void whole(Value buffer) { add(buffer, bytesOf(buffer), 1); }

  void kernel(mcu::KernelOp kernel) {
    auto stream = cast<mcu::StreamOp>(kernel->getParentOp());
    const int64_t firings = stream.firingsOf(kernel);
    const SmallVector<mcu::Walk> walks =
        stream.getSchedule() ? mcu::walksOf(kernel) : SmallVector<mcu::Walk>();
    for (OpOperand &operand : kernel->getOpOperands())
      add(operand.get(), touchedBy(operand, walks), firings);
    // Operands that are copied for the products are read from the copy.
    Value activations =
        kernel.getScratch().empty() ? firstActivations(kernel) : kernel.getScratch().front();
    // With `each_row` the operator is that of all firings.
    if (activations)
      products(activations, kernel, kernel.getEachRow() ? 1 : firings);
    for (Value scratch : kernel.getScratch()) // written before it is read
      add(scratch, bytesOf(scratch), firings);
    moves(stream, walks, firings);
  }

  void rows(Operation *stage) {
    auto stream = cast<mcu::StreamOp>(stage->getParentOp());
    const int64_t firings = stream.firingsOf(stage);
    const SmallVector<mcu::Walk> walks = mcu::walksOf(stage);
    for (const mcu::Walk &walk : walks)
      add(walk.buffer(), walk.extent * walk.rowBytes(), firings);
    moves(stream, walks, firings);
  }

  llvm::MapVector<Value, int64_t> words;

private:
  void add(Value buffer, int64_t bytes, int64_t times) {
    if (!isConstant(buffer))
      words[mcu::resolve(buffer).root] +=
          static_cast<int64_t>(llvm::divideCeil(bytes, wordBytes)) * times;
  }

  static int64_t touchedBy(OpOperand &operand, ArrayRef<mcu::Walk> walks) {
    for (const mcu::Walk &walk : walks)
      if (walk.operand == &operand && walk.advance != 0)
        return walk.extent * walk.rowBytes();
    return bytesOf(operand.get());
  }

  static Value firstActivations(mcu::KernelOp kernel) {
    auto found = llvm::find_if_not(kernel.getInputs(), isConstant);
    return found == kernel.getInputs().end() ? Value() : *found;
  }

  /// Loads for products beyond the one that each element has already.
  void products(Value activations, mcu::KernelOp kernel, int64_t firings) {
    const int64_t macs = cast<nn::NNOperator>(kernel.getBody().front().front()).getMacs();
    const int64_t loaded = macs / productsOfLoad * elementBytes(activations);
    add(activations, std::max<int64_t>(loaded - bytesOf(activations), 0), firings);
  }

  /// What a firing does to positions, and to rows of a ring that move to the front.
  void moves(mcu::StreamOp stream, ArrayRef<mcu::Walk> walks, int64_t firings) {
    for (const mcu::Walk &walk : walks) {
      if (walk.advance == 0)
        continue;
      add(stream.getPositions(), 2 * wordBytes, firings); // a load and a store
      if (!walk.isRing() || walk.writes)
        continue;
      const auto readers =
          static_cast<int64_t>(mcu::Positions(stream).readersOf(walk.buffer()).size());
      const int64_t left = bytesOf(walk.buffer()) - walk.advance * walk.rowBytes();
      add(walk.buffer(), 2 * std::max<int64_t>(left, 0) / readers, firings);
    }
  }
};

} // namespace

llvm::MapVector<Value, int64_t> thimble::accessesOf(mcu::ProgramOp program) {
  Counter counter;
  // The caller fills inputs and reads outputs.
  program.walk([&](Operation *op) {
    if (auto input = dyn_cast<mcu::InputOp>(op))
      counter.whole(input.getBuffer());
    else if (auto output = dyn_cast<mcu::OutputOp>(op))
      counter.whole(output.getBuffer());
    else if (auto kernel = dyn_cast<mcu::KernelOp>(op))
      counter.kernel(kernel);
    else if (isa<mcu::CopyRowsOp, mcu::FillRowsOp>(op))
      counter.rows(op);
  });
  return std::move(counter.words);
}
