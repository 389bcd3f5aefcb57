// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Kernels with weights on numbers that a reader can check.

#include "dialects/nn/reference/Conv.h"
#include "dialects/nn/reference/MatMul.h"
#include "test/unit/reference_tensors.h"

#include <gtest/gtest.h>

using namespace thimble;
using namespace thimble::test;

TEST(ReferenceConv, paddingAddsNothingWhateverTheZeroPoint) {
  Tensor input = tensor<int8_t>(tensorType<int8_t>({1, 2, 2, 1}, 1.0f, -1), {0, 1, 2, 3});
  Tensor filter =
      tensor<int8_t>(tensorType<int8_t>({1, 3, 3, 1}, 1.0f), {1, 1, 1, 1, 1, 1, 1, 1, 1});
  Tensor bias = tensor<int32_t>(tensorType<int32_t>({1}), {10});
  Tensor out(tensorType<int8_t>({1, 2, 2, 1}, 1.0f, 5));
  RequantPerChannel requant =
      prepareConv(input.type, filter.type, &bias.type, out.type, Activation::None);
  conv2d(input, filter, &bias, out, {1, 1, 1, 1, {1, 1, 1, 1}}, requant);
  // Reals 1 to 4 sum to 10; plus the bias and the output's zero point.
  EXPECT_EQ(values<int8_t>(out), (std::vector<int8_t>{25, 25, 25, 25}));
}

TEST(ReferenceConv, channelsHaveTheirOwnScales) {
  Tensor input = tensor<int8_t>(tensorType<int8_t>({1, 1, 1, 2}, 1.0f), {10, 20});
  TensorType filterType = tensorType<int8_t>({2, 1, 1, 2});
  filterType.quantization = Quantization{{1.0f, 0.5f}, {0, 0}, 0};
  Tensor filter = tensor<int8_t>(filterType, {1, 1, 1, -2});
  Tensor out(tensorType<int8_t>({1, 1, 1, 2}, 1.0f));
  RequantPerChannel requant =
      prepareConv(input.type, filter.type, nullptr, out.type, Activation::None);
  conv2d(input, filter, nullptr, out, {}, requant);
  EXPECT_EQ(values<int8_t>(out), (std::vector<int8_t>{30, -15}));
}

TEST(ReferenceConv, groupsReadTheirOwnChannels) {
  Tensor input = tensor<float>(tensorType<float>({1, 1, 1, 4}), {1, 2, 3, 4});
  Tensor filter = tensor<float>(tensorType<float>({2, 1, 1, 2}), {1, 1, 10, 10});
  Tensor out(tensorType<float>({1, 1, 1, 2}));
  conv2d(input, filter, nullptr, out, {},
         prepareConv(input.type, filter.type, nullptr, out.type, Activation::None));
  EXPECT_EQ(values<float>(out), (std::vector<float>{3, 70}));
}

TEST(ReferenceConv, dilationSkipsPixels) {
  Tensor input = tensor<float>(tensorType<float>({1, 1, 5, 1}), {1, 2, 3, 4, 5});
  Tensor filter = tensor<float>(tensorType<float>({1, 1, 3, 1}), {1, 10, 100});
  Tensor out(tensorType<float>({1, 1, 5, 1}));
  Window2D window;
  window.dilationW = 2;
  window.pads = {0, 0, 2, 2};
  conv2d(input, filter, nullptr, out, window,
         prepareConv(input.type, filter.type, nullptr, out.type, Activation::None));
  EXPECT_EQ(values<float>(out), (std::vector<float>{310, 420, 531, 42, 53}));
}

TEST(ReferenceConv, depthMultiplierRepeatsAChannel) {
  Tensor input = tensor<float>(tensorType<float>({1, 1, 1, 2}), {2, 3});
  Tensor filter = tensor<float>(tensorType<float>({1, 1, 1, 4}), {1, 10, 100, 1000});
  Tensor out(tensorType<float>({1, 1, 1, 4}));
  depthwiseConv2d(input, filter, nullptr, out, {},
                  prepareDepthwiseConv(input.type, filter.type, out.type, Activation::None));
  EXPECT_EQ(values<float>(out), (std::vector<float>{2, 20, 300, 3000}));
}

