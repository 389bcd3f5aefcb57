// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Runs of neighbouring elements: what kernels that move data share.
#pragma once

#include "passes/kernels/Kernel.h"

namespace thimble {

/// out[outStart + i] = in[inStart + i] for i < count; both have one element type. Elements of 8
/// and 16 bits go by words where there are enough of them. The runs must not overlap.
void copyRun(KernelBuilder &b, Buffer in, Val inStart, Buffer out, Val outStart, int64_t count);

/// out[start + i] = value for i < count; by words where the value is known.
void fillRun(KernelBuilder &b, Buffer out, Val start, int64_t count, Val value);

/// Element 0 of an operand: a number where it is a constant.
Val scalarOf(KernelBuilder &b, const KernelOperand &operand, llvm::StringRef name);

/// What stands for zero in a tensor: its zero point.
Val zeroOf(KernelBuilder &b, const TensorType &type);

/// Cycles of moving `elements` elements, `perElement` of them besides load and store.
int64_t movementCycles(const Target &target, int64_t elements, double perElement);

} // namespace thimble
