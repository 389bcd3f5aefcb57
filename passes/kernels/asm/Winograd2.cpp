// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// F(2x2, 3x3): 4/9 of the multiplications.
#include "passes/kernels/asm/Winograd.h"

using namespace mlir;

namespace thimble {
namespace {

constexpr int64_t points = 4;

class Winograd2Emitter : public WinogradEmitter {
public:
  using WinogradEmitter::WinogradEmitter;

private:
  using Column = std::array<Reg, points>;

  //===-- V = B^T d B -----------------------------------------------------------------------===//
  // V's columns 2 and 3 and rows 3 are stored with the opposite sign: their products are then added
  // where the outputs' transform subtracts.

  // Four channels a trip, first bytes 0 and 2, then 1 and 3. A column is transformed vertically
  // once and serves two tiles; its registers become free while the next one is consumed.
  void transformInputs() override {
    Reg to = get(Transformed), from = a.add(to, w.patchOffset() - 4);
    a.loopS(w.pairs() / 2, {from, to}, [&] {
      for (int64_t pair : {0, 1})
        transformPair(from, to, pair);
      from = a.add(from, 4);
      to = a.add(to, 2 * w.pairBytes());
    });
  }

  Column loadColumn(Reg from, int64_t column, int64_t pair) {
    const Patch patch = w.patch();
    Column d;
    for (int64_t i = 0; i < points; ++i)
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
      consume(fourth, to, pair, tile,
              [&](size_t i, auto store) { store(2, a.ssub16(fourth[i], second[i])); });
      first = third;
      second = fourth;
    }
  }

  // Rows of V whose addresses are in reach of one pointer.
  int64_t rowsInReach() const {
    constexpr int64_t reach = 4095;
    const int64_t within = 3 * w.columnBytes() + 2 * w.pairBytes();
    return 3 * w.rowBytes() + within <= reach ? 4 : w.rowBytes() + within <= reach ? 2 : 1;
  }

  template <typename Row>
  void consume(Column &column, Reg &to, int64_t pair, int64_t tile, Row row) {
    const int64_t reach = rowsInReach();
    for (int64_t i = 0; i < points; ++i) {
      if (i == 1)
        finishColumn(column);
      if (i > 0 && i % reach == 0)
        to = a.add(to, reach * w.rowBytes());
      row(static_cast<size_t>(i), [&](int64_t place, Reg value) {
        a.store(value, to,
                i % reach * w.rowBytes() + place * w.columnBytes() + pair * w.pairBytes() +
                    4 * tile);
      });
    }
    to = a.add(to, (reach - points) * w.rowBytes());
  }

  //===-- Products --------------------------------------------------------------------------===//

  // Of one row of V a trip: with m1 - m2 after the second column and m1 - m2 - m3 after the third,
  // the second column's outputs are there; 2 m1 - (m1 - m2) and the fourth column, m0, make the
  // first's.
  void products(Reg &stream) override {
    Reg v = get(Transformed);
    a.loopS(points, {stream, v}, [&] {
      Regs sums;
      SRegs kept;
      chain(sums, stream, v, /*isFresh=*/true);
      for (Reg m1 : sums)
        kept.push_back(a.toS(m1));
      chain(sums, stream, v);
      for (size_t first = 0; first < sums.size(); first += 4) {
        const size_t end = std::min(sums.size(), first + 4);
        Regs m1;
        for (size_t i = first; i < end; ++i)
          m1.push_back(a.toR(kept[i]));
        for (size_t i = first; i < end; ++i)
          m1[i - first] = a.rsb(sums[i], lsl(m1[i - first], 1));
        for (size_t i = first; i < end; ++i)
          kept[i] = a.toS(m1[i - first]);
      }
      chain(sums, stream, v);
      storeResults(sums, v, w.columnBytes() + 2 * w.pairBytes());
      for (size_t i = 0; i < sums.size(); ++i)
        sums[i] = a.toR(kept[i]);
      chain(sums, stream, v);
      storeResults(sums, v, 0);
      v = a.add(v, w.resultBytes());
    });
  }
  void storeResults(const Regs &sums, Reg v, int64_t offset) {
    for (size_t i = 0; i < sums.size(); ++i)
      a.store(sums[i], v, offset + 4 * static_cast<int64_t>(i));
  }

  //===-- Outputs ---------------------------------------------------------------------------===//

  void outputs(Reg &stream) override {
    Reg upper = a.add(get(Transformed), points * w.columnBytes());
    Reg lower = a.add(upper, 2 * w.rowBytes());
    Reg to = get(Output);
    for (int64_t h : {0, 1}) {
      Regs constants;
      for (int64_t i = 0; i < w.channelWords(); ++i)
        constants.push_back(a.loadTablePost(stream, 4));
      SReg rest = a.toS(stream), sign;
      if (isSigned())
        sign = a.toS(constants[3]);
      for (int64_t column : {0, 1})
        for (int64_t tile = 0; tile < tiles; tile += 2)
          finishTiles(upper, lower, to, constants, sign, h, column, tile);
      stream = a.toR(rest);
    }
    advance(to, stream);
  }
  bool isSigned() const { return w.scaling.form == OutputScaling::Signed; }

  // Both rows of one column of outputs, of two tiles: y0 = p0 + p1 + p2, y1 = p1 - p2 + p3.
  void finishTiles(Reg upper, Reg lower, Reg to, ArrayRef<Reg> constants, SReg sign, int64_t h,
                   int64_t column, int64_t tile) {
    const int64_t count = std::min<int64_t>(2, tiles - tile);
    const int64_t at = column * 2 * w.pairBytes() + h * w.pairBytes() + 4 * tile;
    Reg p[points][2];
    for (int64_t i = 0; i < points; ++i)
      for (int64_t t = 0; t < count; ++t)
        p[i][t] = a.load(i < 2 ? upper : lower, at + 4 * t + i % 2 * w.rowBytes());
    Reg y[2][2];
    for (int64_t t = 0; t < count; ++t) {
      Reg biased = a.add(p[1][t], constants[0]);
      y[0][t] = a.add(a.add(p[0][t], p[2][t]), biased);
      y[1][t] = a.add(a.sub(biased, p[2][t]), p[3][t]);
    }
    Regs numbers(constants.begin() + 1, constants.end());
    if (isSigned())
      numbers[2] = a.toR(sign);
    for (int64_t row : {0, 1})
      for (int64_t t = 0; t < count; ++t)
        storeOutput(w.scaling.emit(a, y[row][t], numbers), to,
                    (row * s.outW + 2 * (tile + t) + column) * s.outC + h);
  }
};

} // namespace
} // namespace thimble

std::unique_ptr<thimble::WinogradEmitter> thimble::winograd2Emitter(AsmBuilder &a,
                                                                    const Winograd &w) {
  return std::make_unique<Winograd2Emitter>(a, w);
}
