// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/dsp/Dot.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::dsp;

bool DotFilters::fits() const {
  return llvm::all_of(bounds, [](int64_t b) { return b <= std::numeric_limits<int32_t>::max(); });
}

DotFilters dsp::packFilters(ArrayRef<int8_t> weights, int64_t outputs, int64_t depth,
                            const Tensor *bias, int32_t inputZeroPoint) {
  DotFilters f;
  f.outputs = outputs;
  f.depth = depth;
  f.weights.assign(static_cast<size_t>(outputs * f.paddedDepth()), 0);
  for (int64_t o = 0; o < outputs; ++o) {
    int64_t sum = 0, magnitude = 0;
    for (int64_t k = 0; k < depth; ++k) {
      int8_t weight = weights[static_cast<size_t>(o * depth + k)];
      f.weights[static_cast<size_t>(o * f.paddedDepth() + k)] = weight;
      sum += weight;
      magnitude += std::abs(int64_t(weight));
    }
    int64_t start = (bias ? bias->as<int32_t>()[o] : 0) - sum * inputZeroPoint;
    f.biases.push_back(static_cast<int32_t>(start));
    f.bounds.push_back(std::abs(start) + magnitude * 128);
  }
  return f;
}

//===-- Patches -----------------------------------------------------------------------------===//

void dsp::emitWiden(KernelBuilder &b, Buffer source, Val sourceStart, int64_t count, Buffer patches,
                    Val patchStart) {
  int64_t words = count / 4;
  auto widen = [&](Val offset) {
    Val bytes = b.loadWord(source, sourceStart + offset, "bytes");
    b.storeWord(patches, patchStart + offset, sxtb16(bytes));
    b.storeWord(patches, patchStart + offset + 2, sxtb16Ror8(bytes));
  };
  constexpr int64_t unrolled = 2;
  int64_t whole = words / unrolled * unrolled;
  b.loop("k", b.index(0), b.index(whole * 4), 4 * unrolled, [&](Val k) {
    for (int64_t u = 0; u < unrolled; ++u)
      widen(k + 4 * u);
  });
  for (int64_t word = whole; word < words; ++word)
    widen(b.index(word * 4));
  if (count % 4 == 0)
    return;
  constexpr int64_t order[4] = {0, 2, 1, 3};
  for (int64_t place = 0; place < 4; ++place) {
    bool inside = words * 4 + order[place] < count;
    Val element = inside ? b.load(source, sourceStart + words * 4 + order[place]) : b.i32(0);
    b.store(patches, patchStart + words * 4 + place, element);
  }
}

void dsp::emitFill(KernelBuilder &b, int32_t value, int64_t count, Buffer patches, Val patchStart) {
  uint32_t half = static_cast<uint16_t>(value);
  Val word = b.i32(static_cast<int32_t>(half << 16 | half));
  b.loop("k", b.index(0), b.index((count + 3) / 4 * 4), 4, [&](Val k) {
    b.storeWord(patches, patchStart + k, word);
    b.storeWord(patches, patchStart + k + 2, word);
  });
}

//===-- Products ----------------------------------------------------------------------------===//

namespace thimble::dsp {
namespace {

/// A block of patches by outputs whose accumulators live in registers.
struct Block {
  int64_t pixels;
  int64_t outputs;
};

/// Of the sizes that fit the 14 registers: words of patches are shared by the outputs, unpacked
/// weights by the patches.
Block blockFor(int64_t pixels, int64_t outputs) {
  Block block{std::min<int64_t>(pixels, 2), 0};
  block.outputs = std::min<int64_t>(outputs, block.pixels == 1 ? 4 : 2);
  return block;
}

/// Where the inner loop gets the values of a patch from.
struct PatchSource {
  /// Elements that it has in whole words; the others are read one by one.
  int64_t depth;
  /// Elements 0 and 2, and 1 and 3, of four from `k` on, as words of halves.
  std::function<std::pair<Val, Val>(Val pixel, Val k)> words;
  std::function<Val(Val pixel, int64_t k)> element;
};

class BlockEmitter {
public:
  BlockEmitter(KernelBuilder &b, const DotFilters &filters, const PatchSource &patches, Block block)
      : b(b), filters(filters), patches(patches),
        weights(b.table<int8_t>("weights", filters.weights)),
        biases(b.table<int32_t>("biases", filters.biases)), block(block) {}

