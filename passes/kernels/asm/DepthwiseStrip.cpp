// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Depthwise 3x3 convolution with stride 1 over strips of vertical pairs.
//
// Some rows of four channels (or of one) are transposed into the frame: for each channel, rows of
// words with two pixels above each other, less the zero point, so that padding is nothing and is
// left out. From the pairs (2k, 2k+1) and (2k+2, 2k+3) come the outputs centred at rows 2k+1 and
// 2k+2:
//   upper: smlad pair0, (w0, w1) ; smlabt pair1, w2     lower: smlatb pair0, w0 ; smlad pair1, (w1,
//   w2)
// Outputs of the first and last rows need one pair only. The code walks along the columns; each is
// loaded once and multiplied for the output columns left of it, at it and right of it. The stack
// pointer is the pointer into the strip: it moves upwards over words that are not read again.
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"
#include "passes/kernels/asm/Depthwise3x3.h"

using namespace mlir;

namespace thimble {
namespace {

/// What follows the blocks of two output rows: nothing, the row whose window leaves the picture, or
/// a row that has no second one.
enum class LastRow { None, Bottom, Single };

/// What a row of the code computes: the first row, which needs one row of pairs; two rows from two;
/// one row from two; the last row from one.
enum class RowKind { Top, Block, Single, Bottom };

/// How a picture is cut into strips.
struct Cut {
  bool hasTop;
  LastRow last;
  /// The last row of the picture has no partner.
  bool isOdd;
  /// Of two output rows: in the picture, and in each strip but perhaps the last.
  int64_t blocks, stripBlocks;
  /// Channels that are transposed at a time.
  int64_t lanes;
  int64_t width;

  int64_t strips() const { return std::max<int64_t>(1, llvm::divideCeil(blocks, stripBlocks)); }
  bool isLast(int64_t strip) const { return strip == strips() - 1; }
  int64_t blocksOf(int64_t strip) const {
    return isLast(strip) ? blocks - strip * stripBlocks : stripBlocks;
  }
  int64_t pairsOf(int64_t strip) const {
    return blocksOf(strip) + 1 + (isLast(strip) && last == LastRow::Single);
  }
  int64_t rowsOf(int64_t strip) const { return 2 * pairsOf(strip) - (isLast(strip) && isOdd); }
  int64_t outputRowsOf(int64_t strip) const {
    return 2 * blocksOf(strip) + (strip == 0 && hasTop) + (isLast(strip) && last != LastRow::None);
  }
  int64_t pairRowBytes() const { return 4 * width; }
  int64_t channelBytes() const {
    return std::max(pairsOf(0), pairsOf(strips() - 1)) * pairRowBytes();
  }
  int64_t frameBytes() const { return lanes * channelBytes(); }
};

/// The cut into as few and as equal strips as the frame holds; none if it holds not even one block.
std::optional<Cut> cutFor(const Depthwise3x3 &dw, int64_t lanes) {
  constexpr int64_t mostFrame = 2560;
  const ConvShape &s = dw.shape();
  Cut cut{s.padTop == 1, LastRow::None, s.inH % 2 == 1, s.inH / 2 - 1, 1, lanes, s.inW};
  if (cut.isOdd && dw.padBottom() == 1)
    cut.blocks = s.inH / 2;
  else if (cut.isOdd)
    cut.last = LastRow::Single;
  else if (dw.padBottom() == 1)
    cut.last = LastRow::Bottom;
  const int64_t pairs = mostFrame / (lanes * cut.pairRowBytes());
  const int64_t most = pairs - 1 - (cut.last == LastRow::Single);
  if (most < std::min<int64_t>(cut.blocks, 1))
    return std::nullopt;
  if (cut.blocks > 0)
    cut.stripBlocks = llvm::divideCeil(cut.blocks, llvm::divideCeil(cut.blocks, most));
  return cut;
}

class StripCode {
public:
  /// The code is for all strips; its cost is that of `strip`.
  StripCode(AsmBuilder &a, const Depthwise3x3 &dw, const Cut &cut, int64_t strip)
      : a(a), dw(dw), s(dw.shape()), cut(cut), strip(strip),
        walks(!dw.hasAnyChannels && (s.inW > mostFlatColumns || 2 * outputRow() > 4095)) {}

