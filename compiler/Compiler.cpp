// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Compiler.h"

#include "compiler/Budgets.h"
#include "compiler/Remarks.h"
#include "compiler/Report.h"
#include "compiler/emit/c/EmitC.h"
#include "compiler/emit/object/Object.h"
#include "compiler/import/tflite/Import.h"
#include "compiler/report/Html.h"
#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNOps.h"
#include "runtime/RuntimeFiles.h"
#include "targets/Target.h"

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

// Words of C and C++ are no names by themselves, and NAME.h of some is another header.
static bool isReserved(StringRef name) {
  static constexpr llvm::StringLiteral words[] = {
      "alignas",  "alignof",  "and",       "asm",      "assert",   "auto",     "bool",
      "break",    "case",     "catch",     "char",     "class",    "const",    "constexpr",
      "continue", "default",  "delete",    "do",       "double",   "else",     "enum",
      "errno",    "explicit", "export",    "extern",   "false",    "float",    "for",
      "friend",   "goto",     "if",        "inline",   "int",      "limits",   "long",
      "math",     "mutable",  "namespace", "new",      "not",      "nullptr",  "operator",
      "or",       "private",  "protected", "public",   "register", "restrict", "return",
      "setjmp",   "short",    "signal",    "signed",   "sizeof",   "static",   "stdarg",
      "stdbool",  "stddef",   "stdint",    "stdio",    "stdlib",   "string",   "struct",
      "switch",   "template", "this",      "thimble",  "throw",    "time",     "true",
      "try",      "typedef",  "typeid",    "typename", "union",    "unsigned", "using",
      "virtual",  "void",     "volatile",  "while",    "xor"};
  return llvm::is_contained(words, name) || name.starts_with("thimble_");
}

static constexpr size_t longestName = 64;

bool thimble::isUsableName(StringRef name) {
  // A leading underscore is reserved for C's own names.
  return !name.empty() && name.size() <= longestName && llvm::isAlpha(name.front()) &&
         !isReserved(name) &&
         llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

std::string thimble::identifierFor(StringRef name) {
  std::string identifier;
  for (char c : name.take_front(longestName))
    identifier += llvm::isAlnum(c) ? c : '_';
  if (identifier.empty() || !llvm::isAlpha(identifier.front()))
    identifier = ("m" + identifier).substr(0, longestName);
  if (isReserved(identifier))
    identifier = ("m_" + identifier).substr(0, longestName);
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
  llvm::sys::path::append(
      path, llvm::formatv("{0,0+2}-{1}.mlir", static_cast<int>(info.phase), info.name).str());
  std::error_code error = llvm::sys::fs::create_directories(folder);
  llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_Text);
  if (error)
    return module.emitError() << "cannot write '" << path << "': " << error.message();
  module.print(file.os(), OpPrintingFlags().elideLargeElementsAttrs(32));
  file.keep();
  return success();
}

