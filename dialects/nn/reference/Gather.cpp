// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Gather.h"
#include "dialects/nn/reference/Movement.h"

#include <algorithm>
#include <cmath>

namespace thimble {

namespace {

int64_t indexAt(const Tensor &indices, int64_t i) {
  return indices.type.element == ElementType::Int64 ? indices.as<int64_t>()[i]
                                                    : indices.as<int32_t>()[i];
}

int64_t clampIndex(int64_t index, int64_t size) {
  return std::max<int64_t>(0, std::min(index, size - 1));
}

/// Product of the dimensions [from, to).
int64_t product(const Shape &shape, int64_t from, int64_t to) {
  int64_t n = 1;
  for (int64_t d = from; d < to; ++d)
    n *= shape[d];
  return n;
}

template <typename T> T combine(T x, T y) { return static_cast<T>(uint64_t(x) + uint64_t(y)); }
template <> float combine(float x, float y) { return x + y; }
template <> bool combine(bool x, bool y) { return x || y; }

template <typename T> void accumulate(const std::byte *from, std::byte *to, int64_t count) {
  const T *x = reinterpret_cast<const T *>(from);
  T *y = reinterpret_cast<T *>(to);
  for (int64_t i = 0; i < count; ++i)
    y[i] = combine<T>(y[i], x[i]);
}

void accumulate(ElementType type, const std::byte *from, std::byte *to, int64_t count) {
  switch (type) {
  case ElementType::Bool:
    return accumulate<bool>(from, to, count);
  case ElementType::Int8:
  case ElementType::UInt8:
    return accumulate<uint8_t>(from, to, count);
  case ElementType::Int16:
    return accumulate<uint16_t>(from, to, count);
  case ElementType::Int32:
    return accumulate<uint32_t>(from, to, count);
  case ElementType::Int64:
    return accumulate<uint64_t>(from, to, count);
  case ElementType::Float32:
    return accumulate<float>(from, to, count);
  }
}

} // namespace

GatherLoop prepareGather(const Shape &in, const Shape &indices, int64_t axis, int64_t batchDims) {
  GatherLoop loop;
  loop.batch = product(in, 0, batchDims);
  loop.outer = product(in, batchDims, axis);
  loop.axisSize = in[axis];
  loop.inner = product(in, axis + 1, static_cast<int64_t>(in.size()));
  loop.indices = product(indices, batchDims, static_cast<int64_t>(indices.size()));
  return loop;
}

void evaluateGather(const Tensor &in, const Tensor &indices, int64_t axis, int64_t batchDims,
                    Tensor &out) {
  const GatherLoop loop = prepareGather(in.shape(), indices.shape(), axis, batchDims);
  if (loop.axisSize == 0)
    return;
  const size_t bytes = static_cast<size_t>(loop.inner) * byteSize(in.type.element);
  std::byte *to = out.data.data();
  for (int64_t row = 0; row < loop.batch * loop.outer; ++row)
    for (int64_t i = 0; i < loop.indices; ++i, to += bytes) {
      const int64_t at = indexAt(indices, row / loop.outer * loop.indices + i);
      std::memcpy(to,
                  in.data.data() + (row * loop.axisSize + clampIndex(at, loop.axisSize)) * bytes,
                  bytes);
    }
}

void evaluateGatherNd(const Tensor &in, const Tensor &indices, Tensor &out) {
  const int64_t depth = indices.shape().back();
  const int64_t count = product(indices.shape(), 0, indices.type.rank() - 1);
  const std::vector<int64_t> strides = rowMajorStrides(in.shape());
  const size_t element = byteSize(in.type.element);
  const size_t bytes = product(in.shape(), depth, in.type.rank()) * element;
  if (in.elements() == 0)
    return;
  for (int64_t i = 0; i < count; ++i) {
    int64_t from = 0;
    for (int64_t d = 0; d < depth; ++d)
      from += clampIndex(indexAt(indices, i * depth + d), in.shape()[d]) * strides[d];
    std::memcpy(out.data.data() + i * bytes, in.data.data() + from * element, bytes);
  }
}

void evaluateScatterNd(const Tensor &indices, const Tensor &updates, Tensor &out) {
  const int64_t depth = indices.shape().back();
  const int64_t count = product(indices.shape(), 0, indices.type.rank() - 1);
  const std::vector<int64_t> strides = rowMajorStrides(out.shape());
  const int64_t slice = product(out.shape(), depth, out.type.rank());
  const size_t element = byteSize(out.type.element);
  std::fill(out.data.begin(), out.data.end(), std::byte(0));
  for (int64_t i = 0; i < count; ++i) {
    int64_t to = 0;
    bool inside = true;
    for (int64_t d = 0; d < depth; ++d) {
      const int64_t at = indexAt(indices, i * depth + d);
      inside = inside && at >= 0 && at < out.shape()[d];
      to += inside ? at * strides[d] : 0;
    }
    if (inside)
      accumulate(out.type.element, updates.data.data() + i * slice * element,
                 out.data.data() + to * element, slice);
  }
}

void evaluateOneHot(const Tensor &indices, const Tensor &on, const Tensor &off, int64_t axis,
                    Tensor &out) {
  const int64_t depth = out.shape()[axis];
  const int64_t outer = product(out.shape(), 0, axis);
  const int64_t inner = product(out.shape(), axis + 1, out.type.rank());
  const size_t element = byteSize(out.type.element);
  fillTensor(off, out);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t i = 0; i < inner; ++i) {
      const int64_t at = indexAt(indices, o * inner + i);
      if (at >= 0 && at < depth)
        std::memcpy(out.data.data() + ((o * depth + at) * inner + i) * element, on.data.data(),
                    element);
    }
}

