// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// An exact search for a placement within a given capacity; Placement.cpp asks it for less and less.
//
// Only canonical placements are visited: every buffer lies at 0 or rests on a neighbour, a buffer
// that is live together with it. Pushing buffers down makes any placement canonical. The search
// goes upwards: `base` is the least offset that a buffer can still have, and a node
//   - places a buffer at its base and raises its unplaced neighbours above it, or
//   - raises it onto the lowest of these neighbours: it rests on one of them.
// The buffer is one below which no neighbour finds room any more, hence nothing is lost by putting
// them all above.
//
// Steps matter only as sections, spans of time with one set of live buffers. Moffitt, "MiniMalloc:
// A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning" (ASPLOS 2023) has
// canonical placements, inference by sections, the order that follows the tightest section and the
// decomposition into parts that no buffer connects. Added to them are
//   - energetic reasoning as of scheduling (Baptiste, Le Pape, Nuijten, 2001): the buffers that are
//     not below x must fit between x and the capacity, and who is not lowest rests on another;
//   - sums of subsets: in a section without slack a buffer starts where others add up to;
//   - weights of sections that failed (Boussemart et al., ECAI 2004), halved at each restart.
#pragma once

#include "passes/analysis/Placement.h"
#include "passes/analysis/PlacementDeadline.h"

#include <random>

namespace thimble {

class PlacementSearch {
public:
  enum class Answer { Found, Impossible, Unknown };

  /// Of the buffers that could be lowest those go first that live through most steps, or through
  /// most sections.
  enum class Longest { InSteps, InSections };

  /// For plain buffers. The first run decides between equals by their order, later ones by chance.
  PlacementSearch(const std::vector<PlacementBuffer> &buffers, Longest longest, uint64_t seed,
                  const Deadline &deadline);

  /// Looks for a placement of at most `capacity` bytes, from the beginning but with what earlier
  /// runs have learnt about hard sections. Unknown: a limit ended it.
  Answer run(int64_t capacity, int64_t nodeLimit);

  /// What run() found.
  std::vector<int64_t> offsets() const;
  /// The least capacity above this one that makes a difference.
  int64_t capacityAfter(int64_t capacity) const { return (capacity / unit + 1) * unit; }
  int64_t nodes() const { return nodeCount; }

private:
  /// A buffer that is not empty; sizes and offsets are in units.
  struct Block {
    size_t buffer = 0;
    int64_t size = 0, alignment = 1, length = 0;
    int firstSection = -1, lastSection = -1;
    /// The least offset that is left, or the final one.
    int64_t base = 0;
    bool isPlaced = false;
    /// Decides between equals.
    uint64_t tie = 0;

    int64_t top() const { return base + size; }
  };
  struct Section {
    std::vector<int> blocks;
    /// The size of all unplaced blocks.
    int64_t unplaced = 0;
    /// How many of them reach into the next section.
    int bridges = 0;
    /// The least base of them, unless `isStale`.
    int64_t floor = 0;
    bool isStale = true, isQueued = false;
    /// Grows when the section fails.
    double weight = 1;
  };
  /// What to undo: a base, or that the block was placed where that is negative.
  struct Change {
    int block;
    int64_t base;
  };
  /// An unplaced block of the section that is looked at.
  struct Standing {
    int64_t base, size;
    int block;
  };
  struct Part {
    int64_t slack;
    int begin, end;
  };

  void addSections(const std::vector<PlacementBuffer> &buffers);
  void addNeighbours(const std::vector<PlacementBuffer> &buffers);

  void restart();
  void touch(const Block &block);
  int64_t raise(int block, int64_t offset);
  void count(const Block &block, int sign);
  void place(int block);
  void undo(size_t mark);

  bool propagate();
  bool check(Section &section);
  void collect(Section &section);
  void raiseOntoLowest(const Section &section);
  bool raiseToSums(const Section &section);
  template <size_t Width> bool raiseToSumsOf(const Section &section);
  bool fitsAboveBases();

  int64_t slack(Section &section);
  Answer search(int begin, int end);
  std::vector<Part> split(int begin, int end);
  Answer branch(int begin, int end);
  bool raiseOntoNeighbour(int block);
  int choose(int begin, int end);
  int lowestOf(const std::vector<int> &candidates, int64_t end) const;

  size_t bufferCount;
  int64_t unit;
  std::vector<Block> blocks;
  std::vector<Section> sections;
  /// Of each block: what is live together with it, and who of these could change places with it.
  std::vector<std::vector<int>> neighbours, twins;
  int64_t capacity = 0;

  std::vector<Change> trail;
  /// Sections to check().
  std::vector<int> queue;
  std::vector<Standing> standing;

  std::minstd_rand random;
  int64_t nodeCount = 0, stopAt = 0;
  const Deadline &deadline;
};

} // namespace thimble
