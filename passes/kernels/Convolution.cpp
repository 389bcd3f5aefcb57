// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable convolutions: plain loops for every type.
#include "dialects/nn/reference/Conv.h"
#include "passes/kernels/Accumulator.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"
#include "passes/kernels/Window.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

Window2D windowOf(ArrayRef<int64_t> strides, ArrayRef<int64_t> dilations, ArrayRef<int64_t> pads) {
  Window2D w;
  w.strideH = static_cast<int>(strides[0]);
  w.strideW = static_cast<int>(strides[1]);
  w.dilationH = static_cast<int>(dilations[0]);
  w.dilationW = static_cast<int>(dilations[1]);
  w.pads = {static_cast<int>(pads[0]), static_cast<int>(pads[1]), static_cast<int>(pads[2]),
            static_cast<int>(pads[3])};
  return w;
}

using AddTap =
    llvm::function_ref<Val(Accumulator &, Val sum, Val pixel, Val ky, Val kx, Val channel)>;

/// One row of a convolution with a filter of kH x kW: `addTap` adds the products of one tap of
/// one output channel to `sum`; `pixel` is the tap's place in the input, counted in pixels.
template <typename Conv>
void emitWindows(KernelBuilder &b, Conv conv, const KernelOperands &operands, Val row,
                 int channelAxis, AddTap addTap) {
  const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type,
                   &filter = operands.inputs[1].type;
  Window2D w = windowOf(conv.getStrides(), conv.getDilations(), conv.getPads());
  Accumulator accumulator(b, operands, nn::requantOf(conv), channelAxis);
  int64_t inH = in.shape[1], inW = in.shape[2];
  int64_t outH = out.shape[1], outW = out.shape[2], outC = out.shape[3];

  PictureRow place = splitRow(b, row, out);
  Val y0 = place.y * w.strideH - w.pads.top;
  TapRange ys = tapRange(b, y0, filter.shape[1], w.dilationH, inH, w.pads.top,
                         (outH - 1) * w.strideH - w.pads.top);
  b.loop("x", outW, [&](Val x) {
    Val x0 = x * w.strideW - w.pads.left;
    TapRange xs = tapRange(b, x0, filter.shape[2], w.dilationW, inW, w.pads.left,
                           (outW - 1) * w.strideW - w.pads.left);
    b.loop("channel", outC, [&](Val channel) {
      auto addRow = [&](Val ky, Val sum) {
        Val pixelY = place.batch * inH + y0 + ky * w.dilationH;
        return b.accumulate("kx", xs.first, xs.end, 1, sum, [&](Val kx, Val sum) {
          return addTap(accumulator, sum, pixelY * inW + x0 + kx * w.dilationW, ky, kx, channel);
        });
      };
      Val sum = b.accumulate("ky", ys.first, ys.end, 1, accumulator.start(channel), addRow);
      b.store(operands.outputs[0].buffer, (row * outW + x) * outC + channel,
              accumulator.finish(sum, channel));
    });
  });
}

class PortableConv2D : public Kernel {
public:
  StringRef getName() const override { return "conv_2d.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::Conv2DOp>(q.op))
      return std::nullopt;
    return portableMacCandidate(q, q.outputs[0].shape[0] * q.outputs[0].shape[1]);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const TensorType &filter = operands.inputs[1].type;
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    Buffer weights = bufferOf(b, operands.inputs[1], "weights");
    int64_t inC = operands.inputs[0].type.shape[3], outC = operands.outputs[0].type.shape[3];
    int64_t kH = filter.shape[1], kW = filter.shape[2], depth = filter.shape[3];
    int64_t groupOutputs = outC / (inC / depth);

    auto addTap = [&](Accumulator &accumulator, Val sum, Val pixel, Val ky, Val kx, Val channel) {
      Val group = groupOutputs == outC ? b.index(0) : channel / groupOutputs;
      Val first = pixel * inC + group * depth;
      Val tap = ((channel * kH + ky) * kW + kx) * depth;
      return b.accumulate("k", depth, sum, [&](Val k, Val sum) {
        return accumulator.add(sum, b.load(input, first + k, "pixel"),
                               b.load(weights, tap + k, "weight"));
      });
    };
    emitWindows(b, cast<nn::Conv2DOp>(op), operands, row, /*channelAxis=*/0, addTap);
  }
};

