// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/PlacementOrders.h"
#include "passes/analysis/PlacementSearch.h"

#include <algorithm>
#include <array>
#include <map>

using namespace thimble;

PlacementBuffer PlacementBuffer::of(std::vector<LiveSpan> spans, int64_t alignment) {
  PlacementBuffer buffer = {INT64_MAX, INT64_MIN, 0, alignment};
  for (const LiveSpan &span : spans) {
    buffer.first = std::min(buffer.first, span.first);
    buffer.last = std::max(buffer.last, span.last);
    buffer.bytes = std::max(buffer.bytes, span.end);
  }
  buffer.spans = std::move(spans);
  return buffer;
}

int64_t thimble::mostLiveBytes(const std::vector<PlacementBuffer> &buffers) {
  // What each step has more than the one before it.
  std::map<int64_t, int64_t> changes;
  auto add = [&](int64_t first, int64_t last, int64_t bytes) {
    changes[first] += bytes;
    changes[last + 1] -= bytes;
  };
  for (const PlacementBuffer &b : buffers) {
    if (b.isPlain())
      add(b.first, b.last, b.bytes);
    for (const LiveSpan &span : b.spans)
      add(span.first, span.last, span.end - span.begin);
  }
  int64_t live = 0, most = 0;
  for (const auto &[step, change] : changes)
    most = std::max(most, live += change);
  return most;
}

Placement thimble::placeGreedily(const std::vector<PlacementBuffer> &buffers) {
  std::vector<size_t> order;
  return OrderedPlacer(buffers).placeGreedily(order);
}

namespace {

int64_t peakOf(const std::vector<PlacementBuffer> &buffers, const std::vector<int64_t> &offsets) {
  int64_t peak = 0;
  for (size_t i = 0; i < buffers.size(); ++i)
    peak = std::max(peak, offsets[i] + buffers[i].bytes);
  return peak;
}

/// 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ... (from 1): the runs of a search whose length nobody knows.
int64_t luby(int64_t i) {
  int64_t power = 1;
  while (2 * power - 1 < i)
    power *= 2;
  return 2 * power - 1 == i ? power : luby(i - power + 1);
}

/// Two exact searches that differ in what they place first take turns: seldom are both unlucky.
class PlacementRace {
public:
  PlacementRace(const std::vector<PlacementBuffer> &buffers, const PlacementOptions &options)
      : buffers(buffers), options(options), deadline(options.secondLimit),
        // Which runs are short is by trial on the instances of google/minimalloc.
        runners{Runner{{buffers, Longest::InSections, options.seed, deadline}, 500},
                Runner{{buffers, Longest::InSteps, options.seed, deadline}, 2000}} {}

  /// Looks for the capacity alone.
  void reach(Placement &best) { fit(options.capacity, options.nodeLimit, best); }
  /// Looks for the least peak.
  void minimize(Placement &best);

private:
  using Answer = PlacementSearch::Answer;
  using Longest = PlacementSearch::Longest;

  struct Runner {
    PlacementSearch search;
    int64_t shortestRun;
    int64_t runs = 0;
  };

  bool isOver(const Placement &best) const {
    return best.isOptimal() || best.nodes >= options.nodeLimit || deadline.isPast();
  }
  void fit(int64_t capacity, int64_t nodeLimit, Placement &best);
  Answer run(Runner &runner, int64_t capacity, int64_t nodeLimit, Placement &best);

  const std::vector<PlacementBuffer> &buffers;
  const PlacementOptions &options;
  Deadline deadline;
  std::array<Runner, 2> runners;
};

/// The least peak that is possible is mostly reached, and gets twice the effort of other targets,
/// which halve what is left. What a round has not decided is left to the next.
void PlacementRace::minimize(Placement &best) {
  for (int64_t effort = 4000; !isOver(best); effort *= 2) {
    int64_t from = best.lowerBound;
    fit(from, effort, best);
    while (!isOver(best) && from + 1 < best.peak) {
      const int64_t halfway = from + std::max<int64_t>(1, (best.peak - 1 - from) / 2);
      const int64_t target = std::max(halfway, best.lowerBound);
      fit(target, effort / 2, best);
      if (best.peak > target)
        from = target;
    }
  }
}

/// Updates the peak or the bound, unless the nodes do not suffice for an answer.
void PlacementRace::fit(int64_t capacity, int64_t nodeLimit, Placement &best) {
  const int64_t end = std::min(options.nodeLimit, best.nodes + nodeLimit);
  for (Runner &runner : runners)
    runner.runs = 0;
  Answer answer = Answer::Unknown;
  while (answer == Answer::Unknown && best.nodes < end && !deadline.isPast()) {
    const bool isSecondsTurn = runners[1].search.nodes() < runners[0].search.nodes();
    answer = run(runners[isSecondsTurn], capacity, end - best.nodes, best);
  }
}

PlacementRace::Answer PlacementRace::run(Runner &runner, int64_t capacity, int64_t nodeLimit,
                                         Placement &best) {
  PlacementSearch &search = runner.search;
  const int64_t before = search.nodes();
  const Answer answer =
      search.run(capacity, std::min(nodeLimit, runner.shortestRun * luby(++runner.runs)));
  best.nodes += search.nodes() - before;
  if (answer == Answer::Found) {
    best.offsets = search.offsets();
    best.peak = peakOf(buffers, best.offsets);
  } else if (answer == Answer::Impossible) {
    best.lowerBound = std::max(best.lowerBound, search.capacityAfter(capacity));
  }
  return answer;
}

} // namespace

Placement thimble::placeBuffers(const std::vector<PlacementBuffer> &buffers,
                                const PlacementOptions &options) {
  const OrderedPlacer placer(buffers);
  std::vector<size_t> order;
  Placement best = placer.placeGreedily(order);
  if (best.isOptimal() || best.peak <= options.capacity)
    return best;
  const bool isPlain = std::all_of(buffers.begin(), buffers.end(),
                                   [](const PlacementBuffer &b) { return b.isPlain(); });
  if (!isPlain) {
    const Placement other = placer.improve(std::move(order), options);
    best.nodes = other.nodes;
    return other.peak < best.peak ? other : best;
  }
  PlacementRace race(buffers, options);
  options.capacity > 0 ? race.reach(best) : race.minimize(best);
  return best;
}
