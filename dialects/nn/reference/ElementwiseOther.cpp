// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/ElementwiseOther.h"
#include "dialects/nn/reference/Broadcast.h"

namespace thimble {

AddNParams prepareAddN(const TensorType &in, const TensorType &out) {
  AddNParams params;
  params.inputOffset = -in.zeroPoint();
  params.outputOffset = out.zeroPoint();
  params.range = storageRange(out.element);
  params.input = quantizeMultiplier(0.5);
  params.output =
      quantizeMultiplier(2 * static_cast<double>(in.scale()) /
                         ((1 << AddNParams::leftShift) * static_cast<double>(out.scale())));
  params.start = params.scale(0);
  return params;
}

void evaluateAddN(const std::vector<const Tensor *> &ins, Tensor &out) {
  const int64_t count = out.elements();
  switch (out.type.element) {
  case ElementType::Float32:
    for (int64_t i = 0; i < count; ++i) {
      float sum = 0.0f;
      for (const Tensor *in : ins)
        sum += in->as<float>()[i];
      out.as<float>()[i] = sum;
    }
    return;
  case ElementType::Int32:
    for (int64_t i = 0; i < count; ++i) {
      int32_t sum = 0;
      for (const Tensor *in : ins)
        sum = thimble_wrapping_add(sum, in->as<int32_t>()[i]);
      out.as<int32_t>()[i] = sum;
    }
    return;
  case ElementType::Int8: {
    const AddNParams params = prepareAddN(ins.front()->type, out.type);
    for (int64_t i = 0; i < count; ++i) {
      int32_t sum = params.start;
      for (const Tensor *in : ins)
        sum = thimble_wrapping_add(sum, params.scale(in->as<int8_t>()[i]));
      out.as<int8_t>()[i] = static_cast<int8_t>(params.finish(sum));
    }
    return;
  }
  default:
    assert(false && "unsupported element type");
  }
}

namespace {

template <typename T>
void select(const BroadcastLoop &loop, const bool *condition, const Tensor &x, const Tensor &y,
            Tensor &out) {
  const T *a = reinterpret_cast<const T *>(x.data.data());
  const T *b = reinterpret_cast<const T *>(y.data.data());
  T *to = reinterpret_cast<T *>(out.data.data());
  forEachBroadcast<3>(loop, [=](int64_t o, int64_t c, int64_t i, int64_t j) {
    to[o] = condition[c] ? a[i] : b[j];
  });
}

} // namespace

void evaluateSelect(const Tensor &condition, const Tensor &x, const Tensor &y, bool firstDimension,
                    Tensor &out) {
  Shape shape = condition.shape();
  if (firstDimension)
    shape.resize(out.shape().size(), 1);
  const BroadcastLoop loop = broadcastLoop({shape, x.shape(), y.shape()}, out.shape());
  const bool *flags = condition.as<bool>();
  switch (byteSize(out.type.element)) {
  case 1:
    return select<uint8_t>(loop, flags, x, y, out);
  case 2:
    return select<uint16_t>(loop, flags, x, y, out);
  case 4:
    return select<uint32_t>(loop, flags, x, y, out);
  case 8:
    return select<uint64_t>(loop, flags, x, y, out);
  }
}

} // namespace thimble
