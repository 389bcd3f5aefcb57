// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Selection.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

using namespace thimble;

SelectionCost thimble::costOf(const std::vector<LayerChoices> &layers,
                              const std::vector<size_t> &selection) {
  SelectionCost cost;
  std::set<std::string> there;
  for (size_t i = 0; i < layers.size(); ++i) {
    const KernelChoice &choice = layers[i].choices[selection[i]];
    cost.cycles += choice.cycles;
    cost.flashBytes += choice.ownBytes;
    for (const auto &[name, bytes] : choice.sharedCode)
      if (there.insert(name).second) {
        cost.flashBytes += bytes;
        cost.sharedBytes += bytes;
      }
  }
  return cost;
}

namespace {

class Search {
public:
  Search(const std::vector<LayerChoices> &layers, int64_t ramLimit) : layers(layers) {
    for (const LayerChoices &layer : layers) {
      std::vector<size_t> fitting;
      size_t smallest = 0;
      for (size_t k = 0; k < layer.choices.size(); ++k) {
        if (layer.liveBytes + layer.choices[k].workBytes <= ramLimit)
          fitting.push_back(k);
        if (layer.choices[k].workBytes < layer.choices[smallest].workBytes)
          smallest = k;
      }
      if (fitting.empty())
        fitting.push_back(smallest);
      allowed.push_back(std::move(fitting));
    }
  }

  using Value = std::function<double(const SelectionCost &)>;

  /// Lowers the value by changes of single layers, and of all layers that share code, while there
  /// are such.
  std::vector<size_t> improve(std::vector<size_t> best, const Value &valueOf) const {
    double least = valueOf(costOf(layers, best));
    auto keepBetter = [&](std::vector<size_t> other) {
      const double value = valueOf(costOf(layers, other));
      if (value >= least)
        return false;
      best = std::move(other);
      least = value;
      return true;
    };
    for (bool improved = true; improved;) {
      improved = false;
      for (size_t i = 0; i < layers.size(); ++i)
        for (size_t k : allowed[i]) {
          std::vector<size_t> other = best;
          other[i] = k;
          improved |= keepBetter(std::move(other));
        }
      for (const std::string &code : sharedCodeOf(best))
        improved |= keepBetter(without(best, code, valueOf));
    }
    return best;
  }

  std::vector<size_t> fastest() const {
    std::vector<size_t> selection;
    for (size_t i = 0; i < layers.size(); ++i)
      selection.push_back(*std::min_element(allowed[i].begin(), allowed[i].end(), [&](size_t a, size_t b) {
        return rank(layers[i].choices[a]) < rank(layers[i].choices[b]);
      }));
    return selection;
  }

private:
  static std::pair<int64_t, int64_t> rank(const KernelChoice &choice) {
    int64_t bytes = choice.ownBytes;
    for (const auto &code : choice.sharedCode)
      bytes += code.second;
    return {choice.cycles, bytes};
  }
  std::set<std::string> sharedCodeOf(const std::vector<size_t> &selection) const {
    std::set<std::string> names;
    for (size_t i = 0; i < layers.size(); ++i)
      for (const auto &code : layers[i].choices[selection[i]].sharedCode)
        names.insert(code.first);
    return names;
  }
  static bool uses(const KernelChoice &choice, const std::string &code) {
    return std::any_of(choice.sharedCode.begin(), choice.sharedCode.end(),
                       [&](const auto &piece) { return piece.first == code; });
  }
  // All layers that run `code` moved to what is best for each without it.
  std::vector<size_t> without(std::vector<size_t> selection, const std::string &code,
                              const Value &valueOf) const {
    for (size_t i = 0; i < layers.size(); ++i) {
      if (!uses(layers[i].choices[selection[i]], code))
        continue;
      size_t best = selection[i];
      double value = std::numeric_limits<double>::infinity();
      for (size_t k : allowed[i]) {
        if (uses(layers[i].choices[k], code))
          continue;
        selection[i] = k;
        double other = valueOf(costOf(layers, selection));
        if (other < value) {
          value = other;
          best = k;
        }
      }
      selection[i] = best;
    }
    return selection;
  }

  const std::vector<LayerChoices> &layers;
  std::vector<std::vector<size_t>> allowed; // choices that fit the RAM
};

} // namespace

// The least peak that any selection has.
static int64_t leastPeak(const std::vector<LayerChoices> &layers) {
  int64_t peak = 0;
  for (const LayerChoices &layer : layers) {
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const KernelChoice &choice : layer.choices)
      least = std::min(least, layer.liveBytes + choice.workBytes);
    peak = std::max(peak, least);
  }
  return peak;
}

std::vector<size_t> thimble::selectKernels(const std::vector<LayerChoices> &layers,
                                           Objective objective, int64_t spareBytes) {
  int64_t ramLimit = leastPeak(layers);
  if (objective != Objective::Ram) {
    int64_t live = 0;
    for (const LayerChoices &layer : layers)
      live = std::max(live, layer.liveBytes);
    ramLimit = std::max(ramLimit, live + spareBytes);
  }
  Search search(layers, ramLimit);
  std::vector<size_t> best = search.fastest();
  const SelectionCost fastest = costOf(layers, best);
  const double codePrice = static_cast<double>(fastest.cycles) / 500 / 1024;
  best = search.improve(best, [&](const SelectionCost &cost) {
    return static_cast<double>(cost.cycles) + codePrice * static_cast<double>(cost.sharedBytes);
  });
  if (objective == Objective::Speed || objective == Objective::Ram)
    return best;

  const SelectionCost fast = costOf(layers, best);
  auto value = [&](const SelectionCost &cost) {
    const double cycles = static_cast<double>(cost.cycles), bytes = static_cast<double>(cost.flashBytes);
    if (objective == Objective::Balanced)
      return cycles * bytes;
    return cycles <= 1.5 * static_cast<double>(fast.cycles) ? bytes : std::numeric_limits<double>::infinity();
  };
  double least = value(fast);
  const std::vector<size_t> start = best;
  for (int exponent = -4; exponent <= 16; ++exponent) {
    const double price = std::exp2(exponent);
    std::vector<size_t> other = search.improve(start, [&](const SelectionCost &cost) {
      return static_cast<double>(cost.cycles) + price * static_cast<double>(cost.flashBytes);
    });
    // Too slow at this price, perhaps: then the last step starts from the fastest.
    if (std::isinf(value(costOf(layers, other))))
      other = start;
    other = search.improve(std::move(other), value);
    const double otherValue = value(costOf(layers, other));
    if (otherValue < least) {
      least = otherValue;
      best = std::move(other);
    }
  }
  return best;
}
