// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Convolutions of few input channels, as first layers are: the windows of two output pixels are
// gathered once for all output channels, in pairs of bytes widened to 16 bits.
//
// Streamed: the pairs stay in S registers (and, those that do not fit, in the frame), and the
// weights of four output channels at a time stream past them, 15 cycles for 16 products:
//   ldm a pair of weights of four channels ; vmov x1 ; 4 smlad ; vmov x0 ; 4 smlad
// Resident: where the pairs are nine or fewer, they stay in core registers, and the weights of all
// channels in S registers and in the frame.
#include "passes/kernels/Copy.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/DepthwiseLayer.h"
#include "passes/kernels/asm/WindowGather.h"

using namespace mlir;

namespace thimble {
namespace {

//===-- Layer -------------------------------------------------------------------------------===//

/// A depthwise convolution of one channel is a convolution; its filter has another order.
std::optional<ConvLayer> asConvolution(std::optional<DepthwiseLayer> depthwise) {
  if (!depthwise || depthwise->shape.inC != 1)
    return std::nullopt;
  const ConvShape &s = depthwise->shape;
  ConvLayer layer;
  layer.pictures = depthwise->pictures;
  layer.shape = s;
  layer.requant = depthwise->requant;
  TensorType type = depthwise->filter->type;
  type.shape = {s.outC, s.kH, s.kW, 1};
  auto filter = std::make_shared<Tensor>(type);
  int8_t *to = filter->as<int8_t>();
  for (int64_t o = 0; o < s.outC; ++o) {
    int64_t sum = 0;
    for (int64_t ky = 0; ky < s.kH; ++ky)
      for (int64_t kx = 0; kx < s.kW; ++kx)
        sum += *to++ = static_cast<int8_t>(depthwise->weight(o, ky, kx));
    layer.biases.push_back(depthwise->biases[static_cast<size_t>(o)] -
                           sum * depthwise->zeroPoint());
  }
  layer.filter = filter;
  layer.intervals = depthwise->intervals;
  return layer;
}

struct GatherLayer {
  ConvLayer layer;
  OutputScaling scaling;
  /// Weights, and with them accumulators, carry this many bits more.
  int bits;

  const ConvShape &shape() const { return layer.shape; }
  int32_t zeroPoint() const { return layer.requant.inputZeroPoint; }

  template <typename... Source> static std::optional<GatherLayer> create(const Source &...source) {
    std::optional<ConvLayer> layer = convLayerOf(source...);
    if (!layer)
      layer = asConvolution(depthwiseLayerOf(source...));
    constexpr int64_t mostTaps = 160; // code grows with them
    if (!layer || layer->shape.depth() > mostTaps || layer->shape.inC > 8)
      return std::nullopt;
    return scaled(std::move(*layer));
  }

private:
  static std::optional<GatherLayer> scaled(ConvLayer layer) {
    int bits = 8; // weights are in the high bytes of their halves
    for (size_t c = 0; c < layer.intervals.size(); ++c)
      while (bits > 0 && layer.reach(c) >> (30 - bits))
        --bits;
    SmallVector<int> all(layer.intervals.size(), bits);
    std::optional<OutputScaling> scaling = layer.scaling(all);
    if (!scaling)
      return std::nullopt;
    return GatherLayer{std::move(layer), std::move(*scaling), bits};
  }
};

//===-- Constants ---------------------------------------------------------------------------===//

/// By groups of `lanes` output channels: biases, words of weights for each pair of taps, constants
/// of the scaling, and if groups overlap how far it is to the next group.
struct GatherTable {
  const GatherLayer &g;
  const WindowGather &gather;
  int64_t lanes;

  int64_t channels() const { return g.shape().outC; }
  int64_t groups() const { return llvm::divideCeil(channels(), lanes); }
  bool hasSteps() const { return channels() % lanes != 0; }
  int64_t pairs() const { return static_cast<int64_t>(gather.taps().size()); }
  int64_t groupWords() const {
    return lanes * (1 + pairs() + g.scaling.constantWords()) + hasSteps();
  }
  int64_t words() const { return groups() * groupWords(); }
  int64_t firstOf(int64_t group) const { return std::min(group * lanes, channels() - lanes); }

