// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Functions of two int8 tensors of one shape, element by element.
#pragma once

#include "passes/kernels/asm/AsmKernel.h"

namespace thimble {

/// Calls of one kernel for operands of the output's shape, or of its last axes, again and again.
struct PairCalls {
  int64_t elements, times;
  bool isRepeated[2];

  static std::optional<PairCalls> of(const TensorType &x, const TensorType &y,
                                     const TensorType &out);
  /// Operands that the output may replace.
  llvm::SmallVector<unsigned, 2> inPlace(const KernelQuery &query) const;
  /// Calls `kernel` with both operands, the output and `table`.
  void emit(KernelBuilder &b, const AsmKernel &kernel, const KernelOperands &operands,
            Buffer table) const;
};

/// Walks over both operands and the output, eight elements a trip and the rest one by one. A trip
/// reads its elements before it writes the same ones: the output may replace an operand.
struct BytePairs {
  static constexpr int64_t atOnce = 8;
  /// For costs; that there are any decides about the code.
  int64_t trips, rest;

  explicit BytePairs(int64_t elements) : trips(elements / atOnce), rest(elements % atOnce) {}

  struct Pointers {
    Reg x, y, out;
  };
  /// `eight` moves the pointers by eight; `one` gets two bytes, sign-extended, and gives the
  /// result's in a word. `count` is the number of elements.
  void emit(AsmBuilder &a, Pointers at, Reg count, llvm::function_ref<void(Pointers &)> eight,
            llvm::function_ref<Reg(Reg, Reg)> one) const;
  std::string suffix() const { return std::string(trips ? "" : "_few") + (rest ? "_rest" : ""); }
};

} // namespace thimble
