// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/DirectConvolution.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace thimble;

//===-- Constants ---------------------------------------------------------------------------===//

static bool fitsInHalf(int64_t value) { return value >= -32768 && value <= 32767; }

// Weights of channel pairs, 256 * odd + even. Odd groups may pair any two neighbours.
static bool fitsByteMix(const ConvLayer &layer) {
  const int64_t depth = layer.shape.depth();
  const int8_t *weights = layer.filter->as<int8_t>();
  for (int64_t o = 0; o + 1 < layer.shape.outC; ++o)
    for (int64_t k = 0; k < depth; ++k)
      if (!fitsInHalf(256 * int64_t(weights[(o + 1) * depth + k]) + weights[o * depth + k]))
        return false;
  return true;
}

// The bits by which halves of words hold the weights of all channels.
static std::vector<int> bitsForHalves(const ConvLayer &layer) {
  const int64_t depth = layer.shape.depth();
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t o = 0; o < layer.shape.outC; ++o) {
    const int8_t *weights = layer.filter->as<int8_t>() + o * depth;
    auto [low, high] = std::minmax_element(weights, weights + depth);
    ranges.push_back({*low, *high});
  }
  return layer.accumulatorBits(/*least=*/2, /*most=*/8, [&](size_t c, int bits) {
    const int64_t factor = int64_t(1) << bits;
    return fitsInHalf(ranges[c].first * factor) && fitsInHalf(ranges[c].second * factor);
  });
}

std::optional<FormScaling> thimble::scalingFor(const ConvLayer &layer, WeightForm form) {
  FormScaling scaling;
  if (form == WeightForm::Halves)
    scaling.bits = bitsForHalves(layer);
  else if (fitsByteMix(layer))
    scaling.bits.assign(layer.biases.size(), 8);
  if (scaling.bits.empty())
    return std::nullopt;
  auto solved = layer.scaling(scaling.bits);
  if (!solved)
    return std::nullopt;
  scaling.output = *solved;
  return scaling;
}

ByteMixBiases thimble::byteMixBiases(const ConvLayer &layer, const OutputScaling &scaling,
                                     size_t even, size_t odd) {
  const int64_t evenBias = layer.biases[even] + (scaling.channels[even].offset >> 8);
  return {static_cast<int32_t>(256 * layer.biases[odd] + scaling.channels[odd].offset + evenBias),
          static_cast<int32_t>(evenBias)};
}

int32_t thimble::byteMixFineOffsets(const OutputScaling &scaling, ArrayRef<size_t> evenChannels) {
  uint32_t word = 0;
  for (auto [i, even] : llvm::enumerate(evenChannels))
    word |= (static_cast<uint32_t>(scaling.channels[even].offset) & 255) << 8 * i;
  return static_cast<int32_t>(word);
}

void thimble::separateByteMix(AsmBuilder &a, MutableArrayRef<Reg> first,
                              MutableArrayRef<Reg> second, std::optional<Reg> fine) {
  for (auto [mixed, even] : llvm::zip(first, second)) {
    Reg odd = a.sub(mixed, even);
    mixed = fine ? a.add(*fine, lsl(even, 8)) : a.shiftLeft(even, 8);
    even = odd;
  }
}

std::optional<Reg> thimble::fineOffset(AsmBuilder &a, std::optional<Reg> word, int64_t channel,
                                       int64_t channels) {
  if (!word || channels == 2)
    return word;
  return a.uxtb(ror(*word, static_cast<int>(4 * channel)));
}

Val thimble::fineOffset(KernelBuilder &b, Val word, Val channel) {
  return b.shiftRightLogical(word, b.toI32(channel / 2 * 8)) & 255;
}

Val thimble::separateByteMix(KernelBuilder &b, Val isOdd, Val products, Val mixedBias, Val evenBias,
                             Val fine) {
  return b.select(isOdd, (products << 8) + mixedBias - evenBias,
                  ((products + evenBias) << 8) + fine);
}

