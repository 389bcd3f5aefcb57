// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/reference/Tensor.h"

namespace thimble {

size_t byteSize(ElementType type) {
  switch (type) {
  case ElementType::Bool:
  case ElementType::Int8:
  case ElementType::UInt8:
    return 1;
  case ElementType::Int16:
    return 2;
  case ElementType::Int32:
  case ElementType::Float32:
    return 4;
  case ElementType::Int64:
    return 8;
  }
  return 0;
}

const char *name(ElementType type) {
  switch (type) {
  case ElementType::Bool:
    return "bool";
  case ElementType::Int8:
    return "int8";
  case ElementType::UInt8:
    return "uint8";
  case ElementType::Int16:
    return "int16";
  case ElementType::Int32:
    return "int32";
  case ElementType::Int64:
    return "int64";
  case ElementType::Float32:
    return "float32";
  }
  return "";
}

} // namespace thimble
