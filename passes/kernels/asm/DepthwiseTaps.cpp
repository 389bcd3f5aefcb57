// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Depthwise convolution by small code that layers of all shapes share: sizes, strides, paddings and
// the zero point are halfwords at the start of its constants. Four channels of one output pixel at
// a time, tap by tap, from words of four channels' pixels and of four channels' weights:
//   2 sxtab16 (which takes off the zero point) ; 2 and (which take weights apart) ; 4 smla
// Taps outside of the picture are left out. Where a word would hold other things than four channels
// for four outputs (few channels, or outputs that share one), it is one output at a time.
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"
#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/DepthwiseLayer.h"

#include <array>

using namespace mlir;

namespace thimble {
namespace {

/// The halfwords at the start of the constants. Rows of taps are called runs.
enum Size {
  MinusZero,
  Groups,    // of four channels, or channels
  Outputs,   // of a channel; one for groups
  FirstStep, // from the first group to the second, which overlaps where channels are no multiple of
             // 4
  RecordBytes,
  OutH,
  OutW,
  InH,
  InW,
  Runs,
  RunTaps,
  FirstRow, // of the first window
  FirstColumn,
  StrideH,
  StrideW,
  DilationH,
  DilationW,
  WholeColumns, // windows that start at a smaller one, but at no negative one, are inside
  RowBytes,
  PixelBytes,
  ScaleBytes, // of a group
  RunWeights, // bytes of a group's
  RunBytes,   // from a run of taps to the next
  WholeStep,  // the same from where an unrolled run leaves the pointer
  TapBytes
};
constexpr int64_t headerSizes = TapBytes + 1, headerWords = (headerSizes + 1) / 2;

struct TapsLayer {
  DepthwiseLayer layer;
  OutputScaling scaling;
  int bits;

  static std::optional<TapsLayer> create(std::optional<DepthwiseLayer> layer) {
    if (!layer)
      return std::nullopt;
    layer->turnColumn();
    const ConvShape &s = layer->shape;
    if (!hasTaps(s.outH, s.strideH, s.padTop, s.kH, s.dilationH, s.inH) ||
        !hasTaps(s.outW, s.strideW, s.padLeft, s.kW, s.dilationW, s.inW))
      return std::nullopt;
    // Weights are taken apart into the high bytes of halves, or as they are.
    for (int bits : {8, 0})
      if (std::optional<OutputScaling> scaling = layer->scaling(bits)) {
        TapsLayer t{std::move(*layer), std::move(*scaling), bits};
        const bool fits =
            llvm::all_of(t.header(), [](int64_t size) { return llvm::isInt<16>(size); });
        return fits ? std::optional(std::move(t)) : std::nullopt;
      }
    return std::nullopt;
  }

  const ConvShape &shape() const { return layer.shape; }
  bool hasGroups() const { return layer.multiplier() == 1 && shape().inC >= 4; }
  int64_t lanes() const { return hasGroups() ? 4 : 1; }
  int64_t groups() const { return llvm::divideCeil(shape().outC, lanes()); }
  int64_t overlap() const { return groups() * lanes() - shape().outC; }
  /// Taps of a run that is unrolled; none for a loop over runs of any length.
  static constexpr int64_t indexedTaps = 3; // without moving the pointer
  int64_t unrolled() const { return shape().kW <= 5 ? shape().kW : 0; }