TEST(ReferenceConv, transposeScattersWithStrides) {
  Tensor input = tensor<float>(tensorType<float>({1, 1, 2, 1}), {1, 2});
  Tensor filter = tensor<float>(tensorType<float>({1, 1, 3, 1}), {1, 10, 100});
  Tensor out(tensorType<float>({1, 1, 5, 1}));
  Window2D window;
  window.strideW = 2;
  transposeConv2d(input, filter, nullptr, out, window,
                  prepareTransposeConv(input.type, filter.type, out.type, Activation::None));
  EXPECT_EQ(values<float>(out), (std::vector<float>{1, 10, 102, 20, 200}));
}

TEST(ReferenceConv, int16AccumulatesByTheBias) {
  TensorType input = tensorType<int16_t>({1, 1, 1, 1}, 1.0f);
  TensorType filter = tensorType<int8_t>({1, 1, 1, 1}, 1.0f);
  TensorType bias32 = tensorType<int32_t>({1}), bias64 = tensorType<int64_t>({1});
  auto wide = [&](const TensorType *bias) {
    return prepareConv(input, filter, bias, input, Activation::None).wideAccumulator;
  };
  EXPECT_TRUE(wide(nullptr));
  EXPECT_TRUE(wide(&bias64));
  EXPECT_FALSE(wide(&bias32));
}

TEST(ReferenceMatMul, unsignedWeightsHaveAZeroPoint) {
  Tensor input = tensor<uint8_t>(tensorType<uint8_t>({2, 2}, 1.0f, 10), {11, 12, 10, 13});
  Tensor filter = tensor<uint8_t>(tensorType<uint8_t>({1, 2}, 1.0f, 128), {129, 130});
  Tensor out(tensorType<uint8_t>({2, 1}, 1.0f, 100));
  RequantPerChannel requant =
      prepareFullyConnected(input.type, filter.type, nullptr, out.type, Activation::None);
  fullyConnected(input, filter, nullptr, out, requant);
  EXPECT_EQ(values<uint8_t>(out), (std::vector<uint8_t>{105, 106}));
}

TEST(ReferenceMatMul, oneChannelOfSeveralKeepsItsMultiplier) {
  TensorType input = tensorType<int8_t>({1, 3}, 0.1f), output = tensorType<int8_t>({1, 2}, 0.7f);
  TensorType filter = tensorType<int8_t>({2, 3});
  filter.quantization = Quantization{{0.3f, 0.3f}, {0, 0}, 0};
  RequantPerChannel both = prepareFullyConnected(input, filter, nullptr, output, Activation::None);
  filter.quantization = Quantization{{0.3f}, {0}, 0};
  filter.shape = {1, 3};
  output.shape = {1, 1};
  RequantPerChannel one = prepareFullyConnected(input, filter, nullptr, output, Activation::None);
  EXPECT_EQ(one.multipliers[0], both.multipliers[0]);
  // One scale for all gives the same: products of scales are doubles.
  filter.quantization->axis = -1;
  one = prepareFullyConnected(input, filter, nullptr, output, Activation::None);
  EXPECT_EQ(one.multipliers[0], both.multipliers[0]);
}

TEST(ReferenceMatMul, roundingOfAHalf) {
  Tensor input = tensor<int8_t>(tensorType<int8_t>({1, 1}, 1.0f), {-3});
  Tensor filter = tensor<int8_t>(tensorType<int8_t>({1, 1}, 0.5f), {1});
  Tensor out(tensorType<int8_t>({1, 1}, 1.0f));
  auto run = [&](Rounding rounding) {
    fullyConnected(input, filter, nullptr, out,
                   prepareFullyConnected(input.type, filter.type, nullptr, out.type,
                                         Activation::None, rounding));
    return values<int8_t>(out)[0];
  };
  EXPECT_EQ(run(Rounding::Double), -1);
  EXPECT_EQ(run(Rounding::Single), -2);
}

TEST(ReferenceMatMul, batchesBroadcastAndOperandsTranspose) {
  // lhs is 1x2 for two batches, stored transposed; rhs 2x1 for one.
  Tensor lhs = tensor<float>(tensorType<float>({2, 2, 1}), {1, 2, 3, 4});
  Tensor rhs = tensor<float>(tensorType<float>({2, 1}), {1, 10});
  Tensor out(tensorType<float>({2, 1, 1}));
  batchMatMul(lhs, rhs, /*adjX=*/true, /*adjY=*/false, out, {});
  EXPECT_EQ(values<float>(out), (std::vector<float>{21, 43}));
}
