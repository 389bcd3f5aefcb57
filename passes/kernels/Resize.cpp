// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Portable resizing of pictures: where each output row and column comes from is tabulated.
#include "dialects/nn/reference/Resize.h"
#include "passes/kernels/Families.h"
#include "passes/kernels/Kernel.h"
#include "passes/kernels/Window.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

template <typename OpTy> ResizeGrid gridOf(OpTy op) {
  return {op.getAlignCorners(), op.getHalfPixelCenters()};
}

std::optional<Candidate> pictureCandidate(const KernelQuery &q, int64_t cyclesPerElement) {
  const TensorType &out = q.outputs[0];
  Candidate c;
  c.rows = out.shape[0] * out.shape[1];
  c.cycles = cyclesPerElement * out.elements();
  c.flashBytes = 300 + 4 * (out.shape[1] + out.shape[2]);
  return c;
}

class PortableResizeNearest : public Kernel {
public:
  StringRef getName() const override { return "resize_nearest_neighbor.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::ResizeNearestNeighborOp>(q.op))
      return std::nullopt;
    return pictureCandidate(q, 8);
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    ResizeGrid grid = gridOf(cast<nn::ResizeNearestNeighborOp>(op));
    int64_t inH = in.shape[1], inW = in.shape[2], outW = out.shape[2], channels = out.shape[3];
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    Buffer rows = b.table<int32_t>("rows", nearestRows(inH, out.shape[1], grid));
    Buffer columns = b.table<int32_t>("columns", nearestRows(inW, outW, grid));
    PictureRow place = splitRow(b, row, out);
    Val source = (place.batch * inH + b.toIndex(b.load(rows, place.y, "source_row"))) * inW;
    b.loop("x", outW, [&](Val x) {
      Val pixel = (source + b.toIndex(b.load(columns, x, "source_column"))) * channels;
      b.loop("channel", channels, [&](Val channel) {
        b.store(operands.outputs[0].buffer, (row * outW + x) * channels + channel,
                b.load(input, pixel + channel, "pixel"));
      });
    });
  }
};

/// The taps of one axis in tables.
template <typename Weight> struct TapTables {
  TapTables(KernelBuilder &b, StringRef axis, ArrayRef<BilinearTap<Weight>> taps) {
    std::vector<int32_t> lowers, uppers;
    std::vector<Weight> weights;
    for (const BilinearTap<Weight> &tap : taps) {
      lowers.push_back(tap.lower);
      uppers.push_back(tap.upper);
      weights.push_back(tap.weight);
    }
    lower = b.table<int32_t>((axis + "_lower").str(), lowers);
    upper = b.table<int32_t>((axis + "_upper").str(), uppers);
    weight = b.table<Weight>((axis + "_weight").str(), weights);
  }

  Buffer lower, upper, weight;
};

/// The four pixels around a place, named as in the reference.
struct Neighbours {
  Val lowerLeft, lowerRight, upperLeft, upperRight;
};

class PortableResizeBilinear : public Kernel {
public:
  StringRef getName() const override { return "resize_bilinear.portable"; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    if (!isa<nn::ResizeBilinearOp>(q.op))
      return std::nullopt;
    std::optional<Candidate> c = pictureCandidate(q, 32);
    c->flashBytes *= 3;
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    ResizeGrid grid = gridOf(cast<nn::ResizeBilinearOp>(op));
    if (out.element == ElementType::Float32 || out.element == ElementType::UInt8) {
      auto rows = bilinearTaps(in.shape[1], out.shape[1], grid);
      auto columns = bilinearTaps(in.shape[2], out.shape[2], grid);
      return interpolate<float>(
          b, operands, row, rows, columns,
          [&](const Neighbours &n, Val v, Val h) { return blendFloats(b, n, v, h, out.element); });
    }
    auto rows = bilinearIntegerTaps(in.shape[1], out.shape[1], grid);
    auto columns = bilinearIntegerTaps(in.shape[2], out.shape[2], grid);
    int64_t pixel = out.element == ElementType::Int8 ? 128 : 32768;
    bool wide =
        pixel * reach(rows) * reach(columns) + one * one / 2 > std::numeric_limits<int32_t>::max();
    interpolate<int32_t>(b, operands, row, rows, columns, [&](const Neighbours &n, Val v, Val h) {
      return blendIntegers(b, n, v, h, wide);
    });
  }

private:
  /// One in the integer weights.
  static constexpr int64_t one = 1 << 10;

