// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// int8 pooling without padding, and means over pictures, four neighbouring channels at a time. A
// mean is a step function of its sum: SMLAWB and SMLAWT take the sums where they are, two in a
// word, and a saturating shift finishes, with numbers that are proved for every sum.
#include "dialects/nn/reference/Pool.h"
#include "dialects/nn/reference/Reduce.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/OutputScaling.h"
#include "passes/kernels/dsp/DspOps.h"

#include "llvm/ADT/StringExtras.h"

#include <cmath>

using namespace mlir;

namespace thimble {
namespace {

constexpr int64_t lanes = 4;

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

/// One row of outputs: what average and largest share.
struct Window {
  int64_t inW, channels, outW, kH, kW, strideW;

  int64_t rowBytes() const { return inW * channels; }
  /// Small windows are unrolled, large ones by rows.
  bool isUnrolled() const { return kH * kW <= 9; }
  std::string suffix() const {
    auto text = [](int64_t n) { return std::to_string(n); };
    return text(kH) + "x" + text(kW) + "_" + text(inW) + "x" + text(channels) + "_w" + text(outW) +
           "_s" + text(strideW);
  }

  /// Calls `output(x, y)` for each word of outputs: it moves both pointers by a word.
  void forOutputs(AsmBuilder &a, Reg x, Reg y,
                  llvm::function_ref<void(Reg &, Reg &)> output) const {
    a.loopS(outW, {x, y}, [&] {
      a.loop(channels / lanes, {x, y}, [&] { output(x, y); });
      if (const int64_t rest = channels % lanes) {
        x = a.add(x, rest - lanes);
        y = a.add(y, rest - lanes);
        output(x, y);
      }
      x = a.add(x, (strideW - 1) * channels);
    });
  }

  /// Calls `tap` with each word of a window.
  void forTaps(AsmBuilder &a, Reg x, Variables carried, llvm::function_ref<void(Reg)> tap) const {
    constexpr int64_t reach = 4092;
    auto row = [&](Reg from, int64_t offset) {
      constexpr int64_t atOnce = 6; // one run of loads
      for (int64_t first = 0; first < kW; first += atOnce) {
        Regs words;
        for (int64_t kx = first; kx < std::min(first + atOnce, kW); ++kx)
          words.push_back(a.load(from, offset + kx * channels));
        llvm::for_each(words, tap);
      }
    };
    if (!isUnrolled()) {
      carried.push_back(x);
      a.loop(kH, carried, [&] {
        row(x, 0);
        x = a.add(x, rowBytes());
      });
      return;
    }
    for (int64_t ky = 0; ky < kH; ++ky) {
      const int64_t offset = ky * rowBytes();
      if (offset + kW * channels <= reach)
        row(x, offset);
      else
        row(a.add(x, offset), 0);
    }
  }

