// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable matrix products: plain loops for every type.
#include "passes/kernels/Accumulator.h"
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
    Accumulator accumulator(b, operands, macRequant(op, operands), /*channelAxis=*/0);
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

} // namespace
} // namespace thimble

void thimble::addMatMulKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableFullyConnected>());
}
