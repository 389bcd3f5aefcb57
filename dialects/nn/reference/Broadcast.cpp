// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Broadcast.h"

#include <algorithm>
#include <cassert>

namespace thimble {

std::vector<int64_t> rowMajorStrides(const Shape &shape) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t d = shape.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= shape[d];
  }
  return strides;
}

std::optional<Shape> broadcastShapes(const Shape &a, const Shape &b) {
  Shape out(std::max(a.size(), b.size()));
  for (size_t d = 0; d < out.size(); ++d) {
    // Counted from the last dimension; what a shape lacks in front is 1.
    int64_t x = d < a.size() ? a[a.size() - 1 - d] : 1;
    int64_t y = d < b.size() ? b[b.size() - 1 - d] : 1;
    if (x != y && x != 1 && y != 1)
      return std::nullopt;
    out[out.size() - 1 - d] = x == 1 ? y : x;
  }
  return out;
}

std::vector<int64_t> broadcastStrides(const Shape &shape, const Shape &outShape) {
  assert(shape.size() <= outShape.size() && "an operand has more dimensions than the result");
  std::vector<int64_t> own = rowMajorStrides(shape), strides(outShape.size(), 0);
  size_t lead = outShape.size() - shape.size();
  for (size_t d = 0; d < shape.size(); ++d)
    strides[lead + d] = shape[d] == 1 ? 0 : own[d];
  return strides;
}

bool BroadcastLoop::contiguous() const {
  return extents.size() == 1 &&
         std::all_of(strides.begin(), strides.end(), [](const auto &s) { return s.front() == 1; });
}

BroadcastLoop broadcastLoop(const std::vector<Shape> &operands, const Shape &outShape) {
  std::vector<std::vector<int64_t>> full;
  for (const Shape &shape : operands)
    full.push_back(broadcastStrides(shape, outShape));
  BroadcastLoop loop;
  loop.strides.resize(operands.size());
  for (size_t d = 0; d < outShape.size(); ++d) {
    if (outShape[d] == 1)
      continue;
    bool merge = !loop.extents.empty();
    for (size_t k = 0; k < full.size() && merge; ++k)
      merge = loop.strides[k].back() == full[k][d] * outShape[d];
    if (merge) {
      loop.extents.back() *= outShape[d];
      for (size_t k = 0; k < full.size(); ++k)
        loop.strides[k].back() = full[k][d];
      continue;
    }
    loop.extents.push_back(outShape[d]);
    for (size_t k = 0; k < full.size(); ++k)
      loop.strides[k].push_back(full[k][d]);
  }
  if (loop.extents.empty()) {
    loop.extents.push_back(1);
    for (auto &strides : loop.strides)
      strides.push_back(1);
  }
  return loop;
}

} // namespace thimble
