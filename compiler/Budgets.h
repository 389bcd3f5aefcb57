// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// --ram and --flash, and the target's regions of RAM: met, or an error that says what stands in the
// way.
#pragma once

#include "compiler/Report.h"

#include "mlir/IR/Location.h"

namespace thimble {

/// Whether `costs` are within the budgets of `options`.
bool meetsBudgets(const Costs &costs, const CompileOptions &options);

/// Whether the first region of RAM is full but for less than the stack turned out to be.
bool lacksStack(const Costs &costs, const CompileOptions &options);

/// What to plan for, in turn, until the budgets are met: what was asked for first.
std::vector<CompileOptions> attemptsFor(const CompileOptions &options);

/// Emits the error for budgets that none of `attempts`, one for each objective tried, meets: how
/// much is missing, the layer that needs most, and the cheapest way out.
mlir::LogicalResult reportBudgets(mlir::Location location, llvm::ArrayRef<Costs> attempts,
                                  const CompileOptions &options);

} // namespace thimble
