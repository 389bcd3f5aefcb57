// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/PlacementSearch.h"

#include <algorithm>
#include <bitset>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

using namespace thimble;

//===-- The instance ------------------------------------------------------------------------===//

/// What divides every offset of a canonical placement: offsets are sums of sizes, each aligned.
static int64_t unitOf(const std::vector<PlacementBuffer> &buffers) {
  int64_t sizes = 0, alignments = 0;
  for (const PlacementBuffer &b : buffers)
    if (b.bytes > 0) {
      sizes = std::gcd(sizes, b.bytes);
      alignments = std::gcd(alignments, b.alignment);
    }
  const bool isAlwaysAligned =
      std::all_of(buffers.begin(), buffers.end(), [&](const PlacementBuffer &b) {
        return b.bytes == 0 || sizes % b.alignment == 0 || b.alignment % sizes == 0;
      });
  return std::max<int64_t>(1, isAlwaysAligned ? sizes : std::gcd(sizes, alignments));
}

PlacementSearch::PlacementSearch(const std::vector<PlacementBuffer> &buffers, Longest longest,
                                 uint64_t seed, const Deadline &deadline)
    : bufferCount(buffers.size()), unit(unitOf(buffers)), random(static_cast<uint32_t>(seed + 1)),
      deadline(deadline) {
  // An empty buffer lies at 0 and bothers nobody.
  for (size_t i = 0; i < buffers.size(); ++i) {
    const PlacementBuffer &b = buffers[i];
    if (b.bytes == 0)
      continue;
    Block block;
    block.buffer = i;
    block.size = b.bytes / unit;
    block.alignment = std::max<int64_t>(1, b.alignment / unit);
    block.length = b.last - b.first + 1;
    blocks.push_back(block);
  }
  addSections(buffers);
  addNeighbours(buffers);
  if (longest == Longest::InSections)
    for (Block &block : blocks)
      block.length = block.lastSection - block.firstSection + 1;
}

void PlacementSearch::addSections(const std::vector<PlacementBuffer> &buffers) {
  std::set<int64_t> starts;
  for (const Block &block : blocks)
    starts.insert(buffers[block.buffer].first);
  for (auto start = starts.begin(); start != starts.end(); ++start) {
    Section section;
    // The live set is part of the next one unless a buffer ends before that begins.
    bool hasEnd = std::next(start) == starts.end();
    for (size_t i = 0; i < blocks.size(); ++i) {
      const PlacementBuffer &b = buffers[blocks[i].buffer];
      if (b.first <= *start && *start <= b.last) {
        section.blocks.push_back(static_cast<int>(i));
        hasEnd = hasEnd || b.last < *std::next(start);
      }
    }
    if (hasEnd)
      sections.push_back(std::move(section));
  }
  for (int s = 0; s < static_cast<int>(sections.size()); ++s)
    for (int b : sections[s].blocks) {
      if (blocks[b].firstSection < 0)
        blocks[b].firstSection = s;
      blocks[b].lastSection = s;
    }
  for (const Block &block : blocks)
    count(block, 1);
}

void PlacementSearch::addNeighbours(const std::vector<PlacementBuffer> &buffers) {
  auto isTwin = [](const Block &a, const Block &b) {
    return a.size == b.size && a.alignment == b.alignment && a.firstSection == b.firstSection &&
           a.lastSection == b.lastSection;
  };
  neighbours.resize(blocks.size());
  twins.resize(blocks.size());
  for (size_t a = 0; a < blocks.size(); ++a)
    for (size_t b = 0; b < blocks.size(); ++b)
      if (a != b && buffers[blocks[a].buffer].overlaps(buffers[blocks[b].buffer])) {
        neighbours[a].push_back(static_cast<int>(b));
        if (isTwin(blocks[a], blocks[b]))
          twins[a].push_back(static_cast<int>(b));
      }
}

std::vector<int64_t> PlacementSearch::offsets() const {
  std::vector<int64_t> offsets(bufferCount, 0);
  for (const Block &block : blocks)
    offsets[block.buffer] = block.base * unit;
  return offsets;
}

//===-- The state ---------------------------------------------------------------------------===//

void PlacementSearch::restart() {
  undo(0);
  for (Section &section : sections)
    section.weight = 1 + (section.weight - 1) / 2;
  for (const Block &b : blocks)
    touch(b);
}

void PlacementSearch::touch(const Block &block) {
  for (int s = block.firstSection; s <= block.lastSection; ++s) {
    sections[s].isStale = true;
    if (!sections[s].isQueued) {
      sections[s].isQueued = true;
      queue.push_back(s);
    }
  }
}

/// Raises the base of a block to an offset at least, and returns what it is then.
int64_t PlacementSearch::raise(int index, int64_t offset) {
  Block &block = blocks[index];
  offset = alignUp(offset, block.alignment);
  if (offset > block.base) {
    trail.push_back({index, block.base});
    block.base = offset;
    touch(block);
  }
  return block.base;
}