  /// The same in portable code: `body` gets the first channel of each word in input and output.
  void forOutputs(KernelBuilder &b, llvm::function_ref<void(Val, Val)> body) const {
    b.loop("x", outW, [&](Val x) {
      b.loop("channel", b.index(0), b.index(channels), 1,
             [&](Val c) { body(x * (strideW * channels) + c, x * channels + c); });
    });
  }
  Val accumulate(KernelBuilder &b, Buffer input, Val from, Val start,
                 llvm::function_ref<Val(Val, Val)> combine) const {
    return b.accumulate("ky", kH, start, [&](Val ky, Val acc) {
      return b.accumulate("kx", kW, acc, [&](Val kx, Val acc) {
        return combine(acc, b.load(input, from + ky * rowBytes() + kx * channels, "x"));
      });
    });
  }
};

//===-- Averages ----------------------------------------------------------------------------===//

/// From a sum to an output. The numbers for that are made once, before all windows; sums are pairs
/// of halves.
struct Finish {
  std::string suffix;
  std::function<SRegs(AsmBuilder &)> prepare;
  std::function<Reg(AsmBuilder &, ArrayRef<Reg> numbers, Reg sums, bool isUpper)> emit;
  std::function<Val(KernelBuilder &, Val sum)> portable;
};

Finish finishPool(const MeanScaling &s) {
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

/// Accumulators are 2^8 * (sum - offset).
constexpr int meanBits = 8;

Finish finishMean(const OutputScaling &scaling, int32_t offset) {
  std::vector<int32_t> numbers = {offset * (1 << meanBits)};
  scaling.appendConstants(0, numbers);
  std::string suffix = "_" + scaling.suffix();
  for (int32_t number : numbers)
    suffix += "_" + llvm::utohexstr(static_cast<uint32_t>(number), /*LowerCase=*/true);
  return {suffix,
          [=](AsmBuilder &a) {
            SRegs registers;
            for (int32_t number : numbers)
              registers.push_back(a.toS(a.constant(number)));
            return registers;
          },
          [=](AsmBuilder &a, ArrayRef<Reg> numbers, Reg sums, bool isUpper) {
            Reg sum = isUpper ? a.shiftRight(sums, 16) : a.sxth(sums);
            Reg accumulator = a.sub(a.shiftLeft(sum, meanBits), numbers[0]);
            return scaling.emit(a, accumulator, numbers.drop_front());
          },
          [=](KernelBuilder &b, Val sum) {
            Vals constants;
            for (int32_t number : ArrayRef(numbers).drop_front())
              constants.push_back(b.i32(number));
            return scaling.emit(b, (sum << meanBits) - numbers.front(), constants);
          }};
}

void averageInstructions(AsmBuilder &a, const Window &w, const Finish &finish,
                         ArrayRef<Reg> arguments) {
  SRegs kept = finish.prepare(a);
  w.forOutputs(a, arguments[0], arguments[1], [&](Reg &x, Reg &y) {
    Reg even = a.constant(0), odd = a.constant(0);
    w.forTaps(a, x, {even, odd}, [&](Reg bytes) {
      even = a.sxtab16(even, bytes);
      odd = a.sxtab16(odd, ror(bytes, 8));
    });
    Regs numbers;
    for (SReg number : kept)
      numbers.push_back(a.toR(number));
    for (int64_t i = 0; i < lanes; ++i)
      a.store(finish.emit(a, numbers, i % 2 ? odd : even, i >= 2), y, i, Width::U8);
    x = a.add(x, lanes);
    y = a.add(y, lanes);
  });
}

void averagePortable(KernelBuilder &b, const Window &w, const Finish &finish,
                     ArrayRef<Buffer> buffers) {
  w.forOutputs(b, [&](Val from, Val to) {
    KernelBuilder::NoOverflow proved(b);
    Val sum = w.accumulate(b, buffers[0], from, b.i32(0), [](Val acc, Val x) { return acc + x; });
    b.store(buffers[1], to, finish.portable(b, sum));
  });
}

//===-- Maxima ------------------------------------------------------------------------------===//

/// A word of four times the same byte.
int32_t fourTimes(int32_t value) {
  return static_cast<int32_t>(static_cast<uint8_t>(value) * 0x01010101u);
}

void maximumInstructions(AsmBuilder &a, const Window &w, ClampRange clamp,
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
    a.storePost(out, y, lanes);
    x = a.add(x, lanes);
  });
}

void maximumPortable(KernelBuilder &b, const Window &w, ClampRange clamp,
                     ArrayRef<Buffer> buffers) {
  w.forOutputs(b, [&](Val from, Val to) {
    Val largest = w.accumulate(b, buffers[0], from, b.i32(clamp.low),
                               [&](Val acc, Val x) { return b.max(acc, x); });
    b.store(buffers[1], to, b.min(largest, b.i32(clamp.high)));
  });
}

//===-- The kernels -------------------------------------------------------------------------===//

AsmKernel averageKernel(StringRef name, const Window &w, const Finish &finish) {
  AsmKernel kernel;
  kernel.name = (name + "_" + w.suffix() + finish.suffix).str();
  kernel.buffers = {{"x", ElementType::Int8, false}, {"y", ElementType::Int8, true}};
  kernel.instructions = [=](AsmBuilder &a, ArrayRef<Reg> arguments) {
    averageInstructions(a, w, finish, arguments);
  };
  kernel.portable = [=](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    averagePortable(b, w, finish, buffers);
  };
  return kernel;
}

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
    Window w{in.shape[2], in.shape[3], out.shape[2], filter[0], filter[1], strides[1]};
    constexpr int64_t mostWide = 16;
    // Every window is inside, and four channels are.
    if (llvm::any_of(pool.getPads(), [](int64_t pad) { return pad != 0; }) ||
        (out.shape[1] - 1) * strides[0] + w.kH > in.shape[1] ||
        (w.outW - 1) * w.strideW + w.kW > w.inW || w.channels < lanes || w.kW > mostWide ||
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

/// Means over neighbouring axes that others follow: windows of the whole picture.
class AsmMean : public Kernel {
public:
  StringRef getName() const override { return "mean.smlaw"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!dsp::appliesTo(q) || !q.target.fpu || q.constants[0])
      return std::nullopt;
    std::optional<Mean> mean = meanOf(q.op, q.inputs[0], q.outputs[0]);
    if (!mean)
      return std::nullopt;
    Candidate c;
    mean->kernel.addTo(c, mean->pictures);
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    const KernelOperand &in = operands.inputs[0], &out = operands.outputs[0];
    Mean mean = *meanOf(op, in.type, out.type);
    b.loop("picture", mean.pictures, [&](Val picture) {
      callAsm(b, mean.kernel,
              {{in.buffer, picture * (mean.count * mean.channels)},
               {out.buffer, picture * mean.channels}});
    });
  }

private:
  struct Mean {
    int64_t pictures = 1, count = 1, channels = 1;
    AsmKernel kernel;
  };

  static std::optional<Mean> meanOf(nn::NNOperator op, const TensorType &in,
                                    const TensorType &out) {
    if (!isa<nn::MeanOp>(*op) || !in.quantization)
      return std::nullopt;
    ArrayRef<int64_t> axes = op->getAttrOfType<DenseI64ArrayAttr>("axes").asArrayRef();
    if (axes.empty())
      return std::nullopt;
    const int64_t first = *llvm::min_element(axes), last = *llvm::max_element(axes);
    Mean mean;
    for (auto [axis, size] : llvm::enumerate(in.shape)) {
      const auto number = static_cast<int64_t>(axis);
      if (number >= first && number <= last && size > 1 && !llvm::is_contained(axes, number))
        return std::nullopt;
      (number < first ? mean.pictures : number <= last ? mean.count : mean.channels) *= size;
    }
    constexpr int64_t mostCount = 256; // sums of 16 bits
    std::optional<Window> window = windowOf(mean.count, mean.channels);
    if (!window || mean.count > mostCount)
      return std::nullopt;
    SumParams params = prepareSum(ReduceOp::Mean, in, out, mean.count);
    RequantPerChannel requant;
    requant.multipliers = {params.multiplier};
    requant.outputZeroPoint = params.outputZeroPoint;
    requant.clamp = params.range;
    ScaledAccumulator sum{meanBits,
                          {-128 * mean.count - params.offset, 127 * mean.count - params.offset}};
    auto scaling = OutputScaling::solve(requant, sum, /*mayOffset=*/false);
    if (!scaling)
      return std::nullopt;
    mean.kernel = averageKernel("mean", *window, finishMean(*scaling, params.offset));
    return mean;
  }

  /// A picture as rows: the longer they are, the fewer branches.
  static std::optional<Window> windowOf(int64_t count, int64_t channels) {
    if (channels < lanes)
      return std::nullopt;
    int64_t width = std::min<int64_t>(count, 16);
    while (count % width != 0 || (width > 1 && width * channels > 4000))
      --width;
    return Window{width, channels, 1, count / width, width, width};
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmPoolKernels(KernelList &list) {
  list.push_back(std::make_unique<AsmPool<nn::AveragePool2DOp>>());
  list.push_back(std::make_unique<AsmPool<nn::MaxPool2DOp>>());
  list.push_back(std::make_unique<AsmMean>());
}