  static constexpr int64_t mostFlatColumns = 12;

  void build(ArrayRef<Reg> arguments) {
    input = a.toS(arguments[0]);
    output = a.toS(arguments[1]);
    table = a.toS(arguments[2]);
    if (dw.hasAnyChannels)
      readHeader(arguments[2]);
    if (isMany())
      index = a.toS(arguments[3]);
    if (cut.lanes == 1)
      singly();
    else
      byFours();
  }

private:
  bool isMany() const { return cut.strips() > 1; }
  int64_t inputRow() const { return s.inW * s.inC; }
  int64_t outputRow() const { return s.outW * s.outC; }

  // What depends on the number of channels: known, or in S registers.
  void readHeader(Reg header) {
    auto word = [&](Depthwise3x3::Header which) { return a.toS(a.loadTable(header, 4 * which)); };
    channels = word(Depthwise3x3::Channels);
    groups = word(Depthwise3x3::Groups);
    overlap = word(Depthwise3x3::Overlap);
    inputRowBytes = word(Depthwise3x3::InputRow);
    outputRowBytes = word(Depthwise3x3::OutputRow);
    table = a.toS(a.add(header, dw.headerBytes()));
  }
  Reg addInputRow(Reg at) {
    return dw.hasAnyChannels ? a.add(at, a.toR(inputRowBytes)) : a.add(at, inputRow());
  }
  Reg addOutputRow(Reg at) {
    return dw.hasAnyChannels ? a.add(at, a.toR(outputRowBytes)) : a.add(at, outputRow());
  }

  //===-- Channels --------------------------------------------------------------------------===//

  void singly() {
    a.loopS(s.inC, {input, output, table}, [&] {
      a.loopS(dw.layer.multiplier(), {output, table}, [&] {
        transpose();
        channel();
        a.moveFrame(-cut.channelBytes());
      });
      input = a.toS(a.add(a.toR(input), 1));
    });
  }

  // The second four overlap the first where the number of channels is no multiple of 4.
  void byFours() {
    const int64_t known = (4 - s.inC % 4) % 4, trips = llvm::divideCeil(s.inC, 4);
    SReg back = dw.hasAnyChannels ? overlap : a.toS(a.constant(known));
    auto group = [&] {
      transpose();
      a.loopS(4, {output, table}, [&] { channel(); });
      a.moveFrame(-4 * cut.channelBytes());
      Reg in = a.add(a.toR(input), 4);
      if (dw.hasAnyChannels || known) {
        Reg step = a.toR(back);
        in = a.sub(in, step);
        output = a.toS(a.sub(a.toR(output), step));
        table = a.toS(a.sub(a.toR(table), a.mul(step, a.constant(dw.channelBytes()))));
        back = a.toS(a.constant(0));
      }
      input = a.toS(in);
    };
    Variables carried{input, output, table, back};
    if (!dw.hasAnyChannels)
      return a.loopS(trips, carried, group);
    carried.push_back(groups);
    a.loopWhileNotEqual(trips, carried, [&] {
      group();
      groups = a.toS(a.subs(a.toR(groups), 1));
    });
  }

  // The frame's origin moves by `channelBytes`.
  void channel() {
    filter = dw.loadChannel(a, table);
    Reg out = a.toR(output);
    output = a.toS(a.add(out, 1));
    if (cut.hasTop)
      ifStrip(0, {out}, [&] { row(RowKind::Top, out); });
    blocks(out);
    int64_t rest = cut.channelBytes() - cut.stripBlocks * cut.pairRowBytes();
    if (isMany()) {
      ifStrip(cut.strips() - 1, {}, [&] {
        int64_t moved = lastRow(out);
        a.moveFrame((cut.stripBlocks - cut.blocksOf(cut.strips() - 1)) * cut.pairRowBytes() -
                    moved);
      });
    } else {
      rest = cut.channelBytes() - cut.blocks * cut.pairRowBytes() - lastRow(out);
    }
    a.moveFrame(rest);
  }

