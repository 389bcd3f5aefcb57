// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What kernels that work element by element share: the loop over the output, with broadcasting,
// and the sides of an operator that are known at compile time.
#pragma once

#include "dialects/nn/reference/Broadcast.h"
#include "passes/kernels/Kernel.h"

namespace thimble {

/// Whose arithmetic `op` follows.
Rule ruleOf(mlir::Operation *op);

/// The candidate of a kernel that computes the whole output, `perElement` cycles an element.
/// `inPlace` are the inputs that are walked as the output is; those that have elements of the
/// output's kind and size may be overwritten.
Candidate elementwiseCandidate(const KernelQuery &query, double perElement,
                               llvm::ArrayRef<unsigned> inPlace = {});

/// The inputs whose shape is that of the output, in order.
llvm::SmallVector<unsigned, 2> unbroadcast(const KernelQuery &query);

/// Stores body(elements of the operands) in every element of the output, in order. Operands are
/// broadcast as `loop` says; a constant that is the same for every element is a literal.
void mapElements(KernelBuilder &b, const BroadcastLoop &loop,
                 llvm::ArrayRef<KernelOperand> operands, const KernelOperand &output,
                 llvm::function_ref<Val(llvm::ArrayRef<Val>)> body);
/// The same for one operand of the output's shape.
void mapElements(KernelBuilder &b, const KernelOperands &operands,
                 llvm::function_ref<Val(Val)> body);

/// The 256 results of a function of one byte, by the byte as stored: a unary operator or a lookup.
std::vector<uint8_t> lookupTable(nn::NNOperator op, const TensorType &in, const TensorType &out);
/// Whether `query` asks for such a function.
bool isLookup(const KernelQuery &query);

/// value * multiplier, at compile time where the value is known.
Val scaled(KernelBuilder &b, Val value, QuantizedMultiplier multiplier);

} // namespace thimble
