// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Compiler.h"


#include "compiler/emit/c/EmitC.h"
#include "compiler/import/tflite/Import.h"
#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNOps.h"
#include "runtime/RuntimeFiles.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
using namespace thimble;

StringRef thimble::compilerVersion() { return THIMBLE_VERSION; }

bool thimble::isUsableName(StringRef name) {
  constexpr size_t longest = 64;
  // Names with a leading underscore or capital prefixes of C's own are reserved.
  return !name.empty() && name.size() <= longest && llvm::isAlpha(name.front()) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::string thimble::identifierFor(StringRef name) {
  std::string identifier;
  for (char c : name.take_front(64))
    identifier += llvm::isAlnum(c) ? c : '_';
  if (identifier.empty() || !llvm::isAlpha(identifier.front()))
    identifier = ("m" + identifier).substr(0, 64);
  return identifier;
}

void thimble::prepareContext(MLIRContext &context) {
  context.loadDialect<nn::NNDialect, mcu::MCUDialect, m4::M4Dialect, func::FuncDialect,
                      arith::ArithDialect, memref::MemRefDialect, scf::SCFDialect>();
}

OwningOpRef<ModuleOp> thimble::importModel(ArrayRef<uint8_t> bytes, MLIRContext &context,
                                           const CompileOptions &options) {
  Result<tflite::Model> model = tflite::readModel({bytes.data(), bytes.size()});
  if (!model) {
    emitError(UnknownLoc::get(&context)) << model.error();
    return nullptr;
  }
  return tflite::importModel(*model, &context,
                             options.reference == "litert" ? tflite::Reference::LiteRT
                                                           : tflite::Reference::TFLM);
}

static LogicalResult dump(ModuleOp module, const PhaseInfo &info, StringRef folder) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, llvm::formatv("{0,0+2}-{1}.mlir", static_cast<int>(info.phase),
                                              info.name).str());
  std::error_code error = llvm::sys::fs::create_directories(folder);
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_Text);
  if (error)
    return module.emitError() << "cannot write '" << path << "': " << error.message();
  module.print(file.os(), OpPrintingFlags().elideLargeElementsAttrs(32));
  file.keep();
  return success();
}

LogicalResult thimble::runPhases(ModuleOp module, const CompileOptions &options) {
  for (const PhaseInfo &info : phaseTable()) {
    PassManager pm(module.getContext());
    info.populate(pm, options);
    if (failed(pm.run(module)))
      return failure();
    if (!options.dumpPhasesTo.empty() && failed(dump(module, info, options.dumpPhasesTo)))
      return failure();
    if (info.phase == options.lastPhase)
      break;
  }
  return success();
}

static std::string sha256(ArrayRef<uint8_t> bytes) {
  return llvm::toHex(llvm::SHA256::hash(bytes), /*LowerCase=*/true);
}

static OutputFile asText(ModuleOp module, const CompileOptions &options) {
  OutputFile file{options.name + ".mlir", ""};
  llvm::raw_string_ostream os(file.contents);
  module.print(os);
  return file;
}

FailureOr<std::vector<OutputFile>> thimble::compileModel(ArrayRef<uint8_t> modelBytes,
                                                         MLIRContext &context,
                                                         const CompileOptions &options) {
  OwningOpRef<ModuleOp> module = importModel(modelBytes, context, options);
  if (!module || failed(runPhases(*module, options)))
    return failure();
  std::vector<OutputFile> files;
  if (options.lastPhase != Phase::Emit || options.emit == EmitKind::MLIR) {
    files.push_back(asText(*module, options));
    return files;
  }

  emit::EmitOptions emitOptions;
  emitOptions.name = options.name;
  emitOptions.instrument = options.instrument;
  emitOptions.portable = options.target == "generic";
  emitOptions.modelSha256 = sha256(modelBytes);
  emitOptions.version = compilerVersion().str();
  FailureOr<std::vector<emit::EmittedFile>> sources = emit::emitC(*module, emitOptions);
  if (failed(sources))
    return failure();
  for (emit::EmittedFile &file : *sources)
    files.push_back({file.name, std::move(file.contents)});
  for (const RuntimeFile &file : runtimeHeaders())
    files.push_back({file.name, std::string(file.contents)});
  return files;
}
