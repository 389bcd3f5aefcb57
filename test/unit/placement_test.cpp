// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The placement of buffers: no byte has two owners in one step, no placement beats the lower bound,
// small instances reach the optimum of all orders, puzzles theirs by construction.
#include "passes/analysis/PlacementOrders.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace thimble;

namespace {

/// Paints every byte of every step.
void expectValid(const std::vector<PlacementBuffer> &buffers, const Placement &placement) {
  ASSERT_EQ(placement.offsets.size(), buffers.size());
  std::map<int64_t, std::vector<int>> owners;
  int64_t peak = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const PlacementBuffer &b = buffers[i];
    const int64_t offset = placement.offsets[i];
    ASSERT_GE(offset, 0);
    EXPECT_EQ(offset % b.alignment, 0);
    peak = std::max(peak, offset + b.bytes);
    std::vector<LiveSpan> spans = b.spans;
    if (spans.empty())
      spans.push_back({b.first, b.last, 0, b.bytes});
    for (const LiveSpan &span : spans)
      for (int64_t step = span.first; step <= span.last; ++step) {
        std::vector<int> &owner = owners[step];
        owner.resize(std::max<size_t>(owner.size(), offset + span.end), -1);
        for (int64_t byte = offset + span.begin; byte < offset + span.end; ++byte) {
          ASSERT_EQ(owner[byte], -1) << "buffer " << i << ", byte " << byte << ", step " << step;
          owner[byte] = static_cast<int>(i);
        }
      }
  }
  EXPECT_EQ(placement.peak, peak);
  EXPECT_GE(placement.peak, placement.lowerBound);
  size_t live = 0;
  for (const auto &[step, owner] : owners)
    live = std::max<size_t>(live, owner.size() - std::count(owner.begin(), owner.end(), -1));
  EXPECT_EQ(mostLiveBytes(buffers), static_cast<int64_t>(live));
  EXPECT_GE(placement.lowerBound, static_cast<int64_t>(live));
}

/// Layer k reads buffer k and writes buffer k + 1.
std::vector<PlacementBuffer> chain(const std::vector<int64_t> &sizes) {
  std::vector<PlacementBuffer> buffers;
  for (size_t i = 0; i < sizes.size(); ++i)
    buffers.push_back({static_cast<int64_t>(i) - 1, static_cast<int64_t>(i), sizes[i], 4});
  return buffers;
}

std::vector<PlacementBuffer> randomBuffers(std::minstd_rand &random, size_t count) {
  constexpr int64_t alignments[] = {1, 2, 4, 8};
  std::vector<PlacementBuffer> buffers;
  for (size_t i = 0; i < count; ++i) {
    const int64_t first = random() % 10;
    buffers.push_back({first, first + static_cast<int64_t>(random() % 4),
                       static_cast<int64_t>(random() % 100), alignments[random() % 4]});
  }
  return buffers;
}

