// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// int8 depthwise convolution: four neighbouring channels at a time, each tap a word of pixels and a
// word of weights.
#include "passes/kernels/Accumulator.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble::dsp {
namespace {

constexpr int64_t lanes = 4;

/// Biases, with the input's zero point folded in for windows that lie on the picture.
struct Biases {
  std::vector<int32_t> plain, folded;
  std::vector<int64_t> bounds;

  Biases(const Tensor &filter, const Tensor *bias, int32_t zeroPoint) {
    int64_t channels = filter.shape()[3], taps = filter.shape()[1] * filter.shape()[2];
    for (int64_t c = 0; c < channels; ++c) {
      int64_t sum = 0, magnitude = 0;
      for (int64_t tap = 0; tap < taps; ++tap) {
        int64_t weight = filter.as<int8_t>()[tap * channels + c];
        sum += weight;
        magnitude += std::abs(weight);
      }
      int64_t start = bias ? bias->as<int32_t>()[c] : 0;
      plain.push_back(static_cast<int32_t>(start));
      folded.push_back(static_cast<int32_t>(start - sum * zeroPoint));
      // |pixel - zero point| is at most 255.
      bounds.push_back(std::abs(start) + std::abs(sum * zeroPoint) + magnitude * 255);
    }
  }
  bool fit() const {
    return llvm::all_of(bounds, [](int64_t b) { return b <= std::numeric_limits<int32_t>::max(); });
  }
};

class DspDepthwise : public Kernel {
public:
  StringRef getName() const override { return "depthwise_conv_2d.smla"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    auto conv = dyn_cast<nn::DepthwiseConv2DOp>(*q.op);
    if (!conv || !appliesTo(q) || !q.constants[1] || q.inputs[1].element != ElementType::Int8)
      return std::nullopt;
    const Tensor *bias = q.inputs.size() > 2 ? q.constants[2].get() : nullptr;
    if (q.inputs.size() > 2 && (!bias || bias->type.element != ElementType::Int32))
      return std::nullopt;
    int64_t channels = q.inputs[0].shape[3];
    if (channels < lanes || channels != q.outputs[0].shape[3] ||
        !Biases(*q.constants[1], bias, q.inputs[0].zeroPoint()).fit())
      return std::nullopt;
    Candidate c;
    c.rows = q.outputs[0].shape[0] * q.outputs[0].shape[1];
    int64_t taps = q.inputs[1].shape[1] * q.inputs[1].shape[2];
    const double perTap = taps <= mostUnrolled ? 9 : 38, perTapAtBorder = 38, perOutput = 26;
    const double whole = wholeWindows(q, conv);
    const double tapCycles = (whole * perTap + (1 - whole) * perTapAtBorder) / lanes;
    c.cycles = static_cast<int64_t>(static_cast<double>(q.outputs[0].elements()) *
                                    (tapCycles * static_cast<double>(taps) + perOutput));
    c.flashBytes = 600 + 44 * (taps <= mostUnrolled ? taps : 1) + channels * (taps + 20);
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    auto conv = cast<nn::DepthwiseConv2DOp>(*op);
    const TensorType &in = operands.inputs[0].type, &filter = operands.inputs[1].type,
                     &out = operands.outputs[0].type;
    Biases biases(*operands.inputs[1].constant,
                  operands.inputs.size() > 2 ? operands.inputs[2].constant.get() : nullptr,
                  in.zeroPoint());
    RequantPerChannel numbers = nn::requantOf(op);
    Int8Requant requant(b, numbers, biases.bounds);
    Window w{b,
             bufferOf(b, operands.inputs[0], "input"),
             b.table("weights", *operands.inputs[1].constant),
             in.shape[1],
             in.shape[2],
             in.shape[3],
             filter.shape[1],
             filter.shape[2],
             conv.getDilations()[0],
             conv.getDilations()[1]};
    ArrayRef<int64_t> strides = conv.getStrides(), pads = conv.getPads();
    int64_t outH = out.shape[1], outW = out.shape[2];

    PictureRow place = splitRow(b, row, out);
    Val y0 = place.y * strides[0] - pads[0];
    TapRange ys =
        tapRange(b, y0, w.kH, w.dilationH, w.inH, pads[0], (outH - 1) * strides[0] - pads[0]);
    b.loop("x", outW, [&](Val x) {
      Val x0 = x * strides[1] - pads[2];
      TapRange xs =
          tapRange(b, x0, w.kW, w.dilationW, w.inW, pads[2], (outW - 1) * strides[1] - pads[2]);
      Val whole = ((ys.end - ys.first) == w.kH) & ((xs.end - xs.first) == w.kW);
      Val pixel = ((place.batch * w.inH + y0) * w.inW + x0) * w.channels;
      b.loop("channel", b.index(0), b.index(w.channels), lanes, [&](Val channel) {
        // The last channels are computed twice where their number is no multiple of 4.
        if (w.channels % lanes != 0)
          channel = b.min(channel, b.index(w.channels - lanes));
        Vals acc = b.choose(
            whole,
            [&] {
              return allTaps(w, start(b, "folded_biases", biases.folded, channel), pixel + channel,
                             channel);
            },
            [&] {
              return someTaps(w, start(b, "biases", biases.plain, channel), pixel + channel,
                              channel, ys, xs, in.zeroPoint());
            });
        for (int64_t lane = 0; lane < lanes; ++lane)
          b.store(operands.outputs[0].buffer, (row * outW + x) * w.channels + channel + lane,
                  requant.apply(acc[static_cast<size_t>(lane)], channel + lane));
      });
    });
  }

private:
  /// The share of windows that lie on the picture.
  static double wholeWindows(const KernelQuery &q, nn::DepthwiseConv2DOp conv) {
    double share = 1;
    for (size_t axis : {0, 1}) {
      const int64_t size = q.inputs[0].shape[axis + 1], outputs = q.outputs[0].shape[axis + 1];
      const int64_t reach = (q.inputs[1].shape[axis + 1] - 1) * conv.getDilations()[axis];
      int64_t whole = 0;
      for (int64_t i = 0; i < outputs; ++i) {
        const int64_t start = i * conv.getStrides()[axis] - conv.getPads()[2 * axis];
        whole += start >= 0 && start + reach < size;
      }
      share *= static_cast<double>(whole) / static_cast<double>(outputs);
    }
    return share;
  }

