// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable normalizations along the last axis. What the 8-bit kernels of the reference compute from
// the distance of an element to its row's maximum, of which there are 256, is tabulated here by the
// same functions.
#include "dialects/nn/reference/Softmax.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

/// One row along the last axis: its elements are at `start` + [0, depth).
struct NormalizedRow {
  NormalizedRow(KernelBuilder &b, const KernelOperands &operands, Val row)
      : input(bufferOf(b, operands.inputs[0], "input")), output(operands.outputs[0].buffer),
        depth(operands.outputs[0].type.shape.back()), start(row * depth) {}

  Buffer input, output;
  int64_t depth;
  Val start;
};

Val maximumOf(KernelBuilder &b, const NormalizedRow &row) {
  Val lowest = row.input.element == ElementType::Float32
                   ? b.f32(std::numeric_limits<float>::lowest())
                   : b.i32(storageRange(row.input.element).low);
  return b.accumulate("c", row.depth, lowest, [&](Val c, Val maximum) {
    return b.max(maximum, b.load(row.input, row.start + c, "value"));
  });
}

/// sum + term, where `fits` says that no sum of a row leaves 32 bits; else saturated.
Val addTerm(KernelBuilder &b, Val sum, Val term, bool fits) {
  if (!fits)
    return b.call("thimble_saturating_add", {sum, term}, sum);
  KernelBuilder::NoOverflow guard(b);
  return sum + term;
}

/// maximum - element: the index into the tables of 256.
Val distance(KernelBuilder &b, const NormalizedRow &row, Val maximum, Val c) {
  KernelBuilder::NoOverflow guard(b);
  return maximum - b.load(row.input, row.start + c, "value");
}

/// exp of minus a distance, without integer bits. Where it adds nothing to a sum, it is no more
/// than 2^-20 of one, and its share of it is zero as well: the table ends with a zero before those.
class Exps {
public:
  Exps(KernelBuilder &b, const SoftmaxParams &params, bool isTabulated = true)
      : b(b), params(params) {
    if (!isTabulated)
      return;
    std::vector<int32_t> values;
    for (int32_t i = 0; i < 256; ++i) {
      const bool counts = -i >= params.diffMin;
      const int32_t power =
          counts ? thimble_exp_on_negative_values(requantize(-i, params.diff), softmaxDiffBits) : 0;
      values.push_back(power < half ? 0 : power);
      if (power < half)
        break;
    }
    last = static_cast<int64_t>(values.size()) - 1;
    table = b.table<int32_t>("exp", values);
  }

  Val at(Val distance) const {
    if (!table.memref)
      return computed(distance);
    return b.load(table, last < 255 ? b.min(distance, b.i32(last)) : distance, "power");
  }
  /// With softmaxSumBits integer bits.
  Val term(Val distance) const {
    return b.shiftRightLogical(at(distance) + half, b.i32(softmaxSumBits));
  }

private:
  Val computed(Val distance) const {
    Val argument = b.requantize(0 - distance, params.diff, Rounding::Double);
    Val power =
        b.call("thimble_exp_on_negative_values", {argument, b.i32(softmaxDiffBits)}, argument);
    return b.select(distance > -params.diffMin, b.i32(0), power);
  }

  static constexpr int32_t half = 1 << (softmaxSumBits - 1);
  KernelBuilder &b;
  const SoftmaxParams &params;
  Buffer table;
  int64_t last = 0;
};

/// Sum of the exps of a row, with softmaxSumBits integer bits.
Val sumOfExps(KernelBuilder &b, const NormalizedRow &row, const Exps &exps, Val maximum) {
  bool fits = row.depth < 1 << softmaxSumBits;
  return b.accumulate("c", row.depth, b.i32(0), [&](Val c, Val sum) {
    return addTerm(b, sum, exps.term(distance(b, row, maximum, c)), fits);
  });
}