int32_t PatchProducts::weightWord(int64_t group, int64_t word, int64_t ky, int64_t kx,
                                  int64_t pair) const {
  const ChannelPairs pairs = patch.pairs();
  auto weight = [&](int64_t channel, int64_t half) -> int64_t {
    const int64_t o = firstChannel(group) + channel;
    if (o >= layer.shape.outC || !pairs.isFirst(pair, half))
      return 0;
    return layer.weight(o, ky, kx, pairs.channel(pair, half));
  };
  int64_t lanes[2];
  for (int64_t half : {0, 1}) {
    if (form == WeightForm::ByteMix) {
      lanes[half] = 256 * weight(2 * word + 1, half) + weight(2 * word, half);
    } else {
      const int64_t o = std::min(firstChannel(group) + word, layer.shape.outC - 1);
      lanes[half] = weight(word, half) * (int64_t(1) << scaling.bits[static_cast<size_t>(o)]);
    }
  }
  return halves(lanes[0], lanes[1]);
}

std::vector<int32_t> PatchProducts::table() const {
  const ConvShape &s = layer.shape;
  std::vector<int32_t> words;
  for (int64_t g = 0; g < groups(); ++g) {
    auto channelOf = [&](int64_t c) {
      return static_cast<size_t>(std::min(firstChannel(g) + c, s.outC - 1));
    };
    for (int64_t c = 0; c < channels; ++c) {
      const size_t o = channelOf(c);
      if (form == WeightForm::Halves)
        words.push_back(static_cast<int32_t>(layer.biases[o] * (int64_t(1) << scaling.bits[o]) +
                                             scaling.output.channels[o].offset));
      else if (c % 2 == 0) // the mixed bias, then the even one
        llvm::append_range(words, byteMixBiases(layer, scaling.output, o, channelOf(c + 1)));
    }
    for (int64_t ky = 0; ky < s.kH; ++ky)
      for (int64_t kx = 0; kx < s.kW; ++kx)
        for (int64_t pair = 0; pair < patch.pairs().count(); ++pair)
          for (int64_t word = 0; word < wordsOfPair(); ++word)
            words.push_back(weightWord(g, word, ky, kx, pair));
    if (hasFineOffsets()) {
      SmallVector<size_t> even;
      for (int64_t c = 0; c < channels; c += 2)
        even.push_back(channelOf(c));
      words.push_back(byteMixFineOffsets(scaling.output, even));
    }
    for (int64_t c = 0; c < channels; ++c)
      scaling.output.appendConstants(channelOf(c), words);
    if (hasSteps())
      words.push_back(static_cast<int32_t>(firstChannel(g + 1) - firstChannel(g)));
  }
  return words;
}

//===-- Instructions ------------------------------------------------------------------------===//

namespace thimble {
namespace {

constexpr int64_t mostFrame = 2560;
/// Words of a patch that S registers hold beside the kernel's variables.
constexpr int64_t mostRegisters = 24;

class RowEmitter {
public:
  RowEmitter(AsmBuilder &a, const PatchProducts &products)
      : a(a), p(products), s(p.layer.shape), byteMix(p.form == WeightForm::ByteMix) {}

  void emit(ArrayRef<Reg> arguments) {
    picture = a.toS(arguments[0]);
    Reg output = arguments[1], table = arguments[2], row = arguments[3];
    if (p.isInArena()) {
      scratch = a.toS(a.add(row, 4));
      row = a.load(row);
    }
    const int64_t groups = p.groups();
    outputRow = a.toS(output);
    if (groups > 1)
      tableEnd = a.toS(a.add(table, a.constant(groups * p.groupWords() * 4)));
    tableStart = a.toS(table);
    if (hasRows()) {
      if (s.strideH > 1)
        row = a.mul(row, a.constant(s.strideH));
      firstRow = a.toS(a.add(row, -s.padTop));
    }
    forBlocks(a, s.outW, p.pixels, {}, [&](Reg pixel) { block(pixel); });
  }

private:
  void block(Reg pixel) {
    output = a.toS(a.mla(pixel, a.constant(s.outC), a.toR(outputRow)));
    gather(pixel);
    Reg stream = a.toR(tableStart);
    a.loopUntil(stream, tableEnd, p.groups(), {output}, [&] { group(stream); });
  }

