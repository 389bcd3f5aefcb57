// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// int8 pooling without padding, and means over pictures, four neighbouring channels at a time. A
// mean is a step function of its sum: SMLAWB and SMLAWT take the sums where they are, two in a
// word, and a saturating shift finishes, with numbers that are proved for every sum.
#include "dialects/nn/reference/Pool.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/OutputScaling.h"
#include "passes/kernels/asm/PoolRow.h"
#include "passes/kernels/dsp/DspOps.h"

#include <cmath>

using namespace mlir;

namespace thimble {
namespace {

/// saturate((floor(q * sum / 2^16) + C) >> E) for sums of 16 bits.
struct MeanScaling {
  int32_t multiplier = 0, addend = 0;
  int shift = 0;
  OutputScaling::Saturation saturation;
};

/// Rounds half away from zero.
int32_t meanOf(int32_t sum, int32_t count) {
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

/// Each sum bounds the addend from one or both sides.
std::optional<MeanScaling> withMultiplier(int64_t multiplier, int shift, int32_t count,
                                          ClampRange clamp) {
  MeanScaling s{static_cast<int32_t>(multiplier), 0, shift, OutputScaling::saturationFor(clamp)};
  int64_t low = -(int64_t(1) << 30), high = int64_t(1) << 30;
  for (int32_t sum = -128 * count; sum <= 127 * count; ++sum) {
    const int32_t out = clamp.clamp(meanOf(sum, count));
    const int64_t least =
        (int64_t(out) + s.saturation.delta) * (int64_t(1) << shift) - ((multiplier * sum) >> 16);
    if (out > clamp.low)
      low = std::max(low, least);
    if (out < clamp.high)
      high = std::min(high, least + (int64_t(1) << shift) - 1);
  }
  if (low > high)
    return std::nullopt;
  s.addend = static_cast<int32_t>(low + (high - low) / 2);
  return s;
}

std::optional<MeanScaling> solveMean(int32_t count, ClampRange clamp) {
  constexpr int32_t mostCount = 256; // sums of 16 bits
  if (count > mostCount)
    return std::nullopt;
  const int shift = std::min(21, 14 + static_cast<int>(std::log2(count)));
  const double ideal = std::ldexp(1.0, 16 + shift) / count;
  // Ties round away from zero: a multiplier that is a little larger settles them.
  for (int tilt : {0, 1, 2, 4, 8, 16, 32, 64})
    if (auto s =
            withMultiplier(std::llround(ideal * (1 + std::ldexp(tilt, -24))), shift, count, clamp))
      return s;
  return std::nullopt;
}

//===-- Averages ----------------------------------------------------------------------------===//

AverageFinish finishPool(const MeanScaling &s) {
  return {OutputScaling::suffix(s.saturation),
          [s](AsmBuilder &a) {
            return SRegs{a.toS(a.constant(s.multiplier)), a.toS(a.constant(s.addend))};
          },
          [s](AsmBuilder &a, ArrayRef<Reg> numbers, Reg sums, bool isUpper) {
            Reg sum = isUpper ? a.smlawt(numbers[0], sums, numbers[1])
                              : a.smlawb(numbers[0], sums, numbers[1]);
            return OutputScaling::saturate(a, s.saturation, asr(sum, s.shift));
          },
          [s](KernelBuilder &b, Val sum) {
            Val scaled = b.toI32((b.toI64(sum) * int64_t(s.multiplier)) >> 16) + s.addend;
            return OutputScaling::saturate(b, s.saturation, scaled >> s.shift);
          }};
}

//===-- Maxima ------------------------------------------------------------------------------===//

/// A word of four times the same byte.
int32_t fourTimes(int32_t value) {
  return static_cast<int32_t>(static_cast<uint8_t>(value) * 0x01010101u);
}

void maximumInstructions(AsmBuilder &a, const PoolRow &w, ClampRange clamp,
                         ArrayRef<Reg> arguments) {
  w.forOutputs(a, arguments[0], arguments[1], [&](Reg &x, Reg &y) {
    std::optional<Reg> largest;
    if (clamp.low > -128)
      largest = a.constant(fourTimes(clamp.low));
    else if (!w.isUnrolled())
      largest = a.load(x);
    auto tap = [&](Reg bytes) { largest = largest ? a.smax8(*largest, bytes) : bytes; };
    Variables carried;
    if (!w.isUnrolled())
      carried.push_back(*largest);
    w.forTaps(a, x, carried, tap);
    Reg out = clamp.high < 127 ? a.smin8(*largest, a.constant(fourTimes(clamp.high))) : *largest;
    a.storePost(out, y, poolLanes);
    x = a.add(x, poolLanes);
  });
}

void maximumPortable(KernelBuilder &b, const PoolRow &w, ClampRange clamp,
                     ArrayRef<Buffer> buffers) {
  w.forOutputs(b, [&](Val from, Val to) {
    Val largest = w.accumulate(b, buffers[0], from, b.i32(clamp.low),
                               [&](Val acc, Val x) { return b.max(acc, x); });
    b.store(buffers[1], to, b.min(largest, b.i32(clamp.high)));
  });
}

//===-- The kernels -------------------------------------------------------------------------===//

template <typename PoolOp> class AsmPool : public Kernel {
public:
  static constexpr bool isAverage = std::is_same_v<PoolOp, nn::AveragePool2DOp>;

  StringRef getName() const override {
    return isAverage ? "average_pool_2d.smlaw" : "max_pool_2d.words";
  }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    auto pool = dyn_cast<PoolOp>(*q.op);
    if (!pool || !dsp::appliesTo(q) || !q.target.fpu)
      return std::nullopt;
    std::optional<AsmKernel> kernel = kernelFor(pool, q.inputs[0], q.outputs[0]);
    if (!kernel)
      return std::nullopt;
    Candidate c;
    c.rows = q.outputs[0].shape[0] * q.outputs[0].shape[1];
    kernel->addTo(c, c.rows);
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    auto pool = cast<PoolOp>(*op);
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    const int64_t outH = out.shape[1], rowElements = in.shape[2] * in.shape[3];
    Val line = row / outH * in.shape[1] + row % outH * pool.getStrides()[0];
    callAsm(b, *kernelFor(pool, in, out),
            {{bufferOf(b, operands.inputs[0], "input"), line * rowElements},
             {operands.outputs[0].buffer, row * (out.shape[2] * out.shape[3])}});
  }

private:
  static std::optional<AsmKernel> kernelFor(PoolOp pool, const TensorType &in,
                                            const TensorType &out) {
    ArrayRef<int64_t> filter = pool.getFilter(), strides = pool.getStrides();
    PoolRow w{in.shape[2], in.shape[3], out.shape[2], filter[0], filter[1], strides[1]};
    constexpr int64_t mostWide = 16;
    // Every window is inside, and four channels are.
    if (llvm::any_of(pool.getPads(), [](int64_t pad) { return pad != 0; }) ||
        (out.shape[1] - 1) * strides[0] + w.kH > in.shape[1] ||
        (w.outW - 1) * w.strideW + w.kW > w.inW || w.channels < poolLanes || w.kW > mostWide ||
        w.kW * w.channels > 4000)
      return std::nullopt;
    ClampRange clamp = preparePool(out, static_cast<Activation>(pool.getActivation())).stored;
    if constexpr (isAverage) {
      auto s = solveMean(static_cast<int32_t>(w.kH * w.kW), clamp);
      return s ? std::optional(averageKernel("average", w, finishPool(*s))) : std::nullopt;
    }
    AsmKernel kernel;
    kernel.name =
        "largest_" + w.suffix() + OutputScaling::suffix(OutputScaling::saturationFor(clamp));
    kernel.buffers = {{"x", ElementType::Int8, false}, {"y", ElementType::Int8, true}};
    kernel.instructions = [w, clamp](AsmBuilder &a, ArrayRef<Reg> arguments) {
      maximumInstructions(a, w, clamp, arguments);
    };
    kernel.portable = [w, clamp](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
      maximumPortable(b, w, clamp, buffers);
    };
    return kernel;
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmPoolKernels(KernelList &list) {
  list.push_back(std::make_unique<AsmPool<nn::AveragePool2DOp>>());
  list.push_back(std::make_unique<AsmPool<nn::MaxPool2DOp>>());
}
