// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "tools/thimble/Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

/// Writes all files or none: what was written is removed when one cannot be.
static bool writeFiles(const std::string &folder, llvm::ArrayRef<OutputFile> files) {
  if (std::error_code error = llvm::sys::fs::create_directories(folder)) {
    printError("cannot create folder '" + folder + "': " + error.message());
    return false;
  }
  std::vector<std::unique_ptr<llvm::ToolOutputFile>> written;
  for (const OutputFile &file : files) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, file.name);
    std::error_code error;
    auto out = std::make_unique<llvm::ToolOutputFile>(path, error, llvm::sys::fs::OF_None);
    if (!error) {
      out->os() << file.contents;
      out->os().flush();
      error = out->os().error();
      out->os().clear_error();
    }
    if (error) {
      printError("cannot write '" + path.str().str() + "': " + error.message());
      return false;
    }
    written.push_back(std::move(out));
  }
  for (auto &out : written)
    out->keep();
  return true;
}

ExitStatus driver::runCompile(const Invocation &invocation) {
  const std::string &path = invocation.models.front();
  CompileOptions options = invocation.compile;
  std::string suggestion =
      identifierFor(invocation.nameGiven ? options.name : llvm::sys::path::stem(path).str());
  if (!invocation.nameGiven)
    options.name = suggestion;
  options.modelFile = llvm::sys::path::filename(path).str();
  if (!isUsableName(options.name)) {
    printError("--name must be a C identifier of at most 64 letters, digits and underscores, got '" +
               options.name + "'; '" + suggestion + "' would do");
    return usageError;
  }
  auto bytes = readFile(path);
  if (!bytes)
    return failure;

  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  prepareContext(context);
  DiagnosticCollector diagnostics(&context);
  auto files = compileModel(*bytes, context, options);
  if (mlir::failed(files)) {
    printFirst(diagnostics.errors());
    return failure;
  }
  return writeFiles(invocation.outputDir, *files) ? success : failure;
}
