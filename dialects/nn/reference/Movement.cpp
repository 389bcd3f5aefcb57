// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Movement.h"

#include <algorithm>

namespace thimble {

int64_t StridedCopy::elements() const {
  int64_t n = 1;
  for (int64_t extent : extents)
    n *= extent;
  return n;
}

StridedCopy collapsed(StridedCopy copy) {
  size_t rank = 0;
  for (size_t d = 0; d < copy.extents.size(); ++d) {
    int64_t extent = copy.extents[d], in = copy.inStrides[d], out = copy.outStrides[d];
    if (extent == 1)
      continue;
    if (rank > 0 && copy.inStrides[rank - 1] == in * extent &&
        copy.outStrides[rank - 1] == out * extent) {
      copy.extents[rank - 1] *= extent;
      copy.inStrides[rank - 1] = in;
      copy.outStrides[rank - 1] = out;
      continue;
    }
    copy.extents[rank] = extent;
    copy.inStrides[rank] = in;
    copy.outStrides[rank] = out;
    ++rank;
  }
  copy.extents.resize(rank);
  copy.inStrides.resize(rank);
  copy.outStrides.resize(rank);
  if (rank == 0) {
    copy.extents = {1};
    copy.inStrides = {1};
    copy.outStrides = {1};
  }
  return copy;
}

namespace {

/// Adds `copy` to `copies` unless it is empty.
void add(std::vector<StridedCopy> &copies, StridedCopy copy) {
  if (copy.elements() > 0)
    copies.push_back(collapsed(std::move(copy)));
}

std::vector<StridedCopy> single(StridedCopy copy) {
  std::vector<StridedCopy> copies;
  add(copies, std::move(copy));
  return copies;
}

/// The shape of `in` with padding around.
Shape padded(const Shape &in, const std::vector<EdgePadding> &paddings) {
  Shape out(in);
  for (size_t d = 0; d < in.size(); ++d)
    out[d] += paddings[d].before + paddings[d].after;
  return out;
}

int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename T> void copyLoop(const StridedCopy &copy, size_t dim, const T *in, T *out) {
  int64_t extent = copy.extents[dim], inStep = copy.inStrides[dim], outStep = copy.outStrides[dim];
  if (dim + 1 < copy.extents.size()) {
    for (int64_t i = 0; i < extent; ++i)
      copyLoop(copy, dim + 1, in + i * inStep, out + i * outStep);
    return;
  }
  if (inStep == 1 && outStep == 1) {
    std::memcpy(out, in, static_cast<size_t>(extent) * sizeof(T));
    return;
  }
  for (int64_t i = 0; i < extent; ++i)
    out[i * outStep] = in[i * inStep];
}

template <typename T> void copyTyped(const StridedCopy &copy, const std::byte *in, std::byte *out) {
  copyLoop(copy, 0, reinterpret_cast<const T *>(in) + copy.inOffset,
           reinterpret_cast<T *>(out) + copy.outOffset);
}

void runCopy(const StridedCopy &copy, const Tensor &in, Tensor &out) {
  assert(in.type.element == out.type.element && "a copy changes no element type");
  switch (byteSize(in.type.element)) {
  case 1:
    return copyTyped<uint8_t>(copy, in.data.data(), out.data.data());
  case 2:
    return copyTyped<uint16_t>(copy, in.data.data(), out.data.data());
  case 4:
    return copyTyped<uint32_t>(copy, in.data.data(), out.data.data());
  case 8:
    return copyTyped<uint64_t>(copy, in.data.data(), out.data.data());
  }
}

} // namespace

std::vector<StridedCopy> transposeCopies(const Shape &in, const std::vector<int64_t> &permutation) {
  std::vector<int64_t> strides = rowMajorStrides(in);
  StridedCopy copy;
  for (int64_t axis : permutation) {
    copy.extents.push_back(in[axis]);
    copy.inStrides.push_back(strides[axis]);
  }
  copy.outStrides = rowMajorStrides(copy.extents);
  return single(std::move(copy));
}

std::vector<StridedCopy> sliceCopies(const Shape &in, const std::vector<int64_t> &begin,
                                     const Shape &size) {
  StridedCopy copy{size, rowMajorStrides(in), rowMajorStrides(size)};
  for (size_t d = 0; d < in.size(); ++d)
    copy.inOffset += begin[d] * copy.inStrides[d];
  return single(std::move(copy));
}

std::vector<StridedCopy> reverseCopies(const Shape &in, const std::vector<int64_t> &axes) {
  StridedCopy copy{in, rowMajorStrides(in), rowMajorStrides(in)};
  for (int64_t axis : axes) {
    copy.inOffset += (in[axis] - 1) * copy.inStrides[axis];
    copy.inStrides[axis] = -copy.inStrides[axis];
  }
  return single(std::move(copy));
}

std::vector<StridedCopy> broadcastToCopies(const Shape &in, const Shape &out) {
  return single({out, broadcastStrides(in, out), rowMajorStrides(out)});
}

std::vector<StridedCopy> tileCopies(const Shape &in, const std::vector<int64_t> &multiples) {
  Shape out(in);
  for (size_t d = 0; d < in.size(); ++d)
    out[d] *= multiples[d];
  std::vector<int64_t> inStrides = rowMajorStrides(in), outStrides = rowMajorStrides(out);
  // Each dimension becomes two: which repetition, and where in it.
  StridedCopy copy;
  for (size_t d = 0; d < in.size(); ++d) {
    copy.extents.insert(copy.extents.end(), {multiples[d], in[d]});
    copy.inStrides.insert(copy.inStrides.end(), {0, inStrides[d]});
    copy.outStrides.insert(copy.outStrides.end(), {in[d] * outStrides[d], outStrides[d]});
  }
  return single(std::move(copy));
}

std::vector<StridedCopy> spaceToDepthCopies(const Shape &in, int64_t block) {
  int64_t height = in[1] / block, width = in[2] / block, depth = in[3];
  std::vector<int64_t> s = rowMajorStrides(in);
  StridedCopy copy;
  copy.extents = {in[0], height, width, block, block, depth};
  copy.inStrides = {s[0], s[1] * block, s[2] * block, s[1], s[2], 1};
  copy.outStrides = rowMajorStrides(copy.extents);
  return single(std::move(copy));
}

std::vector<StridedCopy> depthToSpaceCopies(const Shape &in, int64_t block) {
  int64_t depth = in[3] / (block * block);
  std::vector<int64_t> s = rowMajorStrides(in);
  StridedCopy copy;
  copy.extents = {in[0], in[1], block, in[2], block, depth};
  copy.inStrides = {s[0], s[1], block * depth, s[2], depth, 1};
  copy.outStrides = rowMajorStrides(copy.extents);
  return single(std::move(copy));
}

std::vector<StridedCopy> concatCopies(const std::vector<Shape> &ins, int64_t axis) {
  Shape out = ins.front();
  out[axis] = 0;
  for (const Shape &in : ins)
    out[axis] += in[axis];
  std::vector<int64_t> outStrides = rowMajorStrides(out);
  std::vector<StridedCopy> copies;
  int64_t at = 0;
  for (size_t i = 0; i < ins.size(); ++i) {
    StridedCopy copy{ins[i], rowMajorStrides(ins[i]), outStrides, 0, at * outStrides[axis]};
    copy.input = static_cast<int>(i);
    at += ins[i][axis];
    add(copies, std::move(copy));
  }
  return copies;
}

std::vector<StridedCopy> splitCopies(const Shape &in, const std::vector<int64_t> &sizes,
                                     int64_t axis) {
  std::vector<int64_t> inStrides = rowMajorStrides(in);
  std::vector<StridedCopy> copies;
  int64_t at = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    Shape part(in);
    part[axis] = sizes[i];
    StridedCopy copy{part, inStrides, rowMajorStrides(part), at * inStrides[axis], 0};
    copy.output = static_cast<int>(i);
    at += sizes[i];
    add(copies, std::move(copy));
  }
  return copies;
}

