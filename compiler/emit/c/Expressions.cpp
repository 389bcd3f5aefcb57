// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The C expression of each operation with a value. Signed arithmetic that may wrap goes through
// the unsigned type; arithmetic on index never wraps, since no buffer has 2^31 elements.
#include "compiler/emit/c/Forms.h"
#include "compiler/emit/c/FunctionPrinter.h"
#include "compiler/emit/c/Literals.h"

#include "dialects/m4/M4Ops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace thimble::emit {

static Expression literalOf(Attribute attribute, Type type) {
  Expression e;
  e.isName = true;
  if (auto number = dyn_cast<FloatAttr>(attribute)) {
    const llvm::APFloat value = number.getValue();
    e.text = floatLiteral(value);
    if (!value.isFinite()) // math.h is for tables only
      e.text = std::string(value.isNegative() ? "-" : "") +
               (value.isNaN() ? "thimble_nan()" : "thimble_infinity()");
  } else {
    const llvm::APInt value = cast<IntegerAttr>(attribute).getValue();
    e.literal = value.getSExtValue();
    if (isBool(type))
      e.text = *e.literal ? "true" : "false";
    else
      e.text = signedLiteral(type.isIndex() ? value.sextOrTrunc(32) : value);
  }
  if (e.text.front() == '-')
    e.precedence = Precedence::Unary;
  return e;
}

static bool hasNoSignedWrap(Operation *op) {
  if (op->getResult(0).getType().isIndex())
    return true;
  auto flags = dyn_cast<arith::ArithIntegerOverflowFlagsInterface>(op);
  return flags && flags.hasNoSignedWrap();
}

Expression FunctionPrinter::unsignedOperand(Value value) {
  const Expression operand = use(value);
  const unsigned bits = bitsOf(value.getType());
  Expression e;
  e.depend(operand);
  if (operand.literal && *operand.literal >= 0) {
    e.text = bits == 64 ? "UINT64_C(" + std::to_string(*operand.literal) + ")"
                        : std::to_string(*operand.literal) + "u";
    return e;
  }
  if (!operand.unsignedText.empty()) {
    e.text = operand.unsignedText;
    e.precedence = operand.unsignedPrecedence;
    return e;
  }
  return castTo("uint" + std::to_string(bits) + "_t", operand);
}

Expression FunctionPrinter::call(StringRef callee, ArrayRef<Expression> arguments) {
  Expression e;
  e.text = callee.str() + "(";
  for (const Expression &argument : arguments) {
    e.text += (&argument == arguments.begin() ? "" : ", ") + argument.text;
    e.depend(argument);
  }
  e.text += ")";
  return e;
}

// The function of the runtime that `op` becomes, with all operands of `op`.
Expression FunctionPrinter::callRuntime(StringRef callee, Operation *op) {
  std::vector<Expression> arguments;
  bool reads = false;
  for (OpOperand &operand : op->getOpOperands()) {
    arguments.push_back(takesUnsigned(operand) ? unsignedOperand(operand.get())
                                               : use(operand.get()));
    reads |= isa<MemRefType>(operand.get().getType()) &&
             !operand.get().getDefiningOp<memref::GetGlobalOp>();
  }
  Expression e = call(callee, arguments);
  e.readsMemory |= reads;
  return givesUnsigned(op) ? backToSigned(e, op->getResult(0).getType()) : e;
}

Expression FunctionPrinter::element(Value buffer, Value index) {
  const Expression base = use(buffer), at = use(index);
  Expression e;
  e.text = base.text + "[" + at.text + "]";
  e.depend(at);
  return e;
}

