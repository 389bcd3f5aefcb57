// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Winograd convolutions: where they apply, their constants, and the portable form.
#include "passes/kernels/asm/Winograd.h"
#include "passes/kernels/Families.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

//===-- Forms -------------------------------------------------------------------------------===//

namespace thimble {

static constexpr int64_t columns2[] = {1, 2, 3, 0};
// 2G.
static constexpr int64_t filter2[] = {2, 0, 0, 1, 1, 1, 1, -1, 1, 0, 0, 2};
static constexpr int64_t input2[] = {1, 0, -1, 0, 0, 1, 1, 0, 0, -1, 1, 0, 0, 1, 0, -1};
static constexpr int64_t output2[] = {1, 1, 1, 0, 0, 1, -1, -1};
const WinogradForm winograd2 = {2, 4, columns2, filter2, input2, output2, 2, 1, 0, 0, 4, 1, 16};

static constexpr int64_t columns4[] = {1, 2, 0, 3, 4, 5};
// 24G, with 6 instead of 24 in the last row: 16 bits hold all U. The factor is in the last row of
// A^T.
static constexpr int64_t filter4[] = {6, 0, 0, -4, -4, -4, -4, 4, -4, 1, 2, 4, 1, -2, 4, 0, 0, 6};
static constexpr int64_t input4[] = {4, 0,  -5, 0, 1, 0, 0, -4, -4, 1,  1, 0, 0, 4, -4, -1, 1, 0,
                                     0, -2, -1, 2, 1, 0, 0, 2,  -1, -2, 1, 0, 0, 4, 0,  -5, 0, 1};
static constexpr int64_t output4[] = {1, 1, 1, 1, 1, 0, 0, 1, -1, 2, -2, 0,
                                      0, 1, 1, 4, 4, 0, 0, 1, -1, 8, -8, 4};
const WinogradForm winograd4 = {4, 6,   columns4, filter4, input4, output4, 6,
                                9, 128, 12800,    2,       2,      8};

/// 1 / odd modulo 2^32.
static uint32_t inverse(uint32_t odd) {
  uint32_t x = odd; // right modulo 2^3; each step doubles the bits
  for (int i = 0; i < 4; ++i)
    x *= 2 - odd * x;
  return x;
}

} // namespace thimble

using namespace thimble;

//===-- Where they apply --------------------------------------------------------------------===//

std::optional<Winograd> Winograd::find(const ConvLayer &layer, const WinogradForm &form) {
  const ConvShape &s = layer.shape;
  if (s.kH != 3 || s.kW != 3 || s.strideH != 1 || s.strideW != 1 || s.dilationH != 1 ||
      s.dilationW != 1 || s.inC < 4 || s.outC < 2 || s.outH < form.tile || s.outW < form.tile)
    return std::nullopt;
  Winograd w{layer, form, {}, {}, 1, 1};
  w.tilesY = std::min(form.mostTilesY, s.outH / form.tile);
  for (w.tilesX = std::min(form.mostTilesX, s.outW / form.tile); w.tilesX > 0; --w.tilesX)
    if (w.fits())
      return w.findScaling() ? std::optional(w) : std::nullopt;
  return std::nullopt;
}

// Offsets of loads and stores have 12 bits.
bool Winograd::fits() const {
  constexpr int64_t reach = 4095;
  return form.points * patch().rowBytes() <= reach &&
         form.points * columnBytes() + 2 * resultBytes() <= reach &&
         (form.tile > 2 || rowBytes() + resultBytes() <= reach);
}

bool Winograd::findScaling() {
  std::vector<int64_t> largest;
  for (int64_t o = 0; o < layer.shape.outC; ++o) {
    int64_t most = 0;
    for (int64_t c = 0; c < layer.shape.inC; ++c)
      for (int64_t u : transformed(o, c))
        most = std::max(most, std::abs(u));
    largest.push_back(most);
  }
  // Without a factor to take back, it is U that carries bits beyond those of the form.
  bits = layer.accumulatorBits(form.bits, std::max(form.bits, 8), [&](size_t o, int total) {
    return largest[o] << (form.odd == 1 ? total - form.bits : 0) <= 32767;
  });
  if (bits.empty())
    return false;
  auto solved = layer.scaling(bits);
  if (solved)
    scaling = *solved;
  return solved.has_value();
}

int64_t Winograd::scratchBytes() const {
  // The portable form keeps words.
  const int64_t portable = 4 * (1 + form.places() * (2 * pairs() + 2));
  return std::max(patchOffset() + patch().bytes(), portable);
}

