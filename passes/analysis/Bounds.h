// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Between which numbers the elements of a tensor lie, whatever the network's input.
#pragma once

#include "dialects/nn/NNOps.h"

namespace thimble {

/// A closed interval of stored numbers (not scaled by the quantization). A float tensor may also
/// hold NaN, and a zero of either sign where the interval has a zero.
struct Bounds {
  double low = 0;
  double high = 0;

  bool contains(const Bounds &o) const { return low <= o.low && o.high <= high; }
  bool operator==(const Bounds &o) const { return low == o.low && high == o.high; }
};

/// Bounds of an 8- or 16-bit integer or float tensor, from the clamps of its producers, a few
/// operators back. What is not known is the range of the type.
Bounds boundsOf(mlir::Value value);

/// Bounds that the fused activation `activation` clamps elements of `type` to.
Bounds activationBounds(nn::Activation activation, mlir::Type type);

/// The activation of `op`, none where it has no such attribute.
nn::Activation fusedActivation(mlir::Operation *op);

/// The bounds to which a float `op` (RELU and its kin) clamps, if that is all it does.
std::optional<Bounds> floatClamp(mlir::Operation *op);

} // namespace thimble