  //===-- Patches ---------------------------------------------------------------------------===//

  /// The first input row depends on the call, or is not the picture's first.
  bool hasRows() const { return s.outH > 1 || s.padTop > 0; }

  void gather(Reg pixel) {
    Reg from = a.toR(picture);
    Reg column = s.strideW > 1 ? a.mul(pixel, a.constant(s.strideW)) : pixel;
    if (p.place == PatchProducts::Registers) {
      if (hasRows())
        column = a.mla(a.toR(firstRow), a.constant(s.inW), column);
      return gatherInRegisters(a.mla(column, a.constant(s.inC), from));
    }
    column = a.add(column, -s.padLeft);
    Reg row = hasRows() ? a.toR(firstRow) : a.constant(0);
    Reg to = p.isInArena() ? a.toR(scratch) : a.frameAddress(0);
    p.patch.emit(a, from, row, column, to, p.layer.requant.inputZeroPoint);
  }

  // Word `pair` of pixel `i`, in the order in which products take them.
  void gatherInRegisters(Reg from) {
    registers.clear();
    const ChannelPairs pairs = p.patch.pairs();
    const auto count = static_cast<size_t>(p.pixels * pairs.count());
    registers.resize(std::min<size_t>(count, mostRegisters));
    auto keep = [&](Reg word, int64_t i, int64_t pair) {
      const int64_t at = pair * p.pixels + i;
      if (at < mostRegisters)
        registers[static_cast<size_t>(at)] = a.toS(word);
      else
        a.storeFrame(word, 4 * (at - mostRegisters));
    };
    for (int64_t four = 0; four < pairs.fours(); ++four) {
      Regs words;
      for (int64_t i = 0; i < p.pixels; ++i)
        words.push_back(a.load(from, i * s.strideW * s.inC + pairs.firstOfFour(four)));
      for (int64_t i = 0; i < p.pixels; ++i) {
        keep(a.sxtb16(words[static_cast<size_t>(i)]), i, 2 * four);
        keep(a.sxtb16Ror8(words[static_cast<size_t>(i)]), i, 2 * four + 1);
      }
    }
  }

  //===-- Products --------------------------------------------------------------------------===//

  struct Accumulator {
    Regs pixels;
  };

  void group(Reg &stream) {
    start(stream);
    if (p.place == PatchProducts::Pointer)
      walk(stream);
    else
      unrolled(stream);
    finish(stream);
  }

  // The first product adds to the bias: registers of the other pixels need not be set.
  void start(Reg &stream) {
    sums.assign(static_cast<size_t>(p.channels), {});
    for (Accumulator &sum : sums)
      sum.pixels.assign(static_cast<size_t>(p.pixels), a.loadTablePost(stream, 4));
  }

  void unrolled(Reg &stream) {
    const int64_t pairs = p.patch.pairs().count();
    for (int64_t ky = 0; ky < s.kH; ++ky)
      for (int64_t kx = 0; kx < s.kW; ++kx)
        for (int64_t pair = 0; pair < pairs; ++pair) {
          // Weights of two pairs at once fit beside what S registers hold.
          const int64_t at = pair * p.pixels;
          const bool inRegisters =
              p.place == PatchProducts::Registers && at + p.pixels <= mostRegisters;
          if (inRegisters && pair + 1 < pairs && at + 2 * p.pixels <= mostRegisters &&
              p.channels == 2) {
            twoPairs(stream, pair);
            ++pair;
            continue;
          }
          products(stream, [&](int64_t i) {
            if (p.place != PatchProducts::Registers)
              return a.loadFrame(p.patch.tapOffset(i, ky, kx) + 4 * pair);
            return inRegisters ? a.toR(registers[static_cast<size_t>(at + i)])
                               : a.loadFrame(4 * (at + i - mostRegisters));
          });
        }
  }

