// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Depthwise convolution with any filter, stride and dilation: four channels of one output pixel at
// a time, from words of four channels' pixels. Two neighbouring taps are packed into pairs, one
// word of both for each channel:
//   pkhbt, pkhtb ; 4 sxtab16 (which takes off the zero point) ; 4 smlad      17 cycles for 8
//   products
// Rows of the filter that lie outside of the picture are left out. Windows must not leave it at a
// side.
#include "passes/kernels/Families.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/DepthwiseLayer.h"

using namespace mlir;

namespace thimble {
namespace {

constexpr int64_t lanes = 4;

/// Where taps lie in memory.
struct Taps {
  /// Along a run of taps, and how many runs.
  int64_t inner, outer;
  int64_t tapBytes, runBytes, pixelBytes;
};

struct WindowLayer {
  DepthwiseLayer layer;
  OutputScaling scaling;
  int bits;

  static std::optional<WindowLayer> create(std::optional<DepthwiseLayer> layer) {
    if (!layer)
      return std::nullopt;
    layer->turnColumn();
    if (!fits(*layer))
      return std::nullopt;
    const int bits = layer->spareBits();
    std::optional<OutputScaling> scaling = layer->scaling(bits);
    if (!scaling)
      return std::nullopt;
    return WindowLayer{std::move(*layer), std::move(*scaling), bits};
  }

  const ConvShape &shape() const { return layer.shape; }
  /// Runs of taps go down where the filter is a column.
  bool isColumn() const { return shape().kW == 1; }

  Taps taps() const {
    const ConvShape &s = shape();
    const int64_t row = s.inW * s.inC;
    if (isColumn())
      return {s.kH, 1, s.dilationH * row, 0, s.strideW * s.inC};
    return {s.kW, s.kH, s.dilationW * s.inC, s.dilationH * row, s.strideW * s.inC};
  }
  /// Rows of the filter that are on the picture for output row `y`.
  static int64_t tapRows(const ConvShape &s, int64_t y) {
    int64_t rows = 0;
    for (int64_t ky = 0; ky < s.kH; ++ky) {
      const int64_t row = y * s.strideH - s.padTop + ky * s.dilationH;
      rows += row >= 0 && row < s.inH;
    }
    return rows;
  }

  //===-- Constants -------------------------------------------------------------------------===//
  // By groups of four channels: four biases, weights, the scaling's of each channel. The second
  // group overlaps the first where the number of channels is no multiple of 4. Weights are four
  // words for each pair of taps, and two for the last of an odd number, which hold channels 0 and
  // 2, and 1 and
  // 3. Where there is more than one run of taps, weights come after all else, run by run.

  int64_t groups() const { return llvm::divideCeil(shape().outC, lanes); }
  /// The group's step from the one before is less by this.
  int64_t overlap() const { return groups() * lanes - shape().outC; }
  int64_t channelOf(int64_t group, int64_t lane) const {
    return group * lanes + lane - (group > 0 ? overlap() : 0);
  }
  int64_t inner() const { return isColumn() ? shape().kH : shape().kW; }
  int64_t outer() const { return isColumn() ? 1 : shape().kH; }
  bool hasOneRun() const { return outer() == 1; }
  int64_t runWords() const { return inner() / 2 * lanes + inner() % 2 * 2; }
  int64_t groupWords() const {
    return lanes * (1 + scaling.constantWords()) + (hasOneRun() ? runWords() : 0);
  }
  int64_t scaleWord() const { return lanes + (hasOneRun() ? runWords() : 0); }
  int64_t firstWeightWord() const { return hasOneRun() ? lanes : groups() * groupWords(); }
  /// From a group's weights to the next's.
  int64_t weightStep() const { return hasOneRun() ? groupWords() : runWords(); }
  int64_t tableWords() const {
    return groups() * (groupWords() + (hasOneRun() ? 0 : outer() * runWords()));
  }