  int32_t weights(int64_t channel, const WindowGather::TapPair &pair) const {
    auto weight = [&](const WindowTap &tap) {
      return g.layer.weight(channel, tap.ky, tap.kx, tap.channel) * (1 << g.bits);
    };
    return halves(weight(pair.low), pair.high ? weight(*pair.high) : 0);
  }

  std::vector<int32_t> build() const {
    std::vector<int32_t> words;
    for (int64_t group = 0; group < groups(); ++group) {
      const int64_t first = firstOf(group), end = first + lanes;
      for (int64_t o = first; o < end; ++o) {
        auto c = static_cast<size_t>(o);
        words.push_back(static_cast<int32_t>(g.layer.biases[c] * (int64_t(1) << g.bits) +
                                             g.scaling.channels[c].offset));
      }
      for (const auto &pair : gather.taps())
        for (int64_t o = first; o < end; ++o)
          words.push_back(weights(o, pair));
      for (int64_t o = first; o < end; ++o)
        g.scaling.appendConstants(static_cast<size_t>(o), words);
      if (hasSteps())
        words.push_back(
            static_cast<int32_t>(group + 1 < groups() ? firstOf(group + 1) - first : lanes));
    }
    return words;
  }
};

//===-- Code --------------------------------------------------------------------------------===//

struct Variant {
  int64_t pixels = 1;
  bool isVertical = false, isResident = false;
};

/// What both kinds of code share: the walk over rows and columns. `in` and `count` live in S
/// registers; the frame holds what is needed once a row.
class GatherCode {
public:
  /// `rows` for costs: how many rows of blocks are computed.
  GatherCode(AsmBuilder &a, const GatherTable &table, int64_t rows)
      : a(a), t(table), g(table.g), gather(table.gather), s(table.g.shape()), rows(rows) {}
  virtual ~GatherCode() = default;

  static int64_t blocksPerRow(const WindowGather &gather) {
    return gather.isVertical() ? gather.shape().outW
                               : llvm::divideCeil(gather.shape().outW, gather.pixels());
  }
  /// The first output column of a block.
  static int64_t columnOf(const WindowGather &gather, int64_t block) {
    if (gather.isVertical())
      return block;
    return std::min(block * gather.pixels(), gather.shape().outW - gather.pixels());
  }
  /// Blocks that leave the picture at its sides.
  static SmallVector<int64_t> borderBlocks(const WindowGather &gather) {
    SmallVector<int64_t> blocks;
    for (int64_t block = 0; block < blocksPerRow(gather); ++block)
      if (!gather.isInside(columnOf(gather, block)))
        blocks.push_back(block);
    return blocks;
  }

protected:
  // Bytes of the frame that `build` needs.
  static constexpr int64_t rowSlots = 8;

  // Runs `block` for every block of every row: of the rows of windows at `input`. `slots` is where
  // the frame is free. `block` moves the output by `blockMoves` bytes, `moveOut` by any number.
  void forBlocks(Reg input, Reg rowCount, int64_t slots, Carried out, AsmBuilder::Body block,
                 int64_t blockMoves, llvm::function_ref<void(int64_t)> moveOut) {
    a.storeFrame(a.add(input, -s.padLeft * s.inC), slots);
    a.storeFrame(rowCount, slots + 4);
    const int64_t blocks = blocksPerRow(gather);
    const bool overlaps = !gather.isVertical() && s.outW % gather.pixels() != 0;
    const int64_t columns = gather.isVertical() ? 1 : gather.pixels();
    a.loopWhileNotEqual(rows, {out}, [&] {
      Reg row = a.loadFrame(slots);
      in = a.toS(row);
      a.storeFrame(
          a.add(row, (gather.isVertical() ? gather.pixels() : 1) * s.strideH * s.inW * s.inC),
          slots);
      count = a.toS(a.constant(blocks));
      a.loopWhileNotEqual(blocks, {out, in, count}, [&] {
        block();
        in = a.toS(a.add(a.toR(in), columns * s.strideW * s.inC));
        moveOut(columns * s.outC - blockMoves);
        if (overlaps) {
          a.compare(a.toR(count), 2);
          a.branch("eq", 1, blocks, {out, in}, [&] {
            in = a.toS(a.add(a.toR(in), -s.strideW * s.inC));
            moveOut(-s.outC);
          });
        }
        count = a.toS(a.subs(a.toR(count), 1));
      });
      if (gather.isVertical())
        moveOut((gather.pixels() - 1) * s.outW * s.outC);
      a.storeFrame(a.subs(a.loadFrame(slots + 4), 1), slots + 4);
    });
  }

