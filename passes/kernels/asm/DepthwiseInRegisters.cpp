// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Depthwise 3x3 convolution with stride 1 of pictures of up to 3x3 pixels: a channel lives in
// registers. Vertical pairs of rows 0 and 1, and a third (or only) row in horizontal ones; all less
// the zero point, so that padding is left out. Any output is a handful of multiplications.
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"
#include "passes/kernels/asm/Depthwise3x3.h"

using namespace mlir;

namespace thimble {
namespace {

class InRegistersCode {
public:
  InRegistersCode(AsmBuilder &a, const Depthwise3x3 &dw) : a(a), dw(dw), s(dw.shape()) {}

  /// Words that hold a channel.
  static int64_t wordsFor(const ConvShape &s) {
    return (s.inH > 1 ? s.inW : 0) + (s.inH % 2 ? (s.inW + 1) / 2 : 0);
  }

  void build(ArrayRef<Reg> arguments) {
    SReg input = a.toS(arguments[0]), table = a.toS(arguments[2]);
    Reg out = arguments[1];
    const int64_t outputs = dw.layer.multiplier();
    if (outputs == 1) {
      SReg end = a.toS(a.add(out, s.outC));
      a.loopUntil(out, end, s.outC, {input, table}, [&] { channel(input, table, out); });
      return;
    }
    a.loopS(s.inC, {input, table, out}, [&] {
      SReg before = input;
      a.loopS(outputs, {table, out}, [&] {
        input = before;
        channel(input, table, out);
      });
      input = a.toS(a.add(a.toR(before), 1));
    });
  }

private:
  void channel(SReg &input, SReg &table, Reg &out) {
    Reg in = a.toR(input);
    loadPixels(in);
    if (dw.layer.multiplier() == 1)
      input = a.toS(a.add(in, 1));
    filter = dw.loadChannel(a, table);
    scale = dw.constants(a, filter);
    for (int64_t y = s.outH - 1; y >= 0; --y)
      for (int64_t x = s.outW - 1; x >= 0; --x)
        output(y, x, out);
  }

  void loadPixels(Reg in) {
    Regs bytes;
    for (int64_t i = 0; i < s.inH * s.inW; ++i)
      bytes.push_back(a.load(in, i * s.inC, Width::S8));
    Reg minusZero = dw.minusZeroPoints(a);
    auto width = static_cast<size_t>(s.inW);
    pairs.clear();
    thirds.clear();
    for (size_t x = 0; s.inH > 1 && x < width; ++x)
      pairs.push_back(a.sadd16(a.packBottom(bytes[x], lsl(bytes[width + x], 16)), minusZero));
    ArrayRef<Reg> third = ArrayRef(bytes).drop_front(pairs.empty() ? 0 : 2 * width);
    for (size_t x = 0; x < third.size(); x += 2) {
      const bool isPair = x + 1 < third.size();
      thirds.push_back(
          a.sadd16(isPair ? a.packBottom(third[x], lsl(third[x + 1], 16)) : third[x], minusZero));
    }
  }

  void output(int64_t y, int64_t x, Reg &out) {
    const int64_t row = y + 1 - s.padTop, column = x + 1 - s.padLeft; // the window's centre
    Reg sum = a.toR(filter.bias);
    for (int64_t c = std::max<int64_t>(0, column - 1); c <= column + 1 && c < s.inW; ++c) {
      auto k = static_cast<size_t>(c - column + 1);
      if (!pairs.empty())
        sum = addPair(row, pairs[static_cast<size_t>(c)], k, sum);
      if (!thirds.empty())
        sum = addThird(row, c, k, sum);
    }
    Reg byte = dw.scaling.emit(a, sum, scale);
    if (y == 0 && x == 0)
      a.storePost(byte, out, 1, Width::U8);
    else
      a.store(byte, out, (y * s.outW + x) * s.outC, Width::U8);
  }

  // Rows 0 and 1 of a column, for the window around row `row`.
  Reg addPair(int64_t row, Reg pair, size_t k, Reg sum) {
    if (row == 0)
      return a.smlad(pair, filter.lower[k], sum);
    return row == 1 ? a.smlad(pair, filter.upper[k], sum) : a.smlatb(pair, filter.upper[k], sum);
  }

  // The row after the pairs, or the only one.
  Reg addThird(int64_t row, int64_t c, size_t k, Reg sum) {
    const int64_t ky = s.inH - row; // its row of the window
    if (ky > 2)
      return sum;
    Reg pixels = thirds[static_cast<size_t>(c / 2)], w = filter.lower[k];
    if (c % 2)
      return ky == 2 ? a.smlatt(pixels, w, sum) : a.smlatb(pixels, w, sum);
    return ky == 2 ? a.smlabt(pixels, w, sum) : a.smlabb(pixels, w, sum);
  }

  AsmBuilder &a;
  const Depthwise3x3 &dw;
  const ConvShape &s;
  Depthwise3x3::Channel filter;
  Regs pairs, thirds, scale;
};

class DepthwiseInRegisters : public Kernel {
public:
  StringRef getName() const override { return "depthwise_conv_2d.registers"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<Depthwise3x3> dw = create(depthwiseLayerOf(q));
    // Six words of weights, the accumulator and the output's address are in registers too, and what
    // an accumulator's sign adds.
    if (!dw || InRegistersCode::wordsFor(dw->shape()) + dw->scaling.constantWords() +
                       (dw->scaling.form == OutputScaling::Signed) >
                   6)
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
        std::move(layer), /*stride=*/1, /*isFolded=*/false, [](const ConvShape &s) {
          constexpr int64_t mostBytes = 4096, mostWords = 5;
          return s.inH <= 3 && InRegistersCode::wordsFor(s) <= mostWords &&
                 s.inputElements() <= mostBytes && s.outH * s.outW * s.outC <= mostBytes;
        });
  }

  static AsmKernel kernelFor(const Depthwise3x3 &dw) {
    AsmKernel kernel;
    kernel.name = "depthwise_registers_" + dw.suffix();
    kernel.buffers = dw.buffers();
    kernel.instructions = [&dw](AsmBuilder &a, ArrayRef<Reg> arguments) {
      InRegistersCode(a, dw).build(arguments);
    };
    kernel.portable = [&dw](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
      dw.portable(b, buffers);
    };
    return kernel;
  }
};

} // namespace

void addDepthwiseInRegistersKernels(KernelList &list) {
  list.push_back(std::make_unique<DepthwiseInRegisters>());
}

} // namespace thimble
