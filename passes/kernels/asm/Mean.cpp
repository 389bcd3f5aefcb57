// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Means of int8 over pictures: as averages of a window, scaled as the reference scales a sum.
#include "dialects/nn/reference/Reduce.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/OutputScaling.h"
#include "passes/kernels/asm/PoolRow.h"
#include "passes/kernels/dsp/DspOps.h"

#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace thimble {
namespace {

/// Accumulators are 2^8 * (sum - offset).
constexpr int meanBits = 8;

AverageFinish finishMean(const OutputScaling &scaling, int32_t offset) {
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
    std::optional<PoolRow> window = windowOf(mean.count, mean.channels);
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
  static std::optional<PoolRow> windowOf(int64_t count, int64_t channels) {
    if (channels < poolLanes)
      return std::nullopt;
    int64_t width = std::min<int64_t>(count, 16);
    while (count % width != 0 || (width > 1 && width * channels > 4000))
      --width;
    return PoolRow{width, channels, 1, count / width, width, width};
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmMeanKernels(KernelList &list) { list.push_back(std::make_unique<AsmMean>()); }
