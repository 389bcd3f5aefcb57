// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Writes a lowered module as C11 that is C++17 too.
#pragma once

#include "compiler/emit/Program.h"

#include <string>
#include <vector>

namespace thimble::emit {

struct EmittedFile {
  std::string name; // without folder
  std::string contents;
};

struct EmitOptions {
  std::string name;        // prefix of files and symbols, a C identifier; empty: the program's
  bool instrument = false; // call thimble_layer_hook after each layer
  bool portable = false;   // for any core (--target generic): said in the file's first comment
  std::string modelSha256; // of the model file, hexadecimal
  std::string version;     // of the compiler
  int64_t stackBytes = 0;  // of NAME_invoke, measured
};

/// NAME.h and NAME.c of `module`, which must be as phase lower-kernels leaves it. The functions
/// and globals of the module keep their names. The same module gives the same bytes. An operation
/// without a C form is an error on that operation.
mlir::FailureOr<std::vector<EmittedFile>> emitC(mlir::ModuleOp module, const EmitOptions &options);

/// NAME.h alone: the generated API, which the object emitter's output has too.
std::string emitHeader(const Program &program, const EmitOptions &options);

} // namespace thimble::emit
