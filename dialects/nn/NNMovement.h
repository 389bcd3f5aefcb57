// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What an operator of the DataMovement interface does, as data.
#pragma once

#include "dialects/nn/reference/Movement.h"

#include <vector>

namespace thimble::nn {

/// Strided copies from operands to results, in order. Where they do not cover a
/// result, it is filled first.
struct MovementPlan {
  enum class Fill {
    None,    ///< the copies cover every result
    Zero,    ///< with what stands for zero: the zero point of a quantized tensor
    Operand, ///< with the one element of operand `fillOperand`
  };

  std::vector<StridedCopy> copies;
  Fill fill = Fill::None;
  int fillOperand = -1;
};

} // namespace thimble::nn
