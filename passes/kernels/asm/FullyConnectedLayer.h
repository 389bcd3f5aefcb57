// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// How fully connected layers of int8 are cut up and packed (see FullyConnected.cpp).
#pragma once

#include "passes/kernels/asm/AsmKernel.h"
#include "passes/kernels/asm/WeightMatrix.h"

namespace thimble {

/// How a layer is cut up.
struct FullyConnectedCut {
  int64_t depth, outputs;
  int64_t group; // outputs a pass
  int64_t chunk; // inputs that are widened at once, or all
  int64_t step;  // inputs a trip of a loop over all; 0 where the code is unrolled over a chunk
  bool isMixed;  // byte-mix, not 16 bits a weight

  /// Outputs whose sums wait between chunks.
  static constexpr int64_t mostSums = 64;

  bool isLooped() const { return step > 0; }
  int64_t trips() const { return (depth + step - 1) / step; }
  /// Inputs of the last trip that the one before has too: they have weights of zero in the last.
  int64_t overlap() const { return trips() * step - depth; }
  /// What ends the loop: the end of the inputs, or the start of a last trip that overlaps.
  int64_t loopEnd() const { return overlap() ? depth - step : depth; }

  int64_t chunks() const { return (depth + chunk - 1) / chunk; }
  int64_t groups() const { return (outputs + group - 1) / group; }
  /// Groups that go through the chunks together.
  int64_t blockGroups() const {
    return chunks() == 1 ? groups() : std::min(groups(), mostSums / group);
  }
  int64_t blocks() const { return (groups() + blockGroups() - 1) / blockGroups(); }
  /// Pairs of inputs in a chunk; those of four bytes are (0, 2) and (1, 3), as SXTB16 makes them.
  int64_t pairs() const;
  int64_t wordsPerPair() const { return isMixed ? group / 2 : group; }
  int64_t groupWords() const { return pairs() * wordsPerPair(); }
  /// See `FullyConnectedLayer::table`.
  int64_t headerWords() const { return isLooped() ? 7 : 6; }
  int64_t chunkStart(int64_t c) const { return std::min(c * chunk, depth - chunk); }
  int64_t groupStart(int64_t g) const {
    return std::max<int64_t>(std::min(g * group, outputs - group), 0);
  }
  /// The input in a lane of a pair of chunk `c`; negative where another lane has it already.
  int64_t input(int64_t c, int64_t pair, int64_t lane) const;
};

/// What the code of a layer depends on.
struct FullyConnectedCode {
  FullyConnectedCut cut;
  bool isShared;            // the numbers of OutputScaling, by all outputs
  bool isChunked;           // any number of chunks, not one
  OutputScaling::Form form; // if not shared; else for costs
  OutputScaling::Saturation saturation;

  int64_t constantWords() const { return form == OutputScaling::Signed ? 3 : 2; }
  int64_t trailerWords() const { return 1 + (isShared ? 0 : cut.group * constantWords()); }
  /// A layer may have fewer outputs than one pass.
  int64_t stored() const { return std::min(cut.group, cut.outputs); }
  /// In the frame, after the pairs of a chunk.
  int64_t sumsOffset() const { return 4 * cut.pairs(); }
  int64_t frameBytes() const {
    return cut.isLooped() ? 0 : sumsOffset() + (isChunked ? 4 * FullyConnectedCut::mostSums : 0);
  }
  std::string name() const;

  /// The instructions: of the inputs, the outputs and the table.
  void emit(AsmBuilder &a, llvm::ArrayRef<Reg> arguments) const;
};

/// A layer ready to be priced and packed.
struct FullyConnectedLayer {
  WeightMatrix weights;
  /// Shared by all outputs, whose form and shift the code reads from the table, or of their own,
  /// read with the weights.
  OutputScaling scaling;
  int bits; // accumulators are 2^bits * S
  FullyConnectedCode code;

  /// `step` as in the cut; none where no proof is found, or inputs are fewer than a step.
  static std::optional<FullyConnectedLayer> create(WeightMatrix m, const RequantPerChannel &requant,
                                                   int64_t step);

  /// The constants: q, C, D, E (where they are shared), the numbers of blocks and chunks; for loops
  /// over the inputs, where they end. Then the blocks: the number of its groups, their
  /// accumulators' first values, and for each chunk, where its inputs start and the weights of each
  /// group; after those in the last chunk come where the group's outputs start and the numbers of
  /// each output, if they have their own.
  std::vector<int32_t> table() const;
  int64_t tableWords() const;
};

} // namespace thimble