  void twoPairs(Reg &stream, int64_t pair) {
    Reg weights[4];
    for (Reg &w : weights)
      w = a.loadTablePost(stream, 4);
    for (int64_t k : {0, 1})
      for (int64_t i = 0; i < p.pixels; ++i) {
        Reg x = a.toR(registers[static_cast<size_t>((pair + k) * p.pixels + i)]);
        for (int64_t c : {0, 1})
          accumulate(c, i, x, weights[2 * k + c]);
      }
  }

  // Filter row by filter row, or tap by tap where those do not follow one another; `from` walks.
  void walk(Reg &stream) {
    Variables carried{stream};
    Reg from = p.isInArena() ? a.toR(scratch) : a.frameAddress(0);
    carried.push_back(from);
    const bool loops = s.kH > 1 || s.kW * p.patch.pairs().count() > mostUnrolled;
    for (Accumulator &sum : sums)
      for (auto [i, pixel] : llvm::enumerate(sum.pixels)) {
        if (loops && i > 0)
          pixel = a.copy(pixel); // a register of its own, from the start
        carried.push_back(pixel);
      }
    const bool isRun = p.patch.hasContiguousRows();
    const int64_t pairs = p.patch.pairs().count(), columnBytes = p.patch.columnBytes();
    const int64_t tapBytes = s.dilationW / p.patch.columnStep() * columnBytes;
    a.loopS(s.kH, carried, [&] {
      if (isRun) {
        run(stream, from, s.kW * pairs, carried);
        from = a.add(from, p.patch.tapOffset(0, 1, 0) - s.kW * columnBytes);
        return;
      }
      a.loopS(s.kW, carried, [&] {
        run(stream, from, pairs, carried);
        from = a.add(from, tapBytes - columnBytes);
      });
      from = a.add(from, p.patch.tapOffset(0, 1, 0) - s.kW * tapBytes);
    });
  }

  static constexpr int64_t mostUnrolled = 16;

  void run(Reg &stream, Reg &from, int64_t pairs, const Variables &carried) {
    const int64_t pixelBytes = p.patch.tapOffset(1, 0, 0);
    const int64_t trips = (pairs + mostUnrolled - 1) / mostUnrolled, each = pairs / trips;
    auto some = [&](int64_t count) {
      for (int64_t k = 0; k < count; ++k)
        products(stream, [&](int64_t i) { return a.load(from, 4 * k + i * pixelBytes); });
      from = a.add(from, 4 * count);
    };
    a.loopS(trips, carried, [&] { some(each); });
    some(pairs - trips * each);
  }

  // One pair of taps of all pixels and channels. Loads are in groups as large as registers allow.
  void products(Reg &stream, llvm::function_ref<Reg(int64_t)> loadPixel) {
    const int64_t pointers = p.place == PatchProducts::Pointer ? 2 : 1;
    const int64_t left = 14 - p.pixels * p.channels - pointers - p.pixels;
    const int64_t words = p.wordsOfPair(), batch = std::clamp<int64_t>(left, 1, words);
    Regs x;
    for (int64_t i = 0; i < p.pixels; ++i)
      x.push_back(loadPixel(i));
    for (int64_t first = 0; first < words; first += batch) {
      Regs weights;
      for (int64_t w = first; w < std::min(words, first + batch); ++w)
        weights.push_back(a.loadTablePost(stream, 4));
      for (auto [n, weight] : llvm::enumerate(weights))
        multiply(x, weight, first + static_cast<int64_t>(n));
    }
  }

