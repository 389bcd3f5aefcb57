// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/FullyConnectedLayer.h"

using namespace thimble;

int64_t FullyConnectedCut::pairs() const {
  if (isLooped())
    return trips() * step / 2;
  return chunk < 4 ? std::min<int64_t>(chunk, 2) : (chunk + 3) / 4 * 2;
}

int64_t FullyConnectedCut::input(int64_t c, int64_t pair, int64_t lane) const {
  const int64_t four = pair / 2 * 4, k = pair % 2 + 2 * lane;
  if (isLooped()) {
    const int64_t at = four + k, lastTrip = depth + overlap() - step;
    return at < lastTrip ? at : at - lastTrip < overlap() ? -1 : at - overlap();
  }
  const int64_t inChunk = std::max<int64_t>(std::min(four, chunk - 4), 0) + k;
  const int64_t absolute = chunkStart(c) + inChunk;
  return inChunk < four || inChunk >= chunk || absolute < c * chunk ? -1 : absolute;
}

std::string FullyConnectedCode::name() const {
  std::string name = cut.isMixed ? "fc_mix" : "fc_w16";
  if (cut.isLooped())
    name += "_by" + std::to_string(cut.step) + (cut.overlap() ? "_rest" : "");
  else
    name += "_k" + std::to_string(cut.chunk);
  name += "_n" + std::to_string(stored()) + (isChunked ? "_chunks" : "");
  if (!isShared)
    name += form == OutputScaling::Signed ? "_s" : "_a";
  return name + OutputScaling::suffix(saturation);
}

//===-- Plans -------------------------------------------------------------------------------===//

namespace {

struct Scaling {
  OutputScaling numbers;
  bool isShared;
};

std::optional<Scaling> solveScaling(const WeightMatrix &m, const RequantPerChannel &requant,
                                    int bits, bool mayOffset) {
  if (llvm::all_equal(requant.multipliers) && llvm::all_equal(requant.scales)) {
    RequantPerChannel one = requant;
    one.multipliers.resize(1);
    one.scales.resize(requant.scales.empty() ? 0 : 1);
    ScaledAccumulator all{bits, m.intervals.front()};
    for (const AccumulatorInterval &i : m.intervals) {
      all.interval.low = std::min(all.interval.low, i.low);
      all.interval.high = std::max(all.interval.high, i.high);
    }
    if (auto numbers = OutputScaling::solve(one, all, mayOffset))
      return Scaling{std::move(*numbers), true};
  }
  std::vector<ScaledAccumulator> accumulators;
  for (const AccumulatorInterval &i : m.intervals)
    accumulators.push_back({bits, i});
  if (auto numbers = OutputScaling::solve(requant, accumulators, mayOffset))
    return Scaling{std::move(*numbers), false};
  return std::nullopt;
}

/// Outputs a pass: those that cost the least for all.
int64_t groupFor(int64_t outputs) {
  int64_t best = 8, least = std::numeric_limits<int64_t>::max();
  for (int64_t group : {8, 6, 4, 2}) {
    // The loads and products of a pair, of a byte-mix.
    int64_t cost = (outputs + group - 1) / group * (2 + 2 * group);
    if (cost < least) {
      best = group;
      least = cost;
    }
  }
  return best;
}

/// A chunk of at most `most` inputs, all chunks as good as equal.
int64_t chunkFor(int64_t depth, int64_t most) {
  int64_t chunks = (depth + most - 1) / most;
  return (depth + chunks - 1) / chunks;
}

} // namespace

std::optional<FullyConnectedLayer>
FullyConnectedLayer::create(WeightMatrix m, const RequantPerChannel &requant, int64_t step) {
  if (m.depth < step)
    return std::nullopt;
  const bool isMixed = m.fitsByteMix();
  const int bits = isMixed ? 8 : m.scaleBits(8);
  if (bits < 0)
    return std::nullopt;
  std::optional<Scaling> scaling = solveScaling(m, requant, bits, /*mayOffset=*/!isMixed);
  if (!scaling)
    return std::nullopt;
  // Offsets are in the accumulators' first values: what is left is an addend of zero.
  OutputScaling &numbers = scaling->numbers;
  if (numbers.form == OutputScaling::Fold)
    numbers.form = OutputScaling::Add;
  constexpr int64_t mostUnrolled = 128;
  FullyConnectedCut cut{
      m.depth, m.outputs, groupFor(m.outputs), step ? m.depth : chunkFor(m.depth, mostUnrolled),
      step,    isMixed};
  // Layers of many inputs share the code of those with one chunk.
  const bool isChunked = !cut.isLooped() && (cut.chunk >= 64 || cut.chunks() > 1);
  FullyConnectedCode code{cut, scaling->isShared, isChunked, numbers.form, numbers.saturation};
  return FullyConnectedLayer{std::move(m), std::move(numbers), bits, code};
}

