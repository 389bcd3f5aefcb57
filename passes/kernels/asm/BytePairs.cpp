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