//===-- Constants ---------------------------------------------------------------------------===//

// G g G^T of one output and input channel.
std::vector<int64_t> Winograd::transformed(int64_t output, int64_t channel) const {
  std::vector<int64_t> u;
  for (int64_t i = 0; i < form.points; ++i)
    for (int64_t j = 0; j < form.points; ++j) {
      int64_t sum = 0;
      for (int64_t y = 0; y < 3; ++y)
        for (int64_t x = 0; x < 3; ++x)
          sum += form.filter[static_cast<size_t>(3 * i + y)] *
                 form.filter[static_cast<size_t>(3 * j + x)] * layer.weight(output, y, x, channel);
      u.push_back(sum);
    }
  return u;
}

void Winograd::appendChannel(size_t output, std::vector<int32_t> &words) const {
  const int64_t factor = int64_t(1) << bits[output];
  const int64_t offset = scaling.channels[output].offset;
  auto push = [&](int64_t value) {
    words.push_back(static_cast<int32_t>(static_cast<uint64_t>(value)));
  };
  if (form.raise == 0) {
    push(layer.biases[output] * factor + offset);
    return scaling.appendConstants(output, words);
  }
  // What offsets of inputs and of V add up to, in the output (row, column) of a tile.
  const ChannelPairs channels = this->channels();
  auto bias = [&](int64_t row, int64_t column) {
    int64_t sum = 0;
    for (int64_t y = 0; y < 3; ++y)
      for (int64_t x = 0; x < 3; ++x)
        for (int64_t pair = 0; pair < pairs(); ++pair)
          for (int64_t half : {0, 1}) {
            if (!channels.isFirst(pair, half))
              continue;
            const bool isRaised = half == 0 && row + y > 3 && column + x > 3;
            sum += layer.weight(static_cast<int64_t>(output), y, x, channels.channel(pair, half)) *
                   (form.inputOffset + (isRaised ? form.raise : 0));
          }
    push((layer.biases[output] - sum) * factor + offset);
  };
  push(static_cast<int64_t>(inverse(static_cast<uint32_t>(form.odd)))
       << (bits[output] - form.bits));
  bias(0, 0);
  scaling.appendConstants(output, words);
  for (int64_t column : {2, 3})
    for (int64_t row : {2, 3})
      bias(row, column);
}

std::vector<int32_t> Winograd::table() const {
  const ChannelPairs channels = this->channels();
  std::vector<int32_t> words;
  words.reserve(static_cast<size_t>(groups() * groupWords()));
  for (int64_t g = 0; g < groups(); ++g) {
    std::vector<std::vector<int64_t>> filters;
    for (int64_t h : {0, 1})
      for (int64_t c = 0; c < layer.shape.inC; ++c)
        filters.push_back(transformed(firstChannel(g) + h, c));
    auto weight = [&](int64_t i, int64_t j, int64_t pair, int64_t h, int64_t half) -> int64_t {
      if (!channels.isFirst(pair, half))
        return 0;
      const auto &u =
          filters[static_cast<size_t>(h * layer.shape.inC + channels.channel(pair, half))];
      const int shift =
          form.odd == 1 ? bits[static_cast<size_t>(firstChannel(g) + h)] - form.bits : 0;
      return u[static_cast<size_t>(i * form.points + j)] * (int64_t(1) << shift);
    };
    for (int64_t i = 0; i < form.points; ++i)
      for (int64_t j : form.columns)
        for (int64_t pair = 0; pair < pairs(); ++pair)
          for (int64_t h : {0, 1})
            words.push_back(halves(weight(i, j, pair, h, 0), weight(i, j, pair, h, 1)));
    for (int64_t h : {0, 1})
      appendChannel(static_cast<size_t>(firstChannel(g) + h), words);
    if (hasSteps())
      words.push_back(static_cast<int32_t>(firstChannel(g + 1) - firstChannel(g)));
  }
  return words;
}

//===-- Portable ----------------------------------------------------------------------------===//

namespace {

/// Tile by tile: V of all channels into scratch, then for each output channel the products there,
/// then their transform.
class PortableWinograd {
public:
  PortableWinograd(KernelBuilder &b, const Winograd &w, ArrayRef<Buffer> buffers)
      : b(b), w(w), form(w.form), s(w.shape()), picture(buffers[0]), output(buffers[1]),
        table(buffers[2]), scratch(buffers[3]),
        firstRow(b.toIndex(b.load(scratch, b.index(0))) - s.padTop) {}

