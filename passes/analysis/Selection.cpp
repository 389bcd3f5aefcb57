// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Selection.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

using namespace thimble;

namespace {

/// The choices with numbers for the pieces of shared code.
class Network {
public:
  struct Choice {
    int64_t cycles, ownBytes;
    std::vector<size_t> codes;
    bool uses(size_t code) const {
      return std::find(codes.begin(), codes.end(), code) != codes.end();
    }
  };

  explicit Network(const std::vector<LayerChoices> &layers) {
    std::map<std::string, size_t> numbers;
    for (const LayerChoices &layer : layers) {
      choices.emplace_back();
      for (const KernelChoice &choice : layer.choices) {
        choices.back().push_back({choice.cycles, choice.ownBytes, {}});
        for (const auto &[name, bytes] : choice.sharedCode) {
          auto [at, isNew] = numbers.try_emplace(name, codeBytes.size());
          if (isNew)
            codeBytes.push_back(bytes);
          choices.back().back().codes.push_back(at->second);
        }
      }
    }
  }

  std::vector<std::vector<Choice>> choices; // of each layer
  std::vector<int64_t> codeBytes;
};

/// A choice for each layer, and what they cost.
class State {
public:
  explicit State(const Network &network)
      : network(&network), chosen(network.choices.size()), uses(network.codeBytes.size()) {
    for (size_t layer = 0; layer < chosen.size(); ++layer)
      count(layer, 1);
  }

  void set(size_t layer, size_t choice) {
    count(layer, -1);
    chosen[layer] = choice;
    count(layer, 1);
  }
  size_t operator[](size_t layer) const { return chosen[layer]; }
  bool isUsed(size_t code) const { return uses[code] > 0; }
  const SelectionCost &cost() const { return total; }
  const std::vector<size_t> &selection() const { return chosen; }

private:
  void count(size_t layer, int sign) {
    const Network::Choice &choice = network->choices[layer][chosen[layer]];
    total.cycles += sign * choice.cycles;
    total.flashBytes += sign * choice.ownBytes;
    for (size_t code : choice.codes) {
      const int before = uses[code];
      uses[code] += sign;
      if ((before == 0) == (uses[code] == 0))
        continue;
      total.flashBytes += sign * network->codeBytes[code];
      total.sharedBytes += sign * network->codeBytes[code];
    }
  }

  const Network *network;
  std::vector<size_t> chosen;
  std::vector<int> uses; // of each piece of code
  SelectionCost total;
};

class Search {
public:
  using Fits = std::function<bool(const LayerChoices &, const KernelChoice &)>;

  Search(const std::vector<LayerChoices> &layers, const Fits &fits) : network(layers) {
    for (const LayerChoices &layer : layers) {
      allowed.emplace_back();
      for (size_t k = 0; k < layer.choices.size(); ++k)
        if (fits(layer, layer.choices[k]))
          allowed.back().push_back(k);
    }
  }

  using Value = std::function<double(const SelectionCost &)>;

  /// Every layer has a choice that fits the RAM.
  bool isFeasible() const {
    return std::none_of(allowed.begin(), allowed.end(),
                        [](const auto &fitting) { return fitting.empty(); });
  }

  State fastest() const {
    State state(network);
    for (size_t i = 0; i < allowed.size(); ++i)
      state.set(i, *std::min_element(allowed[i].begin(), allowed[i].end(), [&](size_t a, size_t b) {
                  return rank(network.choices[i][a]) < rank(network.choices[i][b]);
                }));
    return state;
  }

  /// Lowers the value by changes of single layers, and by bringing all layers to a piece of code
  /// that they can share or away from it, while there are such.
  State improve(State best, const Value &valueOf) const {
    changeSingles(best, valueOf);
    for (bool improved = true; improved;) {
      improved = false;
      for (size_t code = 0; code < network.codeBytes.size(); ++code)
        for (bool onto : {false, true}) {
          if (!onto && !best.isUsed(code))
            continue;
          State other = best;
          bring(other, code, onto, valueOf);
          changeSingles(other, valueOf);
          if (valueOf(other.cost()) >= valueOf(best.cost()))
            continue;
          best = std::move(other);
          improved = true;
        }
    }
    return best;
  }

private:
  std::pair<int64_t, int64_t> rank(const Network::Choice &choice) const {
    int64_t bytes = choice.ownBytes;
    for (size_t code : choice.codes)
      bytes += network.codeBytes[code];
    return {choice.cycles, bytes};
  }

  void changeSingles(State &state, const Value &valueOf) const {
    double least = valueOf(state.cost());
    for (bool improved = true; improved;) {
      improved = false;
      for (size_t i = 0; i < allowed.size(); ++i)
        for (size_t k : allowed[i]) {
          const size_t before = state[i];
          state.set(i, k);
          const double value = valueOf(state.cost());
          if (value < least) {
            least = value;
            improved = true;
          } else {
            state.set(i, before);
          }
        }
    }
  }

