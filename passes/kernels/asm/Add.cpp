// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Additions and subtractions of int8 tensors of any scales. The operator is a function
// of two bytes; where it is
//   y = saturate((floor(A * a / 256) + floor(B * b / 256) + C) >> E)
// for all 65,536 pairs, for integers that are found here, that is its proof. SMLAWB and SMLAWT
// multiply a word by a half and drop 16 bits: with a byte in the upper part of its half, where one
// AND puts two of them, they take it where it is.
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/BytePairs.h"
#include "passes/kernels/asm/OutputScaling.h"
#include "passes/kernels/dsp/DspOps.h"

#include <cmath>

using namespace mlir;

namespace thimble {
namespace {

struct AffineSum {
  int32_t a = 0, b = 0, c = 0;
  int shift = 0;
  OutputScaling::Saturation saturation;
};

/// Searches A, B and C for one operator.
class AffineSearch {
public:
  explicit AffineSearch(const ScaledBinary &reference)
      : range(reference.range), saturation(OutputScaling::saturationFor(reference.range)) {
    scaleA = realScale(reference.a, reference);
    scaleB = realScale(reference.b, reference);
    if (reference.op == BinaryOp::Sub)
      scaleB = -scaleB;
    // Sums of 2^shift times the operands' reach fit a word, and so do the factors.
    double reach = 256 * (std::abs(scaleA) + std::abs(scaleB)) + 300;
    double factor = 256 * std::max(std::abs(scaleA), std::abs(scaleB));
    shift = static_cast<int>(std::min(23.0, std::floor(31 - std::log2(std::max(reach, factor)))));
    for (int x = 0; x < values; ++x)
      for (int y = 0; y < values; ++y)
        outputs[x][y] = static_cast<int16_t>(reference.apply(x - 128, y - 128));
  }

  std::optional<AffineSum> find() const {
    if (shift < 0)
      return std::nullopt;
    // Ties round away from zero: a tilt of a few 2^-22 settles them.
    for (int tilt : {0, 2, -2, 4, -4, 8, 1, -1, 16, -8, 32, 64, -16, 128, 256, -32})
      for (int other : {0, 1, -1, 3, -3})
        if (auto sum = withFactors(tilted(scaleA, tilt), tilted(scaleB, tilt + other)))
          return sum;
    return std::nullopt;
  }

private:
  static constexpr int values = 256;

  static double realScale(const ScaledOperand &operand, const ScaledBinary &reference) {
    auto real = [](QuantizedMultiplier m) { return std::ldexp(m.multiplier, m.shift - 31); };
    return std::ldexp(real(operand.multiplier) * real(reference.output), reference.leftShift);
  }
  int64_t tilted(double scale, int tilt) const {
    return std::llround(std::ldexp(scale, shift + 8) * (1 + std::ldexp(tilt, -22)));
  }

  /// Each pair bounds C from one or both sides.
  std::optional<AffineSum> withFactors(int64_t a, int64_t b) const {
    constexpr int64_t most = std::numeric_limits<int32_t>::max();
    if (std::abs(a) > most || std::abs(b) > most)
      return std::nullopt;
    int32_t sums[values];
    for (int y = 0; y < values; ++y)
      sums[y] = product(b, y);
    int64_t low = -most, high = most;
    for (int x = 0; x < values && low <= high; ++x) {
      const int32_t left = product(a, x);
      int32_t rowLow = -most, rowHigh = most;
      for (int y = 0; y < values; ++y) {
        const int32_t out = outputs[x][y];
        const int32_t least = (out + saturation.delta) * (1 << shift) - left - sums[y];
        rowLow = out > range.low ? std::max(rowLow, least) : rowLow;
        rowHigh = out < range.high ? std::min(rowHigh, least + ((1 << shift) - 1)) : rowHigh;
      }
      low = std::max<int64_t>(low, rowLow);
      high = std::min<int64_t>(high, rowHigh);
    }
    if (low > high)
      return std::nullopt;
    const int64_t c = low + (high - low) / 2;
    if (!fits(a, b, c))
      return std::nullopt;
    return AffineSum{static_cast<int32_t>(a), static_cast<int32_t>(b), static_cast<int32_t>(c),
                     shift, saturation};
  }

  static int32_t product(int64_t factor, int index) {
    return static_cast<int32_t>((factor * (index - 128)) >> 8);
  }
  /// No sum leaves a word.
  bool fits(int64_t a, int64_t b, int64_t c) const {
    constexpr int64_t most = std::numeric_limits<int32_t>::max();
    const int64_t reach = (std::abs(a) + std::abs(b)) / 2 + 2;
    return std::abs(c) + reach <= most;
  }

  ClampRange range;
  OutputScaling::Saturation saturation;
  double scaleA, scaleB;
  int shift;
  int16_t outputs[values][values];
};

std::optional<AffineSum> affineSumOf(nn::NNOperator op, const TensorType &a, const TensorType &b,
                                     const TensorType &out) {
  auto binary = cast<nn::BinaryElementwise>(op.getOperation());
  BinaryParams params;
  params.op = binary.getBinaryOp();
  params.activation = static_cast<Activation>(binary.getFusedActivation());
  return std::make_unique<AffineSearch>(prepareScaled(params, a, b, out))->find();
}

//===-- Code --------------------------------------------------------------------------------===//

/// Words of the table.
enum { FactorA, FactorB, Addend, Count, TableWords };

struct Code {
  int shift;
  OutputScaling::Saturation saturation;
  BytePairs pairs;
};

class Instructions {
public:
  Instructions(AsmBuilder &a, const Code &code) : a(a), code(code) {}

