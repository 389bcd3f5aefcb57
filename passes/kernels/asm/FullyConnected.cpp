// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Fully connected layers of int8, and convolutions that are one for each of a few pixels. Every
// weight is used once, so loads decide: a pass computes up to eight outputs, whose accumulators
// stay in registers, and unpacks no weight.
//
// Byte-mix: a 16-bit lane holds 256 * odd + even for the weights of two outputs, a word the lanes
// of two inputs. SMLAD with the word gives 256 * S_odd + S_even, SXTB16 leaves the even weights,
// and a second SMLAD gives S_even. Two inputs and eight outputs take five loads and twelve
// operations: 18 cycles for 16 products. Where a weight is -128 or the sums are too wide, weights
// take 16 bits.
//
// Inputs are widened to pairs of 16 bits in the frame, at fixed offsets: no register points at
// them, so the code is unrolled over a chunk of inputs. Layers with more inputs go through the
// chunks in turn for a block of outputs, whose sums wait in the frame; the last chunk overlaps the
// one before it, with weights of zero, if need be. So does the last pass over outputs.
//
// A second kernel has its inputs' pairs in scratch memory and loops over them: a little slower, but
// small, and one for layers of all sizes.
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/WeightMatrix.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble {
namespace {

/// How a layer is cut up.
struct Cut {
  int64_t depth, outputs;
  int64_t group; // outputs a pass
  int64_t chunk; // inputs that the code is unrolled over
  bool isMixed;  // byte-mix, not 16 bits a weight
  bool isLooped; // over the inputs, of any number, in one chunk

  /// Outputs whose sums wait between chunks.
  static constexpr int64_t mostSums = 64;

  int64_t chunks() const { return (depth + chunk - 1) / chunk; }
  int64_t groups() const { return (outputs + group - 1) / group; }
  /// Groups that go through the chunks together.
  int64_t blockGroups() const {
    return chunks() == 1 ? groups() : std::min(groups(), mostSums / group);
  }
  int64_t blocks() const { return (groups() + blockGroups() - 1) / blockGroups(); }
  /// Pairs of inputs in a chunk; those of four bytes are (0, 2) and (1, 3), as SXTB16 makes them.
  int64_t pairs() const { return chunk < 4 ? std::min<int64_t>(chunk, 2) : (chunk + 3) / 4 * 2; }
  int64_t wordsPerPair() const { return isMixed ? group / 2 : group; }
  int64_t groupWords() const { return pairs() * wordsPerPair(); }
  /// See `Table`.
  int64_t headerWords() const { return isLooped ? 8 : 6; }
  int64_t chunkStart(int64_t c) const { return std::min(c * chunk, depth - chunk); }
  int64_t groupStart(int64_t g) const {
    return std::max<int64_t>(std::min(g * group, outputs - group), 0);
  }
  /// The input in a lane of a pair of chunk `c`; negative where another lane has it already.
  int64_t input(int64_t c, int64_t pair, int64_t lane) const {
    int64_t four = pair / 2 * 4;
    int64_t k = std::max<int64_t>(std::min(four, chunk - 4), 0) + pair % 2 + 2 * lane;
    int64_t absolute = chunkStart(c) + k;
    return k < four || k >= chunk || absolute < c * chunk ? -1 : absolute;
  }
};

/// The output numbers of a layer: shared by all outputs, whose form and shift the code reads from
/// the table, or of their own, read with the weights.
struct Scaling {
  OutputScaling numbers;
  bool isShared;
  int bits; // accumulators are 2^bits * S
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
      return Scaling{std::move(*numbers), true, bits};
  }
  std::vector<ScaledAccumulator> accumulators;
  for (const AccumulatorInterval &i : m.intervals)
    accumulators.push_back({bits, i});
  if (auto numbers = OutputScaling::solve(requant, accumulators, mayOffset))
    return Scaling{std::move(*numbers), false, bits};
  return std::nullopt;
}

/// Words at the start of a table: q, C, D, E (where they are shared), the numbers of blocks and
/// chunks; for loops over inputs the numbers of quadruples and of inputs before the last four. A
/// block is the number of its groups, their accumulators' first values, and for each chunk, where
/// its inputs start and the weights of each group; after those in the last chunk come where the
/// group's outputs start and the numbers of each output, if they have their own.
class Table {
public:
  Table(const Cut &cut, const WeightMatrix &m, const Scaling &scaling)
      : cut(cut), m(m), scaling(scaling) {}

  std::vector<int32_t> pack() {
    OutputScaling::Channel shared;
    if (scaling.isShared)
      shared = scaling.numbers.channels.front();
    words = {shared.multiplier,
             shared.addend,
             shared.signAddend,
             scaling.numbers.shift,
             static_cast<int32_t>(cut.blocks()),
             static_cast<int32_t>(cut.chunks())};
    if (cut.isLooped) {
      push(cut.pairs() / 2);
      push(cut.depth - 4);
    }
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
    int32_t offset = scaling.numbers.channels[scaling.isShared ? 0 : static_cast<size_t>(o)].offset;
    return m.biases[static_cast<size_t>(o)] * (int64_t(1) << scaling.bits) + offset;
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
                             : weight(o, k) * (int64_t(1) << scaling.bits);
        };
        push((lane(0) & 0xffff) | (lane(1) & 0xffff) << 16);
      }
  }

  void addTrailer(int64_t g) {
    int64_t first = cut.groupStart(g);
    push(first);
    if (!scaling.isShared)
      for (int64_t o = first; o < first + cut.group; ++o)
        scaling.numbers.appendConstants(static_cast<size_t>(std::min(o, m.outputs - 1)), words);
  }

  const Cut &cut;
  const WeightMatrix &m;
  const Scaling &scaling;
  std::vector<int32_t> words;
};

