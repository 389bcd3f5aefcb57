// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/Depthwise3x3.h"

#include "passes/kernels/Window.h"

using namespace mlir;
using namespace thimble;

std::optional<Depthwise3x3>
Depthwise3x3::create(std::optional<DepthwiseLayer> layer, int64_t stride, bool isFolded,
                     llvm::function_ref<bool(const ConvShape &)> fits) {
  if (!layer)
    return std::nullopt;
  const ConvShape &s = layer->shape;
  if (s.kH != 3 || s.kW != 3 || s.dilationH != 1 || s.dilationW != 1 || s.strideH != stride ||
      s.strideW != stride || s.padTop > 1 || s.padLeft > 1 || padBottom(s) > 1 ||
      padRight(s) > 1 || !fits(s))
    return std::nullopt;
  constexpr int bits = 8;
  std::optional<OutputScaling> scaling = layer->scaling(bits);
  if (!scaling)
    return std::nullopt;
  return Depthwise3x3{std::move(*layer), std::move(*scaling), isFolded};
}

int64_t Depthwise3x3::padBottom(const ConvShape &s) {
  return std::max<int64_t>(0, (s.outH - 1) * s.strideH - s.padTop + 3 - s.inH);
}
int64_t Depthwise3x3::padRight(const ConvShape &s) {
  return std::max<int64_t>(0, (s.outW - 1) * s.strideW - s.padLeft + 3 - s.inW);
}

std::string Depthwise3x3::suffix() const {
  ConvShape named = shape();
  if (hasAnyChannels)
    named.inC = named.outC = 0;
  return named.suffix() + zeroPointSuffix(layer.zeroPoint()) + "_" + scaling.suffix();
}

// 256 times the products of a window of zero points.
int32_t Depthwise3x3::zeroPointProducts(int64_t output) const {
  int32_t sum = 0;
  for (int64_t ky = 0; ky < 3; ++ky)
    for (int64_t kx = 0; kx < 3; ++kx)
      sum += layer.weight(output, ky, kx);
  return 256 * layer.zeroPoint() * sum;
}

std::vector<int32_t> Depthwise3x3::table() const {
  const ConvShape &s = shape();
  std::vector<int32_t> words;
  if (hasAnyChannels)
    for (int64_t word : {s.inC, (s.inC + 3) / 4, (4 - s.inC % 4) % 4, s.inW * s.inC,
                         s.outW * s.outC})
      words.push_back(static_cast<int32_t>(word));
  for (int64_t o = 0; o < s.outC; ++o) {
    for (int64_t kx = 0; kx < 3; ++kx) {
      uint32_t word = 0;
      for (int64_t ky : {1, 2, 0, 1}) // from the highest byte on
        word = word << 8 | static_cast<uint8_t>(layer.weight(o, ky, kx));
      words.push_back(static_cast<int32_t>(word));
    }
    words.push_back(layer.scaledBias(o, 8, scaling) - (isFolded ? zeroPointProducts(o) : 0));
    scaling.appendConstants(static_cast<size_t>(o), words);
  }
  return words;
}

Depthwise3x3::Channel Depthwise3x3::loadChannel(AsmBuilder &a, SReg &table) const {
  Channel channel;
  Reg at = a.toR(table);
  Regs words = a.loadTableMultiple(at, static_cast<size_t>(channelWords()));
  table = a.toS(at);
  channel.bias = a.toS(words[3]);
  for (Reg word : ArrayRef(words).drop_front(4))
    channel.scaling.push_back(a.toS(word));
  Reg mask = a.constant(0xff00ff00);
  for (Reg word : ArrayRef(words).take_front(3)) {
    channel.lower.push_back(a.bitAnd(mask, lsl(word, 8)));
    channel.upper.push_back(a.bitAnd(mask, word));
  }
  return channel;
}

Reg Depthwise3x3::minusZeroPoints(AsmBuilder &a) const {
  return a.constant(halves(-layer.zeroPoint(), -layer.zeroPoint()));
}

Regs Depthwise3x3::constants(AsmBuilder &a, const Channel &channel) const {
  Regs regs;
  for (SReg word : channel.scaling)
    regs.push_back(a.toR(word));
  return regs;
}

// 256 times weight `ky` of a column's word.
static Val weightOf(KernelBuilder &b, Val word, Val ky) {
  Val shift = b.toI32(b.select(ky == 0, b.index(16), b.select(ky == 1, b.index(24), b.index(8))));
  return ((word << shift) >> 24) << 8;
}

void Depthwise3x3::portable(KernelBuilder &b, ArrayRef<Buffer> buffers, Val inputRows,
                            Val outputRows, Val firstRow) const {
  const ConvShape &s = shape();
  Buffer in = buffers[0], out = buffers[1], constants = buffers[2];
  Val channels = hasAnyChannels ? b.toIndex(b.load(constants, b.index(Channels), "channels"))
                                : b.index(s.outC);
  Val inputs = hasAnyChannels ? channels : b.index(s.inC);
  b.loop("channel", b.index(0), channels, 1, [&](Val channel) {
    Val at = channel * channelWords() + (hasAnyChannels ? headerWords : 0), source = channel / layer.multiplier();
    Val bias = b.load(constants, at + 3, "bias");
    if (isFolded && layer.zeroPoint() != 0)
      bias = b.accumulate("tap", 9, bias, [&](Val tap, Val sum) {
        return sum + weightOf(b, b.load(constants, at + tap % 3, "column"), tap / 3) * layer.zeroPoint();
      });
    Vals scale;
    for (int i = 0; i < scaling.constantWords(); ++i)
      scale.push_back(b.load(constants, at + 4 + i, "scale"));
    b.loop("y", b.index(0), outputRows, 1, [&](Val y) {
      Val y0 = firstRow + y * s.strideH;
      b.loop("x", s.outW, [&](Val x) {
        Val x0 = x * s.strideW - s.padLeft;
        TapRange xs = tapRange(b, x0, 3, 1, s.inW, s.padLeft, (s.outW - 1) * s.strideW - s.padLeft);
        Val ky0 = b.max(b.index(0), -y0), ky1 = b.min(b.index(3), inputRows - y0);
        Val sum = b.accumulate("ky", ky0, ky1, 1, bias, [&](Val ky, Val sum) {
          return b.accumulate("kx", xs.first, xs.end, 1, sum, [&](Val kx, Val sum) {
            Val pixel = b.load(in, ((y0 + ky) * s.inW + x0 + kx) * inputs + source, "pixel");
            Val weight = weightOf(b, b.load(constants, at + kx, "column"), ky);
            return sum + (pixel - layer.zeroPoint()) * weight;
          });
        });
        b.store(out, (y * s.outW + x) * channels + channel, scaling.emit(b, sum, scale));
      });
    });
  });
}

void Depthwise3x3::portable(KernelBuilder &b, ArrayRef<Buffer> buffers) const {
  portable(b, buffers, b.index(shape().inH), b.index(shape().outH), b.index(-shape().padTop));
}
