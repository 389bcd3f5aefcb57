// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Depthwise convolutions of int16 with int8 weights, whose 64-bit sums are proved to need 32 bits:
// two neighbouring channels, one word, of up to four pixels at a time by SMLABB and SMLATT. Input
// rows go through a ring of rows with their padding, so that no window leaves them.
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/Int16Products.h"

using namespace mlir;

namespace thimble {
namespace {

struct Layer {
  int64_t pictures, inH, inW, channels, outH, outW, kH, kW;
  int64_t strideH, strideW, dilationH, dilationW, padTop, padLeft;
  Int16Weights weights; // by channel, then tap

  /// Rows of the ring, and pixels of each.
  int64_t ringRows() const { return (kH - 1) * dilationH + 1; }
  int64_t ringWidth() const { return (outW - 1) * strideW + (kW - 1) * dilationW + 1; }
  int64_t rowElements() const { return ringWidth() * channels; }
  int64_t pairs() const { return (channels + 1) / 2; }
  /// Bytes from the first pixel that a block reads to the last.
  int64_t reach(int64_t block) const {
    return ((block - 1) * strideW + (kW - 1) * dilationW) * channels * 2;
  }
  int64_t block() const;
};

/// Pixels at a time: those that cost the least for a row and that addresses reach.
int64_t Layer::block() const {
  int64_t best = 1, least = std::numeric_limits<int64_t>::max();
  for (int64_t block = std::min<int64_t>(outW, 4); block >= 1; --block) {
    const int64_t columns = std::min(block * kW, (block - 1) * strideW + kW);
    const int64_t cost = (outW + block - 1) / block *
                         (kH * (kW + 3 + 2 * columns + 2 * block * kW) + 8 * block + 20);
    if (reach(block) <= 4000 && (block - 1) * channels * 2 <= 4000 && cost < least) {
      best = block;
      least = cost;
    }
  }
  return best;
}

std::optional<Layer> layerOf(nn::NNOperator op, const KernelOperands &operands) {
  auto conv = dyn_cast<nn::DepthwiseConv2DOp>(*op);
  if (!conv)
    return std::nullopt;
  const KernelOperand &in = operands.inputs[0], &filter = operands.inputs[1];
  const KernelOperand *bias = operands.inputs.size() > 2 ? &operands.inputs[2] : nullptr;
  if (in.type.element != ElementType::Int16 || filter.type.element != ElementType::Int8 ||
      !filter.constant || (bias && (!bias->constant || bias->type.element != ElementType::Int64)))
    return std::nullopt;
  ArrayRef<int64_t> x = in.type.shape, w = filter.type.shape, y = operands.outputs[0].type.shape;
  std::optional<Int16Scaling> scaling = Int16Scaling::solve(nn::requantOf(op));
  if (!scaling || x[3] != y[3] || x[3] < 2)
    return std::nullopt;
  auto strides = conv.getStrides(), dilations = conv.getDilations(), pads = conv.getPads();
  Layer layer{x[0],       x[1],       x[2],         x[3],         y[1],    y[2],    w[1], w[2],
              strides[0], strides[1], dilations[0], dilations[1], pads[0], pads[2], {}};
  Int16Weights &weights = layer.weights;
  weights.outputs = x[3];
  weights.depth = w[1] * w[2];
  for (int64_t c = 0; c < weights.outputs; ++c)
    for (int64_t tap = 0; tap < weights.depth; ++tap)
      weights.weights.push_back(filter.constant->as<int8_t>()[tap * weights.outputs + c]);
  weights.biases.assign(static_cast<size_t>(weights.outputs), 0);
  if (bias)
    weights.biases.assign(bias->constant->as<int64_t>(),
                          bias->constant->as<int64_t>() + weights.outputs);
  weights.scaling = std::move(*scaling);
  constexpr int64_t mostRows = 8; // pointers that S registers keep
  if (!weights.fits() || layer.reach(1) > 4000 || layer.kH > mostRows)
    return std::nullopt;
  return layer;
}

/// For each pair of channels: where it starts in bytes, the first sums, the weights as two halves,
/// the multipliers.
std::vector<int32_t> tableOf(const Layer &layer) {
  const Int16Weights &w = layer.weights;
  std::vector<int32_t> words;
  for (int64_t pair = 0; pair < layer.pairs(); ++pair) {
    const int64_t c = std::min(2 * pair, layer.channels - 2);
    const auto at = static_cast<size_t>(c);
    words.push_back(static_cast<int32_t>(2 * c));
    for (size_t i : {at, at + 1})
      words.push_back(static_cast<int32_t>(w.biases[i]));
    for (int64_t tap = 0; tap < w.depth; ++tap) {
      auto weight = [&](int64_t channel) -> uint32_t {
        return static_cast<uint16_t>(w.weights[static_cast<size_t>(channel * w.depth + tap)]);
      };
      words.push_back(static_cast<int32_t>(weight(c) | weight(c + 1) << 16));
    }
    for (size_t i : {at, at + 1})
      words.push_back(w.scaling.multipliers[i]);
  }
  return words;
}

/// One row of outputs from the ring.
class RowCode {
public:
  explicit RowCode(const Layer &l) : l(l) {
    this->l.weights.weights.clear();
    this->l.weights.scaling.multipliers.clear();
  }

