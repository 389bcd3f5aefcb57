// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Placement of buffers in several stretches of memory of different speed. Plain C++.
#pragma once

#include "passes/analysis/Placement.h"

namespace thimble {

/// A stretch of memory for buffers.
struct RegionLimit {
  int64_t bytes = std::numeric_limits<int64_t>::max();
  /// Cycles that an access takes longer than in memory without any.
  int64_t waitStates = 0;
};

struct RegionPlacement {
  /// The region of each buffer. No buffer is split.
  std::vector<size_t> regions;
  /// Where each buffer is in its region.
  std::vector<int64_t> offsets;
  /// What each region in use holds.
  struct Use {
    int64_t bytes = 0, lowerBound = 0;
  };
  std::vector<Use> uses; // those after the last one in use are left out
  /// Accesses times the wait states of their region.
  int64_t waitCycles = 0;
  bool fits = true;
};

/// Places buffers in the first of `limits` that hold them all; none is faster than one before it.
/// `accesses` has the number of each buffer's reads and writes. Where more than one region is
/// needed the first keeps `tableBytes` at its start free for each other. Which buffers are in a
/// fast region is found by filling it in several orders, above all by accesses per byte and step
/// of life, and by moving and exchanging single buffers as long as accesses get faster: a good
/// answer, not a proven one. Within a region the search is that of `placeBuffers`. If they do not
/// fit, what is too much is in the last region.
RegionPlacement placeInRegions(const std::vector<PlacementBuffer> &buffers,
                               const std::vector<int64_t> &accesses,
                               const std::vector<RegionLimit> &limits, int64_t tableBytes,
                               const PlacementOptions &options = {});

} // namespace thimble
