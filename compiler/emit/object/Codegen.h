// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// From optimized LLVM IR to bytes, and what they measure.
#pragma once

#include "compiler/emit/object/Object.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/CodeGen.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

namespace thimble::object {

/// A function's part of the stack.
struct Frame {
  int64_t bytes = 0;
  /// Whether it is that of instructions, which no compiler changes.
  bool isFixed = false;
};
/// By function; those without a frame are missing.
using Frames = llvm::StringMap<Frame>;

/// Collects what LLVM reports instead of printing it or exiting.
class Diagnostics {
public:
  /// Installs a handler in `context`, which must not outlive this.
  explicit Diagnostics(llvm::LLVMContext &context);

  Frames frames;
  std::string errors;
};

/// Runs the code generator. `module` is used up.
llvm::Expected<std::string> generateCode(llvm::Module &module, llvm::TargetMachine &machine,
                                         llvm::CodeGenFileType type, Diagnostics &diagnostics);

/// Bytes of stack that the C library's or libgcc's `function` takes, rounded up from what the Arm
/// GNU toolchain 12's need: memmove 16, 64-bit division 48, conversions below 72.
int64_t libraryStackBytes(llvm::StringRef function);

/// Sizes of an object with a section for each function; stack depths from the
/// relocations of its calls. `entries` are the functions whose deepest stack counts.
llvm::Expected<CodeSize> measure(llvm::StringRef object, const Frames &frames,
                                 llvm::ArrayRef<std::string> entries);

} // namespace thimble::object
