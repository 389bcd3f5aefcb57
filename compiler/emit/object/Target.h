// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// LLVM's ARM backend, set up for the Cortex-M4.
#pragma once

#include "compiler/emit/object/Object.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

namespace thimble::object {

/// A target machine for thumbv7em on a Cortex-M4. `fpu` permits FPU
/// instructions; with FloatAbi::Soft there are none whatever it says.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(FloatAbi abi, bool fpu);

/// Whether any function of `module` computes with floating-point numbers.
bool usesFloat(const llvm::Module &module);

/// Sets triple, data layout, and every function's attributes to the target's,
/// and the attribute that lets the object link with any float ABI.
void setTarget(llvm::Module &module, const llvm::TargetMachine &machine);

/// Optimizes as -O2 without vectorization.
void optimize(llvm::Module &module, llvm::TargetMachine &machine);

} // namespace thimble::object
