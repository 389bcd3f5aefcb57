// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Exact integer Winograd convolution F(2x2, 3x3): 4/9 of the multiplications of a 3x3 convolution of
// stride 1.
//
// A strip of tiles, 2x2 outputs each, is transformed at once: V = B^T d B of the stored inputs (padding
// holds the zero point). For every two output channels, 16 products of V with the transformed weights
// U = (2G) g (2G)^T follow, and Y = A^T M A is four times the accumulators: no division, and two bits that make
// the output's scaling cheap. Weights carry more bits where a channel's shift is smaller.
#include "passes/kernels/asm/Patch.h"

#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace thimble {
namespace {

constexpr int64_t tileSize = 2, positions = 4;
/// The order of V's columns, with the signs that they are stored with: V1, -V2, -V3, V0. The sums of their
/// products make both columns of outputs by chaining accumulators.
constexpr int64_t columnAt[positions] = {1, 2, 3, 0};
/// 2G.
constexpr int64_t filterTransform[positions][3] = {{2, 0, 0}, {1, 1, 1}, {1, -1, 1}, {0, 0, 2}};

/// The transformed weights of one output and input channel.
struct TransformedFilter {
  int64_t u[positions][positions];
};
TransformedFilter transform(const ConvLayer &layer, int64_t output, int64_t channel) {
  TransformedFilter t;
  for (int64_t i = 0; i < positions; ++i)
    for (int64_t j = 0; j < positions; ++j) {
      t.u[i][j] = 0;
      for (int64_t y = 0; y < 3; ++y)
        for (int64_t x = 0; x < 3; ++x)
          t.u[i][j] += filterTransform[i][y] * filterTransform[j][x] * layer.weight(output, y, x, channel);
    }
  return t;
}

/// What the kernel of a layer is made from.
struct Winograd2 {
  const ConvLayer &layer;
  OutputScaling scaling;
  std::vector<int> bits;
  int64_t tiles;

  const ConvShape &shape() const { return layer.shape; }
  Patch patch() const { return {layer.shape, tileSize * tiles, tileSize, /*isWide=*/false}; }
  int64_t pairs() const { return 2 * ChannelPairs{layer.shape.inC}.fours(); }
  int64_t tileBytes() const { return 4 * tiles; }
  /// One column of V: [pair][tile].
  int64_t columnBytes() const { return pairs() * tileBytes(); }
  /// The results of a row of V follow it: [output column][channel][tile].
  int64_t resultBytes() const { return tileSize * 2 * tileBytes(); }
  int64_t rowBytes() const { return positions * columnBytes() + resultBytes(); }
  int64_t patchOffset() const { return 4 + positions * rowBytes(); }
  int64_t scratchBytes() const { return patchOffset() + patch().bytes(); }

  int64_t groups() const { return (layer.shape.outC + 1) / 2; }
  int64_t firstChannel(int64_t group) const {
    return std::max<int64_t>(0, std::min(2 * group, layer.shape.outC - 2));
  }
  bool hasSteps() const { return layer.shape.outC > 2 && layer.shape.outC % 2 != 0; }
  int64_t weightWords() const { return positions * positions * pairs() * 2; }
  int64_t groupWords() const { return weightWords() + 2 * (1 + scaling.constantWords()) + hasSteps(); }

