// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Output scalings give the reference's outputs: at both sides of every step, at the ends of the
// interval and at random accumulators.

#include "passes/kernels/asm/OutputScaling.h"
#include "runtime/thimble_dsp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace thimble {
namespace {

/// What the instructions make of S, as the core executes them.
int32_t execute(const OutputScaling &scaling, size_t channel, int scale, int64_t s) {
  const OutputScaling::Channel &c = scaling.channels[channel];
  auto a = static_cast<int32_t>(static_cast<uint32_t>(s) << scale);
  int32_t sum;
  if (scaling.form == OutputScaling::Fold)
    sum = thimble_smmul(thimble_wrapping_add(a, c.offset), c.multiplier);
  else if (scaling.form == OutputScaling::Add)
    sum = thimble_smmla(a, c.multiplier, c.addend);
  else
    sum = thimble_smmla(a, c.multiplier, thimble_wrapping_add(c.signAddend & (a >> 31), c.addend));
  const OutputScaling::Saturation &how = scaling.saturation;
  sum >>= scaling.shift;
  int32_t out = how.isUnsigned ? static_cast<int32_t>(thimble_usat(sum, how.bits))
                               : thimble_ssat(sum, how.bits);
  if (how.isTwice)
    out = thimble_ssat(out + how.between, 8);
  return out + how.after;
}

struct Layer {
  RequantPerChannel requant;
  std::vector<ScaledAccumulator> accumulators;
};

class Layers {
public:
  explicit Layers(unsigned seed) : random(seed) {}

  int64_t number(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  }

  void addChannel(Layer &layer, int32_t q, int32_t shift, ScaledAccumulator accumulator) {
    layer.requant.multipliers.push_back({q, shift});
    if (layer.requant.rounding == Rounding::Single)
      layer.requant.scales.push_back(std::ldexp(q + number(-499, 499) / 1000.0, shift - 31));
    layer.accumulators.push_back(accumulator);
  }

  /// Channels as trained layers have them: shifts that differ by a few bits, accumulators that
  /// reach a little further than the outputs.
  Layer realistic(size_t channels, int scale, Rounding rounding, bool relu) {
    Layer layer;
    layer.requant.rounding = rounding;
    layer.requant.outputZeroPoint =
        relu ? -128 : static_cast<int32_t>(number(0, 1) ? number(-30, 30) : number(-128, 127));
    layer.requant.clamp = {-128, 127};
    auto e = static_cast<int32_t>(number(5, 10));
    for (size_t c = 0; c < channels; ++c) {
      int32_t shift = e + static_cast<int32_t>(number(0, 2));
      auto q = static_cast<int32_t>(c == 0   ? 1 << 30
                                    : c == 1 ? INT32_MAX
                                             : number(1 << 30, INT32_MAX));
      int64_t reach = number(100, 600) << shift;
      int64_t most = (int64_t(1) << (31 - scale)) - 300;
      addChannel(layer, q, -shift,
                 {scale, {std::max(-reach, -most), std::min(number(100, 600) << shift, most)}});
    }
    return layer;
  }

  /// Anything that a file may ask for.
  Layer wild() {
    Layer layer;
    layer.requant.rounding = number(0, 1) ? Rounding::Double : Rounding::Single;
    layer.requant.outputZeroPoint = static_cast<int32_t>(number(-128, 127));
    auto low = static_cast<int32_t>(number(0, 2) ? -128 : number(-128, 127));
    layer.requant.clamp = {low, static_cast<int32_t>(number(0, 2) ? 127 : number(low, 127))};
    int scale = static_cast<int>(number(0, 8));
    size_t channels = static_cast<size_t>(number(1, 4));
    auto e = static_cast<int32_t>(number(-3, 20));
    for (size_t c = 0; c < channels; ++c) {
      static const int32_t extremes[] = {0, 1 << 30, INT32_MAX};
      auto q =
          number(0, 3) ? static_cast<int32_t>(number(1 << 30, INT32_MAX)) : extremes[number(0, 2)];
      int bits = static_cast<int>(number(1, 31));
      int64_t width = number(0, (int64_t(1) << bits) - 1);
      int64_t centre = number(0, 3) ? 0 : number(-(int64_t(1) << 30), int64_t(1) << 30);
      AccumulatorInterval interval{centre - width / 2, centre - width / 2 + width};
      if (number(0, 9) == 0)
        interval.high = interval.low;
      addChannel(layer, q, -e - static_cast<int32_t>(number(0, 3)), {scale, interval});
    }
    return layer;
  }

