// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/c/Translations.h"

#include "compiler/emit/Assembly.h"
#include "compiler/emit/c/EmitC.h"
#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;

void thimble::emit::registerCTranslations() {
  static llvm::cl::opt<bool> instrument{
      "c-layer-hooks", llvm::cl::desc("call thimble_layer_hook in the C of --mcu-to-c")};
  auto registerInputs = [](DialectRegistry &registry) {
    registry.insert<arith::ArithDialect, func::FuncDialect, memref::MemRefDialect,
                    quant::QuantDialect, scf::SCFDialect, m4::M4Dialect, mcu::MCUDialect>();
  };
  static TranslateFromMLIRRegistration toC(
      "mcu-to-c", "write a lowered program as C",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        EmitOptions options;
        options.instrument = instrument;
        options.version = "test";
        FailureOr<std::vector<EmittedFile>> files = emitC(module, options);
        if (succeeded(files))
          for (const EmittedFile &file : *files)
            output << "/*--- " << file.name << " ---*/\n" << file.contents;
        return files;
      },
      registerInputs);
  static TranslateFromMLIRRegistration toAssembly(
      "m4-to-asm", "write kernels whose registers are allocated as assembly",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        for (auto kernel : module.getOps<m4::KernelOp>()) {
          output << kernel.getSymName() << ":\n";
          for (const std::string &line : assemblyOf(kernel))
            output << "  " << line << "\n";
        }
        return success();
      },
      registerInputs);
}
