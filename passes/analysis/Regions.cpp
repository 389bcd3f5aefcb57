// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Regions.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <tuple>

using namespace thimble;

namespace {

using Buffers = std::vector<PlacementBuffer>;

/// Bytes of a buffer times the steps in which they are live.
double area(const PlacementBuffer &buffer) {
  auto steps = [](int64_t first, int64_t last) { return static_cast<double>(last - first + 1); };
  if (buffer.isPlain())
    return steps(buffer.first, buffer.last) * static_cast<double>(buffer.bytes);
  double sum = 0;
  for (const LiveSpan &span : buffer.spans)
    sum += steps(span.first, span.last) * static_cast<double>(span.end - span.begin);
  return sum;
}

/// Which buffers are in which of a fixed number of regions.
class Assignment {
public:
  Assignment(const Buffers &buffers, const std::vector<int64_t> &accesses,
             const std::vector<RegionLimit> &limits)
      : buffers(buffers), accesses(accesses), limits(limits), regions(buffers.size(), last()) {}

  /// The fastest assignment that was found, with the buffers of each region placed.
  RegionPlacement search(const PlacementOptions &options);

private:
  size_t last() const { return limits.size() - 1; }
  Buffers buffersIn(size_t region, size_t without) const;
  bool hasRoom(size_t region, size_t buffer, size_t without);
  bool fits(const Buffers &set, int64_t bytes);
  /// Gives buffers, in this order, the first region that has room.
  void fill(const std::vector<size_t> &order);
  std::vector<std::vector<size_t>> orders() const;
  /// Brings one buffer into a faster region, if one can be.
  bool improve();
  RegionPlacement place(const PlacementOptions &options) const;
  bool moveUp(size_t buffer);
  bool isFaster(size_t a, size_t b) const { return limits[a].waitStates < limits[b].waitStates; }
  int64_t waitCycles() const;
  /// What the last region lacks, as its live bytes tell, and then the time.
  std::pair<int64_t, int64_t> cost() const;

  const Buffers &buffers;
  const std::vector<int64_t> &accesses;
  const std::vector<RegionLimit> &limits;
  std::vector<size_t> regions; // of each buffer
  // Checks take time quadratic in what they place: beyond this nothing has room.
  double effort = 2e8;
};

constexpr size_t none = std::numeric_limits<size_t>::max();

Buffers Assignment::buffersIn(size_t region, size_t without) const {
  Buffers set;
  for (size_t i = 0; i < buffers.size(); ++i)
    if (regions[i] == region && i != without)
      set.push_back(buffers[i]);
  return set;
}

bool Assignment::fits(const Buffers &set, int64_t bytes) {
  if (mostLiveBytes(set) > bytes)
    return false;
  size_t parts = 0;
  for (const PlacementBuffer &b : set)
    parts += std::max<size_t>(b.spans.size(), 1);
  effort -= static_cast<double>(parts) * static_cast<double>(parts);
  if (effort < 0)
    return false;
  PlacementOptions options;
  options.capacity = bytes;
  options.nodeLimit = 500;
  return placeBuffers(set, options).peak <= bytes;
}

/// Whether `buffer` can be in `region` too, if `without` is not. The last region's room shows in
/// the end.
bool Assignment::hasRoom(size_t region, size_t buffer, size_t without = none) {
  if (region == last())
    return true;
  if (buffers[buffer].bytes > limits[region].bytes)
    return false;
  Buffers set = buffersIn(region, without);
  set.push_back(buffers[buffer]);
  return fits(set, limits[region].bytes);
}

void Assignment::fill(const std::vector<size_t> &order) {
  std::fill(regions.begin(), regions.end(), none);
  for (size_t i : order) {
    size_t region = 0;
    while (!hasRoom(region, i))
      ++region;
    regions[i] = region;
  }
}

std::vector<std::vector<size_t>> Assignment::orders() const {
  const auto size = [&](size_t i) {
    return static_cast<double>(std::max<int64_t>(buffers[i].bytes, 1));
  };
  const auto count = [&](size_t i) { return static_cast<double>(accesses[i]); };
  const std::function<double(size_t)> keys[] = {
      [&](size_t i) { return count(i) / std::max(area(buffers[i]), 1.0); },
      [&](size_t i) { return count(i) / size(i); },
      count,
      size, // for room, not for time
      [&](size_t i) { return area(buffers[i]); },
  };
  // A buffer that only some regions can hold must be in one of those.
  const auto homes = [&](size_t i) {
    return std::count_if(limits.begin(), limits.end(),
                         [&](const RegionLimit &limit) { return buffers[i].bytes <= limit.bytes; });
  };
  std::vector<std::vector<size_t>> result;
  for (const auto &key : keys) {
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
      return std::tuple(homes(a), -key(a)) < std::tuple(homes(b), -key(b));
    });
    result.push_back(std::move(order));
  }
  return result;
}

