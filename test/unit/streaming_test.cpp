// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Chains, replayed with the rows that are there: every firing finds what the network says its
// operator reads, padding included. And the search for cuts against all cuts of small networks.
#include "passes/analysis/Streaming.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <limits>
#include <map>
#include <random>

using namespace thimble;

namespace {

using Kind = ChainStage::Kind;

constexpr int64_t padding = -1;

size_t at(int64_t number) { return static_cast<size_t>(number); }

//===-- Networks ----------------------------------------------------------------------------===//

/// Appends operators whose tensors are stacks of rows.
struct Builder {
  explicit Builder(unsigned seed) : random(seed) {}

  int64_t below(int64_t n) { return static_cast<int64_t>(random() % static_cast<unsigned>(n)); }

  int tensor(int64_t rows, int64_t rowBytes, int producer) {
    RowTensor t;
    t.rows = rows;
    t.rowBytes = rowBytes;
    t.producer = producer;
    network.tensors.push_back(t);
    return static_cast<int>(network.tensors.size()) - 1;
  }

  int add(std::vector<RowInput> inputs, int64_t rows, int64_t rowBytes, bool reduces = false) {
    const int op = static_cast<int>(network.operators.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      inputs[i].operand = static_cast<unsigned>(i);
      network.tensors[at(inputs[i].tensor)].lastReader = op;
    }
    const int result = tensor(rows, rowBytes, op);
    network.operators.push_back({std::move(inputs), {result}, !reduces, reduces});
    return result;
  }

  int window(int x, int64_t window, int64_t stride, int64_t padTop, int64_t padBottom,
             int64_t rowBytes) {
    const int64_t rows = (rowsOf(x) + padTop + padBottom - window) / stride + 1;
    return add({{0, x, true, window, stride, padTop}}, rows, rowBytes);
  }
  int sum(int x, int y) {
    return add({{0, x, true}, {0, y, true}}, rowsOf(x), network.tensors[at(x)].rowBytes);
  }
  int scale(int x, int whole) { return add({{0, x, true}, {0, whole, false}}, rowsOf(x), 4); }
  int reduce(int x) { return add({{0, x, true}}, 1, network.tensors[at(x)].rowBytes, true); }

  int64_t rowsOf(int tensor) const { return network.tensors[at(tensor)].rows; }

  /// `count` operators after one another, now and then with an earlier tensor beside the last.
  void grow(int count) {
    std::vector<int> all{tensor(4 + below(20), 4 * (1 + below(6)), -1)};
    while (static_cast<int>(network.operators.size()) < count)
      all.push_back(next(all));
    for (int tensor : all) // outputs: the last, and some before it
      if (tensor == all.back() || (tensor != all.front() && below(8) == 0))
        network.tensors[at(tensor)].lastReader = count;
  }

  RowNetwork network;

private:
  int next(const std::vector<int> &all) {
    const int last = all.back();
    const int64_t rows = rowsOf(last);
    if (below(4) == 0)
      for (int other : all)
        if (rowsOf(other) == rows && below(2) == 0)
          return sum(other, last);
    if (below(8) == 0 && all.size() > 1)
      return scale(last, all[at(below(static_cast<int64_t>(all.size()) - 1))]);
    if (below(10) == 0)
      return reduce(last);
    const int64_t taps = 1 + below(std::min<int64_t>(rows, 5));
    const bool pads = below(2) == 0;
    return window(last, taps, 1 + below(3), pads ? below(taps) : 0, pads ? below(taps) : 0,
                  4 * (1 + below(6)));
  }

