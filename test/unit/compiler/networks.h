// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Networks and inputs for tests of what changes a network without changing its results.
#pragma once

#include "dialects/nn/reference/Tensor.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <random>

namespace thimble::test {

/// Any bits; normal numbers for floats.
Tensor randomTensor(const TensorType &type, std::mt19937 &random);

/// Inputs of `function`, one kind after the other as `round` grows: random, all the least, all the
/// greatest number, either of both at random, all the same.
std::vector<Tensor> makeInputs(mlir::func::FuncOp function, int round, std::mt19937 &random);
constexpr int inputKinds = 5;

/// Expects the functions of `before` and `after` to give the same bytes on `rounds` inputs.
void expectSameResults(mlir::ModuleOp before, mlir::ModuleOp after, int rounds);

/// A network of integers with all that reduction has to get right: pruned filters with absurd
/// scales, saturated channels, residual additions, borders, flattened pictures. One function,
/// `main`.
mlir::OwningOpRef<mlir::ModuleOp> randomNetwork(mlir::MLIRContext &context, unsigned seed);

} // namespace thimble::test
