// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// mlir-opt for Thimble's dialects, passes and phases.
#include "tools/Registration.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  thimble::registerDialects(registry);
  thimble::registerPassesAndPhases();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Thimble's optimizer driver\n", registry));
}
