// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What the compiler knows about a core and a board.
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace thimble {

/// Cycles of instruction classes. Source: Arm Cortex-M4 Technical Reference Manual (DDI 0439),
/// instruction timing table.
struct CostRules {
  double alu = 1;
  double multiply = 1;
  double load = 2;
  /// A load right after another whose result is not its address.
  double pairedLoad = 1;
  double store = 1;
  /// A taken branch: one cycle and the refill of the pipeline.
  double takenBranch = 3;
  /// One element of float arithmetic: on an FPU, or in software.
  double floatOp = 1;
};

/// A stretch of RAM that buffers can be placed in.
struct MemoryRegion {
  std::string name;
  uint64_t base = 0;
  uint64_t bytes = 0;
  /// The part of them that the firmware around the model keeps for itself.
  uint64_t reserved = 0;
  /// Cycles that a load or store of a word takes longer than in memory without any.
  unsigned waitStates = 0;

  uint64_t availableBytes() const { return bytes - std::min(bytes, reserved); }
  /// NAME:BYTES[:WAITS] of what is available: what `parse` reads, where K and M may follow BYTES.
  std::string text() const;
  static std::optional<MemoryRegion> parse(llvm::StringRef text);
};
/// More than any board has.
inline constexpr size_t mostMemoryRegions = 8;

/// Flash, and how the core waits for it. The model is that of tools/cycle_count/flash.h.
struct Flash {
  uint64_t base = 0, bytes = 0;
  unsigned waitStates = 0;
  /// What is read at a time, and how much of it is kept, in bytes.
  unsigned line = 0, instructionCache = 0, dataCache = 0;
  /// The line that follows is read ahead.
  bool prefetch = false;
};

/// A core, or a board with its core and memories.
struct Target {
  std::string name;
  std::string core;
  /// The DSP extension's instructions (SMLAD, SXTB16, ...) may be used.
  bool dsp = false;
  bool fpu = false;
  CostRules costs;
  /// Data and stack of a firmware are in the first; none is faster than one before it.
  std::vector<MemoryRegion> ram;
  Flash flash;
  double clockHz = 0;
  double nanojoulesPerCycle = 0;
  /// QEMU's name for the board; empty where it emulates none.
  std::string qemuMachine;
  /// Files of targets/startup and macros that a firmware for the board is built with.
  std::vector<std::string> startupFiles, startupDefines;
};

/// The target called `name`: cortex-m4, generic or a board. Null for any other name.
const Target *findTarget(llvm::StringRef name);
/// All names that `findTarget` knows.
std::vector<std::string> targetNames();

} // namespace thimble
