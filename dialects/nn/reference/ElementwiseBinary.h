// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators of two broadcast operands. `prepare...` computes what TFLite Micro
// computes in Prepare(); the structs' `apply` is the operator on one pair of stored
// integers, and lowerings emit the same steps.
#pragma once

#include "dialects/nn/reference/Broadcast.h"
#include "dialects/nn/reference/Quantize.h"
#include "dialects/nn/reference/Rule.h"
#include "dialects/nn/reference/Tensor.h"

namespace thimble {

enum class BinaryOp : uint8_t {
  Add,
  Sub,
  Mul,
  Div,
  Minimum,
  Maximum,
  SquaredDifference,
  FloorDiv,
  FloorMod,
  Pow,
  Atan2,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  LogicalAnd,
  LogicalOr,
  Prelu,
};

struct BinaryParams {
  BinaryOp op = BinaryOp::Add;
  /// Fused into ADD, SUB, MUL and DIV (with Rule::Micro not into integer ADD, which
  /// TFLite Micro leaves unclamped).
  Activation activation = Activation::None;
  Rule rule = Rule::Micro;
};

/// EQUAL to GREATER_EQUAL: the result is bool.
bool isComparison(BinaryOp op);
bool binarySupports(BinaryOp op, ElementType type);

/// out = a op b, both broadcast to the shape of `out`. The element types of a and b
/// are alike, and that of `out` unless it is a comparison's bool. Call only where
/// `binarySupports`. Integers wrap. Integer division by zero, an error in LiteRT,
/// gives 0 (quantized DIV: the largest or smallest value by the dividend's sign).
void evaluateBinary(const BinaryParams &params, const Tensor &a, const Tensor &b, Tensor &out);

/// A quantized operand on its way to a common scale:
/// (value + offset) * 2^leftShift * multiplier.
struct ScaledOperand {
  int32_t offset = 0;
  QuantizedMultiplier multiplier;

  int32_t apply(int32_t x, int32_t leftShift) const {
    return requantize(thimble_wrapping_shl(x + offset, leftShift), multiplier);
  }
};

/// Quantized ADD and SUB (add_common.cc, sub_common.cc) and SQUARED_DIFFERENCE
/// (squared_difference.cc): both operands to a common scale, combine, rescale.
struct ScaledBinary {
  BinaryOp op = BinaryOp::Add;
  int32_t leftShift = 0;
  ScaledOperand a, b;
  QuantizedMultiplier output;
  int32_t outputOffset = 0;
  ClampRange range;

  int32_t apply(int32_t x, int32_t y) const;
};
/// `op`: Add, Sub or SquaredDifference; int8, uint8, int16. int16 takes the general
/// path, as TFLite Micro does, also for scales that are powers of two.
ScaledBinary prepareScaled(const BinaryParams &params, const TensorType &a, const TensorType &b,
                           const TensorType &out);

/// Quantized MUL (mul_common.cc) and DIV (div.cc).
struct ProductBinary {
  int32_t offsetA = 0, offsetB = 0, outputOffset = 0;
  QuantizedMultiplier multiplier;
  ClampRange range;

  int32_t multiply(int32_t x, int32_t y) const {
    return range.clamp(thimble_wrapping_add(
        requantize(thimble_wrapping_mul(x + offsetA, y + offsetB), multiplier), outputOffset));
  }
  int32_t divide(int32_t x, int32_t y) const;
};
ProductBinary prepareProduct(const BinaryParams &params, const TensorType &a, const TensorType &b,
                             const TensorType &out);

/// Comparisons of int8 and uint8 (comparisons.cc): both operands times 2^8 and their
/// scale. int16 compares as stored.
struct ScaledComparison {
  static constexpr int32_t leftShift = 8;
  ScaledOperand a, b;
};
ScaledComparison prepareComparison(const TensorType &a, const TensorType &b);

/// Quantized PRELU (prelu_common.cc): `positive` scales the input, `negative` the
/// product with alpha.
struct PreluParams {
  int32_t inputOffset = 0, alphaOffset = 0, outputOffset = 0;
  QuantizedMultiplier positive, negative;
  ClampRange range;

  int32_t apply(int32_t x, int32_t alpha) const;
};
PreluParams preparePrelu(const BinaryParams &params, const TensorType &in, const TensorType &alpha,
                         const TensorType &out);

/// Where `activation` clamps plain integers.
ClampRange integerActivationRange(Activation activation);

} // namespace thimble
