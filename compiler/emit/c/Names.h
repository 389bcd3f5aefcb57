// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Identifiers and comments from names that the model's author chose.
#pragma once

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringSet.h"

#include <string>
#include <vector>

namespace thimble::emit {

/// `name` as it may stand, between quotes, in a C comment: printable ASCII that neither ends the
/// comment nor splices lines, at most 80 characters.
std::string escapeForComment(llvm::StringRef name);

/// The name that `loc` hints at for a variable, or an empty string.
llvm::StringRef nameHint(mlir::Location loc);

/// The prefix of a model's macros: `name` in upper case.
std::string macroPrefix(llvm::StringRef name);

/// Names of local variables: unique among those visible, so that none shadows another.
class Scopes {
public:
  /// Names of the file that no local variable may have.
  void reserve(llvm::StringRef name) { reserved.insert(name); }
  /// Forgets all local variables.
  void clear() { scopes.clear(), unnamed = 0; }
  void push() { scopes.emplace_back(); }
  void pop() { scopes.pop_back(); }
  /// A free identifier like `hint`, or like v0 where `hint` is empty; taken from now on.
  std::string declare(llvm::StringRef hint);

private:
  bool taken(llvm::StringRef name) const;

  llvm::StringSet<> reserved;
  std::vector<llvm::StringSet<>> scopes;
  unsigned unnamed = 0;
};

} // namespace thimble::emit
