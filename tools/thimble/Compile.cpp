// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/support/Quote.h"
#include "tools/thimble/Commands.h"
#include "tools/thimble/Data.h"
#include "tools/thimble/Session.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace thimble;
using namespace thimble::driver;

/// Writes all files into `folder`, which is made, or none.
static bool writeInto(const std::string &folder, std::vector<OutputFile> files) {
  using llvm::sys::fs::perms;
  if (std::error_code error =
          llvm::sys::fs::create_directories(folder, /*IgnoreExisting=*/true, perms::all_all)) {
    printError("cannot create folder '" + folder + "': " + error.message());
    return false;
  }
  for (OutputFile &file : files) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, file.name);
    file.name = path.str().str();
  }
  return writeFiles(files);
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
    printError("--name must be a C identifier of at most 64 letters, digits and underscores and no "
               "word of C, got " +
               quoteName(options.name) + "; '" + suggestion + "' would do");
    return usageError;
  }
  auto bytes = readFile(path);
  if (!bytes)
    return failure;

  Session session;
  auto files = compileModel(*bytes, session.context, options);
  if (mlir::failed(files)) {
    session.printFirstError();
    return failure;
  }
  const std::string &folder = invocation.outputPath;
  return writeInto(folder.empty() ? "." : folder, std::move(*files)) ? success : failure;
}
