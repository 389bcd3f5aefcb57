// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Placement of buffers with known lifetimes in one stretch of memory (dynamic storage allocation).
// Plain C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
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
  /// No placement has a lower peak than this.
  int64_t lowerBound = 0;
  /// What the search took.
  int64_t nodes = 0;

  bool isOptimal() const { return peak == lowerBound; }
};

struct PlacementOptions {
  /// How far to search. The result depends on it alone: it is the same on every machine.
  int64_t nodeLimit = 100000;
  /// Stops earlier, and makes the result depend on the machine.
  double secondLimit = std::numeric_limits<double>::infinity();
  /// A peak that is low enough to end the search, proven or not.
  int64_t capacity = 0;
};

/// A placement of the least peak, or the best that was found within the limits; what remains open
/// is between its `lowerBound` and its `peak`.
Placement placeBuffers(const std::vector<PlacementBuffer> &buffers,
                       const PlacementOptions &options = {});

/// The best of a few greedy placements: by size, by size and lifetime, and by first step; each
/// buffer at the lowest offset that is free during its life, or in the smallest gap.
Placement placeGreedily(const std::vector<PlacementBuffer> &buffers);

enum class PlacementFit { First, Best };

/// Places the buffers in the given order.
Placement placeInOrder(const std::vector<PlacementBuffer> &buffers,
                       const std::vector<size_t> &order, PlacementFit fit);

/// The most bytes that are live in one step: no placement has a lower peak.
int64_t mostLiveBytes(const std::vector<PlacementBuffer> &buffers);

} // namespace thimble
