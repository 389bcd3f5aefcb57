// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/PoolRow.h"

using namespace mlir;
using namespace thimble;

static void averageInstructions(AsmBuilder &a, const PoolRow &w, const AverageFinish &finish,
                                ArrayRef<Reg> arguments) {
  SRegs kept = finish.prepare(a);
  w.forOutputs(a, arguments[0], arguments[1], [&](Reg &x, Reg &y) {
    Reg even = a.constant(0), odd = a.constant(0);
    w.forTaps(a, x, {even, odd}, [&](Reg bytes) {
      even = a.sxtab16(even, bytes);
      odd = a.sxtab16(odd, ror(bytes, 8));
    });
    Regs numbers;
    for (SReg number : kept)
      numbers.push_back(a.toR(number));
    for (int64_t i = 0; i < poolLanes; ++i)
      a.store(finish.emit(a, numbers, i % 2 ? odd : even, i >= 2), y, i, Width::U8);
    x = a.add(x, poolLanes);
    y = a.add(y, poolLanes);
  });
}

static void averagePortable(KernelBuilder &b, const PoolRow &w, const AverageFinish &finish,
                            ArrayRef<Buffer> buffers) {
  w.forOutputs(b, [&](Val from, Val to) {
    KernelBuilder::NoOverflow proved(b);
    Val sum = w.accumulate(b, buffers[0], from, b.i32(0), [](Val acc, Val x) { return acc + x; });
    b.store(buffers[1], to, finish.portable(b, sum));
  });
}

AsmKernel thimble::averageKernel(StringRef name, const PoolRow &w, const AverageFinish &finish) {
  AsmKernel kernel;
  kernel.name = (name + "_" + w.suffix() + finish.suffix).str();
  kernel.buffers = {{"x", ElementType::Int8, false}, {"y", ElementType::Int8, true}};
  kernel.instructions = [=](AsmBuilder &a, ArrayRef<Reg> arguments) {
    averageInstructions(a, w, finish, arguments);
  };
  kernel.portable = [=](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    averagePortable(b, w, finish, buffers);
  };
  return kernel;
}
