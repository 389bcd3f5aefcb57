// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Multipliers, clamp ranges and paddings at their edges.

#include "dialects/nn/reference/Quantize.h"
#include "test/unit/reference_tensors.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace thimble;
using namespace thimble::test;

TEST(ReferenceQuantize, multiplierOfSimpleNumbers) {
  EXPECT_EQ(quantizeMultiplier(0.0), (QuantizedMultiplier{0, 0}));
  EXPECT_EQ(quantizeMultiplier(1.0), (QuantizedMultiplier{1 << 30, 1}));
  EXPECT_EQ(quantizeMultiplier(0.5), (QuantizedMultiplier{1 << 30, 0}));
  EXPECT_EQ(quantizeMultiplier(0.25), (QuantizedMultiplier{1 << 30, -1}));
  EXPECT_EQ(quantizeMultiplier(0.75), (QuantizedMultiplier{3 << 29, 0}));
}

TEST(ReferenceQuantize, multiplierThatRoundsUpToAPowerOfTwo) {
  EXPECT_EQ(quantizeMultiplier(1.0 - std::ldexp(1.0, -40)), (QuantizedMultiplier{1 << 30, 1}));
  // The largest fraction that 31 bits hold.
  EXPECT_EQ(quantizeMultiplier(1.0 - std::ldexp(1.0, -31)), (QuantizedMultiplier{2147483647, 0}));
}

TEST(ReferenceQuantize, multiplierOfExtremeNumbers) {
  EXPECT_EQ(quantizeMultiplier(std::ldexp(1.0, -32)), (QuantizedMultiplier{1 << 30, -31}));
  EXPECT_EQ(quantizeMultiplier(std::ldexp(0.99, -32)), (QuantizedMultiplier{0, 0}));
  EXPECT_EQ(quantizeMultiplier(std::ldexp(1.0, 29)), (QuantizedMultiplier{1 << 30, 30}));
  EXPECT_EQ(quantizeMultiplier(std::ldexp(1.0, 30)), (QuantizedMultiplier{2147483647, 30}));
}

TEST(ReferenceQuantize, requantizationRoundsHalves) {
  QuantizedMultiplier half = quantizeMultiplier(0.5), quarter = quantizeMultiplier(0.25);
  EXPECT_EQ(requantize(int32_t{3}, half), 2);
  // Ties go up in the multiplication and away from zero in the shift.
  EXPECT_EQ(requantize(int32_t{-3}, half), -1);
  EXPECT_EQ(requantize(int32_t{-6}, quarter), -2);
  EXPECT_EQ(requantize(int64_t{-3}, half), -1);
  EXPECT_EQ(requantize(int64_t{-6}, quarter), -1);
  EXPECT_EQ(requantizeReal(-3, 0.5), -2);
  EXPECT_EQ(requantizeReal(int64_t{1} << 40, 1.0), 2147483647);
}

TEST(ReferenceQuantize, activationRanges) {
  TensorType type = tensorType<int8_t>({1}, 0.1f, -100);
  auto range = [&](Activation a) {
    ClampRange r = quantizedActivationRange(a, type);
    return std::pair(r.low, r.high);
  };
  EXPECT_EQ(range(Activation::None), std::pair(-128, 127));
  EXPECT_EQ(range(Activation::Relu), std::pair(-100, 127));
  EXPECT_EQ(range(Activation::Relu6), std::pair(-100, -40));
  EXPECT_EQ(range(Activation::ReluN1To1), std::pair(-110, -90));
  // Bounds beyond the storage type stay in it.
  type = tensorType<int8_t>({1}, 0.01f, 127);
  EXPECT_EQ(range(Activation::Relu6), std::pair(127, 127));
  type = tensorType<uint8_t>({1}, 1e-20f, 0);
  EXPECT_EQ(range(Activation::Relu6), std::pair(0, 255));
}

TEST(ReferenceQuantize, floatActivationKeepsNaNAndBoundsInfinity) {
  FloatRange none = floatActivationRange(Activation::None);
  EXPECT_EQ(none.clamp(INFINITY), std::numeric_limits<float>::max());
  EXPECT_TRUE(std::isnan(none.clamp(NAN)));
  EXPECT_EQ(floatActivationRange(Activation::Relu6).clamp(7.0f), 6.0f);
  EXPECT_EQ(floatActivationRange(Activation::ReluN1To1).clamp(-7.0f), -1.0f);
}

TEST(ReferenceQuantize, samePaddingPutsTheOddZeroBehind) {
  WindowAxis axis = {/*input=*/96, /*filter=*/3, /*stride=*/2, /*dilation=*/1};
  EXPECT_EQ(axis.outputSize(Padding::Same), 48);
  EXPECT_EQ(axis.padBefore(Padding::Same), 0);
  EXPECT_EQ(axis.padAfter(Padding::Same), 1);
}

TEST(ReferenceQuantize, dilationWidensTheWindow) {
  WindowAxis axis = {/*input=*/10, /*filter=*/3, /*stride=*/1, /*dilation=*/3};
  EXPECT_EQ(axis.span(), 7);
  EXPECT_EQ(axis.outputSize(Padding::Valid), 4);
  EXPECT_EQ(axis.padBefore(Padding::Valid), 0);
  EXPECT_EQ(axis.outputSize(Padding::Same), 10);
  EXPECT_EQ(axis.padBefore(Padding::Same), 3);
  EXPECT_EQ(axis.padAfter(Padding::Same), 3);
}