  /// Filters of up to this many taps are straight-line code.
  static constexpr int64_t mostUnrolled = 16;

  struct Window {
    KernelBuilder &b;
    Buffer input, weights;
    int64_t inH, inW, channels, kH, kW, dilationH, dilationW;

    Val pixelAt(Val start, Val ky, Val kx) const {
      return start + (ky * dilationH * inW + kx * dilationW) * channels;
    }
    Val weightAt(Val channel, Val ky, Val kx) const { return (ky * kW + kx) * channels + channel; }
  };

  static Vals start(KernelBuilder &b, StringRef name, ArrayRef<int32_t> biases, Val channel) {
    Vals acc;
    Buffer table = b.table<int32_t>(name, biases);
    for (int64_t lane = 0; lane < lanes; ++lane)
      acc.push_back(b.load(table, channel + lane, "acc"));
    return acc;
  }

  // One tap of four channels. `zeroPoints`, if given, holds the zero point in both halves.
  static Vals tap(const Window &w, ArrayRef<Val> acc, Val pixelAt, Val weightAt, Val zeroPoints) {
    Val pixels = w.b.loadWord(w.input, pixelAt, "pixels");
    Val weights = w.b.loadWord(w.weights, weightAt, "weights");
    Val even = sxtb16(pixels), odd = sxtb16Ror8(pixels);
    if (zeroPoints) {
      even = ssub16(even, zeroPoints);
      odd = ssub16(odd, zeroPoints);
    }
    Val weightsEven = sxtb16(weights), weightsOdd = sxtb16Ror8(weights);
    return {smlabb(even, weightsEven, acc[0]), smlabb(odd, weightsOdd, acc[1]),
            smlatt(even, weightsEven, acc[2]), smlatt(odd, weightsOdd, acc[3])};
  }

  static Vals allTaps(const Window &w, Vals acc, Val pixel, Val channel) {
    KernelBuilder &b = w.b;
    if (w.kH * w.kW <= mostUnrolled) {
      for (int64_t ky = 0; ky < w.kH; ++ky)
        for (int64_t kx = 0; kx < w.kW; ++kx)
          acc = tap(w, acc, w.pixelAt(pixel, b.index(ky), b.index(kx)),
                    w.weightAt(channel, b.index(ky), b.index(kx)), Val());
      return acc;
    }
    return b.loop("ky", b.index(0), b.index(w.kH), 1, acc, [&](Val ky, ArrayRef<Val> acc) {
      return b.loop("kx", b.index(0), b.index(w.kW), 1, acc, [&](Val kx, ArrayRef<Val> acc) {
        return tap(w, acc, w.pixelAt(pixel, ky, kx), w.weightAt(channel, ky, kx), Val());
      });
    });
  }

  static Vals someTaps(const Window &w, Vals acc, Val pixel, Val channel, TapRange ys, TapRange xs,
                       int32_t zeroPoint) {
    KernelBuilder &b = w.b;
    uint32_t half = static_cast<uint16_t>(zeroPoint);
    Val zeroPoints = b.i32(static_cast<int32_t>(half << 16 | half));
    return b.loop("ky", ys.first, ys.end, 1, acc, [&](Val ky, ArrayRef<Val> acc) {
      return b.loop("kx", xs.first, xs.end, 1, acc, [&](Val kx, ArrayRef<Val> acc) {
        return tap(w, acc, w.pixelAt(pixel, ky, kx), w.weightAt(channel, ky, kx), zeroPoints);
      });
    });
  }
};

} // namespace
} // namespace thimble::dsp

void thimble::addDspDepthwiseKernels(KernelList &list) {
  list.push_back(std::make_unique<dsp::DspDepthwise>());
}