std::vector<StridedCopy> packCopies(const Shape &in, int64_t count, int64_t axis) {
  Shape one(in);
  one.insert(one.begin() + axis, 1);
  return concatCopies(std::vector<Shape>(count, one), axis);
}

std::vector<StridedCopy> unpackCopies(const Shape &in, int64_t axis) {
  return splitCopies(in, std::vector<int64_t>(in[axis], 1), axis);
}

std::vector<StridedCopy> padCopies(const Shape &in, const std::vector<EdgePadding> &paddings) {
  StridedCopy copy{in, rowMajorStrides(in), rowMajorStrides(padded(in, paddings))};
  for (size_t d = 0; d < in.size(); ++d)
    copy.outOffset += paddings[d].before * copy.outStrides[d];
  return single(std::move(copy));
}

std::vector<StridedCopy> mirrorPadCopies(const Shape &in, const std::vector<EdgePadding> &paddings,
                                         bool reflect) {
  std::vector<int64_t> inStrides = rowMajorStrides(in),
                       outStrides = rowMajorStrides(padded(in, paddings));
  const int64_t skip = reflect ? 1 : 0;
  std::vector<StridedCopy> copies = {StridedCopy()};
  for (size_t d = 0; d < in.size(); ++d) {
    std::vector<StridedCopy> next;
    for (const StridedCopy &base : copies) {
      auto part = [&](int64_t extent, int64_t from, int64_t step, int64_t to) {
        if (extent <= 0)
          return;
        StridedCopy copy(base);
        copy.extents.push_back(extent);
        copy.inStrides.push_back(step * inStrides[d]);
        copy.outStrides.push_back(outStrides[d]);
        copy.inOffset += from * inStrides[d];
        copy.outOffset += to * outStrides[d];
        next.push_back(std::move(copy));
      };
      int64_t before = paddings[d].before, after = paddings[d].after;
      part(before, before - 1 + skip, -1, 0);
      part(in[d], 0, 1, before);
      part(after, in[d] - 1 - skip, -1, before + in[d]);
    }
    copies = std::move(next);
  }
  for (StridedCopy &copy : copies)
    copy = collapsed(std::move(copy));
  return copies;
}

