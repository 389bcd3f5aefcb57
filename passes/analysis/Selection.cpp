// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Selection.h"

#include <algorithm>
#include <cmath>
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
      if (there.insert(name).second)
        cost.flashBytes += bytes;
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

  /// The selection with the least cycles + price * bytes that single changes, and changes of all
  /// layers that share code, find from the fastest one.
  std::vector<size_t> minimize(double price) const {
    std::vector<size_t> best = fastest();
    double value = valueOf(best, price);
    for (bool improved = true; improved;) {
      improved = false;
      for (size_t i = 0; i < layers.size(); ++i)
        for (size_t k : allowed[i]) {
          std::vector<size_t> other = best;
          other[i] = k;
          improved |= keepBetter(best, value, std::move(other), price);
        }
      for (const std::string &code : sharedCodeOf(best))
        improved |= keepBetter(best, value, without(best, code, price), price);
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
  double valueOf(const std::vector<size_t> &selection, double price) const {
    SelectionCost cost = costOf(layers, selection);
    return static_cast<double>(cost.cycles) + price * static_cast<double>(cost.flashBytes);
  }
  bool keepBetter(std::vector<size_t> &best, double &value, std::vector<size_t> other,
                  double price) const {
    double otherValue = valueOf(other, price);
    if (otherValue >= value)
      return false;
    best = std::move(other);
    value = otherValue;
    return true;
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
                              double price) const {
    for (size_t i = 0; i < layers.size(); ++i) {
      if (!uses(layers[i].choices[selection[i]], code))
        continue;
      size_t best = selection[i];
      double value = std::numeric_limits<double>::infinity();
      for (size_t k : allowed[i]) {
        if (uses(layers[i].choices[k], code))
          continue;
        selection[i] = k;
        double other = valueOf(selection, price);
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
  for (double exponent = -4; exponent <= 16; exponent += 0.5) {
    std::vector<size_t> other = search.minimize(std::exp2(exponent));
    const double otherValue = value(costOf(layers, other));
    if (otherValue < least) {
      least = otherValue;
      best = std::move(other);
    }
  }
  return best;
}
