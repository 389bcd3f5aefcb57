// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// mlir-opt for Thimble's dialects and passes.

#include "compiler/Options.h"
#include "compiler/Phases.h"
#include "dialects/m4/M4Ops.h"
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNOps.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

// Each phase as a pipeline of its name, with the driver's default options.
static void registerPhases() {
  for (const thimble::PhaseInfo &info : thimble::phaseTable())
    mlir::registerPassPipeline(
        ("phase-" + info.name).str(), info.description,
        [&info](mlir::OpPassManager &pm, llvm::StringRef,
                llvm::function_ref<mlir::LogicalResult(const llvm::Twine &)>) {
          info.populate(pm, thimble::CompileOptions());
          return mlir::success();
        },
        [](llvm::function_ref<void(const mlir::detail::PassOptions &)>) {});
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registry.insert<thimble::nn::NNDialect, thimble::mcu::MCUDialect, thimble::m4::M4Dialect,
                  mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::memref::MemRefDialect,
                  mlir::quant::QuantDialect, mlir::scf::SCFDialect>();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  thimble::registerThimblePasses();
  registerPhases();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Thimble's optimizer driver\n", registry));
}
