// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Depthwise 3x3 convolution with stride 2, straight from the picture.
//
// With stride 2 a pixel is used 2.25 times on average, too seldom for a transposition. One
// channel's pixels are loaded where they lie, each a cycle in a run of loads, and packed into
// vertical pairs: five loads and two packs give a column of two rows of outputs.
//   P0 = rows (0, 1), P1 = (2, 3), x = row 4
//   upper: smlad P0, (w0, w1) ; P1.low * w2     lower: smlad P1, (w0, w1) ; x * w2
// Even columns serve two output columns, the one left of it and the one right of it, so that one
// pair of accumulators is enough. What lies outside of the picture is left out, with biases of its
// own.
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"
#include "passes/kernels/asm/Depthwise3x3.h"

using namespace mlir;

namespace thimble {
namespace {

/// Which of a window's rows or columns lie outside of the picture.
struct Outside {
  bool first = false, last = false;
  bool operator==(Outside o) const { return first == o.first && last == o.last; }
};

class DirectCode {
public:
  DirectCode(AsmBuilder &a, const Depthwise3x3 &dw)
      : a(a), dw(dw), s(dw.shape()), padBottom(dw.padBottom()), padRight(dw.padRight()),
        isFar(4 * inputRow() + 2 * s.inC > 4095),
        walks(isFar || s.outW > mostFlatColumns || 4 * inputRow() + s.inW * s.inC > 4095 ||
              2 * outputRow() > 4095) {}

  void build(ArrayRef<Reg> arguments) {
    SReg input = a.toS(arguments[0]);
    output = a.toS(arguments[1]);
    table = a.toS(arguments[2]);
    a.loopS(s.inC, {input, output, table}, [&] {
      a.loopS(dw.layer.multiplier(), {output, table}, [&] { channel(a.toR(input)); });
      input = a.toS(a.add(a.toR(input), 1));
    });
  }

private:
  static constexpr int64_t mostFlatColumns = 6;

  int64_t inputRow() const { return s.inW * s.inC; }
  int64_t outputRow() const { return s.outW * s.outC; }

  void channel(Reg in) {
    Depthwise3x3::Channel filter = dw.loadChannel(a, table);
    w01 = filter.upper;
    w2 = {a.packTop(filter.lower[1], asr(filter.lower[0], 16)), filter.lower[2]};
    scale = filter.scaling;
    findBiases(filter.bias);
    Reg out = a.toR(output);
    output = a.toS(a.add(out, 1));

    const int64_t together = isFar ? 1 : 2;
    if (s.padTop)
      rows(1, {true, s.outH == 1 && padBottom}, in, out);
    const int64_t left = s.outH - s.padTop;
    const int64_t trips = std::max<int64_t>(0, left - padBottom) / together;
    SReg end;
    if (trips > 1)
      end = a.toS(a.add(out, trips * together * outputRow()));
    auto body = [&] { rows(together, {}, in, out); };
    if (trips > 1)
      a.loopUntil(out, end, trips, {in}, body);
    else if (trips == 1)
      body();
    if (const int64_t rest = left - trips * together)
      rows(rest, {false, padBottom != 0}, in, out);
  }

  //===-- Weights and biases ----------------------------------------------------------------===//

  // sum + the low half of `x` times w2 of column `k`.
  Reg addThird(Reg x, size_t k, Reg sum) {
    return k == 0 ? a.smlabb(x, w2[0], sum) : a.smlabt(x, w2[k - 1], sum);
  }

  Outside rowKind(int64_t y) const { return {y == 0 && s.padTop, y == s.outH - 1 && padBottom}; }
  Outside columnKind(int64_t x) const { return {x == 0 && s.padLeft, x == s.outW - 1 && padRight}; }

  struct Bias {
    Outside row, column;
    SReg value;
  };
  SReg biasFor(Outside row, Outside column) const {
    for (const Bias &bias : biases)
      if (bias.row == row && bias.column == column)
        return bias.value;
    llvm_unreachable("every kind of window has a bias");
  }

  // Windows that leave the picture add the zero point's products for what they lack.
  void findBiases(SReg bias) {
    biases.clear();
    const int32_t zero = dw.layer.zeroPoint();
    Reg zeros = a.constant(halves(zero, zero)), whole = a.toR(bias);
    for (int64_t y : {int64_t(0), s.outH / 2, s.outH - 1})
      for (int64_t x : {int64_t(0), s.outW / 2, s.outW - 1}) {
        Outside row = rowKind(y), column = columnKind(x);
        if (llvm::any_of(biases, [&](const Bias &b) { return b.row == row && b.column == column; }))
          continue;
        const bool isWhole = row == Outside() && column == Outside();
        biases.push_back({row, column, isWhole ? bias : a.toS(biasOf(row, column, zeros, whole))});
      }
  }
  Reg biasOf(Outside row, Outside column, Reg zeros, Reg sum) {
    for (size_t k = 0; k < 3; ++k) {
      const bool isOutside = (k == 0 && column.first) || (k == 2 && column.last);
      if (isOutside)
        sum = a.smlad(zeros, w01[k], sum);
      else if (row.first)
        sum = a.smlabb(zeros, w01[k], sum);
      if (isOutside || row.last)
        sum = addThird(zeros, k, sum);
    }
    return sum;
  }