  // Each layer to its best choice with `code`, or without it, if it has one.
  void bring(State &state, size_t code, bool onto, const Value &valueOf) const {
    for (size_t i = 0; i < allowed.size(); ++i) {
      if (network.choices[i][state[i]].uses(code) == onto)
        continue;
      size_t best = state[i];
      double least = std::numeric_limits<double>::infinity();
      for (size_t k : allowed[i]) {
        if (network.choices[i][k].uses(code) != onto)
          continue;
        state.set(i, k);
        const double value = valueOf(state.cost());
        if (value < least) {
          least = value;
          best = k;
        }
      }
      state.set(i, best);
    }
  }

  Network network;
  std::vector<std::vector<size_t>> allowed; // choices that fit the RAM
};

} // namespace

SelectionCost thimble::costOf(const std::vector<LayerChoices> &layers,
                              const std::vector<size_t> &selection) {
  const Network network(layers);
  State state(network);
  for (size_t i = 0; i < selection.size(); ++i)
    state.set(i, selection[i]);
  return state.cost();
}

// Layers one at a time: what is live and what a kernel works with fit together.
static Search::Fits within(int64_t bytes) {
  return [=](const LayerChoices &layer, const KernelChoice &choice) {
    return layer.liveBytes + choice.workBytes() <= bytes;
  };
}

static Search::Fits within(RamLimit limit) {
  return [=](const LayerChoices &layer, const KernelChoice &choice) {
    return layer.liveBytes + choice.scratchBytes <= limit.arenaBytes &&
           choice.stackBytes <= limit.stackBytes;
  };
}

/// How much slower than Speed's choices those of Flash and Ram may be.
static constexpr double mostSlowdown = 1.8, mostSlowdownForRam = 1.25;

// What a selection may need at most for Speed: the most that is live, and some more.
static int64_t speedLimit(const std::vector<LayerChoices> &layers, int64_t spareBytes) {
  int64_t limit = 0;
  for (const LayerChoices &layer : layers) {
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const KernelChoice &choice : layer.choices)
      least = std::min(least, choice.workBytes());
    limit = std::max(limit, layer.liveBytes + std::max(least, spareBytes));
  }
  return limit;
}

// The least peak of a selection that is not much slower.
static int64_t leastPeak(const std::vector<LayerChoices> &layers, int64_t limit) {
  std::set<int64_t> peaks;
  for (const LayerChoices &layer : layers)
    for (const KernelChoice &choice : layer.choices)
      peaks.insert(layer.liveBytes + choice.workBytes());
  const auto fastest = static_cast<double>(Search(layers, within(limit)).fastest().cost().cycles);
  for (int64_t peak : peaks) {
    Search search(layers, within(peak));
    if (search.isFeasible() &&
        static_cast<double>(search.fastest().cost().cycles) <= mostSlowdownForRam * fastest)
      return std::min(peak, limit);
  }
  return limit;
}

std::vector<size_t> thimble::selectKernels(const std::vector<LayerChoices> &layers,
                                           Objective objective, int64_t spareBytes,
                                           std::optional<RamLimit> limit) {
  Search::Fits fits;
  if (limit && Search(layers, within(*limit)).isFeasible()) {
    fits = within(*limit);
  } else {
    const int64_t most = speedLimit(layers, spareBytes);
    fits = within(objective == Objective::Ram ? leastPeak(layers, most) : most);
  }
  Search search(layers, fits);
  State best = search.fastest();
  const double codePrice = static_cast<double>(best.cost().cycles) / 500 / 1024;
  best = search.improve(best, [&](const SelectionCost &cost) {
    return static_cast<double>(cost.cycles) + codePrice * static_cast<double>(cost.sharedBytes);
  });
  if (objective == Objective::Speed || objective == Objective::Ram)
    return best.selection();

  const SelectionCost fast = best.cost();
  auto value = [&](const SelectionCost &cost) {
    const double cycles = static_cast<double>(cost.cycles),
                 bytes = static_cast<double>(cost.flashBytes);
    if (objective == Objective::Balanced)
      return cycles * bytes;
    if (cycles > mostSlowdown * static_cast<double>(fast.cycles))
      return std::numeric_limits<double>::infinity();
    return bytes * std::sqrt(std::sqrt(std::sqrt(cycles)));
  };
  const State start = best;
  for (int exponent = -4; exponent <= 16; ++exponent) {
    const double price = std::exp2(exponent);
    State other = search.improve(start, [&](const SelectionCost &cost) {
      return static_cast<double>(cost.cycles) + price * static_cast<double>(cost.flashBytes);
    });
    // Too slow at this price, perhaps: then the last step starts from the fastest.
    if (std::isinf(value(other.cost())))
      other = start;
    other = search.improve(std::move(other), value);
    if (value(other.cost()) < value(best.cost()))
      best = std::move(other);
  }
  return best.selection();
}
