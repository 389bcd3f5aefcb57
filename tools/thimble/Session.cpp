// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Session.h"

#include "tools/thimble/Options.h"

using namespace thimble;
using namespace thimble::driver;

void Session::printFirstError() const {
  const std::vector<std::string> &errors = diagnostics.errors();
  std::string line = errors.empty() ? "the compilation failed" : errors.front();
  if (errors.size() > 1)
    line += " (and " + std::to_string(errors.size() - 1) + " more: see 'thimble check')";
  printError(line);
}

mlir::OwningOpRef<mlir::ModuleOp> Session::import(llvm::ArrayRef<uint8_t> model,
                                                  const CompileOptions &options) {
  auto module = importModel(model, context, options);
  if (!module)
    printFirstError();
  return module;
}
