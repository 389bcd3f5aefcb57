// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The instructions of fully connected layers. Sizes of the layer itself are only for costs.
#include "passes/kernels/asm/FullyConnectedLayer.h"

using namespace mlir;

namespace thimble {
namespace {

class Instructions {
public:
  Instructions(AsmBuilder &a, const FullyConnectedCode &code) : a(a), code(code), cut(code.cut) {}

  void emit(ArrayRef<Reg> arguments) {
    inputs = a.toS(arguments[0]);
    outputs = a.toS(arguments[1]);
    Reg table = arguments[2];
    Regs header = a.loadTableMultiple(table, static_cast<size_t>(cut.headerWords()));
    for (int i = 0; i < 4; ++i)
      numbers.push_back(a.toS(header[i]));
    if (cut.isLooped())
      (cut.overlap() ? lastTrip : inputsEnd) = a.toS(a.add(arguments[0], header[6]));
    if (!code.isChunked)
      return block(table);
    SReg blocksLeft = a.toS(header[4]);
    SReg chunks = a.toS(header[5]);
    a.repeat(cut.blocks(), {table, blocksLeft}, [&] {
      chunksLeft = a.copy(chunks);
      block(table);
      blocksLeft = a.toS(a.subs(a.toR(blocksLeft), 1));
    });
  }

private:
  void block(Reg &table) {
    Reg count = a.loadTablePost(table, 4);
    groups = a.toS(count);
    SReg starts = a.toS(table);
    table = a.mla(count, a.constant(4 * cut.group), table);
    if (!code.isChunked)
      return chunk(table, starts);
    a.repeat(cut.chunks(), {table, starts, chunksLeft}, [&] {
      chunk(table, starts);
      starts = a.toS(a.frameAddress(code.sumsOffset()));
      chunksLeft = a.toS(a.subs(a.toR(chunksLeft), 1));
    });
  }

  void chunk(Reg &w, SReg starts) {
    Reg start = a.loadTablePost(w, 4); // zero for all inputs
    if (!cut.isLooped())
      widen(a.add(a.toR(inputs), start));
    SReg left = a.copy(groups);
    Variables carried{w, starts, left};
    SReg sums;
    if (code.isChunked) {
      sums = a.toS(a.frameAddress(code.sumsOffset()));
      carried.push_back(sums);
    }
    a.repeat(cut.blockGroups(), carried, [&] {
      group(w, starts, sums);
      left = a.toS(a.subs(a.toR(left), 1));
    });
  }

  void group(Reg &w, SReg &starts, SReg &sums) {
    Reg from = a.toR(starts);
    Regs acc = a.loadMultiple(from, static_cast<size_t>(cut.group));
    starts = a.toS(from);
    if (cut.isLooped())
      accumulateAll(acc, w);
    else
      for (int64_t pair = 0; pair < cut.pairs(); ++pair)
        accumulate(acc, w, 1, 4, [&](int64_t) { return a.loadFrame(4 * pair); });
    if (!code.isChunked)
      return finish(acc, w);
    a.compare(a.toR(chunksLeft), 1);
    const int64_t chunks = cut.chunks();
    auto keep = [&] {
      Reg to = a.toR(sums);
      for (Reg sum : acc)
        a.storePost(sum, to, 4);
      sums = a.toS(to);
    };
    a.branch("ne", chunks - 1, chunks, {w, sums}, keep, [&] { finish(acc, w); });
  }

  /// Inputs are widened as they come, again for each group.
  void accumulateAll(Regs &acc, Reg &w) {
    const bool overlaps = cut.overlap() > 0;
    const int64_t most = 10 - cut.group; // with two pointers, the bytes and a pair of them
    Reg x = a.toR(inputs);
    Variables carried{w, x};
    for (Reg &sum : acc)
      carried.push_back(sum);
    a.repeat(cut.trips(), carried, [&] {
      for (int64_t four = 0; four < cut.step; four += 4) {
        Reg bytes = overlaps ? a.load(x, four) : a.loadPost(x, 4);
        accumulate(acc, w, 2, most,
                   [&](int64_t pair) { return pair == 0 ? a.sxtb16(bytes) : a.sxtb16Ror8(bytes); });
      }
      if (overlaps)
        stepOver(x);
      else
        a.compare(x, a.toR(inputsEnd));
    });
  }
  /// Moves on by a step or up to the last trip, whichever is nearer: SSAT has the smaller. After
  /// the last trip nothing is left.
  void stepOver(Reg &x) {
    Reg left = a.sub(x, a.toR(lastTrip)); // negated
    x = a.sub(x, a.ssat(static_cast<int>(llvm::Log2_64(cut.step)) + 1, left));
    a.compare(left, 0);
  }