  void emit() {
    b.loop("tile_y", w.tilesY, [&](Val ty) {
      b.loop("x", b.index(0), b.index(s.outW), form.tile, [&](Val x) {
        x = b.min(x, b.index(s.outW - form.tile));
        Val y = ty * form.tile;
        transformInputs(y, x);
        b.loop("channel", s.outC, [&](Val channel) { outputs(y, x, channel); });
      });
    });
  }

private:
  // Scratch behind the number of the row: V as [place][channel], products by place, and a transform
  // that is half done.
  int64_t channels() const { return 2 * w.pairs(); }
  int64_t productsAt() const { return 1 + form.places() * channels(); }
  int64_t halfAt() const { return productsAt() + form.places(); }

  /// matrix * vector.
  static Vals multiply(KernelBuilder &b, ArrayRef<int64_t> matrix, const Vals &vector) {
    Vals products;
    for (size_t row = 0; row < matrix.size() / vector.size(); ++row) {
      Val sum = b.i32(0);
      for (auto [k, element] : llvm::enumerate(vector))
        if (int64_t factor = matrix[row * vector.size() + k])
          sum = sum + element * factor;
      products.push_back(sum);
    }
    return products;
  }
  /// A vector of `form.points` elements.
  Vals vectorOf(llvm::function_ref<Val(int64_t)> element) {
    Vals vector;
    for (int64_t k = 0; k < form.points; ++k)
      vector.push_back(element(k));
    return vector;
  }

  void transformInputs(Val y, Val x) {
    b.loop("element", channels(), [&](Val element) {
      Val pair = element / 2, half = element % 2;
      Val channel =
          b.min(b.min(pair / 2 * 4, b.index(s.inC - 4)) + pair % 2 + half * 2, b.index(s.inC - 1));
      b.loop("column", form.points, [&](Val column) {
        Vals d = vectorOf([&](int64_t row) { return input(y + row, x + column, channel); });
        for (auto [i, value] : llvm::enumerate(multiply(b, form.input, d)))
          b.store(scratch, column + (halfAt() + static_cast<int64_t>(i) * form.points), value);
      });
      b.loop("row", form.points, [&](Val row) {
        Vals d = vectorOf(
            [&](int64_t k) { return b.load(scratch, row * form.points + (halfAt() + k)); });
        Vals v = multiply(b, form.input, d);
        for (auto [place, column] : llvm::enumerate(form.columns)) {
          Val value = v[static_cast<size_t>(column)];
          if (form.raise)
            value = value + b.select(half == 0, b.i32(form.raise), b.i32(0));
          b.store(scratch,
                  (row * form.points + static_cast<int64_t>(place)) * channels() + element + 1,
                  value);
        }
      });
    });
  }

  Val input(Val y, Val x, Val channel) {
    Val iy = firstRow + y, ix = x - s.padLeft;
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
                    b.i32(w.layer.requant.inputZeroPoint)) +
           form.inputOffset;
  }

  void outputs(Val y, Val x, Val channel) {
    // The last group overlaps the one before.
    Val group = channel / 2 * w.groupWords(), h = channel % 2;
    if (w.hasSteps())
      h = b.select(channel == s.outC - 1, b.index(1), h);
    b.loop("place", form.places(), [&](Val place) {
      Val sum = b.accumulate("element", channels(), b.i32(0), [&](Val element, Val sum) {
        Val word = b.load(table, group + (place * w.pairs() + element / 2) * 2 + h);
        Val u = ((word >> b.toI32(element % 2 * 16)) << 16) >> 16;
        return sum + u * b.load(scratch, place * channels() + element + 1);
      });
      b.store(scratch, place + productsAt(), sum);
    });
    b.loop("row", form.points, [&](Val row) {
      Vals products(static_cast<size_t>(form.points));
      for (auto [place, column] : llvm::enumerate(form.columns))
        products[static_cast<size_t>(column)] =
            b.load(scratch, row * form.points + (productsAt() + static_cast<int64_t>(place)));
      for (auto [c, value] : llvm::enumerate(multiply(b, form.output, products)))
        b.store(scratch, row * form.tile + (halfAt() + static_cast<int64_t>(c)), value);
    });
    Val numbers = group + w.weightWords() + h * w.channelWords();
    b.loop("column", form.tile, [&](Val c) {
      Vals half =
          vectorOf([&](int64_t row) { return b.load(scratch, c + (halfAt() + row * form.tile)); });
      for (auto [r, sum] : llvm::enumerate(multiply(b, form.output, half))) {
        const auto row = static_cast<int64_t>(r);
        b.store(output, ((y + row) * s.outW + x + c) * s.outC + channel,
                scaled(sum, row, c, numbers));
      }
    });
  }

