// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// C expressions as text that knows its precedence.
#pragma once

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace thimble::emit {

// Loosest first. Bitwise and shift operators are never mixed with others without parentheses,
// which is what compilers warn about and readers forget.
enum class Precedence {
  Conditional,
  Or,
  And,
  Bitwise,
  Equality,
  Relational,
  Shift,
  Additive,
  Multiplicative,
  Unary,
  Primary
};

/// A C expression without side effects, whose value after C's integer promotions is that of the
/// MLIR value it stands for.
struct Expression {
  std::string text;
  Precedence precedence = Precedence::Primary;

  /// Where the expression is a cast from the unsigned type of its width: what is cast.
  std::string unsignedText;
  Precedence unsignedPrecedence = Precedence::Primary;

  /// Assigned variables that it reads: it means something else after an assignment to one.
  std::vector<std::string> variables;
  /// It loads from memory that a store may change.
  bool readsMemory = false;
  /// It is an assigned variable and nothing else.
  bool isVariable = false;
  /// The value of an integer literal.
  std::optional<int64_t> literal;

  /// Where it is `left op right`: the parts, for compound assignment.
  std::string left, op, right;

  /// May be written twice, anywhere in its scope, without a thought.
  bool isFree() const { return isName && !readsMemory && variables.empty(); }
  bool isName = false; // a literal or an identifier

  /// Text as an operand that must bind at least as tightly as `least`.
  std::string at(Precedence least) const { return precedence < least ? "(" + text + ")" : text; }
  bool reads(llvm::StringRef variable) const {
    for (const std::string &name : variables)
      if (name == variable)
        return true;
    return false;
  }
  /// Adds what `other`, an operand, depends on.
  void depend(const Expression &other) {
    variables.insert(variables.end(), other.variables.begin(), other.variables.end());
    readsMemory |= other.readsMemory;
  }
};

} // namespace thimble::emit