  std::mt19937 random;
};

std::vector<int64_t> divisors(int64_t n) {
  std::vector<int64_t> result;
  for (int64_t d = 1; d <= n; ++d)
    if (n % d == 0)
      result.push_back(d);
  return result;
}

//===-- The replay --------------------------------------------------------------------------===//

/// Fires the schedule on explicit rows. A ring is the rows that were appended to it: their numbers,
/// or `padding`.
class Replay {
public:
  Replay(const RowNetwork &network, const Chain &chain)
      : network(network), chain(chain), rings(network.tensors.size()),
        fronts(network.tensors.size(), 0), written(network.tensors.size()),
        fired(chain.stages.size(), 0), rowLives(network.tensors.size()) {
    for (size_t i = 0; i < network.tensors.size(); ++i) {
      const RowTensor &t = network.tensors[i];
      written[i] = t.producer < chain.begin ? t.rows : 0;
      rowLives[i].assign(at(t.rows), {t.producer < chain.begin ? 0 : -1, 0});
    }
  }

  void run() {
    for (int stage : chain.schedule) {
      fire(at(stage));
      if (testing::Test::HasFailure())
        return;
      ++time;
    }
    for (size_t i = 0; i < chain.stages.size(); ++i)
      EXPECT_EQ(fired[i], chain.stages[i].firings) << "stage " << i;
    for (int op = chain.begin; op < chain.end; ++op)
      EXPECT_EQ(produced[network.operators[at(op)].outputs.front()],
                network.tensors[at(network.operators[at(op)].outputs.front())].rows);
    checkRam();
  }

private:
  void fire(size_t number) {
    const ChainStage &stage = chain.stages[number];
    SCOPED_TRACE(testing::Message() << "firing " << time << " of stage " << number);
    ringBytes.push_back(0);
    switch (stage.kind) {
    case Kind::FillRows:
      append(stage, padding);
      break;
    case Kind::CopyRows: {
      const int tensor = stage.inputs.front().tensor;
      EXPECT_TRUE(!isTaken(tensor) || stage.height == 1);
      for (int64_t i = 0; i < stage.height; ++i) {
        const int64_t row = fired[number] * stage.height + i;
        ASSERT_LT(row, written[at(tensor)]);
        read(tensor, row);
        append(stage, row);
      }
      break;
    }
    case Kind::Kernel:
      for (const ChainStage::Operand &input : stage.inputs)
        findRows(stage, input, fired[number]);
      produce(stage, fired[number]);
      break;
    }
    for (size_t i = 0; i < rings.size(); ++i)
      ringBytes.back() +=
          (static_cast<int64_t>(rings[i].size()) - fronts[i]) * network.tensors[i].rowBytes;
    ++fired[number];
    for (const ChainStage::Operand &input : stage.inputs)
      if (input.isRing)
        release(input.tensor);
  }

  void append(const ChainStage &stage, int64_t row) {
    ASSERT_TRUE(stage.output.isRing);
    std::vector<int64_t> &ring = rings[at(stage.output.tensor)];
    ring.push_back(row);
    EXPECT_LE(static_cast<int64_t>(ring.size()) - fronts[at(stage.output.tensor)],
              chain.rings.at(stage.output.tensor));
  }

  // The rows that the operator reads, whatever the stage says.
  void findRows(const ChainStage &stage, const ChainStage::Operand &operand, int64_t firing) {
    const RowInput &input = network.operators[at(stage.op)].inputs[operand.operand];
    const int64_t rows = network.tensors[at(input.tensor)].rows;
    ASSERT_EQ(operand.tensor, input.tensor);
    if (!input.isWalked) {
      EXPECT_FALSE(operand.isRing);
      EXPECT_EQ(written[at(input.tensor)], rows);
      for (int64_t row = 0; row < rows; ++row)
        read(input.tensor, row);
      return;
    }
    for (int64_t y = firing * stage.height; y < (firing + 1) * stage.height; ++y)
      for (int64_t tap = 0; tap < input.window; ++tap) {
        const int64_t row = y * input.stride - input.padTop + tap;
        const int64_t place = operand.first + firing * operand.advance +
                              (y - firing * stage.height) * input.stride + tap;
        if (operand.isRing) {
          const std::vector<int64_t> &ring = rings[at(input.tensor)];
          ASSERT_GE(place, fronts[at(input.tensor)]);
          ASSERT_LT(place, static_cast<int64_t>(ring.size()));
          EXPECT_EQ(ring[at(place)], row < 0 || row >= rows ? padding : row);
        } else {
          EXPECT_EQ(place, row);
          EXPECT_FALSE(isTaken(input.tensor));
          ASSERT_GE(row, 0);
          ASSERT_LT(row, written[at(input.tensor)]);
          read(input.tensor, row);
        }
      }
  }

