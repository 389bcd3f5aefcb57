// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Products of rows of int16 with a matrix of int8 weights: what convolutions and fully connected
// layers of int16 are made of.
#pragma once

#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/OutputScaling.h"

namespace thimble {

/// From 64-bit sums to int16 outputs as TFLite Micro scales them, by multipliers of 15 bits rounded
/// once: smmla S, q, C; ssat asr E, exact for all S of 32 bits.
struct Int16Scaling {
  std::vector<int32_t> multipliers; // q
  int32_t addend = 0;               // C
  int shift = 0;                    // E
  OutputScaling::Saturation saturation;

  /// None where sums are not of 64 bits by the reference, or shifts differ by more than 16.
  static std::optional<Int16Scaling> solve(const RequantPerChannel &requant);
  Reg emit(AsmBuilder &a, Reg sum, Reg multiplier, Reg addend) const;
  Val emit(KernelBuilder &b, Val sum, Val multiplier) const;
  std::string suffix() const;
};

/// outputs x depth weights and what goes with them.
struct Int16Weights {
  int64_t outputs = 0, depth = 0;
  std::vector<int8_t> weights; // by output
  std::vector<int64_t> biases;
  Int16Scaling scaling;

  /// Sums of 32 bits are exact for any inputs.
  bool fits() const;
};

/// All outputs of `rows` rows of inputs, of one to four, `rowStep` elements apart; rows of outputs
/// are `weights.outputs` elements apart. Weights are unpacked once for all rows: a word holds those
/// of two outputs and two inputs.
class Int16Products {
public:
  Int16Products(const Int16Weights &weights, int64_t rows, int64_t rowStep);

  /// As many rows as addresses reach.
  static int64_t mostRows(int64_t outputs, int64_t rowStep);

  /// Buffers: x, y, table.
  AsmKernel kernel() const;
  std::vector<int32_t> table() const;

private:
  friend class Int16ProductsCode;
  int64_t groups() const { return (w.outputs + group - 1) / group; }
  int64_t pairs() const { return (w.depth + 1) / 2; }
  int64_t groupStart(int64_t g) const;
  /// The input in a lane of a pair; negative for none. Where the depth is odd, the last pair has
  /// the last two, one of them again.
  int64_t input(int64_t pair, int64_t lane) const;
  void addWeights(int64_t first, std::vector<int32_t> &words) const;

  const Int16Weights &w;
  int64_t rows, rowStep;
  int64_t group; // outputs at a time
};

} // namespace thimble
