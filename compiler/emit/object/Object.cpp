// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/Object.h"

#include "compiler/emit/Assembly.h"
#include "compiler/emit/Program.h"
#include "compiler/emit/object/Api.h"
#include "compiler/emit/object/Codegen.h"
#include "compiler/emit/object/ConvertToLLVM.h"
#include "compiler/emit/object/Target.h"
#include "dialects/mcu/MCUOps.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "passes/m4/Cycles.h"
#include "runtime/RuntimeFiles.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;
using namespace thimble::object;

namespace {

/// A model on its way through LLVM.
struct Compilation {
  explicit Compilation(ModuleOp module) : source(module), diagnostics(context) {}

  LogicalResult run(const ObjectOptions &options);
  FailureOr<std::string> generate(llvm::CodeGenFileType type);
  /// The code generator knows nothing of the stack that assembly uses.
  void addKernelFrames();
  LogicalResult fail(llvm::Error error) {
    return source.emitError("object: ") << llvm::toString(std::move(error));
  }

  ModuleOp source;
  llvm::LLVMContext context;
  Diagnostics diagnostics;
  thimble::emit::Program program;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};

} // namespace

LogicalResult Compilation::run(const ObjectOptions &options) {
  FailureOr<thimble::emit::Program> described = thimble::emit::describeProgram(source);
  if (failed(described))
    return failure();
  program = std::move(*described);
  if (!options.name.empty())
    program.name = options.name;

  auto soft = createTargetMachine(FloatAbi::Soft, /*fpu=*/false);
  if (!soft)
    return fail(soft.takeError());
  machine = std::move(*soft);

  OwningOpRef<ModuleOp> lowered = source.clone();
  for (auto op : llvm::make_early_inc_range(lowered->getOps<thimble::mcu::ProgramOp>()))
    op.erase();
  const bool mayUseFpu = options.floatAbi != FloatAbi::Soft;
  if (failed(convertToLLVM(*lowered, machine->createDataLayout(), mayUseFpu)))
    return failure();
  module = translateModuleToLLVMIR(*lowered, context, program.name);
  if (!module)
    return source.emitError("object: translation to LLVM IR failed");
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());

  if (llvm::Error error = linkRuntime(*module, llvm::StringRef(thimble::runtimeBitcode())))
    return fail(std::move(error));
  addApi(*module, program, options.instrument);
  internalize(*module, program);

  const bool kernelsUseFpu =
      llvm::any_of(source.getOps<thimble::m4::KernelOp>(), thimble::emit::usesFpu);
  if ((usesFloat(*module) || kernelsUseFpu) && mayUseFpu) {
    auto withFpu = createTargetMachine(options.floatAbi, /*fpu=*/true);
    if (!withFpu)
      return fail(withFpu.takeError());
    machine = std::move(*withFpu);
  }
  setTarget(*module, *machine);
  optimize(*module, *machine);
  return success();
}

void Compilation::addKernelFrames() {
  const std::string prefix = program.name + "_";
  for (auto kernel : source.getOps<thimble::m4::KernelOp>()) {
    StringRef name = kernel.getSymName();
    // Internalizing gave all symbols the prefix.
    diagnostics.frames[name.starts_with(prefix) ? name.str() : prefix + name.str()] = {
        thimble::m4::stackBytes(kernel), /*isFixed=*/true};
  }
}

FailureOr<std::string> Compilation::generate(llvm::CodeGenFileType type) {
  llvm::Expected<std::string> bytes = generateCode(*module, *machine, type, diagnostics);
  if (!bytes) {
    (void)fail(bytes.takeError());
    return failure();
  }
  return std::move(*bytes);
}

FailureOr<thimble::object::ObjectFile> thimble::object::emitObject(ModuleOp module,
                                                                   const ObjectOptions &options) {
  Compilation compilation(module);
  if (failed(compilation.run(options)))
    return failure();
  ObjectFile result;
  if (options.assembly) {
    // The code generator rewrites the IR: each run has its own.
    std::unique_ptr<llvm::Module> kept = llvm::CloneModule(*compilation.module);
    FailureOr<std::string> text = compilation.generate(llvm::CodeGenFileType::AssemblyFile);
    if (failed(text))
      return failure();
    result.assembly = std::move(*text);
    compilation.module = std::move(kept);
  }
  FailureOr<std::string> bytes = compilation.generate(llvm::CodeGenFileType::ObjectFile);
  if (failed(bytes))
    return failure();
  result.bytes = std::move(*bytes);
  compilation.addKernelFrames();
  const emit::Program &program = compilation.program;
  SmallVector<std::string, 2> entries{program.name + "_invoke"};
  if (program.pushed)
    entries.push_back(program.name + "_push_rows");
  llvm::Expected<CodeSize> size = measure(result.bytes, compilation.diagnostics.frames, entries);
  if (!size) {
    (void)compilation.fail(size.takeError());
    return failure();
  }
  result.size = std::move(*size);
  return result;
}

CodeSize thimble::object::estimateForC(CodeSize size) {
  size.codeBytes = codeBytesForC(size.codeBytes);
  size.stackBytes = size.stackBytesForC;
  size.exact = false;
  for (FunctionSize &function : size.functions)
    function.codeBytes = codeBytesForC(function.codeBytes);
  return size;
}

FailureOr<CodeSize> thimble::object::measureCode(ModuleOp module, const ObjectOptions &options,
                                                 bool forC) {
  FailureOr<ObjectFile> object = emitObject(module, options);
  if (failed(object))
    return failure();
  return forC ? estimateForC(std::move(object->size)) : std::move(object->size);
}

FailureOr<std::string> thimble::object::emitLLVMIR(ModuleOp module, const ObjectOptions &options) {
  Compilation compilation(module);
  if (failed(compilation.run(options)))
    return failure();
  std::string text;
  llvm::raw_string_ostream stream(text);
  compilation.module->print(stream, nullptr);
  return text;
}
