// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/NNTypes.h"
#include "dialects/nn/NNOps.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cmath>

using namespace mlir;

namespace thimble::nn {

namespace {

constexpr int64_t maxBytes = std::numeric_limits<int32_t>::max();

std::nullopt_t refuse(std::string *why, const llvm::Twine &reason) {
  if (why)
    *why = reason.str();
  return std::nullopt;
}

std::optional<ElementType> storageOf(Type type, bool isSigned) {
  auto integer = llvm::dyn_cast<IntegerType>(type);
  if (!integer)
    return std::nullopt;
  switch (integer.getWidth()) {
  case 8:
    return isSigned ? ElementType::Int8 : ElementType::UInt8;
  case 16:
    return isSigned ? std::optional(ElementType::Int16) : std::nullopt;
  case 32:
    return isSigned ? std::optional(ElementType::Int32) : std::nullopt;
  default:
    return std::nullopt;
  }
}

std::optional<ElementType> plainElement(Type type) {
  if (type.isF32())
    return ElementType::Float32;
  if (type.isUnsignedInteger(8))
    return ElementType::UInt8;
  if (!type.isSignlessInteger())
    return std::nullopt;
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return ElementType::Bool;
  case 8:
    return ElementType::Int8;
  case 16:
    return ElementType::Int16;
  case 32:
    return ElementType::Int32;
  case 64:
    return ElementType::Int64;
  default:
    return std::nullopt;
  }
}

Type storageElement(MLIRContext *context, ElementType element) {
  switch (element) {
  case ElementType::Bool:
    return IntegerType::get(context, 1);
  case ElementType::Int8:
    return IntegerType::get(context, 8);
  case ElementType::UInt8:
    return IntegerType::get(context, 8, IntegerType::Unsigned);
  case ElementType::Int16:
    return IntegerType::get(context, 16);
  case ElementType::Int32:
    return IntegerType::get(context, 32);
  case ElementType::Int64:
    return IntegerType::get(context, 64);
  case ElementType::Float32:
    return Float32Type::get(context);
  }
  return Float32Type::get(context);
}

// Scale and zero point that `quant` lets pass but no kernel can use.
bool checkParameters(double scale, int64_t zeroPoint, ElementType storage, std::string *why) {
  float narrowed = static_cast<float>(scale);
  if (!(narrowed > 0) || !std::isfinite(narrowed)) {
    refuse(why, "expects a scale that is a positive finite f32, got " + std::to_string(scale));
    return false;
  }
  int64_t low = 0, high = 0;
  switch (storage) {
  case ElementType::Int8:
    low = -128, high = 127;
    break;
  case ElementType::UInt8:
    low = 0, high = 255;
    break;
  case ElementType::Int16: // which operators take others than 0 is for the table to say
    low = -32768, high = 32767;
    break;
  default:
    low = std::numeric_limits<int32_t>::min(), high = std::numeric_limits<int32_t>::max();
    break;
  }
  if (zeroPoint >= low && zeroPoint <= high)
    return true;
  refuse(why, "expects a zero point in [" + llvm::Twine(low) + ", " + llvm::Twine(high) +
                  "] of a quantization to " + name(storage) + ", got " + llvm::Twine(zeroPoint));
  return false;
}

bool quantizedElement(quant::QuantizedType type, RankedTensorType tensor, TensorType &result,
                      std::string *why) {
  auto perTensor = llvm::dyn_cast<quant::UniformQuantizedType>(type);
  auto perAxis = llvm::dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perTensor && !perAxis) {
    refuse(why, "expects a quantization per tensor or per axis");
    return false;
  }
  if (!type.getExpressedType() || !type.getExpressedType().isF32()) {
    refuse(why, "expects a quantization of f32");
    return false;
  }
  std::optional<ElementType> storage = storageOf(type.getStorageType(), type.isSigned());
  if (!storage) {
    refuse(why, "expects a quantization to i8, u8, i16 or i32");
    return false;
  }
  result.element = *storage;
  if (type.hasStorageTypeBounds()) {
    refuse(why, "expects a quantization over the full range of its storage type");
    return false;
  }
  Quantization &q = result.quantization.emplace();
  if (perTensor) {
    if (!checkParameters(perTensor.getScale(), perTensor.getZeroPoint(), *storage, why))
      return false;
    q.scales = {static_cast<float>(perTensor.getScale())};
    q.zeroPoints = {static_cast<int32_t>(perTensor.getZeroPoint())};
    return true;
  }
  int64_t axis = perAxis.getQuantizedDimension();
  auto scales = perAxis.getScales();
  auto zeroPoints = perAxis.getZeroPoints();
  if (axis < 0 || axis >= tensor.getRank()) {
    refuse(why, "expects a quantized axis less than the rank " + llvm::Twine(tensor.getRank()) +
                    ", got " + llvm::Twine(axis));
    return false;
  }
  int64_t dim = tensor.getDimSize(axis);
  if (static_cast<int64_t>(scales.size()) != dim || zeroPoints.size() != scales.size()) {
    refuse(why, "expects a scale for each of the " + llvm::Twine(dim) + " indices of axis " +
                    llvm::Twine(axis) + ", got " + llvm::Twine(scales.size()));
    return false;
  }
  q.axis = static_cast<int>(axis);
  for (auto [scale, zeroPoint] : llvm::zip_equal(scales, zeroPoints)) {
    if (!checkParameters(scale, zeroPoint, *storage, why))
      return false;
    if (zeroPoint != 0 && *storage != ElementType::UInt8) {
      refuse(why, "expects zero point 0 of a quantization per axis, got " + llvm::Twine(zeroPoint));
      return false;
    }
    q.scales.push_back(static_cast<float>(scale));
    q.zeroPoints.push_back(static_cast<int32_t>(zeroPoint));
  }
  return true;
}

} // namespace

