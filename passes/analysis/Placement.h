// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Placement of buffers with known lifetimes in one stretch of memory (dynamic storage allocation).
// Plain C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace thimble {

/// A buffer that is live in steps [first, last], both included.
struct PlacementBuffer {
  int64_t first = 0;
  int64_t last = 0;
  int64_t bytes = 0;
  int64_t alignment = 1;

  bool overlaps(const PlacementBuffer &other) const {
    return first <= other.last && other.first <= last;
  }
};

struct Placement {
  /// The offset of each buffer.
  std::vector<int64_t> offsets;
  /// The end of the highest buffer.
  int64_t peak = 0;
};

/// The most bytes that are live in one step: no placement has a lower peak.
int64_t placementLowerBound(const std::vector<PlacementBuffer> &buffers);

/// Places the buffers in the given order, each at the lowest offset that is free during its life.
Placement placeInOrder(const std::vector<PlacementBuffer> &buffers,
                       const std::vector<size_t> &order);

/// Greedy by size (the largest first, TFLite's `GreedyMemoryPlanner`), then, where that misses the
/// lower bound, a bounded local search over orders: a buffer that touches the peak moves to an
/// earlier turn. Deterministic.
Placement placeBuffers(const std::vector<PlacementBuffer> &buffers);

} // namespace thimble
