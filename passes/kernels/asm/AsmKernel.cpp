// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/AsmKernel.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace thimble;

m4::Cost AsmKernel::cost() const {
  AsmBuilder counting;
  Regs arguments(buffers.size() + words.size());
  instructions(counting, arguments);
  m4::Cost total = counting.cost();
  // All registers that a function must save: kernels use what there is.
  total += m4::entryAndExit(/*gprs=*/9, /*fprs=*/0, frameBytes);
  return total;
}

void AsmKernel::addTo(Candidate &candidate, int64_t calls) const {
  constexpr int64_t savedBytes = 36, callCycles = 8; // r4 to r11 and lr; arguments and the jump
  m4::Cost once = cost();
  candidate.cycles += (once.cycles + callCycles) * calls;
  candidate.calls.push_back({once, calls});
  candidate.flashBytes += once.codeBytes;
  candidate.sharedCode.push_back({name, once.codeBytes});
  candidate.stackBytes = std::max(candidate.stackBytes, frameBytes + savedBytes);
}

static void buildInstructions(KernelBuilder &b, const AsmKernel &kernel, StringRef name,
                              StringRef portable) {
  OpBuilder &builder = b.ir();
  auto op =
      m4::KernelOp::create(builder, b.loc(), name, static_cast<uint64_t>(kernel.frameBytes),
                           FlatSymbolRefAttr::get(builder.getContext(), portable), IntegerAttr());
  Block &block = op.getBody().emplaceBlock();
  Regs arguments;
  for (size_t i = 0; i < kernel.buffers.size() + kernel.words.size(); ++i)
    arguments.push_back({block.addArgument(m4::GprType::get(builder.getContext()), b.loc())});
  builder.setInsertionPointToStart(&block);
  AsmBuilder instructions(builder);
  kernel.instructions(instructions, arguments);
  m4::ReturnOp::create(builder, b.loc());
}

static void buildPortable(KernelBuilder &b, const AsmKernel &kernel, StringRef name) {
  OpBuilder &builder = b.ir();
  SmallVector<Type> types;
  for (const auto &buffer : kernel.buffers)
    types.push_back(MemRefType::get(
        {ShapedType::kDynamic},
        buffer.element == ElementType::Float32
            ? Type(builder.getF32Type())
            : builder.getIntegerType(static_cast<unsigned>(8 * byteSize(buffer.element)))));
  types.append(kernel.words.size(), builder.getI32Type());
  auto function = func::FuncOp::create(builder, b.loc(), name, builder.getFunctionType(types, {}));
  function.setPrivate();
  Block &block = *function.addEntryBlock();
  SmallVector<Buffer> buffers;
  Vals words;
  KernelBuilder own = b.forFunction(name.str()); // its tables are its own
  for (auto [i, argument] : llvm::enumerate(block.getArguments())) {
    const bool isBuffer = i < kernel.buffers.size();
    const std::string &hint =
        isBuffer ? kernel.buffers[i].name : kernel.words[i - kernel.buffers.size()];
    argument.setLoc(b.named(hint));
    if (isBuffer)
      buffers.push_back({argument, kernel.buffers[i].element});
    else
      words.push_back(Val(own, argument));
  }
  builder.setInsertionPointToStart(&block);
  kernel.portable(own, buffers, words);
  func::ReturnOp::create(builder, b.loc());
}

void thimble::callAsm(KernelBuilder &b, const AsmKernel &kernel, ArrayRef<Address> addresses,
                      ArrayRef<Val> words) {
  const std::string name = b.sharedName(kernel.name), portable = name + "_portable";
  OpBuilder &builder = b.ir();
  if (!b.getModule().lookupSymbol(name)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(b.getModule().getBody());
    buildPortable(b, kernel, portable);
    builder.setInsertionPointToEnd(b.getModule().getBody());
    buildInstructions(b, kernel, name, portable);
  }
  SmallVector<Value> buffers, offsets, values;
  SmallVector<int64_t> writes;
  for (auto [i, address] : llvm::enumerate(addresses)) {
    buffers.push_back(address.buffer.memref);
    offsets.push_back(address.offset.value());
    if (kernel.buffers[i].isWritten)
      writes.push_back(static_cast<int64_t>(i));
  }
  for (Val word : words)
    values.push_back(word.value());
  m4::CallOp::create(builder, b.loc(), FlatSymbolRefAttr::get(builder.getContext(), name), buffers,
                     offsets, values, builder.getDenseI64ArrayAttr(writes));
}
