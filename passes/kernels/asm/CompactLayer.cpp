// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Compact convolutions: where they apply, their constants, and the portable form.
#include "passes/kernels/asm/CompactLayer.h"

using namespace mlir;
using namespace thimble;

std::optional<CompactLayer> CompactLayer::create(std::optional<ConvLayer> layer, Patch patch,
                                                 int64_t unrolled) {
  if (!layer)
    return std::nullopt;
  const ConvShape &s = layer->shape;
  const bool isPointwise =
      s.kH == 1 && s.kW == 1 && s.outH == 1 && s.strideW == 1 && s.inW == s.outW;
  if (isPointwise != (patch == Pixels))
    return std::nullopt;
  CompactLayer compact{std::move(*layer), {}, patch, unrolled};
  if (!compact.fits())
    return std::nullopt;
  auto scaling = scalingFor(compact.layer, WeightForm::ByteMix);
  if (!scaling)
    return std::nullopt;
  compact.scaling = std::move(*scaling);
  return compact;
}

bool CompactLayer::fits() const {
  constexpr int64_t mostColumns = 9;
  const ConvShape &s = shape();
  if (s.outC < channels || runBytes() < 4)
    return false;
  if (patch == Columns && (s.inC % 16 != 0 || s.dilationW != 1 || s.kW == 1 || s.outW < pixels ||
                           columns() > mostColumns))
    return false;
  std::vector<int64_t> all = sizes();
  if (patch != Pixels)
    all.pop_back(); // the zero point has a sign
  return llvm::all_of(all, [](int64_t size) { return size >= 0 && size < 1 << 16; });
}

int64_t CompactLayer::pairs() const {
  const int64_t runsWithPairs = patch == Columns ? 1 : runs();
  const int64_t all = 2 * fours() * runsWithPairs * shape().kH;
  return (all + unrolled - 1) / unrolled * unrolled;
}

int64_t CompactLayer::scratchBytes() const {
  return 4 + patchBytes() + (patch == Pixels ? 0 : 4 * fours());
}

CompactLayer::RunCounts CompactLayer::runCounts() const {
  const ConvShape &s = shape();
  int64_t rowsInside = 0, runsInside = 0, runCount = 0;
  for (int64_t y = 0; y < s.outH; ++y)
    for (int64_t ky = 0; ky < s.kH; ++ky) {
      const int64_t row = y * s.strideH - s.padTop + ky * s.dilationH;
      rowsInside += row >= 0 && row < s.inH;
    }
  for (int64_t x = 0; x < s.outW; x += patch == Columns ? pixels : 1)
    for (int64_t run = 0; run < runs(); ++run) {
      const int64_t column = x * s.strideW - s.padLeft + run * s.dilationW;
      const int64_t width = hasWideRuns() ? s.kW : 1;
      runsInside += column >= 0 && column + width <= s.inW;
      ++runCount;
    }
  const int64_t all = s.outH * s.kH * runCount;
  return {all - rowsInside * runsInside, all};
}

//===-- Constants ---------------------------------------------------------------------------===//

std::vector<int64_t> CompactLayer::sizes() const {
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
  if (patch != Pixels)
    sizes.insert(sizes.end(),
                 {runs(), s.dilationW * s.inC, s.kH, s.dilationH, s.strideH, s.padTop,
                  s.padLeft * s.inC, s.inH, rowBytes,
                  std::max<int64_t>(0, rowBytes - runBytes() + 1), layer.requant.inputZeroPoint});
  return sizes;
}

std::vector<int32_t> CompactLayer::table() const {
  std::vector<int32_t> words;
  std::vector<int64_t> halfwords = sizes();
  halfwords.resize(static_cast<size_t>(2 * headerWords()));
  for (size_t i = 0; i < halfwords.size(); i += 2)
    words.push_back(halves(halfwords[i], halfwords[i + 1]));
  for (int64_t group = 0; group < groups(); ++group) {
    for (int64_t lane = 0; lane < channels; lane += 2)
      llvm::append_range(words, byteMixBiases(layer, scaling.output, channelOf(group, lane),
                                              channelOf(group, lane + 1)));
    appendWeights(group, words);
    if (hasFineOffsets())
      words.push_back(
          byteMixFineOffsets(scaling.output, {channelOf(group, 0), channelOf(group, 2)}));
    for (int64_t lane = 0; lane < channels; ++lane)
      scaling.output.appendConstants(channelOf(group, lane), words);
  }
  return words;
}

// Half `half` of pair `pair` of a run; taps of the second four that the first has too are zero
// there.
int64_t CompactLayer::weight(size_t channel, int64_t ky, int64_t run, int64_t pair,
                             int64_t half) const {
  const ConvShape &s = shape();
  const int64_t four = pair / 2, overlap = 4 * fours() - runBytes();
  const int64_t tap = 4 * four + pair % 2 + 2 * half - (four > 0 ? overlap : 0);
  if (four > 0 && tap < 4)
    return 0;
  const int64_t kx = hasWideRuns() ? tap / s.inC : run;
  return layer.weight(static_cast<int64_t>(channel), ky, kx, tap % s.inC);
}

void CompactLayer::appendWeights(int64_t group, std::vector<int32_t> &words) const {
  const size_t end = words.size() + static_cast<size_t>(pairs() * pairWords());
  auto append = [&](int64_t ky, int64_t run, int64_t pair) {
    for (int64_t lane = 0; lane < channels; lane += 2) {
      auto mixed = [&](int64_t half) {
        return 256 * weight(channelOf(group, lane + 1), ky, run, pair, half) +
               weight(channelOf(group, lane), ky, run, pair, half);
      };
      words.push_back(halves(mixed(0), mixed(1)));
    }
  };
  for (int64_t ky = 0; ky < shape().kH; ++ky) {
    if (patch == Columns) {
      for (int64_t pair = 0; pair < 2 * fours(); ++pair)
        for (int64_t kx = 0; kx < shape().kW; ++kx)
          append(ky, kx, pair);
      continue;
    }
    for (int64_t run = 0; run < runs(); ++run)
      for (int64_t pair = 0; pair < 2 * fours(); ++pair)
        append(ky, run, pair);
  }
  words.resize(end); // pairs that fill the last trip
}

