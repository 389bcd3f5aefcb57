// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/support/Npz.h"

#include "compiler/support/Quote.h"

#include <string_view>
#include <zlib.h>

using namespace thimble;

// Records of a zip archive: signatures and sizes without names and extra fields.
constexpr uint32_t localSignature = 0x04034b50, centralSignature = 0x02014b50,
                   endSignature = 0x06054b50;
constexpr size_t localSize = 30, centralSize = 46, endSize = 22;
constexpr uint16_t stored = 0, deflated = 8;
// More than any model's inputs, less than any machine's memory.
constexpr size_t mostBytes = size_t(1) << 30, mostEntries = 4096;

static uint16_t read16(std::string_view bytes, size_t at) {
  return static_cast<uint16_t>(uint8_t(bytes[at]) | uint8_t(bytes[at + 1]) << 8);
}
static uint32_t read32(std::string_view bytes, size_t at) {
  return read16(bytes, at) | uint32_t(read16(bytes, at + 2)) << 16;
}

static Result<std::vector<uint8_t>> inflateEntry(std::string_view packed, size_t size) {
  // What deflate expands to at most: no memory is spent on a size that cannot be true.
  constexpr size_t largestRatio = 1032;
  if (size / largestRatio > packed.size())
    return Error{"compressed data is damaged"};
  std::vector<uint8_t> bytes(size);
  z_stream stream = {};
  // Negative: no zlib header, as zip has it.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return Error{"cannot start zlib"};
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<uInt>(bytes.size());
  int status = inflate(&stream, Z_FINISH);
  bool complete = status == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  if (!complete)
    return Error{"compressed data is damaged"};
  return bytes;
}

/// The contents of the file that the directory's record `entry` describes.
static Result<std::vector<uint8_t>> readEntry(std::string_view file, std::string_view entry) {
  uint16_t method = read16(entry, 10);
  size_t packedSize = read32(entry, 20), size = read32(entry, 24), local = read32(entry, 42);
  if (read16(entry, 8) & 1)
    return Error{"is encrypted"};
  if (size > mostBytes)
    return Error{"is larger than 1 GB"};
  if (local > file.size() || file.size() - local < localSize ||
      read32(file, local) != localSignature)
    return Error{"has no header where the directory says"};
  size_t start = local + localSize + read16(file, local + 26) + read16(file, local + 28);
  if (start > file.size() || file.size() - start < packedSize)
    return Error{"is cut off"};
  std::string_view packed = file.substr(start, packedSize);
  if (method == deflated)
    return inflateEntry(packed, size);
  if (method != stored || packedSize != size)
    return Error{"is compressed by method " + std::to_string(method) +
                 ", supported are stored (0) and deflated (8)"};
  return std::vector<uint8_t>(packed.begin(), packed.end());
}

Result<std::vector<NamedArray>> thimble::readNpz(const std::vector<uint8_t> &bytes) {
  std::string_view file(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  // The end record is last, but for a comment of up to 64 KB.
  constexpr size_t longestComment = 0xffff;
  size_t end = std::string_view::npos;
  for (size_t back = endSize; back <= file.size() && back <= endSize + longestComment; ++back)
    if (read32(file, file.size() - back) == endSignature) {
      end = file.size() - back;
      break;
    }
  if (end == std::string_view::npos)
    return Error{"not an .npz file"};
  size_t count = read16(file, end + 10), at = read32(file, end + 16);
  if (count > mostEntries)
    return Error{"has more than 4096 arrays"};

  std::vector<NamedArray> arrays;
  for (size_t i = 0; i < count; ++i) {
    if (at > file.size() || file.size() - at < centralSize || read32(file, at) != centralSignature)
      return Error{"the archive's directory is damaged"};
    std::string_view entry = file.substr(at);
    size_t nameSize = read16(entry, 28);
    size_t whole = centralSize + nameSize + read16(entry, 30) + read16(entry, 32);
    if (whole > entry.size())
      return Error{"the archive's directory is damaged"};
    std::string_view name = entry.substr(centralSize, nameSize);
    at += whole;
    constexpr std::string_view suffix = ".npy";
    if (name.size() < suffix.size() || name.substr(name.size() - suffix.size()) != suffix)
      return Error{"file " + quoteName(name) + " of the archive is not an .npy file"};
    name.remove_suffix(suffix.size());
    Result<std::vector<uint8_t>> contents = readEntry(file, entry);
    if (!contents)
      return Error{"array " + quoteName(name) + " " + contents.error()};
    if (crc32(0, contents->data(), static_cast<uInt>(contents->size())) != read32(entry, 16))
      return Error{"array " + quoteName(name) + " is damaged: its checksum is wrong"};
    Result<Tensor> array = readNpy(*contents);
    if (!array)
      return Error{"array " + quoteName(name) + ": " + array.error()};
    arrays.push_back({std::string(name), std::move(*array)});
  }
  return arrays;
}

namespace {
/// Builds little-endian records.
struct Record {
  std::string bytes;
  Record &put16(uint32_t value) {
    bytes += static_cast<char>(value & 0xff);
    bytes += static_cast<char>(value >> 8 & 0xff);
    return *this;
  }
  Record &put32(size_t value) {
    put16(static_cast<uint32_t>(value & 0xffff));
    return put16(static_cast<uint32_t>(value >> 16 & 0xffff));
  }
};
} // namespace

std::string thimble::writeNpz(const std::vector<NamedArray> &arrays) {
  // Version 2.0, no flags, stored, 1 January 1980: the earliest date that zip has.
  constexpr uint32_t version = 20, date = 0x21;
  Record file, directory;
  for (const NamedArray &entry : arrays) {
    std::string name = entry.name + ".npy", contents = writeNpy(entry.array);
    size_t offset = file.bytes.size();
    auto checksum = crc32(0, reinterpret_cast<const Bytef *>(contents.data()),
                          static_cast<uInt>(contents.size()));
    auto describe = [&](Record &record) {
      record.put16(version).put16(0).put16(stored).put16(0).put16(date);
      record.put32(checksum).put32(contents.size()).put32(contents.size());
      record.put16(static_cast<uint32_t>(name.size())).put16(0);
    };
    file.put32(localSignature);
    describe(file);
    file.bytes += name + contents;
    directory.put32(centralSignature).put16(version);
    describe(directory);
    directory.put16(0).put16(0).put16(0).put32(0).put32(offset);
    directory.bytes += name;
  }
  size_t start = file.bytes.size();
  auto count = static_cast<uint32_t>(arrays.size());
  file.bytes += directory.bytes;
  file.put32(endSignature).put16(0).put16(0).put16(count).put16(count);
  file.put32(directory.bytes.size()).put32(start).put16(0);
  return file.bytes;
}