  static std::optional<Winograd2> find(const ConvLayer &layer);
  std::vector<int32_t> table() const;
  AsmKernel kernel() const;

private:
  bool findScaling();
};

//===-- Constants ---------------------------------------------------------------------------===//

std::optional<Winograd2> Winograd2::find(const ConvLayer &layer) {
  const ConvShape &s = layer.shape;
  if (s.kH != 3 || s.kW != 3 || s.strideH != 1 || s.strideW != 1 || s.dilationH != 1 || s.dilationW != 1 ||
      s.inC < 4 || s.outC < 2 || s.outH < tileSize || s.outW < tileSize)
    return std::nullopt;
  Winograd2 w{layer, {}, {}, 0};
  constexpr int64_t mostOffset = 4095;
  for (w.tiles = std::min<int64_t>(4, s.outW / tileSize); w.tiles > 0; --w.tiles)
    if (w.rowBytes() + w.resultBytes() <= mostOffset &&
        (tileSize * w.tiles - 1) * s.outC + 1 <= mostOffset && 3 * w.patch().rowBytes() + w.patch().rowBytes() <= mostOffset)
      break;
  if (w.tiles == 0 || !w.findScaling())
    return std::nullopt;
  return w;
}

bool Winograd2::findScaling() {
  bits = layer.missingShifts();
  int room = 8;
  for (size_t o = 0; o < bits.size(); ++o) {
    int64_t most = 0;
    for (int64_t c = 0; c < layer.shape.inC; ++c) {
      TransformedFilter filter = transform(layer, static_cast<int64_t>(o), c);
      for (const auto &row : filter.u)
        for (int64_t u : row)
          most = std::max(most, std::abs(u));
    }
    const AccumulatorInterval &sum = layer.intervals[o];
    const int64_t reach = std::max(std::abs(sum.low), std::abs(sum.high));
    while (room >= 2 && (bits[o] + room > 15 || most << (bits[o] + room - 2) > 32767 ||
                         reach << (bits[o] + room) >= int64_t(1) << 31))
      --room;
  }
  if (room < 2)
    return false;
  std::vector<ScaledAccumulator> accumulators;
  for (size_t o = 0; o < bits.size(); ++o) {
    bits[o] += room;
    accumulators.push_back({bits[o], layer.intervals[o]});
  }
  auto solved = OutputScaling::solve(layer.requant, accumulators, /*mayOffset=*/true);
  if (solved)
    scaling = *solved;
  return solved.has_value();
}

std::vector<int32_t> Winograd2::table() const {
  const ChannelPairs channels{layer.shape.inC};
  std::vector<int32_t> words(static_cast<size_t>(groups() * groupWords()));
  size_t next = 0;
  for (int64_t g = 0; g < groups(); ++g) {
    std::vector<TransformedFilter> filters;
    for (int64_t h : {0, 1})
      for (int64_t c = 0; c < layer.shape.inC; ++c)
        filters.push_back(transform(layer, firstChannel(g) + h, c));
    auto weight = [&](int64_t i, int64_t j, int64_t pair, int64_t h, int64_t half) -> int64_t {
      if (!channels.isFirst(pair, half))
        return 0;
      const auto &filter = filters[static_cast<size_t>(h * layer.shape.inC + channels.channel(pair, half))];
      return filter.u[i][j] * (int64_t(1) << (bits[static_cast<size_t>(firstChannel(g) + h)] - 2));
    };
    for (int64_t i = 0; i < positions; ++i)
      for (int64_t j : columnAt)
        for (int64_t pair = 0; pair < pairs(); ++pair)
          for (int64_t h : {0, 1})
            words[next++] = halves(weight(i, j, pair, h, 0), weight(i, j, pair, h, 1));
    std::vector<int32_t> constants;
    for (int64_t h : {0, 1}) {
      const auto o = static_cast<size_t>(firstChannel(g) + h);
      constants.push_back(static_cast<int32_t>(layer.biases[o] * (int64_t(1) << bits[o]) + scaling.channels[o].offset));
      scaling.appendConstants(o, constants);
    }
    if (hasSteps())
      constants.push_back(static_cast<int32_t>(firstChannel(g + 1) - firstChannel(g)));
    for (int32_t c : constants)
      words[next++] = c;
  }
  return words;
}

//===-- Instructions ------------------------------------------------------------------------===//

class Winograd2Emitter {
public:
  Winograd2Emitter(AsmBuilder &a, const Winograd2 &w) : a(a), w(w), s(w.shape()), tiles(w.tiles) {}