  // Gathers the words of a block. `words` are the variables that hold them.
  void gatherBlock(Variables words, WindowGather::Keep keep) {
    SmallVector<int64_t> borders = borderBlocks(gather);
    gatherUnless(borders, blocksPerRow(gather), words, keep);
  }
  // How far the second pixel's outputs are from the first's.
  int64_t pixelStep() const { return gather.isVertical() ? s.outW * s.outC : s.outC; }

  AsmBuilder &a;
  const GatherTable &t;
  const GatherLayer &g;
  const WindowGather &gather;
  const ConvShape &s;
  const int64_t rows;
  SReg in, count;

private:
  // `borders`: blocks that are left to tell apart, of `among`.
  void gatherUnless(ArrayRef<int64_t> borders, int64_t among, Variables words,
                    WindowGather::Keep keep) {
    auto emit = [&](std::optional<int64_t> column) {
      gather.emit(a, a.toR(in), column, g.zeroPoint(), keep);
    };
    if (borders.empty())
      return emit(std::nullopt);
    const int64_t block = borders.front();
    if (among == 1)
      return emit(columnOf(gather, block));
    a.compare(a.toR(count), blocksPerRow(gather) - block);
    a.branch(
        "eq", 1, among, words, [&] { emit(columnOf(gather, block)); },
        [&] { gatherUnless(borders.drop_front(), among - 1, words, keep); });
  }
};

class StreamedCode : public GatherCode {
public:
  using GatherCode::GatherCode;

  static int64_t frameBytes(const WindowGather &gather) {
    return 4 * std::max<int64_t>(0, gather.words() - mostWords) + 4 + rowSlots;
  }

  void build(ArrayRef<Reg> arguments) {
    tableSlot = frameBytes(gather) - rowSlots - 4;
    a.storeFrame(arguments[2], tableSlot);
    tableEnd = a.toS(a.add(arguments[2], 4 * t.words()));
    output = a.toS(arguments[1]);
    forBlocks(
        arguments[0], arguments[3], tableSlot + 4, output, [&] { block(); }, t.channels(),
        [&](int64_t bytes) {
          if (bytes)
            output = a.toS(a.add(a.toR(output), bytes));
        });
  }

private:
  // S registers for words: the others hold input, output, end of the table and counter.
  static constexpr int64_t mostWords = 28;

  void block() {
    // Both sides of a branch assign them: what they are before is all the same.
    words.assign(static_cast<size_t>(std::min(gather.words(), mostWords)), in);
    Variables carried;
    for (SReg &word : words)
      carried.push_back(word);
    gatherBlock(carried, [&](int64_t word, Reg value) {
      if (word < mostWords)
        words[static_cast<size_t>(word)] = a.toS(value);
      else
        a.storeFrame(value, 4 * (word - mostWords));
    });
    Reg table = a.loadFrame(tableSlot);
    a.loopUntil(table, tableEnd, t.groups(), {output}, [&] { channels(table); });
  }

  Reg wordOf(int64_t pixel, size_t pair) {
    const int64_t word = gather.word(pixel, pair);
    return word < mostWords ? a.toR(words[static_cast<size_t>(word)])
                            : a.loadFrame(4 * (word - mostWords));
  }

