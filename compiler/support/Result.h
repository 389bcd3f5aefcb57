// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// A value or the message why there is none. For plain C++ code that does not
// include LLVM; errors are for people, so a message is all they carry.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>

namespace thimble {

/// One line, lower case: what is wrong, where, which values are legal.
struct Error {
  std::string message;
};

template <typename T> class [[nodiscard]] Result {
public:
  Result(T value) : value_(std::move(value)) {}
  Result(Error error) : message(std::move(error.message)) {}

  explicit operator bool() const { return value_.has_value(); }
  T &operator*() { return *value_; }
  const T &operator*() const { return *value_; }
  T *operator->() { return &*value_; }
  const T *operator->() const { return &*value_; }
  /// The message; only when there is no value.
  const std::string &error() const {
    assert(!value_ && "error() of a result that has a value");
    return message;
  }

private:
  std::optional<T> value_;
  std::string message;
};

} // namespace thimble
