// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The phases of a compilation: one table for --compile-to, --dump-phases, docs and errors.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <optional>

namespace mlir {
class OpPassManager;
}

namespace thimble {

struct CompileOptions;

enum class Phase {
  Import,
  Simplify,
  Prune,
  Quantize,
  Reduce,
  Candidates,
  Plan,
  LowerKernels,
  Emit
};

struct PhaseInfo {
  Phase phase;
  llvm::StringRef name;
  llvm::StringRef description;
  /// Adds the phase's passes. Import and emit, which read and write files, add none.
  void (*populate)(mlir::OpPassManager &, const CompileOptions &);
};

/// In the order in which they run.
llvm::ArrayRef<PhaseInfo> phaseTable();
const PhaseInfo &phaseInfo(Phase phase);
std::optional<Phase> parsePhase(llvm::StringRef name);

} // namespace thimble
