// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/plan/Placing.h"

using namespace mlir;
using namespace thimble;

/// The rings of the program, those with the longest rows first.
static SmallVector<mcu::BufferOp> ringsOf(mcu::ProgramOp program) {
  SmallVector<mcu::BufferOp> rings;
  for (auto buffer : program.getOps<mcu::BufferOp>())
    if (buffer.getBuffer().getType().getRing() > 1)
      rings.push_back(buffer);
  llvm::stable_sort(rings, [](mcu::BufferOp a, mcu::BufferOp b) {
    return a.getBuffer().getType().getRowBytes() > b.getBuffer().getType().getRowBytes();
  });
  return rings;
}

/// The positions of the streams, which lazy rings have more of.
static void countPositions(mcu::ProgramOp program) {
  for (auto stream : program.getOps<mcu::StreamOp>())
    if (Value positions = stream.getPositions()) {
      const int64_t slots = mcu::Positions(stream).size();
      positions.setType(cast<mcu::BufferType>(positions.getType()).withShape({slots}));
    }
}

Placement thimble::placeWithLazyRings(mcu::ProgramOp program, int64_t nodeLimit) {
  Placement best = placeBuffersOf(program, nodeLimit);
  const SmallVector<mcu::BufferOp> rings = ringsOf(program);
  for (bool isBetter = true; isBetter && best.peak > best.lowerBound;) {
    isBetter = false;
    for (mcu::BufferOp ring : rings) {
      ring.setLazy(!ring.getLazy());
      countPositions(program);
      Placement other = placeBuffersOf(program, nodeLimit);
      if (other.peak < best.peak) {
        best = std::move(other);
        isBetter = true;
      } else {
        ring.setLazy(!ring.getLazy());
        countPositions(program);
      }
    }
  }
  return best;
}