  /// Bound of the sum of the magnitudes of the two weights of a tap.
  static int64_t reach(ArrayRef<BilinearTap<int32_t>> taps) {
    int64_t bound = 0;
    for (const BilinearTap<int32_t> &tap : taps)
      bound = std::max(bound, std::abs(one - tap.weight) + std::abs(int64_t(tap.weight)));
    return bound;
  }

  template <typename Weight>
  static void interpolate(KernelBuilder &b, const KernelOperands &operands, Val row,
                          ArrayRef<BilinearTap<Weight>> rowTaps,
                          ArrayRef<BilinearTap<Weight>> columnTaps,
                          function_ref<Val(const Neighbours &, Val, Val)> blend) {
    const TensorType &in = operands.inputs[0].type, &out = operands.outputs[0].type;
    int64_t inH = in.shape[1], inW = in.shape[2], outW = out.shape[2], channels = out.shape[3];
    Buffer input = bufferOf(b, operands.inputs[0], "input");
    TapTables<Weight> rows(b, "row", rowTaps), columns(b, "column", columnTaps);
    PictureRow place = splitRow(b, row, out);
    auto rowStart = [&](Buffer table, StringRef name) {
      return (place.batch * inH + b.toIndex(b.load(table, place.y, name))) * inW;
    };
    Val lower = rowStart(rows.lower, "lower"), upper = rowStart(rows.upper, "upper");
    Val v = b.load(rows.weight, place.y, "v");
    b.loop("x", outW, [&](Val x) {
      Val left = b.toIndex(b.load(columns.lower, x, "left"));
      Val right = b.toIndex(b.load(columns.upper, x, "right"));
      Val h = b.load(columns.weight, x, "h");
      b.loop("channel", channels, [&](Val channel) {
        auto pixel = [&](Val rowOf, Val column) {
          return b.load(input, (rowOf + column) * channels + channel, "pixel");
        };
        Neighbours n = {pixel(lower, left), pixel(lower, right), pixel(upper, left),
                        pixel(upper, right)};
        b.store(operands.outputs[0].buffer, (row * outW + x) * channels + channel, blend(n, v, h));
      });
    });
  }

  static Val blendFloats(KernelBuilder &b, Neighbours n, Val v, Val h, ElementType element) {
    for (Val *pixel : {&n.lowerLeft, &n.lowerRight, &n.upperLeft, &n.upperRight})
      *pixel = b.toFloat(*pixel);
    // The order of the additions is the reference's.
    Val sum = n.lowerLeft * (1 - v) * (1 - h) + n.upperLeft * v * (1 - h) +
              n.lowerRight * (1 - v) * h + n.upperRight * v * h;
    if (element == ElementType::Float32)
      return sum + 0.0f;
    return b.toI32Truncating(sum + 0.5f);
  }

  static Val blendIntegers(KernelBuilder &b, Neighbours n, Val v, Val h, bool wide) {
    if (wide)
      for (Val *number : {&n.lowerLeft, &n.lowerRight, &n.upperLeft, &n.upperRight, &v, &h})
        *number = b.toI64(*number);
    KernelBuilder::NoOverflow guard(b);
    Val sum = n.lowerLeft * (one - v) * (one - h) + n.upperLeft * v * (one - h) +
              n.lowerRight * (one - v) * h + n.upperRight * v * h;
    int64_t half = one * one / 2;
    Val rounded = sum + b.select(sum > 0, constantLike(sum, half), constantLike(sum, -half));
    return rounded / (one * one);
  }
};

} // namespace
} // namespace thimble

void thimble::addResizeKernels(KernelList &list) {
  list.push_back(std::make_unique<PortableResizeNearest>());
  list.push_back(std::make_unique<PortableResizeBilinear>());
}
