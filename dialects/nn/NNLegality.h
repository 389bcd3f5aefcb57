// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Which operand and result types each operator of nn accepts: one table, from
// which the verifier, `thimble check` and docs/Operators.md are made.
#pragma once

#include "dialects/nn/reference/Tensor.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <optional>
#include <string>
#include <vector>

namespace llvm {
class raw_ostream;
}

namespace thimble::nn {

/// What a row demands of quantizations beyond the types. Bits.
enum LegalityRule : unsigned {
  /// Scales and zero points of all quantized operands and results are equal.
  SameQuantization = 1,
  /// As above for zero points; scales differ by 1e-6 at most (TFLM's pooling).
  NearQuantization = 2,
  /// int16 zero points other than 0 are handled.
  AnyZeroPoint = 4,
  /// Scales and zero points of all quantized operands are equal.
  SameInputs = 8,
};

/// One row. `signature` lists operand types, `->`, result types. A type is one of
/// i1 i8 u8 i16 i32 i64 f32, q8 qu8 q16 q32 (quantized per tensor), any of them
/// followed by "per channel", or T: the row then stands for one row for each of
/// the types in `types`. A trailing `?` marks an optional operand, `...` one or more.
struct LegalityRow {
  llvm::StringLiteral op;
  llvm::StringLiteral signature;
  llvm::StringLiteral types = "";
  unsigned rules = 0;
};
llvm::ArrayRef<LegalityRow> legalityTable();

/// The scale and zero point that an operator's reference kernel writes,
/// whatever its result says: the result has to say so.
struct FixedOutput {
  llvm::StringLiteral op;
  llvm::StringLiteral type;
  double scale;
  int32_t zeroPoint;
  double tolerance; ///< relative, of the scale
};
llvm::ArrayRef<FixedOutput> fixedOutputs();

/// "f32", "q8", "q8 per channel", ... as written in the table.
std::string typeName(const TensorType &type);

/// The signatures of `op` (mnemonic without the dialect), instantiated; empty
/// for an operator that the table does not have.
std::vector<std::string> legalSignatures(llvm::StringRef op);

/// Why `op` does not accept these types; nothing if it does. A null operand is
/// an absent optional one. Lower case, naming the legal values.
std::optional<std::string> whyIllegal(llvm::StringRef op,
                                      llvm::ArrayRef<const TensorType *> operands,
                                      llvm::ArrayRef<const TensorType *> results);

/// docs/Operators.md.
void printOperatorsPage(llvm::raw_ostream &os);

} // namespace thimble::nn
