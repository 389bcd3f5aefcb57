// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Exact integer Winograd convolution of 3x3 filters with stride 1: Y = A^T (U . V) A with U = G g
// G^T of the weights and V = B^T d B of the stored inputs, where padding holds the zero point. G is
// scaled to integers; that makes Y a known multiple of the accumulators, modulo 2^32, which costs
// no division and makes the outputs' scaling cheap.
#pragma once

#include "passes/kernels/asm/Patch.h"

namespace thimble {

/// F(tile x tile, 3x3).
struct WinogradForm {
  int64_t tile, points;
  /// The order of V's columns.
  llvm::ArrayRef<int64_t> columns;
  /// Matrices by rows: points x 3, points x points, tile x points.
  llvm::ArrayRef<int64_t> filter, input, output;
  /// Y = 2^bits * odd * accumulator.
  int bits;
  int64_t odd;
  /// What is added to inputs, and to V of the channels in low halves, to make these not negative:
  /// the biases take it back.
  int32_t inputOffset, raise;
  /// Tiles that are transformed at once.
  int64_t mostTilesX, mostTilesY;
  /// Pairs of channels in a trip of the products: more are faster and more code.
  int64_t unrolledPairs;

  int64_t places() const { return points * points; }
};
extern const WinogradForm winograd2, winograd4;

/// A layer in a Winograd form, and the layout of its scratch and constants.
///
/// Scratch: a word with the number of the first output row, V as [row][column][pair of
/// channels][tile], the patch. Constants, for each two output channels: U as
/// [row][column][pair][channel], then each channel's numbers, and where groups overlap the step to
/// the next group's outputs.
struct Winograd {
  const ConvLayer &layer;
  const WinogradForm &form;
  OutputScaling scaling;
  /// By which each channel's accumulator is scaled.
  std::vector<int> bits;
  int64_t tilesX = 1, tilesY = 1;

  static std::optional<Winograd> find(const ConvLayer &layer, const WinogradForm &form);

  const ConvShape &shape() const { return layer.shape; }
  int64_t tiles() const { return tilesX * tilesY; }
  int64_t blockWidth() const { return form.tile * tilesX; }
  int64_t blockHeight() const { return form.tile * tilesY; }
  Patch patch() const { return {layer.shape, blockWidth(), blockHeight(), /*isWide=*/false}; }
  ChannelPairs channels() const { return {layer.shape.inC}; }
  int64_t pairs() const { return 2 * channels().fours(); }

  int64_t pairBytes() const { return 4 * tiles(); }
  int64_t columnBytes() const { return pairs() * pairBytes(); }
  /// F(2x2): the results of a row of V follow it, as [output column][channel][tile].
  int64_t resultBytes() const { return form.tile == 2 ? 4 * pairBytes() : 0; }
  int64_t rowBytes() const { return form.points * columnBytes() + resultBytes(); }
  int64_t patchOffset() const { return 4 + form.points * rowBytes(); }
  int64_t scratchBytes() const;

  int64_t groups() const { return (layer.shape.outC + 1) / 2; }
  int64_t firstChannel(int64_t group) const {
    return std::max<int64_t>(0, std::min(2 * group, layer.shape.outC - 2));
  }
  bool hasSteps() const { return layer.shape.outC > 2 && layer.shape.outC % 2 != 0; }
  int64_t weightWords() const { return form.places() * pairs() * 2; }
  /// A channel's words: F(4x4) has the inverse of `odd` first, then the bias, and after the
  /// scaling's numbers the biases of the outputs (2, 2), (3, 2), (2, 3) and (3, 3), which see what
  /// V was raised by.
  int64_t channelWords() const { return scaling.constantWords() + (form.raise ? 6 : 1); }
  int64_t groupWords() const { return weightWords() + 2 * channelWords() + hasSteps(); }
  std::vector<int32_t> table() const;

  /// Computes `blockHeight` rows of outputs: of the picture, the first of the rows, the table, and
  /// the scratch.
  AsmKernel kernel() const;

private:
  bool fits() const;
  bool findScaling();
  std::vector<int64_t> transformed(int64_t output, int64_t channel) const;
  void appendChannel(size_t output, std::vector<int32_t> &words) const;
};

/// The parts of a kernel that differ by form; variables that only blocks need are in the frame.
class WinogradEmitter {
public:
  WinogradEmitter(AsmBuilder &a, const Winograd &w) : a(a), w(w), s(w.shape()), tiles(w.tiles()) {}
  virtual ~WinogradEmitter() = default;
  void emit(llvm::ArrayRef<Reg> arguments);

  enum Variable { Picture, OutputRow, TableStart, FirstRow, Transformed, Output, frameVariables };
  static constexpr int64_t variableBytes = 4 * frameVariables;

protected:
  /// V of the patch.
  virtual void transformInputs() = 0;
  /// Products of V with the weights of two channels, and half of the outputs' transform.
  virtual void products(Reg &stream) = 0;
  /// The other half, scaled and stored.
  virtual void outputs(Reg &stream) = 0;

  Reg get(Variable v) { return a.loadFrame(4 * v); }
  void set(Variable v, Reg value) { a.storeFrame(value, 4 * v); }
  Reg patchStart() { return a.add(get(Transformed), w.patchOffset() - 4); }
  /// Adds the products of one column of V to the accumulators [channel][tile]; `stream` and `v`
  /// move on.
  void chain(Regs &sums, Reg &stream, Reg &v, bool isFresh = false);
  /// Stores an output at element `offset` from `to`, which may be far.
  void storeOutput(Reg value, Reg to, int64_t offset);
  /// To the outputs of the next group.
  void advance(Reg to, Reg &stream);

  AsmBuilder &a;
  const Winograd &w;
  const ConvShape &s;
  int64_t tiles;

private:
  void addPair(Regs &sums, Reg &stream, Reg &v, bool isFresh);
  SReg tableEnd;
};

/// The emitters, and how many bytes of the frame they use.
std::unique_ptr<WinogradEmitter> winograd2Emitter(AsmBuilder &a, const Winograd &w);
std::unique_ptr<WinogradEmitter> winograd4Emitter(AsmBuilder &a, const Winograd &w);
int64_t winograd4FrameBytes(const Winograd &w);

} // namespace thimble
