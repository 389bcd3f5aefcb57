// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Placement.h"

#include <algorithm>
#include <numeric>
#include <random>

using namespace thimble;

static int64_t alignUp(int64_t offset, int64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

int64_t thimble::placementLowerBound(const std::vector<PlacementBuffer> &buffers) {
  int64_t bound = 0;
  for (const PlacementBuffer &at : buffers) {
    int64_t live = 0;
    for (const PlacementBuffer &b : buffers)
      if (b.first <= at.first && at.first <= b.last)
        live += b.bytes;
    bound = std::max(bound, live);
  }
  return bound;
}

Placement thimble::placeInOrder(const std::vector<PlacementBuffer> &buffers,
                                const std::vector<size_t> &order) {
  Placement result;
  result.offsets.assign(buffers.size(), 0);
  // Placed buffers by offset, so that a gap is found in one sweep.
  std::vector<size_t> placed;
  for (size_t index : order) {
    const PlacementBuffer &b = buffers[index];
    int64_t offset = 0;
    for (size_t other : placed) {
      if (!b.overlaps(buffers[other]) || b.bytes == 0)
        continue;
      if (offset + b.bytes <= result.offsets[other])
        break;
      offset = std::max(
          offset, alignUp(result.offsets[other] + buffers[other].bytes, b.alignment));
    }
    result.offsets[index] = offset;
    result.peak = std::max(result.peak, offset + b.bytes);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), index,
                                   [&](size_t x, size_t y) {
                                     return result.offsets[x] < result.offsets[y];
                                   }),
                  index);
  }
  return result;
}

Placement thimble::placeBuffers(const std::vector<PlacementBuffer> &buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t x, size_t y) { return buffers[x].bytes > buffers[y].bytes; });
  Placement best = placeInOrder(buffers, order);
  const int64_t bound = placementLowerBound(buffers);

  // A fixed seed and a fixed number of trials: the same model gets the same plan everywhere.
  constexpr int trials = 4000;
  std::minstd_rand random(1);
  Placement current = best;
  for (int trial = 0; trial < trials && best.peak > bound; ++trial) {
    // Only a buffer at the peak can lower it by finding another place.
    std::vector<size_t> positions;
    for (size_t p = 1; p < order.size(); ++p)
      if (current.offsets[order[p]] + buffers[order[p]].bytes == current.peak)
        positions.push_back(p);
    if (positions.empty())
      break;
    size_t from = positions[random() % positions.size()];
    // One move in eight is anywhere, to leave a local minimum.
    if (random() % 8 == 0)
      from = 1 + random() % (order.size() - 1);
    size_t to = random() % from;
    std::vector<size_t> next = order;
    std::rotate(next.begin() + static_cast<std::ptrdiff_t>(to),
                next.begin() + static_cast<std::ptrdiff_t>(from),
                next.begin() + static_cast<std::ptrdiff_t>(from) + 1);
    Placement candidate = placeInOrder(buffers, next);
    if (candidate.peak > current.peak && random() % 16 != 0)
      continue;
    order = std::move(next);
    current = std::move(candidate);
    if (current.peak < best.peak)
      best = current;
  }
  return best;
}
