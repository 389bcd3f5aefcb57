// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// NAME.report.json: what a compilation decided and what it costs.
#pragma once

#include "compiler/Options.h"
#include "compiler/Remarks.h"
#include "compiler/emit/Program.h"
#include "compiler/emit/object/Object.h"
#include "dialects/mcu/MCULiveness.h"

#include "llvm/ADT/ArrayRef.h"

namespace thimble {

/// What one layer costs, in bytes.
struct LayerCost {
  int64_t codeBytes = 0;
  /// Tables that this layer is the first to read.
  int64_t constantBytes = 0;
  /// Live in the arena while it runs: its operands, its scratch and what later layers read.
  int64_t ramBytes = 0;

  int64_t flashBytes() const { return codeBytes + constantBytes; }
};

/// A buffer of the arena, or a part of one that comes or goes by itself. Uses are steps: a layer
/// that runs by itself is one, and each firing of a layer that runs row by row. An input is in use
/// from the first step on, an output until the last.
struct BufferUse {
  std::string name; // as the model has it: untrusted
  std::string lifetime;
  int64_t region, offset, bytes, firstUse, lastUse;
};

/// What a lowered program costs.
struct Costs {
  emit::Program program;
  std::vector<LayerCost> layers; // of program.calls
  std::vector<BufferUse> buffers;
  /// The layer that each step runs; -1 for one that only moves rows.
  std::vector<int64_t> steps;
  mcu::Peak peak;
  int64_t codeBytes = 0, constantBytes = 0, stackBytes = 0;

  /// In all regions.
  int64_t ramBytes() const { return program.ramBytes() + stackBytes; }
  int64_t flashBytes() const { return codeBytes + constantBytes; }
};

/// Counts what `module`, as after phase lower-kernels, costs with the code sizes of `size`.
mlir::FailureOr<Costs> countCosts(mlir::ModuleOp module, const object::CodeSize &size);

/// The report as JSON text. The same arguments give the same bytes.
std::string jsonReport(const Costs &costs, const CompileOptions &options,
                       llvm::StringRef modelSha256, llvm::ArrayRef<RemarkEntry> remarks);

} // namespace thimble