  std::string name() const {
    auto text = [](int64_t n) { return std::to_string(n); };
    return "dw_i16_" + text(l.kH) + "x" + text(l.kW) + "_w" + text(l.outW) + "_c" +
           text(l.channels) + "_s" + text(l.strideW) + "_d" + text(l.dilationH) + "x" +
           text(l.dilationW) + l.weights.scaling.suffix();
  }

  /// Arguments: ring, outputs, table, and where in the ring the first row is, in bytes.
  void instructions(AsmBuilder &a, ArrayRef<Reg> arguments) const {
    SRegs rows = rowPointers(a, arguments[0], arguments[3]);
    SReg outputs = a.toS(arguments[1]);
    Reg table = arguments[2];
    const int64_t block = l.block(), step = 2 * block * l.channels;
    a.loopS(l.pairs(), {table}, [&] {
      Reg start = a.loadTablePost(table, 4);
      SReg weights = a.toS(table);
      SReg x = a.toS(start), y = a.toS(a.add(start, Shifted(a.toR(outputs))));
      a.loopS(l.outW / block, {x, y}, [&] {
        blockOf(a, rows, x, y, weights);
        x = a.toS(a.add(a.toR(x), step * l.strideW));
        y = a.toS(a.add(a.toR(y), step));
      });
      if (const int64_t back = (block - l.outW % block) % block * 2 * l.channels) {
        x = a.toS(a.add(a.toR(x), -back * l.strideW));
        y = a.toS(a.add(a.toR(y), -back));
        blockOf(a, rows, x, y, weights);
      }
      table = a.add(a.toR(weights), 4 * (l.kH * l.kW + 4));
    });
  }