std::optional<Expression> FunctionPrinter::integerArithmetic(Operation *op) {
  if (op->getNumOperands() != 2 || !op->getOperand(0).getType().isIntOrIndex() ||
      op->getOperand(0).getType() != op->getResult(0).getType())
    return std::nullopt;
  Value lhs = op->getOperand(0), rhs = op->getOperand(1);
  Type type = op->getResult(0).getType();
  const unsigned bits = bitsOf(type);

  if (isBool(type)) {
    const Expression a = use(lhs), b = use(rhs);
    if (isa<arith::AndIOp>(op))
      return logical(a, "&&", b, Precedence::And);
    if (isa<arith::OrIOp>(op))
      return logical(a, "||", b, Precedence::Or);
    if (!isa<arith::XOrIOp>(op))
      return std::nullopt;
    if (b.literal)
      return *b.literal ? negated(a, "!") : a;
    return binary(a, "!=", b, Precedence::Equality, Precedence::Additive, Precedence::Additive);
  }

  // Narrow types are computed in int, which cannot overflow, and cut back.
  auto fit = [&](Expression e) { return bits < 32 ? castTo(scalarType(type), e) : e; };
  auto wrapping = [&](auto form, const char *symbol) {
    // x + -5 is x - 5.
    std::optional<int64_t> right = values.lookup(rhs).literal;
    const bool flip =
        right && *right < 0 && *right > INT32_MIN && (symbol[0] == '+' || symbol[0] == '-');
    const char *name = !flip ? symbol : symbol[0] == '+' ? "-" : "+";
    const bool isSigned = bits < 32 || hasNoSignedWrap(op);
    const Expression a = isSigned ? use(lhs) : unsignedOperand(lhs);
    Expression b = isSigned || flip ? use(rhs) : unsignedOperand(rhs);
    if (flip) {
      b = {};
      b.text = isSigned     ? signedLiteral(llvm::APInt(bits, -*right, /*isSigned=*/true))
               : bits == 64 ? "UINT64_C(" + std::to_string(-*right) + ")"
                            : std::to_string(-*right) + "u";
    }
    return isSigned ? fit(form(plain(a), name, plain(b))) : backToSigned(form(a, name, b), type);
  };
  auto asUnsigned = [&](auto form, const char *symbol) {
    const Expression a = unsignedOperand(lhs), b = unsignedOperand(rhs);
    return backToSigned(form(a, symbol, b), type);
  };
  auto bitwise = [&](const char *symbol) {
    const Expression a = use(lhs);
    Expression b = use(rhs);
    if (b.literal && *b.literal > 9 && bits < 64)
      b.text = "0x" + llvm::utohexstr(static_cast<uint64_t>(*b.literal), /*LowerCase=*/false);
    return fit(tight(a, symbol, b, Precedence::Bitwise));
  };
  auto shift = [](const Expression &a, const char *symbol, const Expression &b) {
    return tight(a, symbol, b, Precedence::Shift);
  };
  auto extreme = [&](const char *function, const char *symbol, bool isUnsigned) -> Expression {
    if (bits == 32 && !isUnsigned)
      return call(function, {use(lhs), use(rhs)});
    const Expression a = useFree(lhs), b = useFree(rhs);
    const std::string cType = "uint" + std::to_string(bits) + "_t";
    const Expression order =
        isUnsigned ? relation(castTo(cType, a), symbol, castTo(cType, b)) : relation(a, symbol, b);
    return conditional(order, a, b);
  };

  return llvm::TypeSwitch<Operation *, std::optional<Expression>>(op)
      .Case([&](arith::AddIOp) { return wrapping(additive, "+"); })
      .Case([&](arith::SubIOp) { return wrapping(additive, "-"); })
      .Case([&](arith::MulIOp) { return wrapping(multiplicative, "*"); })
      .Case([&](arith::DivSIOp) { return fit(multiplicative(use(lhs), "/", use(rhs))); })
      .Case([&](arith::RemSIOp) { return fit(multiplicative(use(lhs), "%", use(rhs))); })
      .Case([&](arith::DivUIOp) { return asUnsigned(multiplicative, "/"); })
      .Case([&](arith::RemUIOp) { return asUnsigned(multiplicative, "%"); })
      .Case([&](arith::AndIOp) { return bitwise("&"); })
      .Case([&](arith::OrIOp) { return bitwise("|"); })
      .Case([&](arith::XOrIOp) { return bitwise("^"); })
      .Case([&](arith::ShLIOp) {
        const Expression a = unsignedOperand(lhs), b = use(rhs);
        return backToSigned(shift(a, "<<", b), type);
      })
      .Case([&](arith::ShRUIOp) {
        const Expression a = unsignedOperand(lhs), b = use(rhs);
        return backToSigned(shift(a, ">>", b), type);
      })
      .Case([&](arith::ShRSIOp) { return fit(shift(use(lhs), ">>", use(rhs))); })
      .Case([&](arith::MinSIOp) { return extreme("thimble_min_i32", "<", false); })
      .Case([&](arith::MaxSIOp) { return extreme("thimble_max_i32", ">", false); })
      .Case([&](arith::MinUIOp) { return extreme("", "<", true); })
      .Case([&](arith::MaxUIOp) { return extreme("", ">", true); })
      .Default([](Operation *) { return std::nullopt; });
}

