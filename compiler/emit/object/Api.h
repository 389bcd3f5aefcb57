// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The generated API and the runtime, as LLVM IR.
#pragma once

#include "compiler/emit/Program.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"

namespace thimble::object {

/// Adds NAME_init, NAME_init_regions, NAME_input_k, NAME_output_k and NAME_invoke to
/// `module`, which has the layer functions of `program`. Same contract as the C
/// emission's.
void addApi(llvm::Module &module, const emit::Program &program, bool instrument);

/// Links in what `module` needs of the runtime's `bitcode`. An error where a function
/// is not in it.
llvm::Error linkRuntime(llvm::Module &module, llvm::StringRef bitcode);

/// Makes all but the API internal and gives every symbol the prefix NAME_.
void internalize(llvm::Module &module, const emit::Program &program);

} // namespace thimble::object