  //===-- Rows ------------------------------------------------------------------------------===//

  // One or two rows of outputs from the input row at `in`, the first that the window has on the
  // picture; `outside` as of the first and last of them. Pointers move on to the next rows.
  void rows(int64_t count, Outside outside, Reg &in, Reg &out) {
    outputs = count;
    lacks = outside;
    inputs = 2 * count + 1 - outside.first - outside.last;
    pointers = {in};
    for (int64_t i = 1; isFar && i < inputs; ++i)
      pointers.push_back(a.add(in, i * inputRow()));
    column = 0;
    if (walks)
      stepTo(standsAtMiddle() ? 1 - s.padLeft : -s.padLeft);

    step(0, out);
    const int64_t uniform = s.outW - 1 - padRight; // output columns from 1 on that are alike
    const int64_t steps = stepsPerTrip(uniform), trips = walks ? uniform / steps : 0;
    int64_t x = 1;
    if (trips > 1) {
      loop(steps, trips, out);
      x += steps * trips;
    }
    for (; x < s.outW; ++x)
      step(x, out);
    if (!padRight) {
      load(2 * s.outW - s.padLeft, /*isMiddle=*/false);
      tap(2, sums);
    }
    finish(s.outW - 1, out);

    in = a.add(pointers[0], (2 * count - outside.first) * inputRow() - column * s.inC);
    out = a.add(out, count * outputRow() - (walks ? outputRow() : 0));
  }

  static int64_t stepsPerTrip(int64_t columns) {
    int64_t best = 6;
    for (int64_t steps : {5, 4, 3})
      if (columns % steps < columns % best)
        best = steps;
    return best;
  }

  void loop(int64_t steps, int64_t trips, Reg &out) {
    SReg end = a.toS(a.add(out, trips * steps * s.outC));
    Variables carried;
    for (Reg &pointer : pointers)
      carried.push_back(pointer);
    for (Reg &sum : sums)
      carried.push_back(sum);
    const int64_t before = column;
    a.loopUntil(out, end, trips, carried, [&] {
      column = before;
      for (int64_t i = 0; i < steps; ++i)
        step(1 + i, out);
    });
    column = before + 2 * steps * trips;
  }

  // Ends output column x - 1 and begins column `x`.
  void step(int64_t x, Reg &out) {
    const int64_t shared = 2 * x - s.padLeft;
    // In a loop, `x` stands for columns to its right too.
    Outside kind = columnKind(x);
    if (shared >= 0) {
      load(shared, /*isMiddle=*/false);
      if (x > 0) {
        tap(2, sums);
        finish(x - 1, out);
      }
      tap(0, startFrom(kind));
      load(shared + 1, /*isMiddle=*/true);
      tap(1, sums);
    } else {
      load(shared + 1, /*isMiddle=*/true);
      tap(1, startFrom(kind));
    }
  }

  Regs startFrom(Outside columns) {
    Regs from;
    for (int64_t y = 0; y < outputs; ++y) {
      Outside row{y == 0 && lacks.first, y == outputs - 1 && lacks.last};
      from.push_back(y > 0 && !lacks.last ? from.back() : a.toR(biasFor(row, columns)));
    }
    return from;
  }

  //===-- Pixels ----------------------------------------------------------------------------===//

  // Walking pointers stand at the middle column of the present output if the next can be reached by
  // the last load's step, else at the column before it.
  bool standsAtMiddle() const { return 2 * s.inC <= 255; }
  void stepTo(int64_t to) {
    for (Reg &pointer : pointers)
      pointer = a.add(pointer, (to - column) * s.inC);
    column = to;
  }

  void load(int64_t at, bool isMiddle) {
    const bool steps = walks && isMiddle && standsAtMiddle();
    int64_t offset = at * s.inC;
    if (walks)
      offset = standsAtMiddle() ? (isMiddle ? 0 : -s.inC) : (isMiddle ? s.inC : 0);
    pixels.assign(static_cast<size_t>(inputs), {});
    // The first row comes last, as its load moves the pointer.
    for (int64_t i = inputs - 1; i >= 0; --i) {
      Reg &pointer = pointers[isFar ? static_cast<size_t>(i) : 0];
      const bool moves = steps && (isFar || i == 0);
      pixels[static_cast<size_t>(i)] =
          moves ? a.loadPost(pointer, 2 * s.inC, Width::S8)
                : a.load(pointer, offset + (isFar ? 0 : i * inputRow()), Width::S8);
    }
    if (steps)
      column += 2;
    else if (walks && isMiddle)
      stepTo(column + 2);
    for (size_t i = 0; !lacks.first && i + 1 < pixels.size(); i += 2)
      pixels[i] = a.packBottom(pixels[i], lsl(pixels[i + 1], 16));
  }

