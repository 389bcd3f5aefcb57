// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What every command sets up: a context with all dialects, whose errors are collected.
#pragma once

#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"

#include "mlir/IR/MLIRContext.h"

namespace thimble::driver {

struct Session {
  Session() { prepareContext(context); }

  /// Prints what stands against the model, one line: the first error, and how many more there are.
  void printFirstError() const;
  /// The imported model; null after its first error has been printed.
  mlir::OwningOpRef<mlir::ModuleOp> import(llvm::ArrayRef<uint8_t> model,
                                           const CompileOptions &options);

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  DiagnosticCollector diagnostics{&context};
};

} // namespace thimble::driver
