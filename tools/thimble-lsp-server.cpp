// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The language server that editors run for .mlir files with Thimble's dialects.
#include "tools/Registration.h"

#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  thimble::registerDialects(registry);
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
