// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What NAME.report.json says, read from its text. The file may come from anywhere: numbers are
// checked here, texts stay untrusted.
#pragma once

#include "compiler/support/Result.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace thimble::report {

struct Layer {
  std::string name, op, kernel;
  int64_t macs = 0, cycles = 0, flashBytes = 0, ramBytes = 0;
};

/// A buffer, or a part that comes or goes by itself: `bytes` from `offset` on are its own in steps
/// [firstUse, lastUse].
struct Buffer {
  std::string name, lifetime; // the class is one of `lifetimes()`
  int64_t region = 0, offset = 0, bytes = 0, firstUse = 0, lastUse = 0;
};

struct Remark {
  std::string kind, name, category, layer, text;
};

/// What is live in the step in which most bytes are; -1 is before the first.
struct Peak {
  int64_t step = 0;
  std::vector<int64_t> bytes; // by class, as in `lifetimes()`
};

struct Report {
  std::string model, sha256, name, target;
  std::string compiler, version, optimize, reference;
  std::string backend, flags, note; // of the measurement
  bool isEstimate = false;
  int64_t arenaBytes = 0, arenaBound = 0, operatorBound = 0, planBound = 0;
  int64_t stackBytes = 0, codeBytes = 0, constantBytes = 0;
  Peak peak;
  std::vector<int64_t> steps; // the layer that each runs, or -1
  std::vector<Layer> layers;
  std::vector<Buffer> buffers;
  std::vector<Remark> remarks;

  /// Steps of the buffers' lives: at least one.
  int64_t stepCount() const { return std::max<int64_t>(static_cast<int64_t>(steps.size()), 1); }
};

/// The classes of buffers, in the order in which they are listed.
llvm::ArrayRef<llvm::StringRef> lifetimes();

/// The report that `json` is. The error is one line and holds nothing of the text.
Result<Report> parseReport(llvm::StringRef json);

} // namespace thimble::report