  void produce(const ChainStage &stage, int64_t firing) {
    const int result = network.operators[at(stage.op)].outputs.front();
    ASSERT_EQ(stage.output.tensor, result);
    const bool isLast = firing + 1 == stage.firings;
    const int64_t rows =
        stage.reduces ? (isLast ? network.tensors[at(result)].rows : 0) : stage.height;
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t row = produced[result]++;
      EXPECT_LT(row, network.tensors[at(result)].rows);
      if (stage.output.isRing) {
        append(stage, row);
      } else {
        ++written[at(result)];
        rowLives[at(result)][at(row)] = {time, time};
      }
    }
  }

  // What the caller hands over is never in RAM as a whole.
  bool isTaken(int tensor) const {
    return chain.takesRows && network.tensors[at(tensor)].arrivesByRows;
  }

  void read(int tensor, int64_t row) { rowLives[at(tensor)][at(row)].last = time; }

  // Rows that every reader has passed go.
  void release(int tensor) {
    int64_t passed = std::numeric_limits<int64_t>::max();
    bool isDone = true;
    for (size_t i = 0; i < chain.stages.size(); ++i)
      for (const ChainStage::Operand &input : chain.stages[i].inputs)
        if (input.isRing && input.tensor == tensor) {
          passed = std::min(passed, input.first + fired[i] * input.advance);
          isDone &= fired[i] == chain.stages[i].firings;
        }
    const auto size = static_cast<int64_t>(rings[at(tensor)].size());
    EXPECT_LE(passed, size) << "more rows are passed than there are";
    fronts[at(tensor)] = isDone ? size : passed;
  }

  // Rings as they were, whole rows from the first firing that touches them to the last.
  void checkRam() const {
    std::vector<int64_t> live = ringBytes;
    const int end = static_cast<int>(live.size());
    for (size_t i = 0; i < network.tensors.size(); ++i) {
      const RowTensor &t = network.tensors[i];
      if (t.producer >= chain.end || t.lastReader < chain.begin || isTaken(static_cast<int>(i)))
        continue;
      for (const Life &life : rowLives[i])
        for (int step = life.first;
             step >= 0 && step <= (t.lastReader >= chain.end ? end - 1 : life.last); ++step)
          live[at(step)] += t.rowBytes;
    }
    for (int step = 0; step < end; ++step) {
      const ChainStage &stage = chain.stages[at(chain.schedule[at(step)])];
      if (stage.kind == Kind::Kernel) {
        EXPECT_LE(live[at(step)], chain.liveBytes[at(stage.op - chain.begin)]) << "step " << step;
      }
    }
    EXPECT_LE(*std::max_element(live.begin(), live.end()),
              *std::max_element(chain.liveBytes.begin(), chain.liveBytes.end()));
  }

  struct Life {
    int first, last;
  };
  const RowNetwork &network;
  const Chain &chain;
  std::vector<std::vector<int64_t>> rings;
  std::vector<int64_t> fronts;  // of the rings: rows that are gone
  std::vector<int64_t> written; // rows of whole tensors
  std::map<int, int64_t> produced;
  std::vector<int64_t> fired;
  std::vector<std::vector<Life>> rowLives; // of whole tensors
  std::vector<int64_t> ringBytes;          // by step
  int time = 0;
};

void replay(const RowNetwork &network, int begin, int end, const std::vector<int64_t> &heights) {
  const Chain chain = playChain(network, begin, end, heights);
  Replay(network, chain).run();
}

