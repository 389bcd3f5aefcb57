// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The windows of one output pixel or two, as words with two of its bytes each, widened to 16 bits:
// what SMLAD multiplies. For convolutions of few channels, whose windows are short runs of bytes.
//
// Of a run of bytes, four at a time come from a load and SXTB16 in the order (0, 2), (1, 3). What
// remains of the runs is put together in pairs, from whatever half of a register it is in.
#pragma once

#include "passes/kernels/asm/ConvLayer.h"

#include <map>
#include <optional>

namespace thimble {

/// A byte of the input: relative to the first of the window of the first pixel.
struct WindowByte {
  int64_t row = 0, byte = 0;
  WindowByte operator+(int64_t bytes) const { return {row, byte + bytes}; }
  bool operator==(WindowByte o) const { return row == o.row && byte == o.byte; }
  bool operator<(WindowByte o) const { return std::tie(row, byte) < std::tie(o.row, o.byte); }
};

/// A tap of the filter.
struct WindowTap {
  int64_t ky = 0, kx = 0, channel = 0;
};

class WindowGather {
public:
  /// Two pixels lie beside each other or, `isVertical`, below.
  WindowGather(const ConvShape &shape, int64_t pixels, bool isVertical);

  const ConvShape &shape() const { return s; }
  int64_t pixels() const { return pixelCount; }
  bool isVertical() const { return vertical; }
  /// Rows of the input under the windows.
  int64_t rows() const {
    return (s.kH - 1) * s.dilationH + 1 + (vertical ? (pixelCount - 1) * s.strideH : 0);
  }

  /// The taps that pairs of bytes meet, of each pixel: the same for all.
  struct TapPair {
    WindowTap low;
    std::optional<WindowTap> high;
  };
  llvm::ArrayRef<TapPair> taps() const { return tapPairs; }
  /// Where `taps` has a tap: the pair, and 1 for its high half. Of the taps in their order by row,
  /// column, channel.
  std::pair<Val, Val> placeOf(KernelBuilder &b, Val ky, Val kx, Val channel) const;

  /// The words to gather: fewer than pixels times taps, as pixels share some.
  int64_t words() const { return static_cast<int64_t>(wordList.size()); }
  /// The word that pair `pair` of pixel `pixel` is.
  int64_t word(int64_t pixel, size_t pair) const {
    return operands[static_cast<size_t>(pixel)][pair];
  }
  /// The last tap of two pixels may be in the halves of one word: of `pixel` in the high half.
  bool isHigh(int64_t pixel, size_t pair) const {
    return pixel == 1 && sharesLast && pair + 1 == tapPairs.size();
  }

  /// Whether the loads for output column `x` lie on the picture.
  bool isInside(int64_t x) const;
  /// Loads all words; `column` is the output column if it is not `isInside`. `window` is the
  /// address of the first pixel's window. `keep` takes each word, once.
  using Keep = llvm::function_ref<void(int64_t word, Reg value)>;
  void emit(AsmBuilder &a, Reg window, std::optional<int64_t> column, int32_t zeroPoint,
            Keep keep) const;
  /// Cycles by which misaligned loads of `emit` take longer, on average.
  double misalignment() const;

private:
  friend class GatherEmitter;

  /// Two bytes of the input in a word; the high half may be anything.
  struct Word {
    WindowByte low;
    std::optional<WindowByte> high;
    bool operator==(const Word &o) const { return low == o.low && high == o.high; }
  };

  /// Bytes that follow one another in a window: how many runs a row of it has, and how long.
  int64_t runsPerRow() const { return s.dilationW == 1 ? 1 : s.kW; }
  int64_t runBytes() const { return s.dilationW == 1 ? s.kW * s.inC : s.inC; }
  int64_t pairsPerRun() const { return runBytes() / 4 * 2 + (runBytes() % 4 >= 2); }
  bool hasSingle() const { return runBytes() % 2 == 1; }

  void listTaps();
  void listWords();
  void findLoads();
  WindowTap tapAt(int64_t ky, int64_t run, int64_t byte) const;
  WindowByte byteOf(int64_t pixel, WindowTap tap) const;
  int64_t wordFor(const Word &word);
  std::optional<int64_t> findWord(WindowByte low, WindowByte high) const;

  ConvShape s;
  int64_t pixelCount;
  bool vertical, sharesLast = false;
  std::vector<TapPair> tapPairs;
  size_t loosePairs = 0; // pairs of taps that are put together, after the others
  std::vector<Word> wordList;
  std::vector<std::vector<int64_t>> operands;
  /// A load of four bytes, and which halves to unpack: (0, 2) or (1, 3), or both.
  struct Four {
    WindowByte at;
    bool even = false, odd = false;
  };
  std::vector<Four> fours;
  /// Loads of one.
  std::vector<WindowByte> ones;
};

} // namespace thimble
