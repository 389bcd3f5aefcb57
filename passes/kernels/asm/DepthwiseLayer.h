// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// An int8 depthwise convolution with constant weights as the kernels of instructions see it.
#pragma once

#include "passes/kernels/asm/ConvLayer.h"

namespace thimble {

struct DepthwiseLayer {
  int64_t pictures = 1;
  ConvShape shape;
  RequantPerChannel requant;
  std::shared_ptr<const Tensor> filter;
  std::vector<int64_t> biases;
  /// Of each channel's accumulator: the bias and products with inputs less their zero point.
  std::vector<AccumulatorInterval> intervals;

  /// Output channels of an input channel.
  int64_t multiplier() const { return shape.outC / shape.inC; }
  int32_t zeroPoint() const { return requant.inputZeroPoint; }
  int32_t weight(int64_t output, int64_t ky, int64_t kx) const {
    return filter->as<int8_t>()[(ky * shape.kW + kx) * shape.outC + output];
  }
  /// Makes a picture of one column one of one row.
  void turnColumn();
  /// By how many bits, up to 8, accumulators can be scaled and still fit a word.
  int spareBits() const;
  /// For accumulators 2^bits times the layer's.
  std::optional<OutputScaling> scaling(int bits) const;
  /// 2^bits times the bias, and what `scaling` wants added to it.
  int32_t scaledBias(int64_t output, int bits, const OutputScaling &scaling) const;
};

/// Names a zero point that is part of the code, for the names of kernels.
std::string zeroPointSuffix(int32_t zeroPoint);

/// The layer that `op` computes; none if it is not an int8 depthwise convolution with constant
/// weights and biases.
std::optional<DepthwiseLayer> depthwiseLayerOf(nn::NNOperator op, const KernelOperands &operands);
std::optional<DepthwiseLayer> depthwiseLayerOf(const KernelQuery &query);

} // namespace thimble
