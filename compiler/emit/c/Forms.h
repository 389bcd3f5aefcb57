// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Forms of expressions, with the parentheses that C and its compilers' warnings want.
#pragma once

#include "compiler/emit/c/FunctionPrinter.h"

namespace thimble::emit {

inline unsigned bitsOf(mlir::Type type) {
  return type.isIndex() ? 32 : type.getIntOrFloatBitWidth();
}
inline bool isBool(mlir::Type type) { return type.isInteger(1); }

// `left op right` for an operator of precedence `p` whose operands must bind at least as `least`;
// of equal operators the left one goes first.
inline Expression binary(const Expression &left, const char *op, const Expression &right,
                         Precedence p, Precedence least, Precedence leastRight) {
  Expression e;
  e.left = left.at(least);
  e.op = op;
  e.right = right.at(leastRight);
  e.text = e.left + " " + op + " " + e.right;
  e.precedence = p;
  e.depend(left);
  e.depend(right);
  return e;
}
inline Expression additive(const Expression &a, const char *op, const Expression &b) {
  return binary(a, op, b, Precedence::Additive, Precedence::Additive, Precedence::Multiplicative);
}
inline Expression multiplicative(const Expression &a, const char *op, const Expression &b) {
  return binary(a, op, b, Precedence::Multiplicative, Precedence::Multiplicative,
                Precedence::Unary);
}
inline Expression tight(const Expression &a, const char *op, const Expression &b, Precedence p) {
  return binary(a, op, b, p, Precedence::Unary, Precedence::Unary);
}
inline Expression relation(const Expression &a, const char *op, const Expression &b) {
  return binary(a, op, b, Precedence::Relational, Precedence::Additive, Precedence::Additive);
}
inline Expression logical(const Expression &a, const char *op, const Expression &b, Precedence p) {
  return binary(a, op, b, p, Precedence::Equality, Precedence::Equality);
}

inline Expression castTo(const std::string &type, const Expression &operand) {
  Expression e;
  e.text = "(" + type + ")" +
           (operand.text.front() == '-' ? "(" + operand.text + ")" : operand.at(Precedence::Unary));
  e.precedence = Precedence::Unary;
  e.depend(operand);
  return e;
}

inline Expression negated(const Expression &operand, const char *op) {
  Expression e;
  e.text =
      op + (operand.text.front() == '-' ? "(" + operand.text + ")" : operand.at(Precedence::Unary));
  e.precedence = Precedence::Unary;
  e.depend(operand);
  return e;
}

// The signed type of `type`'s width around an expression of the unsigned type.
inline Expression backToSigned(const Expression &inner, mlir::Type type) {
  Expression e = castTo(scalarType(type), inner);
  e.unsignedText = inner.text;
  e.unsignedPrecedence = inner.precedence;
  return e;
}

inline Expression conditional(const Expression &c, const Expression &a, const Expression &b) {
  Expression e;
  e.text = c.at(Precedence::Or) + " ? " + a.at(Precedence::Or) + " : " + b.at(Precedence::Or);
  e.precedence = Precedence::Conditional;
  e.depend(c);
  e.depend(a);
  e.depend(b);
  return e;
}

// Operands of - and + read better without a sign in front of the right one.
inline Expression plain(Expression e) {
  if (e.text.front() == '-')
    e.text = "(" + e.text + ")", e.precedence = Precedence::Primary;
  return e;
}

} // namespace thimble::emit