  /// Accumulators, outputs fastest, of the patches from `pixel` and outputs from `output` on.
  Vals accumulate(Val pixel, Val output) {
    Vals start;
    for (int64_t p = 0; p < block.pixels; ++p)
      for (int64_t o = 0; o < block.outputs; ++o)
        start.push_back(b.load(biases, output + o, "acc"));
    // Four products a trip and no more: C compilers hoist the loads of a longer trip to its start
    // and spill accumulators.
    int64_t whole = patches.depth / 4 * 4;
    Vals acc = b.loop("k", b.index(0), b.index(whole), 4, start, [&](Val k, ArrayRef<Val> carried) {
      Vals acc(carried);
      addFour(acc, pixel, output, k);
      return acc;
    });
    for (int64_t k = whole; k < patches.depth; ++k)
      addOne(acc, pixel, output, k);
    return acc;
  }

private:
  void addFour(Vals &acc, Val pixel, Val output, Val k) {
    int64_t depth = filters.paddedDepth();
    Vals even, odd;
    for (int64_t p = 0; p < block.pixels; ++p) {
      auto [first, second] = patches.words(pixel + p, k);
      even.push_back(first);
      odd.push_back(second);
    }
    KernelBuilder::NoOverflow proved(b);
    for (int64_t o = 0; o < block.outputs; ++o) {
      Val w = b.loadWord(weights, (output + o) * depth + k, "w");
      Val wEven = sxtb16(w), wOdd = sxtb16Ror8(w);
      for (int64_t p = 0; p < block.pixels; ++p) {
        Val &a = acc[static_cast<size_t>(p * block.outputs + o)];
        a = smlad(wEven, even[static_cast<size_t>(p)], a);
        a = smlad(wOdd, odd[static_cast<size_t>(p)], a);
      }
    }
  }

  void addOne(Vals &acc, Val pixel, Val output, int64_t k) {
    KernelBuilder::NoOverflow proved(b);
    for (int64_t p = 0; p < block.pixels; ++p) {
      Val x = b.toI32(patches.element(pixel + p, k));
      for (int64_t o = 0; o < block.outputs; ++o) {
        Val &a = acc[static_cast<size_t>(p * block.outputs + o)];
        a = a + x * b.toI32(b.load(weights, (output + o) * filters.paddedDepth() + k, "w"));
      }
    }
  }

  KernelBuilder &b;
  const DotFilters &filters;
  const PatchSource &patches;
  Buffer weights, biases;
  Block block;
};

/// for (i = 0; i < count; i += step), the last step moved back to end at `count`: a remainder is
/// computed by overlapping.
void overlappingLoop(KernelBuilder &b, StringRef name, int64_t count, int64_t step,
                     llvm::function_ref<void(Val)> body) {
  b.loop(name, b.index(0), b.index(count), step,
         [&](Val i) { body(count % step == 0 ? i : b.min(i, b.index(count - step))); });
}

void emitBlocks(KernelBuilder &b, const DotFilters &filters, Int8Requant &requant,
                const PatchSource &patches, int64_t pixels, Buffer output, Val outputStart) {
  Block block = blockFor(pixels, filters.outputs);
  BlockEmitter emitter(b, filters, patches, block);
  overlappingLoop(b, "pixel", pixels, block.pixels, [&](Val pixel) {
    overlappingLoop(b, "channel", filters.outputs, block.outputs, [&](Val channel) {
      Vals acc = emitter.accumulate(pixel, channel);
      for (int64_t p = 0; p < block.pixels; ++p)
        for (int64_t o = 0; o < block.outputs; ++o)
          b.store(output, outputStart + (pixel + p) * filters.outputs + channel + o,
                  requant.apply(acc[static_cast<size_t>(p * block.outputs + o)], channel + o));
    });
  });
}

} // namespace
} // namespace thimble::dsp

void dsp::emitDotProducts(KernelBuilder &b, const DotFilters &filters, Int8Requant &requant,
                          Buffer patches, int64_t pixels, Buffer output, Val outputStart) {
  PatchSource source;
  source.depth = filters.paddedDepth();
  source.words = [&](Val pixel, Val k) {
    Val at = pixel * filters.paddedDepth() + k;
    Val even = b.loadWord(patches, at, "even");
    return std::pair(even, b.loadWord(patches, at + 2, "odd"));
  };
  emitBlocks(b, filters, requant, source, pixels, output, outputStart);
}

void dsp::emitDotProductsOfBytes(KernelBuilder &b, const DotFilters &filters, Int8Requant &requant,
                                 Buffer input, Val inputStart, Buffer output, Val outputStart) {
  PatchSource source;
  source.depth = filters.depth;
  source.words = [&](Val, Val k) {
    Val bytes = b.loadWord(input, inputStart + k, "bytes");
    return std::pair(sxtb16(bytes), sxtb16Ror8(bytes));
  };
  source.element = [&](Val, int64_t k) { return b.load(input, inputStart + k, "x"); };
  emitBlocks(b, filters, requant, source, /*pixels=*/1, output, outputStart);
}

double dsp::dotCycles(int64_t outputs, int64_t depth, int64_t pixels) {
  Block block = blockFor(pixels, outputs);
  double p = static_cast<double>(block.pixels), o = static_cast<double>(block.outputs);
  // Four products of every pair: words of patches and weights, two unpackings, SMLADs.
  double fours = static_cast<double>((depth + 3) / 4);
  // What C compilers spill in a loop with four accumulators.
  double spills = depth < 8 || block.pixels * block.outputs < 4 ? 0 : block.pixels == 1 ? 7.5 : 2.5;
  double perFour = 1 + 2 * p + o * (2 + 2 + 2 * p) + 4 + spills;
  constexpr double requantCycles = 16;
  double blocks = static_cast<double>((outputs + block.outputs - 1) / block.outputs);
  return blocks * (fours * perFour + p * o * requantCycles + 10) / p;
}
