// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/Translations.h"

#include "compiler/emit/object/Object.h"
#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/CommandLine.h"

using namespace mlir;
using namespace thimble::object;

namespace {

/// Options of the tool; the library itself has none.
struct Options {
  llvm::cl::opt<FloatAbi> floatAbi{
      "float-abi", llvm::cl::desc("float ABI of the firmware"), llvm::cl::init(FloatAbi::Hard),
      llvm::cl::values(clEnumValN(FloatAbi::Hard, "hard", "FPU, floats in FPU registers"),
                       clEnumValN(FloatAbi::Softfp, "softfp", "FPU, floats in core registers"),
                       clEnumValN(FloatAbi::Soft, "soft", "no FPU"))};
  llvm::cl::opt<bool> hooks{"layer-hooks", llvm::cl::desc("call thimble_layer_hook")};

  ObjectOptions get() const {
    ObjectOptions options;
    options.floatAbi = floatAbi;
    options.instrument = hooks;
    return options;
  }
};

} // namespace

static void registerInputs(DialectRegistry &registry) {
  registry
      .insert<arith::ArithDialect, func::FuncDialect, memref::MemRefDialect, quant::QuantDialect,
              scf::SCFDialect, thimble::m4::M4Dialect, thimble::mcu::MCUDialect>();
}

static void printSizes(const CodeSize &size, llvm::raw_ostream &output) {
  output << "code " << size.codeBytes << "\nconstants " << size.constantBytes << "\nstack "
         << size.stackBytes << (size.exact ? "\n" : " estimated\n");
  for (const FunctionSize &function : size.functions)
    output << function.name << " code " << function.codeBytes << " frame " << function.frameBytes
           << " stack " << function.stackBytes << "\n";
}

void thimble::object::registerObjectTranslations() {
  static Options options;
  static TranslateFromMLIRRegistration toObject(
      "mcu-to-object", "compile a lowered program to a thumbv7em ELF object",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        FailureOr<ObjectFile> object = emitObject(module, options.get());
        if (succeeded(object))
          output << object->bytes;
        return object;
      },
      registerInputs);
  static TranslateFromMLIRRegistration toAssembly(
      "mcu-to-asm", "compile a lowered program to thumbv7em assembly",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        ObjectOptions all = options.get();
        all.assembly = true;
        FailureOr<ObjectFile> object = emitObject(module, all);
        if (succeeded(object))
          output << object->assembly;
        return object;
      },
      registerInputs);
  static TranslateFromMLIRRegistration toLLVMIR(
      "mcu-to-llvmir", "compile a lowered program to optimized LLVM IR",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        FailureOr<std::string> text = emitLLVMIR(module, options.get());
        if (succeeded(text))
          output << *text;
        return text;
      },
      registerInputs);
  static TranslateFromMLIRRegistration toSizes(
      "mcu-to-sizes", "print code, constants and stack of a lowered program's object",
      [](ModuleOp module, llvm::raw_ostream &output) -> LogicalResult {
        FailureOr<CodeSize> size = measureCode(module, options.get(), /*forC=*/false);
        if (succeeded(size))
          printSizes(*size, output);
        return size;
      },
      registerInputs);
}
