// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Errors as a person reads them.
#pragma once

#include "mlir/IR/Diagnostics.h"

#include <string>
#include <vector>

namespace thimble {

/// Collects the errors and warnings that are emitted in a context while it lives.
class DiagnosticCollector {
public:
  explicit DiagnosticCollector(mlir::MLIRContext *context);

  /// One line each: where (the layer's name, quoted) and what.
  const std::vector<std::string> &errors() const { return collected; }
  void add(std::string error) { collected.push_back(std::move(error)); }

private:
  std::vector<std::string> collected;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace thimble