  // A group of output channels.
  void channels(Reg &table) {
    const auto lanes = static_cast<size_t>(t.lanes);
    Regs first = a.loadTableMultiple(table, lanes), second = first;
    for (size_t pair = 0; pair < gather.taps().size(); ++pair) {
      Regs weights = a.loadTableMultiple(table, lanes);
      const bool isShared = gather.isHigh(1, pair);
      Reg x;
      if (gather.pixels() == 2) {
        x = wordOf(1, pair);
        for (size_t i = 0; i < lanes; ++i)
          second[i] =
              isShared ? a.smlatb(x, weights[i], second[i]) : a.smlad(x, weights[i], second[i]);
      }
      if (!isShared)
        x = wordOf(0, pair);
      for (size_t i = 0; i < lanes; ++i)
        first[i] = isShared ? a.smlabb(x, weights[i], first[i]) : a.smlad(x, weights[i], first[i]);
    }
    if (g.scaling.constantWords() == 1)
      scaleTogether(first, second, table);
    else
      scaleOneByOne(first, second, table);
  }

  void scaleTogether(Regs &first, Regs &second, Reg &table) {
    Regs constants = a.loadTableMultiple(table, first.size());
    for (Regs *sums : pixelsOf(first, second))
      for (auto [sum, constant] : llvm::zip(*sums, constants))
        sum = g.scaling.emit(a, sum, constant);
    Reg out = a.toR(output);
    for (size_t i = 0; i < first.size(); ++i)
      store(first, second, i, out);
    step(out, table);
  }

  void scaleOneByOne(Regs &first, Regs &second, Reg &table) {
    Reg out = a.toR(output);
    for (size_t i = 0; i < first.size(); ++i) {
      Regs constants = a.loadTableMultiple(table, static_cast<size_t>(g.scaling.constantWords()));
      for (Regs *sums : pixelsOf(first, second))
        (*sums)[i] = g.scaling.emit(a, (*sums)[i], constants);
      store(first, second, i, out);
    }
    step(out, table);
  }

  SmallVector<Regs *, 2> pixelsOf(Regs &first, Regs &second) const {
    if (gather.pixels() == 2)
      return {&first, &second};
    return {&first};
  }

  void store(ArrayRef<Reg> first, ArrayRef<Reg> second, size_t i, Reg out) {
    const auto at = static_cast<int64_t>(i);
    a.store(first[i], out, at, Width::U8);
    if (gather.pixels() == 1)
      return;
    const bool isNear = at + pixelStep() <= 4095;
    a.store(second[i], isNear ? out : a.add(out, pixelStep()), isNear ? at + pixelStep() : at,
            Width::U8);
  }

  void step(Reg out, Reg &table) {
    if (t.hasSteps())
      output = a.toS(a.add(out, a.loadTablePost(table, 4)));
    else
      output = a.toS(a.add(out, t.lanes));
  }

  int64_t tableSlot = 0;
  SReg tableEnd, output;
  SRegs words;
};

class ResidentCode : public GatherCode {
public:
  using GatherCode::GatherCode;

  static bool appliesTo(const GatherTable &table) {
    constexpr int64_t mostWords = 9, mostChannels = 16; // registers, code
    return table.gather.pixels() == 2 && table.gather.words() <= mostWords &&
           table.channels() <= mostChannels && table.g.scaling.constantWords() <= 2;
  }
  static int64_t frameBytes(const GatherTable &table) {
    return 4 * std::max<int64_t>(0, table.words() - mostConstants) + rowSlots;
  }

  void build(ArrayRef<Reg> arguments) {
    Reg table = arguments[2], out = arguments[1];
    for (int64_t i = 0; i < t.words(); ++i)
      if (i < mostConstants)
        constants.push_back(a.loadS(table, 4 * i));
      else
        a.storeFrame(a.loadTable(table, 4 * i), 4 * (i - mostConstants));
    auto move = [&](int64_t bytes) {
      if (bytes)
        out = a.add(out, bytes);
    };
    auto block = [&] {
      gatherWords(out);
      for (int64_t channel = 0; channel < t.channels(); ++channel)
        this->channel(channel, out);
    };
    forBlocks(arguments[0], arguments[3], frameBytes(t) - rowSlots, out, block, 0, move);
  }

private:
  // S registers for constants: the others hold input and counter.
  static constexpr int64_t mostConstants = 30;

