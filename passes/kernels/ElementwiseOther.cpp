// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// ADD_N and SELECT.
#include "dialects/nn/reference/ElementwiseOther.h"
#include "passes/kernels/Elementwise.h"
#include "passes/kernels/Families.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

class PortableAddN : public Kernel {
public:
  StringRef getName() const override { return "add_n.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::AddNOp>(*q.op))
      return std::nullopt;
    double terms = static_cast<double>(q.inputs.size());
    bool scales = q.outputs[0].element == ElementType::Int8;
    return elementwiseCandidate(q, (scales ? 12 * terms + 15 : terms) * q.target.costs.alu,
                                unbroadcast(q));
  }

  void emit(KernelBuilder &b, nn::NNOperator, const KernelOperands &operands, Val) const override {
    const TensorType &out = operands.outputs[0].type;
    std::vector<Shape> flat(operands.inputs.size(), Shape{out.elements()});
    mapElements(b, broadcastLoop(flat, flat[0]), operands.inputs, operands.outputs[0],
                [&](ArrayRef<Val> terms) { return sum(b, operands.inputs[0].type, out, terms); });
  }

private:
  static Val sum(KernelBuilder &b, const TensorType &in, const TensorType &out,
                 ArrayRef<Val> terms) {
    if (out.element != ElementType::Int8) {
      Val total = out.element == ElementType::Float32 ? b.f32(0.0f) : b.i32(0);
      for (Val term : terms)
        total = total + term;
      return total;
    }
    AddNParams p = prepareAddN(in, out);
    Val total = b.i32(p.start);
    for (Val term : terms)
      total = total + scaled(b, (term + p.inputOffset) << p.leftShift, p.input);
    return b.clamp(scaled(b, total, p.output) + p.outputOffset, p.range);
  }
};

class PortableSelect : public Kernel {
public:
  StringRef getName() const override { return "select.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::SelectOp>(*q.op))
      return std::nullopt;
    return elementwiseCandidate(q, 3 * q.target.costs.alu, unbroadcast(q));
  }

  void emit(KernelBuilder &b, nn::NNOperator, const KernelOperands &operands, Val) const override {
    std::vector<Shape> shapes;
    for (const KernelOperand &input : operands.inputs)
      shapes.push_back(input.type.shape);
    mapElements(b, broadcastLoop(shapes, operands.outputs[0].type.shape), operands.inputs,
                operands.outputs[0],
                [&](ArrayRef<Val> x) { return b.select(x[0] != 0, x[1], x[2]); });
  }
};

} // namespace
} // namespace thimble

void thimble::addSelectionKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableAddN>());
  list.push_back(std::make_unique<PortableSelect>());
}
