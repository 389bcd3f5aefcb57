// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Object path: from lowered kernels to a thumbv7em ELF object, in process, with
// LLVM's ARM backend. Can be called any number of times, from any thread.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"
#include <string>
#include <vector>

namespace thimble::object {

/// The firmware's float ABI. No float crosses the API, so the object links with
/// all three; it says whether the code may use the FPU (soft: it may not) and how
/// the model's own functions pass floats. A model without floats never uses it.
enum class FloatAbi { Hard, Softfp, Soft };

struct ObjectOptions {
  /// Prefix of all symbols, a C identifier; empty: the program's name.
  std::string name;
  FloatAbi floatAbi = FloatAbi::Hard;
  /// Calls of thimble_layer_hook after each layer.
  bool instrument = false;
  /// Also fill ObjectFile::assembly (a second run of the code generator).
  bool assembly = false;
};

struct FunctionSize {
  std::string name;
  int64_t codeBytes = 0;
  /// Its own stack frame in bytes, saved registers included.
  int64_t frameBytes = 0;
  /// Its frame and the deepest of what it calls. Estimated where it calls the C
  /// library (libraryStackBytes).
  int64_t stackBytes = 0;
};

/// What the object costs, in bytes, before the linker drops what the firmware
/// does not call.
struct CodeSize {
  int64_t codeBytes = 0;
  int64_t constantBytes = 0;
  /// Deepest stack of NAME_invoke, of which `exact` says that no library
  /// function had to be estimated.
  int64_t stackBytes = 0;
  /// The same of C compiled with another compiler: frames that are not of instructions half as
  /// large again.
  int64_t stackBytesForC = 0;
  bool exact = true;
  /// In the order of the symbol table: layers and runtime functions, then the API.
  std::vector<FunctionSize> functions;
};

struct ObjectFile {
  std::string bytes;
  std::string assembly;
  CodeSize size;
};

/// Compiles `module`, which is as after phase lower-kernels and is not changed.
/// Errors are diagnostics on the module. Loads the dialects it needs into the module's context: not
/// to be called from within a pass.
///
/// The object defines the API of the C emission, and no other global symbol. It
/// may need memcpy, memmove and memset, and from libgcc the __aeabi_ helpers of
/// 64-bit division and (without FPU, or for f64) of floating point. Its code is in
/// .text.*, its constants in .rodata*, it has no .data and .bss.
mlir::FailureOr<ObjectFile> emitObject(mlir::ModuleOp module, const ObjectOptions &options);

/// What the C emission compiled by GCC -O2 costs, from what the object costs.
CodeSize estimateForC(CodeSize size);

/// Sizes of the same code. With `forC`, estimates for the C emission compiled by GCC -O2: code a
/// tenth larger (small kernels measured 0 to 20 % larger), and a margin on the stack.
mlir::FailureOr<CodeSize> measureCode(mlir::ModuleOp module, const ObjectOptions &options,
                                      bool forC);

/// Optimized LLVM IR as text.
mlir::FailureOr<std::string> emitLLVMIR(mlir::ModuleOp module, const ObjectOptions &options);

/// Code of the C emission with GCC -O2, from that of the object.
inline int64_t codeBytesForC(int64_t bytes) { return bytes + bytes / 10; }

} // namespace thimble::object
