// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Products of two int8 tensors: the product of both, less their zero points, is an
// accumulator of 17 bits that an OutputScaling takes to the output.
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/BytePairs.h"
#include "passes/kernels/asm/OutputScaling.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble {
namespace {

/// Accumulators are 2^8 times the products: scaling them is exact.
constexpr int scaleBits = 8;

struct Product {
  ProductBinary reference;
  OutputScaling scaling;
};

std::optional<Product> productOf(nn::NNOperator op, const TensorType &a, const TensorType &b,
                                 const TensorType &out) {
  auto binary = cast<nn::BinaryElementwise>(op.getOperation());
  BinaryParams params;
  params.op = binary.getBinaryOp();
  params.activation = static_cast<Activation>(binary.getFusedActivation());
  ProductBinary reference = prepareProduct(params, a, b, out);
  ScaledAccumulator accumulator{scaleBits, {}};
  for (int64_t x : {-128, 127})
    for (int64_t y : {-128, 127}) {
      const int64_t product = (x + reference.offsetA) * (y + reference.offsetB);
      accumulator.interval.low = std::min(accumulator.interval.low, product);
      accumulator.interval.high = std::max(accumulator.interval.high, product);
    }
  RequantPerChannel requant;
  requant.multipliers = {reference.multiplier};
  requant.outputZeroPoint = reference.outputOffset;
  requant.clamp = reference.range;
  auto scaling = OutputScaling::solve(requant, accumulator, /*mayOffset=*/false);
  if (!scaling)
    return std::nullopt;
  return Product{reference, std::move(*scaling)};
}

/// Words of the table. Offsets are in both halves.
enum { OffsetA, OffsetB, Count, Numbers };

std::vector<int32_t> tableOf(const Product &product, int64_t elements) {
  auto twice = [](int32_t value) {
    return static_cast<int32_t>(static_cast<uint16_t>(value) * 0x10001u);
  };
  std::vector<int32_t> table = {twice(product.reference.offsetA), twice(product.reference.offsetB),
                                static_cast<int32_t>(elements)};
  product.scaling.appendConstants(0, table);
  return table;
}

void instructions(AsmBuilder &a, const OutputScaling &scaling, const BytePairs &pairs,
                  ArrayRef<Reg> arguments) {
  Reg table = arguments[3];
  Reg offsetA = a.loadTable(table, 4 * OffsetA), offsetB = a.loadTable(table, 4 * OffsetB);
  Regs constants;
  for (int i = 0; i < scaling.constantWords(); ++i)
    constants.push_back(a.loadTable(table, 4 * (Numbers + i)));
  auto finish = [&](Reg product) {
    return scaling.emit(a, a.shiftLeft(product, scaleBits), constants);
  };
  auto four = [&](BytePairs::Pointers &at) {
    Reg x = a.loadPost(at.x, 4), y = a.loadPost(at.y, 4);
    Reg evenX = a.sxtab16(offsetA, x), evenY = a.sxtab16(offsetB, y);
    Reg oddX = a.sxtab16(offsetA, ror(x, 8)), oddY = a.sxtab16(offsetB, ror(y, 8));
    a.store(finish(a.smulbb(evenX, evenY)), at.out, 0, Width::U8);
    a.store(finish(a.smultt(evenX, evenY)), at.out, 2, Width::U8);
    a.store(finish(a.smulbb(oddX, oddY)), at.out, 1, Width::U8);
    a.store(finish(a.smultt(oddX, oddY)), at.out, 3, Width::U8);
    at.out = a.add(at.out, 4);
  };
  auto eight = [&](BytePairs::Pointers &at) {
    four(at);
    four(at);
  };
  pairs.emit(
      a, {arguments[0], arguments[1], arguments[2]}, a.loadTable(table, 4 * Count), eight,
      [&](Reg x, Reg y) { return finish(a.smulbb(a.sxtab16(offsetA, x), a.sxtab16(offsetB, y))); });
}

void portable(KernelBuilder &b, const OutputScaling &scaling, ArrayRef<Buffer> buffers) {
  auto word = [&](int64_t i) { return b.load(buffers[3], b.index(i), "word"); };
  Val offsetA = dsp::lowHalf(word(OffsetA)), offsetB = dsp::lowHalf(word(OffsetB));
  Vals constants;
  for (int i = 0; i < scaling.constantWords(); ++i)
    constants.push_back(word(Numbers + i));
  b.loop("i", b.index(0), b.toIndex(word(Count)), 1, [&](Val i) {
    KernelBuilder::NoOverflow proved(b);
    Val product = (b.load(buffers[0], i, "x") + offsetA) * (b.load(buffers[1], i, "y") + offsetB);
    b.store(buffers[2], i, scaling.emit(b, product * (1 << scaleBits), constants));
  });
}

AsmKernel asmKernel(const Product &product, int64_t elements) {
  BytePairs pairs(elements);
  OutputScaling scaling = product.scaling;
  AsmKernel kernel;
  kernel.name = "mul_" + scaling.suffix() + pairs.suffix();
  kernel.buffers = {{"x", ElementType::Int8, false},
                    {"y", ElementType::Int8, false},
                    {"out", ElementType::Int8, true},
                    {"table", ElementType::Int32, false}};
  kernel.instructions = [=](AsmBuilder &a, ArrayRef<Reg> arguments) {
    instructions(a, scaling, pairs, arguments);
  };
  kernel.portable = [=](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    portable(b, scaling, buffers);
  };
  return kernel;
}

class AsmMul : public Kernel {
public:
  StringRef getName() const override { return "mul.smmla"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::MulOp>(*q.op) || !dsp::appliesTo(q) || !q.target.fpu ||
        q.inputs[1].element != ElementType::Int8)
      return std::nullopt;
    auto calls = PairCalls::of(q.inputs[0], q.inputs[1], q.outputs[0]);
    if (!calls)
      return std::nullopt;
    auto product = productOf(q.op, q.inputs[0], q.inputs[1], q.outputs[0]);
    if (!product)
      return std::nullopt;
    Candidate c;
    asmKernel(*product, calls->elements).addTo(c, calls->times);
    c.flashBytes += 4 * static_cast<int64_t>(tableOf(*product, calls->elements).size());
    c.inPlaceInputs = calls->inPlace(q);
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const KernelOperand &x = operands.inputs[0], &y = operands.inputs[1];
    const KernelOperand &out = operands.outputs[0];
    Product product = *productOf(op, x.type, y.type, out.type);
    PairCalls calls = *PairCalls::of(x.type, y.type, out.type);
    calls.emit(b, asmKernel(product, calls.elements), operands,
               b.table<int32_t>("numbers", tableOf(product, calls.elements)));
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmMulKernels(KernelList &list) { list.push_back(std::make_unique<AsmMul>()); }
