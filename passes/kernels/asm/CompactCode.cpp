// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The instructions of compact convolutions. Sizes of the layer itself are only for costs.
#include "passes/kernels/asm/CompactLayer.h"

using namespace mlir;

namespace thimble {
namespace {

class CompactCode {
public:
  CompactCode(AsmBuilder &a, const CompactLayer &layer) : a(a), l(layer), s(l.shape()) {}

  void emit(ArrayRef<Reg> arguments) {
    picture = a.toS(arguments[0]);
    Reg table = arguments[2], scratch = arguments[3];
    outputRow = a.toS(arguments[1]);
    sizes = a.toS(table);
    groupsStart = a.toS(a.add(table, 4 * l.headerWords()));
    Reg patchStart = a.add(scratch, 4);
    patch = a.toS(patchStart);
    patchEnd = a.toS(a.add(patchStart, size(table, L::PatchBytes)));
    secondOut = a.toS(size(table, L::SecondOut));
    runBytes = a.toS(size(table, L::RunBytes));
    if (l.patch != L::Pixels) {
      Reg row = a.mul(a.load(scratch), size(table, L::RowStride));
      firstRow = a.toS(a.sub(row, size(table, L::PadTop)));
      runStep = a.toS(size(table, L::RunStep));
      zeroPoint = a.toS(a.loadTable(table, 2 * L::ZeroPoint, Width::S16));
    }
    SReg pixel = a.toS(a.constant(0)), left = a.toS(size(table, L::Blocks));
    a.repeat((s.outW + L::pixels - 1) / L::pixels, {pixel, left}, [&] {
      block(a.toR(pixel));
      pixel = a.toS(a.add(a.toR(pixel), L::pixels));
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

private:
  using L = CompactLayer;

  Reg size(Reg table, L::Size which) { return a.loadTable(table, 2 * which, Width::U16); }

  void block(Reg first) {
    Reg table = a.toR(sizes), last = size(table, L::LastPixel);
    a.compare(first, last);
    first = a.select("gt", last, first);
    output = a.toS(a.mla(first, size(table, L::OutChannels), a.toR(outputRow)));
    gather(a.mul(first, size(table, L::ColumnStep)));
    products();
  }

  //===-- Patches ---------------------------------------------------------------------------===//

  void gather(Reg column) {
    if (l.patch != L::Pixels)
      column = a.sub(column, size(a.toR(sizes), L::PadLeft));
    SReg at = a.toS(column), to = patch;
    if (l.patch == L::Columns)
      return rows(at, to);
    SReg left = a.toS(a.constant(L::pixels));
    a.repeat(L::pixels, {to, left, at}, [&] {
      if (l.patch == L::Pixels) {
        Reg pixel = a.toR(to);
        widen(a.add(a.toR(picture), a.toR(at)), pixel);
      } else {
        SReg pixel = to;
        rows(at, pixel);
      }
      at = a.toS(a.add(a.toR(at), size(a.toR(sizes), L::SecondIn)));
      to = a.toS(a.add(a.toR(to), 4));
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  // All rows of the window or of the columns, from `column` on.
  void rows(SReg column, SReg &to) {
    SReg row = firstRow, left = a.toS(size(a.toR(sizes), L::WindowRows));
    a.repeat(s.kH, {to, row, left}, [&] {
      Reg y = a.toR(row), table = a.toR(sizes);
      Reg rowBytes = size(table, L::RowBytes);
      start = a.mla(y, rowBytes, a.toR(picture));
      Reg inside = size(table, L::Inside), none = a.constant(0);
      a.compare(y, size(table, L::Rows));
      within = a.select("lo", inside, none);
      end = a.toS(a.select("lo", rowBytes, none));
      runs(column, to);
      row = a.toS(a.add(a.toR(row), size(a.toR(sizes), L::RowDilation)));
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  void runs(SReg column, SReg &to) {
    Reg x = a.toR(column), at = a.toR(to), left = size(a.toR(sizes), L::Runs), side;
    Variables carried{at, x, left};
    if (l.patch == L::Columns) {
      side = a.copy(at);
      carried.push_back(side);
    }
    a.repeat(l.runs(), carried, [&] {
      if (l.patch == L::Columns) { // side by side
        at = a.copy(side);
        side = a.add(side, 4);
      }
      run(x, at);
      x = a.add(x, a.toR(runStep));
      left = a.subs(left, 1);
    });
    to = a.toS(l.patch == L::Columns ? a.add(at, -4 * (l.columns() - 1)) : at);
  }

  // From column `x` of the row at `start`, which has `end` bytes.
  void run(Reg x, Reg &to) {
    Reg from = a.add(start, x);
    a.compare(x, within);
    const auto [outside, all] = l.runCounts();
    a.branch("hs", outside, all, {from}, [&] {
      Reg limit = a.toR(end), zero = a.toR(zeroPoint);
      Reg column = a.copy(x), at = a.toR(patchEnd), left = a.toR(runBytes);
      a.repeat(l.runBytes(), {column, at, left}, [&] {
        Reg value = a.copy(zero);
        a.compare(column, limit);
        a.branch("lo", 1, 2, {value}, [&] { value = a.loadIndexed(start, column, 0, Width::S8); });
        a.storePost(value, at, 1, Width::U8);
        column = a.add(column, 1);
        left = a.subs(left, 1);
      });
      from = a.toR(patchEnd);
    });
    widen(from, to);
  }

  void widen(Reg from, Reg &to) {
    Reg bytes = a.toR(runBytes);
    if (l.patch == L::Columns)
      return widenSixteens(from, to, bytes);
    Reg left = a.shiftRightLogical(a.add(bytes, 3), 2);
    Reg step = a.add(a.bitAnd(a.add(bytes, -1), 3), 1);
    a.repeat(l.fours(), {from, to, left, step}, [&] {
      Reg four = a.load(from);
      from = a.add(from, step);
      step = a.constant(4);
      store(four, to, 0);
      to = a.add(to, 2 * l.pairBytes());
      left = a.subs(left, 1);
    });
  }

  void widenSixteens(Reg from, Reg &to, Reg bytes) {
    constexpr int64_t unrolled = 4;
    Reg end = a.add(from, bytes);
    a.repeat(l.fours() / unrolled, {from, to}, [&] {
      Regs fours;
      for (int64_t i = 0; i < unrolled; ++i)
        fours.push_back(a.load(from, 4 * i));
      for (auto [i, four] : llvm::enumerate(fours))
        store(four, to, 2 * l.pairBytes() * static_cast<int64_t>(i));
      to = a.add(to, 2 * l.pairBytes() * unrolled);
      from = a.add(from, 4 * unrolled);
      a.compare(from, end);
    });
  }

  void store(Reg four, Reg to, int64_t offset) {
    a.store(a.sxtb16(four), to, offset);
    a.store(a.sxtb16Ror8(four), to, offset + l.pairBytes());
  }

  //===-- Products --------------------------------------------------------------------------===//

  void products() {
    Reg table = a.toR(sizes), stream = a.toR(groupsStart);
    SReg left = a.toS(size(table, L::Groups)), step = a.toS(size(table, L::FirstStep));
    a.repeat(l.groups(), {stream, output, left, step}, [&] {
      group(stream);
      output = a.toS(a.add(a.toR(output), a.toR(step)));
      step = a.toS(a.constant(L::channels));
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  void group(Reg &stream) {
    Regs biases = a.loadTableMultiple(stream, L::channels);
    Variables carried{stream};
    Reg from = a.toR(patch);
    carried.push_back(from);
    for (size_t c = 0; c < L::channels; ++c) {
      sums[c][0] = biases[c];
      sums[c][1] = a.copy(biases[c]);
      carried.append({sums[c][0], sums[c][1]});
    }
    a.repeat(l.pairs() / l.unrolled, carried, [&] {
      for (int64_t pair = 0; pair < l.unrolled; ++pair)
        multiplyPair(stream, from, pair * l.pairBytes());
      from = a.add(from, l.unrolled * l.pairBytes());
      a.compare(from, a.toR(patchEnd));
    });
    finish(stream);
  }

  void multiplyPair(Reg &stream, Reg from, int64_t offset) {
    if (l.patch != L::Columns)
      return multiply(stream, a.load(from, offset), a.load(from, offset + 4));
    Reg next;
    for (int64_t kx = 0; kx < s.kW; ++kx) {
      Reg first = kx > 0 && s.strideW == 1 ? next : a.load(from, offset + 4 * kx);
      next = a.load(from, offset + 4 * (kx + s.strideW));
      multiply(stream, first, next);
    }
  }

  void multiply(Reg &stream, Reg first, Reg second) {
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
    for (size_t c = 0; c < L::channels; ++c) {
      if (c % 2 == 0)
        separateByteMix(a, sums[c], sums[c + 1],
                        fineOffset(a, fine, static_cast<int64_t>(c), L::channels));
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
  const ConvShape &s;
  SReg picture, outputRow, output, sizes, groupsStart, secondOut, firstRow, runBytes, runStep,
      zeroPoint;
  /// The end is also where a run at the border is put together.
  SReg patch, patchEnd;
  /// Of the present row of the picture; `within`: where a run must start to lie in it.
  Reg start, within;
  SReg end;
  std::array<Reg, L::pixels> sums[L::channels];
};

} // namespace
} // namespace thimble

void thimble::emitCompact(AsmBuilder &a, const CompactLayer &layer, ArrayRef<Reg> arguments) {
  CompactCode(a, layer).emit(arguments);
}
