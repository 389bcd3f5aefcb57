// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Placements that follow from an order of the buffers, and a search over orders. Any buffers will
// do, also those whose live bytes change.
#pragma once

#include "passes/analysis/Placement.h"

namespace thimble {

/// Places buffers one after the other. What keeps two apart is computed once, so that many orders
/// can be tried.
class OrderedPlacer {
public:
  explicit OrderedPlacer(const std::vector<PlacementBuffer> &buffers);

  Placement place(const std::vector<size_t> &order, PlacementFit fit) const;

  /// See placeGreedily(); `order` becomes that of the result.
  Placement placeGreedily(std::vector<size_t> &order) const;

  /// Goes from order to order, by first fit, as long as the peak does not rise.
  Placement improve(std::vector<size_t> order, const PlacementOptions &options) const;

private:
  /// Values strictly between two others.
  struct Between {
    int64_t low, high;
  };
  /// Where a buffer cannot be, relative to the offset of another.
  struct Conflict {
    size_t other;
    Between distances;
  };

  void addConflicts(size_t a, size_t b);
  int64_t freeOffset(size_t index, PlacementFit fit, const std::vector<int64_t> &offsets) const;

  const std::vector<PlacementBuffer> &buffers;
  int64_t lowerBound;
  /// Of each buffer.
  std::vector<std::vector<LiveSpan>> spans;
  std::vector<std::vector<Conflict>> conflicts;
};

} // namespace thimble
