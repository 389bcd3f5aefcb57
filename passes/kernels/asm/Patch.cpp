// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/Patch.h"

#include <numeric>

using namespace mlir;
using namespace thimble;

bool ChannelPairs::isFirst(int64_t pair, int64_t half) const {
  const int64_t four = pair / 2, within = pair % 2 + 2 * half;
  const int64_t c = firstOfFour(four) + within;
  return c < channels && c >= 4 * four;
}

int64_t Patch::columnStep() const {
  if (outputs == 1 && shape.kW == 1)
    return 1;
  return std::gcd(outputs > 1 ? shape.strideW : 0, shape.kW > 1 ? shape.dilationW : 0);
}
int64_t Patch::columns() const {
  return ((outputs - 1) * shape.strideW + (shape.kW - 1) * shape.dilationW) / columnStep() + 1;
}
int64_t Patch::rows() const {
  return ((outputRows - 1) * shape.strideH + (shape.kH - 1) * shape.dilationH) / rowStep() + 1;
}

namespace {

class PatchEmitter {
public:
  PatchEmitter(AsmBuilder &a, const Patch &patch, Reg &destination, int32_t zeroPoint)
      : a(a), p(patch), s(patch.shape), pairs(patch.pairs()), to(destination),
        zeroPoint(zeroPoint) {}

  void emit(Reg picture, Reg row, Reg column) {
    firstColumn = column;
    Reg width = a.constant(s.inW), depth = a.constant(s.inC);
    Reg from = a.mla(a.mla(row, width, column), depth, picture);
    if (hasSimpleBorders())
      findSpan();
    a.loopS(p.rows(), {row, from, to}, [&] {
      if (s.leavesRows()) {
        compareWith(a, row, s.inH);
        a.branch(
            "lo", p.rows(), p.rows() + 1, {to}, [&] { rowInside(from); },
            [&] { fill(p.rowBytes() / 4); });
        row = a.add(row, p.rowStep());
      } else {
        rowInside(from);
      }
      from = a.add(from, p.rowStep() * s.inW * s.inC);
    });
  }

private:
  void rowInside(Reg from) {
    const bool isRun = p.columnStep() == 1 && s.inC % 4 == 0;
    if (hasSimpleBorders())
      betweenBorders(from);
    else if (s.leavesColumns() || !isRun)
      columnByColumn(from);
    else
      run(from);
  }

  // Only the first block of a row leaves the picture at its left, by all columns of the padding,
  // and only the last one at its right.
  bool hasSimpleBorders() const {
    if (!s.leavesColumns() || p.columnStep() != 1 || s.inC < 4 ||
        p.columns() <= s.padLeft + beyond())
      return false;
    const int64_t last = s.outW - p.outputs; // where the last block starts; the one before it:
    const int64_t previous = (s.outW - 1) / p.outputs * p.outputs - p.outputs;
    return last == 0 || (s.padLeft <= std::min(p.outputs, last) * s.strideW &&
                         beyond() <= (last - previous) * s.strideW);
  }
  /// Columns of the last block on the right of the picture.
  int64_t beyond() const {
    return std::max<int64_t>(0, (s.outW - p.outputs) * s.strideW - s.padLeft + p.columns() - s.inW);
  }
  // Bytes from the first column to the last one within the picture.
  void findSpan() {
    Reg bytes = a.constant(p.columns() * s.inC);
    if (beyond() > 0) {
      Reg less = a.constant((p.columns() - beyond()) * s.inC);
      compareBeyond();
      bytes = a.select("gt", less, bytes);
    }
    span = a.toS(bytes);
  }
  // Greater: the block ends beyond the picture.
  void compareBeyond() { a.compare(firstColumn, a.constant(s.inW - p.columns())); }

  void betweenBorders(Reg from) {
    const int64_t blocks = (s.outW + p.outputs - 1) / p.outputs;
    Reg end = a.add(from, a.toR(span));
    if (s.padLeft > 0) {
      a.compare(firstColumn, 0);
      a.branch("lt", 1, blocks, {from, to}, [&] {
        fill(s.padLeft * p.columnBytes() / 4);
        from = a.add(from, s.padLeft * s.inC);
      });
    }
    const int64_t words = s.inC % 16 == 0 ? 4 : s.inC % 8 == 0 ? 2 : 1;
    const bool byWords = s.inC % 4 == 0;
    a.loopUntil(from, end, byWords ? p.columns() * s.inC / 4 / words : p.columns(), {to}, [&] {
      if (byWords)
        moveWords(from, ArrayRef<int64_t>({0, 4, 8, 12}).take_front(static_cast<size_t>(words)));
      else
        moveColumn(from);
      from = a.add(from, byWords ? 4 * words : s.inC);
    });
    if (beyond() > 0) {
      compareBeyond();
      a.branch("gt", 1, blocks, {to}, [&] { fill(beyond() * p.columnBytes() / 4); });
    }
  }

