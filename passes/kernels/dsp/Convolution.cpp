// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// int8 convolutions and fully connected layers by SMLAD. The patches of a convolution are widened
// to 16 bits once and shared by all output channels.
#include "passes/kernels/Accumulator.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/dsp/Dot.h"

using namespace mlir;

namespace thimble::dsp {
namespace {

bool hasConstantFilter(const KernelQuery &q) {
  bool bias = q.inputs.size() < 3 || (q.constants[2] && q.inputs[2].element == ElementType::Int32);
  return q.constants[1] && q.inputs[1].element == ElementType::Int8 && bias;
}

const Tensor *biasOf(ArrayRef<std::shared_ptr<const Tensor>> constants) {
  return constants.size() > 2 ? constants[2].get() : nullptr;
}
const Tensor *biasOf(const KernelOperands &operands) {
  return operands.inputs.size() > 2 ? operands.inputs[2].constant.get() : nullptr;
}

/// A convolution with one group: of Conv2D, or of DepthwiseConv2D on one channel, which is the same
/// with another order of weights.
struct Shape {
  int64_t inH, inW, inC, outH, outW, outC, kH, kW;
  int64_t strideH, strideW, dilationH, dilationW, padTop, padLeft;

  /// The weights and pixels of one filter row are one run, padded to whole words.
  int64_t run() const { return kW * inC; }
  int64_t paddedRun() const { return (run() + 3) / 4 * 4; }
  int64_t depth() const { return kH * paddedRun(); }
  /// Patches at a time.
  int64_t pixels() const { return std::min<int64_t>(outW, 2); }
  bool leavesRows() const {
    return padTop > 0 || (outH - 1) * strideH - padTop + (kH - 1) * dilationH >= inH;
  }
  bool leavesColumns() const {
    return padLeft > 0 || (outW - 1) * strideW - padLeft + (kW - 1) * dilationW >= inW;
  }
};

template <typename OpTy>
Shape shapeOf(OpTy conv, const TensorType &in, const TensorType &filter, const TensorType &out) {
  auto strides = conv.getStrides(), dilations = conv.getDilations(), pads = conv.getPads();
  return {in.shape[1],  in.shape[2],     in.shape[3],     out.shape[1], out.shape[2],
          out.shape[3], filter.shape[1], filter.shape[2], strides[0],   strides[1],
          dilations[0], dilations[1],    pads[0],         pads[2]};
}

std::optional<Shape> shapeOf(nn::NNOperator op, const TensorType &in, const TensorType &filter,
                             const TensorType &out) {
  if (auto conv = dyn_cast<nn::Conv2DOp>(*op); conv && filter.shape[3] == in.shape[3])
    return shapeOf(conv, in, filter, out);
  if (auto conv = dyn_cast<nn::DepthwiseConv2DOp>(*op); conv && in.shape[3] == 1)
    return shapeOf(conv, in, filter, out);
  return std::nullopt;
}

/// Weights by output channel, each filter row padded to whole words.
std::vector<int8_t> rowPadded(const Tensor &filter, const Shape &s, bool isDepthwise) {
  std::vector<int8_t> weights(static_cast<size_t>(s.outC * s.depth()), 0);
  const int8_t *source = filter.as<int8_t>();
  for (int64_t o = 0; o < s.outC; ++o)
    for (int64_t ky = 0; ky < s.kH; ++ky)
      for (int64_t k = 0; k < s.run(); ++k) {
        int64_t from =
            isDepthwise ? (ky * s.run() + k) * s.outC + o : (o * s.kH + ky) * s.run() + k;
        weights[static_cast<size_t>(o * s.depth() + ky * s.paddedRun() + k)] = source[from];
      }
  return weights;
}

class PatchEmitter {
public:
  PatchEmitter(KernelBuilder &b, const Shape &s, Buffer input, int32_t zeroPoint, Buffer patches)
      : b(b), s(s), input(input), zeroPoint(zeroPoint), patches(patches) {}

  /// The patch of output (`place`, `x`), at `start` of `patches`.
  void emit(PictureRow place, Val x, Val start) {
    Val y0 = place.y * s.strideH - s.padTop, x0 = x * s.strideW - s.padLeft;
    b.loop("ky", s.kH, [&](Val ky) {
      Val iy = y0 + ky * s.dilationH;
      Val inside = s.leavesRows() ? (iy >= 0) & (iy < s.inH) : b.boolean(true);
      Val at = start + ky * s.paddedRun();
      b.whenElse(
          inside, [&] { row((place.batch * s.inH + iy) * s.inW, x0, at); },
          [&] { emitFill(b, zeroPoint, s.run(), patches, at); });
    });
  }

private:
  void row(Val rowStart, Val x0, Val at) {
    if (s.dilationW > 1 && s.kW > 1)
      return taps(rowStart, x0, at);
    Val last = x0 + (s.kW - 1);
    Val inside = s.leavesColumns() ? (x0 >= 0) & (last < s.inW) : b.boolean(true);
    b.whenElse(
        inside, [&] { emitWiden(b, input, (rowStart + x0) * s.inC, s.run(), patches, at); },
        [&] { taps(rowStart, x0, at); });
  }

  // Tap by tap, at the picture's border or with dilation.
  void taps(Val rowStart, Val x0, Val at) {
    b.loop("kx", s.kW, [&](Val kx) {
      Val ix = x0 + kx * s.dilationW;
      Val inside = s.leavesColumns() ? (ix >= 0) & (ix < s.inW) : b.boolean(true);
      if (s.inC % 4 == 0) {
        b.whenElse(
            inside,
            [&] { emitWiden(b, input, (rowStart + ix) * s.inC, s.inC, patches, at + kx * s.inC); },
            [&] { emitFill(b, zeroPoint, s.inC, patches, at + kx * s.inC); });
        return;
      }
      b.loop("c", s.inC, [&](Val c) {
        Val value = b.choose(
            inside, [&] { return Vals{b.load(input, (rowStart + ix) * s.inC + c, "pixel")}; },
            [&] { return Vals{b.i32(zeroPoint)}; })[0];
        b.store(patches, at + swapped(kx * s.inC + c), value);
      });
    });
    // The words' last elements meet weights that are zero, but must have a value.
    for (int64_t k = s.run(); k < s.paddedRun(); ++k)
      b.store(patches, at + swapped(b.index(k)), b.i32(0));
  }

