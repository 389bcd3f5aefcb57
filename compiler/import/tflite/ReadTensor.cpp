// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/import/tflite/ReaderImpl.h"

#include <cmath>
#include <cstring>

namespace thimble::tflite {
namespace {

using FileType = schema::TensorType;

std::optional<ElementType> elementType(FileType type) {
  switch (type) {
  case FileType::BOOL:
    return ElementType::Bool;
  case FileType::INT8:
    return ElementType::Int8;
  case FileType::UINT8:
    return ElementType::UInt8;
  case FileType::INT16:
    return ElementType::Int16;
  case FileType::INT32:
    return ElementType::Int32;
  case FileType::INT64:
    return ElementType::Int64;
  case FileType::FLOAT32:
    return ElementType::Float32;
  default:
    return std::nullopt;
  }
}

std::string typeName(FileType type) {
  std::string name = schema::EnumNameTensorType(type);
  if (name.empty())
    return "number " + std::to_string(static_cast<int>(type));
  for (char &c : name)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

Message readShape(const schema::Tensor &in, const std::string &where, Tensor &out) {
  size_t rank = sizeOf(in.shape());
  if (rank > maxRank)
    return where + ": rank " + std::to_string(rank) + ", legal ranks are 0 to " +
           std::to_string(maxRank);
  int64_t elements = 1;
  bool tooLarge = false;
  for (uint32_t i = 0; i < rank; ++i) {
    int64_t dim = in.shape()->Get(i);
    if (dim < 0)
      return where + ": dimension " + std::to_string(i) + " is " + std::to_string(dim) +
             ", a static shape has no negative dimensions";
    out.type.shape.push_back(dim);
    // A later 0 does not excuse the overflow of those who multiply in order.
    tooLarge |= dim != 0 && elements > maxTensorBytes / dim;
    elements = tooLarge ? 1 : elements * (dim == 0 ? 1 : dim);
  }
  size_t width = out.unsupported.empty() ? byteSize(out.type.element) : 1;
  if (tooLarge || elements > maxTensorBytes / static_cast<int64_t>(width))
    return where + ": larger than " + std::to_string(maxTensorBytes) +
           " bytes, which is all the memory that a Cortex-M can have";
  if (size_t n = sizeOf(in.shape_signature())) {
    if (n != rank)
      return where + ": shape has rank " + std::to_string(rank) + ", its signature " +
             std::to_string(n);
    for (int32_t dim : *in.shape_signature()) {
      if (dim < -1)
        return where + ": signature has a dimension " + std::to_string(dim) +
               ", legal are -1 (open) and more";
      out.isDynamic |= dim < 0;
    }
  }
  return {};
}

/// The storage range of `type`, within which a zero point must lie.
std::pair<int64_t, int64_t> range(ElementType type) {
  switch (type) {
  case ElementType::Int8:
    return {-128, 127};
  case ElementType::UInt8:
    return {0, 255};
  case ElementType::Int16:
    return {-32768, 32767};
  default:
    return {INT32_MIN, INT32_MAX};
  }
}

/// FlatBuffers verifies that a vector begins where its length can be read, four bytes,
/// not that its elements are aligned.
int64_t elementAt(const flatbuffers::Vector<int64_t> &vector, uint32_t i) {
  int64_t value;
  std::memcpy(&value, vector.Data() + i * sizeof value, sizeof value);
  return flatbuffers::EndianScalar(value);
}

Message readQuantization(const schema::QuantizationParameters &in, Budget &budget,
                         const std::string &where, Tensor &out) {
  ElementType element = out.type.element;
  // What training tools leave on float tensors means nothing.
  if (element == ElementType::Float32 || element == ElementType::Bool)
    return {};
  if (in.details_kind() != 0) {
    out.unsupported = "quantization by a scheme other than scale and zero point";
    return {};
  }
  size_t count = sizeOf(in.scale()), zeroPoints = sizeOf(in.zero_point());
  if (count == 0)
    return {};
  if (zeroPoints != 0 && zeroPoints != count)
    return where + ": " + std::to_string(count) + " scales but " + std::to_string(zeroPoints) +
           " zero points, legal are as many or none";
  if (!budget.take(count, sizeof(float)))
    return where + ": the file describes more scales than it has room for";

  Quantization q;
  const auto &shape = out.type.shape;
  if (count > 1) {
    int64_t axis = in.quantized_dimension();
    // Some converters leave the filter's axis on the bias; a vector has only one.
    bool isBias =
        shape.size() == 1 && (element == ElementType::Int32 || element == ElementType::Int64);
    if (isBias && axis > 0 && axis < int64_t(maxRank))
      axis = 0;
    if (axis < 0 || axis >= int64_t(shape.size()))
      return where + ": quantized dimension " + std::to_string(axis) +
             (shape.empty() ? " of a scalar"
                            : ", legal are 0 to " + std::to_string(shape.size() - 1));
    if (shape[axis] != int64_t(count))
      return where + ": " + std::to_string(count) + " scales for " + std::to_string(shape[axis]) +
             " channels along dimension " + std::to_string(axis);
    q.axis = static_cast<int>(axis);
  }
  auto [low, high] = range(element);
  for (uint32_t i = 0; i < count; ++i) {
    float scale = in.scale()->Get(i);
    if (!std::isfinite(scale) || scale <= 0)
      return where + ": scale " + std::to_string(scale) + ", legal are finite and positive ones";
    int64_t zeroPoint = zeroPoints ? elementAt(*in.zero_point(), i) : 0;
    if (zeroPoint < low || zeroPoint > high)
      return where + ": zero point " + std::to_string(zeroPoint) + ", legal are " +
             std::to_string(low) + " to " + std::to_string(high) + " for " + name(element);
    if (count > 1 && zeroPoint != 0 && element != ElementType::UInt8)
      return where + ": zero point " + std::to_string(zeroPoint) +
             " of a channel, legal is 0 where " + name(element) + " is quantized per channel";
    q.scales.push_back(scale);
    q.zeroPoints.push_back(static_cast<int32_t>(zeroPoint));
  }
  out.type.quantization = std::move(q);
  return {};
}

Message readData(const schema::Model &file, const schema::Tensor &in, Budget &budget,
                 const std::string &where, Tensor &out) {
  size_t buffers = sizeOf(file.buffers());
  // Buffer 0 means "none"; a file of activations alone may have no list of buffers.
  if (in.buffer() >= buffers && (in.buffer() != 0 || buffers != 0))
    return where + ": buffer " + std::to_string(in.buffer()) + " of " + std::to_string(buffers);
  if (in.external_buffer() != 0) {
    out.unsupported = "data in another file";
    return {};
  }
  if (buffers == 0)
    return {};
  const schema::Buffer &buffer = *file.buffers()->Get(in.buffer());
  // Values 0 and 1 are placeholders that writers leave behind.
  if (buffer.offset() > 1 || buffer.size() > 1)
    return where + ": data behind the end of the flatbuffer, which is not supported";
  size_t size = sizeOf(buffer.data());
  if (size == 0)
    return {};
  if (!out.unsupported.empty()) {
    out.isConstant = true;
    out.data = {buffer.data()->data(), size};
    return {};
  }
  size_t expected = out.type.bytes();
  if (size != expected)
    return where + ": " + std::to_string(size) + " bytes of data where type and shape need " +
           std::to_string(expected);
  out.isConstant = true;
  out.data = {buffer.data()->data(), size};
  if (out.type.element == ElementType::Bool) {
    if (!budget.take(size, 1))
      return where + ": the file describes more data than it has room for";
    for (size_t i = 0; i < size; ++i)
      if (out.data.data[i] > 1)
        return where + ": a bool is " + std::to_string(out.data.data[i]) + ", legal are 0 and 1";
  }
  return {};
}

} // namespace

Message readTensor(const schema::Model &file, const schema::Tensor &in, Budget &budget,
                   const std::string &where, Tensor &out) {
  out.name = viewOf(in.name());
  out.isVariable = in.is_variable();
  if (auto element = elementType(in.type()))
    out.type.element = *element;
  else if (in.type() == schema::TensorType::RESOURCE)
    out.unsupported =
        "a variable (type RESOURCE), which is not supported; export the model with its "
        "state as inputs and outputs";
  else
    out.unsupported = "type " + typeName(in.type()) +
                      ", supported are bool, int8, uint8, int16, int32, int64 and float32";
  if (in.sparsity() && out.unsupported.empty())
    out.unsupported = "sparse data, supported is dense data";

  if (Message m = readShape(in, where, out); !m.empty())
    return m;
  if (in.quantization() && out.unsupported.empty())
    if (Message m = readQuantization(*in.quantization(), budget, where, out); !m.empty())
      return m;
  if (Message m = readData(file, in, budget, where, out); !m.empty())
    return m;
  if (out.isConstant && out.isVariable)
    return where + ": is a variable and has constant data, legal is one of the two";
  return {};
}

} // namespace thimble::tflite
