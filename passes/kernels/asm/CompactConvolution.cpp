// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Convolutions of any shape by one function, whose sizes come with the constants: little code for
// networks in which every layer has a shape of its own. Two pixels by four channels at a time: the
// windows of both pixels are widened into one patch,
//   [pair of taps][pixel], taps (0, 2), (1, 3) of each four,
// and a loop multiplies it with the mixed weights of each group of channels (see WeightForm).
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/DirectConvolution.h"

using namespace mlir;

namespace thimble {
namespace {

constexpr int64_t pixels = 2, channels = 4;

/// Halfwords at the start of the constants. Columns and windows are in bytes.
enum Size {
  Blocks,      // of pixels in a row
  LastPixel,   // that a block begins with
  ColumnStep,  // from pixel to pixel
  SecondIn,    // the same within a block, and of outputs; 0 where a row has one pixel
  SecondOut,
  OutChannels,
  Groups,      // of channels; the second overlaps the first by what the last lacks
  FirstStep,   // from the first group to the second
  RunBytes,    // taps that follow one another in the picture
  PatchBytes,
  PointwiseSizes,
  // What only windows need.
  Runs = PointwiseSizes, // in a row of the window
  RunStep,
  WindowRows,
  RowDilation,
  RowStride,
  PadTop,
  PadLeft,
  Rows,     // of the picture
  RowBytes,
  Inside,   // runs that start before this column lie within the row
  ZeroPoint,
  AllSizes,
};

struct CompactLayer {
  ConvLayer layer;
  FormScaling scaling;
  /// Pairs of taps in a trip of the loop.
  int64_t unrolled;

  static std::optional<CompactLayer> create(std::optional<ConvLayer> layer, int64_t unrolled) {
    if (!layer)
      return std::nullopt;
    auto scaling = scalingFor(*layer, WeightForm::ByteMix);
    if (!scaling)
      return std::nullopt;
    CompactLayer compact{std::move(*layer), std::move(*scaling), unrolled};
    if (!compact.fits())
      return std::nullopt;
    return compact;
  }

  const ConvShape &shape() const { return layer.shape; }
  bool isPointwise() const {
    const ConvShape &s = shape();
    return s.kH == 1 && s.kW == 1 && s.outH == 1 && s.strideW == 1 && s.inW == s.outW;
  }
  /// Taps side by side are bytes side by side, unless columns are left out between them.
  bool hasWideRuns() const { return shape().dilationW == 1 || shape().kW == 1; }
  int64_t runs() const { return hasWideRuns() ? 1 : shape().kW; }
  int64_t runBytes() const { return shape().inC * (hasWideRuns() ? shape().kW : 1); }

  /// The taps of a run are fours, of which the second overlaps the first.
  int64_t fours() const { return llvm::divideCeil(runBytes(), 4); }
  /// Of lane `lane` of a four; none where an earlier one has it.
  std::optional<int64_t> tapOf(int64_t four, int64_t lane) const {
    const int64_t tap = 4 * four + lane - (four > 0 ? 4 * fours() - runBytes() : 0);
    return four > 0 && tap < 4 ? std::nullopt : std::optional(tap);
  }
  int64_t pairs() const { return llvm::alignTo(2 * fours() * runs() * shape().kH, unrolled); }
  int64_t patchBytes() const { return 4 * pixels * pairs(); }
  int64_t scratchBytes() const {
    return 4 + patchBytes() + (isPointwise() ? 0 : llvm::alignTo(runBytes(), 4));
  }

  int64_t groups() const { return llvm::divideCeil(shape().outC, channels); }
  int64_t overlap() const { return groups() * channels - shape().outC; }
  int64_t channelOf(int64_t group, int64_t lane) const {
    return group * channels + lane - (group > 0 ? overlap() : 0);
  }

  //===-- Constants -------------------------------------------------------------------------===//
  // Sizes; for each group biases (mixed and even, of each pair of channels), the mixed weights of
  // each pair of taps, fine offsets if there are any, the channels' scalings.

