// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// int8 pooling: four neighbouring channels, one word, at a time.
#include "dialects/nn/reference/Pool.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/Window.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble::dsp {
namespace {

constexpr int64_t lanes = 4;

/// A word of the input joins the accumulators.
using Combine = llvm::function_ref<Vals(ArrayRef<Val> accumulators, Val word)>;
/// The four outputs from `at` on, of a window of `count` pixels.
using Finish = llvm::function_ref<void(ArrayRef<Val> accumulators, Val count, Val at)>;

/// One row of outputs. The last word of a pixel overlaps the one before if the channels do not
/// fill it.
template <typename Pool>
void emitWindows(KernelBuilder &b, Pool pool, const KernelOperands &operands, Val row,
                 ArrayRef<Val> start, Combine combine, Finish finish) {
  const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
  Buffer input = bufferOf(b, operands.inputs[0], "input");
  ArrayRef<int64_t> filter = pool.getFilter(), strides = pool.getStrides(), pads = pool.getPads();
  int64_t inH = in.shape[1], inW = in.shape[2], channels = in.shape[3];
  int64_t outH = out.shape[1], outW = out.shape[2];

  PictureRow place = splitRow(b, row, out);
  Val y0 = place.y * strides[0] - pads[0];
  TapRange ys = tapRange(b, y0, filter[0], 1, inH, pads[0], (outH - 1) * strides[0] - pads[0]);
  b.loop("x", outW, [&](Val x) {
    Val x0 = x * strides[1] - pads[2];
    TapRange xs = tapRange(b, x0, filter[1], 1, inW, pads[2], (outW - 1) * strides[1] - pads[2]);
    Val count = b.toI32((ys.end - ys.first) * (xs.end - xs.first));
    b.loop("channel", b.index(0), b.index(channels), lanes, [&](Val channel) {
      if (channels % lanes != 0)
        channel = b.min(channel, b.index(channels - lanes));
      Vals accumulators = b.loop("ky", ys.first, ys.end, 1, start, [&](Val ky, ArrayRef<Val> acc) {
        return b.loop("kx", xs.first, xs.end, 1, acc, [&](Val kx, ArrayRef<Val> acc) {
          Val pixel = (place.batch * inH + y0 + ky) * inW + x0 + kx;
          return combine(acc, b.loadWord(input, pixel * channels + channel, "pixels"));
        });
      });
      finish(accumulators, count, (row * outW + x) * channels + channel);
    });
  });
}

/// What both propose: `perWord` cycles for each word that is read and `perOutput` for each result.
template <typename Pool>
std::optional<Candidate> candidate(const KernelQuery &q, Pool pool, double perWord,
                                   double perOutput) {
  auto taps = static_cast<double>(pool.getFilter()[0] * pool.getFilter()[1]);
  const int64_t channels = q.outputs[0].shape[3];
  const int64_t words = q.outputs[0].elements() / channels * ((channels + lanes - 1) / lanes);
  constexpr double unaligned = 2;
  perWord += channels % lanes ? unaligned : 0;
  Candidate c;
  c.rows = q.outputs[0].shape[0] * q.outputs[0].shape[1];
  c.cycles =
      static_cast<int64_t>(static_cast<double>(words) * (perWord * taps + lanes * perOutput));
  c.flashBytes = 350;
  return c;
}

class DspAveragePool : public Kernel {
public:
  StringRef getName() const override { return "average_pool_2d.sadd16"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    // Sums of this many int8 values fit 16 bits.
    constexpr int64_t mostTaps = 256;
    auto pool = dyn_cast<nn::AveragePool2DOp>(*q.op);
    if (!pool || !appliesTo(q) || q.inputs[0].shape[3] < lanes ||
        pool.getFilter()[0] * pool.getFilter()[1] > mostTaps)
      return std::nullopt;
    return candidate(q, pool, /*perWord=*/12, /*perOutput=*/22);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    auto pool = cast<nn::AveragePool2DOp>(*op);
    ClampRange clamp =
        preparePool(operands.outputs[0].type, static_cast<Activation>(pool.getActivation())).stored;
    emitWindows(
        b, pool, operands, row, {b.i32(0), b.i32(0)},
        [](ArrayRef<Val> sums, Val word) {
          return Vals{sadd16(sums[0], sxtb16(word)), sadd16(sums[1], sxtb16Ror8(word))};
        },
        [&](ArrayRef<Val> sums, Val count, Val at) {
          Val lane[lanes] = {lowHalf(sums[0]), lowHalf(sums[1]), highHalf(sums[0]),
                             highHalf(sums[1])};
          for (int64_t c = 0; c < lanes; ++c)
            b.store(operands.outputs[0].buffer, at + c, b.clamp(mean(b, lane[c], count), clamp));
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

class DspMaxPool : public Kernel {
public:
  StringRef getName() const override { return "max_pool_2d.smax8"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    auto pool = dyn_cast<nn::MaxPool2DOp>(*q.op);
    if (!pool || !appliesTo(q) || q.inputs[0].shape[3] < lanes)
      return std::nullopt;
    return candidate(q, pool, /*perWord=*/9, /*perOutput=*/7);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    auto pool = cast<nn::MaxPool2DOp>(*op);
    ClampRange clamp =
        preparePool(operands.outputs[0].type, static_cast<Activation>(pool.getActivation())).stored;
    // The lower clamp is what the maximum starts at.
    emitWindows(
        b, pool, operands, row, {b.i32(fourTimes(clamp.low))},
        [](ArrayRef<Val> largest, Val word) { return Vals{smax8(largest[0], word)}; },
        [&](ArrayRef<Val> largest, Val, Val at) {
          Val word =
              clamp.high < INT8_MAX ? smin8(largest[0], b.i32(fourTimes(clamp.high))) : largest[0];
          b.storeWord(operands.outputs[0].buffer, at, word);
        });
  }

private:
  /// A word of four times the same byte.
  static int32_t fourTimes(int32_t value) {
    return static_cast<int32_t>(static_cast<uint8_t>(value) * 0x01010101u);
  }
};

} // namespace
} // namespace thimble::dsp

void thimble::addDspPoolKernels(KernelList &list) {
  list.push_back(std::make_unique<dsp::DspAveragePool>());
  list.push_back(std::make_unique<dsp::DspMaxPool>());
}