  /// Constants of each group: biases, those of the scaling, and a byte of each lane for each tap.
  int64_t recordWords() const {
    const int64_t weights = llvm::divideCeil(shape().kH * shape().kW * lanes(), 4);
    return lanes() * (1 + scaling.constantWords()) + weights;
  }
  int64_t tableWords() const { return headerWords + groups() * recordWords(); }
  std::vector<int32_t> table() const;

private:
  /// Every window has a tap on the picture.
  static bool hasTaps(int64_t outputs, int64_t stride, int64_t pad, int64_t taps, int64_t dilation,
                      int64_t size) {
    for (int64_t i = 0; i < outputs; ++i) {
      bool has = false;
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int64_t at = i * stride - pad + tap * dilation;
        has |= at >= 0 && at < size;
      }
      if (!has)
        return false;
    }
    return true;
  }
  /// The sizes, in whole words.
  std::array<int64_t, 2 * headerWords> header() const;
};

std::array<int64_t, 2 * headerWords> TapsLayer::header() const {
  const ConvShape &s = shape();
  std::array<int64_t, 2 * headerWords> sizes = {};
  sizes[MinusZero] = -layer.zeroPoint();
  sizes[Groups] = hasGroups() ? groups() : s.inC;
  sizes[Outputs] = layer.multiplier();
  sizes[FirstStep] = lanes() - overlap();
  sizes[RecordBytes] = 4 * recordWords();
  sizes[OutH] = s.outH;
  sizes[OutW] = s.outW;
  sizes[InH] = s.inH;
  sizes[InW] = s.inW;
  sizes[Runs] = s.kH;
  sizes[RunTaps] = s.kW;
  sizes[FirstRow] = -s.padTop;
  sizes[FirstColumn] = -s.padLeft;
  sizes[StrideH] = s.strideH;
  sizes[StrideW] = s.strideW;
  sizes[DilationH] = s.dilationH;
  sizes[DilationW] = s.dilationW;
  sizes[WholeColumns] = std::max<int64_t>(0, s.inW - (s.kW - 1) * s.dilationW);
  sizes[RowBytes] = s.inW * s.inC;
  sizes[PixelBytes] = s.inC;
  sizes[ScaleBytes] = 4 * lanes() * scaling.constantWords();
  sizes[RunWeights] = s.kW * lanes();
  sizes[RunBytes] = s.dilationH * s.inW * s.inC;
  sizes[TapBytes] = s.dilationW * s.inC;
  const int64_t moved = unrolled() ? (unrolled() - 1) / indexedTaps * indexedTaps : 0;
  sizes[WholeStep] = sizes[RunBytes] - moved * sizes[TapBytes];
  return sizes;
}

std::vector<int32_t> TapsLayer::table() const {
  const ConvShape &s = shape();
  std::vector<int32_t> words;
  const auto sizes = header();
  for (size_t i = 0; i < sizes.size(); i += 2)
    words.push_back(halves(sizes[i], sizes[i + 1]));
  for (int64_t group = 0; group < groups(); ++group) {
    SmallVector<int64_t, 4> outputs;
    for (int64_t lane = 0; lane < lanes(); ++lane)
      outputs.push_back(group * lanes() + lane - (group > 0 ? overlap() : 0));
    for (int64_t o : outputs)
      words.push_back(layer.scaledBias(o, bits, scaling));
    for (int64_t o : outputs)
      scaling.appendConstants(static_cast<size_t>(o), words);
    int64_t byte = 0;
    for (int64_t tap = 0; tap < s.kH * s.kW; ++tap)
      for (int64_t o : outputs) {
        if (byte % 4 == 0)
          words.push_back(0);
        const auto weight = static_cast<uint8_t>(layer.weight(o, tap / s.kW, tap % s.kW));
        words.back() |= static_cast<int32_t>(uint32_t(weight) << byte++ % 4 * 8);
      }
  }
  return words;
}

//===-- Code --------------------------------------------------------------------------------===//

class TapsCode {
public:
  /// All but lanes, scaling, bits and the taps of an unrolled run are for costs.
  TapsCode(AsmBuilder &a, const TapsLayer &layer)
      : a(a), t(layer), s(layer.shape()), lanes(layer.lanes()) {}

  void build(ArrayRef<Reg> arguments) {
    input = a.toS(arguments[0]);
    output = a.toS(arguments[1]);
    header = a.toS(arguments[2]);
    Reg zero = size(arguments[2], MinusZero);
    minusZeros = a.toS(lanes == 4 ? a.packBottom(zero, lsl(zero, 16)) : a.shiftLeft(zero, t.bits));
    tapStep = kept(arguments[2], TapBytes);
    wholeStep = kept(arguments[2], WholeStep);
    recordBytes = kept(arguments[2], RecordBytes);
    SReg top = kept(arguments[2], FirstRow);
    repeat(kept(arguments[2], OutH), s.outH, {output, top}, [&] {
      row(a.toR(top));
      top = a.toS(a.add(a.toR(top), size(StrideH)));
    });
  }

private:
  Reg size(Reg header, Size which) { return a.loadTable(header, 2 * which, Width::S16); }
  Reg size(Size which) { return size(a.toR(header), which); }
  SReg kept(Reg header, Size which) { return a.toS(size(header, which)); }