  // sums = from + the products with column `k` of the filter.
  void tap(size_t k, Regs from) {
    sums = from;
    if (lacks.first) {
      sums[0] = a.smlabt(pixels[0], w01[k], sums[0]);
      if (!lacks.last)
        sums[0] = addThird(pixels[1], k, sums[0]);
      return;
    }
    for (size_t y = 0; y < sums.size(); ++y) {
      sums[y] = a.smlad(pixels[2 * y], w01[k], sums[y]);
      if (2 * y + 2 < pixels.size())
        sums[y] = addThird(pixels[2 * y + 2], k, sums[y]);
    }
  }

  void finish(int64_t x, Reg &out) {
    // Three constants for two rows take the register of the pointer.
    const bool isTight = scale.size() == 3 && (outputs > 1 || isFar);
    SReg parked;
    if (isTight)
      parked = a.toS(pointers[0]);
    Regs constants;
    for (SReg word : scale)
      constants.push_back(a.toR(word));
    Regs bytes;
    for (Reg sum : sums) {
      if (!bytes.empty() && scale.size() == 3)
        constants[2] = a.toR(scale[2]);
      bytes.push_back(dw.scaling.emit(a, sum, constants));
    }
    if (isTight)
      pointers[0] = a.toR(parked);
    const int64_t at = walks ? 0 : x * s.outC;
    if (outputs > 1)
      a.store(bytes[1], out, at + outputRow(), Width::U8);
    if (walks && s.outC <= 255) {
      a.storePost(bytes[0], out, s.outC, Width::U8);
      return;
    }
    a.store(bytes[0], out, at, Width::U8);
    if (walks)
      out = a.add(out, s.outC);
  }

  AsmBuilder &a;
  const Depthwise3x3 &dw;
  const ConvShape &s;
  const int64_t padBottom, padRight;
  const bool
      isFar; // rows are too far apart for one pointer: a pointer each, and one row of outputs
  const bool walks; // pointers move along the row
  SReg output, table;

  Regs w01, w2; // (w0, w1) of each column; w2 of columns 0 and 1, and of 2 in the high half
  SRegs scale;
  SmallVector<Bias> biases;

  // Of the present rows: outputs, input rows, what is outside, where the pointers stand.
  int64_t outputs = 0, inputs = 0, column = 0;
  Outside lacks;
  Regs pointers, pixels, sums;
};

class DepthwiseDirect : public Kernel {
public:
  StringRef getName() const override { return "depthwise_conv_2d.direct"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<Depthwise3x3> dw = create(depthwiseLayerOf(q));
    if (!dw)
      return std::nullopt;
    Candidate c;
    c.rows = dw->layer.pictures;
    kernelFor(*dw).addTo(c, c.rows);
    c.flashBytes += dw->tableBytes();
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val picture) const override {
    Depthwise3x3 dw = *create(depthwiseLayerOf(op, operands));
    const ConvShape &s = dw.shape();
    callAsm(b, kernelFor(dw),
            {{operands.inputs[0].buffer, picture * (s.inH * s.inW * s.inC)},
             {operands.outputs[0].buffer, picture * (s.outH * s.outW * s.outC)},
             {b.table<int8_t>("constants", dw.table()), b.index(0)}});
  }

private:
  static std::optional<Depthwise3x3> create(std::optional<DepthwiseLayer> layer) {
    return Depthwise3x3::create(
        std::move(layer), /*stride=*/2, /*isFolded=*/true, [](const ConvShape &s) {
          constexpr int64_t mostChannels = 2047; // two columns are in the reach of a load's offset
          // The middle of every window lies on the picture.
          return s.inC <= mostChannels && 2 * s.outW - 1 - s.padLeft < s.inW &&
                 2 * s.outH - 1 - s.padTop < s.inH;
        });
  }

  static AsmKernel kernelFor(const Depthwise3x3 &dw) {
    AsmKernel kernel;
    kernel.name = "depthwise_direct_" + dw.suffix();
    kernel.buffers = dw.buffers();
    kernel.instructions = [&dw](AsmBuilder &a, ArrayRef<Reg> arguments) {
      DirectCode(a, dw).build(arguments);
    };
    kernel.portable = [&dw](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
      dw.portable(b, buffers);
    };
    return kernel;
  }
};

} // namespace

void addDepthwiseDirectKernels(KernelList &list) {
  list.push_back(std::make_unique<DepthwiseDirect>());
}

} // namespace thimble