  Val scaled(Val sum, int64_t row, Val c, Val numbers) {
    const int64_t first = form.raise ? 2 : 1;
    Val bias = b.index(first - 1);
    if (form.raise) {
      sum = sum * b.load(table, numbers);
      const int64_t last = first + w.scaling.constantWords();
      if (row >= 2)
        bias = b.select(c >= 2, c * 2 + (last - 4 + row - 2), bias);
    }
    Vals constants;
    for (int64_t i = 0; i < w.scaling.constantWords(); ++i)
      constants.push_back(b.load(table, numbers + first + i));
    return w.scaling.emit(b, sum + b.load(table, numbers + bias), constants);
  }

  KernelBuilder &b;
  const Winograd &w;
  const WinogradForm &form;
  const ConvShape &s;
  Buffer picture, output, table, scratch;
  Val firstRow;
};

} // namespace

AsmKernel Winograd::kernel() const {
  const Winograd &self = *this;
  AsmKernel kernel;
  kernel.name = llvm::formatv("conv_winograd{0}_{1}x{2}_{3}_{4}", form.tile, tilesY, tilesX,
                              layer.shape.suffix(), scaling.suffix());
  if (layer.shape.leavesRows() || layer.shape.leavesColumns())
    kernel.name += llvm::formatv("_z{0}", uint8_t(layer.requant.inputZeroPoint)).str();
  kernel.buffers = {{"input", ElementType::Int8, false},
                    {"output", ElementType::Int8, true},
                    {"table", ElementType::Int32, false},
                    {"scratch", ElementType::Int32, true}};
  kernel.frameBytes = form.tile == 2 ? WinogradEmitter::variableBytes : winograd4FrameBytes(self);
  kernel.instructions = [self](AsmBuilder &a, ArrayRef<Reg> arguments) {
    (self.form.tile == 2 ? winograd2Emitter(a, self) : winograd4Emitter(a, self))->emit(arguments);
  };
  kernel.portable = [self](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    PortableWinograd(b, self, buffers).emit();
  };
  return kernel;
}

//===-- Kernels -----------------------------------------------------------------------------===//

namespace {

class WinogradConvolution : public Kernel {
public:
  WinogradConvolution(StringRef name, const WinogradForm &form) : name(name), form(form) {}
  StringRef getName() const override { return name; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<ConvLayer> layer = convLayerOf(q);
    if (!layer)
      return std::nullopt;
    std::optional<Winograd> w = Winograd::find(*layer, form);
    if (!w)
      return std::nullopt;
    Candidate c;
    c.rows = layer->pictures * blocksOf(*w);
    w->kernel().addTo(c, c.rows);
    c.flashBytes += 4 * w->groups() * w->groupWords();
    c.scratch.push_back({ElementType::Int32, w->scratchBytes() / 4});
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    ConvLayer layer = *convLayerOf(op, operands);
    Winograd w = *Winograd::find(layer, form);
    const ConvShape &s = layer.shape;
    const int64_t blocks = blocksOf(w);
    Val picture = layer.pictures == 1 ? b.index(0) : row / blocks;
    Val y = (layer.pictures == 1 ? row : row % blocks) * w.blockHeight();
    if (s.outH % w.blockHeight() != 0) // the last rows overlap those before
      y = b.min(y, b.index(s.outH - w.blockHeight()));
    b.store(operands.scratch[0], b.index(0), y);
    callAsm(b, w.kernel(),
            {{operands.inputs[0].buffer, picture * s.inputElements()},
             {operands.outputs[0].buffer, (picture * s.outH + y) * (s.outW * s.outC)},
             {b.table<int32_t>("filters", w.table()), b.index(0)},
             {operands.scratch[0], b.index(0)}});
  }

private:
  static int64_t blocksOf(const Winograd &w) {
    return (w.shape().outH + w.blockHeight() - 1) / w.blockHeight();
  }

  StringRef name;
  const WinogradForm &form;
};

} // namespace

void thimble::addWinogradKernels(KernelList &list) {
  list.push_back(std::make_unique<WinogradConvolution>("conv_2d.winograd2", winograd2));
  list.push_back(std::make_unique<WinogradConvolution>("conv_2d.winograd4", winograd4));
}
