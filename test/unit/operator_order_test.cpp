// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The order of operators: possible, never worse than the given one, and the best of all orders
// where these can be listed. Peaks are checked against the lifetimes of buffers.
#include "passes/analysis/OperatorOrder.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <array>
#include <functional>
#include <numeric>
#include <random>

using namespace thimble;

namespace {

using Order = std::vector<size_t>;

Order identity(const OrderProblem &problem) {
  Order order(problem.operators.size());
  std::iota(order.begin(), order.end(), size_t(0));
  return order;
}

/// The peak by what is live in each step: the definition, without any state.
int64_t peakByLifetimes(const OrderProblem &problem, const Order &order) {
  const auto steps = static_cast<int64_t>(order.size());
  std::vector<int64_t> first(problem.buffers.size(), steps), last(problem.buffers.size(), -2);
  for (size_t b = 0; b < first.size(); ++b) {
    if (problem.buffers[b].isInput)
      first[b] = last[b] = -1;
    for (int64_t step = 0; step < steps; ++step)
      for (size_t touched : problem.operators[order[static_cast<size_t>(step)]].touches)
        if (touched == b) {
          first[b] = std::min(first[b], step);
          last[b] = step;
        }
    if (problem.buffers[b].isOutput)
      last[b] = steps;
  }
  int64_t peak = 0;
  for (int64_t step = -1; step < steps; ++step) {
    int64_t bytes = 0;
    for (size_t b = 0; b < first.size(); ++b)
      if (first[b] <= step && step <= last[b])
        bytes += problem.buffers[b].bytes;
    if (step >= 0) {
      const OrderOperator &op = problem.operators[order[static_cast<size_t>(step)]];
      bytes += op.workBytes;
      for (size_t b : op.inPlace)
        if (last[b] == step) {
          bytes -= problem.buffers[b].bytes;
          break;
        }
    }
    peak = std::max(peak, bytes);
  }
  return peak;
}

bool isPossible(const OrderProblem &problem, const Order &order) {
  std::vector<bool> done(problem.operators.size());
  for (size_t op : order) {
    for (size_t earlier : problem.operators[op].after)
      if (!done[earlier])
        return false;
    if (done[op])
      return false;
    done[op] = true;
  }
  return order.size() == done.size();
}

/// The least peak of all orders that are possible.
int64_t bruteForce(const OrderProblem &problem) {
  int64_t best = peakByLifetimes(problem, identity(problem));
  Order order;
  std::vector<bool> done(problem.operators.size());
  std::function<void()> extend = [&] {
    if (order.size() == done.size())
      best = std::min(best, peakByLifetimes(problem, order));
    for (size_t op = 0; op < done.size(); ++op) {
      const auto &after = problem.operators[op].after;
      if (done[op] || !std::all_of(after.begin(), after.end(), [&](size_t i) { return done[i]; }))
        continue;
      done[op] = true;
      order.push_back(op);
      extend();
      order.pop_back();
      done[op] = false;
    }
  };
  extend();
  return best;
}

/// Builds problems as networks are: an operator reads tensors and computes one.
class Network {
public:
  size_t input(int64_t bytes) { return addTensor({bytes, true, false}, {}); }
  void output(size_t tensor) { problem.buffers[tensor].isOutput = true; }
  size_t compute(const std::vector<size_t> &tensors, int64_t bytes, bool inPlace = false,
                 int64_t work = 0) {
    OrderOperator op;
    op.workBytes = work;
    for (size_t tensor : tensors) {
      op.after.insert(op.after.end(), writers[tensor].begin(), writers[tensor].end());
      op.touches.push_back(tensor);
      if (inPlace && problem.buffers[tensor].bytes == bytes)
        op.inPlace.push_back(tensor);
    }
    const size_t number = problem.operators.size();
    const size_t result = addTensor({bytes, false, false}, {number});
    op.touches.push_back(result);
    problem.operators.push_back(std::move(op));
    return result;
  }
  /// Parts of one buffer, each written by an operator of its own, as before a concatenation.
  size_t join(const std::vector<size_t> &tensors, int64_t bytes) {
    std::vector<size_t> numbers;
    const size_t whole = addTensor({bytes, false, false}, {});
    for (size_t tensor : tensors) {
      numbers.push_back(problem.operators.size());
      problem.operators.push_back({writers[tensor], {tensor, whole}, {}, 0});
    }
    writers[whole] = numbers;
    return whole;
  }

