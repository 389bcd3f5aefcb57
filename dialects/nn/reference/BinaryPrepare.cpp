// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/ElementwiseBinary.h"
#include "runtime/thimble_elementwise.h"

namespace thimble {

int32_t ScaledBinary::apply(int32_t x, int32_t y) const {
  const int32_t left = a.apply(x, leftShift), right = b.apply(y, leftShift);
  int32_t raw =
      op == BinaryOp::Add ? thimble_wrapping_add(left, right) : thimble_wrapping_sub(left, right);
  if (op == BinaryOp::SquaredDifference)
    raw = thimble_wrapping_mul(raw, raw);
  return range.clamp(thimble_wrapping_add(requantize(raw, output), outputOffset));
}

ScaledBinary prepareScaled(const BinaryParams &params, const TensorType &a, const TensorType &b,
                           const TensorType &out) {
  const bool wide = out.element == ElementType::Int16;
  const bool squares = params.op == BinaryOp::SquaredDifference;
  ScaledBinary prepared;
  prepared.op = params.op;
  // As far left as the sum (or the square) of two operands leaves room for.
  prepared.leftShift = squares ? (wide ? 0 : 7) : (wide ? 15 : 20);
  prepared.a.offset = -a.zeroPoint();
  prepared.b.offset = -b.zeroPoint();
  prepared.outputOffset = out.zeroPoint();
  prepared.range = quantizedActivationRange(squares ? Activation::None : params.activation, out);

  const float twiceMax = 2.0f * std::max(a.scale(), b.scale());
  const double common = twiceMax;
  prepared.a.multiplier = quantizeMultiplier(static_cast<double>(a.scale()) / common);
  prepared.b.multiplier = quantizeMultiplier(static_cast<double>(b.scale()) / common);
  const int32_t bits = squares ? 2 * prepared.leftShift : prepared.leftShift;
  const double range = squares ? common * common : common;
  prepared.output = quantizeMultiplier(
      range / (static_cast<double>(1 << bits) * static_cast<double>(out.scale())));
  return prepared;
}

ProductBinary prepareProduct(const BinaryParams &params, const TensorType &a, const TensorType &b,
                             const TensorType &out) {
  ProductBinary prepared;
  prepared.offsetA = -a.zeroPoint();
  prepared.offsetB = -b.zeroPoint();
  prepared.outputOffset = out.zeroPoint();
  prepared.range = quantizedActivationRange(params.activation, out);
  if (params.op == BinaryOp::Mul)
    prepared.multiplier =
        quantizeMultiplier(static_cast<double>(a.scale()) * static_cast<double>(b.scale()) /
                           static_cast<double>(out.scale()));
  else
    prepared.multiplier =
        quantizeMultiplier(static_cast<double>(a.scale() / (b.scale() * out.scale())));
  return prepared;
}

int32_t ProductBinary::divide(int32_t x, int32_t y) const {
  const int32_t quotient =
      thimble_divide_scaled(x + offsetA, y + offsetB, multiplier.multiplier, multiplier.shift);
  return range.clamp(thimble_wrapping_add(quotient, outputOffset));
}

ScaledComparison prepareComparison(const TensorType &a, const TensorType &b) {
  return {{-a.zeroPoint(), quantizeMultiplier(static_cast<double>(a.scale()))},
          {-b.zeroPoint(), quantizeMultiplier(static_cast<double>(b.scale()))}};
}

int32_t PreluParams::apply(int32_t x, int32_t alpha) const {
  const int32_t value = x + inputOffset;
  const int32_t scaled =
      value >= 0 ? requantize(value, positive)
                 : requantize(thimble_wrapping_mul(value, alpha + alphaOffset), negative);
  return range.clamp(thimble_wrapping_add(scaled, outputOffset));
}

PreluParams preparePrelu(const BinaryParams &params, const TensorType &in, const TensorType &alpha,
                         const TensorType &out) {
  PreluParams prepared;
  prepared.inputOffset = -in.zeroPoint();
  prepared.alphaOffset = -alpha.zeroPoint();
  prepared.outputOffset = out.zeroPoint();
  prepared.range = storageRange(out.element);
  if (params.rule == Rule::Litert || out.element == ElementType::UInt8) {
    prepared.positive = quantizeMultiplier(static_cast<double>(in.scale() / out.scale()));
    prepared.negative =
        quantizeMultiplier(static_cast<double>(in.scale() * alpha.scale() / out.scale()));
    return prepared;
  }
  const double from = in.scale(), slope = alpha.scale(), to = out.scale();
  prepared.positive = quantizeMultiplier(from / to);
  prepared.negative = quantizeMultiplier(from * slope / to);
  return prepared;
}

ClampRange integerActivationRange(Activation activation) {
  switch (activation) {
  case Activation::None:
    break;
  case Activation::Relu:
    return {0, std::numeric_limits<int32_t>::max()};
  case Activation::ReluN1To1:
    return {-1, 1};
  case Activation::Relu6:
    return {0, 6};
  }
  return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
}

} // namespace thimble
