// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// When a placement has to be there.
#pragma once

#include <chrono>

namespace thimble {

class Deadline {
public:
  /// Infinity is no deadline.
  explicit Deadline(double seconds) : seconds(seconds) {}

  bool isPast() const {
    return std::chrono::duration<double>(Clock::now() - start).count() >= seconds;
  }

private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  double seconds;
};

} // namespace thimble
