// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What a sequence of instructions costs, by the timing table of the Cortex-M4's Technical Reference
// Manual (Arm DDI 0439) and memory that never waits.
#pragma once

#include "dialects/m4/M4Ops.h"

#include "targets/Target.h"

#include <array>
#include <cstdint>

namespace thimble::m4 {

struct Cost {
  int64_t cycles = 0;
  int64_t codeBytes = 0;
  /// Words of constants that are read: from flash, where boards wait.
  int64_t tableWords = 0;
  /// Bytes of code that are fetched from flash if the cache of instructions has so many bytes: what
  /// is repeated and fits is fetched once.
  static constexpr std::array<int64_t, 8> cacheBytes = {0, 256, 512, 1024, 2048, 4096, 8192, 16384};
  std::array<int64_t, cacheBytes.size()> fetchedBytes{};

  void addCode(int64_t bytes) {
    codeBytes += bytes;
    for (int64_t &fetched : fetchedBytes)
      fetched += bytes;
  }
  /// Run `times` times: the code is there once.
  Cost operator*(int64_t times) const;
  Cost &operator+=(const Cost &other);
  /// Cycles more where flash has wait states, by the model of tools/cycle_count/flash.h. Constants
  /// are taken to be read in order and to be more than a cache holds.
  int64_t flashWaits(const Flash &flash) const;
};

/// Of two pieces of code, `first` is run `taken` of `of` times.
Cost eitherOf(const Cost &first, const Cost &second, int64_t taken, int64_t of);

/// Adds up instructions in the order in which they run.
class CycleCounter {
public:
  /// `addressIsNew`: the address comes from the instruction before. `isTable`: reads constants.
  void add(Timing timing, bool addressIsNew = false, bool isTable = false);
  /// A label or a branch: nothing overlaps across it.
  void separate() { afterLoad = false; }
  void addBranch(bool taken);
  const Cost &total() const { return sum; }
  Cost &total() { return sum; }

  /// A taken branch: one cycle, and two to refill the pipeline.
  static constexpr int64_t takenBranch = 3;

private:
  Cost sum;
  bool afterLoad = false;
};

/// Saving registers, making room for the frame, and both undone at the end; `gprs` of r4 to r11 and
/// lr, `fprs` of s16 to s31.
Cost entryAndExit(int64_t gprs, int64_t fprs, int64_t frame);

/// Registers that a kernel must restore, ascending: of r4 to r11 and lr, and of s16 to s31.
struct SavedRegisters {
  llvm::SmallVector<int> gprs, fprs;
};
SavedRegisters savedRegisters(KernelOp kernel);

/// Bytes of stack that an allocated kernel uses.
int64_t stackBytes(KernelOp kernel);

/// Cost of one call of a kernel whose registers are allocated, or would be as they are.
Cost costOf(KernelOp kernel);

} // namespace thimble::m4