namespace {

/// Calls visit(position) for every position in a block of `blocks`, last fastest.
template <typename Visit> void forEachInBlock(const std::vector<int64_t> &blocks, Visit visit) {
  std::vector<int64_t> position(blocks.size(), 0);
  while (true) {
    visit(position);
    size_t d = blocks.size();
    while (d > 0 && ++position[d - 1] == blocks[d - 1])
      position[--d] = 0;
    if (d == 0)
      return;
  }
}

/// Moves between space (batch, space..., rest) and blocks (batch times positions,
/// space / block, rest). `lead` is how far the space tensor starts inside the
/// padded space that the blocks cover.
std::vector<StridedCopy> blockCopies(const Shape &space, const Shape &packed,
                                     const std::vector<int64_t> &blocks,
                                     const std::vector<EdgePadding> &lead, bool toBatch) {
  std::vector<int64_t> spaceStrides = rowMajorStrides(space),
                       packedStrides = rowMajorStrides(packed);
  std::vector<StridedCopy> copies;
  int64_t number = 0;
  forEachInBlock(blocks, [&](const std::vector<int64_t> &position) {
    StridedCopy copy;
    copy.extents = space;
    copy.inStrides = spaceStrides;
    copy.outStrides = packedStrides;
    copy.outOffset = number++ * space[0] * packedStrides[0];
    for (size_t d = 0; d < blocks.size(); ++d) {
      // Block i covers the padded coordinate i * block + position.
      int64_t from = std::max<int64_t>(0, ceilDivide(lead[d].before - position[d], blocks[d]));
      int64_t first = from * blocks[d] + position[d] - lead[d].before;
      int64_t last = space[d + 1] - 1 - first;
      int64_t count = last < 0 ? 0 : last / blocks[d] + 1;
      copy.extents[d + 1] = std::min(count, std::max<int64_t>(0, packed[d + 1] - from));
      copy.inStrides[d + 1] *= blocks[d];
      copy.inOffset += first * spaceStrides[d + 1];
      copy.outOffset += from * packedStrides[d + 1];
    }
    if (!toBatch) {
      std::swap(copy.inStrides, copy.outStrides);
      std::swap(copy.inOffset, copy.outOffset);
    }
    add(copies, std::move(copy));
  });
  return copies;
}

} // namespace

std::vector<StridedCopy> spaceToBatchCopies(const Shape &in, const std::vector<int64_t> &blocks,
                                            const std::vector<EdgePadding> &paddings) {
  Shape packed(in);
  for (size_t d = 0; d < blocks.size(); ++d) {
    packed[0] *= blocks[d];
    packed[d + 1] = (in[d + 1] + paddings[d].before + paddings[d].after) / blocks[d];
  }
  return blockCopies(in, packed, blocks, paddings, /*toBatch=*/true);
}

std::vector<StridedCopy> batchToSpaceCopies(const Shape &in, const std::vector<int64_t> &blocks,
                                            const std::vector<EdgePadding> &crops) {
  Shape space(in);
  for (size_t d = 0; d < blocks.size(); ++d) {
    space[0] /= blocks[d];
    space[d + 1] = in[d + 1] * blocks[d] - crops[d].before - crops[d].after;
  }
  return blockCopies(space, in, blocks, crops, /*toBatch=*/false);
}

void runCopies(const std::vector<StridedCopy> &copies, const std::vector<const Tensor *> &ins,
               const std::vector<Tensor *> &outs) {
  for (const StridedCopy &copy : copies)
    runCopy(copy, *ins[copy.input], *outs[copy.output]);
}

void runCopies(const std::vector<StridedCopy> &copies, const Tensor &in, Tensor &out) {
  for (const StridedCopy &copy : copies)
    runCopy(copy, in, out);
}

void fillTensor(const Tensor &value, Tensor &out) {
  const size_t bytes = byteSize(out.type.element);
  for (size_t at = 0; at < out.data.size(); at += bytes)
    std::memcpy(out.data.data() + at, value.data.data(), bytes);
}

void fillZero(Tensor &out) {
  Tensor value(TensorType{out.type.element, {}, {}});
  const int32_t zero = out.type.zeroPoint();
  // Little-endian hosts only, as everywhere in the compiler: the low bytes come first.
  const int64_t wide = zero;
  if (out.type.element != ElementType::Float32)
    std::memcpy(value.data.data(), &wide, value.data.size());
  fillTensor(value, out);
}

} // namespace thimble