  void gatherWords(Reg out) {
    // Both sides of a branch assign them: what they are before is all the same.
    words.assign(static_cast<size_t>(gather.words()), out);
    Variables carried;
    for (Reg &word : words)
      carried.push_back(word);
    gatherBlock(carried,
                [&](int64_t word, Reg value) { words[static_cast<size_t>(word)] = value; });
  }

  Reg constant(int64_t word) {
    return word < mostConstants ? a.toR(constants[static_cast<size_t>(word)])
                                : a.loadFrame(4 * (word - mostConstants));
  }

  void channel(int64_t channel, Reg out) {
    int64_t at = channel * t.groupWords();
    Reg first = constant(at++), second = first;
    const size_t pairs = gather.taps().size();
    Regs weights;
    for (size_t pair = 0; pair < pairs; ++pair) {
      // Two loads in a row are cheaper.
      if (weights.empty())
        for (size_t i = std::min<size_t>(2, pairs - pair); i > 0; --i)
          weights.insert(weights.begin(), constant(at++));
      Reg w = weights.pop_back_val(), x0 = words[static_cast<size_t>(gather.word(0, pair))],
          x1 = words[static_cast<size_t>(gather.word(1, pair))];
      const bool isShared = gather.isHigh(1, pair);
      second = isShared ? a.smlatb(x1, w, second) : a.smlad(x1, w, second);
      first = isShared ? a.smlabb(x0, w, first) : a.smlad(x0, w, first);
    }
    Regs scale;
    for (int i = 0; i < g.scaling.constantWords(); ++i)
      scale.push_back(constant(at++));
    first = g.scaling.emit(a, first, scale);
    second = g.scaling.emit(a, second, scale);
    a.store(first, out, channel, Width::U8);
    a.store(second, out, channel + pixelStep(), Width::U8);
  }

  SRegs constants;
  Regs words;
};

//===-- Kernel ------------------------------------------------------------------------------===//

/// The rows of blocks of a picture: some at its top and bottom have windows that leave it, and read
/// from rows that are copied to scratch.
struct RowPlan {
  int64_t rowHeight; // outputs
  int64_t groups, firstInside, endInside;

