// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Lowered kernels in MLIR's LLVM dialect.
#pragma once

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/DataLayout.h"

namespace thimble::object {

/// Converts the functions and globals of a module after phase lower-kernels to
/// the LLVM dialect, in place: func, scf, cf, arith, memref and m4 go, and
/// other operations must be gone. `layout` is the target's; index is 32 bits.
/// A memref becomes a pointer to its first element: all are of rank 1 and static, so a
/// descriptor would carry only constants. Kernels that use the FPU's registers are their portable
/// functions where it may not be used.
mlir::LogicalResult convertToLLVM(mlir::ModuleOp module, const llvm::DataLayout &layout,
                                  bool mayUseFpu);

} // namespace thimble::object
