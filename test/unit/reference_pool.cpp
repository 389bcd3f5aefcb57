// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Pooling, softmax and resizing on numbers that a reader can check.

#include "dialects/nn/reference/Pool.h"
#include "dialects/nn/reference/Resize.h"
#include "dialects/nn/reference/Softmax.h"
#include "test/unit/reference_tensors.h"

#include <gtest/gtest.h>

using namespace thimble;
using namespace thimble::test;

TEST(ReferencePool, meanRoundsHalfAwayFromZero) {
  Tensor input = tensor<int8_t>(tensorType<int8_t>({1, 1, 4, 1}, 1.0f), {1, 2, -1, -2});
  Tensor out(tensorType<int8_t>({1, 1, 2, 1}, 1.0f));
  PoolWindow window = {1, 2, 1, 2, {}};
  averagePool2d(input, out, window, preparePool(out.type, Activation::None));
  EXPECT_EQ(values<int8_t>(out), (std::vector<int8_t>{2, -2}));
  averagePool2d(input, out, window, preparePool(out.type, Activation::Relu));
  EXPECT_EQ(values<int8_t>(out), (std::vector<int8_t>{2, 0}));
}

TEST(ReferencePool, paddingTakesNoPart) {
  Tensor input = tensor<float>(tensorType<float>({1, 1, 2, 1}), {-3, -4});
  Tensor out(tensorType<float>({1, 1, 2, 1}));
  PoolWindow window = {1, 2, 1, 1, {0, 0, 0, 1}};
  PoolClamp clamp = preparePool(out.type, Activation::None);
  averagePool2d(input, out, window, clamp);
  EXPECT_EQ(values<float>(out), (std::vector<float>{-3.5f, -4}));
  maxPool2d(input, out, window, clamp);
  EXPECT_EQ(values<float>(out), (std::vector<float>{-3, -4}));
  window.pads = {0, 0, 1, 0};
  l2Pool2d(input, out, window, clamp);
  EXPECT_EQ(values<float>(out)[0], 3.0f);
}

TEST(ReferenceSoftmax, equalInputsShareEvenly) {
  Tensor input = tensor<int8_t>(tensorType<int8_t>({1, 4}, 0.1f), {7, 7, 7, 7});
  Tensor out(tensorType<int8_t>({1, 4}, 1.0f / 256, -128));
  softmax(input, out, prepareSoftmax(input.type, 1.0f));
  EXPECT_EQ(values<int8_t>(out), std::vector<int8_t>(4, -64));
  Tensor out16(tensorType<int16_t>({1, 4}, 1.0f / 65536, -32768));
  softmax(input, out16, prepareSoftmax(input.type, 1.0f));
  EXPECT_EQ(values<int16_t>(out16), std::vector<int16_t>(4, -16384));
}

TEST(ReferenceSoftmax, farInputsVanish) {
  Tensor input = tensor<uint8_t>(tensorType<uint8_t>({1, 2}, 1.0f), {255, 0});
  Tensor out(tensorType<uint8_t>({1, 2}, 1.0f / 256, 0));
  softmax(input, out, prepareSoftmax(input.type, 1.0f));
  EXPECT_EQ(values<uint8_t>(out), (std::vector<uint8_t>{255, 0}));
  Tensor logs(tensorType<uint8_t>({1, 2}, 1.0f / 16, 255));
  logSoftmax(input, logs, prepareLogSoftmax(input.type));
  EXPECT_EQ(values<uint8_t>(logs), (std::vector<uint8_t>{255, 0}));
}

TEST(ReferenceSoftmax, int16Tables) {
  SoftmaxParams params = prepareSoftmax(tensorType<int16_t>({1, 2}, 1.0f / 4096), 1.0f);
  ASSERT_EQ(params.expTable.size(), 513u);
  ASSERT_EQ(params.reciprocalTable.size(), 513u);
  EXPECT_EQ(params.expTable.back(), 32767);         // exp(0)
  EXPECT_EQ(params.expTable.front(), 2);            // exp(-10) * 2^15, less interpolation error
  EXPECT_EQ(params.reciprocalTable.front(), 32767); // 1 / (1 + 0)
  EXPECT_EQ(params.reciprocalTable.back(), 16384);  // 1 / (1 + 1)
}

TEST(ReferenceSoftmax, l2NormalizationOfThreeAndFour) {
  Tensor input = tensor<float>(tensorType<float>({1, 2}), {3, -4});
  Tensor out(tensorType<float>({1, 2}));
  l2Normalization(input, out);
  EXPECT_EQ(values<float>(out), (std::vector<float>{0.6f, -0.8f}));
  Tensor bytes = tensor<int8_t>(tensorType<int8_t>({1, 2}, 1.0f, 1), {4, -3});
  Tensor outBytes(tensorType<int8_t>({1, 2}, 1.0f / 128));
  l2Normalization(bytes, outBytes);
  EXPECT_EQ(values<int8_t>(outBytes), (std::vector<int8_t>{77, -102}));
}

TEST(ReferenceResize, nearestFollowsTheGrid) {
  EXPECT_EQ(nearestRows(2, 4, {false, false}), (std::vector<int32_t>{0, 0, 1, 1}));
  EXPECT_EQ(nearestRows(3, 2, {true, false}), (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(nearestRows(4, 2, {false, true}), (std::vector<int32_t>{1, 3}));
}

TEST(ReferenceResize, bilinearInterpolatesAndStopsAtTheEdge) {
  Tensor input = tensor<float>(tensorType<float>({1, 1, 2, 1}), {0, 10});
  Tensor out(tensorType<float>({1, 1, 4, 1}));
  resizeBilinear(input, out, {false, false});
  EXPECT_EQ(values<float>(out), (std::vector<float>{0, 5, 10, 10}));
  Tensor bytes = tensor<int8_t>(tensorType<int8_t>({1, 1, 2, 1}, 1.0f), {0, -11});
  Tensor outBytes(tensorType<int8_t>({1, 1, 3, 1}, 1.0f));
  resizeBilinear(bytes, outBytes, {true, false});
  EXPECT_EQ(values<int8_t>(outBytes), (std::vector<int8_t>{0, -6, -11}));
}
