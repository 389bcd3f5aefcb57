// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators that compute some rows of their result at a time: which rows of their operands that
// takes, and the same operator on tensors of so many rows.
#pragma once

#include "passes/analysis/Streaming.h"
#include "passes/kernels/Kernel.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>

namespace thimble {

/// How `op` reads its operands (but for constants and absent ones; `RowInput::tensor` is not set):
/// nothing if it cannot compute rows of its result one after another. Rows are the second axis of a
/// tensor of rank 4, the first of which is 1.
std::optional<llvm::SmallVector<RowInput, 2>> rowInputsOf(nn::NNOperator op);

/// Whether `op` can take in its only input a row at a time, for a result that is there with the
/// last.
bool reducesRows(nn::NNOperator op, const Target &target);

/// The byte that stands for padding in `tensor`: the zero point, which is 0 where elements have
/// several bytes.
int64_t paddingByte(mlir::Value tensor);

/// Operators on tiles of rows, and the kernels that can compute them; each is made once.
class RowTiles {
public:
  RowTiles(mlir::MLIRContext *context, const Target &target);

  /// `op` for `height` rows of its result, in a module of its own, which lives as long as this;
  /// `op` itself if it reduces rows.
  nn::NNOperator tileOf(nn::NNOperator op, int64_t height);
  /// The kernels for it, cheapest first; costs are those of one tile.
  llvm::ArrayRef<Candidate> candidatesFor(nn::NNOperator op, int64_t height);

private:
  struct Tile {
    nn::NNOperator op;
    llvm::SmallVector<Candidate> candidates;
  };
  Tile &at(nn::NNOperator op, int64_t height);

  const Target &target;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::map<std::pair<mlir::Operation *, int64_t>, Tile> tiles;
};

} // namespace thimble