std::optional<Expression> FunctionPrinter::floatArithmetic(Operation *op) {
  if (isa<arith::NegFOp>(op))
    return negated(use(op->getOperand(0)), "-");
  if (op->getNumOperands() != 2)
    return std::nullopt;
  auto operand = [&](unsigned i) { return plain(use(op->getOperand(i))); };
  if (isa<arith::AddFOp>(op))
    return additive(operand(0), "+", operand(1));
  if (isa<arith::SubFOp>(op))
    return additive(operand(0), "-", operand(1));
  if (isa<arith::MulFOp>(op))
    return multiplicative(operand(0), "*", operand(1));
  if (isa<arith::DivFOp>(op))
    return multiplicative(operand(0), "/", operand(1));
  return std::nullopt;
}

std::optional<Expression> FunctionPrinter::memory(Operation *op) {
  if (auto global = dyn_cast<memref::GetGlobalOp>(op)) {
    Expression e;
    e.text = global.getName().str();
    e.isName = true;
    return e;
  }
  if (auto view = dyn_cast<memref::ViewOp>(op)) {
    const Expression base = use(view.getSource()), start = use(view.getByteShift());
    Expression e;
    const std::string type = scalarType(view.getType().getElementType());
    const std::string address =
        start.text == "0" ? base.text : base.text + " + " + start.at(Precedence::Multiplicative);
    e.text = type == "int8_t" ? address : "(" + type + " *)(void *)(" + address + ")";
    e.precedence = type == "int8_t" ? Precedence::Additive : Precedence::Unary;
    e.depend(start);
    return e;
  }
  auto isConstant = [](Value buffer) { return buffer.getDefiningOp<memref::GetGlobalOp>(); };
  if (auto load = dyn_cast<memref::LoadOp>(op)) {
    if (load.getIndices().size() != 1)
      return std::nullopt;
    Expression e = element(load.getMemRef(), load.getIndices()[0]);
    e.readsMemory |= !isConstant(load.getMemRef());
    return e;
  }
  if (auto load = dyn_cast<m4::LoadWordOp>(op)) {
    Expression place = element(load.getBuffer(), load.getIndex());
    place.readsMemory |= !isConstant(load.getBuffer());
    place.text = "&" + place.text;
    return backToSigned(call("thimble_load_u32", {place}), op->getResult(0).getType());
  }
  return std::nullopt;
}

std::optional<Expression> FunctionPrinter::expression(Operation *op) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (!isa<FloatAttr, IntegerAttr>(constant.getValue()))
      return std::nullopt;
    return literalOf(constant.getValue(), constant.getType());
  }
  if (auto select = dyn_cast<arith::SelectOp>(op)) {
    const Expression c = use(select.getCondition()), a = use(select.getTrueValue()),
                     b = use(select.getFalseValue());
    return conditional(c, a, b);
  }
  if (auto called = dyn_cast<func::CallOp>(op))
    return callRuntime(called.getCallee(), op);
  if (auto saturate = dyn_cast<m4::SsatOp>(op)) {
    Expression bits;
    bits.text = std::to_string(saturate.getBits());
    return call("thimble_ssat", {use(saturate.getValue()), bits});
  }
  if (StringRef function = m4::runtimeFunction(op); !function.empty())
    return callRuntime(function, op);
  for (auto form :
       {&FunctionPrinter::memory, &FunctionPrinter::comparison, &FunctionPrinter::conversion,
        &FunctionPrinter::floatArithmetic, &FunctionPrinter::integerArithmetic})
    if (std::optional<Expression> e = (this->*form)(op))
      return e;
  return std::nullopt;
}

} // namespace thimble::emit
