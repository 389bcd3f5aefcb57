// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What a compilation is asked for. One struct, filled by the driver's command line or by a caller
// of the library.
#pragma once

#include "compiler/Phases.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace thimble {

enum class EmitKind { C, Object, Assembly, MLIR };
enum class FloatAbi { Hard, Softfp, Soft };
/// As --float-abi spells it.
std::string floatAbiName(FloatAbi abi);

struct CompileOptions {
  /// The model's file name without its path, for the report.
  std::string modelFile = "model.tflite";
  /// Prefix of files and symbols, a C identifier.
  std::string name = "model";
  std::string target = "cortex-m4";
  /// Regions of RAM in place of the target's, as MemoryRegion::text has them.
  std::vector<std::string> regions;
  EmitKind emit = EmitKind::C;
  /// speed, balanced, ram or flash.
  std::string optimize = "speed";
  /// Budgets in bytes: arena plus stack, and code plus constants.
  std::optional<int64_t> ramBudget, flashBudget;
  /// What one plan may take of RAM for tensors, scratch and the stack of kernels; 0: as the
  /// objective has it.
  int64_t planRam = 0;
  /// Bytes of the first region that are kept for the stack.
  int64_t planStack = 512;
  /// Whose rounding rules the importer records: "tflm" or "litert".
  std::string reference = "tflm";
  /// Kernels to choose wherever they can compute an operator, whatever they cost.
  std::vector<std::string> preferredKernels;
  /// Whether the caller hands over the only input row by row.
  bool streamInput = false;
  bool instrument = false;
  /// Write NAME.report.html beside NAME.report.json.
  bool htmlReport = false;
  FloatAbi floatAbi = FloatAbi::Hard;
  /// The last phase to run.
  Phase lastPhase = Phase::Emit;
  /// Folder that gets the module after each phase as NN-phase.mlir; empty for none.
  std::string dumpPhasesTo;
};

/// The regions of RAM to plan for; none where nothing is known of them.
std::vector<std::string> ramRegions(const CompileOptions &options);

} // namespace thimble
