// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators of one operand that work element by element. 8-bit operators are
// tables of 256 entries, whatever they compute: `unaryTable` makes the table with
// the reference's exact integer algorithm, kernels and generated code look it up.
#pragma once

#include "dialects/nn/reference/Quantize.h"
#include "dialects/nn/reference/Rule.h"
#include "dialects/nn/reference/Tensor.h"

namespace thimble {

enum class UnaryOp : uint8_t {
  Abs,
  Neg,
  Sqrt,
  Rsqrt,
  Square,
  Exp,
  Log,
  Sin,
  Cos,
  Floor,
  Ceil,
  Round,
  Relu,
  Relu6,
  ReluN1To1,
  Relu0To1,
  Logistic,
  Tanh,
  Elu,
  HardSwish,
  Gelu,
  LeakyRelu,
  LogicalNot,
  Sign,
};

struct UnaryParams {
  UnaryOp op = UnaryOp::Relu;
  /// LEAKY_RELU: slope below zero.
  float alpha = 0.0f;
  /// GELU: the tanh approximation instead of erf.
  bool approximate = false;
  /// LiteRT computes int8 LOGISTIC and TANH through float tables (TFLite Micro: fixed
  /// point) and rescales in RELU6 (TFLite Micro: clamps only, so both sides must be
  /// quantized alike).
  Rule rule = Rule::Micro;
};

/// Evaluates on float32, bool (LogicalNot), int8, uint8, int16 and, without
/// quantization, int32 and int64. `in` and `out` have the same element type and
/// number of elements. What the reference refuses at run time is defined: SQRT of a
/// negative number is SQRT(0), RSQRT of one is the largest output; int LOG of a
/// number not positive is the smallest output. Call only where `unarySupports`.
void evaluateUnary(const UnaryParams &params, const Tensor &in, Tensor &out);
bool unarySupports(UnaryOp op, ElementType type);

/// The operator on one float, with the float functions of the runtime.
float evaluateUnaryFloat(const UnaryParams &params, float x);

/// Results for all 256 stored values of an int8 or uint8 input, as stored bytes;
/// the index is the input's byte.
std::vector<uint8_t> unaryTable(const UnaryParams &params, const TensorType &inType,
                                const TensorType &outType);

/// RELU and its variants: out = clamp(zeroPoint + (in - inputZeroPoint) * multiplier)
/// (activations_common.cc CalculateReluOpData; LiteRT activations.cc QuantizedReluX).
/// `clampOnly`: out = clamp(in), TFLite Micro's RELU6.
struct ReluParams {
  QuantizedMultiplier multiplier;
  int32_t inputZeroPoint = 0, outputZeroPoint = 0;
  ClampRange range;
  bool clampOnly = false;

  int32_t apply(int32_t x) const;
};
ReluParams prepareRelu(const UnaryParams &params, const TensorType &in, const TensorType &out);

/// LEAKY_RELU (leaky_relu_common.cc): two multipliers, one for each sign of the
/// input; the magnitude of a negative slope is multiplied, then negated.
struct LeakyReluParams {
  QuantizedMultiplier identity, slope;
  bool negativeSlope = false;
  int32_t inputZeroPoint = 0, outputZeroPoint = 0;
  ClampRange range;

  int32_t apply(int32_t x) const;
};
LeakyReluParams prepareLeakyRelu(const UnaryParams &params, const TensorType &in,
                                 const TensorType &out);

/// Integer ABS (elementwise.cc): `rescale` when the scales differ.
struct AbsParams {
  QuantizedMultiplier multiplier;
  bool rescale = false;
  int32_t inputZeroPoint = 0, outputZeroPoint = 0;
  ClampRange range;

  int32_t apply(int32_t x) const;
};
AbsParams prepareAbs(const TensorType &in, const TensorType &out);

/// Integer RSQRT (elementwise.cc RsqrtEvalQuantized).
struct RsqrtParams {
  QuantizedMultiplier multiplier;
  int32_t inputZeroPoint = 0, outputZeroPoint = 0;
  ClampRange range;

  int32_t apply(int32_t x) const;
};
RsqrtParams prepareRsqrt(const TensorType &in, const TensorType &out);

/// int16 LOGISTIC and TANH: arguments of thimble_logistic_i16 and thimble_tanh_i16
/// (logistic_common.cc, tanh.cc); input and output have zero point 0, the output
/// scale is 2^-15.
struct SigmoidParams {
  int32_t multiplier = 0;
  int32_t shift = 0;
};
SigmoidParams prepareSigmoidInt16(UnaryOp op, const TensorType &in);

/// Whether int16 `op` is an interpolated table (thimble_lut_i16): EXP, LOG and GELU,
/// with LiteRT's rule also RSQRT.
bool unaryInterpolates(const UnaryParams &params);
/// Its 513 entries (kernels/internal/common.h LUTPopulateInt16).
std::vector<int16_t> unaryTableInt16(const UnaryParams &params, const TensorType &in,
                                     const TensorType &out);

} // namespace thimble
