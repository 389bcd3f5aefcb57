// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// F(4x4, 3x3): a quarter of the multiplications.
//
// Pairs of channels are one integer, high * 65536 + low, while inputs are transformed: ADD and SUB
// have free shifts, which SADD16 has not. The halves are right in the end as the low ones are not
// negative: inputs plus 128 go in, and what `WinogradForm::raise` adds to columns 4 and 5 raises
// all positions by as much. Seen from the outputs that is an input at (4..5, 4..5) of a tile, which
// only the outputs (2..3, 2..3) meet: they have biases of their own.
//
// Column 3 of the outputs is kept as a quarter, right modulo 2^30; its multiplier puts the factor
// back.
#include "passes/kernels/asm/Winograd.h"

using namespace mlir;

namespace thimble {
namespace {

constexpr int64_t points = 6, tileSize = 4;

/// The frame: variables, sums of a column, then results as [row][output column][channel][tile],
/// whose place the transform of inputs uses before.
struct Frame {
  explicit Frame(const Winograd &w)
      : pairBytes(w.pairBytes()), columnBytes(4 * (w.blockWidth() + 2)),
        sums(WinogradEmitter::variableBytes), results(sums + 2 * pairBytes),
        bytes(results + std::max(points * resultRow(), points * 2 * columnBytes)) {}
  int64_t pairBytes;
  /// One row of transformed columns of a pair of channels.
  int64_t columnBytes;
  int64_t sums, results, bytes;
  int64_t resultColumn() const { return 2 * pairBytes; }
  int64_t resultRow() const { return tileSize * resultColumn(); }
};

class Winograd4Emitter : public WinogradEmitter {
public:
  Winograd4Emitter(AsmBuilder &a, const Winograd &w) : WinogradEmitter(a, w), frame(w) {}

private:
  using Six = std::array<Reg, points>;

  //===-- V = B^T d B -----------------------------------------------------------------------===//

  void transformInputs() override {
    Reg from = patchStart();
    SReg to = a.toS(get(Transformed));
    const int64_t fours = w.channels().fours();
    a.loopS(w.tilesY, {from, to}, [&] {
      a.loopS(fours, {from, to}, [&] {
        vertical(from);
        horizontal(a.toR(to));
        from = a.add(from, 4);
        to = a.toS(a.add(a.toR(to), 2 * w.pairBytes()));
      });
      from = a.add(from, tileSize * w.patch().rowBytes() - 4 * fours);
      to = a.toS(a.add(a.toR(to), 4 * w.tilesX - fours * 2 * w.pairBytes()));
    });
  }

  void vertical(Reg from) {
    const Patch patch = w.patch();
    for (int64_t column = 0; column < w.blockWidth() + 2; ++column) {
      Six raw;
      for (int64_t i = 0; i < points; ++i)
        raw[static_cast<size_t>(i)] =
            a.load(from, i * patch.rowBytes() + column * patch.columnBytes());
      for (int64_t pair : {0, 1}) {
        Reg offset = a.constant(w.form.inputOffset * 0x10001);
        Six d;
        for (size_t i = 0; i < d.size(); ++i)
          d[i] = a.sxtab16(offset, pair ? ror(raw[i], 8) : Shifted(raw[i]));
        d = transformed(d);
        for (int64_t i = 0; i < points; ++i)
          a.storeFrame(d[static_cast<size_t>(i)],
                       frame.results + (2 * i + pair) * frame.columnBytes + 4 * column);
      }
    }
  }