void softmaxBytes(KernelBuilder &b, const NormalizedRow &row, const Exps &exps) {
  ClampRange range = storageRange(row.output.element);
  int64_t outputBits = 8 * static_cast<int64_t>(byteSize(row.output.element));
  Val maximum = maximumOf(b, row);
  Val sum = sumOfExps(b, row, exps, maximum);
  // sum = (1 + f) 2^(31 - zeros), f being a fraction of 31 bits.
  Val zeros = b.call("thimble_clz", {sum}, sum);
  Val fraction = (sum << zeros) ^ b.i32(std::numeric_limits<int32_t>::min());
  Val scale = b.call("thimble_one_over_one_plus_x", {fraction}, sum);
  Val shift = softmaxSumBits + 31 - outputBits - zeros;
  // A shift by more than 31 bits leaves nothing: sums above 2^28, for bytes.
  if (outputBits == 8 && row.depth >= 512) {
    scale = b.select(shift > 31, b.i32(0), scale);
    shift = b.min(shift, b.i32(31));
  }
  // At least 15: there is a half, and a share that is not negative has room for it.
  Val half = b.i32(1) << (shift - 1);
  b.loop("c", row.depth, [&](Val c) {
    Val power = exps.at(distance(b, row, maximum, c));
    Val share = b.call("thimble_rounding_doubling_high_mul", {scale, power}, scale);
    Val stored = b.shiftRightLogical(share + half, shift) + range.low;
    b.store(row.output, row.start + c, b.min(stored, b.i32(range.high)));
  });
}

/// `thimble_lut_i16` of `at`, saturated.
Val lookUp(KernelBuilder &b, Buffer table, Val at) {
  KernelBuilder::NoOverflow guard(b);
  at = b.clamp(at, storageRange(ElementType::Int16));
  Val entry = b.toIndex((at >> 7) + 256);
  Val low = b.load(table, entry, "low"), high = b.load(table, entry + 1, "high");
  return low + (((high - low) * (at & 0x7f) + 64) >> 7);
}

void softmaxShorts(KernelBuilder &b, const NormalizedRow &row, const SoftmaxParams &params) {
  Buffer exps = b.table<int16_t>("exp", params.expTable);
  Buffer reciprocals = b.table<int16_t>("reciprocal", params.reciprocalTable);
  Val maximum = maximumOf(b, row);
  bool fits = row.depth <= 1 << 16;
  // Sum with 15 fraction bits, as the exps, which wait in the output.
  Val sum = b.accumulate("c", row.depth, b.i32(0), [&](Val c, Val sum) {
    KernelBuilder::NoOverflow guard(b);
    Val diff = b.load(row.input, row.start + c, "value") - maximum;
    Val power = lookUp(b, exps, b.requantize(diff, params.diff, Rounding::Double) + 32767);
    b.store(row.output, row.start + c, power);
    return addTerm(b, sum, power, fits);
  });
  // sum = 2^k (1 + f): the table gives 1 / (1 + f) for f moved to [-32768, 32767].
  Val zeros = b.call("thimble_clz", {sum}, sum);
  Val normalized = b.shiftRightLogical((sum << (zeros - 1)) + (1 << 13), b.i32(14));
  KernelBuilder::NoOverflow guard(b);
  Val reciprocal = lookUp(b, reciprocals, normalized - ((1 << 15) + (1 << 16)));
  Val shift = 31 - zeros;
  Val half = b.i32(1) << (shift - 1);
  b.loop("c", row.depth, [&](Val c) {
    // Factors of 15 bits and half of at most 29: the sum fits.
    Val share = (b.load(row.output, row.start + c, "power") * reciprocal + half) >> shift;
    b.store(row.output, row.start + c, b.clamp(share, ClampRange{0, 32767}));
  });
}

void softmaxFloats(KernelBuilder &b, const NormalizedRow &row, float beta) {
  Val maximum = maximumOf(b, row);
  Val sum = b.accumulate("c", row.depth, b.f32(0), [&](Val c, Val sum) {
    Val x = (b.load(row.input, row.start + c, "value") - maximum) * beta;
    Val power = b.call("thimble_expf", {x}, x);
    b.store(row.output, row.start + c, power);
    return sum + power;
  });
  b.loop("c", row.depth, [&](Val c) {
    b.store(row.output, row.start + c, b.load(row.output, row.start + c, "power") / sum);
  });
}

