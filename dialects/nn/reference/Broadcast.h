// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// NumPy broadcasting: shapes are aligned at their last dimension, and a dimension
// of 1 is repeated. Kernels and lowerings walk the same collapsed loop nest.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace thimble {

using Shape = std::vector<int64_t>;

/// The highest rank that operators broadcast (as in TFLite Micro).
constexpr int64_t kMaxBroadcastRank = 6;

/// Row-major strides of `shape`, in elements.
std::vector<int64_t> rowMajorStrides(const Shape &shape);

/// The shape two operands broadcast to, or nothing if a dimension differs and
/// neither side is 1.
std::optional<Shape> broadcastShapes(const Shape &a, const Shape &b);

/// Strides, in elements, with which an operand of `shape` is read while walking
/// `outShape`; 0 along repeated dimensions. `shape` must broadcast to `outShape`.
std::vector<int64_t> broadcastStrides(const Shape &shape, const Shape &outShape);

/// A loop nest over an output in row-major order. Dimensions of 1 are dropped and
/// neighbours that every operand walks alike are merged, so that operands of equal
/// shapes give a single loop. There is always at least one dimension.
struct BroadcastLoop {
  std::vector<int64_t> extents;
  /// strides[k][d]: elements operand k advances by along dimension d.
  std::vector<std::vector<int64_t>> strides;

  bool contiguous() const;
};

BroadcastLoop broadcastLoop(const std::vector<Shape> &operands, const Shape &outShape);

/// Calls body(outIndex, index0, index1, ...) for every output element in order.
/// `N` is the number of operands of `loop`.
template <int N, typename Body> void forEachBroadcast(const BroadcastLoop &loop, Body body) {
  const size_t rank = loop.extents.size(), inner = rank - 1;
  std::vector<int64_t> position(rank, 0);
  int64_t index[N] = {}, step[N];
  int64_t total = 1;
  for (int64_t extent : loop.extents)
    total *= extent;
  for (int k = 0; k < N; ++k)
    step[k] = loop.strides[k][inner];
  for (int64_t out = 0; out < total;) {
    int64_t at[N];
    for (int k = 0; k < N; ++k)
      at[k] = index[k];
    for (int64_t i = 0; i < loop.extents[inner]; ++i, ++out) {
      if constexpr (N == 1)
        body(out, at[0]);
      else if constexpr (N == 2)
        body(out, at[0], at[1]);
      else
        body(out, at[0], at[1], at[2]);
      for (int k = 0; k < N; ++k)
        at[k] += step[k];
    }
    for (size_t d = inner; d-- > 0;) {
      for (int k = 0; k < N; ++k)
        index[k] += loop.strides[k][d];
      if (++position[d] < loop.extents[d])
        break;
      for (int k = 0; k < N; ++k)
        index[k] -= loop.strides[k][d] * loop.extents[d];
      position[d] = 0;
    }
  }
}

} // namespace thimble
