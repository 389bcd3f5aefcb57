// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/Codegen.h"

#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"

using namespace llvm;

namespace {

struct Handler : DiagnosticHandler {
  explicit Handler(thimble::object::Diagnostics &diagnostics) : diagnostics(diagnostics) {}

  bool handleDiagnostics(const DiagnosticInfo &info) override {
    if (auto *frame = dyn_cast<DiagnosticInfoStackSize>(&info)) {
      diagnostics.frames[frame->getFunction().getName()].bytes =
          static_cast<int64_t>(frame->getStackSize());
    } else if (info.getSeverity() == DS_Error) {
      raw_string_ostream stream(diagnostics.errors);
      if (!diagnostics.errors.empty())
        stream << "; ";
      DiagnosticPrinterRawOStream printer(stream);
      info.print(printer);
    }
    return true;
  }

  thimble::object::Diagnostics &diagnostics;
};

} // namespace

thimble::object::Diagnostics::Diagnostics(LLVMContext &context) {
  context.setDiagnosticHandler(std::make_unique<Handler>(*this));
}

Expected<std::string> thimble::object::generateCode(Module &module, TargetMachine &machine,
                                                    CodeGenFileType type,
                                                    Diagnostics &diagnostics) {
  SmallString<0> bytes;
  raw_svector_ostream stream(bytes);
  legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return createStringError("the ARM backend does not write this kind of file");
  passes.run(module);
  if (!diagnostics.errors.empty())
    return createStringError(diagnostics.errors);
  return bytes.str().str();
}
