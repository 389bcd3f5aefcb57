// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/reference/Conv.h"

#include "dialects/nn/reference/Accumulate.h"

namespace thimble {

using namespace detail;

RequantPerChannel prepareConv(const TensorType &input, const TensorType &filter,
                              const TensorType *bias, const TensorType &output,
                              Activation activation, Rounding rounding) {
  RequantPerChannel result;
  result.floatClamp = floatActivationRange(activation);
  if (input.element == ElementType::Float32)
    return result;

  bool unsignedBytes = input.element == ElementType::UInt8;
  bool shorts = input.element == ElementType::Int16;
  // Signed weights are symmetric by specification and so are int16 pictures:
  // their kernels never look at zero points.
  result.inputZeroPoint = shorts ? 0 : input.zeroPoint();
  result.filterZeroPoint = unsignedBytes ? filter.zeroPoint() : 0;
  result.outputZeroPoint = shorts ? 0 : output.zeroPoint();
  result.clamp = quantizedActivationRange(activation, output);
  result.rounding = rounding;
  result.wideAccumulator = shorts && !(bias && bias->element == ElementType::Int32);

  int64_t channels = output.shape.back();
  const std::vector<float> &scales = filter.quantization->scales;
  result.multipliers.reserve(channels);
  for (int64_t c = 0; c < channels; ++c) {
    float scale = scales.size() > 1 ? scales[c] : scales.front();
    // The legacy uint8 path rounds the product of scales to a float.
    double product =
        unsignedBytes ? double{input.scale() * scale} : double{input.scale()} * double{scale};
    result.multipliers.push_back(quantizeMultiplier(product / double{output.scale()}));
    if (rounding == Rounding::Single)
      result.scales.push_back(double{input.scale()} * double{scale} / double{output.scale()});
  }
  return result;
}

RequantPerChannel prepareDepthwiseConv(const TensorType &input, const TensorType &filter,
                                       const TensorType &output, Activation activation,
                                       Rounding rounding) {
  return prepareConv(input, filter, /*bias=*/nullptr, output, activation, rounding);
}

RequantPerChannel prepareTransposeConv(const TensorType &input, const TensorType &filter,
                                       const TensorType &output, Activation activation,
                                       Rounding rounding) {
  return prepareConv(input, filter, /*bias=*/nullptr, output, activation, rounding);
}

namespace {

/// Dimensions of an N,H,W,C tensor.
struct Picture {
  explicit Picture(const Tensor &t)
      : batches(t.shape()[0]), height(t.shape()[1]), width(t.shape()[2]), channels(t.shape()[3]) {}

  int64_t at(int64_t n, int64_t y, int64_t x) const {
    return ((n * height + y) * width + x) * channels;
  }

  int64_t batches, height, width, channels;
};

/// The filter taps [begin, end) of one axis that fall inside the picture when
/// tap 0 is at `origin`.
struct Taps {
  Taps(int64_t origin, int64_t dilation, int64_t taps, int64_t size)
      : begin(origin >= 0 ? 0 : (-origin + dilation - 1) / dilation),
        end(origin >= size ? 0 : std::min(taps, (size - origin + dilation - 1) / dilation)) {}