  void horizontal(Reg to) {
    Reg from = a.frameAddress(frame.results);
    a.loop(points, {from, to}, [&] {
      for (int64_t pair : {0, 1})
        for (int64_t tile = 0; tile < w.tilesX; ++tile) {
          Six d;
          for (int64_t i = 0; i < points; ++i)
            d[static_cast<size_t>(i)] =
                a.load(from, pair * frame.columnBytes + 4 * (tileSize * tile + i));
          for (size_t i : {4u, 5u})
            d[i] = a.add(d[i], w.form.raise);
          d = transformed(d);
          for (int64_t place = 0; place < points; ++place)
            a.store(d[static_cast<size_t>(w.form.columns[static_cast<size_t>(place)])], to,
                    place * w.columnBytes() + pair * w.pairBytes() + 4 * tile);
        }
      from = a.add(from, 2 * frame.columnBytes);
      to = a.add(to, w.rowBytes());
    });
  }

  // B^T d.
  Six transformed(Six d) {
    // In this order one register besides the six is enough.
    Reg even = a.sub(d[4], d[2]), even4 = a.sub(d[4], lsl(d[2], 2)), first = a.sub(d[0], d[2]);
    Reg last = a.sub(d[5], d[3]), odd = a.sub(d[3], d[1]), odd4 = a.sub(d[3], lsl(d[1], 2));
    Six v;
    v[0] = a.add(even, lsl(first, 2));
    v[5] = a.sub(last, lsl(odd, 2));
    v[1] = a.add(even4, odd4);
    v[2] = a.sub(even4, odd4);
    v[3] = a.add(even, lsl(odd, 1));
    v[4] = a.sub(even, lsl(odd, 1));
    return v;
  }

  //===-- Products --------------------------------------------------------------------------===//

  // Of one row of V a trip. With s1 = m1 + m2, d1 = m1 - m2, s2 = m3 + m4 and d2 = m3 - m4 the
  // outputs' columns are m0 + s1 + s2, d1 + 2 d2, s1 + 4 s2 and d1 + 8 d2 + 4 m5.
  void products(Reg &stream) override {
    Reg v = get(Transformed);
    SReg to = a.toS(a.frameAddress(frame.results));
    a.loopS(points, {stream, v, to}, [&] {
      Regs sums;
      SRegs s1, d1, first;
      chain(sums, stream, v, /*isFresh=*/true);
      for (Reg m1 : sums)
        d1.push_back(a.toS(m1));
      chain(sums, stream, v);
      for (size_t i = 0; i < sums.size(); ++i) {
        d1[i] = a.toS(a.rsb(sums[i], lsl(a.toR(d1[i]), 1)));
        s1.push_back(a.toS(sums[i]));
      }
      chain(sums, stream, v);
      for (Reg sum : sums)
        first.push_back(a.toS(sum));
      chain(sums, stream, v, /*isFresh=*/true);
      for (size_t i = 0; i < sums.size(); ++i)
        a.storeFrame(sums[i], frame.sums + 4 * static_cast<int64_t>(i));
      chain(sums, stream, v);
      threeColumns(sums, s1, d1, first, stream, v, to);
      chain(sums, stream, v);
      Reg row = a.toR(to);
      for (size_t i = 0; i < sums.size(); ++i)
        a.store(sums[i], row, 3 * frame.resultColumn() + 4 * static_cast<int64_t>(i));
      to = a.toS(a.add(row, frame.resultRow()));
    });
  }

  // Stores columns 0 to 2 and leaves what the fourth starts from in `sums`, which come as s2.
  void threeColumns(Regs &sums, const SRegs &s1, const SRegs &d1, const SRegs &first, Reg &stream,
                    Reg &v, SReg to) {
    SReg keptStream = a.toS(stream), keptV = a.toS(v);
    Reg row = a.toR(to);
    for (size_t begin = 0; begin < sums.size(); begin += 4) {
      const size_t end = std::min(sums.size(), begin + 4);
      Regs m3;
      for (size_t i = begin; i < end; ++i)
        m3.push_back(a.loadFrame(frame.sums + 4 * static_cast<int64_t>(i)));
      for (size_t i = begin; i < end; ++i) {
        const int64_t at = 4 * static_cast<int64_t>(i);
        Reg s2 = sums[i], d2 = a.rsb(s2, lsl(m3[i - begin], 1));
        a.store(a.add(a.toR(first[i]), s2), row, at);
        a.store(a.add(a.toR(s1[i]), lsl(s2, 2)), row, 2 * frame.resultColumn() + at);
        Reg difference = a.toR(d1[i]), second = a.add(difference, lsl(d2, 1));
        a.store(second, row, frame.resultColumn() + at);
        sums[i] = a.add(a.sub(second, difference), lsr(difference, 2));
      }
    }
    stream = a.toR(keptStream);
    v = a.toR(keptV);
  }