void logSoftmaxBytes(KernelBuilder &b, const NormalizedRow &row, const SoftmaxParams &params) {
  ClampRange range = storageRange(row.output.element);
  constexpr int outputBits = 4;
  std::vector<int32_t> arguments(256);
  for (int32_t i = 0; i < 256; ++i)
    arguments[i] = requantize(-i, params.diff);
  Buffer exponents = b.table<int32_t>("exponent", arguments);
  Val maximum = maximumOf(b, row);
  Val sum = sumOfExps(b, row, Exps(b, params), maximum);
  Val logSum =
      b.call("thimble_log_fixed", {sum, b.i32(softmaxSumBits), b.i32(softmaxDiffBits)}, sum);
  // From this distance on the difference with logSum would overflow.
  Val lowest =
      b.requantize(logSum + std::numeric_limits<int32_t>::min(), params.reverse, Rounding::Double);
  Val limit = 0 - b.max(b.i32(params.diffMin - 1), lowest);
  b.loop("c", row.depth, [&](Val c) {
    Val away = distance(b, row, maximum, c);
    Val log = b.call(
        "thimble_rounding_divide_by_pot",
        {b.load(exponents, away, "exponent") - logSum, b.i32(31 - softmaxDiffBits - outputBits)},
        logSum);
    KernelBuilder::NoOverflow guard(b);
    Val stored = b.clamp(log + range.high, range);
    b.store(row.output, row.start + c, b.select(away >= limit, b.i32(range.low), stored));
  });
}

void logSoftmaxFloats(KernelBuilder &b, const NormalizedRow &row) {
  Val maximum = maximumOf(b, row);
  Val sum = b.accumulate("c", row.depth, b.f32(0), [&](Val c, Val sum) {
    Val x = b.load(row.input, row.start + c, "value") - maximum;
    return sum + b.call("thimble_expf", {x}, x);
  });
  Val logSum = b.call("thimble_logf", {sum}, sum);
  b.loop("c", row.depth, [&](Val c) {
    b.store(row.output, row.start + c,
            b.load(row.input, row.start + c, "value") - maximum - logSum);
  });
}

void l2NormalizationBytes(KernelBuilder &b, const NormalizedRow &row, int32_t zeroPoint) {
  bool isSigned = row.output.element == ElementType::Int8;
  auto centred = [&](Val c) {
    KernelBuilder::NoOverflow guard(b);
    return b.load(row.input, row.start + c, "value") - zeroPoint;
  };
  // Distances from the zero point are at most 255.
  KernelBuilder::NoOverflow guard(b, row.depth <= 1 << 15);
  Val sum = b.accumulate("c", row.depth, b.i32(0), [&](Val c, Val sum) {
    Val diff = centred(c);
    return sum + diff * diff;
  });
  Val multiplier = b.call("thimble_inverse_sqrt_mantissa", {sum}, sum);
  Val shift = b.call("thimble_inverse_sqrt_shift", {sum}, sum);
  // The factor 128 is a shift for int8 and a product for uint8: they round differently.
  if (isSigned)
    shift = shift + 7;
  b.loop("c", row.depth, [&](Val c) {
    KernelBuilder::NoOverflow guard(b);
    Val diff = centred(c);
    Val scaled = b.requantize(isSigned ? diff : diff * 128, multiplier, shift, Rounding::Double);
    b.store(row.output, row.start + c,
            b.clamp(isSigned ? scaled : scaled + 128, storageRange(row.output.element)));
  });
}

void l2NormalizationFloats(KernelBuilder &b, const NormalizedRow &row) {
  Val sum = b.accumulate("c", row.depth, b.f32(0), [&](Val c, Val sum) {
    Val x = b.load(row.input, row.start + c, "value");
    return sum + x * x;
  });
  Val norm = b.max(b.call("thimble_sqrtf", {sum}, sum), b.f32(1e-6f));
  b.loop("c", row.depth, [&](Val c) {
    b.store(row.output, row.start + c, b.load(row.input, row.start + c, "value") / norm);
  });
}

