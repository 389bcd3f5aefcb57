// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Sums over a picture that are fed its rows, one call each, so that the picture need not exist as a
// whole.
#pragma once

#include "passes/kernels/Kernel.h"

namespace thimble {

/// For each channel a value that runs over all pixels of a picture 1,H,W,C in row-major order.
struct RowSum {
  llvm::function_ref<Val()> initial;
  llvm::function_ref<Val(Val sum, Val value)> combine;
  llvm::function_ref<Val(Val sum)> finish;

  /// Scratch for the sums, which stay from call to call: C elements of 32 bits; and the costs.
  static Candidate candidate(const KernelQuery &q);
  /// Adds row `row`, the only one in the input's buffer. The last writes the output.
  void emit(KernelBuilder &b, const KernelOperands &operands, Val row) const;
};

} // namespace thimble