/// Adds a block to what is unplaced, or takes it away.
void PlacementSearch::count(const Block &block, int sign) {
  for (int s = block.firstSection; s <= block.lastSection; ++s) {
    sections[s].unplaced += sign * block.size;
    sections[s].bridges += s < block.lastSection ? sign : 0;
    sections[s].isStale = true;
  }
}

void PlacementSearch::place(int index) {
  Block &block = blocks[index];
  block.isPlaced = true;
  trail.push_back({index, -1});
  count(block, -1);
  touch(block);
  for (int n : neighbours[index])
    if (!blocks[n].isPlaced)
      raise(n, block.top());
}

void PlacementSearch::undo(size_t mark) {
  for (; trail.size() > mark; trail.pop_back()) {
    Block &block = blocks[trail.back().block];
    if (trail.back().base < 0) {
      block.isPlaced = false;
      count(block, 1);
      continue;
    }
    block.base = trail.back().base;
    for (int s = block.firstSection; s <= block.lastSection; ++s)
      sections[s].isStale = true;
  }
}

//===-- What sections imply -----------------------------------------------------------------===//

/// Draws all conclusions; false if some block finds no place any more.
bool PlacementSearch::propagate() {
  bool isPossible = true;
  for (size_t i = 0; i < queue.size(); ++i) {
    Section &section = sections[queue[i]];
    section.isQueued = false;
    if (!isPossible || section.unplaced == 0 || check(section))
      continue;
    isPossible = false;
    section.weight += 1;
  }
  queue.clear();
  return isPossible;
}

bool PlacementSearch::check(Section &section) {
  collect(section);
  const int64_t spare = slack(section);
  if (spare < 0)
    return false;
  raiseOntoLowest(section);
  if (spare == 0 && !raiseToSums(section))
    return false;
  return fitsAboveBases();
}

/// Finds what stands in a section, and the lowest of it.
void PlacementSearch::collect(Section &section) {
  standing.clear();
  section.floor = INT64_MAX;
  for (int b : section.blocks)
    if (const Block &block = blocks[b]; !block.isPlaced) {
      standing.push_back({block.base, block.size, b});
      section.floor = std::min(section.floor, block.base);
    }
  section.isStale = false;
}

/// All stand on the lowest: who is too high for that rests on one of the others.
void PlacementSearch::raiseOntoLowest(const Section &section) {
  const int64_t highest = capacity - section.unplaced;
  int64_t leastTop = capacity;
  for (const Standing &s : standing)
    if (s.base <= highest)
      leastTop = std::min(leastTop, s.base + s.size);
  for (Standing &s : standing)
    if (s.base > highest && s.base < leastTop)
      s.base = raise(s.block, leastTop);
}

/// Without slack there is no gap: a block starts where some of the others add up to.
bool PlacementSearch::raiseToSums(const Section &section) {
  // Words of 64 bits, of which a megabyte in units of 1024 takes 17.
  if (section.unplaced < 4 * 64)
    return raiseToSumsOf<4 * 64>(section);
  if (section.unplaced < 17 * 64)
    return raiseToSumsOf<17 * 64>(section);
  return section.unplaced >= 64 * 64 || raiseToSumsOf<64 * 64>(section);
}

/// The sums of all but one block are those of the blocks before it plus those of the blocks behind
/// it. Sums of a set are symmetric: x is one if and only if the total - x is.
template <size_t Width> bool PlacementSearch::raiseToSumsOf(const Section &section) {
  using Sums = std::bitset<Width>;
  std::vector<Sums> behind(standing.size() + 1);
  behind.back() = 1;
  for (size_t i = standing.size(); i-- > 0;)
    behind[i] = behind[i + 1] | behind[i + 1] << static_cast<size_t>(standing[i].size);
  const int64_t bottom = capacity - section.unplaced;
  Sums before = 1;
  int64_t rest = section.unplaced;
  for (size_t i = 0; i < standing.size(); ++i) {
    Standing &block = standing[i];
    const int64_t alignment = blocks[block.block].alignment;
    rest -= block.size;
    auto isSum = [&](int64_t sum) {
      const Sums mirrored = sum <= rest ? before << static_cast<size_t>(rest - sum)
                                        : before >> static_cast<size_t>(sum - rest);
      return (mirrored & behind[i + 1]).any();
    };
    int64_t offset = block.base;
    while (offset + block.size <= capacity && (offset % alignment != 0 || !isSum(offset - bottom)))
      ++offset;
    if (offset + block.size > capacity)
      return false;
    block.base = raise(block.block, offset);
    before |= before << static_cast<size_t>(block.size);
  }
  return true;
}