  std::vector<int32_t> table() const {
    std::vector<int32_t> words;
    for (int64_t group = 0; group < groups(); ++group) {
      for (int64_t lane = 0; lane < lanes; ++lane)
        words.push_back(layer.scaledBias(channelOf(group, lane), bits, scaling));
      if (hasOneRun())
        appendWeights(0, group, words);
      for (int64_t lane = 0; lane < lanes; ++lane)
        scaling.appendConstants(static_cast<size_t>(channelOf(group, lane)), words);
    }
    for (int64_t run = 0; !hasOneRun() && run < outer(); ++run)
      for (int64_t group = 0; group < groups(); ++group)
        appendWeights(run, group, words);
    return words;
  }

private:
  /// Words hold four channels for four outputs; runs of taps are on the picture, all or some.
  static bool fits(const DepthwiseLayer &layer) {
    const ConvShape &s = layer.shape;
    if (layer.multiplier() != 1 || s.inC < lanes || s.leavesColumns() ||
        (s.kW == 1 && s.leavesRows()) || s.outW >= 1 << 16 || s.kH >= 128 || s.kW >= 128)
      return false;
    for (int64_t y = 0; y < s.outH; ++y)
      if (tapRows(s, y) == 0)
        return false;
    return true;
  }
  int32_t weight(int64_t group, int64_t lane, int64_t run, int64_t tap) const {
    const int64_t o = channelOf(group, lane);
    return (isColumn() ? layer.weight(o, tap, 0) : layer.weight(o, run, tap)) * (1 << bits);
  }
  void appendWeights(int64_t run, int64_t group, std::vector<int32_t> &words) const {
    const int64_t paired = inner() / 2 * 2;
    for (int64_t tap = 0; tap < paired; tap += 2)
      for (int64_t lane = 0; lane < lanes; ++lane)
        words.push_back(halves(weight(group, lane, run, tap), weight(group, lane, run, tap + 1)));
    for (int64_t lane = 0; paired < inner() && lane < 2; ++lane)
      words.push_back(
          halves(weight(group, lane, run, paired), weight(group, lane + 2, run, paired)));
  }
};

//===-- Code --------------------------------------------------------------------------------===//

class WindowCode {
public:
  WindowCode(AsmBuilder &a, const WindowLayer &w)
      : a(a), w(w), taps(w.taps()), pixels(w.shape().outW), runs(w.outer()) {}

  void build(ArrayRef<Reg> arguments) {
    input = a.toS(arguments[0]);
    output = a.toS(arguments[1]);
    constants = a.toS(arguments[2]);
    readWord(arguments[2], arguments[3]);
    a.loopWhileNotEqual(pixels, {input, output, pixelCount}, [&] {
      pixel();
      input = a.toS(a.add(a.toR(input), taps.pixelBytes));
      pixelCount = a.toS(a.subs(a.toR(pixelCount), 1));
    });
  }

private:
  void readWord(Reg table, Reg word) {
    pixelCount = a.toS(a.bitAnd(word, a.constant(0xffff)));
    if (w.hasOneRun())
      return;
    runCount = a.toS(a.shiftRightLogical(word, 24));
    Reg first = a.bitAnd(a.shiftRightLogical(word, 16), 255);
    Reg runBytes = a.constant(4 * w.groups() * w.runWords());
    weights = a.toS(a.mla(first, runBytes, a.add(table, 4 * w.firstWeightWord())));
  }

  void pixel() {
    SReg group = constants, run = weights, from = input;
    SReg back = w.overlap() ? a.toS(a.constant(w.overlap())) : SReg();
    Variables carried{group, from, output};
    if (w.overlap())
      carried.push_back(back);
    if (!w.hasOneRun())
      carried.push_back(run);
    a.loopS(w.groups(), carried, [&] {
      channels(group, run, from);
      Reg in = a.add(a.toR(from), lanes), out = a.add(a.toR(output), lanes);
      if (w.overlap()) {
        Reg bytes = a.toR(back);
        in = a.sub(in, bytes);
        out = a.sub(out, bytes);
        back = a.toS(a.constant(0));
      }
      from = a.toS(in);
      output = a.toS(out);
    });
  }

  // Four channels.
  void channels(SReg &group, SReg &run, SReg from) {
    Reg table = a.toR(group);
    sums = a.loadTableMultiple(table, lanes);
    x = a.toR(from);
    minusZero = a.constant(halves(-w.layer.zeroPoint(), -w.layer.zeroPoint()));
    if (w.hasOneRun()) {
      weight = table;
      row();
      table = weight;
    } else {
      group = a.toS(table);
      weight = a.toR(run);
      rows();
      run = a.toS(a.add(a.toR(run), 4 * w.runWords()));
      table = a.toR(group);
    }
    scale(table);
    group = a.toS(table);
  }

