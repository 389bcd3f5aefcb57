// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/PlacementSearch.h"

#include <algorithm>
#include <functional>
#include <numeric>

using namespace thimble;

static int64_t alignUp(int64_t offset, int64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

int64_t thimble::mostLiveBytes(const std::vector<PlacementBuffer> &buffers) {
  int64_t most = 0;
  for (const PlacementBuffer &at : buffers) {
    int64_t live = 0;
    for (const PlacementBuffer &b : buffers)
      if (b.first <= at.first && at.first <= b.last)
        live += b.bytes;
    most = std::max(most, live);
  }
  return most;
}

static int64_t peakOf(const std::vector<PlacementBuffer> &buffers,
                      const std::vector<int64_t> &offsets) {
  int64_t peak = 0;
  for (size_t i = 0; i < buffers.size(); ++i)
    peak = std::max(peak, offsets[i] + buffers[i].bytes);
  return peak;
}

Placement thimble::placeInOrder(const std::vector<PlacementBuffer> &buffers,
                                const std::vector<size_t> &order, PlacementFit fit) {
  Placement result;
  result.offsets.assign(buffers.size(), 0);
  // Placed buffers by offset, so that the gaps are found in one sweep.
  std::vector<size_t> placed;
  for (size_t index : order) {
    const PlacementBuffer &b = buffers[index];
    if (b.bytes == 0)
      continue;
    int64_t free = 0, best = -1, least = INT64_MAX;
    for (size_t other : placed) {
      if (!b.overlaps(buffers[other]))
        continue;
      const int64_t gap = result.offsets[other] - free;
      if (gap >= b.bytes && gap < least) {
        best = free;
        least = fit == PlacementFit::First ? 0 : gap;
      }
      free = std::max(free,
                      alignUp(result.offsets[other] + buffers[other].bytes, b.alignment));
    }
    result.offsets[index] = best >= 0 ? best : free;
    placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                   [&](size_t x, size_t y) {
                                     return result.offsets[x] < result.offsets[y];
                                   }),
                  index);
  }
  result.peak = peakOf(buffers, result.offsets);
  result.lowerBound = mostLiveBytes(buffers);
  return result;
}

Placement thimble::placeGreedily(const std::vector<PlacementBuffer> &buffers) {
  using Key = std::function<int64_t(const PlacementBuffer &)>;
  const Key keys[] = {
      [](const PlacementBuffer &b) { return -b.bytes; },
      [](const PlacementBuffer &b) { return -b.bytes * (b.last - b.first + 1); },
      [](const PlacementBuffer &b) { return b.first; },
  };
  Placement best;
  best.peak = INT64_MAX;
  for (const Key &key : keys) {
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](size_t x, size_t y) {
      return key(buffers[x]) < key(buffers[y]);
    });
    for (PlacementFit fit : {PlacementFit::First, PlacementFit::Best}) {
      Placement next = placeInOrder(buffers, order, fit);
      if (next.peak < best.peak)
        best = std::move(next);
    }
  }
  return best;
}

/// The clock's far end where the limit is beyond it.
static PlacementSearch::Clock::time_point deadlineIn(double seconds) {
  using Clock = PlacementSearch::Clock;
  constexpr double longest = 1e6;
  if (seconds > longest)
    return Clock::time_point::max();
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(seconds));
}

Placement thimble::placeBuffers(const std::vector<PlacementBuffer> &buffers,
                                const PlacementOptions &options) {
  using Answer = PlacementSearch::Answer;
  Placement best = placeGreedily(buffers);
  PlacementSearch search(buffers, deadlineIn(options.secondLimit));
  auto goOn = [&] {
    return best.peak > std::max(best.lowerBound, options.capacity) &&
           search.nodes() < options.nodeLimit && !search.isLate();
  };
  // The least peak that is possible is mostly reached, and gets most of the effort. What the rest
  // of a round has not decided is left to the next.
  for (int64_t effort = 4000; goOn(); effort *= 2) {
    int64_t from = std::max(best.lowerBound, options.capacity);
    for (int64_t target = from, limit = effort; goOn() && from < best.peak; limit = effort / 8) {
      limit = std::min(limit, options.nodeLimit - search.nodes());
      const Answer answer = search.fit(target, limit);
      if (answer == Answer::Found) {
        best.offsets = search.offsets();
        best.peak = peakOf(buffers, best.offsets);
      } else {
        from = search.capacityAfter(target);
      }
      if (answer == Answer::Impossible)
        best.lowerBound = from;
      target = from + (best.peak - 1 - from) / 2;
    }
  }
  best.nodes = search.nodes();
  return best;
}
