// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// int8 average pooling: four neighbouring channels at a time, summed in halves of words.
#include "dialects/nn/reference/Pool.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble::dsp {
namespace {

constexpr int64_t lanes = 4;
/// Sums of this many int8 values fit 16 bits.
constexpr int64_t mostTaps = 256;

class DspAveragePool : public Kernel {
public:
  StringRef getName() const override { return "average_pool_2d.sadd16"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    auto pool = dyn_cast<nn::AveragePool2DOp>(*q.op);
    if (!pool || !appliesTo(q) || q.inputs[0].shape[3] < lanes)
      return std::nullopt;
    int64_t taps = pool.getFilter()[0] * pool.getFilter()[1];
    if (taps > mostTaps)
      return std::nullopt;
    Candidate c;
    c.rows = q.outputs[0].shape[0] * q.outputs[0].shape[1];
    constexpr double perWord = 9, perOutput = 18;
    c.cycles = static_cast<int64_t>(static_cast<double>(q.outputs[0].elements()) *
                                    (perWord * static_cast<double>(taps) / lanes + perOutput));
    c.flashBytes = 350;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    auto pool = cast<nn::AveragePool2DOp>(*op);
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    ClampRange clamp = preparePool(out, static_cast<Activation>(pool.getActivation())).stored;
    ArrayRef<int64_t> filter = pool.getFilter(), strides = pool.getStrides(), pads = pool.getPads();
    int64_t inH = in.shape[1], inW = in.shape[2], channels = in.shape[3];
    int64_t outH = out.shape[1], outW = out.shape[2];

    PictureRow place = splitRow(b, row, out);
    Val y0 = place.y * strides[0] - pads[0];
    TapRange ys = tapRange(b, y0, filter[0], 1, inH, pads[0], (outH - 1) * strides[0] - pads[0]);
    b.loop("x", outW, [&](Val x) {
      Val x0 = x * strides[1] - pads[2];
      TapRange xs =
          tapRange(b, x0, filter[1], 1, inW, pads[2], (outW - 1) * strides[1] - pads[2]);
      Val count = b.toI32((ys.end - ys.first) * (xs.end - xs.first));
      b.loop("channel", b.index(0), b.index(channels), lanes, [&](Val channel) {
        if (channels % lanes != 0)
          channel = b.min(channel, b.index(channels - lanes));
        Vals zero{b.i32(0), b.i32(0)};
        Vals sums = b.loop("ky", ys.first, ys.end, 1, zero, [&](Val ky, ArrayRef<Val> acc) {
          return b.loop("kx", xs.first, xs.end, 1, acc, [&](Val kx, ArrayRef<Val> acc) {
            Val pixel = (place.batch * inH + y0 + ky) * inW + x0 + kx;
            Val word = b.loadWord(input, pixel * channels + channel, "pixels");
            return Vals{sadd16(acc[0], sxtb16(word)), sadd16(acc[1], sxtb16Ror8(word))};
          });
        });
        Val lane[lanes] = {lowHalf(sums[0]), lowHalf(sums[1]), highHalf(sums[0]),
                           highHalf(sums[1])};
        for (int64_t c = 0; c < lanes; ++c)
          b.store(operands.outputs[0].buffer, (row * outW + x) * channels + channel + c,
                  b.clamp(mean(b, lane[c], count), clamp));
      });
    });
  }

private:
  // Rounded half away from zero.
  static Val mean(KernelBuilder &b, Val sum, Val count) {
    KernelBuilder::NoOverflow proved(b);
    Val half = count / 2;
    return b.select(sum > 0, sum + half, sum - half) / count;
  }
};

} // namespace
} // namespace thimble::dsp

void thimble::addDspPoolKernels(KernelList &list) {
  list.push_back(std::make_unique<dsp::DspAveragePool>());
}