//===-- Chains ------------------------------------------------------------------------------===//

TEST(Streaming, TwoConvolutionsKeepTheRowsOfAWindow) {
  Builder b(0);
  const int x = b.tensor(8, 10, -1);
  const int y = b.window(x, 3, 1, 1, 1, 20);
  const int z = b.window(y, 3, 1, 0, 0, 30);
  b.network.tensors[at(z)].lastReader = 2;
  const Chain chain = playChain(b.network, 0, 2, {1, 1});
  // The input is padded in a ring: three rows of it and of what is between the convolutions.
  EXPECT_EQ(chain.rings, (std::map<int, int64_t>{{x, 3}, {y, 3}}));
  ASSERT_EQ(chain.stages.size(), 4u); // copy, two kernels, fill
  EXPECT_EQ(chain.stages[0].kind, Kind::CopyRows);
  EXPECT_EQ(chain.stages[3].kind, Kind::FillRows);
  // A row of padding, two rows of the input, the first row between; ...
  EXPECT_EQ(std::vector<int>(chain.schedule.begin(), chain.schedule.begin() + 10),
            (std::vector<int>{3, 0, 0, 1, 0, 1, 0, 1, 2, 0}));
  EXPECT_EQ(chain.schedule.size(), 2 + 8 + 8 + 6u);
  Replay(b.network, chain).run();
}

TEST(Streaming, AForkKeepsRowsUntilBothBranchesHavePassed) {
  Builder b(0);
  const int x = b.tensor(9, 4, -1);
  const int y = b.window(x, 1, 1, 0, 0, 8);
  const int z = b.window(y, 5, 1, 2, 2, 8);
  const int s = b.sum(y, z);
  b.network.tensors[at(s)].lastReader = 3;
  const Chain chain = playChain(b.network, 0, 3, {1, 1, 1});
  EXPECT_EQ(chain.rings, (std::map<int, int64_t>{{y, 5}, {z, 1}}));
  Replay(b.network, chain).run();
}

TEST(Streaming, ARowOfTheCallerNeedsNoPlaceButInTheRing) {
  Builder b(0);
  const int x = b.tensor(8, 100, -1);
  const int y = b.window(x, 2, 2, 0, 0, 10);
  b.network.tensors[at(y)].lastReader = 1;
  const int64_t whole = *playChain(b.network, 0, 1, {1}).liveBytes.begin();
  b.network.tensors[at(x)].arrivesByRows = true;
  const Chain chain = playChain(b.network, 0, 1, {1});
  EXPECT_TRUE(chain.takesRows);
  EXPECT_EQ(chain.rings, (std::map<int, int64_t>{{x, 2}}));
  EXPECT_EQ(chain.schedule, (std::vector<int>{0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1}));
  EXPECT_LT(chain.liveBytes.front(), 300);
  EXPECT_GT(whole, 800);
  Replay(b.network, chain).run();
}

TEST(Streaming, OnlyTheFirstChainTakesRowsAndOnlyIfNothingElseReadsThem) {
  Builder b(0);
  const int x = b.tensor(8, 4, -1);
  const int y = b.window(x, 3, 1, 1, 1, 4);
  b.network.tensors[at(b.sum(x, y))].lastReader = 2;
  b.network.tensors[at(x)].arrivesByRows = true;
  EXPECT_FALSE(takesRows(b.network, x, 0, 1)); // the sum reads them too
  EXPECT_TRUE(takesRows(b.network, x, 0, 2));
  EXPECT_FALSE(takesRows(b.network, x, 1, 2));
  EXPECT_FALSE(takesRows(b.network, y, 0, 2));
  b.network.operators[1].inputs[0].isWalked = false;
  EXPECT_FALSE(takesRows(b.network, x, 0, 2));
}

