// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Reference matrix products.
#pragma once

#include "dialects/nn/reference/Conv.h"

namespace thimble {

/// TFLM's `CalculateOpDataFullyConnected`: per-channel filters as in convolutions,
/// per-tensor ones by the product of scales rounded to a float. With
/// Rounding::Single the numbers are those of LiteRT's reference kernel.
RequantPerChannel prepareFullyConnected(const TensorType &input, const TensorType &filter,
                                        const TensorType *bias, const TensorType &output,
                                        Activation activation,
                                        Rounding rounding = Rounding::Double);

/// filter O,K; the input is read as rows of K elements and `out` holds as many
/// rows of O. Types as for convolutions. TFLite's `FullyConnected` and
/// `FullyConnectedPerChannel`.
void fullyConnected(const Tensor &input, const Tensor &filter, const Tensor *bias, Tensor &out,
                    const RequantPerChannel &requant);

/// TFLM's `BatchMatMulPrepare`; one multiplier for all of the output. int16
/// operands accumulate in 64 bits.
RequantPerChannel prepareBatchMatMul(const TensorType &lhs, const TensorType &rhs,
                                     const TensorType &output);

/// out[..., i, j] = sum over k of lhs[..., i, k] * rhs[..., k, j], the leading
/// dimensions broadcast. `adjX` and `adjY` say that the last two dimensions of lhs
/// and rhs are swapped. float32, int8 or int16, all three alike. TFLite's
/// `reference_ops::BatchMatMul`.
void batchMatMul(const Tensor &lhs, const Tensor &rhs, bool adjX, bool adjY, Tensor &out,
                 const RequantPerChannel &requant);

} // namespace thimble