  int64_t headerWords() const { return llvm::divideCeil(isPointwise() ? PointwiseSizes : AllSizes, 2); }
  int64_t scalingWords() const { return scaling.output.constantWords(); }
  bool hasFineOffsets() const { return scaling.output.form == OutputScaling::Fold; }
  int64_t groupWords() const {
    return channels + pairs() * channels / 2 + hasFineOffsets() + channels * scalingWords();
  }
  int64_t tableWords() const { return headerWords() + groups() * groupWords(); }

  std::vector<int64_t> sizes() const {
    const ConvShape &s = shape();
    const bool isOne = s.outW == 1;
    std::vector<int64_t> sizes = {(s.outW + pixels - 1) / pixels,
                                  isOne ? 0 : s.outW - pixels,
                                  s.strideW * s.inC,
                                  isOne ? 0 : s.strideW * s.inC,
                                  isOne ? 0 : s.outC,
                                  s.outC,
                                  groups(),
                                  channels - overlap(),
                                  runBytes(),
                                  patchBytes()};
    const int64_t rowBytes = s.inW * s.inC;
    if (!isPointwise())
      sizes.insert(sizes.end(),
                   {runs(), s.dilationW * s.inC, s.kH, s.dilationH, s.strideH, s.padTop,
                    s.padLeft * s.inC, s.inH, rowBytes,
                    std::max<int64_t>(0, rowBytes - runBytes() + 1), layer.requant.inputZeroPoint});
    return sizes;
  }

  std::vector<int32_t> table() const {
    std::vector<int32_t> words;
    std::vector<int64_t> halfwords = sizes();
    halfwords.resize(static_cast<size_t>(2 * headerWords()));
    for (size_t i = 0; i < halfwords.size(); i += 2)
      words.push_back(halves(halfwords[i], halfwords[i + 1]));
    for (int64_t group = 0; group < groups(); ++group) {
      for (int64_t lane = 0; lane < channels; lane += 2)
        llvm::append_range(words, byteMixBiases(layer, scaling.output, channel(group, lane),
                                                channel(group, lane + 1)));
      appendWeights(group, words);
      if (hasFineOffsets())
        words.push_back(
            byteMixFineOffsets(scaling.output, {channel(group, 0), channel(group, 2)}));
      for (int64_t lane = 0; lane < channels; ++lane)
        scaling.output.appendConstants(channel(group, lane), words);
    }
    return words;
  }

private:
  bool fits() const {
    const ConvShape &s = shape();
    if (s.outC < channels || runBytes() < 4)
      return false;
    std::vector<int64_t> all = sizes();
    if (!isPointwise())
      all.pop_back(); // the zero point has a sign
    return llvm::all_of(all, [](int64_t size) { return size >= 0 && size < 1 << 16; });
  }
  size_t channel(int64_t group, int64_t lane) const {
    return static_cast<size_t>(channelOf(group, lane));
  }
  void appendWeights(int64_t group, std::vector<int32_t> &words) const {
    const ConvShape &s = shape();
    const size_t end = words.size() + static_cast<size_t>(pairs() * channels / 2);
    auto weight = [&](int64_t lane, int64_t ky, int64_t run, std::optional<int64_t> tap) -> int64_t {
      if (!tap)
        return 0;
      const int64_t kx = hasWideRuns() ? *tap / s.inC : run;
      return layer.weight(channelOf(group, lane), ky, kx, *tap % s.inC);
    };
    for (int64_t ky = 0; ky < s.kH; ++ky)
      for (int64_t run = 0; run < runs(); ++run)
        for (int64_t pair = 0; pair < 2 * fours(); ++pair)
          for (int64_t lane = 0; lane < channels; lane += 2) {
            auto mixed = [&](int64_t half) {
              const auto tap = tapOf(pair / 2, pair % 2 + 2 * half);
              return 256 * weight(lane + 1, ky, run, tap) + weight(lane, ky, run, tap);
            };
            words.push_back(halves(mixed(0), mixed(1)));
          }
    words.resize(end); // pairs of taps that fill the last trip
  }
};

//===-- Instructions ------------------------------------------------------------------------===//

class Instructions {
public:
  Instructions(AsmBuilder &a, const CompactLayer &compact) : a(a), l(compact), s(l.shape()) {}

