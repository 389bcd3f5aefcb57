// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Data movement that depends on run-time indices, and the small generators. Indices
// are int32 or int64. The reference fails on an index out of range; here, as a
// microcontroller cannot, a gathered index is clamped to the nearest legal one, a
// scattered element out of range is dropped: no memory outside a tensor is touched.
#pragma once

#include "dialects/nn/reference/Tensor.h"

namespace thimble {

/// GATHER (gather.cc): out = in[batch..., outer..., indices[batch..., :], inner...].
/// Axes are normalized: 0 <= batchDims <= axis < rank.
void evaluateGather(const Tensor &in, const Tensor &indices, int64_t axis, int64_t batchDims,
                    Tensor &out);

/// The sizes GATHER loops over.
struct GatherLoop {
  int64_t batch = 1, outer = 1, axisSize = 1, inner = 1, indices = 1;
};
GatherLoop prepareGather(const std::vector<int64_t> &in, const std::vector<int64_t> &indices,
                         int64_t axis, int64_t batchDims);

/// GATHER_ND (gather_nd.cc): the last dimension of `indices` indexes the first
/// dimensions of `in`.
void evaluateGatherNd(const Tensor &in, const Tensor &indices, Tensor &out);

/// SCATTER_ND (LiteRT scatter_nd.cc): `out` starts as zeros, updates that meet are
/// added (bool: or).
void evaluateScatterNd(const Tensor &indices, const Tensor &updates, Tensor &out);

/// ONE_HOT (LiteRT one_hot.cc): a new axis of size depth; `on` where its index is the
/// value of `indices`, else `off`. An index out of range is off everywhere.
void evaluateOneHot(const Tensor &indices, const Tensor &on, const Tensor &off, int64_t axis,
                    Tensor &out);

/// SHAPE: the dimensions of `in`; int32 or int64.
void evaluateShape(const TensorType &in, Tensor &out);

/// RANGE: start, start + delta, ... added up in the element type, as LiteRT does.
/// float32, int32 or int64.
void evaluateRange(const Tensor &start, const Tensor &delta, Tensor &out);

/// CONCATENATION. uint8 operands that are quantized unlike the result are rescaled
/// (LiteRT's ConcatenationWithScaling); all others are copied as stored.
void evaluateConcat(const std::vector<const Tensor *> &ins, int64_t axis, Tensor &out);
/// Whether an operand needs `concatTable`.
bool concatRescales(const TensorType &in, const TensorType &out);
/// The 256 results of rescaling a uint8 operand.
std::vector<uint8_t> concatTable(const TensorType &in, const TensorType &out);

} // namespace thimble
