// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The part of `thimble verify` that says what each layer should compute.
#pragma once

#include "tools/thimble/Data.h"

namespace thimble::driver {

/// What the interpreter computes: by layer of the plan and by sample. Layers are those of the
/// reduced network, so one that lost channels is compared on what it still computes; that nothing
/// else is needed shows in the outputs.
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

} // namespace thimble::driver