/// What is not below some offset must fit between it and the capacity.
bool PlacementSearch::fitsAboveBases() {
  std::sort(standing.begin(), standing.end(),
            [](const Standing &a, const Standing &b) { return a.base > b.base; });
  int64_t above = 0;
  for (const Standing &s : standing) {
    above += s.size;
    if (s.base + above > capacity)
      return false;
  }
  return true;
}

//===-- The search --------------------------------------------------------------------------===//

PlacementSearch::Answer PlacementSearch::run(int64_t capacityBytes, int64_t nodeLimit) {
  capacity = capacityBytes / unit;
  stopAt = nodeCount + nodeLimit;
  restart();
  const Answer answer =
      propagate() ? search(0, static_cast<int>(sections.size())) : Answer::Impossible;
  for (Block &b : blocks)
    b.tie = random();
  return answer;
}

/// What may be lost above the lowest unplaced block.
int64_t PlacementSearch::slack(Section &section) {
  if (section.isStale)
    collect(section);
  return capacity - section.floor - section.unplaced;
}

/// Places what is unplaced in sections [begin, end), part by part, the tightest first.
PlacementSearch::Answer PlacementSearch::search(int begin, int end) {
  for (const Part &part : split(begin, end)) {
    const Answer answer = branch(part.begin, part.end);
    if (answer != Answer::Found)
      return answer;
  }
  return Answer::Found;
}

/// The parts of sections [begin, end) that no unplaced block connects.
std::vector<PlacementSearch::Part> PlacementSearch::split(int begin, int end) {
  std::vector<Part> parts;
  bool isOpen = false;
  for (int s = begin; s < end; ++s) {
    if (sections[s].unplaced == 0)
      continue;
    if (!isOpen)
      parts.push_back({slack(sections[s]), s, s});
    parts.back().slack = std::min(parts.back().slack, slack(sections[s]));
    parts.back().end = s + 1;
    isOpen = sections[s].bridges > 0;
  }
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part &a, const Part &b) { return a.slack < b.slack; });
  return parts;
}

/// Places the part of sections [begin, end); undoes everything unless it finds how.
PlacementSearch::Answer PlacementSearch::branch(int begin, int end) {
  const size_t entry = trail.size();
  Answer answer = Answer::Impossible;
  do {
    if (++nodeCount > stopAt || (nodeCount % 64 == 0 && deadline.isPast())) {
      answer = Answer::Unknown;
      break;
    }
    const int block = choose(begin, end);
    const size_t mark = trail.size();
    place(block);
    answer = propagate() ? search(begin, end) : Answer::Impossible;
    if (answer == Answer::Found)
      return answer;
    undo(mark);
    if (answer == Answer::Unknown || !raiseOntoNeighbour(block))
      break;
  } while (propagate());
  undo(entry);
  return answer;
}

/// The other branch: the block rests on a neighbour that is not placed yet.
bool PlacementSearch::raiseOntoNeighbour(int index) {
  Block &block = blocks[index];
  int64_t leastTop = INT64_MAX;
  for (int n : neighbours[index])
    if (!blocks[n].isPlaced)
      leastTop = std::min(leastTop, blocks[n].top());
  if (leastTop == INT64_MAX)
    return false;
  const int64_t before = block.base;
  raise(index, leastTop);
  // What the block cannot do its twins need not try.
  for (int t : twins[index])
    if (!blocks[t].isPlaced && blocks[t].base == before)
      raise(t, leastTop);
  return true;
}

/// A block that can be placed at its base: none of its neighbours has room below.
int PlacementSearch::choose(int begin, int end) {
  // Among sections of little slack the weights decide.
  const double little = static_cast<double>(capacity) / 256;
  auto urgency = [&](Section &section) {
    return section.weight / (static_cast<double>(slack(section)) + little);
  };
  Section *tightest = nullptr;
  for (int s = begin; s < end; ++s)
    if (sections[s].unplaced > 0 && (!tightest || urgency(sections[s]) > urgency(*tightest)))
      tightest = &sections[s];
  int lowest = lowestOf(tightest->blocks, INT64_MAX);
  for (int below = lowest; below >= 0;) {
    lowest = below;
    below = lowestOf(neighbours[lowest], blocks[lowest].base);
  }
  return lowest;
}

/// The lowest unplaced block that ends at `end` or before, long-lived ones first; -1 if none does.
int PlacementSearch::lowestOf(const std::vector<int> &candidates, int64_t end) const {
  auto key = [&](int b) {
    const Block &block = blocks[b];
    return std::make_tuple(block.base, -block.length, block.tie, b);
  };
  int best = -1;
  for (int b : candidates)
    if (!blocks[b].isPlaced && blocks[b].top() <= end && (best < 0 || key(b) < key(best)))
      best = b;
  return best;
}