int64_t Assignment::waitCycles() const {
  int64_t cycles = 0;
  for (size_t i = 0; i < buffers.size(); ++i)
    cycles += accesses[i] * limits[regions[i]].waitStates;
  return cycles;
}

std::pair<int64_t, int64_t> Assignment::cost() const {
  const int64_t live = mostLiveBytes(buffersIn(last(), none));
  return {std::max<int64_t>(0, live - limits.back().bytes), waitCycles()};
}

bool Assignment::improve() {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return accesses[a] > accesses[b]; });
  return std::any_of(order.begin(), order.end(), [&](size_t i) { return moveUp(i); });
}

bool Assignment::moveUp(size_t buffer) {
  const size_t from = regions[buffer];
  for (size_t to = 0; to < from && isFaster(to, from); ++to) {
    if (hasRoom(to, buffer)) {
      regions[buffer] = to;
      return true;
    }
    for (size_t other = 0; other < buffers.size(); ++other) {
      if (regions[other] != to || accesses[other] >= accesses[buffer] ||
          !hasRoom(to, buffer, other) || !hasRoom(from, other, buffer))
        continue;
      const auto before = cost();
      std::swap(regions[buffer], regions[other]);
      if (cost() < before)
        return true;
      std::swap(regions[buffer], regions[other]);
    }
  }
  return false;
}

/// The lowest peak that the search finds, or at least one within `bytes`.
Placement placeWithin(const Buffers &set, int64_t bytes, const PlacementOptions &options) {
  Placement placement = placeBuffers(set, options);
  if (placement.peak <= bytes)
    return placement;
  PlacementOptions within = options;
  within.capacity = bytes;
  Placement other = placeBuffers(set, within);
  return other.peak < placement.peak ? other : placement;
}

RegionPlacement Assignment::place(const PlacementOptions &options) const {
  RegionPlacement result;
  result.regions = regions;
  result.offsets.resize(buffers.size());
  result.waitCycles = waitCycles();
  for (size_t region = 0; region < limits.size(); ++region) {
    const Placement placement = placeWithin(buffersIn(region, none), limits[region].bytes, options);
    result.uses.push_back({placement.peak, placement.lowerBound});
    result.fits &= placement.peak <= limits[region].bytes;
    auto offset = placement.offsets.begin();
    for (size_t i = 0; i < buffers.size(); ++i)
      if (regions[i] == region)
        result.offsets[i] = *offset++;
  }
  return result;
}

RegionPlacement Assignment::search(const PlacementOptions &options) {
  using Found = std::pair<std::pair<int64_t, int64_t>, std::vector<size_t>>;
  std::vector<Found> found;
  for (const std::vector<size_t> &order : orders()) {
    fill(order);
    found.push_back({cost(), regions});
  }
  std::sort(found.begin(), found.end());
  // Fixed offsets may lose what live bytes leave: then another order may do.
  std::optional<RegionPlacement> best;
  for (auto &[cost, assigned] : found) {
    if (best && cost.first > 0)
      break;
    regions = std::move(assigned);
    while (improve())
      ;
    RegionPlacement placed = place(options);
    if (placed.fits)
      return placed;
    if (!best)
      best = std::move(placed);
  }
  return *best;
}

/// All in one region.
RegionPlacement placeInFirst(const Buffers &buffers, const std::vector<int64_t> &accesses,
                             const RegionLimit &limit, const PlacementOptions &options) {
  Placement placement = placeWithin(buffers, limit.bytes, options);
  RegionPlacement result;
  result.regions.assign(buffers.size(), 0);
  result.offsets = std::move(placement.offsets);
  result.uses = {{placement.peak, placement.lowerBound}};
  result.waitCycles =
      std::accumulate(accesses.begin(), accesses.end(), int64_t(0)) * limit.waitStates;
  result.fits = placement.peak <= limit.bytes;
  return result;
}

} // namespace

RegionPlacement thimble::placeInRegions(const std::vector<PlacementBuffer> &buffers,
                                        const std::vector<int64_t> &accesses,
                                        const std::vector<RegionLimit> &limits, int64_t tableBytes,
                                        const PlacementOptions &options) {
  RegionPlacement result = placeInFirst(buffers, accesses, limits.front(), options);
  for (size_t count = 2; count <= limits.size() && !result.fits; ++count) {
    std::vector<RegionLimit> some(limits.begin(), limits.begin() + static_cast<ptrdiff_t>(count));
    const int64_t table = tableBytes * static_cast<int64_t>(count - 1);
    some.front().bytes = std::max<int64_t>(some.front().bytes - table, 0);
    result = Assignment(buffers, accesses, some).search(options);
    for (size_t i = 0; i < buffers.size(); ++i)
      if (result.regions[i] == 0)
        result.offsets[i] += table;
    result.uses.front().bytes += table;
    result.uses.front().lowerBound += table;
  }
  return result;
}
