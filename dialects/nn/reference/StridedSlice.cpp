// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Movement.h"

#include <algorithm>

namespace thimble {

std::optional<StridedSlice> resolveStridedSlice(const Shape &in, const StridedSliceSpec &spec) {
  const size_t count = spec.begin.size(), rank = in.size();
  if (spec.end.size() != count || spec.strides.size() != count || count > 32)
    return std::nullopt;
  auto bit = [](uint32_t mask, size_t i) { return (mask >> i & 1) != 0; };

  // The ellipsis stands for every dimension that no other index expression names.
  size_t named = 0, ellipses = 0;
  for (size_t i = 0; i < count; ++i) {
    if (bit(spec.ellipsisMask, i))
      ++ellipses;
    else if (!bit(spec.newAxisMask, i))
      ++named;
  }
  if (ellipses > 1 || named > rank)
    return std::nullopt;

  StridedSlice slice;
  auto takeWhole = [&](size_t axis) {
    slice.begin.push_back(0);
    slice.strides.push_back(1);
    slice.extents.push_back(in[axis]);
    slice.shape.push_back(in[axis]);
  };
  size_t axis = 0;
  for (size_t i = 0; i < count; ++i) {
    if (bit(spec.ellipsisMask, i)) {
      for (size_t rest = rank - named; rest > 0; --rest)
        takeWhole(axis++);
      continue;
    }
    if (bit(spec.newAxisMask, i)) {
      slice.shape.push_back(1);
      continue;
    }
    const int64_t size = in[axis++], stride = spec.strides[i];
    if (stride == 0)
      return std::nullopt;
    // A walk may start and stop one past either end, in its direction.
    const int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? size : size - 1;
    auto clamp = [&](int64_t x) {
      return std::clamp(x < 0 ? x + size : x, low, std::max(low, high));
    };
    int64_t begin = spec.begin[i];
    const int64_t end = spec.end[i] + (spec.offset ? begin : 0);
    if (bit(spec.shrinkAxisMask, i)) {
      begin = bit(spec.beginMask, i) ? 0 : begin < 0 ? begin + size : begin;
      if (begin < 0 || begin >= size)
        return std::nullopt;
      slice.begin.push_back(begin);
      slice.strides.push_back(1);
      slice.extents.push_back(1);
      continue;
    }
    begin = bit(spec.beginMask, i) ? (stride > 0 ? 0 : size - 1) : clamp(begin);
    const int64_t stop = bit(spec.endMask, i) ? (stride > 0 ? size : -1) : clamp(end);
    const int64_t span = stride > 0 ? stop - begin : begin - stop;
    const int64_t step = stride > 0 ? stride : -stride;
    const int64_t extent = span <= 0 ? 0 : (span - 1) / step + 1;
    slice.begin.push_back(begin);
    slice.strides.push_back(stride);
    slice.extents.push_back(extent);
    slice.shape.push_back(extent);
  }
  while (axis < rank)
    takeWhole(axis++);
  return slice;
}

std::vector<StridedCopy> stridedSliceCopies(const Shape &in, const StridedSlice &slice) {
  std::vector<int64_t> strides = rowMajorStrides(in);
  StridedCopy copy{slice.extents, strides, rowMajorStrides(slice.extents)};
  for (size_t d = 0; d < in.size(); ++d) {
    copy.inOffset += slice.begin[d] * strides[d];
    copy.inStrides[d] *= slice.strides[d];
  }
  if (copy.elements() == 0)
    return {};
  return {collapsed(std::move(copy))};
}

} // namespace thimble