std::optional<TensorType> toTensorType(Type type, std::string *why) {
  auto tensor = llvm::dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape())
    return refuse(why, "expects a tensor of static shape");
  if (tensor.getEncoding())
    return refuse(why, "expects a tensor without encoding");
  TensorType result;
  if (auto quantized = llvm::dyn_cast<quant::QuantizedType>(tensor.getElementType())) {
    if (!quantizedElement(quantized, tensor, result, why))
      return std::nullopt;
  } else if (std::optional<ElementType> plain = plainElement(tensor.getElementType())) {
    result.element = *plain;
  } else {
    return refuse(why, "expects elements of i1, i8, ui8, i16, i32, i64, f32 or !quant.uniform");
  }
  int64_t bytes = static_cast<int64_t>(byteSize(result.element));
  for (int64_t dim : tensor.getShape()) {
    if (dim <= 0)
      return refuse(why, "expects positive dimensions, got " + llvm::Twine(dim));
    if (dim > maxBytes / bytes)
      return refuse(why, "expects at most 2147483647 bytes in a tensor");
    bytes *= dim;
  }
  result.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  return result;
}

RankedTensorType fromTensorType(MLIRContext *context, const TensorType &type) {
  Type element = storageElement(context, type.element);
  if (!type.quantization)
    return RankedTensorType::get(type.shape, element);
  bool isSigned = type.element != ElementType::UInt8;
  unsigned width = element.getIntOrFloatBitWidth();
  Type storage = IntegerType::get(context, width);
  Type expressed = Float32Type::get(context);
  int64_t low = quant::QuantizedType::getDefaultMinimumForInteger(isSigned, width);
  int64_t high = quant::QuantizedType::getDefaultMaximumForInteger(isSigned, width);
  unsigned flags = isSigned ? quant::QuantizationFlags::Signed : 0;
  const Quantization &q = *type.quantization;
  if (!q.perChannel())
    return RankedTensorType::get(
        type.shape, quant::UniformQuantizedType::get(flags, storage, expressed, q.scale(),
                                                     q.zeroPoint(), low, high));
  llvm::SmallVector<double> scales(q.scales.begin(), q.scales.end());
  llvm::SmallVector<int64_t> zeroPoints(q.zeroPoints.begin(), q.zeroPoints.end());
  return RankedTensorType::get(
      type.shape, quant::UniformQuantizedPerAxisType::get(flags, storage, expressed, scales,
                                                          zeroPoints, q.axis, low, high));
}

