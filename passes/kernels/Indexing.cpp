// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable kernels that index by run-time tensors. No index leads out of a tensor: gathered ones
// are clamped, scattered ones that lie outside are dropped (reference/Gather.h).
#include "dialects/nn/reference/Broadcast.h"
#include "dialects/nn/reference/Gather.h"
#include "passes/kernels/Copy.h"
#include "passes/kernels/Families.h"

#include <numeric>

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

int64_t product(ArrayRef<int64_t> shape) {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<>());
}

/// An operand of int32 or int64 indices.
class Indices {
public:
  Indices(KernelBuilder &b, const KernelOperand &operand)
      : b(b), buffer(bufferOf(b, operand, "indices")) {}

  /// As stored, i32 or i64.
  Val at(Val position) const { return b.load(buffer, position, "at"); }
  /// The nearest index of an axis of `size`.
  Val clampedAt(Val position, int64_t size) const {
    if (size == 1)
      return b.index(0);
    return b.toIndex(b.clamp(at(position), ClampRange{0, static_cast<int32_t>(size - 1)}));
  }

private:
  KernelBuilder &b;
  Buffer buffer;
};

Val isWithin(Val index, int64_t size) {
  Val notBelow = index >= 0;
  return notBelow & (index < size);
}

/// What the kernels here have in common: each serves one operator, as a whole.
template <typename OpTy> class IndexingKernel : public Kernel {
public:
  explicit IndexingKernel(StringRef name) : name(name) {}
  StringRef getName() const override { return name; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<OpTy>(q.op))
      return std::nullopt;
    Candidate c;
    c.cycles = movementCycles(q.target, q.outputs[0].elements(), 2);
    c.flashBytes = 120;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val) const override {
    emitOp(b, cast<OpTy>(op.getOperation()), operands);
  }

private:
  void emitOp(KernelBuilder &b, OpTy op, const KernelOperands &operands) const;

  StringRef name;
};

template <>
void IndexingKernel<nn::GatherOp>::emitOp(KernelBuilder &b, nn::GatherOp op,
                                          const KernelOperands &operands) const {
  Buffer in = bufferOf(b, operands.inputs[0], "input"), out = operands.outputs[0].buffer;
  Indices indices(b, operands.inputs[1]);
  GatherLoop n =
      prepareGather(operands.inputs[0].type.shape, operands.inputs[1].type.shape,
                    static_cast<int64_t>(op.getAxis()), static_cast<int64_t>(op.getBatchDims()));
  b.loop("batch", n.batch, [&](Val batch) {
    b.loop("outer", n.outer, [&](Val outer) {
      Val row = batch * n.outer + outer;
      b.loop("k", n.indices, [&](Val k) {
        Val at = indices.clampedAt(batch * n.indices + k, n.axisSize);
        copyRun(b, in, (row * n.axisSize + at) * n.inner, out, (row * n.indices + k) * n.inner,
                n.inner);
      });
    });
  });
}

template <>
void IndexingKernel<nn::GatherNDOp>::emitOp(KernelBuilder &b, nn::GatherNDOp,
                                            const KernelOperands &operands) const {
  ArrayRef<int64_t> shape = operands.inputs[0].type.shape;
  ArrayRef<int64_t> tuples = operands.inputs[1].type.shape;
  Buffer in = bufferOf(b, operands.inputs[0], "input"), out = operands.outputs[0].buffer;
  Indices indices(b, operands.inputs[1]);
  int64_t depth = tuples.back(), count = product(tuples.drop_back());
  int64_t slice = product(shape.drop_front(static_cast<size_t>(depth)));
  std::vector<int64_t> strides = rowMajorStrides(operands.inputs[0].type.shape);
  b.loop("k", count, [&](Val k) {
    Val from = b.index(0);
    for (int64_t d = 0; d < depth; ++d) {
      size_t axis = static_cast<size_t>(d);
      from = from + indices.clampedAt(k * depth + d, shape[axis]) * strides[axis];
    }
    copyRun(b, in, from, out, k * slice, slice);
  });
}