/// What the code of a layer depends on.
struct Code {
  Cut cut;
  bool isShared;
  bool isChunked;           // any number of chunks, not one
  OutputScaling::Form form; // if not shared
  OutputScaling::Saturation saturation;

  int64_t constantWords() const { return form == OutputScaling::Signed ? 3 : 2; }
  int64_t trailerWords() const { return 1 + (isShared ? 0 : cut.group * constantWords()); }
  /// A layer may have fewer outputs than one pass.
  int64_t stored() const { return std::min(cut.group, cut.outputs); }
  /// In the frame, after the pairs of a chunk.
  int64_t sumsOffset() const { return 4 * cut.pairs(); }
  int64_t frameBytes() const {
    return cut.isLooped ? 0 : sumsOffset() + (isChunked ? 4 * Cut::mostSums : 0);
  }
};

//===-- Instructions ------------------------------------------------------------------------===//

class Instructions {
public:
  Instructions(AsmBuilder &a, const Code &code, bool isSigned)
      : a(a), code(code), cut(code.cut), isSigned(isSigned) {}

  void emit(ArrayRef<Reg> arguments) {
    inputs = a.toS(arguments[0]);
    outputs = a.toS(arguments[1]);
    Reg table = arguments[2];
    Regs header = a.loadTableMultiple(table, static_cast<size_t>(cut.headerWords()));
    for (int i = 0; i < 4; ++i)
      numbers.push_back(a.toS(header[i]));
    if (cut.isLooped) {
      pairs = a.toS(arguments[3]);
      quads = a.toS(header[6]);
      lastFour = a.toS(header[7]);
    }
    if (!code.isChunked)
      return block(table);
    SReg blocksLeft = a.toS(header[4]);
    SReg chunks = a.toS(header[5]);
    a.repeat(cut.blocks(), {table, blocksLeft}, [&] {
      chunksLeft = a.copy(chunks);
      block(table);
      blocksLeft = a.toS(a.subs(a.toR(blocksLeft), 1));
    });
  }

private:
  void block(Reg &table) {
    Reg count = a.loadTablePost(table, 4);
    groups = a.toS(count);
    SReg starts = a.toS(table);
    table = a.mla(count, a.constant(4 * cut.group), table);
    if (!code.isChunked)
      return chunk(table, starts);
    a.repeat(cut.chunks(), {table, starts, chunksLeft}, [&] {
      chunk(table, starts);
      starts = a.toS(a.frameAddress(code.sumsOffset()));
      chunksLeft = a.toS(a.subs(a.toR(chunksLeft), 1));
    });
  }

