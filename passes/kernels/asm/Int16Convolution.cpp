// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Convolutions and fully connected layers of int16 with int8 weights, whose 64-bit sums are proved
// to need 32 bits: products of up to four pixels at a time with all filters. Where a window is more
// than its pixel, the inputs of those pixels are gathered first; all filters share them.
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/ConvLayer.h"
#include "passes/kernels/asm/Int16Products.h"

using namespace mlir;

namespace thimble {
namespace {

struct Layer {
  ConvShape shape;
  int64_t pixels = 0; // of all pictures
  Int16Weights weights;

  /// Each row of products is a pixel of the input.
  bool isPlain() const {
    const ConvShape &s = shape;
    return s.kH * s.kW == 1 && s.strideH * s.strideW == 1 && !s.leavesRows() && !s.leavesColumns();
  }
  /// From the inputs of one pixel to those of the next. Words are aligned where they are gathered.
  int64_t rowStep() const { return isPlain() ? shape.inC : (shape.depth() + 1) / 2 * 2; }
  int64_t rows() const {
    return std::min(pixels, Int16Products::mostRows(weights.outputs, rowStep()));
  }
  Int16Products products() const { return {weights, rows(), rowStep()}; }
};

template <typename OpTy> void setWindow(ConvShape &s, OpTy op) {
  auto strides = op.getStrides(), dilations = op.getDilations(), pads = op.getPads();
  s.strideH = strides[0];
  s.strideW = strides[1];
  s.dilationH = dilations[0];
  s.dilationW = dilations[1];
  s.padTop = pads[0];
  s.padLeft = pads[2];
}

/// Sizes of a convolution, a depthwise one of one channel, or a fully connected layer: a 1x1
/// convolution of rows.
std::optional<ConvShape> shapeOf(nn::NNOperator op, const KernelOperands &operands) {
  ArrayRef<int64_t> in = operands.inputs[0].type.shape, filter = operands.inputs[1].type.shape,
                    out = operands.outputs[0].type.shape;
  ConvShape s;
  if (isa<nn::FullyConnectedOp>(*op)) {
    s.inC = filter[1];
    s.outC = filter[0];
    return s;
  }
  auto conv = dyn_cast<nn::Conv2DOp>(*op);
  auto depthwise = dyn_cast<nn::DepthwiseConv2DOp>(*op);
  if (!(conv && filter[3] == in[3]) && !(depthwise && in[3] == 1))
    return std::nullopt;
  std::tie(s.inH, s.inW, s.inC) = std::tuple(in[1], in[2], in[3]);
  std::tie(s.outH, s.outW, s.outC) = std::tuple(out[1], out[2], out[3]);
  std::tie(s.kH, s.kW) = std::tuple(filter[1], filter[2]);
  if (conv)
    setWindow(s, conv);
  else
    setWindow(s, depthwise);
  return s;
}

std::vector<int8_t> weightsByOutput(nn::NNOperator op, const Tensor &filter, const ConvShape &s) {
  const int8_t *source = filter.as<int8_t>();
  const int64_t depth = s.depth();
  std::vector<int8_t> weights(source, source + filter.elements());
  if (isa<nn::DepthwiseConv2DOp>(*op))
    for (int64_t o = 0; o < s.outC; ++o)
      for (int64_t k = 0; k < depth; ++k)
        weights[static_cast<size_t>(o * depth + k)] = source[k * s.outC + o];
  return weights;
}

std::optional<Layer> layerOf(nn::NNOperator op, const KernelOperands &operands) {
  const KernelOperand &in = operands.inputs[0], &filter = operands.inputs[1];
  const KernelOperand *bias = operands.inputs.size() > 2 ? &operands.inputs[2] : nullptr;
  if (!isa<nn::Conv2DOp, nn::DepthwiseConv2DOp, nn::FullyConnectedOp>(*op) ||
      in.type.element != ElementType::Int16 || filter.type.element != ElementType::Int8 ||
      !filter.constant || (bias && (!bias->constant || bias->type.element != ElementType::Int64)))
    return std::nullopt;
  std::optional<ConvShape> shape = shapeOf(op, operands);
  RequantPerChannel requant = nn::requantOf(op);
  std::optional<Int16Scaling> scaling = Int16Scaling::solve(requant);
  if (!shape || !scaling || requant.filterZeroPoint != 0)
    return std::nullopt;
  Layer layer{*shape, operands.outputs[0].type.elements() / shape->outC, {}};
  Int16Weights &w = layer.weights;
  w.outputs = shape->outC;
  w.depth = shape->depth();
  w.weights = weightsByOutput(op, *filter.constant, *shape);
  w.biases.assign(static_cast<size_t>(w.outputs), 0);
  if (bias)
    w.biases.assign(bias->constant->as<int64_t>(), bias->constant->as<int64_t>() + w.outputs);
  w.scaling = std::move(*scaling);
  if (!w.fits() || layer.rows() < 1)
    return std::nullopt;
  return layer;
}

/// Writes the inputs of an output pixel one after the other.
class Gather {
public:
  Gather(KernelBuilder &b, const ConvShape &s, Buffer input, Buffer rows)
      : b(b), s(s), input(input), rows(rows) {}