template <>
void IndexingKernel<nn::ScatterNDOp>::emitOp(KernelBuilder &b, nn::ScatterNDOp,
                                             const KernelOperands &operands) const {
  ArrayRef<int64_t> shape = operands.outputs[0].type.shape;
  ArrayRef<int64_t> tuples = operands.inputs[0].type.shape;
  Indices indices(b, operands.inputs[0]);
  Buffer updates = bufferOf(b, operands.inputs[1], "updates"), out = operands.outputs[0].buffer;
  int64_t depth = tuples.back(), count = product(tuples.drop_back());
  int64_t slice = product(shape.drop_front(static_cast<size_t>(depth)));
  std::vector<int64_t> strides = rowMajorStrides(operands.outputs[0].type.shape);

  // The zero of the stored numbers, whatever the zero point.
  TensorType plain{operands.outputs[0].type.element, {}, std::nullopt};
  fillRun(b, out, b.index(0), product(shape), zeroOf(b, plain));
  b.loop("k", count, [&](Val k) {
    SmallVector<Val> at;
    Val inside;
    for (int64_t d = 0; d < depth; ++d) {
      at.push_back(indices.at(k * depth + d));
      Val within = isWithin(at.back(), shape[static_cast<size_t>(d)]);
      inside = inside ? inside & within : within;
    }
    b.when(inside, [&] {
      Val to = b.index(0);
      for (size_t d = 0; d < at.size(); ++d)
        to = to + b.toIndex(at[d]) * strides[d];
      b.loop("i", slice, [&](Val i) {
        Val sum = b.load(out, to + i, "sum"), update = b.load(updates, k * slice + i, "update");
        b.store(out, to + i, out.element == ElementType::Bool ? sum | update : sum + update);
      });
    });
  });
}

template <>
void IndexingKernel<nn::OneHotOp>::emitOp(KernelBuilder &b, nn::OneHotOp op,
                                          const KernelOperands &operands) const {
  ArrayRef<int64_t> shape = operands.outputs[0].type.shape;
  size_t axis = static_cast<size_t>(op.getAxis());
  int64_t outer = product(shape.take_front(axis)), inner = product(shape.drop_front(axis + 1));
  int64_t depth = shape[axis];
  Buffer out = operands.outputs[0].buffer;
  Indices indices(b, operands.inputs[0]);
  Val on = scalarOf(b, operands.inputs[1], "on_value");
  fillRun(b, out, b.index(0), product(shape), scalarOf(b, operands.inputs[2], "off_value"));
  b.loop("outer", outer, [&](Val o) {
    b.loop("inner", inner, [&](Val i) {
      Val at = indices.at(o * inner + i);
      b.when(isWithin(at, depth),
             [&] { b.store(out, (o * depth + b.toIndex(at)) * inner + i, on); });
    });
  });
}

template <>
void IndexingKernel<nn::FillOp>::emitOp(KernelBuilder &b, nn::FillOp,
                                        const KernelOperands &operands) const {
  fillRun(b, operands.outputs[0].buffer, b.index(0), operands.outputs[0].type.elements(),
          scalarOf(b, operands.inputs[0], "value"));
}

} // namespace
} // namespace thimble

void thimble::addIndexingKernels(KernelList &list) {
  list.push_back(std::make_unique<IndexingKernel<nn::GatherOp>>("gather.portable"));
  list.push_back(std::make_unique<IndexingKernel<nn::GatherNDOp>>("gather_nd.portable"));
  list.push_back(std::make_unique<IndexingKernel<nn::ScatterNDOp>>("scatter_nd.portable"));
  list.push_back(std::make_unique<IndexingKernel<nn::OneHotOp>>("one_hot.portable"));
  list.push_back(std::make_unique<IndexingKernel<nn::FillOp>>("fill.portable"));
}