  // `count` times.
  void repeat(SReg count, int64_t trips, Variables carried, AsmBuilder::Body body) {
    carried.push_back(count);
    a.loopWhileNotEqual(trips, carried, [&] {
      body();
      count = a.toS(a.subs(a.toR(count), 1));
    });
  }

  struct Inside {
    Reg first, count;
  };
  // Those of `taps` taps at `start` and on that are less than `size` and not negative.
  Inside tapsInside(Reg start, Reg taps, Reg dilation, Reg size, int64_t trips) {
    Inside inside{a.constant(0), a.constant(0)};
    a.loopWhileNotEqual(trips, {start, inside.first, inside.count, taps}, [&] {
      inside.first = a.add(inside.first, lsr(start, 31));
      Reg more = a.add(inside.count, 1);
      a.compare(start, size);
      inside.count = a.select("lo", more, inside.count);
      start = a.add(start, dilation);
      taps = a.subs(taps, 1);
    });
    return inside;
  }

  void row(Reg top) {
    Reg h = a.toR(header), dilation = size(h, DilationH);
    Inside ys = tapsInside(top, size(h, Runs), dilation, size(h, InH), s.kH);
    runs = a.toS(ys.count);
    skippedWeights = a.toS(a.mla(ys.first, size(h, RunWeights), size(h, ScaleBytes)));
    Reg first = a.mla(ys.first, dilation, top);
    rowStart = a.toS(a.mla(first, size(h, RowBytes), a.toR(input)));
    SReg left = kept(h, FirstColumn);
    repeat(kept(h, OutW), s.outW, {output, left}, [&] {
      pixel(a.toR(left));
      left = a.toS(a.add(a.toR(left), size(StrideW)));
    });
  }

  void pixel(Reg left) {
    Reg h = a.toR(header), dilation = size(h, DilationW), runTaps = size(h, RunTaps);
    Inside xs{a.constant(0), runTaps};
    a.compare(left, size(h, WholeColumns));
    a.branch("hs", s.outW - wholePixels(), s.outW, {xs.first, xs.count},
             [&] { xs = tapsInside(left, runTaps, dilation, size(h, InW), s.kW); });
    const int log = lanes == 4 ? 2 : 0; // of the bytes of a tap's weights
    firstWeight = a.toS(a.add(a.toR(skippedWeights), lsl(xs.first, log)));
    Reg column = a.mla(xs.first, dilation, left);
    from = a.toS(a.mla(column, size(h, PixelBytes), a.toR(rowStart)));
    taps = a.toS(xs.count);
    weightStep = a.toS(a.shiftLeft(a.sub(runTaps, xs.count), log));
    runStep = a.toS(a.sub(size(h, RunBytes), a.mul(xs.count, size(h, TapBytes))));
    groups(h);
  }
  int64_t wholePixels() const {
    int64_t whole = 0;
    for (int64_t x = 0; x < s.outW; ++x) {
      const int64_t left = x * s.strideW - s.padLeft;
      whole += left >= 0 && left + (s.kW - 1) * s.dilationW < s.inW;
    }
    return whole;
  }

  void groups(Reg h) {
    SReg record = a.toS(a.add(h, 4 * headerWords)), step = kept(h, FirstStep);
    SReg next = a.toS(a.constant(lanes));
    repeat(kept(h, Groups), t.hasGroups() ? t.groups() : s.inC, {from, output, record, step}, [&] {
      if (lanes == 4) {
        group(record);
      } else {
        repeat(kept(a.toR(header), Outputs), t.layer.multiplier(), {output, record}, [&] {
          group(record);
          output = a.toS(a.add(a.toR(output), 1));
        });
      }
      Reg by = a.toR(step);
      from = a.toS(a.add(a.toR(from), by));
      if (lanes == 4) {
        output = a.toS(a.add(a.toR(output), by));
        step = a.copy(next);
      }
    });
  }

  void group(SReg &record) {
    weight = a.toR(record);
    sums = a.loadTableMultiple(weight, static_cast<size_t>(lanes));
    weight = a.add(weight, a.toR(firstWeight));
    x = a.toR(from);
    minusZero = a.toR(minusZeros);
    tapBytes = a.toR(tapStep);
    mask = lanes == 4 && t.bits ? a.constant(0xff00ff00) : minusZero;
    Variables carried{x, weight};
    for (Reg &sum : sums)
      carried.push_back(sum);
    if (t.unrolled()) {
      a.compare(a.toR(taps), t.unrolled());
      a.branch(
          "eq", wholePixels(), s.outW, carried, [&] { wholeRuns(carried); },
          [&] { cutRuns(carried); });
    } else {
      cutRuns(carried);
    }
    finish(record);
  }