/// The least peak of any order: every placement that cannot be pushed down is one of them.
int64_t optimum(const std::vector<PlacementBuffer> &buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t(0));
  const OrderedPlacer placer(buffers);
  int64_t best = INT64_MAX;
  do {
    best = std::min(best, placer.place(order, PlacementFit::First).peak);
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

TEST(Placement, Nothing) {
  const Placement placement = placeBuffers({});
  EXPECT_TRUE(placement.offsets.empty());
  EXPECT_EQ(placement.peak, 0);
  EXPECT_EQ(mostLiveBytes({}), 0);
}

TEST(Placement, BuffersAfterOneAnotherShareTheirBytes) {
  const std::vector<PlacementBuffer> buffers = {{0, 0, 10, 1}, {1, 1, 20, 1}, {2, 5, 5, 1}};
  const Placement placement = placeBuffers(buffers);
  expectValid(buffers, placement);
  EXPECT_EQ(placement.peak, 20);
}

TEST(Placement, LastUseAndFirstUseInOneStepOverlap) {
  const std::vector<PlacementBuffer> buffers = {{0, 1, 10, 1}, {1, 2, 20, 1}};
  EXPECT_EQ(mostLiveBytes(buffers), 30);
  const Placement placement = placeBuffers(buffers);
  expectValid(buffers, placement);
  EXPECT_EQ(placement.peak, 30);
}

TEST(Placement, OffsetsAreAligned) {
  const std::vector<PlacementBuffer> buffers = {{0, 0, 3, 1}, {0, 0, 2, 8}, {0, 0, 1, 2}};
  expectValid(buffers, placeBuffers(buffers));
}

TEST(Placement, EmptyBufferTakesNoPlace) {
  const std::vector<PlacementBuffer> buffers = {{0, 3, 8, 4}, {0, 3, 0, 4}, {0, 3, 8, 4}};
  const Placement placement = placeBuffers(buffers);
  expectValid(buffers, placement);
  EXPECT_EQ(placement.peak, 16);
}

TEST(Placement, ChainsReachTheirLowerBound) {
  const std::vector<std::vector<int64_t>> chains = {
      {27648, 18432, 18432, 36864, 9216},
      {3072, 16384, 16384, 32768, 8192, 640, 12},
      {8, 4, 8, 12, 4, 16, 4, 20, 8},
      {100, 4, 100, 4, 100},
  };
  const int64_t expected[] = {55296, 49152, 28, 104};
  for (size_t i = 0; i < chains.size(); ++i) {
    const std::vector<PlacementBuffer> buffers = chain(chains[i]);
    const Placement placement = placeBuffers(buffers);
    expectValid(buffers, placement);
    EXPECT_EQ(placement.peak, expected[i]);
    EXPECT_EQ(mostLiveBytes(buffers), expected[i]);
  }
}

TEST(Placement, RandomInstancesAreValid) {
  std::minstd_rand random(7);
  for (int instance = 0; instance < 60; ++instance) {
    const std::vector<PlacementBuffer> buffers = randomBuffers(random, 1 + random() % 40);
    std::vector<size_t> order(buffers.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::shuffle(order.begin(), order.end(), random);
    for (PlacementFit fit : {PlacementFit::First, PlacementFit::Best})
      expectValid(buffers, OrderedPlacer(buffers).place(order, fit));
    expectValid(buffers, placeGreedily(buffers));
    expectValid(buffers, placeBuffers(buffers));
  }
}

TEST(Placement, SmallInstancesAreOptimal) {
  std::minstd_rand random(11);
  int above = 0;
  for (int instance = 0; instance < 1000; ++instance) {
    std::vector<PlacementBuffer> buffers = randomBuffers(random, 1 + random() % 7);
    // Few sizes make packings tight, one alignment for all is what networks have.
    const int64_t sizes = 1 + static_cast<int64_t>(random() % 100);
    for (PlacementBuffer &b : buffers) {
      b.bytes %= sizes;
      if (instance % 2 == 0)
        b.alignment = 4;
    }
    const Placement placement = placeBuffers(buffers);
    expectValid(buffers, placement);
    EXPECT_EQ(placement.peak, optimum(buffers)) << "instance " << instance;
    EXPECT_TRUE(placement.isOptimal()) << "instance " << instance;
    above += placement.peak > mostLiveBytes(buffers);
  }
  // Some proofs need more than the bytes that are live.
  EXPECT_GT(above, 50);
}

/// Cuts a full rectangle of time and bytes into buffers, so that none of it may be lost.
std::vector<PlacementBuffer> puzzle(std::minstd_rand &random, size_t pieces) {
  struct Piece {
    int64_t first, last, from, to;
  };
  std::vector<Piece> cut = {{0, 63, 0, 64}};
  while (cut.size() < pieces) {
    Piece &piece = cut[random() % cut.size()];
    Piece rest = piece;
    const int64_t steps = piece.last - piece.first, units = piece.to - piece.from - 1;
    if (random() % 2 == 0 && steps > 0) {
      piece.last = piece.first + static_cast<int64_t>(random()) % steps;
      rest.first = piece.last + 1;
    } else if (units > 0) {
      piece.to = piece.from + 1 + static_cast<int64_t>(random()) % units;
      rest.from = piece.to;
    } else {
      continue;
    }
    cut.push_back(rest);
  }
  std::vector<PlacementBuffer> buffers;
  for (const Piece &piece : cut)
    buffers.push_back({piece.first, piece.last, 16 * (piece.to - piece.from), 4});
  return buffers;
}

TEST(Placement, PuzzlesAreSolved) {
  std::minstd_rand random(5);
  for (int instance = 0; instance < 20; ++instance) {
    const std::vector<PlacementBuffer> buffers = puzzle(random, 30);
    const Placement placement = placeBuffers(buffers);
    expectValid(buffers, placement);
    EXPECT_EQ(placement.peak, 1024) << "instance " << instance;
    EXPECT_TRUE(placement.isOptimal());
  }
}

TEST(Placement, ALimitLeavesAGap) {
  std::minstd_rand random(5);
  const std::vector<PlacementBuffer> buffers = puzzle(random, 100);
  PlacementOptions options;
  options.nodeLimit = 10;
  const Placement placement = placeBuffers(buffers, options);
  expectValid(buffers, placement);
  EXPECT_FALSE(placement.isOptimal());
  EXPECT_EQ(placement.lowerBound, 1024);
  EXPECT_LE(placement.nodes, 11);
}

TEST(Placement, ACapacityIsEnough) {
  std::minstd_rand random(5);
  const std::vector<PlacementBuffer> buffers = puzzle(random, 100);
  PlacementOptions options;
  options.capacity = placeGreedily(buffers).peak;
  const Placement placement = placeBuffers(buffers, options);
  EXPECT_EQ(placement.peak, options.capacity);
  EXPECT_EQ(placement.nodes, 0);
}

/// An input whose rows die, an output whose rows come, and what is between them.
std::vector<PlacementBuffer> streamed(std::minstd_rand &random, int64_t first, int64_t rows) {
  auto bytes = [&] { return 4 * (1 + static_cast<int64_t>(random() % 16)); };
  const int64_t in = bytes(), out = bytes(), last = first + rows - 1;
  std::vector<LiveSpan> dying, growing;
  for (int64_t row = 0; row < rows; ++row) {
    dying.push_back({first + row, first + row, in * row, in * rows});
    growing.push_back({first + row, first + row, 0, out * (row + 1)});
  }
  std::vector<PlacementBuffer> buffers = {PlacementBuffer::of(dying, 4),
                                          PlacementBuffer::of(growing, 8)};
  for (int ring = 0; ring < 4; ++ring)
    buffers.push_back({first, last, bytes(), 4});
  return buffers;
}

TEST(Placement, AnOutputTakesThePlaceOfADyingInput) {
  const std::vector<PlacementBuffer> buffers = {
      PlacementBuffer::of({{0, 0, 0, 12}, {1, 1, 4, 12}, {2, 2, 8, 12}}, 4),
      PlacementBuffer::of({{1, 1, 0, 4}, {2, 2, 0, 8}, {3, 3, 0, 12}}, 4)};
  const Placement placement = placeBuffers(buffers);
  expectValid(buffers, placement);
  EXPECT_EQ(placement.peak, 12);
  EXPECT_TRUE(placement.isOptimal());
}

TEST(Placement, LiveSpansAreRespected) {
  std::minstd_rand random(13);
  int64_t least = 0, peaks = 0, greedyPeaks = 0;
  for (int instance = 0; instance < 50; ++instance) {
    std::vector<PlacementBuffer> buffers = randomBuffers(random, random() % 20);
    for (int64_t slice = 0; slice < 3; ++slice)
      for (PlacementBuffer &b : streamed(random, 5 * slice, 1 + static_cast<int64_t>(random() % 8)))
        buffers.push_back(std::move(b));
    const Placement greedy = placeGreedily(buffers), placement = placeBuffers(buffers);
    expectValid(buffers, greedy);
    expectValid(buffers, placement);
    least += placement.lowerBound;
    peaks += placement.peak;
    greedyPeaks += greedy.peak;
  }
  // The bound is not always within reach, but near, and the search closes most of the gap.
  EXPECT_LT(peaks - least, (greedyPeaks - least) / 2);
}

TEST(Placement, IsDeterministic) {
  std::minstd_rand random(3);
  const std::vector<PlacementBuffer> buffers = randomBuffers(random, 30);
  EXPECT_EQ(placeBuffers(buffers).offsets, placeBuffers(buffers).offsets);
}

} // namespace