  OrderProblem problem;

private:
  size_t addTensor(OrderBuffer buffer, std::vector<size_t> writtenBy) {
    problem.buffers.push_back(buffer);
    writers.push_back(std::move(writtenBy));
    return writers.size() - 1;
  }
  std::vector<std::vector<size_t>> writers;
};

OrderProblem randomProblem(std::mt19937 &random, size_t operators, size_t reach) {
  auto below = [&](size_t n) { return static_cast<size_t>(random()) % n; };
  auto bytes = [&] { return static_cast<int64_t>(8 * below(8)); };
  Network network;
  std::vector<size_t> tensors{network.input(bytes()), network.input(bytes())};
  auto recent = [&] {
    return tensors[tensors.size() - 1 - below(std::min(reach, tensors.size()))];
  };
  while (network.problem.operators.size() < operators) {
    std::vector<size_t> read{recent()};
    if (size_t other = recent(); below(2) && other != read.front())
      read.push_back(other);
    if (read.size() == 2 && below(4) == 0)
      tensors.push_back(network.join(read, bytes()));
    else
      tensors.push_back(network.compute(read, bytes(), below(2), below(3) ? 0 : bytes()));
    if (below(6) == 0)
      network.output(tensors.back());
  }
  network.output(tensors.back());
  // Outputs stay as they are.
  for (OrderOperator &op : network.problem.operators)
    op.inPlace.erase(std::remove_if(op.inPlace.begin(), op.inPlace.end(),
                                    [&](size_t b) { return network.problem.buffers[b].isOutput; }),
                     op.inPlace.end());
  return network.problem;
}

/// Branches of a few operators from one tensor that are added up, one after another.
OrderProblem pathOfBranches(std::mt19937 &random, size_t cells, size_t branches, size_t length) {
  auto bytes = [&] { return static_cast<int64_t>(16 + random() % 1000); };
  Network network;
  size_t tensor = network.input(bytes());
  for (size_t cell = 0; cell < cells; ++cell) {
    std::vector<size_t> heads(branches, tensor);
    // The given order is by depth: all branches at once.
    for (size_t depth = 0; depth < length; ++depth)
      for (size_t &head : heads)
        head = network.compute({head}, bytes());
    tensor = network.compute(heads, bytes());
  }
  network.output(tensor);
  return network.problem;
}

void expectSound(const OrderProblem &problem, const OperatorOrder &found) {
  ASSERT_TRUE(isPossible(problem, found.order));
  EXPECT_EQ(found.peak, peakByLifetimes(problem, found.order));
  EXPECT_EQ(found.peak, peakOf(problem, found.order));
  const int64_t given = peakByLifetimes(problem, identity(problem));
  EXPECT_LE(found.peak, given);
  if (found.peak == given) {
    EXPECT_EQ(found.order, identity(problem));
  }
}

TEST(OperatorOrder, NothingToOrder) {
  OrderProblem problem;
  EXPECT_TRUE(findOrder(problem).order.empty());
  problem.buffers = {{40, true, true}};
  EXPECT_EQ(findOrder(problem).peak, 40);
}

TEST(OperatorOrder, OneBranchAfterTheOther) {
  Network network;
  const size_t x = network.input(10);
  const size_t a = network.compute({x}, 100), b = network.compute({x}, 100);
  const size_t c = network.compute({a}, 1), d = network.compute({b}, 1);
  network.output(network.compute({c, d}, 1));
  const OperatorOrder found = findOrder(network.problem);
  EXPECT_EQ(peakOf(network.problem, identity(network.problem)), 210);
  EXPECT_EQ(found.order, (Order{0, 2, 1, 3, 4}));
  EXPECT_EQ(found.peak, 111);
  EXPECT_TRUE(found.isOptimal());
}

// y = f(x) + g(x): where g is computed from x last, it can take over the bytes of x.
TEST(OperatorOrder, LastReaderInPlace) {
  Network network;
  const size_t x = network.input(100);
  const size_t g = network.compute({x}, 100, /*inPlace=*/true);
  const size_t f = network.compute({x}, 60);
  network.output(network.compute({f, g}, 100, /*inPlace=*/true));
  const OperatorOrder found = findOrder(network.problem);
  EXPECT_EQ(found.order, (Order{1, 0, 2}));
  EXPECT_EQ(found.peak, 160);
}

TEST(OperatorOrder, TheGivenOrderStaysWherePeaksDoNotRise) {
  Network network;
  const size_t x = network.input(300);
  size_t y = network.compute({x}, 10);
  const size_t a = network.compute({y}, 100), b = network.compute({y}, 100);
  const size_t c = network.compute({a}, 1), d = network.compute({b}, 1);
  network.output(network.compute({c, d}, 1));
  EXPECT_EQ(findOrder(network.problem).order, identity(network.problem));
}

TEST(OperatorOrder, AsGoodAsAllOrders) {
  std::mt19937 random(1);
  int improved = 0;
  for (int round = 0; round < 1500; ++round) {
    const OrderProblem problem = randomProblem(random, 3 + random() % 5, 2 + random() % 6);
    const OperatorOrder found = findOrder(problem);
    expectSound(problem, found);
    EXPECT_TRUE(found.isOptimal());
    ASSERT_EQ(found.peak, bruteForce(problem)) << "round " << round;
    improved += found.peak < peakOf(problem, identity(problem));
  }
  EXPECT_GT(improved, 100);
}

// With few steps the order may be worse, which is then not called optimal.
TEST(OperatorOrder, OptimalOnlyIfProven) {
  std::mt19937 random(2);
  int proven = 0;
  for (int round = 0; round < 1000; ++round) {
    const OrderProblem problem = randomProblem(random, 4 + random() % 4, 8);
    const OperatorOrder found = findOrder(problem, /*stepLimit=*/1);
    expectSound(problem, found);
    const int64_t best = bruteForce(problem);
    EXPECT_GE(found.peak, best);
    if (found.isOptimal()) {
      EXPECT_EQ(found.peak, best);
      ++proven;
    }
  }
  EXPECT_GT(proven, 100);
  EXPECT_LT(proven, 1000);
}

TEST(OperatorOrder, SixtyFourOperatorsOnAPathOfBranches) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round)
    for (auto [cells, branches, length] :
         {std::array<size_t, 3>{12, 2, 2}, {7, 4, 2}, {4, 5, 3}, {3, 4, 5}, {3, 5, 4}, {1, 7, 9}}) {
      const OrderProblem problem = pathOfBranches(random, cells, branches, length);
      ASSERT_LE(problem.operators.size(), 64u);
      const OperatorOrder found = findOrder(problem);
      expectSound(problem, found);
      EXPECT_TRUE(found.isOptimal())
          << cells << " cells of " << branches << " branches of " << length;
    }
}

TEST(OperatorOrder, LargeNetworksTakeBoundedTime) {
  std::mt19937 random(4);
  const OrderProblem problem = randomProblem(random, 400, 30);
  const OperatorOrder found = findOrder(problem);
  expectSound(problem, found);
  EXPECT_LT(found.peak, peakOf(problem, identity(problem)));
  EXPECT_EQ(found.order, findOrder(problem).order);
}

} // namespace
