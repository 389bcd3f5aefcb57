// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/c/Literals.h"

#include <charconv>
#include <cmath>
#include <cstdint>

namespace thimble::emit {

std::string signedLiteral(const llvm::APInt &value) {
  const unsigned bits = value.getBitWidth();
  const int64_t number = value.getSExtValue();
  // -2147483648 is no literal but the negation of one that is out of int's range.
  if (bits == 32 && number == INT32_MIN)
    return "INT32_MIN";
  if (bits == 64 && number == INT64_MIN)
    return "INT64_MIN";
  if (bits < 64)
    return std::to_string(number);
  return number < 0 ? "-INT64_C(" + std::to_string(-number) + ")"
                    : "INT64_C(" + std::to_string(number) + ")";
}

template <typename T> static std::string literal(T value, const char *suffix) {
  if (std::isnan(value))
    return std::signbit(value) ? "-NAN" : "NAN";
  if (std::isinf(value))
    return value < 0 ? "-INFINITY" : "INFINITY";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  std::string text(buffer, end.ptr);
  if (text.find_first_of(".e") == std::string::npos)
    text += ".0";
  return text + suffix;
}

std::string floatLiteral(float value) { return literal(value, "f"); }

std::string floatLiteral(const llvm::APFloat &value) {
  if (&value.getSemantics() == &llvm::APFloat::IEEEsingle())
    return literal(value.convertToFloat(), "f");
  return literal(value.convertToDouble(), "");
}

} // namespace thimble::emit