  void emit(ArrayRef<Reg> arguments) {
    Reg table = arguments[3];
    factorA = a.loadTable(table, 4 * FactorA);
    factorB = a.loadTable(table, 4 * FactorB);
    addend = a.loadTable(table, 4 * Addend);
    Reg count = a.loadTable(table, 4 * Count);
    if (code.pairs.trips)
      mask = a.constant(int64_t(0xff00ff00));
    auto eight = [&](BytePairs::Pointers &at) {
      Reg right1 = a.load(at.y, 4), left1 = a.load(at.x, 4);
      Reg right0 = a.loadPost(at.y, 8), left0 = a.loadPost(at.x, 8);
      four(left0, right0, at.out, 0);
      four(left1, right1, at.out, 4);
      at.out = a.add(at.out, 8);
    };
    code.pairs.emit(a, {arguments[0], arguments[1], arguments[2]}, count, eight,
                    [&](Reg x, Reg y) { return one(a.shiftLeft(x, 8), a.shiftLeft(y, 8), false); });
  }

private:
  void four(Reg left, Reg right, Reg out, int64_t offset) {
    Reg evenLeft = a.bitAnd(mask, lsl(left, 8)), evenRight = a.bitAnd(mask, lsl(right, 8));
    Reg oddLeft = a.bitAnd(left, mask), oddRight = a.bitAnd(right, mask);
    for (int64_t i = 0; i < 4; ++i) {
      Reg value = i % 2 ? one(oddLeft, oddRight, i > 1) : one(evenLeft, evenRight, i > 1);
      a.store(value, out, offset + i, Width::U8);
    }
  }

  Reg one(Reg left, Reg right, bool isTop) {
    Reg sum = isTop ? a.smlawt(factorA, left, addend) : a.smlawb(factorA, left, addend);
    sum = isTop ? a.smlawt(factorB, right, sum) : a.smlawb(factorB, right, sum);
    return OutputScaling::saturate(a, code.saturation,
                                   code.shift ? asr(sum, code.shift) : Shifted(sum));
  }

  AsmBuilder &a;
  const Code &code;
  Reg factorA, factorB, addend, mask;
};

void emitPortable(KernelBuilder &b, const Code &code, ArrayRef<Buffer> buffers) {
  auto word = [&](int64_t i) { return b.load(buffers[3], b.index(i), "word"); };
  Val factorA = b.toI64(word(FactorA)), factorB = b.toI64(word(FactorB)), addend = word(Addend);
  KernelBuilder::NoOverflow proved(b);
  b.loop("i", b.index(0), b.toIndex(word(Count)), 1, [&](Val i) {
    auto product = [&](Val factor, Buffer operand) {
      return b.toI32((factor * b.toI64(b.load(operand, i, "x"))) >> 8);
    };
    Val sum = addend + product(factorA, buffers[0]) + product(factorB, buffers[1]);
    b.store(buffers[2], i, OutputScaling::saturate(b, code.saturation, sum >> code.shift));
  });
}

AsmKernel asmKernel(const AffineSum &sum, int64_t elements) {
  Code code{sum.shift, sum.saturation, BytePairs(elements)};
  AsmKernel kernel;
  kernel.name = "add_e" + std::to_string(code.shift) + OutputScaling::suffix(code.saturation) +
                code.pairs.suffix();
  kernel.buffers = {{"x", ElementType::Int8, false},
                    {"y", ElementType::Int8, false},
                    {"out", ElementType::Int8, true},
                    {"table", ElementType::Int32, false}};
  kernel.instructions = [code](AsmBuilder &a, ArrayRef<Reg> arguments) {
    Instructions(a, code).emit(arguments);
  };
  kernel.portable = [code](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    emitPortable(b, code, buffers);
  };
  return kernel;
}

class AsmAdd : public Kernel {
public:
  StringRef getName() const override { return "add.smlaw"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::AddOp, nn::SubOp>(*q.op) || !dsp::appliesTo(q) || !q.target.fpu ||
        q.inputs[1].element != ElementType::Int8)
      return std::nullopt;
    auto calls = PairCalls::of(q.inputs[0], q.inputs[1], q.outputs[0]);
    if (!calls)
      return std::nullopt;
    auto sum = affineSumOf(q.op, q.inputs[0], q.inputs[1], q.outputs[0]);
    if (!sum)
      return std::nullopt;
    Candidate c;
    asmKernel(*sum, calls->elements).addTo(c, calls->times);
    c.flashBytes += 4 * TableWords;
    c.inPlaceInputs = calls->inPlace(q);
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const KernelOperand &x = operands.inputs[0], &y = operands.inputs[1];
    const KernelOperand &out = operands.outputs[0];
    AffineSum sum = *affineSumOf(op, x.type, y.type, out.type);
    PairCalls calls = *PairCalls::of(x.type, y.type, out.type);
    const int32_t table[TableWords] = {sum.a, sum.b, sum.c, static_cast<int32_t>(calls.elements)};
    calls.emit(b, asmKernel(sum, calls.elements), operands, b.table<int32_t>("numbers", table));
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmAddKernels(KernelList &list) { list.push_back(std::make_unique<AsmAdd>()); }
