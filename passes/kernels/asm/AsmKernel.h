// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Kernels of instructions as the code around them sees them: functions of addresses and words.
#pragma once

#include "passes/kernels/Kernel.h"
#include "passes/kernels/asm/AsmBuilder.h"

namespace thimble {

/// A function twice: in instructions, for cores and compilers that take them, and in portable
/// loops. Both read the same packed constants and must agree bit for bit.
struct AsmKernel {
  struct BufferParameter {
    std::string name;
    ElementType element = ElementType::Int8;
    bool isWritten = false;
  };

  /// Kernels of equal names have equal code: name everything that the code depends on, in the
  /// characters of a C identifier ("conv_1x1_k64_n64_p125_s7").
  std::string name;
  /// Addresses, in r0 and on; then words, up to r3.
  std::vector<BufferParameter> buffers;
  std::vector<std::string> words;
  /// Bytes of scratch on the stack, a multiple of 4. Keep it below 2.5 KB: what is larger belongs
  /// into the arena.
  int64_t frameBytes = 0;
  std::function<void(AsmBuilder &, llvm::ArrayRef<Reg> arguments)> instructions;
  std::function<void(KernelBuilder &, llvm::ArrayRef<Buffer>, llvm::ArrayRef<Val>)> portable;

  /// Cycles, code and table reads of one call.
  m4::Cost cost() const;
  /// Adds `calls` of this kernel to what a candidate costs: cycles, code and stack. Constants are
  /// the caller's to add.
  void addTo(Candidate &candidate, int64_t calls = 1) const;
};

/// Element `offset` of a buffer.
struct Address {
  Buffer buffer;
  Val offset;
};

/// Calls `kernel`, whose two functions are built when it is first called.
void callAsm(KernelBuilder &b, const AsmKernel &kernel, llvm::ArrayRef<Address> addresses,
             llvm::ArrayRef<Val> words = {});

} // namespace thimble
