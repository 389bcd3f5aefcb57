// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Gather.h"
#include "dialects/nn/reference/Movement.h"

#include <gtest/gtest.h>

using namespace thimble;

namespace {

using Values = std::vector<int32_t>;

/// An int32 tensor of 0, 1, 2, ...
Tensor counting(const Shape &shape) {
  Tensor tensor(TensorType{ElementType::Int32, shape, {}});
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.as<int32_t>()[i] = static_cast<int32_t>(i);
  return tensor;
}

Tensor of(const Shape &shape, const Values &values) {
  Tensor tensor = counting(shape);
  std::copy(values.begin(), values.end(), tensor.as<int32_t>());
  return tensor;
}

Values valuesOf(const Tensor &tensor) {
  return Values(tensor.as<int32_t>(), tensor.as<int32_t>() + tensor.elements());
}

/// Runs copies from a counting tensor into one filled with -1.
Values run(const std::vector<StridedCopy> &copies, const Shape &in, const Shape &out) {
  Tensor from = counting(in), to(TensorType{ElementType::Int32, out, {}});
  fillTensor(of({}, {-1}), to);
  runCopies(copies, from, to);
  return valuesOf(to);
}

TEST(Movement, TransposeSwapsAxes) {
  EXPECT_EQ(run(transposeCopies({2, 3}, {1, 0}), {2, 3}, {3, 2}), Values({0, 3, 1, 4, 2, 5}));
}

TEST(Movement, CopiesCollapse) {
  std::vector<StridedCopy> copies = sliceCopies({4, 3, 1, 2}, {1, 0, 0, 0}, {2, 3, 1, 2});
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].extents, std::vector<int64_t>({12}));
  EXPECT_EQ(copies[0].inOffset, 6);
}

TEST(Movement, StridedSliceResolvesMasks) {
  StridedSliceSpec spec;
  spec.begin = {-1, 0, 1};
  spec.end = {0, 0, 9};
  spec.strides = {-1, 1, 2};
  spec.endMask = 1;
  spec.shrinkAxisMask = 2;
  std::optional<StridedSlice> slice = resolveStridedSlice({2, 3, 4}, spec);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->shape, Shape({2, 2}));
  EXPECT_EQ(run(stridedSliceCopies({2, 3, 4}, *slice), {2, 3, 4}, {2, 2}), Values({13, 15, 1, 3}));
}

TEST(Movement, StridedSliceEllipsisAndNewAxis) {
  StridedSliceSpec spec;
  spec.begin = {0, 0, 1};
  spec.end = {0, 0, 2};
  spec.strides = {1, 1, 1};
  spec.ellipsisMask = 1;
  spec.newAxisMask = 2;
  std::optional<StridedSlice> slice = resolveStridedSlice({2, 2, 3}, spec);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->shape, Shape({2, 2, 1, 1}));
  EXPECT_EQ(run(stridedSliceCopies({2, 2, 3}, *slice), {2, 2, 3}, {2, 2, 1, 1}),
            Values({1, 4, 7, 10}));
}

TEST(Movement, StridedSliceRefusesZeroStrideAndOutOfRangeIndex) {
  StridedSliceSpec spec;
  spec.begin = {0};
  spec.end = {1};
  spec.strides = {0};
  EXPECT_FALSE(resolveStridedSlice({3}, spec));
  spec.strides = {1};
  spec.begin = {3};
  spec.shrinkAxisMask = 1;
  EXPECT_FALSE(resolveStridedSlice({3}, spec));
}

TEST(Movement, PadAndMirrorPad) {
  EXPECT_EQ(run(padCopies({2, 2}, {{1, 0}, {0, 1}}), {2, 2}, {3, 3}),
            Values({-1, -1, -1, 0, 1, -1, 2, 3, -1}));
  EXPECT_EQ(run(mirrorPadCopies({3}, {{2, 2}}, /*reflect=*/true), {3}, {7}),
            Values({2, 1, 0, 1, 2, 1, 0}));
  EXPECT_EQ(run(mirrorPadCopies({3}, {{2, 1}}, /*reflect=*/false), {3}, {6}),
            Values({1, 0, 0, 1, 2, 2}));
}