  void emit(Val pixel, Val to) {
    Val x0 = pixel % s.outW * s.strideW - s.padLeft;
    Val line = pixel / s.outW;
    Val y0 = line % s.outH * s.strideH - s.padTop, picture = line / s.outH;
    b.loop("ky", s.kH, [&](Val ky) {
      Val y = y0 + ky * s.dilationH, at = to + ky * (s.kW * s.inC);
      Val inside = s.leavesRows() ? (y >= 0) & (y < s.inH) : b.boolean(true);
      b.whenElse(
          inside, [&] { line_((picture * s.inH + y) * s.inW, x0, at); },
          [&] { fill(at, s.kW * s.inC); });
    });
  }

private:
  void line_(Val start, Val x0, Val to) {
    Val last = x0 + (s.kW - 1) * s.dilationW;
    Val inside = s.leavesColumns() ? (x0 >= 0) & (last < s.inW) : b.boolean(true);
    b.whenElse(
        s.dilationW == 1 || s.kW == 1 ? inside : b.boolean(false),
        [&] { copy((start + x0) * s.inC, to, s.kW * s.inC); },
        [&] {
          b.loop("kx", s.kW, [&](Val kx) {
            Val x = x0 + kx * s.dilationW, at = to + kx * s.inC;
            b.whenElse(
                s.leavesColumns() ? (x >= 0) & (x < s.inW) : b.boolean(true),
                [&] { copy((start + x) * s.inC, at, s.inC); }, [&] { fill(at, s.inC); });
          });
        });
  }

  /// Two elements at a time.
  void copy(Val from, Val to, int64_t count) {
    b.loop("i", b.index(0), b.index(count / 2 * 2), 2,
           [&](Val i) { b.storeWord(rows, to + i, b.loadWord(input, from + i, "pair")); });
    if (count % 2)
      b.store(rows, to + (count - 1), b.load(input, from + (count - 1), "x"));
  }
  void fill(Val to, int64_t count) {
    b.loop("i", count, [&](Val i) { b.store(rows, to + i, b.i32(0)); });
  }

  KernelBuilder &b;
  const ConvShape &s;
  Buffer input, rows;
};

class AsmInt16Convolution : public Kernel {
public:
  StringRef getName() const override { return "conv_2d.int16"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!q.target.dsp || !q.target.fpu)
      return std::nullopt;
    KernelOperands operands;
    for (auto [type, constant] : llvm::zip(q.inputs, q.constants))
      operands.inputs.push_back({type, {}, constant});
    for (const thimble::TensorType &type : q.outputs)
      operands.outputs.push_back({type, {}, nullptr});
    if (operands.inputs.size() < 2)
      return std::nullopt;
    std::optional<Layer> layer = layerOf(q.op, operands);
    if (!layer)
      return std::nullopt;
    Candidate c;
    const int64_t rows = layer->rows(), blocks = (layer->pixels + rows - 1) / rows;
    layer->products().kernel().addTo(c, blocks);
    c.flashBytes += 4 * static_cast<int64_t>(layer->products().table().size());
    if (!layer->isPlain()) {
      // By C compilers: loads and stores of two elements a trip.
      const double perPixel = 40 + 25.0 * static_cast<double>(layer->shape.kH) +
                              3.5 * static_cast<double>(layer->shape.depth());
      c.cycles += static_cast<int64_t>(perPixel * static_cast<double>(rows * blocks));
      constexpr int64_t codeBytes = 300;
      c.flashBytes += codeBytes;
      c.scratch.push_back({ElementType::Int16, rows * layer->rowStep()});
    }
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    Layer layer = *layerOf(op, operands);
    const int64_t rows = layer.rows(), step = layer.rowStep();
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    Buffer table = b.table<int32_t>("filters", layer.products().table());
    b.loop("pixel", b.index(0), b.index(layer.pixels), rows, [&](Val pixel) {
      // The last pixels overlap those before.
      if (layer.pixels % rows != 0)
        pixel = b.min(pixel, b.index(layer.pixels - rows));
      Address x{input, pixel * step};
      if (!layer.isPlain()) {
        b.loop("r", rows, [&](Val r) {
          Gather(b, layer.shape, input, operands.scratch[0]).emit(pixel + r, r * step);
        });
        x = {operands.scratch[0], b.index(0)};
      }
      callAsm(
          b, layer.products().kernel(),
          {x, {operands.outputs[0].buffer, pixel * layer.weights.outputs}, {table, b.index(0)}});
    });
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmInt16Kernels(KernelList &list) {
  list.push_back(std::make_unique<AsmInt16Convolution>());
}