TEST(Streaming, WhatIsWantedAsAWholeIsNoRing) {
  Builder b(0);
  const int x = b.tensor(6, 4, -1);
  const int y = b.window(x, 1, 1, 0, 0, 8);
  const int m = b.reduce(y);
  const int z = b.scale(y, m);
  b.network.tensors[at(z)].lastReader = 3;
  const Chain chain = playChain(b.network, 0, 3, {1, 1, 1});
  EXPECT_EQ(chain.rings, (std::map<int, int64_t>{{y, 6}})); // all of it until the mean is there
  Replay(b.network, chain).run();
}

TEST(Streaming, EveryFiringOfRandomChainsFindsItsRows) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Builder b(seed);
    b.grow(static_cast<int>(1 + b.below(8)));
    const int count = static_cast<int>(b.network.operators.size());
    const int begin = static_cast<int>(b.below(count));
    const int end = begin + 1 + static_cast<int>(b.below(count - begin));
    for (size_t i = 0; i < b.network.tensors.size(); ++i)
      b.network.tensors[i].isOwn = b.below(8) != 0;
    b.network.tensors.front().arrivesByRows = b.below(2) == 0;
    std::vector<int64_t> heights;
    for (int op = begin; op < end; ++op) {
      const RowOperator &o = b.network.operators[at(op)];
      const auto possible = divisors(b.rowsOf(o.outputs.front()));
      heights.push_back(o.reduces ? 1
                                  : possible[at(b.below(static_cast<int64_t>(possible.size())))]);
    }
    replay(b.network, begin, end, heights);
    if (HasFailure())
      return;
  }
}

//===-- Cuts --------------------------------------------------------------------------------===//

/// Kernels with and without scratch and stack; a firing costs some cycles more than its share.
std::vector<TileChoice> choicesOf(const RowNetwork &network, int op, int64_t height) {
  const RowOperator &o = network.operators[at(op)];
  const int64_t rows =
      network.tensors[at(o.reduces ? o.inputs.front().tensor : o.outputs.front())].rows;
  const int64_t firings = height == 0 ? 1 : rows / height, work = 500 * rows;
  return {{work + 40 * firings, 32, 64}, {work + work / 4 + 40 * firings, 0, 0}};
}

/// All chains over all of `heightsOf`, and all choices that fit: the least cycles, if any.
std::optional<int64_t>
leastCycles(const RowNetwork &network, int64_t ramBytes,
            const std::function<std::vector<std::vector<int64_t>>(int, int)> &heightsOf) {
  const int count = static_cast<int>(network.operators.size());
  std::optional<int64_t> best;
  for (int64_t stack : {0, 64}) {
    auto cost = [&](int op, int64_t height, int64_t live) -> std::optional<int64_t> {
      for (const TileChoice &choice : choicesOf(network, op, height)) // fastest first
        if (live + choice.scratchBytes <= ramBytes - stack && choice.stackBytes <= stack)
          return choice.cycles;
      return std::nullopt;
    };
    std::vector<std::optional<int64_t>> until(at(count) + 1);
    until[0] = 0;
    auto reach = [&](int begin, int end, std::optional<int64_t> cycles) {
      if (until[at(begin)] && cycles &&
          (!until[at(end)] || *until[at(begin)] + *cycles < *until[at(end)]))
        until[at(end)] = *until[at(begin)] + *cycles;
    };
    for (int begin = 0; begin < count; ++begin) {
      reach(begin, begin + 1, cost(begin, 0, liveBytesAt(network, begin)));
      for (int end = begin + 1; end <= count; ++end)
        for (const std::vector<int64_t> &heights : heightsOf(begin, end)) {
          const Chain chain = playChain(network, begin, end, heights);
          std::optional<int64_t> all = chain.moveCycles;
          for (int op = begin; op < end; ++op) {
            auto one = cost(op, heights[at(op - begin)], chain.liveBytes[at(op - begin)]);
            all = all && one ? std::optional<int64_t>(*all + *one) : std::nullopt;
          }
          reach(begin, end, all);
        }
    }
    if (until.back() && (!best || *until.back() < *best))
      best = until.back();
  }
  return best;
}

