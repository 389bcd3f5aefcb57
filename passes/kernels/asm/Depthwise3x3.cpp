// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/Depthwise3x3.h"

#include "passes/kernels/Window.h"

using namespace mlir;
using namespace thimble;

std::optional<Depthwise3x3> Depthwise3x3::create(std::optional<DepthwiseLayer> layer,
                                                 int64_t stride, bool isFolded,
                                                 llvm::function_ref<bool(const ConvShape &)> fits) {
  if (!layer)
    return std::nullopt;
  const ConvShape &s = layer->shape;
  if (s.kH != 3 || s.kW != 3 || s.dilationH != 1 || s.dilationW != 1 || s.strideH != stride ||
      s.strideW != stride || s.padTop > 1 || s.padLeft > 1 || padBottom(s) > 1 || padRight(s) > 1 ||
      !fits(s))
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

std::vector<int8_t> Depthwise3x3::table() const {
  const ConvShape &s = shape();
  std::vector<int8_t> bytes;
  auto append = [&](int64_t word) {
    for (int shift = 0; shift < 32; shift += 8)
      bytes.push_back(static_cast<int8_t>(word >> shift));
  };
  if (hasAnyChannels)
    for (int64_t word :
         {s.inC, (s.inC + 3) / 4, (4 - s.inC % 4) % 4, s.inW * s.inC, s.outW * s.outC})
      append(word);
  for (int64_t o = 0; o < s.outC; ++o) {
    for (int64_t kx = 0; kx < 3; ++kx)
      for (int64_t ky : {1, 0, 2})
        bytes.push_back(static_cast<int8_t>(layer.weight(o, ky, kx)));
    append(layer.scaledBias(o, 8, scaling) - (isFolded ? zeroPointProducts(o) : 0));
    std::vector<int32_t> words;
    scaling.appendConstants(static_cast<size_t>(o), words);
    llvm::for_each(words, append);
  }
  return bytes;
}

Depthwise3x3::Channel Depthwise3x3::loadChannel(AsmBuilder &a, SReg &table) const {
  Channel channel;
  Reg at = a.toR(table);
  Regs words; // of weights three bytes, and one that is of what follows
  for (int64_t offset = 0; offset < weightBytes; offset += 3)
    words.push_back(a.loadTable(at, offset));
  channel.bias = a.toS(a.loadTable(at, weightBytes));
  for (int i = 1; i <= scaling.constantWords(); ++i)
    channel.scaling.push_back(a.toS(a.loadTable(at, weightBytes + 4 * i)));
  table = a.toS(a.add(at, channelBytes()));
  Reg mask = a.constant(0xff00ff00);
  for (Reg word : words)
    channel.lower.push_back(a.bitAnd(mask, lsl(word, 8)));
  for (Reg word : words)
    channel.upper.push_back(a.bitOr(a.bitAnd(word, 0xff00), lsl(word, 24)));
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

// 256 times a weight of the channel whose constants are at `at`.
static Val weightOf(KernelBuilder &b, Buffer constants, Val at, Val ky, Val kx) {
  Val byte = b.select(ky == 0, b.index(1), b.select(ky == 1, b.index(0), b.index(2)));
  return b.load(constants, at + kx * 3 + byte, "weight") << 8;
}

void Depthwise3x3::portable(KernelBuilder &b, ArrayRef<Buffer> buffers, Val inputRows,
                            Val outputRows, Val firstRow) const {
  const ConvShape &s = shape();
  Buffer in = buffers[0], out = buffers[1], constants = buffers[2];
  Val channels = hasAnyChannels
                     ? b.toIndex(b.loadWord(constants, b.index(4 * Channels), "channels"))
                     : b.index(s.outC);
  Val inputs = hasAnyChannels ? channels : b.index(s.inC);
  b.loop("channel", b.index(0), channels, 1, [&](Val channel) {
    Val at = channel * channelBytes() + headerBytes(), source = channel / layer.multiplier();
    Val bias = b.loadWord(constants, at + weightBytes, "bias");
    if (isFolded && layer.zeroPoint() != 0)
      bias = b.accumulate("tap", 9, bias, [&](Val tap, Val sum) {
        return sum + weightOf(b, constants, at, tap / 3, tap % 3) * layer.zeroPoint();
      });
    Vals scale;
    for (int i = 0; i < scaling.constantWords(); ++i)
      scale.push_back(b.loadWord(constants, at + weightBytes + 4 * (i + 1), "scale"));
    b.loop("y", b.index(0), outputRows, 1, [&](Val y) {
      Val y0 = firstRow + y * s.strideH;
      b.loop("x", s.outW, [&](Val x) {
        Val x0 = x * s.strideW - s.padLeft;
        TapRange xs = tapRange(b, x0, 3, 1, s.inW, s.padLeft, (s.outW - 1) * s.strideW - s.padLeft);
        Val ky0 = b.max(b.index(0), -y0), ky1 = b.min(b.index(3), inputRows - y0);
        Val sum = b.accumulate("ky", ky0, ky1, 1, bias, [&](Val ky, Val sum) {
          return b.accumulate("kx", xs.first, xs.end, 1, sum, [&](Val kx, Val sum) {
            Val pixel = b.load(in, ((y0 + ky) * s.inW + x0 + kx) * inputs + source, "pixel");
            Val weight = weightOf(b, constants, at, ky, kx);
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