  void emit(ArrayRef<Reg> arguments) {
    picture = a.toS(arguments[0]);
    outputRow = a.toS(arguments[1]);
    Reg table = arguments[2], scratch = arguments[3];
    tableStart = a.toS(table);
    if (w.groups() > 1)
      tableEnd = a.toS(a.add(table, a.constant(w.groups() * w.groupWords() * 4)));
    firstRow = a.toS(a.add(a.load(scratch), -s.padTop));
    transformed = a.toS(a.add(scratch, 4));
    forBlocks(a, s.outW, tileSize * tiles, {}, [&](Reg first) { strip(first); });
  }

private:
  void strip(Reg first) {
    output = a.toS(a.mla(first, a.constant(s.outC), a.toR(outputRow)));
    Reg to = a.add(a.toR(transformed), w.patchOffset() - 4);
    w.patch().emit(a, a.toR(picture), a.toR(firstRow), a.add(first, -s.padLeft), to,
                   w.layer.requant.inputZeroPoint);
    transformInputs();
    Reg stream = a.toR(tableStart);
    a.loopUntil(stream, tableEnd, w.groups(), {output}, [&] {
      products(stream);
      outputs(stream);
    });
  }

  //===-- V = B^T d B -----------------------------------------------------------------------===//

  using Column = std::array<Reg, positions>;

  // Four channels a trip, first bytes 0 and 2, then 1 and 3. A column is transformed vertically once and
  // serves two tiles; its registers become free while the next one is consumed.
  void transformInputs() {
    Reg to = a.toR(transformed), from = a.add(to, w.patchOffset() - 4);
    a.loopS(w.pairs() / 2, {from, to}, [&] {
      for (int64_t pair : {0, 1})
        transformPair(from, to, pair);
      from = a.add(from, 4);
      to = a.add(to, 2 * w.tileBytes());
    });
  }

  Column loadColumn(Reg from, int64_t column, int64_t pair) {
    const Patch patch = w.patch();
    Column d;
    for (int64_t i = 0; i < positions; ++i)
      d[static_cast<size_t>(i)] = a.load(from, i * patch.rowBytes() + column * patch.columnBytes());
    for (Reg &r : d)
      r = pair ? a.sxtb16Ror8(r) : a.sxtb16(r);
    d[0] = a.ssub16(d[0], d[2]);
    d[3] = a.ssub16(d[3], d[1]);
    return d;
  }
  // Rows 1 and 2 need a register that row 0 makes free.
  void finishColumn(Column &d) {
    Reg sum = a.sadd16(d[1], d[2]);
    d[2] = a.ssub16(d[2], d[1]);
    d[1] = sum;
  }

  void transformPair(Reg from, Reg &to, int64_t pair) {
    Column first = loadColumn(from, 0, pair);
    finishColumn(first);
    Column second = loadColumn(from, 1, pair);
    finishColumn(second);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      Column third = loadColumn(from, 2 * tile + 2, pair);
      consume(third, to, pair, tile, [&](size_t i, auto store) {
        store(3, a.ssub16(first[i], third[i]));
        store(0, a.sadd16(second[i], third[i]));
        store(1, a.ssub16(second[i], third[i]));
      });
      Column fourth = loadColumn(from, 2 * tile + 3, pair);
      consume(fourth, to, pair, tile, [&](size_t i, auto store) { store(2, a.ssub16(fourth[i], second[i])); });
      first = third;
      second = fourth;
    }
  }

  // Rows of V whose addresses are in reach of one pointer.
  int64_t rowsInReach() const {
    const int64_t within = 3 * w.columnBytes() + 2 * w.tileBytes();
    return 3 * w.rowBytes() + within <= 4095 ? 4 : w.rowBytes() + within <= 4095 ? 2 : 1;
  }

  template <typename Row> void consume(Column &column, Reg &to, int64_t pair, int64_t tile, Row row) {
    const int64_t reach = rowsInReach();
    for (int64_t i = 0; i < positions; ++i) {
      if (i == 1)
        finishColumn(column);
      if (i > 0 && i % reach == 0)
        to = a.add(to, reach * w.rowBytes());
      row(static_cast<size_t>(i), [&](int64_t place, Reg value) {
        a.store(value, to, i % reach * w.rowBytes() + place * w.columnBytes() + pair * w.tileBytes() + 4 * tile);
      });
    }
    to = a.add(to, (reach - positions) * w.rowBytes());
  }

  //===-- Products --------------------------------------------------------------------------===//

