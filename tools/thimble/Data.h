// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The driver's files: samples of a model's inputs, tensors, and writing all or nothing.
#pragma once

#include "compiler/Compiler.h"
#include "dialects/nn/reference/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>

namespace thimble::driver {

/// One tensor for each of the model's inputs.
using Sample = std::vector<Tensor>;

/// The samples in `paths`: one .npy for each argument of `main`, or one .npz with input_0, input_1
/// and so on. An array has the input's shape, or one more axis in front: that of the samples. An
/// error has been printed where there is no value.
std::optional<std::vector<Sample>> readSamples(mlir::func::FuncOp main,
                                               llvm::ArrayRef<std::string> paths);

/// The samples that --input names for the imported model, or `count` random ones: the same every
/// time, on every machine.
std::optional<std::vector<Sample>> samplesFor(mlir::ModuleOp imported,
                                              llvm::ArrayRef<std::string> paths, size_t count);

/// "int8[1x490]".
std::string typeText(const TensorType &type);

/// Writes `tensors` to `paths`: one .npy for each, or one .npz with output_0, output_1 and so on.
/// False after an error has been printed.
bool writeTensors(llvm::ArrayRef<Tensor> tensors, llvm::ArrayRef<std::string> paths);

/// Writes all of `files`, whose names are paths, or none. False after an error has been printed.
bool writeFiles(llvm::ArrayRef<OutputFile> files);

} // namespace thimble::driver