class PortableDepthwiseConv2D : public Kernel {
public:
  StringRef getName() const override { return "depthwise_conv_2d.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::DepthwiseConv2DOp>(q.op))
      return std::nullopt;
    return portableMacCandidate(q, q.outputs[0].shape[0] * q.outputs[0].shape[1]);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    Buffer weights = bufferOf(b, operands.inputs[1], "weights");
    int64_t inC = operands.inputs[0].type.shape[3], outC = operands.outputs[0].type.shape[3];
    int64_t kW = operands.inputs[1].type.shape[2], multiplier = outC / inC;

    auto addTap = [&](Accumulator &accumulator, Val sum, Val pixel, Val ky, Val kx, Val channel) {
      Val source = multiplier == 1 ? channel : channel / multiplier;
      Val tap = (ky * kW + kx) * outC + channel;
      return accumulator.add(sum, b.load(input, pixel * inC + source, "pixel"),
                             b.load(weights, tap, "weight"));
    };
    emitWindows(b, cast<nn::DepthwiseConv2DOp>(op), operands, row, /*channelAxis=*/3, addTap);
  }
};

/// Positions [first, end) along one axis of the input whose filter reaches `at`, an output position
/// with the padding before it.
TapRange reachingRange(KernelBuilder &b, Val at, int64_t taps, int64_t stride, int64_t size) {
  // A negative numerator truncates to what the maximum covers.
  return {b.max(b.index(0), (at - taps + stride) / stride), b.min(b.index(size), at / stride + 1)};
}

/// Gathers: every output element adds, in order, the input pixels whose filter reaches it. That is
/// the order in which the reference's scattered accumulators get them.
class PortableTransposeConv : public Kernel {
public:
  StringRef getName() const override { return "transpose_conv.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::TransposeConvOp>(q.op))
      return std::nullopt;
    return portableMacCandidate(q, q.outputs[0].shape[0] * q.outputs[0].shape[1]);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    auto conv = cast<nn::TransposeConvOp>(op);
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type,
                     &filter = operands.inputs[1].type;
    ArrayRef<int64_t> strides = conv.getStrides(), pads = conv.getPads();
    Accumulator accumulator(b, operands, nn::requantOf(op), /*channelAxis=*/0);
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    Buffer weights = bufferOf(b, operands.inputs[1], "weights");
    int64_t inH = in.shape[1], inW = in.shape[2], depth = in.shape[3];
    int64_t outW = out.shape[2], outC = out.shape[3];
    int64_t kH = filter.shape[1], kW = filter.shape[2];

    PictureRow place = splitRow(b, row, out);
    Val atY = place.y + pads[0];
    TapRange ys = reachingRange(b, atY, kH, strides[0], inH);
    b.loop("x", outW, [&](Val x) {
      Val atX = x + pads[2];
      TapRange xs = reachingRange(b, atX, kW, strides[1], inW);
      b.loop("channel", outC, [&](Val channel) {
        Val sum = b.accumulate(
            "in_y", ys.first, ys.end, 1, accumulator.start(channel), [&](Val inY, Val acc) {
              Val ky = atY - inY * strides[0];
              return b.accumulate("in_x", xs.first, xs.end, 1, acc, [&](Val inX, Val acc) {
                Val kx = atX - inX * strides[1];
                Val pixel = ((place.batch * inH + inY) * inW + inX) * depth;
                Val tap = ((channel * kH + ky) * kW + kx) * depth;
                return b.accumulate("k", depth, acc, [&](Val k, Val acc) {
                  return accumulator.add(acc, b.load(input, pixel + k, "pixel"),
                                         b.load(weights, tap + k, "weight"));
                });
              });
            });
        b.store(operands.outputs[0].buffer, (row * outW + x) * outC + channel,
                accumulator.finish(sum, channel));
      });
    });
  }
};

} // namespace
} // namespace thimble

void thimble::addConvolutionKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableConv2D>());
  list.push_back(std::make_unique<PortableDepthwiseConv2D>());
  list.push_back(std::make_unique<PortableTransposeConv>());
}