  // Accumulators [channel][tile] of one row of V: with m1 - m2 after the second column and m1 - m2 - m3 after the
  // third, the sum of the second column's outputs is there. 2 m1 - (m1 - m2) and the fourth column make the first's.
  void products(Reg &stream) {
    Reg v = a.toR(transformed);
    a.loopS(positions, {stream, v}, [&] {
      const auto count = static_cast<size_t>(2 * tiles);
      Regs sums(count);
      SRegs kept(count);
      chain(sums, stream, v, /*fresh=*/true);
      for (size_t i = 0; i < count; ++i)
        kept[i] = a.toS(sums[i]);
      chain(sums, stream, v);
      // As many at a time as there are registers.
      for (size_t first = 0; first < count; first += 4) {
        const size_t end = std::min(count, first + 4);
        Regs m1;
        for (size_t i = first; i < end; ++i)
          m1.push_back(a.toR(kept[i]));
        for (size_t i = first; i < end; ++i)
          kept[i] = a.toS(a.rsb(sums[i], lsl(m1[i - first], 1)));
      }
      chain(sums, stream, v);
      for (size_t i = 0; i < count; ++i)
        a.store(sums[i], v, w.columnBytes() + 2 * w.tileBytes() + 4 * static_cast<int64_t>(i));
      for (size_t i = 0; i < count; ++i)
        sums[i] = a.toR(kept[i]);
      chain(sums, stream, v);
      for (size_t i = 0; i < count; ++i)
        a.store(sums[i], v, 4 * static_cast<int64_t>(i));
      v = a.add(v, w.resultBytes());
    });
  }

  void chain(Regs &sums, Reg &stream, Reg &v, bool fresh = false) {
    constexpr int64_t mostUnrolled = 16;
    const int64_t trips = (w.pairs() + mostUnrolled - 1) / mostUnrolled, each = w.pairs() / trips;
    if (fresh && trips > 1) {
      for (Reg &sum : sums)
        sum = a.constant(0);
      fresh = false;
    }
    Variables carried{stream, v};
    for (Reg &sum : sums)
      carried.push_back(sum);
    auto some = [&](int64_t count) {
      for (int64_t k = 0; k < count; ++k)
        addPair(sums, stream, v, fresh && k == 0);
    };
    a.loopS(trips, carried, [&] { some(each); });
    some(w.pairs() - trips * each);
  }

  void addPair(Regs &sums, Reg &stream, Reg &v, bool fresh) {
    Reg weights[2];
    for (Reg &u : weights)
      u = a.loadTablePost(stream, 4);
    for (int64_t tile = 0; tile < tiles; tile += 2) {
      Regs x;
      for (int64_t t = tile; t < std::min(tile + 2, tiles); ++t)
        x.push_back(a.loadPost(v, 4));
      for (int64_t h : {0, 1})
        for (size_t t = 0; t < x.size(); ++t) {
          Reg &sum = sums[static_cast<size_t>(h * tiles + tile) + t];
          sum = fresh ? a.smuad(x[t], weights[h]) : a.smlad(x[t], weights[h], sum);
        }
    }
  }

  //===-- Outputs ---------------------------------------------------------------------------===//

  void outputs(Reg &stream) {
    Reg upper = a.add(a.toR(transformed), a.constant(positions * w.columnBytes()));
    Reg lower = a.add(upper, a.constant(2 * w.rowBytes()));
    Reg to = a.toR(output);
    for (int64_t h : {0, 1}) {
      Regs constants;
      for (int i = 0; i <= w.scaling.constantWords(); ++i)
        constants.push_back(a.loadTablePost(stream, 4));
      SReg rest, sign;
      rest = a.toS(stream);
      if (w.scaling.form == OutputScaling::Signed)
        sign = a.toS(constants[3]);
      for (int64_t column : {0, 1})
        for (int64_t tile = 0; tile < tiles; tile += 2)
          finishTiles(upper, lower, to, constants, sign, h, column, tile);
      stream = a.toR(rest);
    }
    if (w.groups() > 1)
      output = a.toS(w.hasSteps() ? a.add(to, a.loadTablePost(stream, 4)) : a.add(to, 2));
  }