TEST(Movement, TileBroadcastReverse) {
  EXPECT_EQ(run(tileCopies({2, 1}, {2, 3}), {2, 1}, {4, 3}),
            Values({0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1}));
  EXPECT_EQ(run(broadcastToCopies({2, 1}, {2, 2}), {2, 1}, {2, 2}), Values({0, 0, 1, 1}));
  EXPECT_EQ(run(reverseCopies({2, 2}, {1}), {2, 2}, {2, 2}), Values({1, 0, 3, 2}));
}

TEST(Movement, SpaceAndDepth) {
  EXPECT_EQ(run(spaceToDepthCopies({1, 2, 4, 1}, 2), {1, 2, 4, 1}, {1, 1, 2, 4}),
            Values({0, 1, 4, 5, 2, 3, 6, 7}));
  EXPECT_EQ(run(depthToSpaceCopies({1, 1, 2, 4}, 2), {1, 1, 2, 4}, {1, 2, 4, 1}),
            Values({0, 1, 4, 5, 2, 3, 6, 7}));
}

TEST(Movement, SpaceAndBatch) {
  // Three columns, padded to four: position 0 takes pad and column 1.
  EXPECT_EQ(run(spaceToBatchCopies({1, 3, 1}, {2}, {{1, 0}}), {1, 3, 1}, {2, 2, 1}),
            Values({-1, 1, 0, 2}));
  EXPECT_EQ(run(batchToSpaceCopies({2, 2, 1}, {2}, {{1, 0}}), {2, 2, 1}, {1, 3, 1}),
            Values({2, 1, 3}));
}

TEST(Movement, ConcatSplitPackUnpack) {
  Tensor a = of({2, 1}, {1, 2}), b = of({2, 2}, {3, 4, 5, 6});
  Tensor out(TensorType{ElementType::Int32, {2, 3}, {}});
  evaluateConcat({&a, &b}, 1, out);
  EXPECT_EQ(valuesOf(out), Values({1, 3, 4, 2, 5, 6}));
  Tensor left = counting({2, 1}), right = counting({2, 2});
  runCopies(splitCopies({2, 3}, {1, 2}, 1), {&out}, {&left, &right});
  EXPECT_EQ(valuesOf(left), valuesOf(a));
  EXPECT_EQ(valuesOf(right), valuesOf(b));
  Tensor x = of({2}, {1, 2}), y = of({2}, {3, 4}), packed = counting({2, 2});
  runCopies(packCopies({2}, 2, 1), {&x, &y}, {&packed});
  EXPECT_EQ(valuesOf(packed), Values({1, 3, 2, 4}));
  Tensor first = counting({2}), second = counting({2});
  runCopies(unpackCopies({2, 2}, 1), {&packed}, {&first, &second});
  EXPECT_EQ(valuesOf(second), Values({3, 4}));
}

TEST(Movement, FillZeroIsTheZeroPoint) {
  Tensor out(TensorType{ElementType::Int8, {3}, Quantization{{0.5f}, {-7}, -1}});
  fillZero(out);
  EXPECT_EQ(out.as<int8_t>()[2], -7);
}

TEST(Gather, IndicesOutOfRangeStayInside) {
  Tensor in = counting({3, 2}), out = counting({4, 2});
  evaluateGather(in, of({4}, {2, -5, 99, 1}), 0, 0, out);
  EXPECT_EQ(valuesOf(out), Values({4, 5, 0, 1, 4, 5, 2, 3}));
  Tensor nd = counting({2});
  evaluateGatherNd(in, of({2, 2}, {1, 1, 7, -7}), nd);
  EXPECT_EQ(valuesOf(nd), Values({3, 4}));
  Tensor scattered = counting({3});
  evaluateScatterNd(of({4, 1}, {0, 0, 2, 3}), of({4}, {1, 2, 3, 4}), scattered);
  EXPECT_EQ(valuesOf(scattered), Values({3, 0, 3}));
}

TEST(Gather, BatchDimensionsAndOneHot) {
  Tensor out = counting({2, 2});
  evaluateGather(counting({2, 3}), of({2, 2}, {0, 2, 1, 1}), 1, 1, out);
  EXPECT_EQ(valuesOf(out), Values({0, 2, 4, 4}));
  Tensor hot = counting({2, 3});
  evaluateOneHot(of({2}, {1, 5}), of({}, {9}), of({}, {0}), 1, hot);
  EXPECT_EQ(valuesOf(hot), Values({0, 9, 0, 0, 0, 0}));
}

} // namespace
