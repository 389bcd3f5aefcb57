// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What Winograd kernels of all forms share: blocks, groups of channels and products.
#include "passes/kernels/asm/Winograd.h"

using namespace mlir;
using namespace thimble;

void WinogradEmitter::emit(ArrayRef<Reg> arguments) {
  Reg table = arguments[2], scratch = arguments[3];
  set(Picture, arguments[0]);
  set(OutputRow, arguments[1]);
  set(TableStart, table);
  set(FirstRow, a.add(a.load(scratch), -s.padTop));
  set(Transformed, a.add(scratch, 4));
  if (w.groups() > 1)
    tableEnd = a.toS(a.add(table, a.constant(w.groups() * w.groupWords() * 4)));
  forBlocks(a, s.outW, w.blockWidth(), {}, [&](Reg first) {
    set(Output, a.mla(first, a.constant(s.outC), get(OutputRow)));
    Reg to = patchStart();
    w.patch().emit(a, get(Picture), get(FirstRow), a.add(first, -s.padLeft), to,
                   w.layer.requant.inputZeroPoint);
    transformInputs();
    Reg stream = get(TableStart);
    a.loopUntil(stream, tableEnd, w.groups(), {}, [&] {
      products(stream);
      outputs(stream);
    });
  });
}

void WinogradEmitter::chain(Regs &sums, Reg &stream, Reg &v, bool isFresh) {
  const int64_t trips = (w.pairs() + w.form.unrolledPairs - 1) / w.form.unrolledPairs;
  const int64_t each = w.pairs() / trips;
  sums.resize(static_cast<size_t>(2 * tiles));
  if (isFresh && trips > 1) {
    for (Reg &sum : sums)
      sum = a.constant(0);
    isFresh = false;
  }
  Variables carried{stream, v};
  for (Reg &sum : sums)
    carried.push_back(sum);
  auto some = [&](int64_t count) {
    for (int64_t k = 0; k < count; ++k)
      addPair(sums, stream, v, isFresh && k == 0);
  };
  a.loopS(trips, carried, [&] { some(each); });
  some(w.pairs() - trips * each);
}

// Two tiles at a time: what 14 registers hold beside 8 accumulators, two pointers and two weights.
void WinogradEmitter::addPair(Regs &sums, Reg &stream, Reg &v, bool isFresh) {
  Reg weights[2];
  for (Reg &u : weights)
    u = a.loadTablePost(stream, 4);
  for (int64_t tile = 0; tile < tiles; tile += 2) {
    Regs x;
    for (int64_t t = tile; t < std::min(tile + 2, tiles); ++t)
      x.push_back(a.loadPost(v, 4));
    for (int64_t channel : {0, 1})
      for (size_t t = 0; t < x.size(); ++t) {
        Reg &sum = sums[static_cast<size_t>(channel * tiles + tile) + t];
        sum = isFresh ? a.smuad(x[t], weights[channel]) : a.smlad(x[t], weights[channel], sum);
      }
  }
}

void WinogradEmitter::storeOutput(Reg value, Reg to, int64_t offset) {
  constexpr int64_t reach = 4096;
  if (const int64_t far = offset / reach * reach)
    to = a.add(to, a.constant(far));
  a.store(value, to, offset % reach, Width::U8);
}

void WinogradEmitter::advance(Reg to, Reg &stream) {
  if (w.groups() > 1)
    set(Output, w.hasSteps() ? a.add(to, a.loadTablePost(stream, 4)) : a.add(to, 2));
}