void evaluateShape(const TensorType &in, Tensor &out) {
  for (size_t d = 0; d < in.shape.size(); ++d)
    if (out.type.element == ElementType::Int64)
      out.as<int64_t>()[d] = in.shape[d];
    else
      out.as<int32_t>()[d] = static_cast<int32_t>(in.shape[d]);
}

namespace {

template <typename T> void range(const Tensor &start, const Tensor &delta, Tensor &out) {
  T value = start.as<T>()[0];
  const T step = delta.as<T>()[0];
  for (int64_t i = 0, n = out.elements(); i < n; ++i, value = combine<T>(value, step))
    out.as<T>()[i] = value;
}

} // namespace

void evaluateRange(const Tensor &start, const Tensor &delta, Tensor &out) {
  switch (out.type.element) {
  case ElementType::Float32:
    return range<float>(start, delta, out);
  case ElementType::Int64:
    return range<int64_t>(start, delta, out);
  default:
    return range<int32_t>(start, delta, out);
  }
}

bool concatRescales(const TensorType &in, const TensorType &out) {
  return in.element == ElementType::UInt8 && in.quantization && out.quantization &&
         (in.scale() != out.scale() || in.zeroPoint() != out.zeroPoint());
}

std::vector<uint8_t> concatTable(const TensorType &in, const TensorType &out) {
  const float inverse = 1.0f / out.scale(), scale = in.scale() * inverse;
  const float bias = -static_cast<float>(in.zeroPoint()) * scale;
  std::vector<uint8_t> table(256);
  for (int32_t x = 0; x < 256; ++x) {
    const float stored =
        std::round(static_cast<float>(x) * scale + bias) + static_cast<float>(out.zeroPoint());
    table[x] = static_cast<uint8_t>(std::min(255.0f, std::max(0.0f, stored)));
  }
  return table;
}

void evaluateConcat(const std::vector<const Tensor *> &ins, int64_t axis, Tensor &out) {
  std::vector<Tensor> rescaled(ins.size());
  std::vector<const Tensor *> operands = ins;
  std::vector<Shape> shapes;
  for (size_t i = 0; i < ins.size(); ++i) {
    shapes.push_back(ins[i]->shape());
    if (!concatRescales(ins[i]->type, out.type))
      continue;
    const std::vector<uint8_t> table = concatTable(ins[i]->type, out.type);
    rescaled[i] = *ins[i];
    for (std::byte &x : rescaled[i].data)
      x = static_cast<std::byte>(table[static_cast<uint8_t>(x)]);
    operands[i] = &rescaled[i];
  }
  runCopies(concatCopies(shapes, axis), operands, {&out});
}

} // namespace thimble
