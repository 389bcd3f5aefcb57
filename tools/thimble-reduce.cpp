// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// mlir-reduce for Thimble's dialects: shrinks a module while a script still finds it interesting.
#include "tools/Registration.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Tools/mlir-reduce/MlirReduceMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  thimble::registerDialects(registry);
  thimble::registerPassesAndPhases();
  mlir::MLIRContext context(registry);
  return failed(mlir::mlirReduceMain(argc, argv, context));
}
