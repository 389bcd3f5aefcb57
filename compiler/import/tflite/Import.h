// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// From a TFLite model to the nn dialect.
#pragma once

#include "compiler/import/tflite/Reader.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace thimble::tflite {

/// Whose rounding the importer records on operators where references differ.
enum class Reference { TFLM, LiteRT };

/// The main subgraph of `model` as `func.func @main`. Operators carry the layer's name as their
/// location; arguments and results of the function its tensors' names as `nn.name`. Everything that
/// stands against the import is an error on the layer's location, all of them in one go; null
/// then.
mlir::OwningOpRef<mlir::ModuleOp> importModel(const Model &model, mlir::MLIRContext *context,
                                              Reference reference = Reference::TFLM);

} // namespace thimble::tflite
