// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/Window.h"

using namespace thimble;

PictureRow thimble::splitRow(KernelBuilder &b, Val row, const TensorType &output) {
  if (output.shape[0] == 1)
    return {b.index(0), row};
  return {row / output.shape[1], row % output.shape[1]};
}

TapRange thimble::tapRange(KernelBuilder &b, Val start, int64_t taps, int64_t dilation,
                           int64_t size, int64_t padBefore, int64_t lastStart) {
  Val first = b.index(0), end = b.index(taps);
  // Both quotients are clamped, so that truncation of negative numerators does no harm.
  if (padBefore > 0)
    first = b.max(first, (dilation - 1 - start) / dilation);
  if (lastStart + (taps - 1) * dilation >= size)
    end = b.min(end, (size - start + dilation - 1) / dilation);
  return {first, end};
}