  void portable(KernelBuilder &b, ArrayRef<Buffer> buffers, Val first) const {
    Buffer ring = buffers[0], y = buffers[1], table = buffers[2];
    auto word = [&](Val index) { return b.load(table, index, "word"); };
    const int64_t taps = l.kH * l.kW, all = l.ringRows() * l.rowElements();
    KernelBuilder::NoOverflow wraps(b, false);
    b.loop("pair", l.pairs(), [&](Val pair) {
      Val at = pair * (taps + 5);
      Val c = b.toIndex(word(at)) / 2;
      b.loop("x", l.outW, [&](Val x) {
        b.loop("half", 2, [&](Val half) {
          Val sum = b.accumulate("ky", l.kH, word(at + 1 + half), [&](Val ky, Val sum) {
            return b.accumulate("kx", l.kW, sum, [&](Val kx, Val sum) {
              Val weight = word(at + 3 + ky * l.kW + kx);
              weight = b.select(half == 1, weight, weight << 16) >> 16;
              Val row = (b.toIndex(first) / 2 + ky * (l.dilationH * l.rowElements())) % all;
              Val pixel = x * l.strideW + kx * l.dilationW;
              return sum + weight * b.load(ring, row + pixel * l.channels + c + half, "x");
            });
          });
          b.store(y, x * l.channels + c + half,
                  l.weights.scaling.emit(b, sum, word(at + 3 + taps + half)));
        });
      });
    });
  }

private:
  SRegs rowPointers(AsmBuilder &a, Reg ring, Reg first) const {
    const int64_t step = 2 * l.dilationH * l.rowElements();
    const int64_t all = 2 * l.ringRows() * l.rowElements();
    SRegs rows;
    Reg end = a.constant(all);
    for (int64_t ky = 0; ky < l.kH; ++ky) {
      rows.push_back(a.toS(a.add(ring, first)));
      if (ky + 1 == l.kH)
        break;
      first = a.add(first, step);
      Reg wrapped = a.sub(first, Shifted(end));
      a.compare(first, end);
      first = a.select("lo", first, wrapped);
    }
    return rows;
  }

  void blockOf(AsmBuilder &a, const SRegs &rows, SReg x, SReg y, SReg weights) const {
    Reg w = a.toR(weights);
    const int64_t block = l.block();
    Reg first[] = {a.loadTablePost(w, 4), a.loadTablePost(w, 4)};
    Regs acc; // by pixel, then channel
    for (int64_t p = 0; p < block; ++p)
      for (Reg sum : first)
        acc.push_back(p ? a.copy(sum) : sum);
    for (const SReg &row : rows)
      products(a, acc, a.add(a.toR(row), Shifted(a.toR(x))), w);
    Reg multipliers[] = {a.loadTablePost(w, 4), a.loadTablePost(w, 4)};
    Reg addend = a.constant(l.weights.scaling.addend), to = a.toR(y);
    for (int64_t i = 0; i < 2; ++i)
      for (int64_t p = 0; p < block; ++p)
        a.store(l.weights.scaling.emit(a, acc[2 * p + i], multipliers[i], addend), to,
                2 * (p * l.channels + i), Width::U16);
  }

  /// One row of taps. As many weights as find registers are there at once: then each pixel is read
  /// once for all of them.
  void products(AsmBuilder &a, Regs &acc, Reg x, Reg &w) const {
    constexpr int64_t mostWeights = 3;
    const int64_t block = l.block();
    for (int64_t kx = 0; kx < l.kW; kx += mostWeights) {
      const int64_t end = std::min(kx + mostWeights, l.kW);
      Regs weights;
      for (int64_t i = kx; i < end; ++i)
        weights.push_back(a.loadTablePost(w, 4));
      for (int64_t column = 0; column <= (block - 1) * l.strideW + (l.kW - 1) * l.dilationW;
           ++column) {
        std::optional<Reg> pixel;
        for (int64_t p = 0; p < block; ++p)
          for (int64_t i = kx; i < end; ++i) {
            if (p * l.strideW + i * l.dilationW != column)
              continue;
            if (!pixel)
              pixel = a.load(x, 2 * column * l.channels);
            Reg &low = acc[2 * p], &high = acc[2 * p + 1];
            low = a.smlabb(*pixel, weights[i - kx], low);
            high = a.smlatt(*pixel, weights[i - kx], high);
          }
      }
    }
  }

  Layer l; // without data
};

AsmKernel asmKernel(const Layer &layer) {
  RowCode code(layer);
  AsmKernel kernel;
  kernel.name = code.name();
  kernel.buffers = {{"ring", ElementType::Int16, false},
                    {"y", ElementType::Int16, true},
                    {"table", ElementType::Int32, false}};
  kernel.words = {"first"};
  kernel.instructions = [code](AsmBuilder &a, ArrayRef<Reg> arguments) {
    code.instructions(a, arguments);
  };
  kernel.portable = [code](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val> words) {
    code.portable(b, buffers, words[0]);
  };
  return kernel;
}

/// Fills rows of the ring.
class Ring {
public:
  Ring(KernelBuilder &b, const Layer &l, Buffer input, Buffer ring)
      : b(b), l(l), input(input), ring(ring) {}

