// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable matrix products: plain loops for every type.
#include "passes/kernels/Accumulator.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

class PortableFullyConnected : public Kernel {
public:
  StringRef getName() const override { return "fully_connected.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::FullyConnectedOp>(q.op))
      return std::nullopt;
    return portableMacCandidate(q, q.outputs[0].elements() / q.inputs[1].shape[0]);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const TensorType &filter = operands.inputs[1].type;
    int64_t outputs = filter.shape[0], depth = filter.shape[1];
    Accumulator accumulator(b, operands, nn::requantOf(op), /*channelAxis=*/0);
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    Buffer weights = bufferOf(b, operands.inputs[1], "weights");
    b.loop("channel", outputs, [&](Val channel) {
      Val sum = b.accumulate("k", depth, accumulator.start(channel), [&](Val k, Val acc) {
        return accumulator.add(acc, b.load(input, row * depth + k, "value"),
                               b.load(weights, channel * depth + k, "weight"));
      });
      b.store(operands.outputs[0].buffer, row * outputs + channel,
              accumulator.finish(sum, channel));
    });
  }
};

/// Where the matrix of an operand for one matrix of the result starts: the leading dimensions
/// broadcast.
Val matrixStart(KernelBuilder &b, const TensorType &operand, const TensorType &result, Val batch) {
  size_t leading = operand.shape.size() - 2, missing = result.shape.size() - operand.shape.size();
  int64_t step = operand.shape[leading] * operand.shape[leading + 1];
  ArrayRef<int64_t> own = ArrayRef(operand.shape).take_front(leading);
  if (own == ArrayRef(result.shape).slice(missing, leading) &&
      operand.elements() == step * (result.elements() / (result.shape[leading + missing] *
                                                         result.shape[leading + missing + 1])))
    return batch * step;
  Val start = b.index(0);
  for (size_t d = leading; d-- > 0; step *= own[d]) {
    int64_t size = result.shape[d + missing];
    if (own[d] != 1)
      start = start + batch % size * step;
    if (size != 1)
      batch = batch / size;
  }
  return start;
}

class PortableBatchMatMul : public Kernel {
public:
  StringRef getName() const override { return "batch_matmul.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::BatchMatMulOp>(q.op))
      return std::nullopt;
    const TensorType &out = q.outputs[0];
    return portableMacCandidate(q, out.elements() / std::max<int64_t>(out.shape.back(), 1));
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    auto product = cast<nn::BatchMatMulOp>(op);
    const TensorType &lhs = operands.inputs[0].type, &rhs = operands.inputs[1].type,
                     &out = operands.outputs[0].type;
    int64_t rows = out.shape[out.rank() - 2], columns = out.shape.back();
    int64_t depth = lhs.shape[lhs.rank() - (product.getAdjX() ? 2 : 1)];
    Accumulator accumulator(b, operands, nn::requantOf(op),
                            static_cast<int>(rhs.rank()) - (product.getAdjY() ? 2 : 1));
    Buffer left = bufferOf(b, operands.inputs[0], "lhs");
    Buffer right = bufferOf(b, operands.inputs[1], "rhs");
    bool single = out.elements() == rows * columns;
    Val batch = single ? b.index(0) : row / rows, i = single ? row : row % rows;
    Val leftStart = matrixStart(b, lhs, out, batch), rightStart = matrixStart(b, rhs, out, batch);
    b.loop("j", columns, [&](Val j) {
      Val sum = b.accumulate("k", depth, accumulator.start(j), [&](Val k, Val acc) {
        Val a = product.getAdjX() ? k * rows + i : i * depth + k;
        Val c = product.getAdjY() ? j * depth + k : k * columns + j;
        return accumulator.add(acc, b.load(left, leftStart + a, "a"),
                               b.load(right, rightStart + c, "b"));
      });
      // Without an activation, float infinities stay.
      Val result = sum.isFloat() ? sum : accumulator.finish(sum, j);
      b.store(operands.outputs[0].buffer, row * columns + j, result);
    });
  }
};

} // namespace
} // namespace thimble

void thimble::addMatMulKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableFullyConnected>());
  list.push_back(std::make_unique<PortableBatchMatMul>());
}
