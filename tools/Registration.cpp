// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/Registration.h"

#include "compiler/Options.h"
#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNOps.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

void thimble::registerDialects(mlir::DialectRegistry &registry) {
  registry.insert<nn::NNDialect, mcu::MCUDialect, m4::M4Dialect, mlir::arith::ArithDialect,
                  mlir::func::FuncDialect, mlir::memref::MemRefDialect, mlir::quant::QuantDialect,
                  mlir::scf::SCFDialect>();
}

void thimble::registerPassesAndPhases() {
  registerThimblePasses();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  mlir::registerLoopInvariantCodeMotionPass();
  mlir::registerSymbolDCEPass();
  mlir::registerStripDebugInfoPass();
  for (const PhaseInfo &info : phaseTable())
    mlir::registerPassPipeline(
        ("phase-" + info.name).str(), info.description,
        [populate =
             info.populate](mlir::OpPassManager &pm, llvm::StringRef options,
                            llvm::function_ref<mlir::LogicalResult(const llvm::Twine &)> error) {
          if (!options.empty())
            return error("a phase takes no options");
          populate(pm, CompileOptions());
          return mlir::success();
        },
        [](llvm::function_ref<void(const mlir::detail::PassOptions &)>) {});
}