  //===-- Outputs ---------------------------------------------------------------------------===//

  /// A channel's numbers.
  struct Numbers {
    Reg inverse, bias;
    Regs scaling;
    SReg sign;
    Reg lowerBiases[2];
  };

  void outputs(Reg &stream) override {
    Reg to = get(Output);
    for (int64_t h : {0, 1}) {
      Numbers n;
      n.inverse = a.loadTablePost(stream, 4);
      n.bias = a.loadTablePost(stream, 4);
      for (int i = 0; i < w.scaling.constantWords(); ++i)
        n.scaling.push_back(a.loadTablePost(stream, 4));
      if (isSigned())
        n.sign = a.toS(n.scaling[2]);
      SReg rest = a.toS(stream);
      for (int64_t column = 0; column < tileSize; ++column) {
        if (column >= 2) {
          stream = a.toR(rest);
          for (Reg &bias : n.lowerBiases)
            bias = a.loadTablePost(stream, 4);
          rest = a.toS(stream);
        }
        if (column == 3)
          n.inverse = a.shiftLeft(n.inverse, 2);
        for (int64_t tile = 0; tile < tiles; ++tile)
          finishTile(to, n, h, column, tile);
      }
      stream = a.toR(rest);
    }
    advance(to, stream);
  }
  bool isSigned() const { return w.scaling.form == OutputScaling::Signed; }

  // One column of a tile's outputs.
  void finishTile(Reg to, const Numbers &n, int64_t h, int64_t column, int64_t tile) {
    Six p;
    for (int64_t i = 0; i < points; ++i)
      p[static_cast<size_t>(i)] =
          a.loadFrame(frame.results + i * frame.resultRow() + column * frame.resultColumn() +
                      h * frame.pairBytes + 4 * tile);
    Reg d1 = a.sub(p[1], p[2]), s1 = a.add(d1, lsl(p[2], 1));
    Reg d2 = a.sub(p[3], p[4]), s2 = a.add(d2, lsl(p[4], 1));
    Reg y0 = a.add(a.add(p[0], s1), s2);
    Reg y3 = a.add(a.add(d1, lsl(p[5], 2)), lsl(d2, 3));
    Reg y1 = a.add(d1, lsl(d2, 1)), y2 = a.add(s1, lsl(s2, 2));
    Regs scaling = n.scaling;
    if (isSigned())
      scaling[2] = a.toR(n.sign);
    Reg y[tileSize] = {y0, y1, y2, y3};
    for (int64_t r = 0; r < tileSize; ++r) {
      Reg bias = column >= 2 && r >= 2 ? n.lowerBiases[r - 2] : n.bias;
      const int64_t row = tile / w.tilesX * tileSize + r, x = tile % w.tilesX * tileSize + column;
      storeOutput(w.scaling.emit(a, a.mla(y[r], n.inverse, bias), scaling), to,
                  (row * s.outW + x) * s.outC + h);
    }
  }

  Frame frame;
};

} // namespace
} // namespace thimble

std::unique_ptr<thimble::WinogradEmitter> thimble::winograd4Emitter(AsmBuilder &a,
                                                                    const Winograd &w) {
  return std::make_unique<Winograd4Emitter>(a, w);
}
int64_t thimble::winograd4FrameBytes(const Winograd &w) { return Frame(w).bytes; }