//===-- Constants ---------------------------------------------------------------------------===//

namespace {

class Table {
public:
  explicit Table(const FullyConnectedLayer &layer)
      : cut(layer.code.cut), m(layer.weights), scaling(layer.scaling), bits(layer.bits),
        isShared(layer.code.isShared) {}

  std::vector<int32_t> pack() {
    OutputScaling::Channel shared;
    if (isShared)
      shared = scaling.channels.front();
    words = {shared.multiplier,
             shared.addend,
             shared.signAddend,
             scaling.shift,
             static_cast<int32_t>(cut.blocks()),
             static_cast<int32_t>(cut.chunks())};
    if (cut.isLooped())
      push(cut.loopEnd());
    for (int64_t g = 0; g < cut.groups(); g += cut.blockGroups())
      addBlock(g, std::min(g + cut.blockGroups(), cut.groups()));
    return std::move(words);
  }

private:
  void addBlock(int64_t first, int64_t end) {
    push(end - first);
    for (int64_t g = first; g < end; ++g)
      addStarts(g);
    for (int64_t c = 0; c < cut.chunks(); ++c) {
      push(cut.chunkStart(c));
      for (int64_t g = first; g < end; ++g) {
        addWeights(c, g);
        if (c + 1 == cut.chunks())
          addTrailer(g);
      }
    }
  }

  void push(int64_t value) { words.push_back(static_cast<int32_t>(value)); }

  /// 2^bits * S of output `o` before the first product; a group may have more than the layer.
  int64_t start(int64_t o) const {
    if (o >= m.outputs)
      return 0;
    int32_t offset = scaling.channels[isShared ? 0 : static_cast<size_t>(o)].offset;
    return m.biases[static_cast<size_t>(o)] * (int64_t(1) << bits) + offset;
  }
  int64_t bias(int64_t o) const { return o < m.outputs ? m.biases[static_cast<size_t>(o)] : 0; }
  int64_t weight(int64_t o, int64_t k) const { return o < m.outputs && k >= 0 ? m.at(o, k) : 0; }

  /// Byte-mix has the sums of odd outputs first, then those of even ones, which are not scaled.
  void addStarts(int64_t g) {
    int64_t first = cut.groupStart(g);
    if (!cut.isMixed) {
      for (int64_t o = first; o < first + cut.group; ++o)
        push(start(o));
      return;
    }
    for (int64_t o = first; o < first + cut.group; o += 2)
      push(start(o + 1) + bias(o));
    for (int64_t o = first; o < first + cut.group; o += 2)
      push(bias(o));
  }

  void addWeights(int64_t c, int64_t g) {
    int64_t first = cut.groupStart(g);
    for (int64_t pair = 0; pair < cut.pairs(); ++pair)
      for (int64_t i = 0; i < cut.wordsPerPair(); ++i) {
        auto lane = [&](int64_t l) {
          int64_t k = cut.input(c, pair, l), o = first + (cut.isMixed ? 2 * i : i);
          return cut.isMixed ? 256 * weight(o + 1, k) + weight(o, k)
                             : weight(o, k) * (int64_t(1) << bits);
        };
        push((lane(0) & 0xffff) | (lane(1) & 0xffff) << 16);
      }
  }

  void addTrailer(int64_t g) {
    int64_t first = cut.groupStart(g);
    push(first);
    if (!isShared)
      for (int64_t o = first; o < first + cut.group; ++o)
        scaling.appendConstants(static_cast<size_t>(std::min(o, m.outputs - 1)), words);
  }

  const FullyConnectedCut &cut;
  const WeightMatrix &m;
  const OutputScaling &scaling;
  int bits;
  bool isShared;
  std::vector<int32_t> words;
};

} // namespace

int64_t FullyConnectedLayer::tableWords() const {
  const FullyConnectedCut &cut = code.cut;
  return cut.headerWords() + cut.groups() * (cut.group + code.trailerWords()) +
         cut.blocks() * (1 + cut.chunks()) + cut.chunks() * cut.groups() * cut.groupWords();
}

std::vector<int32_t> FullyConnectedLayer::table() const { return Table(*this).pack(); }