  void rows() {
    SReg count = runCount;
    Variables carried{x, weight, count};
    for (Reg &sum : sums)
      carried.push_back(sum);
    a.loopWhileNotEqual(runs, carried, [&] {
      row();
      x = a.add(x, taps.runBytes - moved);
      weight = a.add(weight, 4 * (w.groups() - 1) * w.runWords());
      count = a.toS(a.subs(a.toR(count), 1));
    });
  }

  // One run of taps: in a loop where there are many.
  void row() {
    constexpr int64_t mostUnrolled = 24, unrolled = 8;
    moved = 0;
    int64_t tap = 0;
    if (taps.inner > mostUnrolled) {
      const int64_t trips = taps.inner / unrolled;
      Variables carried{x, weight};
      for (Reg &sum : sums)
        carried.push_back(sum);
      a.loopS(trips, carried, [&] {
        moved = 0;
        for (int64_t i = 0; i < unrolled; i += 2)
          pair(i);
        x = a.add(x, unrolled * taps.tapBytes - moved);
      });
      tap = trips * unrolled;
      moved = tap * taps.tapBytes;
    }
    for (; tap + 1 < taps.inner; tap += 2)
      pair(tap);
    if (tap < taps.inner)
      single(tap);
  }

  // Loads reach 4095 bytes; then the pointer moves.
  Reg load(int64_t tap) {
    int64_t offset = tap * taps.tapBytes - moved;
    if (offset > 4095) {
      x = a.add(x, offset);
      moved += offset;
      offset = 0;
    }
    return a.load(x, offset);
  }

  void pair(int64_t tap) {
    Reg first = load(tap), second = load(tap + 1);
    Reg low = a.packBottom(first, lsl(second, 16)), high = a.packTop(second, asr(first, 16));
    Regs weights = a.loadTableMultiple(weight, lanes);
    sums[0] = a.smlad(a.sxtab16(minusZero, low), weights[0], sums[0]);
    sums[1] = a.smlad(a.sxtab16(minusZero, ror(low, 8)), weights[1], sums[1]);
    sums[2] = a.smlad(a.sxtab16(minusZero, high), weights[2], sums[2]);
    sums[3] = a.smlad(a.sxtab16(minusZero, ror(high, 8)), weights[3], sums[3]);
  }

  void single(int64_t tap) {
    Reg pixel = load(tap);
    Regs weights = a.loadTableMultiple(weight, 2);
    Reg even = a.sxtab16(minusZero, pixel), odd = a.sxtab16(minusZero, ror(pixel, 8));
    sums[0] = a.smlabb(even, weights[0], sums[0]);
    sums[2] = a.smlatt(even, weights[0], sums[2]);
    sums[1] = a.smlabb(odd, weights[1], sums[1]);
    sums[3] = a.smlatt(odd, weights[1], sums[3]);
  }

  void scale(Reg &table) {
    Reg out = a.toR(output);
    const auto words = static_cast<size_t>(w.scaling.constantWords());
    Regs all;
    if (words == 1)
      all = a.loadTableMultiple(table, lanes);
    for (size_t lane = 0; lane < lanes; ++lane) {
      Regs one = words == 1 ? Regs{all[lane]} : a.loadTableMultiple(table, words);
      Reg byte = w.scaling.emit(a, sums[lane], one);
      a.store(byte, out, static_cast<int64_t>(lane), Width::U8);
    }
  }

