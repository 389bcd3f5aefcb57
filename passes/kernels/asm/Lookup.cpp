// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Functions of one byte, by a table.
#include "passes/kernels/Elementwise.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/AsmKernel.h"

using namespace mlir;

namespace thimble {
namespace {

constexpr int64_t atOnce = 8;

/// Arguments: x, y, table, number of elements. Runs of loads cost little more than one cycle each.
void instructions(AsmBuilder &a, int64_t elements, ArrayRef<Reg> arguments) {
  Reg x = arguments[0], y = arguments[1], table = arguments[2], count = arguments[3];
  auto lookUp = [&](int64_t number) {
    Regs values;
    for (int64_t i = 0; i < number; ++i)
      values.push_back(a.load(x, i, Width::U8));
    for (Reg &value : values)
      value = a.loadTableIndexed(table, value, 0, Width::U8);
    for (int64_t i = 0; i < number; ++i)
      a.store(values[i], y, i, Width::U8);
    x = a.add(x, number);
    y = a.add(y, number);
  };
  if (elements >= atOnce) {
    Reg trips = a.shiftRightLogical(count, 3);
    a.repeat(elements / atOnce, {x, y, trips}, [&] {
      lookUp(atOnce);
      trips = a.subs(trips, 1);
    });
  }
  if (elements % atOnce) {
    Reg rest = a.bitAnd(count, atOnce - 1);
    a.repeat(elements % atOnce, {x, y, rest}, [&] {
      lookUp(1);
      rest = a.subs(rest, 1);
    });
  }
}

AsmKernel asmKernel(int64_t elements) {
  AsmKernel kernel;
  kernel.name = std::string("lookup") + (elements < atOnce ? "_few" : "") +
                (elements % atOnce ? "_rest" : "");
  kernel.buffers = {{"x", ElementType::UInt8, false},
                    {"y", ElementType::UInt8, true},
                    {"table", ElementType::UInt8, false}};
  kernel.words = {"count"};
  kernel.instructions = [elements](AsmBuilder &a, ArrayRef<Reg> arguments) {
    instructions(a, elements, arguments);
  };
  kernel.portable = [](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val> words) {
    b.loop("i", b.index(0), b.toIndex(words[0]), 1,
           [&](Val i) { b.store(buffers[1], i, b.load(buffers[2], b.load(buffers[0], i))); });
  };
  return kernel;
}

class AsmLookup : public Kernel {
public:
  StringRef getName() const override { return "lookup.unrolled"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isLookup(q) || !q.target.dsp || q.constants[0])
      return std::nullopt;
    Candidate c;
    asmKernel(q.outputs[0].elements()).addTo(c);
    c.flashBytes += 256;
    c.inPlaceInputs = {0};
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    callAsm(b, asmKernel(out.elements()),
            {{operands.inputs[0].buffer, b.index(0)},
             {operands.outputs[0].buffer, b.index(0)},
             {b.table<uint8_t>("table", lookupTable(op, in, out)), b.index(0)}},
            {b.i32(out.elements())});
  }
};

} // namespace
} // namespace thimble

void thimble::addAsmLookupKernels(KernelList &list) {
  list.push_back(std::make_unique<AsmLookup>());
}