  void multiply(const Regs &x, Reg weight, int64_t word) {
    auto all = [&](int64_t channel, Reg w) {
      for (int64_t i = 0; i < p.pixels; ++i)
        accumulate(channel, i, x[static_cast<size_t>(i)], w);
    };
    if (!byteMix)
      return all(word, weight);
    all(2 * word, weight);
    all(2 * word + 1, a.sxtb16(weight));
  }

  void accumulate(int64_t channel, int64_t pixel, Reg x, Reg weight) {
    Reg &sum = sums[static_cast<size_t>(channel)].pixels[static_cast<size_t>(pixel)];
    sum = a.smlad(x, weight, sum);
  }

  //===-- Outputs ---------------------------------------------------------------------------===//

  void finish(Reg &stream) {
    Reg to = a.toR(output);
    std::optional<Reg> fine;
    if (p.hasFineOffsets())
      fine = a.loadTablePost(stream, 4);
    for (int64_t c = 0; c < p.channels; ++c) {
      if (byteMix && c % 2 == 0)
        separateByteMix(a, sums[static_cast<size_t>(c)].pixels,
                        sums[static_cast<size_t>(c + 1)].pixels,
                        fineOffset(a, fine, c, p.channels));
      Regs constants;
      for (int i = 0; i < p.scaling.output.constantWords(); ++i)
        constants.push_back(a.loadTablePost(stream, 4));
      if (c >= s.outC)
        continue;
      for (int64_t i = 0; i < p.pixels; ++i)
        a.store(p.scaling.output.emit(
                    a, sums[static_cast<size_t>(c)].pixels[static_cast<size_t>(i)], constants),
                to, i * s.outC + c, Width::U8);
    }
    if (p.groups() > 1)
      output = a.toS(p.hasSteps() ? a.add(to, a.loadTablePost(stream, 4)) : a.add(to, p.channels));
  }

  AsmBuilder &a;
  const PatchProducts &p;
  const ConvShape &s;
  bool byteMix;
  SReg picture, outputRow, output, tableStart, tableEnd, firstRow, scratch;
  SRegs registers;
  std::vector<Accumulator> sums;
};

//===-- Portable ----------------------------------------------------------------------------===//

class PortableRow {
public:
  PortableRow(KernelBuilder &b, const PatchProducts &products, ArrayRef<Buffer> buffers, Val row)
      : b(b), p(products), s(p.layer.shape), picture(buffers[0]), output(buffers[1]),
        table(buffers[2]), firstRow(b.toIndex(row) * s.strideH - s.padTop) {}

  void emit() {
    b.loop("x", s.outW, [&](Val x) {
      b.loop("group", p.groups(), [&](Val g) {
        Val first =
            s.outC < p.channels ? b.index(0) : b.min(g * p.channels, b.index(s.outC - p.channels));
        for (int64_t c = 0; c < std::min(p.channels, s.outC); ++c)
          b.store(output, x * s.outC + first + c, scaled(x, g * p.groupWords(), c));
      });
    });
  }

private:
  Val scaled(Val x, Val group, int64_t c) {
    const bool byteMix = p.form == WeightForm::ByteMix;
    auto word = [&](Val at) { return b.load(table, group + at); };
    Val bias = word(b.index(c));
    Val sum = products(x, group, c);
    if (byteMix)
      sum = separateByteMix(
          b, b.boolean(c % 2 != 0), sum, word(b.index(c / 2 * 2)), word(b.index(c / 2 * 2 + 1)),
          p.hasFineOffsets() ? fineOffset(b, word(b.index(p.scalingWord(0) - 1)), b.i32(c))
                             : b.i32(0));
    else
      sum = sum + bias;
    const int64_t words = p.scaling.output.constantWords();
    Vals constants;
    for (int64_t i = 0; i < words; ++i)
      constants.push_back(word(b.index(p.scalingWord(c) + i)));
    return p.scaling.output.emit(b, sum, constants);
  }

