// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Streaming.h"

#include <algorithm>
#include <limits>
#include <set>

namespace thimble {

static constexpr int64_t impossible = std::numeric_limits<int64_t>::max() / 4;

/// A chain or one whole operator.
struct StreamSearch::Slice {
  int begin = 0;
  std::vector<int64_t> heights;
  Chain chain; // no stages: one whole operator
  int64_t ringBytes = 0;
  struct Layer {
    int64_t liveBytes = 0;
    const std::vector<TileChoice> *choices = nullptr;
  };
  std::vector<Layer> layers;
};

StreamSearch::~StreamSearch() = default;

StreamSearch::StreamSearch(const RowNetwork &network, TileChoices choices)
    : network(network), choices(std::move(choices)), slices(network.operators.size() + 1) {
  for (int op = 0; op < static_cast<int>(network.operators.size()); ++op) {
    addWhole(op);
    addSlices(op);
  }
  takeRowsIfPossible();
  listStacks();
  unlimitedCycles = shortest(impossible, 0)->cycles;
}

// Where some chain can take the rows of the input as they come, the network begins with one.
void StreamSearch::takeRowsIfPossible() {
  auto takesRows = [](const Slice &slice) { return slice.chain.takesRows; };
  takeRows = std::any_of(slices.begin(), slices.end(), [&](const auto &ending) {
    return std::any_of(ending.begin(), ending.end(), takesRows);
  });
  if (!takeRows)
    return;
  for (auto &ending : slices)
    ending.erase(
        std::remove_if(ending.begin(), ending.end(),
                       [&](const Slice &slice) { return slice.begin == 0 && !takesRows(slice); }),
        ending.end());
}

void StreamSearch::listStacks() {
  constexpr int64_t step = 32;
  std::set<int64_t> depths{0};
  for (const auto &ending : slices)
    for (const Slice &slice : ending)
      for (const Slice::Layer &layer : slice.layers)
        for (const TileChoice &choice : *layer.choices)
          depths.insert((choice.stackBytes + step - 1) / step * step);
  stacks.assign(depths.begin(), depths.end());
}

int64_t liveBytesAt(const RowNetwork &network, int op) {
  int64_t bytes = 0;
  for (const RowTensor &t : network.tensors)
    if (!t.isPart && t.producer <= op && std::max(t.lastReader, t.producer) >= op)
      bytes += t.bytes();
  return bytes;
}

void StreamSearch::addWhole(int op) {
  Slice slice;
  slice.begin = op;
  slice.layers = {{liveBytesAt(network, op), &choices(op, 0)}};
  slices[static_cast<size_t>(op) + 1].push_back(std::move(slice));
}

// The greatest divisor of `rows` up to `most`.
static int64_t heightFor(int64_t rows, int64_t most) {
  int64_t height = std::min(rows, most);
  while (rows % height != 0)
    --height;
  return height;
}

/// Rows of a firing that are tried.
static constexpr int64_t tallest[] = {1, 2, 4, 8};

/// Numbers of firings that are tried: pictures of all sizes take turns one by one.
static constexpr int64_t turns[] = {4, 6, 8, 12, 16, 24, 32};

template <typename Rows>
std::vector<int64_t> StreamSearch::heightsOf(int begin, int end, Rows rowsOfFiring) const {
  std::vector<int64_t> heights;
  for (int op = begin; op < end; ++op) {
    const RowOperator &o = network.operators[static_cast<size_t>(op)];
    const int64_t rows = network.tensors[static_cast<size_t>(o.outputs.front())].rows;
    heights.push_back(o.reduces ? 1 : heightFor(rows, std::max<int64_t>(rowsOfFiring(rows), 1)));
  }
  return heights;
}

std::optional<StreamSearch::Slice>
StreamSearch::sliceOf(int begin, const std::vector<int64_t> &heights) const {
  Slice slice;
  slice.begin = begin;
  slice.heights = heights;
  for (size_t i = 0; i < heights.size(); ++i) {
    slice.layers.push_back({0, &choices(begin + static_cast<int>(i), heights[i])});
    if (slice.layers.back().choices->empty())
      return std::nullopt;
  }
  slice.chain = playChain(network, begin, begin + static_cast<int>(heights.size()), heights);
  for (size_t i = 0; i < heights.size(); ++i)
    slice.layers[i].liveBytes = slice.chain.liveBytes[i];
  for (const auto &[tensor, depth] : slice.chain.rings)
    slice.ringBytes += depth * network.tensors[static_cast<size_t>(tensor)].rowBytes;
  return slice;
}

void StreamSearch::addSlices(int begin) {
  constexpr int longest = 40;
  const int operators = static_cast<int>(network.operators.size());
  for (int end = begin + 1; end <= std::min(operators, begin + longest); ++end) {
    const RowOperator &last = network.operators[static_cast<size_t>(end) - 1];
    if (!last.streams && !last.reduces)
      return;
    std::set<std::vector<int64_t>> patterns;
    for (int64_t most : tallest)
      patterns.insert(heightsOf(begin, end, [=](int64_t) { return most; }));
    for (int64_t firings : turns)
      patterns.insert(heightsOf(
          begin, end, [=](int64_t rows) { return std::min<int64_t>(rows / firings, 8); }));
    for (const std::vector<int64_t> &heights : patterns)
      if (std::optional<Slice> slice = sliceOf(begin, heights))
        slices[static_cast<size_t>(end)].push_back(std::move(*slice));
  }
}

StreamSearch::Slice StreamSearch::improved(Slice slice, const Limits &limits) const {
  double value = costOf(slice, limits).value;
  for (bool isBetter = true; isBetter;) {
    isBetter = false;
    for (size_t i = 0; i < slice.heights.size(); ++i)
      for (int64_t most : tallest) {
        const int op = slice.begin + static_cast<int>(i);
        std::vector<int64_t> heights = slice.heights;
        heights[i] = heightsOf(op, op + 1, [=](int64_t) { return most; }).front();
        if (heights == slice.heights)
          continue;
        std::optional<Slice> other = sliceOf(slice.begin, heights);
        if (!other || costOf(*other, limits).value >= value)
          continue;
        slice = std::move(*other);
        value = costOf(slice, limits).value;
        isBetter = true;
      }
  }
  return slice;
}

StreamSearch::SliceCost StreamSearch::costOf(const Slice &slice, const Limits &limits) const {
  SliceCost cost{slice.chain.moveCycles, 0};
  int64_t scratch = 0;
  for (const Slice::Layer &layer : slice.layers) {
    const TileChoice *best = nullptr;
    for (const TileChoice &choice : *layer.choices)
      if (layer.liveBytes + choice.scratchBytes <= limits.ram.arenaBytes &&
          choice.stackBytes <= limits.ram.stackBytes && (!best || choice.cycles < best->cycles))
        best = &choice;
    if (!best)
      return {impossible, static_cast<double>(impossible)};
    cost.cycles += best->cycles;
    scratch = std::max(scratch, best->scratchBytes);
  }
  cost.value = static_cast<double>(cost.cycles) +
               limits.bytePrice * static_cast<double>(slice.ringBytes + scratch);
  return cost;
}

StreamSearch::Path StreamSearch::shortest(const Limits &limits) const {
  constexpr double never = static_cast<double>(impossible);
  std::vector<double> values(slices.size(), never);
  std::vector<const Slice *> last(slices.size(), nullptr);
  values[0] = 0;
  for (size_t end = 1; end < slices.size(); ++end)
    for (const Slice &slice : slices[end]) {
      const double before = values[static_cast<size_t>(slice.begin)];
      if (before >= never)
        continue;
      const double all = before + costOf(slice, limits).value;
      if (all < values[end]) {
        values[end] = all;
        last[end] = &slice;
      }
    }
  Path path{impossible, limits.ram, {}};
  if (values.back() >= never)
    return path;
  path.cycles = 0;
  for (size_t end = slices.size() - 1; end > 0; end = static_cast<size_t>(last[end]->begin)) {
    path.slices.push_back(last[end]);
    path.cycles += costOf(*last[end], limits).cycles;
  }
  std::reverse(path.slices.begin(), path.slices.end());
  return path;
}

std::optional<StreamSearch::Path> StreamSearch::shortest(int64_t ramBytes, double bytePrice) const {
  std::optional<Path> best;
  for (int64_t stack : stacks) {
    Path path = shortest(Limits{{ramBytes - stack, stack}, bytePrice});
    if (path.cycles < (best ? best->cycles : impossible))
      best = std::move(path);
  }
  return best;
}

std::optional<StreamPlan> StreamSearch::fastest(int64_t ramBytes, double price) const {
  const double bytePrice = price * static_cast<double>(unlimitedCycles) / 1024;
  const std::optional<Path> path = shortest(ramBytes, bytePrice);
  if (!path)
    return std::nullopt;
  StreamPlan plan;
  plan.ram = path->ram;
  for (const Slice *found : path->slices) {
    const Slice slice = improved(*found, {plan.ram, bytePrice});
    plan.cycles += costOf(slice, {plan.ram, bytePrice}).cycles;
    if (!slice.chain.stages.empty())
      plan.chains.push_back(slice.chain);
  }
  return plan;
}

int64_t StreamSearch::leastRam(int64_t cycles) const {
  constexpr int64_t step = 16;
  int64_t tooFew = 0, enough = 0;
  for (const auto &ending : slices)
    for (const Slice &slice : ending)
      for (const Slice::Layer &layer : slice.layers)
        for (const TileChoice &choice : *layer.choices)
          enough = std::max(enough, layer.liveBytes + choice.scratchBytes);
  enough += stacks.empty() ? 0 : stacks.back();
  while (enough - tooFew > step) {
    const int64_t middle = tooFew + (enough - tooFew) / 2;
    const std::optional<StreamPlan> plan = fastest(middle);
    (plan && plan->cycles <= cycles ? enough : tooFew) = middle;
  }
  return enough;
}

} // namespace thimble
