// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Reduce.h"
#include "dialects/nn/reference/Broadcast.h"

#include <type_traits>

namespace thimble {

bool reduceSupports(ReduceOp op, ElementType type) {
  if (op == ReduceOp::Any || op == ReduceOp::All || type == ElementType::Bool)
    return type == ElementType::Bool && (op == ReduceOp::Any || op == ReduceOp::All);
  if (op == ReduceOp::Prod)
    return type == ElementType::Float32 || type == ElementType::Int32 || type == ElementType::Int64;
  return true;
}

namespace {

/// `shape` with the reduced axes as 1.
Shape keptShape(const Shape &shape, const std::vector<int64_t> &axes) {
  Shape kept(shape);
  for (int64_t axis : axes)
    kept[axis] = 1;
  return kept;
}

/// result[o] = combine(result[o], x) over the input in row-major order.
template <typename T, typename Acc, typename F>
std::vector<Acc> reduce(const Tensor &in, const std::vector<int64_t> &axes, int64_t results,
                        Acc initial, F combine) {
  std::vector<Acc> result(static_cast<size_t>(results), initial);
  const T *x = in.as<T>();
  const BroadcastLoop loop = broadcastLoop({keptShape(in.shape(), axes)}, in.shape());
  forEachBroadcast<1>(loop, [&](int64_t i, int64_t o) { result[o] = combine(result[o], x[i]); });
  return result;
}

template <typename T, typename Acc, typename F>
void reduceTo(const Tensor &in, const std::vector<int64_t> &axes, Tensor &out, Acc initial,
              F combine) {
  const std::vector<Acc> result = reduce<T, Acc>(in, axes, out.elements(), initial, combine);
  T *to = out.as<T>();
  for (size_t i = 0; i < result.size(); ++i)
    to[i] = static_cast<T>(result[i]);
}

template <typename T>
void extremum(ReduceOp op, const std::vector<int64_t> &axes, const Tensor &in, Tensor &out) {
  if (op == ReduceOp::Max)
    reduceTo<T, T>(in, axes, out, std::numeric_limits<T>::lowest(),
                   [](T best, T x) { return x > best ? x : best; });
  else
    reduceTo<T, T>(in, axes, out, std::numeric_limits<T>::max(),
                   [](T best, T x) { return x < best ? x : best; });
}

void reduceFloat(ReduceOp op, const std::vector<int64_t> &axes, const Tensor &in, Tensor &out) {
  switch (op) {
  case ReduceOp::Sum:
  case ReduceOp::Mean:
    reduceTo<float, float>(in, axes, out, 0.0f, [](float sum, float x) { return sum + x; });
    break;
  case ReduceOp::Prod:
    return reduceTo<float, float>(in, axes, out, 1.0f, [](float p, float x) { return p * x; });
  default:
    return extremum<float>(op, axes, in, out);
  }
  const int64_t count = reducedElements(in.shape(), axes);
  if (op == ReduceOp::Mean && count > 0)
    for (int64_t i = 0, n = out.elements(); i < n; ++i)
      out.as<float>()[i] /= static_cast<float>(count);
}

template <typename T>
void reduceInteger(ReduceOp op, const std::vector<int64_t> &axes, const Tensor &in, Tensor &out) {
  auto sum = [](uint64_t total, T x) { return total + static_cast<uint64_t>(x); };
  switch (op) {
  case ReduceOp::Sum:
    return reduceTo<T, uint64_t>(in, axes, out, 0, sum);
  case ReduceOp::Mean: {
    const int64_t count = std::max<int64_t>(1, reducedElements(in.shape(), axes));
    const std::vector<uint64_t> sums = reduce<T, uint64_t>(in, axes, out.elements(), 0, sum);
    for (size_t i = 0; i < sums.size(); ++i)
      out.as<T>()[i] = static_cast<T>(static_cast<int64_t>(sums[i]) / count);
    return;
  }
  case ReduceOp::Prod:
    return reduceTo<T, uint64_t>(in, axes, out, 1,
                                 [](uint64_t p, T x) { return p * static_cast<uint64_t>(x); });
  default:
    return extremum<T>(op, axes, in, out);
  }
}

template <typename T>
void reduceQuantized(ReduceOp op, const std::vector<int64_t> &axes, const Tensor &in, Tensor &out) {
  if (op == ReduceOp::Max || op == ReduceOp::Min)
    return extremum<T>(op, axes, in, out);
  if (!in.type.quantization)
    return reduceInteger<T>(op, axes, in, out);
  const SumParams params = prepareSum(op, in.type, out.type, reducedElements(in.shape(), axes));
  const std::vector<int32_t> sums =
      reduce<T, int32_t>(in, axes, out.elements(), 0,
                         [](int32_t total, T x) { return thimble_wrapping_add(total, x); });
  for (size_t i = 0; i < sums.size(); ++i)
    out.as<T>()[i] = static_cast<T>(params.apply(sums[i]));
}

void reduceBool(ReduceOp op, const std::vector<int64_t> &axes, const Tensor &in, Tensor &out) {
  if (op == ReduceOp::All)
    return reduceTo<bool, uint8_t>(in, axes, out, 1,
                                   [](uint8_t all, bool x) -> uint8_t { return all && x; });
  reduceTo<bool, uint8_t>(in, axes, out, 0,
                          [](uint8_t any, bool x) -> uint8_t { return any || x; });
}

} // namespace

int64_t reducedElements(const Shape &shape, const std::vector<int64_t> &axes) {
  const Shape kept = keptShape(shape, axes);
  int64_t n = 1;
  for (size_t d = 0; d < shape.size(); ++d)
    n *= kept[d] == shape[d] ? 1 : shape[d];
  return n;
}

SumParams prepareSum(ReduceOp op, const TensorType &in, const TensorType &out, int64_t count) {
  SumParams params;
  params.multiplier =
      quantizeMultiplier(static_cast<double>(in.scale()) / static_cast<double>(out.scale()));
  params.offset =
      static_cast<int32_t>(static_cast<uint64_t>(in.zeroPoint()) * static_cast<uint64_t>(count));
  params.outputZeroPoint = out.zeroPoint();
  params.range = storageRange(out.element);
  if (op != ReduceOp::Mean || count <= 0)
    return params;
  int32_t log2 = 0;
  while (count >> (log2 + 1) != 0)
    ++log2;
  const int32_t shift = std::min(std::min(log2, 32), 31 + params.multiplier.shift);
  params.multiplier.multiplier =
      static_cast<int32_t>((static_cast<int64_t>(params.multiplier.multiplier) << shift) / count);
  params.multiplier.shift -= shift;
  return params;
}

void evaluateReduce(ReduceOp op, const std::vector<int64_t> &axes, const Tensor &in, Tensor &out) {
  assert(reduceSupports(op, in.type.element) && "unsupported element type");
  switch (in.type.element) {
  case ElementType::Float32:
    return reduceFloat(op, axes, in, out);
  case ElementType::Bool:
    return reduceBool(op, axes, in, out);
  case ElementType::Int8:
    return reduceQuantized<int8_t>(op, axes, in, out);
  case ElementType::UInt8:
    return reduceQuantized<uint8_t>(op, axes, in, out);
  case ElementType::Int16:
    return reduceQuantized<int16_t>(op, axes, in, out);
  case ElementType::Int32:
    return reduceInteger<int32_t>(op, axes, in, out);
  case ElementType::Int64:
    return reduceInteger<int64_t>(op, axes, in, out);
  }
}

namespace {

template <typename T> bool beats(T candidate, T current, bool largest) {
  if constexpr (std::is_floating_point_v<T>) {
    if (candidate != candidate)
      return false;
    if (current != current)
      return true;
  }
  return largest ? candidate > current : candidate < current;
}

template <typename T> void argExtremum(const Tensor &in, int64_t axis, bool largest, Tensor &out) {
  const T *x = in.as<T>();
  const int64_t size = in.shape()[axis], inner = rowMajorStrides(in.shape())[axis];
  for (int64_t o = 0, n = out.elements(); o < n; ++o) {
    const T *line = x + o / inner * size * inner + o % inner;
    int64_t best = 0;
    for (int64_t i = 1; i < size; ++i)
      if (beats(line[i * inner], line[best * inner], largest))
        best = i;
    if (out.type.element == ElementType::Int64)
      out.as<int64_t>()[o] = best;
    else
      out.as<int32_t>()[o] = static_cast<int32_t>(best);
  }
}

void argExtremum(const Tensor &in, int64_t axis, bool largest, Tensor &out) {
  switch (in.type.element) {
  case ElementType::Bool:
    return argExtremum<bool>(in, axis, largest, out);
  case ElementType::Int8:
    return argExtremum<int8_t>(in, axis, largest, out);
  case ElementType::UInt8:
    return argExtremum<uint8_t>(in, axis, largest, out);
  case ElementType::Int16:
    return argExtremum<int16_t>(in, axis, largest, out);
  case ElementType::Int32:
    return argExtremum<int32_t>(in, axis, largest, out);
  case ElementType::Int64:
    return argExtremum<int64_t>(in, axis, largest, out);
  case ElementType::Float32:
    return argExtremum<float>(in, axis, largest, out);
  }
}

} // namespace

void evaluateArgMin(const Tensor &in, int64_t axis, Tensor &out) {
  argExtremum(in, axis, /*largest=*/false, out);
}

void evaluateArgMax(const Tensor &in, int64_t axis, Tensor &out) {
  argExtremum(in, axis, /*largest=*/true, out);
}

} // namespace thimble
