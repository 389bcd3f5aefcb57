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

/// Bytes [begin, end) of a buffer, which are live in steps [first, last], both included.
struct LiveSpan {
  int64_t first = 0;
  int64_t last = 0;
  int64_t begin = 0;
  int64_t end = 0;
};

/// A buffer that is live in steps [first, last], both included. It is plain if all its bytes are
/// live all the time.
struct PlacementBuffer {
  int64_t first = 0;
  int64_t last = 0;
  int64_t bytes = 0;
  int64_t alignment = 1;
  /// What is live when, by `first`, if that changes: an input that is read row by row, an output
  /// that grows. What is not listed is free for others. Empty: a plain buffer.
  std::vector<LiveSpan> spans = {};

  /// A buffer of these spans. They are ordered by `first`; two of one step have no byte in common.
  static PlacementBuffer of(std::vector<LiveSpan> spans, int64_t alignment);

  bool isPlain() const { return spans.empty(); }
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
  /// How far to search: nodes of the exact search, or buffers that are placed anew. The result
  /// depends on it alone: it is the same on every machine.
  int64_t nodeLimit = 20000;
  /// Stops earlier, and makes the result depend on the machine.
  double secondLimit = std::numeric_limits<double>::infinity();
  /// A peak that is low enough, proven or not; only this is searched for. 0: the least.
  int64_t capacity = 0;
  /// Decides between equals.
  uint64_t seed = 0;
};

/// A placement of the least peak, or the best that was found within the limits; what remains open
/// is between its `lowerBound` and its `peak`. If not all buffers are plain, the bound is the most
/// live bytes, and a local search comes as near as it can.
Placement placeBuffers(const std::vector<PlacementBuffer> &buffers,
                       const PlacementOptions &options = {});

/// A quick answer: the best of first fit and best fit by size, by size and lifetime, and by first
/// step.
Placement placeGreedily(const std::vector<PlacementBuffer> &buffers);

/// The least multiple of the alignment that is not below the offset.
inline int64_t alignUp(int64_t offset, int64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

/// The most bytes that are live in one step: no placement has a lower peak.
int64_t mostLiveBytes(const std::vector<PlacementBuffer> &buffers);

} // namespace thimble
