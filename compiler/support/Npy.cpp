// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/support/Npy.h"

#include "compiler/support/Quote.h"

#include <string_view>

using namespace thimble;

static constexpr std::string_view magic = "\x93NUMPY";

struct TypeCode {
  std::string_view code;
  ElementType element;
};
static constexpr TypeCode typeCodes[] = {{"|b1", ElementType::Bool},   {"|i1", ElementType::Int8},
                                         {"|u1", ElementType::UInt8},  {"<i2", ElementType::Int16},
                                         {"<i4", ElementType::Int32},  {"<i8", ElementType::Int64},
                                         {"<f4", ElementType::Float32}};

// The text behind `key` in the header's dictionary, up to any of `ends`.
static std::string_view valueOf(std::string_view header, std::string_view key,
                                std::string_view ends) {
  size_t at = header.find(key);
  if (at == std::string_view::npos)
    return {};
  at = header.find(':', at);
  if (at == std::string_view::npos)
    return {};
  std::string_view rest = header.substr(at + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest.substr(0, rest.find_first_of(ends));
}

static std::optional<std::vector<int64_t>> parseShape(std::string_view text) {
  if (text.empty() || text.front() != '(')
    return std::nullopt;
  std::vector<int64_t> shape;
  int64_t total = 1;
  constexpr int64_t most = int64_t(1) << 31;
  std::optional<int64_t> number;
  text.remove_prefix(1);
  auto finish = [&] {
    if (number) {
      shape.push_back(*number);
      total *= *number;
      number.reset();
    }
    return total <= most && shape.size() <= 32;
  };
  for (char c : text) {
    if (c >= '0' && c <= '9')
      number = number.value_or(0) * 10 + (c - '0');
    else if (c != ',' && c != ' ')
      return std::nullopt;
    if (number.value_or(0) > most || (c == ',' && !finish()))
      return std::nullopt;
  }
  if (!finish())
    return std::nullopt;
  return shape;
}

Result<Tensor> thimble::readNpy(const std::vector<uint8_t> &bytes) {
  std::string_view file(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  constexpr size_t shortHeader = 10, longHeader = 12;
  if (file.size() < longHeader || file.substr(0, magic.size()) != magic)
    return Error{"not an .npy file"};
  bool isLong = bytes[6] > 1;
  size_t start = isLong ? longHeader : shortHeader;
  size_t length = bytes[8] | size_t(bytes[9]) << 8;
  if (isLong)
    length |= size_t(bytes[10]) << 16 | size_t(bytes[11]) << 24;
  if (length > file.size() - start)
    return Error{".npy header is cut off"};
  std::string_view header = file.substr(start, length), data = file.substr(start + length);

  std::string_view descr = valueOf(header, "'descr'", ",");
  if (descr.size() >= 2)
    descr = descr.substr(1, descr.size() - 2);
  Tensor tensor;
  bool known = false;
  for (const TypeCode &type : typeCodes)
    if (descr == type.code) {
      tensor.type.element = type.element;
      known = true;
    }
  if (!known)
    return Error{"element type " + quoteName(descr) +
                 " is not one of bool, int8, uint8, int16, int32, int64, float32"};
  if (valueOf(header, "'fortran_order'", ",") != "False")
    return Error{"array must be in C order, not Fortran order"};
  std::optional<std::vector<int64_t>> shape = parseShape(valueOf(header, "'shape'", ")"));
  if (!shape)
    return Error{".npy header has no usable shape"};
  tensor.type.shape = std::move(*shape);
  if (tensor.type.bytes() != data.size())
    return Error{"array of " + std::to_string(tensor.type.bytes()) + " bytes has " +
                 std::to_string(data.size()) + " bytes of data"};
  tensor.data.resize(data.size());
  std::memcpy(tensor.data.data(), data.data(), data.size());
  return tensor;
}

std::string thimble::writeNpy(const Tensor &tensor) {
  std::string shape;
  for (int64_t d : tensor.shape())
    shape += std::to_string(d) + ",";
  std::string_view code;
  for (const TypeCode &type : typeCodes)
    if (type.element == tensor.type.element)
      code = type.code;
  std::string header =
      "{'descr': '" + std::string(code) + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  // Data starts at a multiple of 64 bytes.
  constexpr size_t prefix = 10, alignment = 64;
  header.append(alignment - (prefix + header.size() + 1) % alignment, ' ');
  header += '\n';
  std::string file(magic);
  file += {'\x01', '\0', static_cast<char>(header.size() & 0xff),
           static_cast<char>(header.size() >> 8)};
  file += header;
  file.append(reinterpret_cast<const char *>(tensor.data.data()), tensor.data.size());
  return file;
}