  // Every run has all its taps.
  void wholeRuns(const Variables &carried) {
    overRuns(carried, [&] {
      for (int64_t i = 0; i < t.unrolled(); ++i) {
        const int64_t reach = i % TapsLayer::indexedTaps;
        if (i > 0 && reach == 0)
          x = a.add(a.add(x, tapBytes), lsl(tapBytes, 1));
        tap(reach ? a.loadIndexed(x, tapBytes, static_cast<int>(reach) - 1, pixelWidth())
                  : a.load(x, 0, pixelWidth()));
      }
      x = a.add(x, a.toR(wholeStep));
    });
  }

  void cutRuns(const Variables &carried) {
    overRuns(carried, [&] {
      repeat(taps, s.kW, carried, [&] {
        tap(a.load(x, 0, pixelWidth()));
        x = a.add(x, tapBytes);
      });
      x = a.add(x, a.toR(runStep));
      weight = a.add(weight, a.toR(weightStep));
    });
  }

  void overRuns(const Variables &carried, AsmBuilder::Body body) {
    Reg left = a.toR(runs);
    Variables all = carried;
    all.push_back(left);
    a.loopWhileNotEqual(s.kH, all, [&] {
      body();
      left = a.subs(left, 1);
    });
  }

  Width pixelWidth() const { return lanes == 4 ? Width::Word : Width::S8; }

  void tap(Reg pixel) {
    Reg w = a.loadTablePost(weight, lanes, pixelWidth());
    if (lanes == 1) {
      Shifted scaled = t.bits ? lsl(pixel, t.bits) : Shifted(pixel);
      sums[0] = a.mla(a.add(minusZero, scaled), w, sums[0]);
      return;
    }
    Reg even = a.sxtab16(minusZero, pixel), odd = a.sxtab16(minusZero, ror(pixel, 8));
    Reg evenWeights = t.bits ? a.bitAnd(mask, lsl(w, 8)) : a.sxtb16(w);
    Reg oddWeights = t.bits ? a.bitAnd(mask, w) : a.sxtb16Ror8(w);
    sums[0] = a.smlabb(even, evenWeights, sums[0]);
    sums[2] = a.smlatt(even, evenWeights, sums[2]);
    sums[1] = a.smlabb(odd, oddWeights, sums[1]);
    sums[3] = a.smlatt(odd, oddWeights, sums[3]);
  }

  void finish(SReg &record) {
    Reg at = a.toR(record), out = a.toR(output);
    record = a.toS(a.add(at, a.toR(recordBytes)));
    at = a.add(at, 4 * lanes);
    const auto words = static_cast<size_t>(t.scaling.constantWords());
    Regs multipliers;
    if (words == 1)
      multipliers = a.loadTableMultiple(at, sums.size());
    for (auto [lane, sum] : llvm::enumerate(sums)) {
      Regs constants = words == 1 ? Regs{multipliers[lane]} : a.loadTableMultiple(at, words);
      a.store(t.scaling.emit(a, sum, constants), out, static_cast<int64_t>(lane), Width::U8);
    }
  }

