// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Translations one at a time, for tests.
#include "compiler/emit/c/Translations.h"
#include "compiler/emit/object/Translations.h"

#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"

int main(int argc, char **argv) {
  thimble::emit::registerCTranslations();
  thimble::object::registerObjectTranslations();
  return failed(mlir::mlirTranslateMain(argc, argv, "Thimble translations"));
}
