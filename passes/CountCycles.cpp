// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/Passes.h"
#include "passes/m4/Cycles.h"

#include "mlir/IR/Builders.h"

namespace thimble {
#define GEN_PASS_DEF_COUNTCYCLES
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace thimble;

namespace {
struct CountCyclesPass : thimble::impl::CountCyclesBase<CountCyclesPass> {
  void runOnOperation() override {
    m4::KernelOp kernel = getOperation();
    kernel.setCycles(static_cast<uint64_t>(m4::costOf(kernel).cycles));
  }
};
} // namespace
