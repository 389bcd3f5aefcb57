// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Diagnostics.h"

#include "compiler/support/Quote.h"

#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace thimble;

// "layer "conv1": stride must be positive" from an error on an operation called conv1.
static std::string describe(Diagnostic &diagnostic) {
  std::string message = diagnostic.str();
  // "'nn.conv_2d' op " says nothing to a user of a model.
  StringRef text = message;
  if (text.starts_with("'")) {
    size_t end = text.find("' op ");
    if (end != StringRef::npos)
      text = text.drop_front(end + 5);
  }
  if (auto name = dyn_cast<NameLoc>(diagnostic.getLocation()); name && !name.getName().empty())
    return "layer " + quoteName(std::string_view(name.getName().data(), name.getName().size())) +
           ": " + text.str();
  return text.str();
}

DiagnosticCollector::DiagnosticCollector(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
          collected.push_back(describe(diagnostic));
        return success();
      }) {
  // A note with the operation would number all values of the function, for every error.
  context->printOpOnDiagnostic(false);
}
