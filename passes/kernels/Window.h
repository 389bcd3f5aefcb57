// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Sliding windows over pictures: what convolutions and poolings share.
#pragma once

#include "passes/kernels/KernelBuilder.h"

namespace thimble {

/// One output row of a picture: which picture of the batch, and which row in it.
struct PictureRow {
  Val batch, y;
};
PictureRow splitRow(KernelBuilder &b, Val row, const TensorType &output);

/// Filter taps [first, end) along one axis that fall on the picture.
struct TapRange {
  Val first, end;
};
/// For a window that starts at `start`, which may lie outside: at most `padBefore` before the
/// picture, and at `lastStart` for the last output. Where no window leaves the picture the range
/// is constant.
TapRange tapRange(KernelBuilder &b, Val start, int64_t taps, int64_t dilation, int64_t size,
                  int64_t padBefore, int64_t lastStart);

} // namespace thimble
