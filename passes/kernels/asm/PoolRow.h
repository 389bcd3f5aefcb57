// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Windows of int8 pictures, four neighbouring channels at a time, and averages over them.
#pragma once

#include "passes/kernels/asm/AsmKernel.h"

namespace thimble {

/// Channels in a word.
constexpr int64_t poolLanes = 4;

/// One row of outputs: what average and largest share.
struct PoolRow {
  int64_t inW, channels, outW, kH, kW, strideW;

  int64_t rowBytes() const { return inW * channels; }
  /// Small windows are unrolled, large ones by rows.
  bool isUnrolled() const { return kH * kW <= 9; }
  std::string suffix() const {
    auto text = [](int64_t n) { return std::to_string(n); };
    return text(kH) + "x" + text(kW) + "_" + text(inW) + "x" + text(channels) + "_w" + text(outW) +
           "_s" + text(strideW);
  }

  /// Calls `output(x, y)` for each word of outputs: it moves both pointers by a word.
  void forOutputs(AsmBuilder &a, Reg x, Reg y,
                  llvm::function_ref<void(Reg &, Reg &)> output) const {
    a.loopS(outW, {x, y}, [&] {
      a.loop(channels / poolLanes, {x, y}, [&] { output(x, y); });
      if (const int64_t rest = channels % poolLanes) {
        x = a.add(x, rest - poolLanes);
        y = a.add(y, rest - poolLanes);
        output(x, y);
      }
      x = a.add(x, (strideW - 1) * channels);
    });
  }

  /// Calls `tap` with each word of a window.
  void forTaps(AsmBuilder &a, Reg x, Variables carried, llvm::function_ref<void(Reg)> tap) const {
    constexpr int64_t reach = 4092;
    auto row = [&](Reg from, int64_t offset) {
      constexpr int64_t atOnce = 6; // one run of loads
      for (int64_t first = 0; first < kW; first += atOnce) {
        Regs words;
        for (int64_t kx = first; kx < std::min(first + atOnce, kW); ++kx)
          words.push_back(a.load(from, offset + kx * channels));
        llvm::for_each(words, tap);
      }
    };
    if (!isUnrolled()) {
      carried.push_back(x);
      a.loop(kH, carried, [&] {
        row(x, 0);
        x = a.add(x, rowBytes());
      });
      return;
    }
    for (int64_t ky = 0; ky < kH; ++ky) {
      const int64_t offset = ky * rowBytes();
      if (offset + kW * channels <= reach)
        row(x, offset);
      else
        row(a.add(x, offset), 0);
    }
  }

  /// The same in portable code: `body` gets the first channel of each word in input and output.
  void forOutputs(KernelBuilder &b, llvm::function_ref<void(Val, Val)> body) const {
    b.loop("x", outW, [&](Val x) {
      b.loop("channel", b.index(0), b.index(channels), 1,
             [&](Val c) { body(x * (strideW * channels) + c, x * channels + c); });
    });
  }
  Val accumulate(KernelBuilder &b, Buffer input, Val from, Val start,
                 llvm::function_ref<Val(Val, Val)> combine) const {
    return b.accumulate("ky", kH, start, [&](Val ky, Val acc) {
      return b.accumulate("kx", kW, acc, [&](Val kx, Val acc) {
        return combine(acc, b.load(input, from + ky * rowBytes() + kx * channels, "x"));
      });
    });
  }
};

/// From a sum to an output. The numbers for that are made once, before all windows; sums are pairs
/// of halves.
struct AverageFinish {
  std::string suffix;
  std::function<SRegs(AsmBuilder &)> prepare;
  std::function<Reg(AsmBuilder &, llvm::ArrayRef<Reg> numbers, Reg sums, bool isUpper)> emit;
  std::function<Val(KernelBuilder &, Val sum)> portable;
};

/// Averages of one row of outputs. `name` and the finish's suffix tell what the code depends on.
AsmKernel averageKernel(llvm::StringRef name, const PoolRow &w, const AverageFinish &finish);

} // namespace thimble