RankedTensorType storageType(RankedTensorType type) {
  auto quantized = llvm::dyn_cast<quant::QuantizedType>(type.getElementType());
  if (!quantized)
    return type;
  Type storage = quantized.getStorageType();
  if (!quantized.isSigned())
    storage =
        IntegerType::get(type.getContext(), storage.getIntOrFloatBitWidth(), IntegerType::Unsigned);
  return type.clone(storage);
}

bool checkConstant(ElementsAttr value, Type type, std::string *why) {
  std::optional<TensorType> tensorType = toTensorType(type, why);
  if (!tensorType)
    return false;
  RankedTensorType stored = storageType(llvm::cast<RankedTensorType>(type));
  if (value.getType() != stored) {
    std::string text;
    llvm::raw_string_ostream(text)
        << "expects a value of type " << stored << ", got " << value.getType();
    refuse(why, text);
    return false;
  }
  if (auto resource = llvm::dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    size_t bytes = tensorType->bytes();
    if (!blob)
      refuse(why, "expects the resource of a constant to be defined");
    else if (blob->getData().size() != bytes)
      refuse(why, "expects a resource of " + llvm::Twine(bytes) + " bytes, got " +
                      llvm::Twine(blob->getData().size()));
    return blob && blob->getData().size() == bytes;
  }
  if (llvm::isa<DenseElementsAttr>(value))
    return true;
  refuse(why, "expects a dense or dense_resource value");
  return false;
}

std::optional<Tensor> toTensor(ElementsAttr value, Type type, std::string *why) {
  if (!checkConstant(value, type, why))
    return std::nullopt;
  Tensor tensor(*toTensorType(type));
  size_t bytes = tensor.data.size();
  if (auto resource = llvm::dyn_cast<DenseResourceElementsAttr>(value)) {
    std::memcpy(tensor.data.data(), resource.getRawHandle().getBlob()->getData().data(), bytes);
    if (tensor.type.element == ElementType::Bool) // a bool has two values, whatever was stored
      for (std::byte &b : tensor.data)
        b = b == std::byte{0} ? std::byte{0} : std::byte{1};
    return tensor;
  }
  auto dense = llvm::cast<DenseElementsAttr>(value);
  if (tensor.type.element == ElementType::Bool) {
    for (auto [i, b] : llvm::enumerate(dense.getValues<bool>()))
      tensor.data[i] = std::byte(b);
    return tensor;
  }
  llvm::ArrayRef<char> raw = dense.getRawData();
  size_t size = byteSize(tensor.type.element);
  if (dense.isSplat()) {
    for (size_t i = 0; i < bytes; i += size)
      std::memcpy(tensor.data.data() + i, raw.data(), size);
  } else {
    std::memcpy(tensor.data.data(), raw.data(), bytes);
  }
  return tensor;
}

ElementsAttr toAttribute(MLIRContext *context, const Tensor &tensor, llvm::StringRef name) {
  constexpr size_t largestInline = 256;
  auto type =
      RankedTensorType::get(tensor.type.shape, storageElement(context, tensor.type.element));
  llvm::ArrayRef<char> raw(reinterpret_cast<const char *>(tensor.data.data()), tensor.data.size());
  if (tensor.type.element == ElementType::Bool) {
    llvm::SmallVector<bool> values;
    for (std::byte b : tensor.data)
      values.push_back(b != std::byte{0});
    return DenseElementsAttr::get(type, values);
  }
  if (raw.size() <= largestInline)
    return DenseElementsAttr::getFromRawBuffer(type, raw);
  return DenseResourceElementsAttr::get(
      type, name, HeapAsmResourceBlob::allocateAndCopyWithAlign(raw, 8, /*dataIsMutable=*/false));
}

} // namespace thimble::nn