  std::mt19937_64 random;
};

/// Accumulators near every output's step, found by bisection, near zero and at random.
std::vector<int64_t> samples(const Layer &layer, size_t channel, std::mt19937_64 &random) {
  AccumulatorInterval interval = layer.accumulators[channel].interval;
  auto at = [&](int64_t s) {
    return layer.requant.finish(static_cast<int32_t>(s), static_cast<int64_t>(channel));
  };
  std::vector<int64_t> all;
  auto addAround = [&](int64_t s) {
    for (int64_t near = s - 2; near <= s + 2; ++near)
      if (near >= interval.low && near <= interval.high)
        all.push_back(near);
  };
  for (int32_t value = at(interval.low) + 1; value <= at(interval.high); ++value) {
    int64_t below = interval.low, above = interval.high;
    while (above - below > 1)
      (at((below + above) / 2) >= value ? above : below) = (below + above) / 2;
    addAround(above);
  }
  addAround(0);
  addAround(interval.low);
  addAround(interval.high);
  std::uniform_int_distribution<int64_t> anywhere(interval.low, interval.high);
  for (int i = 0; i < 300; ++i)
    all.push_back(anywhere(random));
  return all;
}

void expectReference(const Layer &layer, const OutputScaling &scaling, std::mt19937_64 &random) {
  ASSERT_EQ(scaling.channels.size(), layer.accumulators.size());
  for (size_t c = 0; c < layer.accumulators.size(); ++c)
    for (int64_t s : samples(layer, c, random))
      ASSERT_EQ(execute(scaling, c, layer.accumulators[c].scale, s),
                layer.requant.finish(static_cast<int32_t>(s), static_cast<int64_t>(c)))
          << "accumulator " << s << ", channel " << c << ", form " << scaling.form;
}

/// How many of 60 layers of eight channels have a scaling of at most `form`.
int solved(Layers &layers, int scale, Rounding rounding, bool relu, bool mayOffset,
           OutputScaling::Form form) {
  int count = 0;
  for (int i = 0; i < 60; ++i) {
    Layer layer = layers.realistic(8, scale, rounding, relu);
    auto scaling = OutputScaling::solve(layer.requant, layer.accumulators, mayOffset);
    if (!scaling)
      continue;
    expectReference(layer, *scaling, layers.random);
    count += scaling->form <= form;
  }
  return count;
}

TEST(OutputScaling, TwoInstructionsUnderRelu) {
  Layers layers(1);
  EXPECT_GE(solved(layers, 8, Rounding::Double, true, true, OutputScaling::Fold), 59);
  EXPECT_GE(solved(layers, 8, Rounding::Double, true, false, OutputScaling::Add), 57);
  EXPECT_GE(solved(layers, 5, Rounding::Double, true, false, OutputScaling::Add), 57);
}

TEST(OutputScaling, TwoInstructionsForOneRounding) {
  Layers layers(4);
  EXPECT_GE(solved(layers, 8, Rounding::Single, false, true, OutputScaling::Fold), 57);
  EXPECT_GE(solved(layers, 0, Rounding::Single, false, false, OutputScaling::Add), 57);
}

TEST(OutputScaling, FourInstructionsForBothSigns) {
  Layers layers(5);
  EXPECT_GE(solved(layers, 8, Rounding::Double, false, false, OutputScaling::Signed), 57);
}

TEST(OutputScaling, WildLayersAreExactOrRefused) {
  Layers layers(2);
  int solved = 0;
  for (int i = 0; i < 20000; ++i) {
    Layer layer = layers.wild();
    bool mayOffset = layers.number(0, 1) == 1;
    auto scaling = OutputScaling::solve(layer.requant, layer.accumulators, mayOffset);
    if (!scaling)
      continue;
    ++solved;
    expectReference(layer, *scaling, layers.random);
  }
  EXPECT_GT(solved, 2000);
}

} // namespace
} // namespace thimble
