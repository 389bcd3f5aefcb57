// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Placement in several regions: no byte has two owners, what is accessed most per byte is in the
// fast memory, and small instances are about as fast as the best of all assignments.
#include "passes/analysis/Regions.h"

#include "gtest/gtest.h"

#include <random>

using namespace thimble;

namespace {

constexpr int64_t tableBytes = 8;

/// Plain buffers of one region neither overlap nor leave it.
void expectValid(const std::vector<PlacementBuffer> &buffers,
                 const std::vector<RegionLimit> &limits, const RegionPlacement &placement) {
  ASSERT_LE(placement.uses.size(), limits.size());
  const auto table = tableBytes * (static_cast<int64_t>(placement.uses.size()) - 1);
  for (size_t i = 0; i < buffers.size(); ++i) {
    const size_t region = placement.regions[i];
    ASSERT_LT(region, placement.uses.size());
    const int64_t begin = placement.offsets[i], end = begin + buffers[i].bytes;
    EXPECT_EQ(begin % buffers[i].alignment, 0);
    EXPECT_GE(begin, region == 0 ? table : 0);
    EXPECT_LE(end, placement.uses[region].bytes);
    for (size_t j = 0; j < i; ++j)
      if (placement.regions[j] == region && buffers[i].overlaps(buffers[j])) {
        EXPECT_TRUE(end <= placement.offsets[j] ||
                    placement.offsets[j] + buffers[j].bytes <= begin);
      }
  }
  bool fits = true;
  for (size_t region = 0; region < placement.uses.size(); ++region) {
    EXPECT_LE(placement.uses[region].lowerBound, placement.uses[region].bytes);
    fits &= placement.uses[region].bytes <= limits[region].bytes;
  }
  EXPECT_EQ(placement.fits, fits);
}

RegionPlacement place(const std::vector<PlacementBuffer> &buffers,
                      const std::vector<int64_t> &accesses,
                      const std::vector<RegionLimit> &limits) {
  RegionPlacement placement = placeInRegions(buffers, accesses, limits, tableBytes);
  expectValid(buffers, limits, placement);
  return placement;
}

TEST(Regions, WithoutALimitIsOneRegion) {
  const std::vector<PlacementBuffer> buffers = {{0, 1, 100, 4}, {1, 2, 60, 4}, {2, 3, 100, 4}};
  const RegionPlacement placement = place(buffers, {1, 2, 3}, {{}});
  EXPECT_EQ(placement.uses.size(), 1u);
  EXPECT_EQ(placement.offsets, placeBuffers(buffers).offsets);
  EXPECT_EQ(placement.waitCycles, 0);
}

TEST(Regions, WhatFitsTheFirstIsAllThere) {
  const std::vector<PlacementBuffer> buffers = {{0, 1, 100, 4}, {1, 2, 60, 4}};
  const RegionPlacement placement = place(buffers, {1, 2}, {{160, 0}, {1000, 5}});
  EXPECT_EQ(placement.uses.size(), 1u);
  EXPECT_EQ(placement.uses.front().bytes, 160); // no table
  EXPECT_TRUE(placement.fits);
}

TEST(Regions, MostAccessesPerByteAreInTheFastOne) {
  // All live at a time; the first is accessed most, per byte the last two.
  const std::vector<PlacementBuffer> buffers = {{0, 3, 80, 4}, {0, 3, 40, 4}, {0, 3, 40, 4}};
  const RegionPlacement placement = place(buffers, {100, 90, 80}, {{88, 0}, {1000, 5}});
  EXPECT_EQ(placement.regions, (std::vector<size_t>{1, 0, 0}));
  EXPECT_EQ(placement.waitCycles, 500);
}

TEST(Regions, ShortLivesShareFastMemory) {
  // Three that take turns gain more together than one that lives on.
  const std::vector<PlacementBuffer> buffers = {
      {0, 5, 40, 4}, {0, 1, 40, 4}, {2, 3, 40, 4}, {4, 5, 40, 4}};
  const RegionPlacement placement = place(buffers, {100, 60, 60, 60}, {{48, 0}, {1000, 1}});
  EXPECT_EQ(placement.regions, (std::vector<size_t>{1, 0, 0, 0}));
}

TEST(Regions, ExchangesWhatFillingInOrderMisses) {
  // The small one comes first by the accesses of a byte, but leaves no room for the large one.
  const std::vector<PlacementBuffer> buffers = {{0, 0, 12, 4}, {0, 0, 100, 4}};
  const RegionPlacement placement = place(buffers, {30, 200}, {{108, 0}, {1000, 1}});
  EXPECT_EQ(placement.regions, (std::vector<size_t>{1, 0}));
}

TEST(Regions, ABufferThatOneRegionAloneCanHoldIsThere) {
  const std::vector<PlacementBuffer> buffers = {{0, 3, 200, 4}, {0, 3, 60, 4}, {0, 3, 60, 4}};
  const RegionPlacement placement = place(buffers, {1, 1000, 1000}, {{208, 0}, {128, 0}});
  EXPECT_EQ(placement.regions, (std::vector<size_t>{0, 1, 1}));
  EXPECT_TRUE(placement.fits);
}

TEST(Regions, TheThirdIsForWhatTheOthersCannotHold) {
  const std::vector<PlacementBuffer> buffers = {
      {0, 3, 64, 4}, {0, 3, 64, 4}, {0, 3, 64, 4}, {0, 3, 64, 4}};
  const RegionPlacement placement = place(buffers, {4, 3, 2, 1}, {{80, 0}, {64, 1}, {1000, 9}});
  EXPECT_EQ(placement.regions, (std::vector<size_t>{0, 1, 2, 2}));
  EXPECT_EQ(placement.waitCycles, 3 + 3 * 9);
}

TEST(Regions, WhatDoesNotFitIsSaidAndInTheLast) {
  const std::vector<PlacementBuffer> buffers = {{0, 3, 64, 4}, {0, 3, 64, 4}, {0, 3, 64, 4}};
  const RegionPlacement placement = place(buffers, {1, 1, 1}, {{72, 0}, {64, 1}});
  EXPECT_FALSE(placement.fits);
  EXPECT_EQ(placement.uses[1].bytes, 128);
}

TEST(Regions, RowsOfOneTensorMakeRoomForAnother) {
  // An input that dies row by row and an output that grows behind it share the fast region.
  std::vector<LiveSpan> dying, growing;
  for (int64_t row = 0; row < 4; ++row) {
    dying.push_back({0, row, row * 16, row * 16 + 16});
    growing.push_back({row + 1, 5, row * 16, row * 16 + 16});
  }
  const std::vector<PlacementBuffer> buffers = {
      PlacementBuffer::of(dying, 4), PlacementBuffer::of(growing, 4), {0, 5, 400, 4}};
  const RegionPlacement placement = placeInRegions(buffers, {50, 50, 10}, {{88, 0}, {400, 1}}, 8);
  EXPECT_TRUE(placement.fits);
  EXPECT_EQ(placement.regions, (std::vector<size_t>{0, 0, 1}));
}

/// The least cycles of waiting of all assignments to two regions.
int64_t leastWaiting(const std::vector<PlacementBuffer> &buffers,
                     const std::vector<int64_t> &accesses, const std::vector<RegionLimit> &limits) {
  int64_t least = INT64_MAX;
  for (size_t inFirst = 0; inFirst < size_t(1) << buffers.size(); ++inFirst) {
    std::vector<PlacementBuffer> parts[2];
    int64_t waiting = 0;
    for (size_t i = 0; i < buffers.size(); ++i) {
      const size_t region = inFirst >> i & 1 ? 0 : 1;
      parts[region].push_back(buffers[i]);
      waiting += accesses[i] * limits[region].waitStates;
    }
    if (waiting < least && placeBuffers(parts[0]).peak <= limits[0].bytes - tableBytes &&
        placeBuffers(parts[1]).peak <= limits[1].bytes)
      least = waiting;
  }
  return least;
}

TEST(Regions, SmallNetworksAreAboutAsFastAsCanBe) {
  std::minstd_rand random(7);
  int64_t found = 0, best = 0;
  for (int round = 0; round < 60; ++round) {
    std::vector<PlacementBuffer> buffers;
    std::vector<int64_t> accesses;
    for (int i = 0; i < 8; ++i) {
      const int64_t first = random() % 6;
      buffers.push_back({first, first + static_cast<int64_t>(random() % 3),
                         4 + 4 * static_cast<int64_t>(random() % 30), 4});
      accesses.push_back(static_cast<int64_t>(random() % 1000));
    }
    const std::vector<RegionLimit> limits = {{mostLiveBytes(buffers) / 2, 0}, {10000, 4}};
    const RegionPlacement placement = place(buffers, accesses, limits);
    EXPECT_TRUE(placement.fits);
    const int64_t least = leastWaiting(buffers, accesses, limits);
    EXPECT_GE(placement.waitCycles, least);
    found += placement.waitCycles;
    best += least;
  }
  EXPECT_LE(static_cast<double>(found), 1.1 * static_cast<double>(best));
}

} // namespace
