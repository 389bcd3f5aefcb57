// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>

namespace thimble::driver {

/// Tells a person at a terminal what is being waited for, once a second has passed; the line goes
/// when this goes.
class Progress {
public:
  ~Progress() { clear(); }

  void clear() {
    if (shown)
      llvm::errs() << "\r\x1b[K";
    shown = false;
  }

  void step(llvm::StringRef what) {
    using namespace std::chrono_literals;
    if (!llvm::errs().is_displayed() || std::chrono::steady_clock::now() - start < 1s)
      return;
    llvm::errs() << "\r\x1b[K" << what << " ...";
    shown = true;
  }

private:
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  bool shown = false;
};

} // namespace thimble::driver