LogicalResult thimble::runPhases(ModuleOp module, const CompileOptions &options, Phase first) {
  for (const PhaseInfo &info : phaseTable()) {
    if (info.phase < first)
      continue;
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

std::string thimble::floatAbiName(FloatAbi abi) {
  switch (abi) {
  case FloatAbi::Hard:
    return "hard";
  case FloatAbi::Softfp:
    return "softfp";
  case FloatAbi::Soft:
    return "soft";
  }
  llvm_unreachable("unknown float ABI");
}

static object::ObjectOptions objectOptions(const CompileOptions &options) {
  object::ObjectOptions result;
  result.name = options.name;
  result.floatAbi = static_cast<object::FloatAbi>(options.floatAbi);
  result.instrument = options.instrument;
  result.assembly = options.emit == EmitKind::Assembly;
  return result;
}

// Another plan has calls of other depth.
static constexpr int64_t stackSlack = 64;

namespace {
/// A lowered module and what it costs. Code is measured by compiling it, whatever is emitted.
struct Lowered {
  OwningOpRef<ModuleOp> module;
  object::ObjectFile object;
  std::vector<RemarkEntry> remarks;
};
} // namespace

static FailureOr<Costs> measure(Lowered &lowered, const CompileOptions &options) {
  FailureOr<object::ObjectFile> object =
      object::emitObject(*lowered.module, objectOptions(options));
  if (failed(object))
    return failure();
  lowered.object = std::move(*object);
  return countCosts(*lowered.module, options.emit == EmitKind::C
                                         ? object::estimateForC(lowered.object.size)
                                         : lowered.object.size);
}

/// Lowers a copy of `imported`.
static FailureOr<Costs> lower(ModuleOp imported, const CompileOptions &options, Lowered &lowered) {
  lowered.module = imported.clone();
  if (failed(runPhases(*lowered.module, options)))
    return failure();
  return measure(lowered, options);
}

static std::vector<OutputFile> emitObjectFiles(const Lowered &lowered, const Costs &costs,
                                               const CompileOptions &options,
                                               const emit::EmitOptions &emitOptions) {
  std::vector<OutputFile> files;
  files.push_back({options.name + ".h", emit::emitHeader(costs.program, emitOptions)});
  if (options.emit == EmitKind::Assembly)
    files.push_back({options.name + ".s", lowered.object.assembly});
  else
    files.push_back({options.name + ".o", lowered.object.bytes});
  // The only one that NAME.h includes.
  for (const RuntimeFile &file : runtimeHeaders())
    if (StringRef(file.name) == "thimble_types.h")
      files.push_back({file.name, std::string(file.contents)});
  return files;
}

static FailureOr<std::vector<OutputFile>> emitCFiles(ModuleOp module,
                                                     const emit::EmitOptions &emitOptions) {
  FailureOr<std::vector<emit::EmittedFile>> sources = emit::emitC(module, emitOptions);
  if (failed(sources))
    return failure();
  std::vector<OutputFile> files;
  for (emit::EmittedFile &file : *sources)
    files.push_back({file.name, std::move(file.contents)});
  for (const RuntimeFile &file : runtimeHeaders())
    files.push_back({file.name, std::string(file.contents)});
  return files;
}

static FailureOr<std::vector<OutputFile>> emitFiles(const Lowered &lowered, const Costs &costs,
                                                    const CompileOptions &options,
                                                    StringRef modelSha256) {
  emit::EmitOptions emitOptions;
  emitOptions.name = options.name;
  emitOptions.instrument = options.instrument;
  emitOptions.portable = findTarget(options.target)->core == "generic";
  emitOptions.modelSha256 = modelSha256.str();
  emitOptions.version = compilerVersion().str();
  emitOptions.stackBytes = costs.stackBytes;
  FailureOr<std::vector<OutputFile>> files =
      options.emit == EmitKind::C
          ? emitCFiles(*lowered.module, emitOptions)
          : FailureOr(emitObjectFiles(lowered, costs, options, emitOptions));
  if (failed(files))
    return failure();
  std::string json = jsonReport(costs, options, modelSha256, lowered.remarks);
  if (options.htmlReport) {
    Result<std::string> html = htmlReport(json);
    if (!html)
      return emitError((*lowered.module).getLoc()) << "no page of the report: " << html.error();
    files->push_back({options.name + ".report.html", std::move(*html)});
  }
  files->push_back({options.name + ".report.json", std::move(json)});
  return files;
}

FailureOr<std::vector<OutputFile>> thimble::compileModel(ArrayRef<uint8_t> modelBytes,
                                                         MLIRContext &context,
                                                         const CompileOptions &options) {
  const Target *target = findTarget(options.target);
  if (!target)
    return emitError(UnknownLoc::get(&context))
           << "unknown target '" << options.target << "', known are "
           << llvm::join(targetNames(), ", ");
  bool wantsObject = options.emit == EmitKind::Object || options.emit == EmitKind::Assembly;
  if (wantsObject && target->core == "generic")
    return emitError(UnknownLoc::get(&context))
           << "object code is for a core: the target 'generic' has C only";
  RemarkCollector remarks(context);
  OwningOpRef<ModuleOp> imported = importModel(modelBytes, context, options);
  if (!imported)
    return failure();
  std::vector<OutputFile> files;
  if (options.lastPhase != Phase::Emit || options.emit == EmitKind::MLIR) {
    if (failed(runPhases(*imported, options)))
      return failure();
    files.push_back(asText(*imported, options));
    return files;
  }

  std::vector<RemarkEntry> importRemarks = remarks.remarks();
  std::vector<Costs> attempts;
  for (CompileOptions attempt : attemptsFor(options)) {
    remarks.clear();
    Lowered lowered;
    FailureOr<Costs> costs = lower(*imported, attempt, lowered);
    if (succeeded(costs) && lacksStack(*costs, attempt)) {
      attempt.planStack = costs->stackBytes + stackSlack;
      remarks.clear();
      costs = lower(*imported, attempt, lowered);
    }
    if (failed(costs))
      return failure();
    if (meetsBudgets(*costs, attempt)) {
      lowered.remarks = importRemarks;
      llvm::append_range(lowered.remarks, remarks.remarks());
      return emitFiles(lowered, *costs, attempt, sha256(modelBytes));
    }
    attempts.push_back(std::move(*costs));
  }
  return reportBudgets(UnknownLoc::get(&context), attempts, options);
}