  // Both rows of one column of outputs, of two tiles: y0 = p0 + p1 + p2, y1 = p1 - p2 + p3.
  void finishTiles(Reg upper, Reg lower, Reg to, ArrayRef<Reg> constants, SReg sign, int64_t h, int64_t column,
                   int64_t tile) {
    const int64_t count = std::min<int64_t>(2, tiles - tile);
    const int64_t at = column * 2 * w.tileBytes() + h * w.tileBytes() + 4 * tile;
    Reg p[positions][2];
    for (int64_t i = 0; i < positions; ++i)
      for (int64_t t = 0; t < count; ++t)
        p[i][t] = a.load(i < 2 ? upper : lower, at + 4 * t + i % 2 * w.rowBytes());
    Reg y[2][2];
    for (int64_t t = 0; t < count; ++t) {
      Reg biased = a.add(p[1][t], constants[0]);
      y[0][t] = a.add(a.add(p[0][t], p[2][t]), biased);
      y[1][t] = a.add(a.sub(biased, p[2][t]), p[3][t]);
    }
    Regs numbers(constants.begin() + 1, constants.end());
    if (w.scaling.form == OutputScaling::Signed)
      numbers[2] = a.toR(sign);
    const int64_t rowStep = s.outW * s.outC;
    const bool inReach = rowStep + 8 * s.outC <= 4095;
    for (int64_t row : {0, 1}) {
      if (row == 1 && !inReach)
        to = rowStep <= 4095 ? a.add(to, rowStep) : a.add(to, a.constant(rowStep));
      for (int64_t t = 0; t < count; ++t)
        a.store(w.scaling.emit(a, y[row][t], numbers), to,
                (inReach ? row * rowStep : 0) + (2 * (tile + t) + column) * s.outC + h, Width::U8);
    }
  }

  AsmBuilder &a;
  const Winograd2 &w;
  const ConvShape &s;
  int64_t tiles;
  SReg picture, outputRow, output, tableStart, tableEnd, firstRow, transformed;
};

//===-- Portable ----------------------------------------------------------------------------===//

/// The same sums, a tile and channel at a time.
class PortableWinograd2 {
public:
  PortableWinograd2(KernelBuilder &b, const Winograd2 &w, ArrayRef<Buffer> buffers)
      : b(b), w(w), s(w.shape()), picture(buffers[0]), output(buffers[1]), table(buffers[2]),
        firstRow(b.toIndex(b.load(buffers[3], b.index(0))) - s.padTop) {}

  void emit() {
    b.loop("x", b.index(0), b.index(s.outW), tileSize, [&](Val x) {
      x = b.min(x, b.index(s.outW - tileSize));
      b.loop("channel", s.outC, [&](Val channel) { tile(x, channel); });
    });
  }

private:
  void tile(Val x, Val channel) {
    // The last group overlaps the one before.
    Val group = channel / 2, half = channel % 2;
    if (w.hasSteps())
      half = b.select(channel == s.outC - 1, b.index(1), half);
    Val base = group * w.groupWords();
    const int64_t own = 1 + w.scaling.constantWords();
    Val constants = base + w.weightWords() + half * own;
    Val y[2][2];
    for (auto &row : y)
      for (Val &v : row)
        v = b.load(table, constants);
    constexpr int64_t down[2][positions] = {{1, 1, 1, 0}, {0, 1, -1, 1}};
    constexpr int64_t across[2][positions] = {{1, -1, 0, 1}, {1, 1, 1, 0}}; // by place
    for (int64_t i = 0; i < positions; ++i)
      for (int64_t place = 0; place < positions; ++place) {
        Val m = product(x, base + (i * positions + place) * w.pairs() * 2 + half, i, place);
        for (int64_t r : {0, 1})
          for (int64_t c : {0, 1})
            if (int64_t sign = down[r][i] * across[c][place])
              y[r][c] = sign > 0 ? y[r][c] + m : y[r][c] - m;
      }
    Vals numbers;
    for (int64_t i = 1; i < own; ++i)
      numbers.push_back(b.load(table, constants + i));
    for (int64_t r : {0, 1})
      for (int64_t c : {0, 1})
        b.store(output, (x + (r * s.outW + c)) * s.outC + channel, w.scaling.emit(b, y[r][c], numbers));
  }

