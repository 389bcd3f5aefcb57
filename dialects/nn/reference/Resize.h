// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reference resizing of N,H,W,C pictures. The sizes are those of `out`.
#pragma once

#include "dialects/nn/reference/Tensor.h"

namespace thimble {

/// How the pixels of the two pictures lie over each other.
struct ResizeGrid {
  /// The centres of the corner pixels coincide.
  bool alignCorners = false;
  /// A pixel's value stands at its centre. Not together with alignCorners when
  /// interpolating.
  bool halfPixelCenters = false;
};

/// Where an output row (or column) comes from: lower and upper input row and the
/// share of the upper one; below 0 it extrapolates.
template <typename Weight> struct BilinearTap {
  int32_t lower = 0, upper = 0;
  Weight weight = 0;
};

/// Taps of one axis for float32 and uint8, and, in units of 1/1024, for int8 and
/// int16. TFLite's `ComputeInterpolationValues` and its integer form.
std::vector<BilinearTap<float>> bilinearTaps(int64_t inputSize, int64_t outputSize,
                                             ResizeGrid grid);
std::vector<BilinearTap<int32_t>> bilinearIntegerTaps(int64_t inputSize, int64_t outputSize,
                                                      ResizeGrid grid);

/// The input row (or column) nearest to each of the output. TFLite's
/// `GetNearestNeighbor`.
std::vector<int32_t> nearestRows(int64_t inputSize, int64_t outputSize, ResizeGrid grid);

/// Linear interpolation; float32, and uint8 through floats; int8 and int16 in
/// integers, rounded half away from zero. TFLite's `ResizeBilinear` and
/// `ResizeBilinearInteger`.
void resizeBilinear(const Tensor &input, Tensor &out, ResizeGrid grid);

/// Copies of the nearest pixels; any element type. TFLite's
/// `ResizeNearestNeighbor`.
void resizeNearestNeighbor(const Tensor &input, Tensor &out, ResizeGrid grid);

} // namespace thimble
