// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Selection.h"

#include "gtest/gtest.h"

#include <functional>
#include <random>

using namespace thimble;

namespace {

using Selection = std::vector<size_t>;

// Every selection there is.
void forEach(const std::vector<LayerChoices> &layers, Selection &selection, size_t i,
             const std::function<void(const Selection &)> &visit) {
  if (i == layers.size())
    return visit(selection);
  for (size_t k = 0; k < layers[i].choices.size(); ++k) {
    selection[i] = k;
    forEach(layers, selection, i + 1, visit);
  }
}

TEST(Selection, SpeedTakesTheFastestThatFitsTheRam) {
  std::vector<LayerChoices> layers{
      {{{100, 10, {}, 500}, {200, 10, {}, 0}}, 1000}, // peak: no room for scratch
      {{{100, 10, {}, 500}, {200, 10, {}, 0}}, 400},
  };
  EXPECT_EQ(selectKernels(layers, Objective::Speed, 0), (Selection{1, 0}));
  EXPECT_EQ(selectKernels(layers, Objective::Speed, 500), (Selection{0, 0}));
}

TEST(Selection, RamTakesTheLeastPeakThatIsNotMuchSlower) {
  std::vector<LayerChoices> layers{
      {{{100, 10, {}, 500}, {120, 10, {}, 0}}, 1000},
      {{{100, 10, {}, 500}, {120, 10, {}, 0}}, 400}, // fits below the peak of the other
  };
  EXPECT_EQ(selectKernels(layers, Objective::Ram, 500), (Selection{1, 0}));
  layers[0].choices.push_back({900, 10, {}, -100});
  EXPECT_EQ(selectKernels(layers, Objective::Ram, 500), (Selection{1, 0}));
}

TEST(Selection, AKernelThatNeverFitsIsTakenWhereThereIsNoOther) {
  std::vector<LayerChoices> layers{{{{100, 10, {}, 500}}, 1000}};
  EXPECT_EQ(selectKernels(layers, Objective::Speed, 0), (Selection{0}));
}

TEST(Selection, EqualTimesAreDecidedByFlash) {
  std::vector<LayerChoices> layers{{{{100, 20, {}, 0}, {100, 10, {}, 0}}, 0}};
  EXPECT_EQ(selectKernels(layers, Objective::Speed, 0), (Selection{1}));
}

TEST(Selection, CodeMustSaveTime) {
  // 2 KB must save 4 in 1000 cycles; one layer saves 3, two save 6.
  std::vector<LayerChoices> layers(2);
  layers[0].choices = {{300, 0, {{"fast", 2048}}, 0}, {303, 0, {}, 0}};
  layers[1].choices = {{700, 0, {}, 0}};
  EXPECT_EQ(selectKernels(layers, Objective::Speed, 0), (Selection{1, 0}));
  layers[1].choices = {{700, 0, {{"fast", 2048}}, 0}, {703, 0, {}, 0}};
  EXPECT_EQ(selectKernels(layers, Objective::Speed, 0), (Selection{0, 0}));
}

TEST(Selection, SharedCodeIsPaidOnce) {
  std::vector<LayerChoices> layers(3);
  for (LayerChoices &layer : layers)
    layer.choices = {{100, 10, {{"fast", 900}}, 0}, {140, 400, {}, 0}};
  // Alone, each layer would save by leaving; together they share.
  EXPECT_EQ(selectKernels(layers, Objective::Flash, 0), (Selection{0, 0, 0}));
  EXPECT_EQ(costOf(layers, {0, 0, 0}).flashBytes, 930);
  layers.pop_back();
  layers.pop_back();
  EXPECT_EQ(selectKernels(layers, Objective::Flash, 0), (Selection{1}));
}

TEST(Selection, LayersLeaveSharedCodeTogether) {
  std::vector<LayerChoices> layers(4);
  for (LayerChoices &layer : layers)
    layer.choices = {{100, 10, {{"fast", 900}}, 0}, {120, 20, {{"small", 100}}, 0}};
  EXPECT_EQ(selectKernels(layers, Objective::Flash, 0), (Selection{1, 1, 1, 1}));
}

// Against all selections of random networks.
TEST(Selection, FlashIsCloseToTheBestOfAll) {
  std::mt19937 random(1);
  auto below = [&](int n) { return static_cast<int64_t>(random() % static_cast<unsigned>(n)); };
  double worst = 1;
  for (int round = 0; round < 60; ++round) {
    std::vector<LayerChoices> layers(6);
    for (LayerChoices &layer : layers)
      for (int k = 0; k < 3; ++k) {
        const std::string code(1, static_cast<char>('a' + below(4)));
        layer.choices.push_back(
            {1000 + below(1000), below(300), {{code, 200 + 100 * (code[0] - 'a')}}, 0});
      }
    const SelectionCost fast = costOf(layers, selectKernels(layers, Objective::Speed, 0));
    const SelectionCost found = costOf(layers, selectKernels(layers, Objective::Flash, 0));
    EXPECT_LE(found.cycles, 2 * fast.cycles);
    int64_t best = fast.flashBytes;
    Selection selection(layers.size());
    forEach(layers, selection, 0, [&](const Selection &s) {
      SelectionCost cost = costOf(layers, s);
      if (cost.cycles <= 2 * fast.cycles)
        best = std::min(best, cost.flashBytes);
    });
    worst = std::max(worst, static_cast<double>(found.flashBytes) / static_cast<double>(best));
  }
  EXPECT_LT(worst, 1.25);
}

} // namespace