  AsmBuilder &a;
  const WindowLayer &w;
  const Taps taps;
  const int64_t pixels, runs; // of a call, for costs
  SReg input, output, constants, weights, pixelCount, runCount;
  Reg x, weight, minusZero;
  Regs sums;
  int64_t moved = 0; // bytes that x has moved along the run
};

//===-- Kernel ------------------------------------------------------------------------------===//

class DepthwiseWindow : public Kernel {
public:
  StringRef getName() const override { return "depthwise_conv_2d.window"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<WindowLayer> w = WindowLayer::create(depthwiseLayerOf(q));
    if (!w)
      return std::nullopt;
    Candidate c;
    c.rows = w->layer.pictures * w->shape().outH;
    kernelFor(*w).addTo(c, c.rows);
    c.flashBytes += 4 * w->tableWords();
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    WindowLayer w = *WindowLayer::create(depthwiseLayerOf(op, operands));
    const ConvShape &s = w.shape();
    Buffer table = b.table<int32_t>("constants", w.table());
    TensorType turned = operands.outputs[0].type;
    turned.shape = {w.layer.pictures, s.outH, s.outW, s.outC};
    PictureRow place = splitRow(b, row, turned);
    Val top = place.y * s.strideH - s.padTop;
    TapRange ys =
        tapRange(b, top, s.kH, s.dilationH, s.inH, s.padTop, (s.outH - 1) * s.strideH - s.padTop);
    Val first = w.isColumn() ? b.index(0) : ys.first;
    Val runs = w.isColumn() ? b.index(1) : ys.end - ys.first;
    // Pixels, the first run of taps and the number of runs, in 16, 8 and 8 bits.
    Val word = b.toI32(b.index(s.outW) + first * (1 << 16)) | (b.toI32(runs) << 24);
    Val at = place.batch * s.inputElements() + (top + first * s.dilationH) * (s.inW * s.inC);
    callAsm(b, kernelFor(w),
            {{operands.inputs[0].buffer, at},
             {operands.outputs[0].buffer, row * (s.outW * s.outC)},
             {table, b.index(0)}},
            {word});
  }

private:
  static AsmKernel kernelFor(const WindowLayer &w) {
    AsmKernel kernel;
    kernel.name = "depthwise_window_" + w.shape().suffix() + zeroPointSuffix(w.layer.zeroPoint()) +
                  "_" + w.scaling.suffix();
    kernel.buffers = {{"input", ElementType::Int8},
                      {"output", ElementType::Int8, true},
                      {"table", ElementType::Int32}};
    kernel.words = {"pixels_and_runs"};
    kernel.instructions = [&w](AsmBuilder &a, ArrayRef<Reg> arguments) {
      WindowCode(a, w).build(arguments);
    };
    kernel.portable = [&w](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val> words) {
      portable(b, w, buffers, words[0]);
    };
    return kernel;
  }

  static void portable(KernelBuilder &b, const WindowLayer &w, ArrayRef<Buffer> buffers, Val word) {
    const Taps taps = w.taps();
    const int64_t channels = w.shape().outC;
    Buffer in = buffers[0], out = buffers[1], table = buffers[2];
    Val count = b.toIndex(word & 0xffff), firstRun = b.toIndex((word >> 16) & 0xff),
        runs = b.toIndex((word >> 24) & 0xff);
    b.loop("pixel", b.index(0), count, 1, [&](Val pixel) {
      b.loop("channel", channels, [&](Val channel) {
        // The second group overlaps the first.
        Val place = b.select(channel < lanes, channel, channel + w.overlap());
        Val group = place / lanes, lane = place % lanes;
        Val at = group * w.groupWords();
        Vals scale;
        for (int i = 0; i < w.scaling.constantWords(); ++i)
          scale.push_back(
              b.load(table, at + w.scaleWord() + lane * w.scaling.constantWords() + i, "scale"));
        Val weights = group * w.weightStep() + w.firstWeightWord();
        Val sum = b.accumulate(
            "run", b.index(0), runs, 1, b.load(table, at + lane, "bias"), [&](Val run, Val sum) {
              Val runAt = weights + (firstRun + run) * (w.groups() * w.runWords());
              return b.accumulate("tap", taps.inner, sum, [&](Val tap, Val sum) {
                Val isSingle = tap >= taps.inner / 2 * 2;
                Val index = tap / 2 * lanes + b.select(isSingle, lane % 2, lane);
                Val half = b.select(isSingle, lane / 2, tap % 2);
                Val pair = b.load(table, runAt + index, "weights");
                Val x = b.load(in,
                               pixel * taps.pixelBytes + run * taps.runBytes + tap * taps.tapBytes +
                                   channel,
                               "pixel");
                return sum + (x - w.layer.zeroPoint()) * ((pair << b.toI32((1 - half) * 16)) >> 16);
              });
            });
        b.store(out, pixel * channels + channel, w.scaling.emit(b, sum, scale));
      });
    });
  }
};

} // namespace

void addDepthwiseWindowKernels(KernelList &list) {
  list.push_back(std::make_unique<DepthwiseWindow>());
}

} // namespace thimble
