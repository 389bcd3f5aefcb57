// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The compiler as a library. Nothing here prints, exits or keeps state between calls: errors are
// diagnostics of the MLIR context.
#pragma once

#include "compiler/Options.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <vector>

namespace thimble {

/// A file that a compilation writes, without a folder.
struct OutputFile {
  std::string name;
  std::string contents;
};

/// Registers and loads all that the compiler makes.
void prepareContext(mlir::MLIRContext &context);

/// The model in `bytes` as a module of nn; null after errors.
mlir::OwningOpRef<mlir::ModuleOp> importModel(llvm::ArrayRef<uint8_t> bytes,
                                              mlir::MLIRContext &context,
                                              const CompileOptions &options);

/// Runs the phases from `first` up to `options.lastPhase`.
mlir::LogicalResult runPhases(mlir::ModuleOp module, const CompileOptions &options,
                              Phase first = Phase::Import);

/// What `thimble compile` writes: sources or object, runtime headers, report. `modelBytes` is
/// hashed into the header.
mlir::FailureOr<std::vector<OutputFile>> compileModel(llvm::ArrayRef<uint8_t> modelBytes,
                                                      mlir::MLIRContext &context,
                                                      const CompileOptions &options);

/// `name` as a C identifier that names can start with: what --name defaults to.
std::string identifierFor(llvm::StringRef name);
/// Whether generated symbols can start with `name`.
bool isUsableName(llvm::StringRef name);

/// The version of the compiler, "0.1.0".
llvm::StringRef compilerVersion();

} // namespace thimble
