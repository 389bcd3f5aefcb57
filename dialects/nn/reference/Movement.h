// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators that only move data. Each is described as a list of strided copies,
// which the reference kernels run and the lowerings turn into loops: one mechanism
// for TRANSPOSE, SLICE, CONCATENATION, PAD, TILE and their kin. Negative strides
// reverse (MIRROR_PAD, REVERSE_V2), zero strides repeat (TILE, BROADCAST_TO).
#pragma once

#include "dialects/nn/reference/Broadcast.h"
#include "dialects/nn/reference/Tensor.h"

namespace thimble {

/// out[outOffset + sum(i_d * outStrides[d])] = in[inOffset + sum(i_d * inStrides[d])]
/// for all i_d < extents[d]. Offsets and strides are in elements. `input` and
/// `output` number the operand and the result of the operator.
struct StridedCopy {
  std::vector<int64_t> extents;
  std::vector<int64_t> inStrides, outStrides;
  int64_t inOffset = 0, outOffset = 0;
  int input = 0, output = 0;

  int64_t elements() const;
};

/// The same copy with the fewest dimensions: dimensions of 1 dropped, neighbours
/// merged; at least one dimension stays. All functions below return such copies and
/// leave out empty ones.
StridedCopy collapsed(StridedCopy copy);

/// Before, after: pairs of paddings or crops, one per dimension.
struct EdgePadding {
  int64_t before = 0, after = 0;
};

// One copy each. Shapes and axes must be valid: axes in [0, rank).
std::vector<StridedCopy> transposeCopies(const Shape &in, const std::vector<int64_t> &permutation);
std::vector<StridedCopy> sliceCopies(const Shape &in, const std::vector<int64_t> &begin,
                                     const Shape &size);
std::vector<StridedCopy> reverseCopies(const Shape &in, const std::vector<int64_t> &axes);
std::vector<StridedCopy> broadcastToCopies(const Shape &in, const Shape &out);
std::vector<StridedCopy> tileCopies(const Shape &in, const std::vector<int64_t> &multiples);
/// NHWC, rank 4; `block` divides height and width.
std::vector<StridedCopy> spaceToDepthCopies(const Shape &in, int64_t block);
/// NHWC, rank 4; the square of `block` divides the channels.
std::vector<StridedCopy> depthToSpaceCopies(const Shape &in, int64_t block);

// One copy per operand (concat, pack) or per result (split, unpack).
std::vector<StridedCopy> concatCopies(const std::vector<Shape> &ins, int64_t axis);
std::vector<StridedCopy> splitCopies(const Shape &in, const std::vector<int64_t> &sizes,
                                     int64_t axis);
/// `axis` counts in the packed shape, which has one dimension more than `in`.
std::vector<StridedCopy> packCopies(const Shape &in, int64_t count, int64_t axis);
std::vector<StridedCopy> unpackCopies(const Shape &in, int64_t axis);

// Copies into an output that was filled before (with the padding value).
std::vector<StridedCopy> padCopies(const Shape &in, const std::vector<EdgePadding> &paddings);
/// Block dimensions follow the batch: dimensions 1 .. blocks.size() are the space.
std::vector<StridedCopy> spaceToBatchCopies(const Shape &in, const std::vector<int64_t> &blocks,
                                            const std::vector<EdgePadding> &paddings);

/// At most 3^rank copies: middle and mirrored edges of every axis. With `reflect`
/// the edge element is not repeated (paddings < dimension), otherwise it is
/// (SYMMETRIC, paddings <= dimension).
std::vector<StridedCopy> mirrorPadCopies(const Shape &in, const std::vector<EdgePadding> &paddings,
                                         bool reflect);
/// One copy per position in a block.
std::vector<StridedCopy> batchToSpaceCopies(const Shape &in, const std::vector<int64_t> &blocks,
                                            const std::vector<EdgePadding> &crops);

/// STRIDED_SLICE as the model says it, one entry per index expression.
struct StridedSliceSpec {
  std::vector<int64_t> begin, end, strides;
  uint32_t beginMask = 0, endMask = 0, ellipsisMask = 0, newAxisMask = 0, shrinkAxisMask = 0;
  /// `end` counts from `begin`.
  bool offset = false;
};

/// STRIDED_SLICE resolved against a shape: `begin`, `strides` and `extents` have an
/// entry per input dimension, `shape` is the result's (axes dropped and inserted).
struct StridedSlice {
  std::vector<int64_t> begin, strides, extents;
  Shape shape;
};

/// Resolves masks, negative indices and clamping as TFLite does
/// (strided_slice_logic.h; ellipsis and new axes as in LiteRT's strided_slice.cc).
/// Nothing if a stride is 0, there are more indices than dimensions, more than one
/// ellipsis, or a dropped axis is indexed out of range.
std::optional<StridedSlice> resolveStridedSlice(const Shape &in, const StridedSliceSpec &spec);
std::vector<StridedCopy> stridedSliceCopies(const Shape &in, const StridedSlice &slice);

/// Runs `copies` on tensors whose element types are alike; quantization is ignored.
void runCopies(const std::vector<StridedCopy> &copies, const std::vector<const Tensor *> &ins,
               const std::vector<Tensor *> &outs);
void runCopies(const std::vector<StridedCopy> &copies, const Tensor &in, Tensor &out);

/// Sets every element of `out` to the first element of `value` (same element type).
void fillTensor(const Tensor &value, Tensor &out);
/// Sets every element to the stored value that stands for 0: the zero point of a
/// quantized tensor. What PAD and SPACE_TO_BATCH_ND pad with.
void fillZero(Tensor &out);

} // namespace thimble
