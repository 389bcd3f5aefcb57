// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/PlacementOrders.h"
#include "passes/analysis/PlacementDeadline.h"

#include <algorithm>
#include <numeric>
#include <random>

using namespace thimble;

//===-- What keeps buffers apart ------------------------------------------------------------===//

OrderedPlacer::OrderedPlacer(const std::vector<PlacementBuffer> &buffers)
    : buffers(buffers), lowerBound(mostLiveBytes(buffers)), conflicts(buffers.size()) {
  for (const PlacementBuffer &b : buffers)
    spans.push_back(b.isPlain() ? std::vector<LiveSpan>{{b.first, b.last, 0, b.bytes}} : b.spans);
  for (size_t a = 0; a < buffers.size(); ++a)
    for (size_t b = 0; b < a; ++b)
      if (buffers[a].overlaps(buffers[b]))
        addConflicts(a, b);
}

void OrderedPlacer::addConflicts(size_t a, size_t b) {
  std::vector<Between> all;
  auto ended = spans[b].begin();
  for (const LiveSpan &x : spans[a]) {
    while (ended != spans[b].end() && ended->last < x.first)
      ++ended;
    for (auto y = ended; y != spans[b].end() && y->first <= x.last; ++y)
      if (x.first <= y->last && x.begin < x.end && y->begin < y->end)
        all.push_back({y->begin - x.end, y->end - x.begin});
  }
  std::sort(all.begin(), all.end(), [](Between x, Between y) { return x.low < y.low; });
  for (size_t i = 0; i < all.size();) {
    Between joined = all[i];
    for (++i; i < all.size() && all[i].low < joined.high; ++i)
      joined.high = std::max(joined.high, all[i].high);
    conflicts[a].push_back({b, joined});
    conflicts[b].push_back({a, {-joined.high, -joined.low}});
  }
}

//===-- One order ---------------------------------------------------------------------------===//

/// The lowest offset that the placed buffers leave, or the one with least room to move. What is not
/// placed has a negative offset.
int64_t OrderedPlacer::freeOffset(size_t index, PlacementFit fit,
                                  const std::vector<int64_t> &offsets) const {
  std::vector<Between> taken;
  for (const Conflict &c : conflicts[index])
    if (const int64_t at = offsets[c.other]; at >= 0)
      taken.push_back({at + c.distances.low, at + c.distances.high});
  std::sort(taken.begin(), taken.end(), [](Between x, Between y) { return x.low < y.low; });
  int64_t free = 0, best = -1, leastRoom = INT64_MAX;
  for (const Between &t : taken) {
    const int64_t room = t.low - free;
    if (room >= 0 && fit == PlacementFit::First)
      return free;
    if (room >= 0 && room < leastRoom) {
      best = free;
      leastRoom = room;
    }
    free = std::max(free, alignUp(t.high, buffers[index].alignment));
  }
  return best >= 0 ? best : free;
}

Placement OrderedPlacer::place(const std::vector<size_t> &order, PlacementFit fit) const {
  Placement result;
  result.lowerBound = lowerBound;
  result.offsets.assign(buffers.size(), -1);
  for (size_t index : order) {
    result.offsets[index] = freeOffset(index, fit, result.offsets);
    result.peak = std::max(result.peak, result.offsets[index] + buffers[index].bytes);
  }
  return result;
}

Placement OrderedPlacer::placeGreedily(std::vector<size_t> &order) const {
  using Key = int64_t (*)(const PlacementBuffer &);
  const Key keys[] = {
      [](const PlacementBuffer &b) { return -b.bytes; },
      [](const PlacementBuffer &b) { return -b.bytes * (b.last - b.first + 1); },
      [](const PlacementBuffer &b) { return b.first; },
  };
  Placement best;
  best.peak = INT64_MAX;
  for (const Key key : keys) {
    std::vector<size_t> sorted(buffers.size());
    std::iota(sorted.begin(), sorted.end(), size_t(0));
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](size_t x, size_t y) { return key(buffers[x]) < key(buffers[y]); });
    for (PlacementFit fit : {PlacementFit::First, PlacementFit::Best}) {
      Placement next = place(sorted, fit);
      if (next.peak < best.peak) {
        best = std::move(next);
        order = sorted;
      }
    }
  }
  return best;
}

//===-- Many orders -------------------------------------------------------------------------===//

/// Takes an element out and puts it in elsewhere.
static void move(std::vector<size_t> &order, size_t from, size_t to) {
  const size_t taken = order[from];
  order.erase(order.begin() + static_cast<std::ptrdiff_t>(from));
  order.insert(order.begin() + static_cast<std::ptrdiff_t>(to), taken);
}

std::vector<size_t> OrderedPlacer::highest(const std::vector<size_t> &order,
                                           const Placement &placement) const {
  std::vector<size_t> positions;
  for (size_t i = 0; i < order.size(); ++i)
    if (placement.offsets[order[i]] + buffers[order[i]].bytes == placement.peak)
      positions.push_back(i);
  return positions;
}

Placement OrderedPlacer::improve(std::vector<size_t> order, const PlacementOptions &options) const {
  std::minstd_rand random(static_cast<uint32_t>(options.seed + 1));
  const Deadline deadline(options.secondLimit);
  Placement best = place(order, PlacementFit::First);
  int64_t nodes = 0;
  while (best.peak > std::max(best.lowerBound, options.capacity) && nodes < options.nodeLimit &&
         !deadline.isPast()) {
    // Who is at the top should choose earlier, or anybody at another time.
    const std::vector<size_t> tops = highest(order, best);
    const bool isForTop = random() % 2 == 0;
    const size_t from = isForTop ? tops[random() % tops.size()] : random() % order.size();
    const size_t to = random() % (isForTop ? from + 1 : order.size());
    std::vector<size_t> nextOrder = order;
    move(nextOrder, from, to);
    Placement next = place(nextOrder, PlacementFit::First);
    nodes += static_cast<int64_t>(order.size());
    if (next.peak <= best.peak) {
      best = std::move(next);
      order = std::move(nextOrder);
    }
  }
  best.nodes = nodes;
  return best;
}
