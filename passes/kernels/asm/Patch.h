// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The input under a block of outputs, brought together in scratch: columns that several outputs or
// channels read are widened and padded once.
#pragma once

#include "passes/kernels/asm/ConvLayer.h"

namespace thimble {

/// Channels of a pixel as words of pairs: (0, 2), (1, 3) of each four, as SXTB16 unpacks them. The
/// last four overlap those before where the number of channels is no multiple of 4; a channel's
/// repetitions meet weights that are zero.
struct ChannelPairs {
  int64_t channels;
  int64_t fours() const { return (channels + 3) / 4; }
  int64_t count() const { return channels == 1 ? 1 : 2 * fours(); }
  int64_t firstOfFour(int64_t four) const {
    return std::max<int64_t>(0, std::min(4 * four, channels - 4));
  }
  /// The channel in half `half` of word `pair`.
  int64_t channel(int64_t pair, int64_t half) const {
    return std::min(firstOfFour(pair / 2) + pair % 2 + 2 * half, channels - 1);
  }
  /// That is not what an earlier word, or half, holds too.
  bool isFirst(int64_t pair, int64_t half) const;
};

/// [row][column][pair]: words of pairs if widened, else of four bytes.
struct Patch {
  const ConvShape &shape;
  /// Output pixels that it serves, side by side, and rows of them.
  int64_t outputs = 1, outputRows = 1;
  bool isWide = true;

  int64_t columnStep() const;
  int64_t columns() const;
  int64_t rowStep() const { return outputRows > 1 ? 1 : shape.dilationH; }
  int64_t rows() const;
  ChannelPairs pairs() const { return {shape.inC}; }
  int64_t columnBytes() const { return 4 * (isWide ? pairs().count() : pairs().fours()); }
  int64_t rowBytes() const { return columns() * columnBytes(); }
  int64_t bytes() const { return rows() * rowBytes(); }
  /// Where tap (ky, kx) of output `i` of the first row begins.
  int64_t tapOffset(int64_t i, int64_t ky, int64_t kx) const {
    return ky * rowBytes() +
           (i * shape.strideW + kx * shape.dilationW) / columnStep() * columnBytes();
  }
  /// Taps of one filter row follow one another.
  bool hasContiguousRows() const { return shape.kW == 1 || shape.dilationW == columnStep(); }

  /// Fills the patch whose first pixel is (`row`, `column`) of `picture`; both may lie outside.
  /// `destination` moves past it.
  void emit(AsmBuilder &a, Reg picture, Reg row, Reg column, Reg &destination,
            int32_t zeroPoint) const;
};

} // namespace thimble