  void blocks(Reg &out) {
    // Short rows are done two by two, as the end of the loop shows.
    const int64_t unrolled = !isMany() && s.inW <= 6 ? 2 : 1;
    const int64_t trips = cut.blocksOf(strip) / unrolled;
    if (!isMany())
      for (int64_t i = 0; i < cut.blocks % unrolled; ++i)
        row(RowKind::Block, out);
    auto body = [&] {
      for (int64_t i = 0; i < unrolled; ++i)
        row(RowKind::Block, out);
    };
    if (!isMany() && trips <= 1) {
      if (trips == 1)
        body();
      return;
    }
    const int64_t unit = dw.hasAnyChannels ? 1 : outputRow();
    auto length = [&](int64_t of) { return cut.blocksOf(of) / unrolled * unrolled * 2 * unit; };
    Reg reach = byStrip(length(0), length(cut.strips() - 1));
    SReg end =
        a.toS(dw.hasAnyChannels ? a.mla(reach, a.toR(outputRowBytes), out) : a.add(out, reach));
    a.loopUntil(out, end, trips, {}, body);
  }

  int64_t lastRow(Reg &out) {
    switch (cut.last) {
    case LastRow::None:
      return 0;
    case LastRow::Bottom:
      return row(RowKind::Bottom, out);
    case LastRow::Single:
      return row(RowKind::Single, out);
    }
    llvm_unreachable("no other last row");
  }

  //===-- Strips ----------------------------------------------------------------------------===//

  // Runs `body` in strip `which`.
  void ifStrip(int64_t which, Variables carried, AsmBuilder::Body body) {
    if (!isMany())
      return body();
    a.compare(a.toR(index), which);
    a.branch("eq", strip == which, 1, carried, body);
  }
  // A number that is another one in the last strip.
  Reg byStrip(int64_t other, int64_t last) {
    if (!isMany() || other == last)
      return a.constant(last);
    Reg then = a.constant(last), otherwise = a.constant(other);
    a.compare(a.toR(index), cut.strips() - 1);
    return a.select("eq", then, otherwise);
  }

  //===-- Transposition ---------------------------------------------------------------------===//

  void transpose() {
    const int64_t last = cut.strips() - 1;
    minusZero = dw.minusZeroPoints(a);
    Reg upper = a.toR(input), lower = addInputRow(upper), to = a.frameAddress(0);
    if (dw.hasAnyChannels)
      pixelBytes = a.toR(channels);
    auto wholeBytes = [&](int64_t of) { return cut.rowsOf(of) / 2 * cut.pairRowBytes(); };
    auto pairRow = [&] {
      columns(upper, &lower, to);
      upper = lower;
      lower = addInputRow(lower);
    };
    if (isMany()) {
      SReg end = a.toS(a.add(to, byStrip(wholeBytes(0), wholeBytes(last))));
      a.loopUntil(to, end, cut.rowsOf(strip) / 2, {upper, lower}, pairRow);
    } else {
      a.loopS(cut.rowsOf(last) / 2, {upper, lower, to}, pairRow);
    }
    if (cut.isOdd)
      ifStrip(last, {}, [&] {
        const int32_t zero = dw.layer.zeroPoint();
        zeros = a.constant(cut.lanes == 1 ? static_cast<uint16_t>(zero)
                                          : static_cast<uint8_t>(zero) * 0x01010101u);
        columns(upper, nullptr, to);
      });
  }

  // A row of pairs; pointers move past it.
  void columns(Reg &upper, Reg *lower, Reg &to) {
    if (dw.hasAnyChannels)
      return columnsOfAny(upper, lower, to);
    const int64_t most = std::min<int64_t>(8, 4095 / s.inC + 1);
    auto group = [&](int64_t count) {
      constexpr int64_t together = 4;
      for (int64_t first = 0; first < count; first += together)
        if (cut.lanes == 1)
          columnsOfOne(first, std::min(count, first + together), upper, lower, to);
        else
          columnsOfFour(first, std::min(count, first + together), upper, lower, to);
      upper = a.add(upper, count * s.inC);
      if (lower)
        *lower = a.add(*lower, count * s.inC);
      to = a.add(to, 4 * count);
    };
    Variables pointers{upper, to};
    if (lower)
      pointers.push_back(*lower);
    a.loop(s.inW / most, pointers, [&] { group(most); });
    if (s.inW % most)
      group(s.inW % most);
  }

