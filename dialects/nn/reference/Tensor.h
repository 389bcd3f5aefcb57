// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// A host-side tensor: what the reference kernels compute on, what the importer
// reads constants into and what `thimble run` feeds a model. Plain C++, no MLIR,
// so that the kernels compile in a second and can be unit tested alone.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace thimble {

/// Storage types of tensors. Quantized tensors have an integer storage type and
/// a `Quantization`.
enum class ElementType : uint8_t { Bool, Int8, UInt8, Int16, Int32, Int64, Float32 };

/// Bytes of one element as stored (a Bool takes one byte).
size_t byteSize(ElementType type);
/// "bool", "int8", ... as in NumPy.
const char *name(ElementType type);

/// Affine quantization: real = scale * (stored - zeroPoint).
/// Per tensor: one scale and one zero point, axis -1. Per channel: one of each
/// for every index along `axis`.
struct Quantization {
  std::vector<float> scales;
  std::vector<int32_t> zeroPoints;
  int axis = -1;

  bool perChannel() const { return axis >= 0; }
  float scale() const { return scales.front(); }
  int32_t zeroPoint() const { return zeroPoints.front(); }
};

/// Element type, shape and quantization of a tensor. Dimensions are static and
/// not negative; rank 0 is a scalar.
struct TensorType {
  ElementType element = ElementType::Float32;
  std::vector<int64_t> shape;
  std::optional<Quantization> quantization;

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t elements() const {
    int64_t n = 1;
    for (int64_t d : shape)
      n *= d;
    return n;
  }
  size_t bytes() const { return static_cast<size_t>(elements()) * byteSize(element); }
  /// Scale and zero point of a per-tensor quantized type; (1, 0) otherwise.
  float scale() const { return quantization ? quantization->scale() : 1.0f; }
  int32_t zeroPoint() const { return quantization ? quantization->zeroPoint() : 0; }
};

/// The C++ type that stores `ElementType` E, and back.
template <typename T> constexpr ElementType elementTypeOf();
template <> constexpr ElementType elementTypeOf<bool>() { return ElementType::Bool; }
template <> constexpr ElementType elementTypeOf<int8_t>() { return ElementType::Int8; }
template <> constexpr ElementType elementTypeOf<uint8_t>() { return ElementType::UInt8; }
template <> constexpr ElementType elementTypeOf<int16_t>() { return ElementType::Int16; }
template <> constexpr ElementType elementTypeOf<int32_t>() { return ElementType::Int32; }
template <> constexpr ElementType elementTypeOf<int64_t>() { return ElementType::Int64; }
template <> constexpr ElementType elementTypeOf<float>() { return ElementType::Float32; }

/// A tensor with its data in row-major order (NHWC for pictures).
struct Tensor {
  TensorType type;
  std::vector<std::byte> data;

  Tensor() = default;
  /// A zero-filled tensor of `type`.
  explicit Tensor(TensorType t) : type(std::move(t)), data(type.bytes()) {}

  const std::vector<int64_t> &shape() const { return type.shape; }
  int64_t elements() const { return type.elements(); }

  template <typename T> T *as() {
    assert(elementTypeOf<T>() == type.element && "tensor read as another type");
    return reinterpret_cast<T *>(data.data());
  }
  template <typename T> const T *as() const {
    assert(elementTypeOf<T>() == type.element && "tensor read as another type");
    return reinterpret_cast<const T *>(data.data());
  }
};

} // namespace thimble