  /// The words of `pairs` pairs and a load beside them are runs of loads, `most` words at a time:
  /// with the accumulators they fill the registers. `input` makes a pair of inputs.
  void accumulate(Regs &acc, Reg &w, int64_t pairs, int64_t most,
                  llvm::function_ref<Reg(int64_t)> input) {
    const int64_t all = pairs * cut.wordsPerPair();
    Reg x;
    for (int64_t first = 0; first < all; first += most) {
      const int64_t count = std::min(most, all - first);
      Regs words;
      words.resize(static_cast<size_t>(count));
      for (int64_t i = 1; i < count; ++i)
        words[i] = a.loadTable(w, 4 * i);
      words[0] = a.loadTablePost(w, 4 * count);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t pair = (first + i) / cut.wordsPerPair();
        const int64_t slot = (first + i) % cut.wordsPerPair();
        if (slot == 0)
          x = input(pair);
        multiply(acc, slot, words[i], x);
      }
    }
  }
  void multiply(Regs &acc, int64_t slot, Reg word, Reg x) {
    acc[slot] = a.smlad(word, x, acc[slot]);
    if (cut.isMixed) {
      Reg &even = acc[cut.group / 2 + slot];
      even = a.smlad(a.sxtb16(word), x, even);
    }
  }

  void finish(ArrayRef<Reg> acc, Reg &w) {
    Reg y = a.add(a.toR(outputs), a.loadTablePost(w, 4));
    if (!code.isShared)
      return scaleAll(acc, y, [&](Reg sum) {
        Regs own;
        for (int64_t i = 0; i < code.constantWords(); ++i)
          own.push_back(a.loadTablePost(w, 4));
        return OutputScaling::scale(a, code.form, sum, own);
      });
    // With an addend for negative sums, the numbers take the register that points at the table.
    SReg table = a.toS(w);
    Regs shared{a.toR(numbers[0]), a.toR(numbers[1]), a.toR(numbers[2])};
    a.compare(shared[2], 0);
    auto scaleIn = [&](OutputScaling::Form form) {
      scaleAll(acc, y, [&](Reg sum) { return OutputScaling::scale(a, form, sum, shared); });
    };
    a.branch(
        "ne", code.form == OutputScaling::Signed ? 1 : 0, 1, {},
        [&] { scaleIn(OutputScaling::Signed); }, [&] { scaleIn(OutputScaling::Add); });
    w = a.toR(table);
  }

  void scaleAll(ArrayRef<Reg> acc, Reg y, llvm::function_ref<Reg(Reg)> scale) {
    Reg shift = a.toR(numbers[3]);
    auto output = [&](Reg sum, int64_t i) {
      Reg value = OutputScaling::saturate(a, code.saturation, a.shiftRightBy(scale(sum), shift));
      if (i < code.stored())
        a.store(value, y, i, Width::U8);
    };
    if (!cut.isMixed) {
      for (auto [i, sum] : llvm::enumerate(acc))
        output(sum, static_cast<int64_t>(i));
      return;
    }
    for (int64_t i = 0; i < cut.group; i += 2) {
      Reg even = acc[(cut.group + i) / 2], odd = a.sub(acc[i / 2], even);
      output(a.shiftLeft(even, 8), i);
      output(odd, i + 1);
    }
  }

  /// A chunk of bytes to pairs in the frame.
  void widen(Reg x) {
    if (cut.chunk < 4)
      return widenFew(x);
    Reg to = a.frameAddress(0);
    constexpr int64_t atOnce = 16;
    a.loop(cut.chunk / atOnce, {x, to}, [&] {
      Regs words;
      words.resize(4);
      for (int64_t i = 1; i < 4; ++i)
        words[i] = a.load(x, 4 * i);
      words[0] = a.loadPost(x, atOnce);
      for (int64_t i = 1; i < 4; ++i)
        storePairs(words[i], to, 8 * i);
      a.store(a.sxtb16Ror8(words[0]), to, 4);
      a.storePost(a.sxtb16(words[0]), to, 2 * atOnce);
    });
    const int64_t rest = cut.chunk % atOnce;
    for (int64_t k = 0; k < rest; k += 4)
      storePairs(a.load(x, std::min(k, rest - 4)), to, 2 * k);
  }
  void storePairs(Reg bytes, Reg to, int64_t offset) {
    a.store(a.sxtb16(bytes), to, offset);
    a.store(a.sxtb16Ror8(bytes), to, offset + 4);
  }
  void widenFew(Reg x) {
    Reg first = a.load(x, 0, Width::S8);
    if (cut.chunk == 3)
      first = a.packBottom(first, lsl(a.load(x, 2, Width::S8), 16));
    a.storeFrame(first, 0);
    if (cut.chunk >= 2)
      a.storeFrame(a.load(x, 1, Width::S8), 4);
  }

  AsmBuilder &a;
  const FullyConnectedCode &code;
  const FullyConnectedCut &cut;
  SReg inputs, outputs, groups, chunksLeft;
  SReg inputsEnd, lastTrip; // where a loop over the inputs ends, or its last trip starts
  SRegs numbers;            // q, C, D, E
};

} // namespace
} // namespace thimble

void thimble::FullyConnectedCode::emit(AsmBuilder &a, ArrayRef<Reg> arguments) const {
  Instructions(a, *this).emit(arguments);
}
