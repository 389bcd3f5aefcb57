// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Conversions and comparisons.
#include "compiler/emit/c/Forms.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace thimble::emit {

std::optional<Expression> FunctionPrinter::conversion(Operation *op) {
  if (op->getNumOperands() != 1)
    return std::nullopt;
  Value source = op->getOperand(0);
  Type from = source.getType(), to = op->getResult(0).getType();
  auto toUnsigned = [&] {
    return isBool(from) ? use(source)
                        : castTo("uint" + std::to_string(bitsOf(from)) + "_t", use(source));
  };
  auto oneOrZero = [&](const char *one) {
    Expression yes, no;
    yes.text = one, no.text = "0";
    return conditional(use(source), yes, no);
  };
  if (isa<arith::ExtSIOp>(op)) {
    if (isBool(from))
      return oneOrZero("-1");
    // C promotes what is narrower than int.
    Expression e = use(source);
    if (bitsOf(to) == 64)
      return castTo("int64_t", e);
    e.unsignedText.clear();
    e.left = e.op = e.right = "";
    return e;
  }
  if (isa<arith::ExtUIOp>(op)) {
    if (isBool(from))
      return bitsOf(to) == 64 ? castTo("int64_t", use(source)) : oneOrZero("1");
    return bitsOf(to) == 64 ? castTo("int64_t", toUnsigned()) : toUnsigned();
  }
  if (isa<arith::TruncIOp>(op)) {
    if (!isBool(to))
      return castTo(scalarType(to), use(source));
    Expression one, zero;
    one.text = "1", zero.text = "0";
    return binary(tight(use(source), "&", one, Precedence::Bitwise), "!=", zero,
                  Precedence::Equality, Precedence::Unary, Precedence::Unary);
  }
  if (isa<arith::IndexCastOp>(op)) {
    if (bitsOf(from) == bitsOf(to))
      return use(source);
    return bitsOf(from) < 32 ? use(source) : castTo(scalarType(to), use(source));
  }
  if (isa<arith::IndexCastUIOp>(op)) {
    if (bitsOf(from) == bitsOf(to))
      return use(source);
    return castTo(scalarType(to), bitsOf(from) < bitsOf(to) ? toUnsigned() : use(source));
  }
  if (isa<arith::SIToFPOp>(op) && !isBool(from))
    return castTo(scalarType(to), use(source));
  if (isa<arith::UIToFPOp>(op))
    return castTo(scalarType(to), toUnsigned());
  if (isa<arith::FPToSIOp, arith::ExtFOp, arith::TruncFOp>(op))
    return castTo(scalarType(to), use(source));
  if (isa<arith::FPToUIOp>(op))
    return castTo(scalarType(to), castTo("uint" + std::to_string(bitsOf(to)) + "_t", use(source)));
  if (isa<arith::BitcastOp>(op)) {
    if (from.isInteger(32) && to.isF32())
      return call("thimble_bits_float", {unsignedOperand(source)});
    if (from.isF32() && to.isInteger(32))
      return backToSigned(call("thimble_float_bits", {use(source)}), to);
  }
  return std::nullopt;
}

// C's operator for a float comparison, whether its result is to be negated, and whether it needs
// two comparisons of the same operands.
static std::optional<Expression> floatComparison(arith::CmpFPredicate predicate,
                                                 const Expression &a, const Expression &b) {
  using P = arith::CmpFPredicate;
  auto equality = [&](const Expression &x, const char *op, const Expression &y) {
    return binary(x, op, y, Precedence::Equality, Precedence::Additive, Precedence::Additive);
  };
  auto either = [](const Expression &x, const Expression &y) {
    return logical(x, "||", y, Precedence::Or);
  };
  auto both = [](const Expression &x, const Expression &y) {
    return logical(x, "&&", y, Precedence::And);
  };
  auto unless = [](const Expression &x) { return negated(x, "!"); };
  Expression constant;
  switch (predicate) {
  case P::OEQ:
    return equality(a, "==", b);
  case P::OGT:
    return relation(a, ">", b);
  case P::OGE:
    return relation(a, ">=", b);
  case P::OLT:
    return relation(a, "<", b);
  case P::OLE:
    return relation(a, "<=", b);
  case P::ONE:
    return either(relation(a, "<", b), relation(a, ">", b));
  case P::ORD:
    return both(equality(a, "==", a), equality(b, "==", b));
  case P::UEQ:
    return unless(either(relation(a, "<", b), relation(a, ">", b)));
  case P::UGT:
    return unless(relation(a, "<=", b));
  case P::UGE:
    return unless(relation(a, "<", b));
  case P::ULT:
    return unless(relation(a, ">=", b));
  case P::ULE:
    return unless(relation(a, ">", b));
  case P::UNE:
    return equality(a, "!=", b);
  case P::UNO:
    return either(equality(a, "!=", a), equality(b, "!=", b));
  case P::AlwaysFalse:
  case P::AlwaysTrue:
    constant.text = predicate == P::AlwaysTrue ? "true" : "false";
    constant.isName = true;
    return constant;
  }
  return std::nullopt;
}

std::optional<Expression> FunctionPrinter::comparison(Operation *op) {
  if (auto compare = dyn_cast<arith::CmpFOp>(op)) {
    using P = arith::CmpFPredicate;
    const P p = compare.getPredicate();
    const bool twice = p == P::ONE || p == P::UEQ || p == P::ORD || p == P::UNO;
    const Expression a = twice ? useFree(compare.getLhs()) : use(compare.getLhs());
    const Expression b = twice ? useFree(compare.getRhs()) : use(compare.getRhs());
    return floatComparison(p, a, b);
  }
  auto compare = dyn_cast<arith::CmpIOp>(op);
  if (!compare)
    return std::nullopt;
  using P = arith::CmpIPredicate;
  const P p = compare.getPredicate();
  if (p == P::eq || p == P::ne) {
    const Expression a = use(compare.getLhs()), b = use(compare.getRhs());
    return binary(a, p == P::eq ? "==" : "!=", b, Precedence::Equality, Precedence::Additive,
                  Precedence::Additive);
  }
  if (isBool(compare.getLhs().getType()))
    return std::nullopt;
  const char *symbol = p == P::slt || p == P::ult   ? "<"
                       : p == P::sle || p == P::ule ? "<="
                       : p == P::sgt || p == P::ugt ? ">"
                                                    : ">=";
  const bool isSigned = p == P::slt || p == P::sle || p == P::sgt || p == P::sge;
  const Expression a = isSigned ? use(compare.getLhs()) : unsignedOperand(compare.getLhs());
  const Expression b = isSigned ? use(compare.getRhs()) : unsignedOperand(compare.getRhs());
  return relation(a, symbol, b);
}

} // namespace thimble::emit