  void emit(ArrayRef<Reg> arguments) {
    picture = a.toS(arguments[0]);
    Reg table = arguments[2], scratch = arguments[3];
    outputRow = a.toS(arguments[1]);
    sizes = a.toS(table);
    groupsStart = a.toS(a.add(table, 4 * l.headerWords()));
    Reg patchStart = a.add(scratch, 4);
    patch = a.toS(patchStart);
    Reg end = a.add(patchStart, size(table, PatchBytes));
    patchEnd = a.toS(end); // and what a border's run is put together in
    secondOut = a.toS(size(table, SecondOut));
    if (!l.isPointwise()) {
      Reg row = a.mul(a.load(scratch), size(table, RowStride));
      firstRow = a.toS(a.sub(row, size(table, PadTop)));
      zeroPoint = a.toS(a.loadTable(table, 2 * ZeroPoint, Width::S16));
    }
    SReg pixel = a.toS(a.constant(0)), left = a.toS(size(table, Blocks));
    a.repeat(llvm::divideCeil(s.outW, pixels), {pixel, left}, [&] {
      block(a.toR(pixel));
      pixel = a.toS(a.add(a.toR(pixel), pixels));
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

private:
  Reg size(Reg table, Size which) { return a.loadTable(table, 2 * which, Width::U16); }

  void block(Reg first) {
    Reg table = a.toR(sizes), last = size(table, LastPixel);
    a.compare(first, last);
    first = a.select("gt", last, first);
    output = a.toS(a.mla(first, size(table, OutChannels), a.toR(outputRow)));
    gather(a.mul(first, size(table, ColumnStep)));
    products();
  }

  //===-- Patches ---------------------------------------------------------------------------===//

  void gather(Reg column) {
    if (!l.isPointwise())
      column = a.sub(column, size(a.toR(sizes), PadLeft));
    SReg to = patch, left = a.toS(a.constant(pixels)), at = a.toS(column);
    a.repeat(pixels, {to, left, at}, [&] {
      if (l.isPointwise()) {
        Reg pixel = a.toR(to);
        widen(a.add(a.toR(picture), a.toR(at)), pixel);
      } else {
        window(at, a.toR(to));
      }
      at = a.toS(a.add(a.toR(at), size(a.toR(sizes), SecondIn)));
      to = a.toS(a.add(a.toR(to), 4));
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  void window(SReg column, Reg to) {
    SReg row = firstRow, rows = a.toS(size(a.toR(sizes), WindowRows));
    a.repeat(s.kH, {to, row, rows}, [&] {
      Reg y = a.toR(row), table = a.toR(sizes);
      Reg rowBytes = size(table, RowBytes);
      SReg start = a.toS(a.mla(y, rowBytes, a.toR(picture)));
      Reg inside = size(table, Inside), none = a.constant(0);
      a.compare(y, size(table, Rows));
      inside = a.select("lo", inside, none);
      SReg end = a.toS(a.select("lo", rowBytes, none));
      Reg x = a.toR(column);
      SReg runs = a.toS(size(table, Runs));
      SReg within = a.toS(inside);
      a.repeat(l.runs(), {to, x, runs}, [&] {
        run(x, start, end, within, to);
        x = a.add(x, size(a.toR(sizes), RunStep));
        runs = a.toS(a.subs(a.toR(runs), 1));
      });
      row = a.toS(a.add(a.toR(row), size(a.toR(sizes), RowDilation)));
      rows = a.toS(a.subs(a.toR(rows), 1));
    });
  }

  // From column `x` of the row at `start`, which has `end` bytes.
  void run(Reg x, SReg start, SReg end, SReg within, Reg &to) {
    Reg from = a.add(a.toR(start), x);
    a.compare(x, a.toR(within));
    a.branch("hs", 1, 4, {from}, [&] {
      Reg row = a.toR(start), limit = a.toR(end), zero = a.toR(zeroPoint);
      Reg column = a.copy(x), at = a.toR(patchEnd), left = size(a.toR(sizes), RunBytes);
      a.repeat(l.runBytes(), {column, at, left}, [&] {
        Reg value = a.copy(zero);
        a.compare(column, limit);
        a.branch("lo", 1, 2, {value},
                 [&] { value = a.loadIndexed(row, column, 0, Width::S8); });
        a.storePost(value, at, 1, Width::U8);
        column = a.add(column, 1);
        left = a.subs(left, 1);
      });
      from = a.toR(patchEnd);
    });
    widen(from, to);
  }

  void widen(Reg from, Reg &to) {
    Reg bytes = size(a.toR(sizes), RunBytes);
    Reg left = a.shiftRightLogical(a.add(bytes, 3), 2);
    Reg step = a.add(a.bitAnd(a.add(bytes, -1), 3), 1);
    a.repeat(l.fours(), {from, to, left, step}, [&] {
      Reg four = a.load(from);
      from = a.add(from, step);
      step = a.constant(4);
      a.store(a.sxtb16(four), to);
      a.store(a.sxtb16Ror8(four), to, 4 * pixels);
      to = a.add(to, 8 * pixels);
      left = a.subs(left, 1);
    });
  }

  //===-- Products --------------------------------------------------------------------------===//

  void products() {
    Reg table = a.toR(sizes), stream = a.toR(groupsStart);
    SReg left = a.toS(size(table, Groups)), step = a.toS(size(table, FirstStep));
    a.repeat(l.groups(), {stream, output, left, step}, [&] {
      group(stream);
      output = a.toS(a.add(a.toR(output), a.toR(step)));
      step = a.toS(a.constant(channels));
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  void group(Reg &stream) {
    Regs biases = a.loadTableMultiple(stream, channels);
    Variables carried{stream};
    Reg from = a.toR(patch);
    carried.push_back(from);
    for (size_t c = 0; c < channels; ++c) {
      sums[c][0] = biases[c];
      sums[c][1] = a.copy(biases[c]);
      carried.append({sums[c][0], sums[c][1]});
    }
    a.repeat(l.pairs() / l.unrolled, carried, [&] {
      for (int64_t pair = 0; pair < l.unrolled; ++pair)
        multiply(stream, from, 4 * pixels * pair);
      from = a.add(from, 4 * pixels * l.unrolled);
      a.compare(from, a.toR(patchEnd));
    });
    finish(stream);
  }

  void multiply(Reg &stream, Reg from, int64_t offset) {
    Reg first = a.load(from, offset), second = a.load(from, offset + 4);
    Reg weights[] = {a.loadTablePost(stream, 4), a.loadTablePost(stream, 4)};
    for (size_t pair : {0, 1})
      for (size_t isEven : {0, 1}) {
        Reg weight = isEven ? a.sxtb16(weights[pair]) : weights[pair];
        auto &sum = sums[2 * pair + isEven];
        sum[0] = a.smlad(first, weight, sum[0]);
        sum[1] = a.smlad(second, weight, sum[1]);
      }
  }

  void finish(Reg &stream) {
    Reg first = a.toR(output), second;
    std::optional<Reg> fine;
    if (l.hasFineOffsets())
      fine = a.loadTablePost(stream, 4);
    for (size_t c = 0; c < channels; ++c) {
      if (c % 2 == 0)
        separateByteMix(a, sums[c], sums[c + 1],
                        fineOffset(a, fine, static_cast<int64_t>(c), channels));
      Regs constants;
      for (int64_t i = 0; i < l.scalingWords(); ++i)
        constants.push_back(a.loadTablePost(stream, 4));
      auto offset = static_cast<int64_t>(c);
      a.store(l.scaling.output.emit(a, sums[c][0], constants), first, offset, Width::U8);
      if (c == 0 || l.scalingWords() > 2) // else there is a register to keep it
        second = a.add(first, a.toR(secondOut));
      a.store(l.scaling.output.emit(a, sums[c][1], constants), second, offset, Width::U8);
    }
  }

  AsmBuilder &a;
  const CompactLayer &l;
  const ConvShape &s; // for costs only
  SReg picture, outputRow, output, sizes, groupsStart, patch, patchEnd, secondOut, firstRow, zeroPoint;
  std::array<Reg, pixels> sums[channels];
};

//===-- Portable ----------------------------------------------------------------------------===//

class Portable {
public:
  Portable(KernelBuilder &b, const CompactLayer &compact, ArrayRef<Buffer> buffers)
      : b(b), l(compact), picture(buffers[0]), output(buffers[1]), table(buffers[2]),
        scratch(buffers[3]) {}

  void emit() {
    Val outC = size(OutChannels), overlap = channels - size(FirstStep);
    Val pixelCount = b.select(size(SecondOut) == 0, b.index(1), size(LastPixel) + pixels);
    runBytes = size(RunBytes), fours = (runBytes + 3) / 4;
    groupWords = channels * (1 + l.scalingWords()) + size(PatchBytes) / (4 * pixels) * (channels / 2) +
                 l.hasFineOffsets();
    columnStep = size(ColumnStep);
    b.loop("x", b.index(0), pixelCount, 1, [&](Val x) {
      b.loop("channel", b.index(0), outC, 1, [&](Val channel) {
        Val place = b.select(channel < channels, channel, channel + overlap);
        b.store(output, x * outC + channel, scaled(x, place / channels, place % channels));
      });
    });
  }

private:
  Val size(Size which) {
    Val word = b.load(table, b.index(which / 2), "sizes");
    if (which == ZeroPoint)
      return which % 2 ? word >> 16 : (word << 16) >> 16;
    return b.toIndex(b.shiftRightLogical(word, b.i32(which % 2 * 16)) & 0xffff);
  }
  Val word(Val at) { return b.load(table, at + l.headerWords()); }

  Val scaled(Val x, Val group, Val lane) {
    Val at = group * groupWords, isOdd = lane % 2 != 0, mixed = at + lane / 2 * 2;
    Val sum = products(x, at + channels, lane);
    Val scaling = at + groupWords - channels * l.scalingWords();
    Val fine = l.hasFineOffsets() ? fineOffset(b, word(scaling - 1), lane) : b.i32(0);
    sum = separateByteMix(b, isOdd, sum, word(mixed), word(mixed + 1), fine);
    Vals constants;
    for (int64_t i = 0; i < l.scalingWords(); ++i)
      constants.push_back(word(scaling + lane * l.scalingWords() + i));
    return l.scaling.output.emit(b, sum, constants);
  }

  Val products(Val x, Val weights, Val lane) {
    if (l.isPointwise())
      return run(weights, lane, b.i32(0), [&](Val tap) { return b.load(picture, x * columnStep + tap); });
    Val left = x * columnStep - size(PadLeft);
    Val top = b.toIndex(b.load(scratch, b.index(0))) * size(RowStride) - size(PadTop);
    Val runs = size(Runs), rowBytes = size(RowBytes), zeroPoint = size(ZeroPoint), rows = size(Rows);
    return b.accumulate("ky", b.index(0), size(WindowRows), 1, b.i32(0), [&](Val ky, Val sum) {
      Val row = top + ky * size(RowDilation);
      return b.accumulate("run", b.index(0), runs, 1, sum, [&](Val kx, Val sum) {
        Val column = left + kx * size(RunStep);
        Val first = weights + (ky * runs + kx) * fours * channels;
        return run(first, lane, sum, [&](Val tap) {
          Val at = column + tap;
          Val isInside = (row >= 0) & (row < rows) & (at >= 0) & (at < rowBytes);
          return b.choose(isInside, [&] { return Vals{b.load(picture, row * rowBytes + at)}; },
                          [&] { return Vals{zeroPoint}; })[0];
        });
      });
    });
  }

  Val run(Val weights, Val lane, Val sum, llvm::function_ref<Val(Val)> input) {
    return b.accumulate("tap", b.index(0), fours * 4, 1, sum, [&](Val i, Val sum) {
      Val pair = i / 4 * 2 + i % 2, half = i / 2 % 2;
      Val at = weights + pair * (channels / 2) + lane / 2;
      Val mixed = (word(at) << b.toI32((1 - half) * 16)) >> 16, even = (mixed << 24) >> 24;
      Val tap = b.select(i < 4, i, i - fours * 4 + runBytes);
      return sum + b.select(lane % 2 != 0, (mixed - even) >> 8, even) * input(tap);
    });
  }

  KernelBuilder &b;
  const CompactLayer &l;
  Buffer picture, output, table, scratch;
  Val runBytes, fours, groupWords, columnStep;
};

//===-- Kernel ------------------------------------------------------------------------------===//

AsmKernel asmKernel(const CompactLayer &compact) {
  AsmKernel kernel;
  kernel.name = std::string("conv_compact_") + (compact.isPointwise() ? "pixels" : "windows") +
                std::to_string(2 * compact.unrolled) + "_" + compact.scaling.output.suffix();
  kernel.buffers = {{"input", ElementType::Int8, false},
                    {"output", ElementType::Int8, true},
                    {"table", ElementType::Int32, false},
                    {"scratch", ElementType::Int32, true}};
  kernel.instructions = [compact](AsmBuilder &a, ArrayRef<Reg> arguments) {
    Instructions(a, compact).emit(arguments);
  };
  kernel.portable = [compact](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    Portable(b, compact, buffers).emit();
  };
  return kernel;
}

class CompactConvolution : public Kernel {
public:
  CompactConvolution(StringRef name, int64_t unrolled) : name(name), unrolled(unrolled) {}
  StringRef getName() const override { return name; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    auto compact = CompactLayer::create(convLayerOf(q), unrolled);
    if (!compact)
      return std::nullopt;
    Candidate c;
    c.rows = compact->layer.pictures * compact->shape().outH;
    asmKernel(*compact).addTo(c, c.rows);
    c.flashBytes += 4 * compact->tableWords();
    c.scratch.push_back({ElementType::Int32, compact->scratchBytes() / 4});
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    CompactLayer compact = *CompactLayer::create(convLayerOf(op, operands), unrolled);
    const ConvShape &s = compact.shape();
    Val picture = compact.layer.pictures == 1 ? b.index(0) : row / s.outH;
    if (!compact.isPointwise())
      b.store(operands.scratch[0], b.index(0),
              b.toI32(compact.layer.pictures == 1 ? row : row % s.outH));
    callAsm(b, asmKernel(compact),
            {{operands.inputs[0].buffer, picture * s.inputElements()},
             {operands.outputs[0].buffer, row * (s.outW * s.outC)},
             {b.table<int32_t>("filters", compact.table()), b.index(0)},
             {operands.scratch[0], b.index(0)}});
  }

private:
  StringRef name;
  int64_t unrolled;
};

} // namespace
} // namespace thimble

void thimble::addCompactConvolutionKernels(KernelList &list) {
  list.push_back(std::make_unique<CompactConvolution>("conv_2d.compact_by_8", 4));
  list.push_back(std::make_unique<CompactConvolution>("conv_2d.compact", 2));
}