  /// Where element k lies: 1 and 2 of each four change places.
  Val swapped(Val k) {
    Val place = k & 3;
    return b.select((place == 1) | (place == 2), k ^ 3, k);
  }

  KernelBuilder &b;
  const Shape &s;
  Buffer input;
  int32_t zeroPoint;
  Buffer patches;
};

class DspConvolution : public Kernel {
public:
  StringRef getName() const override { return "conv_2d.smlad"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!appliesTo(q) || !isa<nn::Conv2DOp, nn::DepthwiseConv2DOp>(*q.op) || !hasConstantFilter(q))
      return std::nullopt;
    std::optional<Shape> s = shapeOf(q.op, q.inputs[0], q.inputs[1], q.outputs[0]);
    if (!s)
      return std::nullopt;
    DotFilters filters = filtersFor(q.op, *s, *q.constants[1], biasOf(q.constants), q.inputs[0]);
    if (!filters.fits())
      return std::nullopt;
    Candidate c;
    c.rows = q.outputs[0].shape[0] * s->outH;
    double patch = static_cast<double>(s->depth()) * 1.6 + 15.0 * static_cast<double>(s->kH);
    c.cycles = static_cast<int64_t>(static_cast<double>(c.rows * s->outW) *
                                    (patch + dotCycles(s->outC, s->depth(), s->pixels())));
    c.readTables(c.rows * s->outW / s->pixels() * s->outC * s->depth() / 4);
    constexpr int64_t codeBytes = 700, tableBytes = 16;
    c.flashBytes = codeBytes + s->outC * (s->depth() + tableBytes);
    c.scratch.push_back({ElementType::Int16, s->pixels() * s->depth()});
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const TensorType &in = operands.inputs[0].type;
    Shape s = *shapeOf(op, in, operands.inputs[1].type, operands.outputs[0].type);
    DotFilters filters = filtersFor(op, s, *operands.inputs[1].constant, biasOf(operands), in);
    RequantPerChannel numbers = nn::requantOf(op);
    Int8Requant requant(b, numbers, filters.bounds);
    PatchEmitter patch(b, s, bufferOf(b, operands.inputs[0], "input"), in.zeroPoint(),
                       operands.scratch[0]);
    PictureRow place = splitRow(b, row, operands.outputs[0].type);
    int64_t pixels = s.pixels();
    b.loop("x", b.index(0), b.index(s.outW), pixels, [&](Val x) {
      // The last patches overlap those before where the width is odd.
      if (s.outW % pixels != 0)
        x = b.min(x, b.index(s.outW - pixels));
      b.loop("pixel", pixels, [&](Val p) { patch.emit(place, x + p, p * s.depth()); });
      emitDotProducts(b, filters, requant, operands.scratch[0], pixels, operands.outputs[0].buffer,
                      (row * s.outW + x) * s.outC);
    });
  }

private:
  static DotFilters filtersFor(nn::NNOperator op, const Shape &s, const Tensor &filter,
                               const Tensor *bias, const TensorType &in) {
    return packFilters(rowPadded(filter, s, isa<nn::DepthwiseConv2DOp>(*op)), s.outC, s.depth(),
                       bias, in.zeroPoint());
  }
};

class DspFullyConnected : public Kernel {
public:
  StringRef getName() const override { return "fully_connected.smlad"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!appliesTo(q) || !isa<nn::FullyConnectedOp>(*q.op) || !hasConstantFilter(q) ||
        q.inputs[1].zeroPoint() != 0)
      return std::nullopt;
    DotFilters filters = filtersFor(*q.constants[1], biasOf(q.constants), q.inputs[0]);
    if (!filters.fits())
      return std::nullopt;
    Candidate c;
    c.rows = q.outputs[0].elements() / filters.outputs;
    c.cycles = static_cast<int64_t>(static_cast<double>(c.rows) *
                                    dotCycles(filters.outputs, filters.depth, 1));
    c.readTables(c.rows * filters.outputs * filters.paddedDepth() / 4);
    constexpr int64_t codeBytes = 350, tableBytes = 4;
    c.flashBytes = codeBytes + filters.outputs * (filters.paddedDepth() + tableBytes);
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    DotFilters filters =
        filtersFor(*operands.inputs[1].constant, biasOf(operands), operands.inputs[0].type);
    RequantPerChannel numbers = nn::requantOf(op);
    Int8Requant requant(b, numbers, filters.bounds);
    emitDotProductsOfBytes(b, filters, requant, bufferOf(b, operands.inputs[0], "input"),
                           row * filters.depth, operands.outputs[0].buffer, row * filters.outputs);
  }

private:
  static DotFilters filtersFor(const Tensor &filter, const Tensor *bias, const TensorType &in) {
    return packFilters(ArrayRef(filter.as<int8_t>(), static_cast<size_t>(filter.elements())),
                       filter.shape()[0], filter.shape()[1], bias, in.zeroPoint());
  }
};

} // namespace
} // namespace thimble::dsp

void thimble::addDspConvolutionKernels(KernelList &list) {
  list.push_back(std::make_unique<dsp::DspConvolution>());
  list.push_back(std::make_unique<dsp::DspFullyConnected>());
}