  RowPlan(const ConvShape &s, const WindowGather &gather)
      : rowHeight(gather.isVertical() ? gather.pixels() : 1),
        groups(llvm::divideCeil(s.outH, rowHeight)) {
    auto isInside = [&](int64_t group) {
      const int64_t top = group * rowHeight * s.strideH - s.padTop;
      // The last rows may overlap those before them.
      return top >= 0 && top + gather.rows() <= s.inH && (group + 1) * rowHeight <= s.outH;
    };
    for (firstInside = 0; firstInside < groups && !isInside(firstInside);)
      ++firstInside;
    for (endInside = firstInside; endInside < groups && isInside(endInside);)
      ++endInside;
  }
  int64_t inside() const { return endInside - firstInside; }
  int64_t outside() const { return groups - inside(); }
};

class GatherConvolution : public Kernel {
public:
  StringRef getName() const override { return "conv_2d.gather"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!q.target.dsp || !q.target.fpu)
      return std::nullopt;
    std::optional<GatherLayer> g = GatherLayer::create(q);
    if (!g)
      return std::nullopt;
    std::optional<Plan> plan = planFor(*g);
    if (!plan)
      return std::nullopt;
    return plan->candidate;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val picture) const override {
    GatherLayer g = *GatherLayer::create(op, operands);
    const Variant variant = planFor(g)->variant;
    WindowGather gather(g.shape(), variant.pixels, variant.isVertical);
    GatherTable table = tableFor(g, gather, variant);
    const ConvShape &s = g.shape();
    const RowPlan rows(s, gather);
    const int64_t inputRow = s.inW * s.inC, outputRow = s.outW * s.outC;
    Buffer in = operands.inputs[0].buffer, out = operands.outputs[0].buffer;
    Buffer constants = b.table<int32_t>("constants", table.build());
    Val inStart = picture * (s.inH * inputRow), outStart = picture * (s.outH * outputRow);
    AsmKernel kernel = kernelFor(table, variant, 1);
    auto call = [&](Buffer input, Val at, Val y, int64_t count) {
      callAsm(b, kernel, {{input, at}, {out, outStart + y * outputRow}, {constants, b.index(0)}},
              {b.i32(count)});
    };
    auto outside = [&](int64_t first, int64_t end) {
      b.loop("group", b.index(first), b.index(end), 1, [&](Val group) {
        Val y = b.min(group * rows.rowHeight, b.index(s.outH - rows.rowHeight));
        Buffer scratch = operands.scratch[0];
        copyRows(b, g, gather.rows(), in, inStart, y * s.strideH - s.padTop, scratch);
        call(scratch, b.index(0), y, 1);
      });
    };
    outside(0, rows.firstInside);
    if (rows.inside() > 0) {
      const int64_t y = rows.firstInside * rows.rowHeight;
      call(in, inStart + (y * s.strideH - s.padTop) * inputRow, b.index(y), rows.inside());
    }
    outside(rows.endInside, rows.groups);
  }

private:
  struct Plan {
    Variant variant;
    Candidate candidate;
  };

  // Rows from `top` on, with zero points for those outside of the picture.
  static void copyRows(KernelBuilder &b, const GatherLayer &g, int64_t count, Buffer in,
                       Val inStart, Val top, Buffer scratch) {
    const int64_t row = g.shape().inW * g.shape().inC;
    b.loop("row", count, [&](Val i) {
      Val y = top + i;
      b.whenElse((y >= 0) & (y < g.shape().inH),
                 [&] { copyRun(b, in, inStart + y * row, scratch, i * row, row); },
                 [&] { fillRun(b, scratch, i * row, row, b.i32(g.zeroPoint())); });
    });
  }

  static GatherTable tableFor(const GatherLayer &g, const WindowGather &gather, Variant variant) {
    return {g, gather, variant.isResident ? 1 : std::min<int64_t>(4, g.shape().outC)};
  }

  static std::optional<Plan> planFor(const GatherLayer &g) {
    const ConvShape &s = g.shape();
    std::optional<Plan> best;
    for (Variant variant : {Variant{1, false, false}, Variant{2, false, false},
                            Variant{2, true, false}, Variant{2, false, true}}) {
      if (variant.pixels == 2 && (variant.isVertical ? s.outH : s.outW) < 2)
        continue;
      std::optional<Candidate> candidate = candidateFor(g, variant);
      if (candidate && (!best || candidate->cycles < best->candidate.cycles))
        best = Plan{variant, std::move(*candidate)};
    }
    return best;
  }

  static std::optional<Candidate> candidateFor(const GatherLayer &g, Variant variant) {
    constexpr size_t mostBorders = 4; // each has code of its own
    WindowGather gather(g.shape(), variant.pixels, variant.isVertical);
    GatherTable table = tableFor(g, gather, variant);
    if (GatherCode::borderBlocks(gather).size() > mostBorders ||
        (variant.isResident && !ResidentCode::appliesTo(table)))
      return std::nullopt;
    const RowPlan rows(g.shape(), gather);
    Candidate c, inside;
    c.rows = g.layer.pictures;
    kernelFor(table, variant, 1).addTo(c, rows.outside());
    if (rows.inside() > 0) {
      kernelFor(table, variant, rows.inside()).addTo(inside);
      c.addRun(inside);
    }
    if (rows.outside() > 0) {
      const int64_t bytes = gather.rows() * g.shape().inW * g.shape().inC;
      c.scratch.push_back({ElementType::Int8, bytes});
      constexpr int64_t perWord = 6, perRow = 12;
      c.cycles += rows.outside() * (bytes / 4 * perWord + gather.rows() * perRow);
    }
    c.cycles +=
        static_cast<int64_t>(gather.misalignment() *
                             static_cast<double>(rows.groups * GatherCode::blocksPerRow(gather)));
    c.repeat(c.rows);
    c.flashBytes += 4 * table.words();
    return c;
  }

