// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/AsmBuilder.h"

#include "gtest/gtest.h"

using namespace thimble;

namespace {

constexpr int64_t instructionBytes = 4;

/// A board with 5 wait states and lines of 8 bytes.
Flash flash(unsigned instructionCache, bool prefetch = false) {
  Flash f;
  f.waitStates = 5;
  f.line = 8;
  f.instructionCache = instructionCache;
  f.prefetch = prefetch;
  return f;
}

/// `trips` times `length` additions.
m4::Cost loopOf(int64_t trips, int64_t length) {
  AsmBuilder a;
  Reg x = a.constant(0);
  a.repeat(trips, {x}, [&] {
    for (int64_t i = 0; i < length; ++i)
      x = a.add(x, 1);
  });
  return a.cost();
}

TEST(Cost, NothingWaitsWithoutWaitStates) { EXPECT_EQ(loopOf(10, 20).flashWaits(Flash()), 0); }

TEST(Cost, ALoopThatFitsTheCacheIsFetchedOnce) {
  m4::Cost once = loopOf(1, 100), often = loopOf(50, 100);
  EXPECT_EQ(often.flashWaits(flash(1024)), once.flashWaits(flash(1024)));
  EXPECT_GE(often.flashWaits(flash(256)), 50 * 100 * instructionBytes / 8 * 5);
  EXPECT_GE(often.flashWaits(flash(0)), often.flashWaits(flash(256)));
}

TEST(Cost, AnInnerLoopIsFetchedOnceATripOfAnOuterOneThatDoesNotFit) {
  AsmBuilder a;
  Reg x = a.constant(0);
  a.loop(10, {x}, [&] {
    a.loop(1000, {x}, [&] { x = a.add(x, 1); });
    for (int i = 0; i < 100; ++i)
      x = a.add(x, 1);
  });
  const int64_t code = a.cost().codeBytes;
  EXPECT_NEAR(a.cost().flashWaits(flash(256)), 10 * code / 8 * 5, 100);
  EXPECT_EQ(a.cost().flashWaits(flash(1024)), code / 8 * 5);
}

TEST(Cost, PrefetchHidesWhatALineTakesToExecute) {
  m4::Cost cost = loopOf(1, 100);
  EXPECT_EQ(cost.flashWaits(flash(1024, true)), cost.codeBytes * (5 - 2) / 8);
}

TEST(Cost, ConstantsAreReadByLines) {
  AsmBuilder a;
  Reg table = a.constant(0);
  a.loadTableMultiple(table, 8);
  EXPECT_EQ(a.cost().tableWords, 8);
  EXPECT_EQ(a.cost().flashWaits(flash(1024)), (a.cost().codeBytes + 8 * 4) * 5 / 8);
}

TEST(Cost, ABranchCostsAsOftenAsItIsTaken) {
  m4::Cost dear = loopOf(10, 100), cheap = loopOf(10, 1);
  m4::Cost either = m4::eitherOf(dear, cheap, 1, 4);
  EXPECT_EQ(either.codeBytes, dear.codeBytes + cheap.codeBytes);
  EXPECT_EQ(either.cycles, (dear.cycles + 3 * cheap.cycles) / 4);
}

} // namespace