  Val products(Val x, Val group, int64_t c) {
    const int64_t pairs = p.patch.pairs().count(), words = p.wordsOfPair();
    const int64_t word = p.form == WeightForm::ByteMix ? c / 2 : c;
    return b.accumulate("ky", s.kH, b.i32(0), [&](Val ky, Val sum) {
      return b.accumulate("kx", s.kW, sum, [&](Val kx, Val sum) {
        return b.accumulate("pair", pairs, sum, [&](Val pair, Val sum) {
          Val at = group + p.channels + ((ky * s.kW + kx) * pairs + pair) * words + word;
          return b.accumulate("half", 2, sum, [&](Val half, Val sum) {
            Val weight = b.load(table, at) >> b.toI32(half * 16);
            weight = (weight << 16) >> 16;
            if (p.form == WeightForm::ByteMix) {
              Val even = (weight << 24) >> 24;
              weight = c % 2 == 0 ? even : (weight - even) >> 8;
            }
            return sum + weight * input(x, ky, kx, pair, half);
          });
        });
      });
    });
  }

  Val input(Val x, Val ky, Val kx, Val pair, Val half) {
    Val iy = firstRow + ky * s.dilationH, ix = x * s.strideW - s.padLeft + kx * s.dilationW;
    Val channel =
        b.min(b.min(pair / 2 * 4, b.index(std::max<int64_t>(0, s.inC - 4))) + pair % 2 + half * 2,
              b.index(s.inC - 1));
    Val inside = b.boolean(true);
    auto within = [&](Val &at, int64_t size) {
      inside = inside & (at >= 0) & (at < size);
      at = b.min(b.max(at, b.index(0)), b.index(size - 1));
    };
    if (s.leavesRows())
      within(iy, s.inH);
    if (s.leavesColumns())
      within(ix, s.inW);
    return b.select(inside, b.load(picture, (iy * s.inW + ix) * s.inC + channel),
                    b.i32(p.layer.requant.inputZeroPoint));
  }

  KernelBuilder &b;
  const PatchProducts &p;
  const ConvShape &s;
  Buffer picture, output, table;
  Val firstRow;
};

} // namespace
} // namespace thimble

bool PatchProducts::isInArena() const { return place == Pointer && patch.bytes() > mostFrame; }

AsmKernel PatchProducts::kernel() const {
  const PatchProducts &self = *this;
  AsmKernel kernel;
  constexpr const char *places[] = {"frame", "walk", "regs"};
  kernel.name = llvm::formatv("conv_{0}_{1}_{2}x{3}_{4}_{5}",
                              form == WeightForm::ByteMix ? "bytemix" : "halves", places[place],
                              pixels, channels, layer.shape.suffix(), scaling.output.suffix());
  if (layer.shape.leavesRows() || layer.shape.leavesColumns())
    kernel.name += llvm::formatv("_z{0}", uint8_t(layer.requant.inputZeroPoint)).str();
  kernel.buffers = {{"input", ElementType::Int8, false},
                    {"output", ElementType::Int8, true},
                    {"table", ElementType::Int32, false}};
  if (isInArena())
    kernel.buffers.push_back({"scratch", ElementType::Int32, true});
  else
    kernel.words = {"row"};
  if (place == Registers)
    kernel.frameBytes = 4 * std::max<int64_t>(0, pixels * patch.pairs().count() - mostRegisters);
  else if (!isInArena())
    kernel.frameBytes = patch.bytes();
  kernel.instructions = [self](AsmBuilder &a, ArrayRef<Reg> arguments) {
    RowEmitter(a, self).emit(arguments);
  };
  kernel.portable = [self](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val> words) {
    Val row = words.empty() ? b.load(buffers[3], b.index(0)) : words[0];
    PortableRow(b, self, buffers, row).emit();
  };
  return kernel;
}
