// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/PlacementSearch.h"

#include <algorithm>
#include <bitset>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

using namespace thimble;

static int64_t alignUp(int64_t offset, int64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

//===-- The instance ------------------------------------------------------------------------===//

/// What every offset of a canonical placement is a multiple of. Alignments divide all offsets, and
/// sizes do where aligning does not move their sums.
static int64_t unitOf(const std::vector<PlacementBuffer> &buffers) {
  int64_t alignments = 0, sizes = 0;
  for (const PlacementBuffer &b : buffers)
    alignments = std::gcd(alignments, b.alignment);
  for (const PlacementBuffer &b : buffers)
    sizes = std::gcd(sizes, alignUp(b.bytes, alignments));
  for (const PlacementBuffer &b : buffers)
    if (sizes % b.alignment != 0 && b.alignment % sizes != 0)
      return alignments;
  return sizes;
}

PlacementSearch::PlacementSearch(const std::vector<PlacementBuffer> &all,
                                 Clock::time_point deadline)
    : found(all.size(), 0), deadline(deadline) {
  // An empty buffer lies at 0 and bothers nobody.
  for (size_t i = 0; i < all.size(); ++i)
    if (all[i].bytes > 0) {
      buffers.push_back(all[i]);
      blocks.emplace_back();
      blocks.back().buffer = i;
    }
  if (buffers.empty())
    return;
  unit = unitOf(buffers);
  for (size_t i = 0; i < buffers.size(); ++i) {
    blocks[i].size = alignUp(buffers[i].bytes, unit) / unit;
    blocks[i].alignment = std::max<int64_t>(1, buffers[i].alignment / unit);
  }
  addSections();
  addNeighbours();
}

void PlacementSearch::addSections() {
  std::set<int64_t> starts;
  for (const PlacementBuffer &b : buffers)
    starts.insert(b.first);
  for (auto start = starts.begin(); start != starts.end(); ++start) {
    Section section;
    // The live set is part of the next one unless a buffer ends before that begins.
    bool hasEnd = std::next(start) == starts.end();
    for (size_t i = 0; i < buffers.size(); ++i)
      if (buffers[i].first <= *start && *start <= buffers[i].last) {
        section.blocks.push_back(static_cast<int>(i));
        hasEnd = hasEnd || buffers[i].last < *std::next(start);
      }
    if (hasEnd)
      sections.push_back(std::move(section));
  }
  for (int s = 0; s < static_cast<int>(sections.size()); ++s)
    for (int b : sections[s].blocks) {
      if (blocks[b].firstSection < 0)
        blocks[b].firstSection = s;
      blocks[b].lastSection = s;
      sections[s].unplaced += blocks[b].size;
      if (s > 0 && blocks[b].firstSection < s)
        ++sections[s - 1].bridges;
    }
}

void PlacementSearch::addNeighbours() {
  auto isTwin = [](const Block &a, const Block &b) {
    return a.size == b.size && a.alignment == b.alignment && a.firstSection == b.firstSection &&
           a.lastSection == b.lastSection;
  };
  for (size_t a = 0; a < blocks.size(); ++a)
    for (size_t b = 0; b < blocks.size(); ++b)
      if (a != b && buffers[a].overlaps(buffers[b])) {
        blocks[a].neighbours.push_back(static_cast<int>(b));
        if (isTwin(blocks[a], blocks[b]))
          blocks[a].twins.push_back(static_cast<int>(b));
      }
}

int64_t PlacementSearch::capacityAfter(int64_t capacity) const {
  // Up to where the limit of some block changes.
  int64_t step = unit;
  for (const PlacementBuffer &b : buffers)
    if (capacity >= b.bytes)
      step = std::min(step, unit - (capacity - b.bytes) % unit);
  return capacity + step;
}

//===-- The state ---------------------------------------------------------------------------===//

void PlacementSearch::setCapacity(int64_t capacity) {
  for (size_t i = 0; i < blocks.size(); ++i)
    blocks[i].limit = capacity < buffers[i].bytes ? -1 : (capacity - buffers[i].bytes) / unit;
  for (Section &section : sections) {
    section.ceiling = 0;
    for (int b : section.blocks)
      section.ceiling = std::max(section.ceiling, blocks[b].limit + blocks[b].size);
  }
}

void PlacementSearch::restart() {
  undo(0);
  for (Block &b : blocks) {
    b.base = 0;
    isBlocked |= b.limit < 0;
  }
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

void PlacementSearch::raise(int index, int64_t offset) {
  Block &block = blocks[index];
  offset = alignUp(offset, block.alignment);
  if (offset <= block.base)
    return;
  trail.push_back({index, block.base});
  block.base = offset;
  isBlocked |= offset > block.limit;
  touch(block);
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
  for (int n : block.neighbours)
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

/// False if some block finds no place any more.
bool PlacementSearch::propagate() {
  for (size_t i = 0; i < queue.size(); ++i) {
    Section &section = sections[queue[i]];
    section.isQueued = false;
    if (isBlocked || section.unplaced == 0)
      continue;
    if (!check(section)) {
      isBlocked = true;
      section.weight += 1;
    }
  }
  queue.clear();
  return !std::exchange(isBlocked, false);
}

bool PlacementSearch::check(Section &section) {
  standing.clear();
  for (int b : section.blocks)
    if (!blocks[b].isPlaced)
      standing.push_back(b);
  if (slack(section) < 0)
    return false;
  raiseOntoLowest(section);
  if (slack(section) == 0 && !raiseToSums(section))
    return false;
  // What is not below some offset must fit between it and the ceiling.
  std::sort(standing.begin(), standing.end(),
            [&](int a, int b) { return blocks[a].base > blocks[b].base; });
  int64_t above = 0;
  for (int b : standing) {
    above += blocks[b].size;
    if (blocks[b].base + above > section.ceiling)
      return false;
  }
  return true;
}

/// All stand on the lowest: who is too high for that rests on one of the others.
void PlacementSearch::raiseOntoLowest(const Section &section) {
  const int64_t highest = section.ceiling - section.unplaced;
  int64_t leastTop = section.ceiling;
  for (int b : standing)
    if (blocks[b].base <= highest)
      leastTop = std::min(leastTop, blocks[b].top());
  for (int b : standing)
    if (blocks[b].base > highest)
      raise(b, leastTop);
}

/// Without slack there is no gap: a block starts where some of the others add up to.
bool PlacementSearch::raiseToSums(const Section &section) {
  const int64_t sums = section.unplaced + 1;
  if (sums <= 256)
    return raiseToSums<256>(section, 1, 0, standing.size());
  if (sums <= 1024)
    return raiseToSums<1024>(section, 1, 0, standing.size());
  return sums > 4096 || raiseToSums<4096>(section, 1, 0, standing.size());
}

/// `sums` are those of the blocks outside [begin, end).
template <size_t Width>
bool PlacementSearch::raiseToSums(const Section &section, const std::bitset<Width> &sums,
                                  size_t begin, size_t end) {
  if (end - begin == 1) {
    const Block &block = blocks[standing[begin]];
    const int64_t bottom = section.ceiling - section.unplaced;
    int64_t offset = block.base;
    while (offset + block.size <= section.ceiling &&
           !(sums[offset - bottom] && offset % block.alignment == 0))
      ++offset;
    raise(standing[begin], offset);
    return offset + block.size <= section.ceiling;
  }
  auto with = [&](size_t from, size_t to) {
    std::bitset<Width> more = sums;
    for (size_t i = from; i < to; ++i)
      more |= more << static_cast<size_t>(blocks[standing[i]].size);
    return more;
  };
  const size_t middle = (begin + end) / 2;
  return raiseToSums<Width>(section, with(middle, end), begin, middle) &&
         raiseToSums<Width>(section, with(begin, middle), middle, end);
}

//===-- The search --------------------------------------------------------------------------===//

int64_t PlacementSearch::slack(Section &section) {
  if (std::exchange(section.isStale, false)) {
    section.floor = section.ceiling;
    for (int b : section.blocks)
      if (!blocks[b].isPlaced)
        section.floor = std::min(section.floor, blocks[b].base);
  }
  return section.ceiling - section.floor - section.unplaced;
}

/// 1 1 2 1 1 2 4 1 1 2 1 1 2 4 8 ...
static int64_t luby(int64_t i) {
  int64_t power = 1;
  while (2 * power - 1 < i)
    power *= 2;
  return 2 * power - 1 == i ? power : luby(i - power + 1);
}

PlacementSearch::Answer PlacementSearch::fit(int64_t capacity, int64_t nodeLimit) {
  constexpr int64_t shortest = 2000;
  const int64_t end = nodeCount + nodeLimit;
  setCapacity(capacity);
  for (int64_t round = 1;; ++round) {
    restart();
    stopAt = std::min(end, nodeCount + shortest * luby(round));
    const Answer answer =
        propagate() ? search(0, static_cast<int>(sections.size())) : Answer::Impossible;
    if (answer == Answer::Found)
      for (const Block &b : blocks)
        found[b.buffer] = b.base * unit;
    for (Block &b : blocks)
      b.tie = random();
    if (answer != Answer::Unknown || nodeCount >= end || isLate())
      return answer;
  }
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

PlacementSearch::Answer PlacementSearch::branch(int begin, int end) {
  const size_t entry = trail.size();
  Answer answer = Answer::Impossible;
  do {
    if (++nodeCount > stopAt || (nodeCount % 64 == 0 && isLate())) {
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
  for (int n : block.neighbours)
    if (!blocks[n].isPlaced)
      leastTop = std::min(leastTop, blocks[n].top());
  if (leastTop == INT64_MAX)
    return false;
  const int64_t before = block.base;
  raise(index, leastTop);
  // What the block cannot do its twins need not try.
  for (int t : block.twins)
    if (!blocks[t].isPlaced && blocks[t].base == before)
      raise(t, leastTop);
  return true;
}

/// A block that can be placed at its base: none of its neighbours has room below.
int PlacementSearch::choose(int begin, int end) {
  auto urgency = [&](Section &section) {
    return section.weight /
           (static_cast<double>(slack(section)) + static_cast<double>(section.ceiling) / 256);
  };
  Section *tightest = nullptr;
  for (int s = begin; s < end; ++s)
    if (sections[s].unplaced > 0 && (!tightest || urgency(sections[s]) > urgency(*tightest)))
      tightest = &sections[s];
  int lowest = lowestOf(tightest->blocks, INT64_MAX);
  for (int below = lowest; below >= 0;) {
    lowest = below;
    below = lowestOf(blocks[lowest].neighbours, blocks[lowest].base);
  }
  return lowest;
}

/// The lowest unplaced block that ends at `end` or before, long-lived ones first; -1 if none does.
int PlacementSearch::lowestOf(const std::vector<int> &candidates, int64_t end) const {
  auto key = [&](int b) {
    const Block &block = blocks[b];
    return std::make_tuple(block.base, buffers[b].first - buffers[b].last, block.tie, b);
  };
  int best = -1;
  for (int b : candidates)
    if (!blocks[b].isPlaced && blocks[b].top() <= end && (best < 0 || key(b) < key(best)))
      best = b;
  return best;
}
