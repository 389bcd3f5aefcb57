// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable reductions. Every result accumulates its elements in row-major order of the input, as
// the reference does: it decides how float sums round.
#include "dialects/nn/reference/Broadcast.h"
#include "dialects/nn/reference/Reduce.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/RowSum.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

std::vector<int64_t> reducedAxes(nn::NNOperator op) {
  ArrayRef<int64_t> axes = op->getAttrOfType<DenseI64ArrayAttr>("axes").asArrayRef();
  return std::vector<int64_t>(axes.begin(), axes.end());
}

/// The input as a loop nest whose dimensions are kept (they step through the results) or reduced.
struct ReductionNest {
  struct Axis {
    int64_t extent, inStride, outStride;
  };
  SmallVector<Axis> kept, reduced;

  ReductionNest(const std::vector<int64_t> &shape, const std::vector<int64_t> &axes) {
    std::vector<int64_t> keptShape = shape;
    for (int64_t axis : axes)
      keptShape[static_cast<size_t>(axis)] = 1;
    BroadcastLoop loop = broadcastLoop({keptShape}, shape);
    std::vector<int64_t> inStrides = rowMajorStrides(loop.extents);
    for (size_t d = 0; d < loop.extents.size(); ++d) {
      Axis axis{loop.extents[d], inStrides[d], loop.strides[0][d]};
      (axis.outStride == 0 ? reduced : kept).push_back(axis);
    }
  }

  /// Calls body(in, out) for every result: where its elements start, and its own place.
  void forEachResult(KernelBuilder &b, Val in, Val out, function_ref<void(Val, Val)> body,
                     size_t axis = 0) const {
    if (axis == kept.size())
      return body(in, out);
    b.loop("k" + std::to_string(axis), kept[axis].extent, [&](Val k) {
      forEachResult(b, in + k * kept[axis].inStride, out + k * kept[axis].outStride, body,
                    axis + 1);
    });
  }

  /// combine(accumulator, place) over the elements of the result whose elements start at `in`.
  Val accumulate(KernelBuilder &b, Val in, Val initial, function_ref<Val(Val, Val)> combine,
                 size_t axis = 0) const {
    if (axis == reduced.size())
      return combine(initial, in);
    return b.accumulate(
        "r" + std::to_string(axis), reduced[axis].extent, initial, [&](Val r, Val acc) {
          return accumulate(b, in + r * reduced[axis].inStride, acc, combine, axis + 1);
        });
  }
};

class PortableReduction : public Kernel {
public:
  StringRef getName() const override { return "reduce.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    nn::NNOperator op = q.op;
    auto reduction = dyn_cast<nn::Reduction>(op.getOperation());
    if (!reduction || !reduceSupports(reduction.getReduceOp(), q.inputs[0].element))
      return std::nullopt;
    const CostRules &costs = q.target.costs;
    Candidate c;
    c.cycles = static_cast<int64_t>(static_cast<double>(q.inputs[0].elements()) *
                                        (costs.load + 2 * costs.alu + costs.takenBranch) +
                                    static_cast<double>(q.outputs[0].elements()) * 30);
    c.flashBytes = 120;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    const TensorType &type = operands.inputs[0].type;
    Computation c{b, cast<nn::Reduction>(op.getOperation()).getReduceOp(), type,
                  operands.outputs[0].type, reducedElements(type.shape, reducedAxes(op))};
    Buffer in = bufferOf(b, operands.inputs[0], "input"), out = operands.outputs[0].buffer;
    ReductionNest nest(type.shape, reducedAxes(op));
    nest.forEachResult(b, b.index(0), b.index(0), [&](Val from, Val to) {
      Val result = nest.accumulate(b, from, c.initial(), [&](Val acc, Val place) {
        return c.combine(acc, b.load(in, place, "value"));
      });
      b.store(out, to, c.finish(result));
    });
  }

protected:
  /// One result of reference/Reduce.cpp: start, step and end.
  struct Computation {
    KernelBuilder &b;
    ReduceOp op;
    const TensorType &in, &out;
    int64_t count;

    bool isReal() const { return in.element == ElementType::Float32; }
    bool isScaled() const {
      return in.quantization && (op == ReduceOp::Mean || op == ReduceOp::Sum);
    }
    /// Plain integers are summed to 64 bits where more than the low bits of the sum matter.
    bool isWide() const {
      return in.element == ElementType::Int64 || (!isReal() && !isScaled() && op == ReduceOp::Mean);
    }
    /// No sum of the elements leaves 32 bits.
    bool fits() const {
      return byteSize(in.element) <= 2 && op != ReduceOp::Prod &&
             count < (int64_t(1) << 31) >> (8 * byteSize(in.element));
    }