  Val product(Val x, Val words, int64_t i, int64_t place) {
    struct Difference {
      int64_t plus, other, sign;
    };
    constexpr Difference rows[positions] = {{0, 2, -1}, {1, 2, 1}, {2, 1, -1}, {3, 1, -1}};
    constexpr Difference columns[positions] = {{1, 2, 1}, {1, 2, -1}, {3, 1, -1}, {0, 2, -1}}; // by place
    return b.accumulate("pair", w.pairs(), b.i32(0), [&](Val pair, Val sum) {
      return b.accumulate("half", 2, sum, [&](Val half, Val sum) {
        Val u = ((b.load(table, words + pair * 2) >> b.toI32(half * 16)) << 16) >> 16;
        Val channel = b.min(b.min(pair / 2 * 4, b.index(s.inC - 4)) + pair % 2 + half * 2, b.index(s.inC - 1));
        const Difference &row = rows[i], &column = columns[place];
        auto along = [&](int64_t r) {
          Val first = input(x, r, column.plus, channel), other = input(x, r, column.other, channel);
          return column.sign > 0 ? first + other : first - other;
        };
        Val first = along(row.plus), other = along(row.other);
        return sum + u * (row.sign > 0 ? first + other : first - other);
      });
    });
  }

  Val input(Val x, int64_t ky, int64_t kx, Val channel) {
    Val iy = firstRow + ky, ix = x + (kx - s.padLeft);
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
                    b.i32(w.layer.requant.inputZeroPoint));
  }

  KernelBuilder &b;
  const Winograd2 &w;
  const ConvShape &s;
  Buffer picture, output, table;
  Val firstRow;
};

AsmKernel Winograd2::kernel() const {
  const Winograd2 &self = *this;
  AsmKernel kernel;
  kernel.name = llvm::formatv("conv_winograd2_{0}_{1}_{2}", tiles, layer.shape.suffix(), scaling.suffix());
  if (layer.shape.leavesRows() || layer.shape.leavesColumns())
    kernel.name += llvm::formatv("_z{0}", uint8_t(layer.requant.inputZeroPoint)).str();
  kernel.buffers = {{"input", ElementType::Int8, false},
                    {"output", ElementType::Int8, true},
                    {"table", ElementType::Int32, false},
                    {"scratch", ElementType::Int32, true}};
  kernel.instructions = [self](AsmBuilder &a, ArrayRef<Reg> arguments) {
    Winograd2Emitter(a, self).emit(arguments);
  };
  kernel.portable = [self](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    PortableWinograd2(b, self, buffers).emit();
  };
  return kernel;
}

class Winograd2Convolution : public Kernel {
public:
  StringRef getName() const override { return "conv_2d.winograd2"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<ConvLayer> layer = convLayerOf(q);
    if (!layer)
      return std::nullopt;
    std::optional<Winograd2> w = Winograd2::find(*layer);
    if (!w)
      return std::nullopt;
    Candidate c;
    c.rows = layer->pictures * rowsOf(layer->shape);
    m4::Cost cost = w->kernel().cost();
    c.cycles = cost.cycles * c.rows;
    c.flashBytes = cost.codeBytes + 4 * w->groups() * w->groupWords();
    c.scratch.push_back({ElementType::Int32, w->scratchBytes() / 4});
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands, Val row) const override {
    ConvLayer layer = *convLayerOf(op, operands);
    Winograd2 w = *Winograd2::find(layer);
    const ConvShape &s = layer.shape;
    Val picture = layer.pictures == 1 ? b.index(0) : row / rowsOf(s);
    Val y = (layer.pictures == 1 ? row : row % rowsOf(s)) * tileSize;
    if (s.outH % tileSize != 0) // the last two rows overlap those before
      y = b.min(y, b.index(s.outH - tileSize));
    b.store(operands.scratch[0], b.index(0), y);
    callAsm(b, w.kernel(),
            {{operands.inputs[0].buffer, picture * s.inputElements()},
             {operands.outputs[0].buffer, (picture * s.outH + y) * (s.outW * s.outC)},
             {b.table<int32_t>("filters", w.table()), b.index(0)},
             {operands.scratch[0], b.index(0)}});
  }

private:
  static int64_t rowsOf(const ConvShape &s) { return (s.outH + tileSize - 1) / tileSize; }
};

} // namespace
} // namespace thimble

void thimble::addWinogradKernels(KernelList &list) {
  list.push_back(std::make_unique<Winograd2Convolution>());
}