  // Two pixels are in reach of an index.
  void columnsOfAny(Reg &upper, Reg *lower, Reg &to) {
    auto group = [&](int64_t count) {
      auto loaded = [&](Reg &from) {
        Regs pixels{a.load(from)};
        if (count > 1)
          pixels.push_back(a.loadIndexed(from, pixelBytes));
        from = a.add(from, count > 1 ? lsl(pixelBytes, 1) : Shifted(pixelBytes));
        return pixels;
      };
      Regs ups = loaded(upper);
      storePairs(0, ups, lower ? loaded(*lower) : Regs(ups.size(), zeros), to);
      to = a.add(to, 4 * count);
    };
    Variables pointers{upper, to};
    if (lower)
      pointers.push_back(*lower);
    a.loop(s.inW / 2, pointers, [&] { group(2); });
    if (s.inW % 2)
      group(1);
  }

  void columnsOfFour(int64_t first, int64_t end, Reg upper, Reg *lower, Reg to) {
    Regs ups, downs;
    for (int64_t c = first; c < end; ++c) {
      ups.push_back(a.load(upper, c * s.inC));
      downs.push_back(lower ? a.load(*lower, c * s.inC) : zeros);
    }
    storePairs(first, ups, downs, to);
  }

  void storePairs(int64_t first, ArrayRef<Reg> ups, ArrayRef<Reg> downs, Reg to) {
    for (auto [c, up, down] : llvm::enumerate(ups, downs)) {
      Reg low = a.packBottom(up, lsl(down, 16)), high = a.packTop(down, asr(up, 16));
      int64_t at = 4 * (first + static_cast<int64_t>(c));
      for (Reg two : {low, high}) {
        a.store(a.sxtab16(minusZero, two), to, at);
        a.store(a.sxtab16(minusZero, ror(two, 8)), to, at + cut.channelBytes());
        at += 2 * cut.channelBytes();
      }
    }
  }

  void columnsOfOne(int64_t first, int64_t end, Reg upper, Reg *lower, Reg to) {
    Regs ups, downs;
    for (int64_t c = first; c < end; ++c) {
      ups.push_back(a.load(upper, c * s.inC, Width::S8));
      downs.push_back(lower ? a.load(*lower, c * s.inC, Width::S8) : zeros);
    }
    for (auto [c, pair] : llvm::enumerate(llvm::zip(ups, downs))) {
      auto [up, down] = pair;
      a.store(a.sadd16(a.packBottom(up, lsl(down, 16)), minusZero), to,
              4 * (first + static_cast<int64_t>(c)));
    }
  }

  //===-- Rows of outputs -------------------------------------------------------------------===//

  friend class RowCode;
  // Returns by how much the frame has moved.
  int64_t row(RowKind kind, Reg &out);

  AsmBuilder &a;
  const Depthwise3x3 &dw;
  const ConvShape &s;
  const Cut &cut;
  int64_t strip;
  bool walks; // the output pointer moves along the row
  SReg input, output, table, index;
  SReg channels, groups, overlap, inputRowBytes, outputRowBytes;
  Reg pixelBytes;
  Reg minusZero, zeros;
  Depthwise3x3::Channel filter;
};

/// One row of outputs, or two.
class RowCode {
public:
  RowCode(StripCode &code, RowKind kind, Reg &out)
      : code(code), a(code.a), s(code.s), kind(kind), out(out), pairRow(code.cut.width) {
    // Centres of windows, in input columns.
    first = s.padLeft == 1 ? 0 : 1;
    last = first + s.outW - 1;
  }