    Val number(int64_t integer, float real) const {
      return isReal() ? b.f32(real) : isWide() ? b.i64(integer) : b.i32(integer);
    }
    Val initial() const {
      switch (op) {
      case ReduceOp::Mean:
      case ReduceOp::Sum:
      case ReduceOp::Any:
        return number(0, 0.0f);
      case ReduceOp::Prod:
      case ReduceOp::All:
        return number(1, 1.0f);
      case ReduceOp::Max:
        return number(isWide() ? std::numeric_limits<int64_t>::lowest()
                               : storageRange(in.element).low,
                      std::numeric_limits<float>::lowest());
      case ReduceOp::Min:
        return number(isWide() ? std::numeric_limits<int64_t>::max()
                               : storageRange(in.element).high,
                      std::numeric_limits<float>::max());
      }
      return {};
    }

    Val combine(Val acc, Val value) const {
      KernelBuilder::NoOverflow guard(b, fits());
      if (isWide())
        value = b.toI64(value);
      switch (op) {
      case ReduceOp::Mean:
      case ReduceOp::Sum:
        return acc + value;
      case ReduceOp::Prod:
        return acc * value;
      case ReduceOp::Max:
        return b.max(acc, value);
      case ReduceOp::Min:
        return b.min(acc, value);
      case ReduceOp::Any:
        return acc | value;
      case ReduceOp::All:
        return acc & value;
      }
      return {};
    }

    Val finish(Val acc) const {
      if (isScaled()) {
        SumParams params = prepareSum(op, in, out, count);
        Val scaled = b.requantize(acc - params.offset, params.multiplier, Rounding::Double);
        return b.clamp(scaled + params.outputZeroPoint, params.range);
      }
      if (op != ReduceOp::Mean)
        return acc;
      return isReal() ? acc / b.f32(static_cast<float>(count)) : acc / count;
    }
  };
};

/// The mean or sum of a whole picture, fed row by row.
class ReductionByRows : public PortableReduction {
public:
  StringRef getName() const override { return "reduce.by_rows"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    nn::NNOperator op = q.op;
    auto reduction = dyn_cast<nn::Reduction>(op.getOperation());
    if (!reduction || !PortableReduction::propose(q))
      return std::nullopt;
    const TensorType &in = q.inputs[0];
    const ReduceOp kind = reduction.getReduceOp();
    if ((kind != ReduceOp::Mean && kind != ReduceOp::Sum) || in.rank() != 4 || in.shape[0] != 1 ||
        reducedAxes(op) != std::vector<int64_t>{1, 2})
      return std::nullopt;
    // Sums of 64 bits have no place in the scratch.
    if (in.element != ElementType::Float32 && !in.quantization)
      return std::nullopt;
    return RowSum::candidate(q);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const TensorType &type = operands.inputs[0].type;
    Computation c{b, cast<nn::Reduction>(op.getOperation()).getReduceOp(), type,
                  operands.outputs[0].type, reducedElements(type.shape, reducedAxes(op))};
    auto start = [&] { return c.initial(); };
    auto add = [&](Val sum, Val value) { return c.combine(sum, value); };
    auto end = [&](Val sum) { return c.finish(sum); };
    RowSum{start, add, end}.emit(b, operands, row);
  }
};

/// ARG_MAX and ARG_MIN: of equal elements the first wins, NaN loses against everything.
class PortableArgExtremum : public Kernel {
public:
  StringRef getName() const override { return "arg_min_max.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::ArgMaxOp, nn::ArgMinOp>(q.op))
      return std::nullopt;
    const CostRules &costs = q.target.costs;
    Candidate c;
    c.cycles = static_cast<int64_t>(static_cast<double>(q.inputs[0].elements()) *
                                    (costs.load + 4 * costs.alu + costs.takenBranch));
    c.flashBytes = 100;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    bool largest = isa<nn::ArgMaxOp>(op.getOperation());
    auto axis = static_cast<size_t>(op->getAttrOfType<IntegerAttr>("axis").getInt());
    const TensorType &type = operands.inputs[0].type;
    int64_t size = type.shape[axis], inner = rowMajorStrides(type.shape)[axis];
    int64_t outer = type.elements() / (size * inner);
    Buffer in = bufferOf(b, operands.inputs[0], "input"), out = operands.outputs[0].buffer;
    b.loop("outer", outer, [&](Val o) {
      b.loop("inner", inner, [&](Val i) {
        Val line = o * (size * inner) + i;
        Val index = b.i32(0), value = b.load(in, line, "best");
        Vals best = b.loop(
            "i", b.index(1), b.index(size), 1, {index, value}, [&](Val i, ArrayRef<Val> best) {
              Val value = b.load(in, line + i * inner, "value");
              Val wins = beats(value, best[1], largest);
              return Vals{b.select(wins, b.toI32(i), best[0]), b.select(wins, value, best[1])};
            });
        b.store(out, o * inner + i, best[0]);
      });
    });
  }

private:
  static Val beats(Val candidate, Val current, bool largest) {
    Val wins = largest ? candidate > current : candidate < current;
    if (candidate.isFloat())
      wins = wins | ((current != current) & (candidate == candidate));
    return wins;
  }
};

} // namespace
} // namespace thimble

void thimble::addReductionKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableReduction>());
  list.push_back(std::make_unique<ReductionByRows>());
  list.push_back(std::make_unique<PortableArgExtremum>());
}
