// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/RowSum.h"

using namespace mlir;

namespace thimble {

Candidate RowSum::candidate(const KernelQuery &q) {
  const TensorType &in = q.inputs[0];
  const CostRules &costs = q.target.costs;
  Candidate c;
  c.eachRow = true;
  c.rows = in.shape[1];
  const double channels = static_cast<double>(in.shape[3]);
  const double perValue = costs.load + 2 * costs.alu + costs.takenBranch, perSum = 25;
  c.cycles = static_cast<int64_t>(static_cast<double>(in.elements()) * perValue +
                                  static_cast<double>(in.shape[1]) * channels * perSum);
  c.flashBytes = 250;
  const bool isFloat = in.element == ElementType::Float32;
  c.scratch.push_back({isFloat ? ElementType::Float32 : ElementType::Int32, in.shape[3]});
  return c;
}

void RowSum::emit(KernelBuilder &b, const KernelOperands &operands, Val row) const {
  const TensorType &in = operands.inputs[0].type;
  const int64_t height = in.shape[1], width = in.shape[2], channels = in.shape[3];
  Buffer input = operands.inputs[0].buffer, sums = operands.scratch[0];
  b.loop("channel", channels, [&](Val channel) {
    Val before = b.select(row == b.index(0), initial(), b.load(sums, channel));
    Val sum = b.accumulate("x", width, before, [&](Val x, Val sum) {
      return combine(sum, b.load(input, x * channels + channel, "pixel"));
    });
    b.whenElse(
        row == b.index(height - 1),
        [&] { b.store(operands.outputs[0].buffer, channel, finish(sum)); },
        [&] { b.store(sums, channel, sum); });
  });
}

} // namespace thimble
