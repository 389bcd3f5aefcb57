// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Convolutions of any shape by one function, whose sizes come with the constants: little code for
// networks in which every layer has a shape of its own. Two pixels by four channels at a time: the
// inputs of both pixels are widened into one patch, and a loop multiplies it with the mixed weights
// of each group of channels (see WeightForm).
#pragma once

#include "passes/kernels/asm/DirectConvolution.h"

namespace thimble {

struct CompactLayer {
  static constexpr int64_t pixels = 2, channels = 4;

  /// How inputs lie in the patch, as pairs of taps. Pairs are (0, 2) and (1, 3) of each four.
  enum Patch {
    /// [pair][pixel]: 1x1, straight from a picture that is one long row.
    Pixels,
    /// [row and run of the window][pair][pixel]; a run are taps that are neighbours in memory.
    Windows,
    /// [row][pair][column]: the pixels share columns. The filter's width and stride are part of the
    /// code.
    Columns,
  };

  /// Halfwords at the start of the constants. Columns, runs and steps are in bytes.
  enum Size {
    Blocks,     // of pixels in a row
    LastPixel,  // that a block begins with
    ColumnStep, // from pixel to pixel
    SecondIn,   // the same within a block, and of outputs; 0 where a row has one pixel
    SecondOut,
    OutChannels,
    Groups,    // of channels; the second overlaps the first by what the last lacks
    FirstStep, // from the first group to the second
    RunBytes,
    PatchBytes,
    PointwiseSizes,
    // What a single row does not need.
    Runs = PointwiseSizes, // of a row of the patch
    RunStep,
    WindowRows,
    RowDilation,
    RowStride,
    PadTop,
    PadLeft,
    Rows, // of the picture
    RowBytes,
    Inside, // runs that start before this column lie within the row
    ZeroPoint,
    AllSizes,
  };

  ConvLayer layer;
  FormScaling scaling;
  Patch patch;
  /// Pairs in a trip of the loop.
  int64_t unrolled;

  static std::optional<CompactLayer> create(std::optional<ConvLayer> layer, Patch patch,
                                            int64_t unrolled);

  const ConvShape &shape() const { return layer.shape; }
  /// Columns of a patch that has them.
  int64_t columns() const { return shape().kW + (pixels - 1) * shape().strideW; }
  /// Taps side by side are bytes side by side, unless columns are left out between them.
  bool hasWideRuns() const {
    return patch != Columns && (shape().dilationW == 1 || shape().kW == 1);
  }
  int64_t runs() const { return patch == Columns ? columns() : hasWideRuns() ? 1 : shape().kW; }
  int64_t runBytes() const { return shape().inC * (hasWideRuns() ? shape().kW : 1); }

  /// The taps of a run are fours, of which the second overlaps the first.
  int64_t fours() const { return (runBytes() + 3) / 4; }
  /// Pairs of a patch, each of all its pixels or columns.
  int64_t pairs() const;
  int64_t pairBytes() const { return 4 * (patch == Columns ? columns() : pixels); }
  int64_t patchBytes() const { return pairs() * pairBytes(); }
  /// The row's number, the patch, and a run at the border.
  int64_t scratchBytes() const;

  /// Runs of all patches, for costs: that leave the picture, and all.
  struct RunCounts {
    int64_t outside, all;
  };
  RunCounts runCounts() const;

  int64_t groups() const { return (shape().outC + channels - 1) / channels; }
  int64_t overlap() const { return groups() * channels - shape().outC; }

  // Constants: sizes; for each group biases (mixed and even, of each pair of channels), the mixed
  // weights of each pair, or of each column of the filter of each pair, fine offsets if there are
  // any, the channels' scalings.

  int64_t headerWords() const { return ((patch == Pixels ? PointwiseSizes : AllSizes) + 1) / 2; }
  /// Of weights, for a pair of taps and a group.
  int64_t pairWords() const { return channels / 2 * (patch == Columns ? shape().kW : 1); }
  bool hasFineOffsets() const { return scaling.output.form == OutputScaling::Fold; }
  int64_t scalingWords() const { return scaling.output.constantWords(); }
  int64_t groupWords() const {
    return channels + pairs() * pairWords() + hasFineOffsets() + channels * scalingWords();
  }
  int64_t tableWords() const { return headerWords() + groups() * groupWords(); }
  std::vector<int32_t> table() const;

  /// Computes one row: of the picture, the row of outputs, the table and the scratch, which begins
  /// with the row's number.
  AsmKernel kernel() const;

private:
  bool fits() const;
  std::vector<int64_t> sizes() const;
  size_t channelOf(int64_t group, int64_t lane) const {
    return static_cast<size_t>(group * channels + lane - (group > 0 ? overlap() : 0));
  }
  int64_t weight(size_t channel, int64_t ky, int64_t run, int64_t pair, int64_t half) const;
  void appendWeights(int64_t group, std::vector<int32_t> &words) const;
};

/// The instructions of `CompactLayer::kernel`.
void emitCompact(AsmBuilder &a, const CompactLayer &layer, llvm::ArrayRef<Reg> arguments);

} // namespace thimble
