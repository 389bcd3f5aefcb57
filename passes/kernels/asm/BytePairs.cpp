// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/BytePairs.h"

using namespace thimble;

void BytePairs::emit(AsmBuilder &a, Pointers at, Reg count,
                     llvm::function_ref<void(Pointers &)> eight,
                     llvm::function_ref<Reg(Reg, Reg)> one) const {
  auto repeat = [&](int64_t times, SReg left, AsmBuilder::Body body) {
    a.repeat(times, {at.x, at.y, at.out, left}, [&] {
      body();
      left = a.toS(a.subs(a.toR(left), 1));
    });
  };
  SReg wholeTrips, others;
  if (trips)
    wholeTrips = a.toS(a.shiftRightLogical(count, 3));
  if (rest)
    others = a.toS(a.bitAnd(count, atOnce - 1));
  if (trips)
    repeat(trips, wholeTrips, [&] { eight(at); });
  if (rest)
    repeat(rest, others, [&] {
      Reg x = a.loadPost(at.x, 1, Width::S8), y = a.loadPost(at.y, 1, Width::S8);
      a.storePost(one(x, y), at.out, 1, Width::U8);
    });
}

/// Whether `operand` has the shape of the output's last axes.
static bool isTail(const Shape &operand, const Shape &out) {
  auto begin = std::find_if(operand.begin(), operand.end(), [](int64_t size) { return size != 1; });
  const auto length = static_cast<size_t>(operand.end() - begin);
  return length <= out.size() && std::equal(begin, operand.end(), out.end() - length);
}

std::optional<PairCalls> PairCalls::of(const thimble::TensorType &x, const thimble::TensorType &y,
                                       const thimble::TensorType &out) {
  const int64_t all = out.elements();
  PairCalls calls{
      std::min(x.elements(), y.elements()), 1, {x.elements() < all, y.elements() < all}};
  if (calls.isRepeated[0] && calls.isRepeated[1])
    return std::nullopt;
  if (!isTail(x.shape, out.shape) || !isTail(y.shape, out.shape))
    return std::nullopt;
  calls.times = all / calls.elements;
  return calls;
}

llvm::SmallVector<unsigned, 2> PairCalls::inPlace(const KernelQuery &query) const {
  llvm::SmallVector<unsigned, 2> positions;
  for (unsigned position : {0, 1})
    if (!isRepeated[position] && !query.constants[position])
      positions.push_back(position);
  return positions;
}

void PairCalls::emit(KernelBuilder &b, const AsmKernel &kernel, const KernelOperands &operands,
                     Buffer table) const {
  Buffer x = bufferOf(b, operands.inputs[0], "x"), y = bufferOf(b, operands.inputs[1], "y");
  b.loop("i", times, [&](Val i) {
    Val at = i * elements;
    callAsm(b, kernel,
            {{x, isRepeated[0] ? b.index(0) : at},
             {y, isRepeated[1] ? b.index(0) : at},
             {operands.outputs[0].buffer, at},
             {table, b.index(0)}});
  });
}