  int64_t begin, end;
};

template <typename X, typename W, typename Acc>
void conv2dTyped(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                 const Window2D &window, const RequantPerChannel &requant) {
  Picture in(input), weights(filter), result(out);
  const X *x = input.as<X>();
  const W *w = filter.as<W>();
  X *y = out.as<X>();
  int64_t depth = weights.channels;
  int64_t filtersPerGroup = result.channels / (in.channels / depth);
  std::vector<Acc> biases = readBias<Acc>(bias, result.channels);

  for (int64_t n = 0; n < result.batches; ++n)
    for (int64_t outY = 0; outY < result.height; ++outY) {
      int64_t originY = outY * window.strideH - window.pads.top;
      Taps rows(originY, window.dilationH, weights.height, in.height);
      for (int64_t outX = 0; outX < result.width; ++outX) {
        int64_t originX = outX * window.strideW - window.pads.left;
        Taps columns(originX, window.dilationW, weights.width, in.width);
        for (int64_t c = 0; c < result.channels; ++c) {
          int64_t groupOffset = c / filtersPerGroup * depth;
          Acc acc = 0;
          for (int64_t ky = rows.begin; ky < rows.end; ++ky)
            for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
              int64_t pixel =
                  in.at(n, originY + ky * window.dilationH, originX + kx * window.dilationW);
              acc = dot(acc, x + pixel + groupOffset, w + weights.at(c, ky, kx), depth,
                        requant.inputZeroPoint, requant.filterZeroPoint);
            }
          *y++ = static_cast<X>(requant.finish(wrappingAdd(acc, biases[c]), c));
        }
      }
    }
}

template <typename X, typename W, typename Acc>
void depthwiseTyped(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                    const Window2D &window, const RequantPerChannel &requant) {
  Picture in(input), weights(filter), result(out);
  const X *x = input.as<X>();
  const W *w = filter.as<W>();
  X *y = out.as<X>();
  int64_t channelMultiplier = result.channels / in.channels;
  std::vector<Acc> biases = readBias<Acc>(bias, result.channels);
  // All channels of a pixel side by side: each still adds its taps in order.
  std::vector<Acc> accs(result.channels);

  for (int64_t n = 0; n < result.batches; ++n)
    for (int64_t outY = 0; outY < result.height; ++outY) {
      int64_t originY = outY * window.strideH - window.pads.top;
      Taps rows(originY, window.dilationH, weights.height, in.height);
      for (int64_t outX = 0; outX < result.width; ++outX) {
        int64_t originX = outX * window.strideW - window.pads.left;
        Taps columns(originX, window.dilationW, weights.width, in.width);
        std::fill(accs.begin(), accs.end(), Acc{0});
        for (int64_t ky = rows.begin; ky < rows.end; ++ky)
          for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
            const X *pixel =
                x + in.at(n, originY + ky * window.dilationH, originX + kx * window.dilationW);
            const W *tap = w + weights.at(0, ky, kx);
            for (int64_t i = 0, c = 0; i < in.channels; ++i)
              for (int64_t m = 0; m < channelMultiplier; ++m, ++c)
                accs[c] = dot(accs[c], pixel + i, tap + c, 1, requant.inputZeroPoint,
                              requant.filterZeroPoint);
          }
        for (int64_t c = 0; c < result.channels; ++c)
          *y++ = static_cast<X>(requant.finish(wrappingAdd(accs[c], biases[c]), c));
      }
    }
}

template <typename X, typename W, typename Acc>
void transposeConvTyped(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                        const Window2D &window, const RequantPerChannel &requant) {
  Picture in(input), weights(filter), result(out);
  const X *x = input.as<X>();
  const W *w = filter.as<W>();
  X *y = out.as<X>();
  std::vector<Acc> biases = readBias<Acc>(bias, result.channels);
  // Input pixels are scattered over the output, so all of it accumulates at once.
  std::vector<Acc> accs(out.elements(), Acc{0});

  for (int64_t n = 0; n < in.batches; ++n)
    for (int64_t inY = 0; inY < in.height; ++inY) {
      int64_t originY = inY * window.strideH - window.pads.top;
      Taps rows(originY, 1, weights.height, result.height);
      for (int64_t inX = 0; inX < in.width; ++inX) {
        int64_t originX = inX * window.strideW - window.pads.left;
        Taps columns(originX, 1, weights.width, result.width);
        const X *pixel = x + in.at(n, inY, inX);
        for (int64_t ky = rows.begin; ky < rows.end; ++ky)
          for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
            Acc *target = accs.data() + result.at(n, originY + ky, originX + kx);
            for (int64_t c = 0; c < result.channels; ++c)
              target[c] = dot(target[c], pixel, w + weights.at(c, ky, kx), in.channels,
                              requant.inputZeroPoint, requant.filterZeroPoint);
          }
      }
    }

  for (int64_t i = 0; i < out.elements(); ++i) {
    int64_t c = i % result.channels;
    y[i] = static_cast<X>(requant.finish(wrappingAdd(accs[i], biases[c]), c));
  }
}

} // namespace

void conv2d(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
            const Window2D &window, const RequantPerChannel &requant) {
  withTypes(input.type.element, filter.type.element, requant.wideAccumulator,
            [&](auto x, auto w, auto acc) {
              conv2dTyped<typename decltype(x)::type, typename decltype(w)::type,
                          typename decltype(acc)::type>(input, filter, bias, out, window, requant);
            });
}

void depthwiseConv2d(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                     const Window2D &window, const RequantPerChannel &requant) {
  withTypes(input.type.element, filter.type.element, requant.wideAccumulator,
            [&](auto x, auto w, auto acc) {
              depthwiseTyped<typename decltype(x)::type, typename decltype(w)::type,
                             typename decltype(acc)::type>(input, filter, bias, out, window,
                                                           requant);
            });
}

void transposeConv2d(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                     const Window2D &window, const RequantPerChannel &requant) {
  assert(window.dilationH == 1 && window.dilationW == 1);
  withTypes(input.type.element, filter.type.element, requant.wideAccumulator,
            [&](auto x, auto w, auto acc) {
              transposeConvTyped<typename decltype(x)::type, typename decltype(w)::type,
                                 typename decltype(acc)::type>(input, filter, bias, out, window,
                                                               requant);
            });
}

} // namespace thimble