  void chunk(Reg &w, SReg starts) {
    Reg x = a.add(a.toR(inputs), a.loadTablePost(w, 4));
    widen(x);
    SReg left = a.copy(groups);
    Variables carried{w, starts, left};
    SReg sums;
    if (code.isChunked) {
      sums = a.toS(a.frameAddress(code.sumsOffset()));
      carried.push_back(sums);
    }
    a.repeat(cut.blockGroups(), carried, [&] {
      group(w, starts, sums);
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  void group(Reg &w, SReg &starts, SReg &sums) {
    Reg from = a.toR(starts);
    Regs acc = a.loadMultiple(from, static_cast<size_t>(cut.group));
    starts = a.toS(from);
    if (cut.isLooped)
      accumulateAll(acc, w);
    else
      for (int64_t pair = 0; pair < cut.pairs(); ++pair)
        accumulate(acc, w, a.loadFrame(4 * pair), 4);
    if (!code.isChunked)
      return finish(acc, w);
    a.compare(a.toR(chunksLeft), 1);
    const int64_t chunks = cut.chunks();
    auto keep = [&] {
      Reg to = a.toR(sums);
      for (Reg sum : acc)
        a.storePost(sum, to, 4);
      sums = a.toS(to);
    };
    a.branch("ne", chunks - 1, chunks, {w, sums}, keep, [&] { finish(acc, w); });
  }

  void accumulateAll(Regs &acc, Reg &w) {
    Reg x = a.toR(pairs);
    SReg left = a.copy(quads);
    Variables carried{w, x, left};
    for (Reg &sum : acc)
      carried.push_back(sum);
    a.repeat(cut.pairs() / 2, carried, [&] {
      accumulate(acc, w, a.loadPost(x, 4), 2);
      accumulate(acc, w, a.loadPost(x, 4), 2);
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  /// The widened inputs and the words of a pair are one run of loads, `most` words at a time: with
  /// the accumulators they fill the registers.
  void accumulate(Regs &acc, Reg &w, Reg x, int64_t most) {
    for (int64_t first = 0; first < cut.wordsPerPair(); first += most) {
      const int64_t count = std::min(most, cut.wordsPerPair() - first);
      Regs words;
      words.resize(static_cast<size_t>(count));
      for (int64_t i = 1; i < count; ++i)
        words[i] = a.loadTable(w, 4 * i);
      words[0] = a.loadTablePost(w, 4 * count);
      for (int64_t i = 0; i < count; ++i) {
        acc[first + i] = a.smlad(words[i], x, acc[first + i]);
        if (cut.isMixed) {
          Reg &even = acc[cut.group / 2 + first + i];
          even = a.smlad(a.sxtb16(words[i]), x, even);
        }
      }
    }
  }

  void finish(ArrayRef<Reg> acc, Reg &w) {
    Reg y = a.add(a.toR(outputs), a.loadTablePost(w, 4));
    if (!code.isShared)
      return scaleAll(acc, y, [&](Reg sum) {
        Regs own;
        for (int64_t i = 0; i < code.constantWords(); ++i)
          own.push_back(a.loadTablePost(w, 4));
        return OutputScaling::scale(a, code.form, sum, own);
      });
    // With an addend for negative sums, the numbers take the register that points at the table.
    SReg table = a.toS(w);
    Regs shared{a.toR(numbers[0]), a.toR(numbers[1]), a.toR(numbers[2])};
    a.compare(shared[2], 0);
    auto scaleIn = [&](OutputScaling::Form form) {
      scaleAll(acc, y, [&](Reg sum) { return OutputScaling::scale(a, form, sum, shared); });
    };
    a.branch(
        "ne", isSigned ? 1 : 0, 1, {}, [&] { scaleIn(OutputScaling::Signed); },
        [&] { scaleIn(OutputScaling::Add); });
    w = a.toR(table);
  }

  void scaleAll(ArrayRef<Reg> acc, Reg y, llvm::function_ref<Reg(Reg)> scale) {
    Reg shift = a.toR(numbers[3]);
    auto output = [&](Reg sum, int64_t i) {
      Reg value = OutputScaling::saturate(a, code.saturation, a.shiftRightBy(scale(sum), shift));
      if (i < code.stored())
        a.store(value, y, i, Width::U8);
    };
    if (!cut.isMixed) {
      for (auto [i, sum] : llvm::enumerate(acc))
        output(sum, static_cast<int64_t>(i));
      return;
    }
    for (int64_t i = 0; i < cut.group; i += 2) {
      Reg even = acc[(cut.group + i) / 2], odd = a.sub(acc[i / 2], even);
      output(a.shiftLeft(even, 8), i);
      output(odd, i + 1);
    }
  }

  /// A chunk of bytes to pairs in the frame.
  void widen(Reg x) {
    if (cut.isLooped)
      return widenAll(x);
    if (cut.chunk < 4)
      return widenFew(x);
    Reg to = a.frameAddress(0);
    constexpr int64_t atOnce = 16;
    a.loop(cut.chunk / atOnce, {x, to}, [&] {
      Regs words;
      words.resize(4);
      for (int64_t i = 1; i < 4; ++i)
        words[i] = a.load(x, 4 * i);
      words[0] = a.loadPost(x, atOnce);
      for (int64_t i = 1; i < 4; ++i)
        storePairs(words[i], to, 8 * i);
      a.store(a.sxtb16Ror8(words[0]), to, 4);
      a.storePost(a.sxtb16(words[0]), to, 2 * atOnce);
    });
    const int64_t rest = cut.chunk % atOnce;
    for (int64_t k = 0; k < rest; k += 4)
      storePairs(a.load(x, std::min(k, rest - 4)), to, 2 * k);
  }
  void widenAll(Reg x) {
    Reg to = a.toR(pairs), last = a.add(x, a.toR(lastFour));
    SReg left = a.copy(quads);
    a.repeat(cut.pairs() / 2, {x, to, left}, [&] {
      a.compare(x, last);
      Reg bytes = a.load(a.select("hi", last, x));
      storePairs(bytes, to, 0);
      x = a.add(x, 4);
      to = a.add(to, 8);
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }
  void storePairs(Reg bytes, Reg to, int64_t offset) {
    a.store(a.sxtb16(bytes), to, offset);
    a.store(a.sxtb16Ror8(bytes), to, offset + 4);
  }
  void widenFew(Reg x) {
    Reg first = a.load(x, 0, Width::S8);
    if (cut.chunk == 3)
      first = a.packBottom(first, lsl(a.load(x, 2, Width::S8), 16));
    a.storeFrame(first, 0);
    if (cut.chunk >= 2)
      a.storeFrame(a.load(x, 1, Width::S8), 4);
  }

  AsmBuilder &a;
  const Code &code;
  const Cut &cut;
  bool isSigned; // for costs
  SReg inputs, outputs, groups, chunksLeft;
  SReg pairs, quads, lastFour; // where the code loops over inputs
  SRegs numbers;               // q, C, D, E
};

//===-- Portable code -----------------------------------------------------------------------===//

class Portable {
public:
  Portable(KernelBuilder &b, const Code &code, ArrayRef<Buffer> buffers)
      : b(b), code(code), cut(code.cut), x(buffers[0]), y(buffers[1]), table(buffers[2]) {}

  void emit() {
    KernelBuilder::NoOverflow wraps(b, false);
    Val blocks = b.toIndex(word(b.index(4)));
    lastChunk = b.toIndex(word(b.index(5))) - 1;
    pairs = cut.isLooped ? b.toIndex(word(b.index(6))) * 2 : b.index(cut.pairs());
    lastFour = cut.isLooped ? b.toIndex(word(b.index(7))) : b.index(cut.chunk - 4);
    b.loop("block", b.index(0), blocks, 1, {b.index(cut.headerWords())},
           [&](Val, ArrayRef<Val> at) { return Vals{block(at[0])}; });
  }

private:
  Val word(Val index) { return b.load(table, index, "word"); }

  /// Where the next block is.
  Val block(Val at) {
    groups = b.toIndex(word(at));
    Val starts = at + 1;
    chunks = starts + groups * cut.group;
    Val trailers = chunks + lastChunk * chunkStep() + 1;
    Val step = groupWords() + code.trailerWords();
    b.loop("g", b.index(0), groups, 1, [&](Val g) {
      Val trailer = trailers + g * step + groupWords();
      b.loop("o", code.stored(), [&](Val o) {
        Val sum =
            b.accumulate("chunk", b.index(0), lastChunk + 1, 1, start(starts + g * cut.group, o),
                         [&](Val c, Val sum) { return products(sum, c, g, o); });
        b.store(y, b.toIndex(word(trailer)) + o, scaled(sum, trailer, o));
      });
    });
    return trailers + groups * step;
  }
  Val chunkStep() { return groups * groupWords() + 1; }
  Val groupWords() { return pairs * cut.wordsPerPair(); }

  /// 2^bits * S of output `o` before the first product.
  Val start(Val starts, Val o) {
    if (!cut.isMixed)
      return word(starts + o);
    Val odd = word(starts + o / 2), even = word(starts + o / 2 + cut.group / 2);
    return b.select(o % 2 == 1, odd - even, even << 8);
  }

  Val products(Val sum, Val c, Val g, Val o) {
    Val chunk = chunks + c * chunkStep();
    Val own = b.select(c == lastChunk, b.index(code.trailerWords()), b.index(0));
    Val weights = chunk + 1 + g * (own + groupWords());
    Val from = b.toIndex(word(chunk));
    return b.accumulate("pair", b.index(0), pairs, 1, sum, [&](Val pair, Val sum) {
      Val at = pair / 2 * 4;
      if (cut.isLooped || (cut.chunk % 4 != 0 && cut.chunk > 4))
        at = b.min(at, lastFour);
      at = at + pair % 2;
      // A lane without an input has a weight of zero.
      Val other = cut.chunk < 4 ? b.min(at + 2, b.index(cut.chunk - 1)) : at + 2;
      Val lanes = word(weights + pair * cut.wordsPerPair() + (cut.isMixed ? o / 2 : o));
      return sum + weight(dsp::lowHalf(lanes), o) * b.load(x, from + at, "x") +
             weight(dsp::highHalf(lanes), o) * b.load(x, from + other, "x");
    });
  }

  /// 2^bits times the weight in a lane.
  Val weight(Val lane, Val o) {
    if (!cut.isMixed)
      return lane;
    Val even = (lane << 24) >> 24;
    return b.select(o % 2 == 1, lane - even, even << 8);
  }

  Val scaled(Val sum, Val trailer, Val o) {
    Val shift = word(b.index(3)), result;
    if (code.isShared) {
      // Without a sign's addend this is the shorter form.
      result = OutputScaling::scale(b, OutputScaling::Signed, sum,
                                    {word(b.index(0)), word(b.index(1)), word(b.index(2))});
    } else {
      Vals own;
      for (int64_t i = 0; i < code.constantWords(); ++i)
        own.push_back(word(trailer + 1 + o * code.constantWords() + i));
      result = OutputScaling::scale(b, code.form, sum, own);
    }
    return OutputScaling::saturate(b, code.saturation, result >> shift);
  }

  KernelBuilder &b;
  const Code &code;
  const Cut &cut;
  Buffer x, y, table;
  Val lastChunk, groups, chunks, pairs, lastFour;
};

//===-- The kernel --------------------------------------------------------------------------===//

AsmKernel asmKernel(const Code &code, bool isSigned) {
  const Cut &cut = code.cut;
  AsmKernel kernel;
  kernel.name = cut.isMixed ? "fc_mix" : "fc_w16";
  if (!cut.isLooped)
    kernel.name += "_k" + std::to_string(cut.chunk);
  kernel.name += "_n" + std::to_string(code.stored()) + (code.isChunked ? "_chunks" : "");
  if (!code.isShared)
    kernel.name += code.form == OutputScaling::Signed ? "_s" : "_a";
  kernel.name += OutputScaling::suffix(code.saturation);
  kernel.buffers = {{"x", ElementType::Int8, false},
                    {"y", ElementType::Int8, true},
                    {"table", ElementType::Int32, false}};
  if (cut.isLooped)
    kernel.buffers.push_back({"pairs", ElementType::Int16, true});
  kernel.frameBytes = code.frameBytes();
  kernel.instructions = [code, isSigned](AsmBuilder &a, ArrayRef<Reg> arguments) {
    Instructions(a, code, isSigned).emit(arguments);
  };
  kernel.portable = [code](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    Portable(b, code, buffers).emit();
  };
  return kernel;
}

/// A layer ready to be priced and packed.
struct Plan {
  WeightMatrix weights;
  Scaling scaling;
  Code code;
  bool isSigned() const { return scaling.numbers.form == OutputScaling::Signed; }
};

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

std::optional<Plan> planFor(const WeightMatrix &m, const RequantPerChannel &requant,
                            bool isLooped) {
  const bool isMixed = m.fitsByteMix();
  const int bits = isMixed ? 8 : m.scaleBits(8);
  if (bits < 0)
    return std::nullopt;
  std::optional<Scaling> scaling = solveScaling(m, requant, bits, /*mayOffset=*/!isMixed);
  if (!scaling)
    return std::nullopt;
  constexpr int64_t mostUnrolled = 128;
  Cut cut{
      m.depth, m.outputs, groupFor(m.outputs), isLooped ? m.depth : chunkFor(m.depth, mostUnrolled),
      isMixed, isLooped};
  OutputScaling::Form form = scaling->numbers.form;
  // Offsets are in the accumulators' first values: what is left is an addend of zero.
  if (form == OutputScaling::Fold)
    form = scaling->numbers.form = OutputScaling::Add;
  // Layers of many inputs share the code of those with one chunk.
  const bool isChunked = !isLooped && (cut.chunk >= 64 || cut.chunks() > 1);
  Code code{cut, scaling->isShared, isChunked, form, scaling->numbers.saturation};
  return Plan{m, std::move(*scaling), code};
}

/// Whether each output pixel is a product with inputs that lie side by side. Where pixels are many,
/// kernels that use a weight for several of them are better.
bool isMatrixProduct(const KernelQuery &q) {
  if (isa<nn::FullyConnectedOp>(*q.op))
    return true;
  auto conv = dyn_cast<nn::Conv2DOp>(*q.op);
  if (!conv || llvm::any_of(conv.getPads(), [](int64_t pad) { return pad != 0; }) ||
      q.inputs[0].shape[3] != q.inputs[1].shape[3])
    return false;
  constexpr int64_t mostPixels = 16;
  ArrayRef<int64_t> in = q.inputs[0].shape, filter = q.inputs[1].shape, out = q.outputs[0].shape;
  if (out[0] * out[1] * out[2] > mostPixels)
    return false;
  auto window = filter.slice(1, 2), picture = in.slice(1, 2);
  auto isOne = [](int64_t n) { return n == 1; };
  if (llvm::all_of(window, isOne))
    return llvm::all_of(conv.getStrides(), isOne);
  return window == picture && llvm::all_of(conv.getDilations(), isOne);
}

class AsmFullyConnected : public Kernel {
public:
  explicit AsmFullyConnected(bool isLooped) : isLooped(isLooped) {}

  StringRef getName() const override {
    return isLooped ? "fully_connected.looped" : "fully_connected.unrolled";
  }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!dsp::appliesTo(q) || !q.target.fpu || !isMatrixProduct(q) || !q.constants[1] ||
        q.inputs[1].element != ElementType::Int8)
      return std::nullopt;
    if (q.inputs.size() > 2 && (!q.constants[2] || q.inputs[2].element != ElementType::Int32))
      return std::nullopt;
    KernelOperands operands;
    for (auto [type, constant] : llvm::zip(q.inputs, q.constants))
      operands.inputs.push_back({type, {}, constant});
    operands.outputs.push_back({q.outputs[0], {}, nullptr});
    std::optional<Plan> plan = planOf(q.op, operands);
    // Loops widen four inputs at a time.
    if (!plan || (isLooped && plan->code.cut.depth < 4))
      return std::nullopt;
    const Cut &cut = plan->code.cut;
    Candidate c;
    c.rows = q.outputs[0].elements() / cut.outputs;
    asmKernel(plan->code, plan->isSigned()).addTo(c, c.rows);
    if (isLooped)
      c.scratch.push_back({ElementType::Int16, 2 * cut.pairs()});
    const int64_t words =
        cut.headerWords() + cut.groups() * (cut.group + plan->code.trailerWords()) +
        cut.blocks() * (1 + cut.chunks()) + cut.chunks() * cut.groups() * cut.groupWords();
    c.flashBytes += 4 * words;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    Plan plan = *planOf(op, operands);
    const Cut &cut = plan.code.cut;
    Buffer table = b.table<int32_t>("weights", Table(cut, plan.weights, plan.scaling).pack());
    SmallVector<Address> addresses = {{bufferOf(b, operands.inputs[0], "input"), row * cut.depth},
                                      {operands.outputs[0].buffer, row * cut.outputs},
                                      {table, b.index(0)}};
    if (isLooped)
      addresses.push_back({operands.scratch[0], b.index(0)});
    callAsm(b, asmKernel(plan.code, plan.isSigned()), addresses);
  }

private:
  std::optional<Plan> planOf(nn::NNOperator op, const KernelOperands &operands) const {
    RequantPerChannel requant = nn::requantOf(op);
    const Tensor *bias = operands.inputs.size() > 2 ? operands.inputs[2].constant.get() : nullptr;
    return planFor(foldWeights(*operands.inputs[1].constant, bias, requant), requant, isLooped);
  }

  bool isLooped;
};

} // namespace
} // namespace thimble

void thimble::addAsmFullyConnectedKernels(KernelList &list) {
  for (bool isLooped : {false, true})
    list.push_back(std::make_unique<AsmFullyConnected>(isLooped));
}
