// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Chains of operators that take turns row by row, so that the tensors between them never exist as a
// whole: which rows are there when, and which chains a network is best cut into. Plain C++.
#pragma once

#include "passes/analysis/Selection.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace thimble {

/// A tensor that is a stack of rows. Tensors and operators are numbers; operators run in their
/// order.
struct RowTensor {
  int64_t rows = 1;
  int64_t rowBytes = 0;
  int producer = -1;   // -1: an input of the network
  int lastReader = -1; // the number of operators: an output of the network
  /// Whether its rows may come and go one by one: no other tensor shares its bytes.
  bool isOwn = true;
  /// Whether its bytes are those of another tensor, which counts them.
  bool isPart = false;
  /// Whether the caller hands over its rows one by one. It need not exist as a whole: the chain
  /// that begins the network may take each row as it comes.
  bool arrivesByRows = false;

  int64_t bytes() const { return rows * rowBytes; }
};

/// How an operator reads a tensor. Output row y needs the rows from y * stride - padTop on,
/// `window` of them; those outside the tensor are padding.
struct RowInput {
  unsigned operand = 0;
  int tensor = -1;
  bool isWalked = false; // else all of the tensor is needed for any row
  int64_t window = 1, stride = 1, padTop = 0;
};

struct RowOperator {
  std::vector<RowInput> inputs; // but for constants
  std::vector<int> outputs;
  /// Whether it can compute some rows of its only output at a time.
  bool streams = false;
  /// Whether it takes in one row of its only input at a time instead, for an output that is there
  /// with the last.
  bool reduces = false;
};

struct RowNetwork {
  std::vector<RowTensor> tensors;
  std::vector<RowOperator> operators;
};

/// One kind of step of a chain.
struct ChainStage {
  enum class Kind { Kernel, CopyRows, FillRows };
  struct Operand {
    unsigned operand = 0;
    int tensor = -1;
    bool isRing = false;
    /// Row of the first firing, and how far a firing goes. Rows of a ring count from its first
    /// padding.
    int64_t first = 0, advance = 0;
    int64_t needs = 0; // rows from the current one on that a firing wants to find
  };
  Kind kind = Kind::Kernel;
  int op = -1;
  int64_t height = 1; // rows of the output, of one firing
  std::vector<Operand> inputs;
  Operand output;
  int64_t firings = 0;
  bool reduces = false;
};

/// A run of operators, row by row.
struct Chain {
  int begin = 0, end = 0; // operators [begin, end)
  std::vector<ChainStage> stages;
  std::vector<int> schedule;    // stages in the order in which they fire
  std::map<int, int64_t> rings; // rows that there are at most, by tensor
  /// Whether it takes the rows of the network's input as they come.
  bool takesRows = false;
  /// For each operator the most bytes of tensors that are live while it fires.
  std::vector<int64_t> liveBytes;
  int64_t moveCycles = 0; // of firing and of moving rows
};

/// Whether operators [begin, end) can take the rows of tensor `number` as they come: they are the
/// first of the network, and nothing else reads it.
bool takesRows(const RowNetwork &network, int number, int begin, int end);

/// Plays operators [begin, end) of `network`, operator i making `heights[i - begin]` rows at a time
/// (a divisor of its rows; 1 for one that reduces): whichever is furthest along and finds its rows
/// fires next.
Chain playChain(const RowNetwork &network, int begin, int end, const std::vector<int64_t> &heights);

/// Bytes of the tensors that are live while operator `op` computes its whole result.
int64_t liveBytesAt(const RowNetwork &network, int op);

/// A way to compute some rows of an operator: cycles of all firings together, and bytes.
struct TileChoice {
  int64_t cycles = 0, scratchBytes = 0, stackBytes = 0;
};
/// The choices of an operator for a height, or for the whole tensor at once (height 0). At least
/// one for height 0.
using TileChoices = std::function<const std::vector<TileChoice> &(int op, int64_t height)>;

/// Where a network is cut. Operators in no chain run one at a time.
struct StreamPlan {
  std::vector<Chain> chains;
  int64_t cycles = 0;
  /// What suffices, but for what fixed offsets lose.
  RamLimit ram;
};

/// Plans of a network.
class StreamSearch {
public:
  StreamSearch(const RowNetwork &network, TileChoices choices);
  ~StreamSearch();

  /// The fastest plan within `ramBytes` of arena and stack, if there is one. Of plans that are
  /// about as fast it is the one with the smaller rings and scratch, which are easier to place: a
  /// kilobyte of them must save `price` of the least time.
  std::optional<StreamPlan> fastest(int64_t ramBytes, double price = 1.0 / 1000) const;
  /// Whether all plans begin with a chain that takes the rows of the input as they come: where it
  /// arrives by rows they do if any does.
  bool takesRows() const { return takeRows; }
  /// Cycles of the fastest plan of all.
  int64_t leastCycles() const { return unlimitedCycles; }
  /// The least bytes with which some plan takes at most `cycles`.
  int64_t leastRam(int64_t cycles) const;

private:
  struct Slice;
  void addSlices(int begin);
  void addWhole(int op);
  void takeRowsIfPossible();
  void listStacks();
  /// Operators from `begin` on, with these heights; nothing if no kernel can compute one of them.
  std::optional<Slice> sliceOf(int begin, const std::vector<int64_t> &heights) const;
  /// The heights of a chain: `rowsOfFiring` says for the rows of a result how many a firing makes
  /// at most.
  template <typename Rows>
  std::vector<int64_t> heightsOf(int begin, int end, Rows rowsOfFiring) const;
  struct Limits {
    RamLimit ram;
    double bytePrice; // cycles
  };
  /// Changes single heights of a chain while that makes it faster.
  Slice improved(Slice slice, const Limits &limits) const;
  struct SliceCost {
    int64_t cycles = 0;
    double value = 0; // cycles and the price of the bytes
  };
  SliceCost costOf(const Slice &slice, const Limits &limits) const;
  struct Path {
    int64_t cycles = 0;
    RamLimit ram;
    std::vector<const Slice *> slices;
  };
  Path shortest(const Limits &limits) const;
  /// The shortest path over all ways to part `ramBytes` between arena and stack.
  std::optional<Path> shortest(int64_t ramBytes, double bytePrice) const;

  const RowNetwork &network;
  TileChoices choices;
  std::vector<std::vector<Slice>> slices; // by their end
  std::vector<int64_t> stacks;            // depths worth a try
  bool takeRows = false;
  int64_t unlimitedCycles = 0;
};

} // namespace thimble