//===-- Portable ----------------------------------------------------------------------------===//

namespace thimble {
namespace {

class Portable {
public:
  Portable(KernelBuilder &b, const CompactLayer &layer, ArrayRef<Buffer> buffers)
      : b(b), l(layer), picture(buffers[0]), output(buffers[1]), table(buffers[2]),
        scratch(buffers[3]) {}

  void emit() {
    Val outC = size(L::OutChannels), overlap = L::channels - size(L::FirstStep);
    Val pixelCount = b.select(size(L::SecondOut) == 0, b.index(1), size(L::LastPixel) + L::pixels);
    runBytes = size(L::RunBytes), fours = (runBytes + 3) / 4;
    groupWords = size(L::PatchBytes) / l.pairBytes() * l.pairWords() + l.hasFineOffsets() +
                 L::channels * (1 + l.scalingWords());
    columnStep = size(L::ColumnStep);
    b.loop("x", b.index(0), pixelCount, 1, [&](Val x) {
      b.loop("channel", b.index(0), outC, 1, [&](Val channel) {
        Val place = b.select(channel < L::channels, channel, channel + overlap);
        b.store(output, x * outC + channel, scaled(x, place / L::channels, place % L::channels));
      });
    });
  }

private:
  using L = CompactLayer;

  Val size(L::Size which) {
    Val word = b.load(table, b.index(which / 2), "sizes");
    if (which == L::ZeroPoint)
      return which % 2 ? word >> 16 : (word << 16) >> 16;
    return b.toIndex(b.shiftRightLogical(word, b.i32(which % 2 * 16)) & 0xffff);
  }
  Val word(Val at) { return b.load(table, at + l.headerWords()); }

  Val scaled(Val x, Val group, Val lane) {
    Val at = group * groupWords, isOdd = lane % 2 != 0, mixed = at + lane / 2 * 2;
    Val sum = products(x, at + L::channels, lane);
    Val scaling = at + groupWords - L::channels * l.scalingWords();
    Val fine = l.hasFineOffsets() ? fineOffset(b, word(scaling - 1), lane) : b.i32(0);
    sum = separateByteMix(b, isOdd, sum, word(mixed), word(mixed + 1), fine);
    Vals constants;
    for (int64_t i = 0; i < l.scalingWords(); ++i)
      constants.push_back(word(scaling + lane * l.scalingWords() + i));
    return l.scaling.output.emit(b, sum, constants);
  }

  Val products(Val x, Val weights, Val lane) {
    if (l.patch == L::Pixels)
      return run(weights, lane, b.i32(0),
                 [&](Val tap) { return b.load(picture, x * columnStep + tap); });
    Val left = x * columnStep - size(L::PadLeft);
    Val top = b.toIndex(b.load(scratch, b.index(0))) * size(L::RowStride) - size(L::PadTop);
    Val rowBytes = size(L::RowBytes), zeroPoint = size(L::ZeroPoint), rows = size(L::Rows);
    Val runs = l.patch == L::Columns ? b.index(l.shape().kW) : size(L::Runs);
    return b.accumulate("ky", b.index(0), size(L::WindowRows), 1, b.i32(0), [&](Val ky, Val sum) {
      Val row = top + ky * size(L::RowDilation);
      return b.accumulate("run", b.index(0), runs, 1, sum, [&](Val kx, Val sum) {
        Val column = left + kx * size(L::RunStep);
        Val first = l.patch == L::Columns
                        ? weights + ky * (fours * 2 * l.pairWords()) + kx * (L::channels / 2)
                        : weights + (ky * runs + kx) * (fours * 2 * l.pairWords());
        return run(first, lane, sum, [&](Val tap) {
          Val at = column + tap;
          Val isInside = (row >= 0) & (row < rows) & (at >= 0) & (at < rowBytes);
          return b.choose(
              isInside, [&] { return Vals{b.load(picture, row * rowBytes + at)}; },
              [&] { return Vals{zeroPoint}; })[0];
        });
      });
    });
  }

  Val run(Val weights, Val lane, Val sum, llvm::function_ref<Val(Val)> input) {
    return b.accumulate("tap", b.index(0), fours * 4, 1, sum, [&](Val i, Val sum) {
      Val pair = i / 4 * 2 + i % 2, half = i / 2 % 2;
      Val at = weights + pair * l.pairWords() + lane / 2;
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

} // namespace
} // namespace thimble

AsmKernel CompactLayer::kernel() const {
  const CompactLayer &self = *this;
  const std::string step = std::to_string(2 * unrolled);
  AsmKernel kernel;
  kernel.name = "conv_compact_";
  if (patch == Columns)
    kernel.name += "columns" + std::to_string(shape().kW) + "s" + std::to_string(shape().strideW);
  else
    kernel.name += (patch == Pixels ? "pixels" : "windows") + step;
  kernel.name += "_" + scaling.output.suffix();
  kernel.buffers = {{"input", ElementType::Int8, false},
                    {"output", ElementType::Int8, true},
                    {"table", ElementType::Int32, false},
                    {"scratch", ElementType::Int32, true}};
  kernel.instructions = [self](AsmBuilder &a, ArrayRef<Reg> arguments) {
    emitCompact(a, self, arguments);
  };
  kernel.portable = [self](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    Portable(b, self, buffers).emit();
  };
  return kernel;
}