  int64_t build() {
    if (hasRoom()) {
      bias = a.toR(code.filter.bias);
      constants = code.dw.constants(a, code.filter);
    }
    if (kind == RowKind::Top && code.walks)
      pointer = a.frameAddress(0);
    int64_t c = 0;
    for (; c <= first; ++c)
      column(c);
    const int64_t steps = columnsPerTrip(), trips = code.walks ? (last - c) / steps : 0;
    if (trips > 1)
      c = loop(c, steps, trips);
    for (; c < s.inW; ++c)
      column(c);
    return finishRow();
  }

private:
  bool hasTwoRows() const { return kind == RowKind::Block; }
  bool hasOnePair() const { return kind == RowKind::Top || kind == RowKind::Bottom; }
  // Registers for bias, scaling and a second column besides the rest.
  bool hasRoom() const { return hasOnePair() && code.filter.scaling.size() == 1; }
  bool isOutput(int64_t centre) const { return centre >= first && centre <= last; }

  // An even number, so that accumulators change places an even number of times; few columns remain.
  // The first and last rows of a picture are not worth much code.
  int64_t columnsPerTrip() const {
    if (!hasTwoRows())
      return 4;
    const int64_t columns = last - first - 1;
    int64_t best = 6;
    for (int64_t steps : {8, 10})
      if (columns % steps < columns % best || columns % steps <= 2)
        best = steps;
    return best;
  }

  int64_t loop(int64_t c, int64_t steps, int64_t trips) {
    Variables carried;
    for (Regs *sums : {&older, &newer})
      for (Reg &sum : *sums)
        carried.push_back(sum);
    if (kind == RowKind::Top)
      carried.push_back(pointer);
    SReg end = a.toS(a.add(out, trips * steps * s.outC));
    a.loopUntil(out, end, trips, carried, [&] {
      for (int64_t i = 0; i < steps; ++i)
        column(c + i);
      if (kind != RowKind::Top)
        a.moveFrame(4 * steps);
    });
    if (kind != RowKind::Top)
      moved = trips * steps;
    return c + trips * steps;
  }

  void column(int64_t c) {
    load(c);
    Regs started;
    if (isOutput(c - 1))
      older = tap(2, older);
    if (isOutput(c))
      newer = c == 0 ? start(1) : tap(1, newer);
    if (isOutput(c - 1))
      finish(older, c - 1);
    if (c + 1 < s.inW && isOutput(c + 1)) {
      if (isOutput(c - 1))
        reload(c);
      started = start(0);
    }
    if (c == s.inW - 1 && isOutput(c))
      finish(newer, c);
    older = newer;
    newer = started;
  }

  void load(int64_t c) {
    if (!hasOnePair()) {
      x0 = a.loadFrame(4 * (c - moved));
      x1 = a.loadFrame(4 * (c - moved + pairRow));
      return;
    }
    // Two columns at a time: loads in a row are cheaper.
    const bool isSecond = hasRoom() && c > first && (c - first) % 2 == 0;
    x0 = isSecond ? next : loadOne(c);
    if (hasRoom() && !isSecond && c > first && c + 1 < s.inW)
      next = loadOne(c + 1);
  }
  Reg loadOne(int64_t c) {
    return kind == RowKind::Top && code.walks ? a.loadPost(pointer, 4)
                                              : a.loadFrame(4 * (c - moved));
  }

  // The scaling of two rows takes the registers of the pixels where it has more than one constant.
  void reload(int64_t c) {
    if (!hasTwoRows() || code.filter.scaling.size() == 1)
      return;
    if (code.filter.scaling.size() > 2)
      x0 = a.loadFrame(4 * (c - moved));
    x1 = a.loadFrame(4 * (c - moved + pairRow));
  }

  Regs start(size_t k) {
    Reg from = hasRoom() ? bias : a.toR(code.filter.bias);
    return tap(k, Regs(hasTwoRows() ? 2 : 1, from));
  }

  // Adds the products with column `k` of the filter.
  Regs tap(size_t k, Regs sums) {
    Reg w01 = code.filter.upper[k], w12 = code.filter.lower[k];
    switch (kind) {
    case RowKind::Top:
      return {a.smlad(x0, w12, sums[0])};
    case RowKind::Bottom:
      return {a.smlad(x0, w01, sums[0])};
    case RowKind::Single:
      return {a.smlabt(x1, w12, a.smlad(x0, w01, sums[0]))};
    case RowKind::Block:
      break;
    }
    Reg upper = a.smlad(x0, w01, sums[0]), lower = a.smlatb(x0, w01, sums[1]);
    upper = a.smlabt(x1, w12, upper);
    return {upper, a.smlad(x1, w12, lower)};
  }