/// Cost estimates: cycles an element, and bytes of code and tables.
struct NormalizationCost {
  int64_t cycles, flash;
};

Candidate candidateFor(const KernelQuery &q, NormalizationCost cost) {
  const TensorType &in = q.inputs[0], &out = q.outputs[0];
  Candidate c;
  c.rows = out.elements() / std::max<int64_t>(out.shape.back(), 1);
  c.cycles = cost.cycles * out.elements() + 160 * c.rows;
  c.flashBytes = cost.flash;
  // Rows are read before the output is written, or each element just before its own.
  if (byteSize(in.element) == byteSize(out.element))
    c.inPlaceInputs = {0};
  return c;
}

/// Of bytes; short rows need no table.
class ComputedSoftmax : public Kernel {
public:
  StringRef getName() const override { return "softmax.computed"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::SoftmaxOp>(q.op) || byteSize(q.inputs[0].element) != 1)
      return std::nullopt;
    return candidateFor(q, {330, 1100});
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val rowIndex) const override {
    float beta = cast<nn::SoftmaxOp>(op).getBeta().convertToFloat();
    SoftmaxParams params = prepareSoftmax(operands.inputs[0].type, beta);
    softmaxBytes(b, NormalizedRow(b, operands, rowIndex), Exps(b, params, /*isTabulated=*/false));
  }
};

class PortableSoftmax : public Kernel {
public:
  StringRef getName() const override { return "softmax.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::SoftmaxOp>(q.op))
      return std::nullopt;
    switch (q.inputs[0].element) {
    case ElementType::Float32:
      return candidateFor(q, {110, 400});
    case ElementType::Int16:
      return candidateFor(q, {60, 300 + 4 * 513});
    default:
      return candidateFor(q, {48, 450 + 4 * 256});
    }
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val rowIndex) const override {
    float beta = cast<nn::SoftmaxOp>(op).getBeta().convertToFloat();
    SoftmaxParams params = prepareSoftmax(operands.inputs[0].type, beta);
    NormalizedRow row(b, operands, rowIndex);
    switch (row.input.element) {
    case ElementType::Float32:
      return softmaxFloats(b, row, params.beta);
    case ElementType::Int16:
      return softmaxShorts(b, row, params);
    default:
      return softmaxBytes(b, row, Exps(b, params));
    }
  }
};

class PortableLogSoftmax : public Kernel {
public:
  StringRef getName() const override { return "log_softmax.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::LogSoftmaxOp>(q.op))
      return std::nullopt;
    bool isFloat = q.inputs[0].element == ElementType::Float32;
    return candidateFor(q, isFloat ? NormalizationCost{90, 600}
                                   : NormalizationCost{40, 800 + 8 * 256});
  }

  void emit(KernelBuilder &b, nn::NNOperator, const KernelOperands &operands,
            Val rowIndex) const override {
    NormalizedRow row(b, operands, rowIndex);
    if (row.input.element == ElementType::Float32)
      return logSoftmaxFloats(b, row);
    logSoftmaxBytes(b, row, prepareLogSoftmax(operands.inputs[0].type));
  }
};

class PortableL2Normalization : public Kernel {
public:
  StringRef getName() const override { return "l2_normalization.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::L2NormalizationOp>(q.op))
      return std::nullopt;
    return candidateFor(q, {30, 500});
  }

  void emit(KernelBuilder &b, nn::NNOperator, const KernelOperands &operands,
            Val rowIndex) const override {
    NormalizedRow row(b, operands, rowIndex);
    if (row.input.element == ElementType::Float32)
      return l2NormalizationFloats(b, row);
    l2NormalizationBytes(b, row, operands.inputs[0].type.zeroPoint());
  }
};

} // namespace
} // namespace thimble

void thimble::addNormalizationKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableSoftmax>());
  list.push_back(std::make_unique<ComputedSoftmax>());
  list.push_back(std::make_unique<PortableLogSoftmax>());
  list.push_back(std::make_unique<PortableL2Normalization>());
}
