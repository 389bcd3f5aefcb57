// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The parts of `thimble verify`: what each layer should compute, and what programs made of the
// generated code do compute.
#pragma once

#include "targets/Target.h"
#include "tools/thimble/Data.h"
#include "tools/thimble/Progress.h"

#include <map>

namespace thimble::driver {

/// What the interpreter computes: by layer of the plan and by sample. Layers are those of the reduced
/// network, so one that lost channels is compared on what it still computes; that nothing else is
/// needed shows in the outputs.
struct Reference {
  struct Layer {
    std::string name, op; // `name` is untrusted
    /// The tensors that it writes, [sample][which].
    std::vector<std::vector<Tensor>> values;
  };
  std::vector<Layer> layers;
  /// The model's outputs as it was imported, before any simplification: [sample][which].
  std::vector<Sample> outputs;
};

/// Runs the interpreter on `samples`, over the network as imported for the outputs and as planned
/// for `options` for the layers. Errors are diagnostics of the module's context.
mlir::FailureOr<Reference> evaluateReference(mlir::ModuleOp imported, const CompileOptions &options,
                                             llvm::ArrayRef<Sample> samples);

/// What a program computed, in the order in which it did.
struct Trace {
  struct Record {
    bool isOutput; // of the model; otherwise of a layer
    size_t index;
    std::vector<uint8_t> bytes;
  };
  std::vector<std::vector<Record>> samples;
};

struct TemporaryFolder;

/// Builds and runs programs of one model's generated code in temporary folders. Errors have been
/// printed where a function returns nothing.
class Programs {
public:
  Programs(llvm::ArrayRef<uint8_t> model, llvm::ArrayRef<Sample> samples)
      : model(model), samples(samples) {}

  /// The generated C, compiled by the host's compiler.
  std::optional<Trace> runOnHost(CompileOptions options);
  /// The code for `board`, a target that QEMU emulates, linked with its startup.
  std::optional<Trace> runOnBoard(CompileOptions options, const Target &board,
                                  const std::string &targetsFolder);

private:
  bool compile(CompileOptions &options, const std::string &folder);
  std::string mainProgram(const std::string &name) const;

  bool runProgram(llvm::StringRef program, llvm::ArrayRef<std::string> arguments,
                  llvm::StringRef what, const TemporaryFolder &folder);

  llvm::ArrayRef<uint8_t> model;
  llvm::ArrayRef<Sample> samples;
  Progress progress;
};

} // namespace thimble::driver