  /// Row `row` of a picture, counted from the top of its padding.
  void fill(Val picture, Val row) {
    Val to = row % l.ringRows() * l.rowElements();
    Val y = row - l.padTop;
    b.whenElse((y >= 0) & (y < l.inH), [&] { copyRow((picture * l.inH + y) * l.inW, to); },
               [&] { zero(to, l.rowElements()); });
  }

private:
  void copyRow(Val from, Val to) {
    const int64_t c = l.channels, inside = std::min(l.inW, l.ringWidth() - l.padLeft);
    zero(to, l.padLeft * c);
    constexpr int64_t atOnce = 8;
    const int64_t count = inside * c, whole = count / atOnce * atOnce;
    Val source = from * c, target = to + l.padLeft * c;
    b.loop("i", b.index(0), b.index(whole), atOnce, [&](Val i) {
      for (int64_t u = 0; u < atOnce; u += 2)
        b.storeWord(ring, target + i + u, b.loadWord(input, source + i + u, "pair"));
    });
    for (int64_t i = whole; i < count; ++i)
      b.store(ring, target + i, b.load(input, source + i, "x"));
    zero(target + count, (l.ringWidth() - l.padLeft - inside) * c);
  }
  void zero(Val to, int64_t count) {
    b.loop("i", count, [&](Val i) { b.store(ring, to + i, b.i32(0)); });
  }

  KernelBuilder &b;
  const Layer &l;
  Buffer input, ring;
};

class AsmInt16Depthwise : public Kernel {
public:
  StringRef getName() const override { return "depthwise_conv_2d.int16"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!q.target.dsp || !q.target.fpu || !isa<nn::DepthwiseConv2DOp>(*q.op))
      return std::nullopt;
    KernelOperands operands;
    for (auto [type, constant] : llvm::zip(q.inputs, q.constants))
      operands.inputs.push_back({type, {}, constant});
    operands.outputs.push_back({q.outputs[0], {}, nullptr});
    std::optional<Layer> layer = layerOf(q.op, operands);
    if (!layer)
      return std::nullopt;
    Candidate c;
    asmKernel(*layer).addTo(c, layer->pictures * layer->outH);
    // Copies of rows, by C compilers.
    const int64_t rows = layer->pictures * (layer->ringRows() + (layer->outH - 1) * layer->strideH);
    c.cycles += rows * (2 * layer->rowElements() + 40);
    constexpr int64_t codeBytes = 400;
    c.flashBytes += codeBytes + 4 * static_cast<int64_t>(tableOf(*layer).size());
    c.scratch.push_back({ElementType::Int16, layer->ringRows() * layer->rowElements()});
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    Layer l = *layerOf(op, operands);
    AsmKernel kernel = asmKernel(l);
    Buffer table = b.table<int32_t>("filters", tableOf(l));
    Ring ring(b, l, bufferOf(b, operands.inputs[0], "input"), operands.scratch[0]);
    b.loop("picture", l.pictures, [&](Val picture) {
      b.loop("y", l.outH, [&](Val y) {
        // Rows that the output row before did not need.
        Val end = y * l.strideH + l.ringRows();
        Val known = b.select(y == 0, b.index(0), end - std::min(l.strideH, l.ringRows()));
        b.loop("row", known, end, 1, [&](Val r) { ring.fill(picture, r); });
        Val first = y * l.strideH % l.ringRows() * (2 * l.rowElements());
        callAsm(b, kernel,
                {{operands.scratch[0], b.index(0)},
                 {operands.outputs[0].buffer, (picture * l.outH + y) * (l.outW * l.channels)},
                 {table, b.index(0)}},
                {b.toI32(first)});
      });
    });
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmInt16DepthwiseKernels(KernelList &list) {
  list.push_back(std::make_unique<AsmInt16Depthwise>());
}
