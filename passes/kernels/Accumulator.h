// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// From a bias over products to an output element: what all portable kernels with weights share.
#pragma once

#include "dialects/nn/reference/Conv.h"
#include "passes/kernels/Kernel.h"

namespace thimble {

/// The candidate of a portable kernel with `rows` output rows: its cost is dominated by loads and
/// multiplications, one of each an operand and product.
Candidate portableMacCandidate(const KernelQuery &query, int64_t rows);

/// The accumulator times the channel's scale, rounded to i32 as `requant` says.
Val scaleAccumulator(KernelBuilder &b, const RequantPerChannel &requant, Val accumulator,
                     Val channel);

/// Bias, products, scaling and clamping of one output element, for every type. Accumulates in i32,
/// i64 or f32, in the order in which it is called.
class Accumulator {
public:
  /// `channelAxis` is the filter's axis of output channels. Reads operands 1 (filter) and 2 (bias).
  Accumulator(KernelBuilder &b, const KernelOperands &operands, RequantPerChannel requant,
              int channelAxis);

  /// The accumulator before the first product: the bias with the input's zero point folded in
  /// where every product takes part, otherwise the bias, or zero.
  Val start(Val channel);
  /// accumulator + (input - its zero point) * (weight - its zero point).
  Val add(Val accumulator, Val input, Val weight);
  /// The output element, scaled and clamped, not narrowed.
  Val finish(Val accumulator, Val channel);

private:
  KernelBuilder &b;
  RequantPerChannel requant;
  bool isFloat;
  /// No sum of products and bias can leave 32 bits.
  bool fits = false;
  const KernelOperand *bias = nullptr;
};

} // namespace thimble