  AsmBuilder &a;
  const TapsLayer &t;
  const ConvShape &s;
  const int64_t lanes;
  SReg input, output, header;
  // Of the header.
  SReg minusZeros, tapStep, wholeStep, recordBytes;
  // Of a row: its runs of taps on the picture, weights before them, the first one's row.
  SReg runs, skippedWeights, rowStart;
  // Of a pixel: the first tap on the picture, taps on it of each run, the first one's weights, and
  // the ways from the end of a run to the next.
  SReg from, taps, firstWeight, weightStep, runStep;
  // Of a group.
  Reg x, weight, minusZero, mask, tapBytes;
  Regs sums;
};

//===-- Kernel ------------------------------------------------------------------------------===//

// The same in portable code.
void portable(KernelBuilder &b, const TapsLayer &t, ArrayRef<Buffer> buffers) {
  Buffer in = buffers[0], out = buffers[1], table = buffers[2];
  const int64_t lanes = t.lanes();
  auto half = [&](Size which) {
    Val pair = b.load(table, b.index(which / 2), "sizes");
    return (which % 2 ? pair : pair << 16) >> 16;
  };
  auto size = [&](Size which) { return b.toIndex(half(which)); };
  Val groups = size(Groups), outputs = size(Outputs), recordWords = size(RecordBytes) / 4;
  Val runs = size(Runs), runTaps = size(RunTaps), inH = size(InH), inW = size(InW);
  Val rowBytes = size(RowBytes), pixelBytes = size(PixelBytes), outW = size(OutW);
  const int words = t.scaling.constantWords();
  Val minusZero = half(MinusZero);
  // Channels of the output; the second group overlaps the first.
  Val overlap = lanes - size(FirstStep), outC = groups * outputs * lanes - overlap;

  b.loop("y", b.index(0), size(OutH), 1, [&](Val y) {
    b.loop("x", b.index(0), outW, 1, [&](Val x) {
      b.loop("channel", b.index(0), outC, 1, [&](Val channel) {
        Val place = lanes == 1 ? channel : b.select(channel < lanes, channel, channel + overlap);
        Val lane = place % lanes, record = place / lanes * recordWords + headerWords;
        Val source = channel / outputs;
        Val bias = b.load(table, record + lane, "bias");
        Val weights = record + lanes * (words + 1);
        Vals scale;
        for (int i = 0; i < words; ++i)
          scale.push_back(b.load(table, record + lanes + lane * words + i, "scale"));
        Val top = size(FirstRow) + y * size(StrideH), left = size(FirstColumn) + x * size(StrideW);
        Val sum = b.accumulate("ky", b.index(0), runs, 1, bias, [&](Val ky, Val sum) {
          return b.accumulate("kx", b.index(0), runTaps, 1, sum, [&](Val kx, Val sum) {
            Val row = top + ky * size(DilationH), column = left + kx * size(DilationW);
            Val isInside = (row >= 0) & (row < inH) & (column >= 0) & (column < inW);
            auto add = [&]() -> Vals {
              Val byte = (ky * runTaps + kx) * lanes + lane;
              Val weight = b.load(table, weights + byte / 4, "weights");
              weight = (weight << b.toI32((3 - byte % 4) * 8)) >> 24;
              Val pixel = b.load(in, row * rowBytes + column * pixelBytes + source, "pixel");
              const int64_t unit = int64_t(1) << t.bits;
              return {sum + (pixel + minusZero) * weight * unit};
            };
            return b.choose(isInside, add, [&]() -> Vals { return {sum}; })[0];
          });
        });
        b.store(out, (y * outW + x) * outC + channel, t.scaling.emit(b, sum, scale));
      });
    });
  });
}

class DepthwiseTaps : public Kernel {
public:
  StringRef getName() const override { return "depthwise_conv_2d.taps"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<TapsLayer> t = TapsLayer::create(depthwiseLayerOf(q));
    if (!t)
      return std::nullopt;
    Candidate c;
    c.rows = t->layer.pictures;
    kernelFor(*t).addTo(c, c.rows);
    c.flashBytes += 4 * t->tableWords();
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val picture) const override {
    TapsLayer t = *TapsLayer::create(depthwiseLayerOf(op, operands));
    const ConvShape &s = t.shape();
    callAsm(b, kernelFor(t),
            {{operands.inputs[0].buffer, picture * s.inputElements()},
             {operands.outputs[0].buffer, picture * (s.outH * s.outW * s.outC)},
             {b.table<int32_t>("constants", t.table()), b.index(0)}});
  }

private:
  static AsmKernel kernelFor(const TapsLayer &t) {
    AsmKernel kernel;
    kernel.name = "depthwise_taps" + std::to_string(t.lanes()) + "_r" +
                  std::to_string(t.unrolled()) + "_b" + std::to_string(t.bits) + "_" +
                  t.scaling.suffix();
    kernel.buffers = {{"input", ElementType::Int8},
                      {"output", ElementType::Int8, true},
                      {"table", ElementType::Int32}};
    kernel.instructions = [&t](AsmBuilder &a, ArrayRef<Reg> arguments) {
      TapsCode(a, t).build(arguments);
    };
    kernel.portable = [&t](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
      portable(b, t, buffers);
    };
    return kernel;
  }
};

} // namespace

void addDepthwiseTapsKernels(KernelList &list) {
  list.push_back(std::make_unique<DepthwiseTaps>());
}

} // namespace thimble