  void finish(ArrayRef<Reg> sums, int64_t centre) {
    Regs scale = constants;
    if (scale.empty())
      scale = code.dw.constants(a, code.filter);
    Regs bytes;
    for (Reg sum : sums) {
      // Scaling may end in the register of its last constant.
      if (!bytes.empty() && scale.size() == 3)
        scale[2] = a.toR(code.filter.scaling[2]);
      bytes.push_back(code.dw.scaling.emit(a, sum, scale));
    }
    if (code.dw.hasAnyChannels) {
      if (hasTwoRows())
        a.storeIndexed(bytes[1], out, a.toR(code.outputRowBytes), Width::U8);
      a.store(bytes[0], out, 0, Width::U8);
      out = a.add(out, a.toR(code.channels));
      return;
    }
    if (!code.walks) {
      const int64_t at = (centre - first) * s.outC;
      if (hasTwoRows())
        a.store(bytes[1], out, at + code.outputRow(), Width::U8);
      a.store(bytes[0], out, at, Width::U8);
      return;
    }
    if (hasTwoRows()) {
      const bool isNear = code.outputRow() <= 4095;
      a.store(bytes[1], isNear ? out : a.add(out, code.outputRow()), isNear ? code.outputRow() : 0,
              Width::U8);
    }
    if (s.outC <= 255) {
      a.storePost(bytes[0], out, s.outC, Width::U8);
    } else {
      a.store(bytes[0], out, 0, Width::U8);
      out = a.add(out, s.outC);
    }
  }

  // Output and, after a block, strip at the next row.
  int64_t finishRow() {
    if (!code.walks && !code.dw.hasAnyChannels)
      out = a.add(out, (hasTwoRows() ? 2 : 1) * code.outputRow());
    else if (hasTwoRows())
      out = code.addOutputRow(out);
    if (!hasTwoRows())
      return 4 * moved;
    a.moveFrame(4 * (pairRow - moved));
    return 4 * pairRow;
  }

  StripCode &code;
  AsmBuilder &a;
  const ConvShape &s;
  RowKind kind;
  Reg &out;
  int64_t pairRow, first, last;
  int64_t moved = 0; // columns that the frame has moved over
  Reg x0, x1, next, pointer, bias;
  Regs constants;
  Regs older, newer; // accumulators of the output column left of the present one, and at it
};

int64_t StripCode::row(RowKind kind, Reg &out) { return RowCode(*this, kind, out).build(); }

class DepthwiseStrip : public Kernel {
public:
  /// Code for any number of channels of narrow pictures, or for all that is known.
  explicit DepthwiseStrip(bool hasAnyChannels) : hasAnyChannels(hasAnyChannels) {}

  StringRef getName() const override {
    return hasAnyChannels ? "depthwise_conv_2d.narrow" : "depthwise_conv_2d.strip";
  }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<Depthwise3x3> dw = create(depthwiseLayerOf(q));
    if (!dw)
      return std::nullopt;
    auto plan = planFor(*dw);
    if (!plan)
      return std::nullopt;
    Candidate c;
    c.rows = dw->layer.pictures;
    kernelFor(*dw, plan->cut, 0).addTo(c);
    c.cycles = plan->cycles * c.rows;
    c.flashBytes += dw->tableBytes();
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val picture) const override {
    Depthwise3x3 dw = *create(depthwiseLayerOf(op, operands));
    const Cut cut = planFor(dw)->cut;
    const ConvShape &s = dw.shape();
    Val in = picture * (s.inH * s.inW * s.inC), out = picture * (s.outH * s.outW * s.outC);
    Buffer table = b.table<int8_t>("constants", dw.table());
    for (int64_t strip = 0; strip < cut.strips(); ++strip) {
      AsmKernel kernel = kernelFor(dw, cut, strip);
      SmallVector<Val, 1> words;
      if (cut.strips() > 1)
        words.push_back(b.i32(strip));
      callAsm(
          b, kernel,
          {{operands.inputs[0].buffer, in}, {operands.outputs[0].buffer, out}, {table, b.index(0)}},
          words);
      in = in + 2 * cut.blocksOf(strip) * s.inW * s.inC;
      out = out + cut.outputRowsOf(strip) * s.outW * s.outC;
    }
  }

private:
  struct Plan {
    Cut cut;
    int64_t cycles; // of one picture
  };