  static AsmKernel kernelFor(const GatherTable &table, Variant variant, int64_t rows) {
    AsmKernel kernel;
    kernel.name = std::string("conv_gather") + (variant.isResident ? "_resident" : "") +
                  std::to_string(variant.pixels) + (variant.isVertical ? "v" : "") + "_" +
                  table.g.shape().suffix() + zeroPointSuffix(table.g.zeroPoint()) + "_" +
                  table.g.scaling.suffix();
    kernel.buffers = {{"input", ElementType::Int8},
                      {"output", ElementType::Int8, true},
                      {"table", ElementType::Int32}};
    kernel.words = {"rows"};
    kernel.frameBytes = variant.isResident ? ResidentCode::frameBytes(table)
                                           : StreamedCode::frameBytes(table.gather);
    kernel.instructions = [&table, variant, rows](AsmBuilder &a, ArrayRef<Reg> arguments) {
      if (variant.isResident)
        ResidentCode(a, table, rows).build(arguments);
      else
        StreamedCode(a, table, rows).build(arguments);
    };
    kernel.portable = [&table](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val> words) {
      portable(b, table, buffers, words[0]);
    };
    return kernel;
  }

  static void portable(KernelBuilder &b, const GatherTable &t, ArrayRef<Buffer> buffers,
                       Val rowCount) {
    const ConvShape &s = t.g.shape();
    Buffer in = buffers[0], out = buffers[1], constants = buffers[2];
    const int64_t height = t.gather.isVertical() ? t.gather.pixels() : 1;
    b.loop("channel", t.channels(), [&](Val channel) {
      Val group = channel / t.lanes;
      Val lane = channel - b.min(group * t.lanes, b.index(t.channels() - t.lanes));
      Val at = group * t.groupWords() + lane;
      Val bias = b.load(constants, at, "bias");
      Vals scale;
      Val scales =
          group * t.groupWords() + t.lanes * (1 + t.pairs()) + lane * t.g.scaling.constantWords();
      for (int i = 0; i < t.g.scaling.constantWords(); ++i)
        scale.push_back(b.load(constants, scales + i, "scale"));
      b.loop("y", b.index(0), b.toIndex(rowCount) * height, 1, [&](Val y) {
        b.loop("x", s.outW, [&](Val x) {
          Val sum = b.accumulate("ky", s.kH, bias, [&](Val ky, Val sum) {
            Val row = (y * s.strideH + ky * s.dilationH) * s.inW;
            return b.accumulate("kx", s.kW, sum, [&](Val kx, Val sum) {
              Val column = x * s.strideW - s.padLeft + kx * s.dilationW;
              return b.accumulate("k", s.inC, sum, [&](Val k, Val sum) {
                Val pixel =
                    b.choose((column >= 0) & (column < s.inW),
                             [&] { return Vals{b.load(in, (row + column) * s.inC + k, "pixel")}; },
                             [&] { return Vals{b.i32(t.g.zeroPoint())}; })[0];
                auto [pair, half] = t.gather.placeOf(b, ky, kx, k);
                Val word = b.load(constants, at + (pair + 1) * t.lanes, "weights");
                return sum + pixel * ((word << b.toI32((1 - half) * 16)) >> 16);
              });
            });
          });
          b.store(out, (y * s.outW + x) * s.outC + channel, t.g.scaling.emit(b, sum, scale));
        });
      });
    });
  }
};

} // namespace

void addGatherConvolutionKernels(KernelList &list) {
  list.push_back(std::make_unique<GatherConvolution>());
}

} // namespace thimble