int64_t rowsOfResult(const RowNetwork &network, int op) {
  const RowOperator &o = network.operators[at(op)];
  return o.reduces ? 1 : network.tensors[at(o.outputs.front())].rows;
}

std::vector<std::vector<int64_t>> uniformHeights(const RowNetwork &network, int begin, int end) {
  std::vector<std::vector<int64_t>> result;
  for (int64_t most : {1, 2, 4, 8}) {
    result.emplace_back();
    for (int op = begin; op < end; ++op) {
      int64_t height = std::min(most, rowsOfResult(network, op));
      while (rowsOfResult(network, op) % height != 0)
        --height;
      result.back().push_back(height);
    }
  }
  return result;
}

std::vector<std::vector<int64_t>> allHeights(const RowNetwork &network, int begin, int end) {
  std::vector<std::vector<int64_t>> result{{}};
  for (int op = begin; op < end; ++op) {
    std::vector<std::vector<int64_t>> longer;
    for (const std::vector<int64_t> &heights : result)
      for (int64_t height : divisors(rowsOfResult(network, op))) {
        longer.push_back(heights);
        longer.back().push_back(height);
      }
    result = std::move(longer);
  }
  return result;
}

TEST(Streaming, CutsAreAsGoodAsTheBestOfUniformHeights) {
  int64_t chains = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Builder b(seed);
    b.grow(3);
    const RowNetwork &network = b.network;
    std::map<std::pair<int, int64_t>, std::vector<TileChoice>> made;
    const StreamSearch search(network,
                              [&](int op, int64_t height) -> const std::vector<TileChoice> & {
                                return made[{op, height}] = choicesOf(network, op, height);
                              });
    auto uniform = [&](int begin, int end) { return uniformHeights(network, begin, end); };
    auto all = [&](int begin, int end) { return allHeights(network, begin, end); };
    std::optional<int64_t> before;
    for (int64_t ram = 100; ram <= 1300; ram += 150) {
      const std::optional<StreamPlan> plan = search.fastest(ram, /*price=*/0);
      const std::optional<int64_t> found = leastCycles(network, ram, uniform),
                                   least = leastCycles(network, ram, all);
      if (found) {
        ASSERT_TRUE(plan);
        EXPECT_LE(plan->cycles, *found);
      }
      if (!plan)
        continue;
      ASSERT_TRUE(least);
      EXPECT_GE(plan->cycles, *least);
      EXPECT_GE(plan->cycles, search.leastCycles());
      EXPECT_LE(plan->ram.arenaBytes + plan->ram.stackBytes, ram);
      EXPECT_LE(plan->cycles, before.value_or(plan->cycles)) << "more RAM makes it slower";
      before = plan->cycles;
      chains += static_cast<int64_t>(plan->chains.size());
    }
  }
  EXPECT_GT(chains, 50);
}

TEST(Streaming, LeastRamIsWhatAPlanNeeds) {
  for (unsigned seed = 100; seed < 130; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Builder b(seed);
    b.grow(6);
    std::map<std::pair<int, int64_t>, std::vector<TileChoice>> made;
    const StreamSearch search(b.network,
                              [&](int op, int64_t height) -> const std::vector<TileChoice> & {
                                return made[{op, height}] = choicesOf(b.network, op, height);
                              });
    int64_t before = std::numeric_limits<int64_t>::max();
    for (int64_t percent : {100, 110, 130, 160, 1000}) {
      const int64_t cycles = search.leastCycles() * percent / 100;
      const int64_t ram = search.leastRam(cycles);
      const std::optional<StreamPlan> plan = search.fastest(ram);
      ASSERT_TRUE(plan);
      EXPECT_LE(ram, before);
      before = ram;
      EXPECT_LE(plan->cycles, cycles);
      const std::optional<StreamPlan> smaller = search.fastest(ram - 64);
      EXPECT_TRUE(!smaller || smaller->cycles > cycles);
    }
  }
}

} // namespace