  std::optional<Depthwise3x3> create(std::optional<DepthwiseLayer> layer) const {
    constexpr int64_t mostChannels = 4095; // the reach of a load's offset
    std::optional<Depthwise3x3> dw = Depthwise3x3::create(
        std::move(layer), /*stride=*/1, /*isFolded=*/false, [&](const ConvShape &s) {
          if (hasAnyChannels)
            return s.inC >= 4 && s.inC == s.outC && s.inW <= StripCode::mostFlatColumns;
          return s.inC <= mostChannels;
        });
    if (dw)
      dw->hasAnyChannels = hasAnyChannels;
    return dw;
  }

  static std::optional<Plan> planFor(const Depthwise3x3 &dw) {
    const ConvShape &s = dw.shape();
    std::optional<Plan> best;
    for (int64_t lanes : {1, 4}) {
      const bool hasGroups = s.inC >= 4 && dw.layer.multiplier() == 1;
      if (lanes == 4 ? !hasGroups : dw.hasAnyChannels)
        continue;
      std::optional<Cut> cut = cutFor(dw, lanes);
      if (!cut)
        continue;
      Plan plan{*cut, cyclesOf(dw, *cut)};
      if (!best || plan.cycles < best->cycles)
        best = plan;
    }
    return best;
  }

  static int64_t cyclesOf(const Depthwise3x3 &dw, const Cut &cut) {
    const ConvShape &s = dw.shape();
    int64_t cycles = 0;
    for (int64_t strip = 0; strip < cut.strips(); ++strip) {
      Candidate one;
      kernelFor(dw, cut, strip).addTo(one);
      cycles += one.cycles;
      // Words that lie anywhere take about a cycle more to load.
      if (cut.lanes == 4 && s.inC % 4 != 0)
        cycles += cut.rowsOf(strip) * s.inW * s.inC / 4;
    }
    return cycles;
  }

  static AsmKernel kernelFor(const Depthwise3x3 &dw, const Cut &cut, int64_t strip) {
    AsmKernel kernel;
    kernel.name = "depthwise_strip" + std::to_string(cut.lanes) + "_" + dw.suffix();
    kernel.buffers = dw.buffers();
    if (cut.strips() > 1)
      kernel.words = {"strip"};
    kernel.frameBytes = cut.frameBytes();
    kernel.instructions = [&dw, cut, strip](AsmBuilder &a, ArrayRef<Reg> arguments) {
      StripCode(a, dw, cut, strip).build(arguments);
    };
    kernel.portable = [&dw, cut](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val> words) {
      const int64_t last = cut.strips() - 1;
      Val isFirst = words.empty() ? b.boolean(true) : words[0] == 0;
      Val isLast = words.empty() ? b.boolean(true) : words[0] == last;
      auto number = [&](auto of) {
        return b.select(
            isFirst, b.index(of(0)),
            b.select(isLast, b.index(of(last)), b.index(of(std::min<int64_t>(1, last)))));
      };
      dw.portable(b, buffers, number([&](int64_t strip) { return cut.rowsOf(strip); }),
                  number([&](int64_t strip) { return cut.outputRowsOf(strip); }),
                  number([&](int64_t strip) { return strip == 0 ? -dw.shape().padTop : 0; }));
    };
    return kernel;
  }

  const bool hasAnyChannels;
};

} // namespace

void addDepthwiseStripKernels(KernelList &list) {
  for (bool hasAnyChannels : {false, true})
    list.push_back(std::make_unique<DepthwiseStrip>(hasAnyChannels));
}

} // namespace thimble
