// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What passes say about their decisions, kept for the report.
#pragma once

#include "mlir/IR/MLIRContext.h"

#include <memory>
#include <string>
#include <vector>

namespace thimble {

/// One remark of a pass.
struct RemarkEntry {
  std::string kind;     // passed, missed, failure or analysis
  std::string name;     // of the decision, "Kernel"
  std::string category; // "kernel", "memory"
  std::string layer;    // where, as the model has it: untrusted; empty for the whole model
  std::string text;
};

/// Collects the remarks that are emitted in a context while it lives. A context that has a remark
/// engine already keeps it, and nothing is collected.
class RemarkCollector {
public:
  explicit RemarkCollector(mlir::MLIRContext &context);
  ~RemarkCollector();
  RemarkCollector(const RemarkCollector &) = delete;
  RemarkCollector &operator=(const RemarkCollector &) = delete;

  const std::vector<RemarkEntry> &remarks() const { return collected; }
  void clear() { collected.clear(); }

private:
  mlir::MLIRContext &context;
  std::vector<RemarkEntry> collected;
  bool installed = false;
};

} // namespace thimble