  void run(Reg from) {
    const int64_t words = p.columns() * s.inC / 4, unrolled = 4;
    a.loop(words / unrolled, {from, to}, [&] {
      moveWords(from, {0, 4, 8, 12});
      from = a.add(from, 4 * unrolled);
    });
    SmallVector<int64_t> rest;
    for (int64_t i = 0; i < words % unrolled; ++i)
      rest.push_back(4 * i);
    moveWords(from, rest);
  }

  void columnByColumn(Reg from) {
    Reg column = firstColumn;
    const int64_t columns = p.columns();
    a.loopS(columns, {column, from, to}, [&] {
      if (s.leavesColumns()) {
        compareWith(a, column, s.inW);
        a.branch(
            "lo", columns - 1, columns, {to}, [&] { moveColumn(from); },
            [&] { fill(p.columnBytes() / 4); });
        column = a.add(column, p.columnStep());
      } else {
        moveColumn(from);
      }
      from = a.add(from, p.columnStep() * s.inC);
    });
  }

  void moveColumn(Reg from) {
    if (s.inC < 4)
      return moveFew(from);
    constexpr int64_t unrolled = 4;
    const int64_t loops = s.inC / 4 / unrolled;
    if (loops > 1)
      a.loop(loops, {from, to}, [&] {
        moveWords(from, {0, 4, 8, 12});
        from = a.add(from, 4 * unrolled);
      });
    const int64_t done = loops > 1 ? loops * unrolled : 0;
    SmallVector<int64_t> offsets;
    for (int64_t four = done; four < pairs.fours(); ++four) {
      offsets.push_back(pairs.firstOfFour(four) - 4 * done);
      if (offsets.size() == unrolled || four + 1 == pairs.fours()) {
        moveWords(from, offsets);
        offsets.clear();
      }
    }
  }

  // Words of four channels at `offsets` of `from`.
  void moveWords(Reg from, ArrayRef<int64_t> offsets) {
    if (offsets.empty())
      return;
    Regs words;
    for (int64_t offset : offsets)
      words.push_back(a.load(from, offset));
    int64_t at = 0;
    for (Reg word : words) {
      if (p.isWide) {
        a.store(a.sxtb16(word), to, at);
        a.store(a.sxtb16Ror8(word), to, at + 4);
        at += 8;
      } else {
        a.store(word, to, at);
        at += 4;
      }
    }
    to = a.add(to, at);
  }

  // One to three channels, byte by byte.
  void moveFew(Reg from) {
    Regs bytes;
    for (int64_t c = 0; c < s.inC; ++c)
      bytes.push_back(a.load(from, c, Width::S8));
    const int64_t words = p.columnBytes() / 4;
    if (p.isWide) {
      a.store(s.inC == 3 ? a.packBottom(bytes[0], lsl(bytes[2], 16)) : bytes[0], to, 0);
      if (s.inC > 1)
        a.store(bytes[1], to, 4);
    } else {
      Reg word = a.uxtb(bytes[0]);
      for (int64_t c = 1; c < s.inC; ++c)
        word = a.bitOr(word, lsl(a.uxtb(bytes[static_cast<size_t>(c)]), static_cast<int>(8 * c)));
      a.store(word, to, 0);
    }
    to = a.add(to, 4 * words);
  }

  void fill(int64_t words) {
    const auto half = static_cast<uint32_t>(static_cast<uint16_t>(zeroPoint));
    const auto byte = static_cast<uint32_t>(static_cast<uint8_t>(zeroPoint));
    Reg value = a.constant(p.isWide ? half * 0x10001u : byte * 0x1010101u);
    constexpr int64_t unrolled = 4;
    auto some = [&](int64_t count) {
      for (int64_t i = 0; i < count; ++i)
        a.store(value, to, 4 * i);
      to = a.add(to, 4 * count);
    };
    a.loop(words / unrolled, {to}, [&] { some(unrolled); });
    some(words % unrolled);
  }

  AsmBuilder &a;
  const Patch &p;
  const ConvShape &s;
  ChannelPairs pairs;
  Reg &to;
  Reg firstColumn;
  SReg span;
  int32_t zeroPoint;
};

} // namespace

void Patch::emit(AsmBuilder &a, Reg picture, Reg row, Reg column, Reg &destination,
                 int32_t zeroPoint) const {
  PatchEmitter(a, *this, destination, zeroPoint).emit(picture, row, column);
}
