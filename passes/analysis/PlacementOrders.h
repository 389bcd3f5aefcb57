// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Placements that follow from an order of the buffers, and a search over orders. Any buffers will
// do, also those whose live bytes change.
#pragma once

#include "passes/analysis/Placement.h"

namespace thimble {

/// A buffer gets the lowest offset that is free during its life, or the one with the smallest gap.
enum class PlacementFit { First, Best };

/// Places buffers one after the other. What keeps two apart is computed once, so that many orders
/// can be tried.
class OrderedPlacer {
public:
  explicit OrderedPlacer(const std::vector<PlacementBuffer> &buffers);

  Placement place(const std::vector<size_t> &order, PlacementFit fit) const;

  /// The best of a few orders; `order` becomes its one.
  Placement placeGreedily(std::vector<size_t> &order) const;

  /// A local search: goes from order to order, by first fit, as long as the peak does not rise.
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
  /// The positions in the order of those that reach the peak.
  std::vector<size_t> highest(const std::vector<size_t> &order, const Placement &placement) const;
  int64_t freeOffset(size_t index, PlacementFit fit, const std::vector<int64_t> &offsets) const;

  const std::vector<PlacementBuffer> &buffers;
  int64_t lowerBound;
  /// Of each buffer.
  std::vector<std::vector<LiveSpan>> spans;
  std::vector<std::vector<Conflict>> conflicts;
};

} // namespace thimble
