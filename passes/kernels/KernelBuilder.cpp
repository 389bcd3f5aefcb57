// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/KernelBuilder.h"

#include "dialects/m4/M4Ops.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/SymbolTable.h"

using namespace mlir;
using namespace thimble;

KernelBuilder::KernelBuilder(OpBuilder &builder, ModuleOp module, Location loc, std::string prefix,
                             std::string program)
    : builder(builder), module(module), location(loc), prefix(std::move(prefix)),
      program(std::move(program)) {}

Location KernelBuilder::named(StringRef name) const {
  if (name.empty())
    return location;
  return NameLoc::get(StringAttr::get(location.getContext(), name), location);
}

//===-- Numbers -----------------------------------------------------------------------------===//

std::optional<int64_t> Val::constant() const {
  APInt number;
  if (matchPattern(ir, m_ConstantInt(&number)))
    return number.getSExtValue();
  return std::nullopt;
}

static Val integer(KernelBuilder &b, Type type, int64_t value) {
  TypedAttr attr = b.ir().getIntegerAttr(type, value);
  return Val(b, arith::ConstantOp::create(b.ir(), b.loc(), attr));
}
Val KernelBuilder::index(int64_t value) { return integer(*this, builder.getIndexType(), value); }
Val KernelBuilder::i32(int64_t value) {
  return integer(*this, builder.getI32Type(), static_cast<int32_t>(value));
}
Val KernelBuilder::i64(int64_t value) { return integer(*this, builder.getI64Type(), value); }
Val KernelBuilder::boolean(bool value) { return integer(*this, builder.getI1Type(), value); }
Val KernelBuilder::f32(float value) {
  return Val(*this, arith::ConstantOp::create(builder, location, builder.getF32FloatAttr(value)));
}

Val thimble::constantLike(Val like, int64_t number) {
  if (like.isFloat())
    return like.getBuilder().f32(static_cast<float>(number));
  return integer(like.getBuilder(), like.type(), number);
}
Val thimble::constantLike(Val like, double number) {
  assert(like.isFloat() && "a float beside an integer");
  return like.getBuilder().f32(static_cast<float>(number));
}

template <typename Op> static Val convert(Val v, Type to) {
  KernelBuilder &b = v.getBuilder();
  return Val(b, b.ir().createOrFold<Op>(b.loc(), to, v.value()));
}

Val KernelBuilder::toIndex(Val v) {
  if (v.isIndex())
    return v;
  if (v.type().isInteger(1))
    v = toI32(v);
  return convert<arith::IndexCastOp>(v, builder.getIndexType());
}
Val KernelBuilder::toI32(Val v) {
  if (v.type().isInteger(32))
    return v;
  if (v.isIndex())
    return convert<arith::IndexCastOp>(v, builder.getI32Type());
  if (v.type().isInteger(1))
    return convert<arith::ExtUIOp>(v, builder.getI32Type());
  return convert<arith::TruncIOp>(v, builder.getI32Type());
}
Val KernelBuilder::toI64(Val v) {
  if (v.type().isInteger(64))
    return v;
  return convert<arith::ExtSIOp>(toI32(v), builder.getI64Type());
}
Val KernelBuilder::toFloat(Val v) {
  if (v.isFloat())
    return v;
  return convert<arith::SIToFPOp>(v.isIndex() ? toI32(v) : v, builder.getF32Type());
}
Val KernelBuilder::toI32Truncating(Val v) {
  return convert<arith::FPToSIOp>(v, builder.getI32Type());
}
Val KernelBuilder::bitcastToI32(Val v) {
  return convert<arith::BitcastOp>(v, builder.getI32Type());
}
Val KernelBuilder::bitcastToF32(Val v) {
  return convert<arith::BitcastOp>(v, builder.getF32Type());
}

// Brings an index and an i32 to one type.
static void unify(Val &a, Val &b) {
  if (a.isIndex() != b.isIndex()) {
    a = a.getBuilder().toIndex(a);
    b = b.getBuilder().toIndex(b);
  }
  assert(a.type() == b.type() && "operands of different types");
}

// Arithmetic that may be marked as never overflowing; floats have their own operation.
template <typename IntOp, typename FloatOp> static Val arithmetic(Val a, Val b) {
  unify(a, b);
  KernelBuilder &k = a.getBuilder();
  if (a.isFloat())
    return Val(k, k.ir().createOrFold<FloatOp>(k.loc(), a.value(), b.value()));
  auto flags = a.isIndex() || k.isNoOverflow() ? arith::IntegerOverflowFlags::nsw
                                               : arith::IntegerOverflowFlags::none;
  return Val(k, k.ir().createOrFold<IntOp>(k.loc(), a.value(), b.value(), flags));
}

template <typename Op> static Val integerOp(Val a, Val b) {
  unify(a, b);
  KernelBuilder &k = a.getBuilder();
  return Val(k, k.ir().createOrFold<Op>(k.loc(), a.value(), b.value()));
}

Val thimble::operator+(Val a, Val b) { return arithmetic<arith::AddIOp, arith::AddFOp>(a, b); }
Val thimble::operator-(Val a, Val b) { return arithmetic<arith::SubIOp, arith::SubFOp>(a, b); }
Val thimble::operator*(Val a, Val b) { return arithmetic<arith::MulIOp, arith::MulFOp>(a, b); }
Val thimble::operator/(Val a, Val b) {
  if (a.isFloat())
    return integerOp<arith::DivFOp>(a, b);
  return integerOp<arith::DivSIOp>(a, b);
}
Val thimble::operator%(Val a, Val b) { return integerOp<arith::RemSIOp>(a, b); }
Val thimble::operator-(Val a) {
  if (!a.isFloat())
    return 0 - a;
  KernelBuilder &k = a.getBuilder();
  return Val(k, k.ir().createOrFold<arith::NegFOp>(k.loc(), a.value()));
}
Val thimble::operator&(Val a, Val b) { return integerOp<arith::AndIOp>(a, b); }
Val thimble::operator|(Val a, Val b) { return integerOp<arith::OrIOp>(a, b); }
Val thimble::operator^(Val a, Val b) { return integerOp<arith::XOrIOp>(a, b); }
Val thimble::operator<<(Val a, Val b) { return integerOp<arith::ShLIOp>(a, b); }
Val thimble::operator>>(Val a, Val b) { return integerOp<arith::ShRSIOp>(a, b); }
Val KernelBuilder::shiftRightLogical(Val v, Val bits) { return integerOp<arith::ShRUIOp>(v, bits); }

static Val compare(Val a, Val b, arith::CmpIPredicate integers, arith::CmpFPredicate floats) {
  unify(a, b);
  KernelBuilder &k = a.getBuilder();
  if (a.isFloat())
    return Val(k, k.ir().createOrFold<arith::CmpFOp>(k.loc(), floats, a.value(), b.value()));
  return Val(k, k.ir().createOrFold<arith::CmpIOp>(k.loc(), integers, a.value(), b.value()));
}
using IntPredicate = arith::CmpIPredicate;
using FloatPredicate = arith::CmpFPredicate;
Val thimble::operator<(Val a, Val b) {
  return compare(a, b, IntPredicate::slt, FloatPredicate::OLT);
}
Val thimble::operator<=(Val a, Val b) {
  return compare(a, b, IntPredicate::sle, FloatPredicate::OLE);
}
Val thimble::operator>(Val a, Val b) {
  return compare(a, b, IntPredicate::sgt, FloatPredicate::OGT);
}
Val thimble::operator>=(Val a, Val b) {
  return compare(a, b, IntPredicate::sge, FloatPredicate::OGE);
}
Val thimble::operator==(Val a, Val b) {
  return compare(a, b, IntPredicate::eq, FloatPredicate::OEQ);
}
Val thimble::operator!=(Val a, Val b) {
  return compare(a, b, IntPredicate::ne, FloatPredicate::UNE);
}

Val KernelBuilder::select(Val condition, Val ifTrue, Val ifFalse) {
  unify(ifTrue, ifFalse);
  return Val(*this, builder.createOrFold<arith::SelectOp>(location, condition.value(),
                                                          ifTrue.value(), ifFalse.value()));
}
Val KernelBuilder::min(Val a, Val b) {
  return a.isFloat() ? select(b < a, b, a) : integerOp<arith::MinSIOp>(a, b);
}
Val KernelBuilder::max(Val a, Val b) {
  return a.isFloat() ? select(a < b, b, a) : integerOp<arith::MaxSIOp>(a, b);
}
Val KernelBuilder::clamp(Val v, ClampRange range) {
  return min(max(v, constantLike(v, int64_t(range.low))), constantLike(v, int64_t(range.high)));
}
Val KernelBuilder::clamp(Val v, FloatRange range) {
  return min(max(v, f32(range.low)), f32(range.high));
}
Val KernelBuilder::logicalNot(Val condition) { return condition ^ boolean(true); }

//===-- Memory ------------------------------------------------------------------------------===//

// Memrefs hold signless integers; `Buffer::element` says how they are read.
static Type storageType(OpBuilder &builder, ElementType element) {
  if (element == ElementType::Float32)
    return builder.getF32Type();
  return builder.getIntegerType(static_cast<unsigned>(byteSize(element) * 8));
}

Val KernelBuilder::load(Buffer buffer, Val index, StringRef name) {
  Value element =
      memref::LoadOp::create(builder, named(name), buffer.memref, toIndex(index).value());
  switch (buffer.element) {
  case ElementType::Bool:
  case ElementType::UInt8:
    return convert<arith::ExtUIOp>(Val(*this, element), builder.getI32Type());
  case ElementType::Int8:
  case ElementType::Int16:
    return convert<arith::ExtSIOp>(Val(*this, element), builder.getI32Type());
  default:
    return Val(*this, element);
  }
}

void KernelBuilder::store(Buffer buffer, Val index, Val value) {
  Type type = storageType(builder, buffer.element);
  if (value.isIndex())
    value = toI32(value);
  if (!value.isFloat()) {
    unsigned from = value.type().getIntOrFloatBitWidth(), to = type.getIntOrFloatBitWidth();
    if (from > to)
      value = convert<arith::TruncIOp>(value, type);
    else if (from == 1)
      value = convert<arith::ExtUIOp>(value, type);
    else if (from < to)
      value = convert<arith::ExtSIOp>(value, type);
  }
  memref::StoreOp::create(builder, location, value.value(), buffer.memref, toIndex(index).value());
}

Val KernelBuilder::loadWord(Buffer buffer, Val index, StringRef name) {
  return Val(*this, m4::LoadWordOp::create(builder, named(name), builder.getI32Type(),
                                           buffer.memref, toIndex(index).value()));
}
void KernelBuilder::storeWord(Buffer buffer, Val index, Val word) {
  m4::StoreWordOp::create(builder, location, word.value(), buffer.memref, toIndex(index).value());
}

Buffer KernelBuilder::tableOf(StringRef name, ElementType element, size_t count, const void *data) {
  Type storage = storageType(builder, element);
  int64_t size = static_cast<int64_t>(count);
  auto tensorType = RankedTensorType::get({size}, storage);
  auto value = DenseElementsAttr::getFromRawBuffer(
      tensorType, ArrayRef<char>(static_cast<const char *>(data), count * byteSize(element)));
  auto type = MemRefType::get({size}, storage);

  // A kernel that is built twice (one call a row) shares its tables.
  std::string symbol = prefix + "_" + name.str();
  for (unsigned n = 2;; ++n) {
    auto existing = module.lookupSymbol<memref::GlobalOp>(symbol);
    if (!existing) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(module.getBody());
      memref::GlobalOp::create(builder, location, symbol, builder.getStringAttr("private"), type,
                               value, /*constant=*/true,
                               builder.getI64IntegerAttr(element == ElementType::Int64 ? 8 : 4));
      break;
    }
    if (existing.getInitialValueAttr() == value)
      break;
    symbol = prefix + "_" + name.str() + "_" + std::to_string(n);
  }
  return {memref::GetGlobalOp::create(builder, location, type, symbol), element};
}

//===-- Control -----------------------------------------------------------------------------===//

Vals KernelBuilder::loop(StringRef name, Val lower, Val upper, int64_t step, ArrayRef<Val> initial,
                         function_ref<Vals(Val, ArrayRef<Val>)> body) {
  lower = toIndex(lower);
  upper = toIndex(upper);
  std::optional<int64_t> first = lower.constant(), end = upper.constant();
  if (first && end && *end <= *first)
    return Vals(initial);
  if (first && end && *end - *first <= step)
    return body(lower, initial);

  SmallVector<Value> values;
  for (Val v : initial)
    values.push_back(v.value());
  auto loopOp = scf::ForOp::create(builder, location, lower.value(), upper.value(),
                                   index(step).value(), values);
  Block *block = loopOp.getBody();
  block->getArgument(0).setLoc(named(name));
  // Without carried values the terminator is there already.
  if (!block->empty())
    block->getTerminator()->erase();
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(block);
  Vals carried;
  for (auto [argument, value] : llvm::zip(loopOp.getRegionIterArgs(), values)) {
    argument.setLoc(value.getLoc());
    carried.push_back(Val(*this, argument));
  }
  Vals next = body(Val(*this, loopOp.getInductionVar()), carried);
  SmallVector<Value> yielded;
  for (Val v : next)
    yielded.push_back(v.value());
  scf::YieldOp::create(builder, location, yielded);
  Vals results;
  for (Value result : loopOp.getResults())
    results.push_back(Val(*this, result));
  return results;
}

void KernelBuilder::loop(StringRef name, Val lower, Val upper, int64_t step,
                         function_ref<void(Val)> body) {
  loop(name, lower, upper, step, {}, [&](Val i, ArrayRef<Val>) {
    body(i);
    return Vals();
  });
}

Val KernelBuilder::accumulate(StringRef name, Val lower, Val upper, int64_t step, Val initial,
                              function_ref<Val(Val, Val)> body) {
  return loop(name, lower, upper, step, {initial},
              [&](Val i, ArrayRef<Val> carried) { return Vals{body(i, carried.front())}; })[0];
}

Vals KernelBuilder::choose(Val condition, function_ref<Vals()> then,
                           function_ref<Vals()> otherwise) {
  if (std::optional<int64_t> known = condition.constant())
    return *known ? then() : otherwise();
  // The types of the results are known only when a branch has been built.
  Block thenBlock, elseBlock;
  auto build = [&](Block &block, function_ref<Vals()> body) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(&block);
    SmallVector<Value> yielded;
    for (Val v : body())
      yielded.push_back(v.value());
    scf::YieldOp::create(builder, location, yielded);
    return TypeRange(ValueRange(block.getTerminator()->getOperands())).size();
  };
  build(thenBlock, then);
  build(elseBlock, otherwise);
  auto types = llvm::to_vector(thenBlock.getTerminator()->getOperandTypes());
  auto ifOp = scf::IfOp::create(builder, location, types, condition.value(),
                                /*addThenBlock=*/true, /*addElseBlock=*/true);
  auto move = [](Block &from, Block *to) {
    to->clear();
    to->getOperations().splice(to->end(), from.getOperations());
  };
  move(thenBlock, ifOp.thenBlock());
  move(elseBlock, ifOp.elseBlock());
  Vals results;
  for (Value result : ifOp.getResults())
    results.push_back(Val(*this, result));
  return results;
}

void KernelBuilder::whenElse(Val condition, function_ref<void()> then,
                             function_ref<void()> otherwise) {
  choose(
      condition,
      [&] {
        then();
        return Vals();
      },
      [&] {
        otherwise();
        return Vals();
      });
}

void KernelBuilder::when(Val condition, function_ref<void()> then) {
  if (std::optional<int64_t> known = condition.constant()) {
    if (*known)
      then();
    return;
  }
  auto ifOp = scf::IfOp::create(builder, location, condition.value(), /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPoint(ifOp.thenBlock()->getTerminator());
  then();
}

//===-- Calls -------------------------------------------------------------------------------===//

Val KernelBuilder::call(StringRef function, ArrayRef<Val> arguments, Val like) {
  SmallVector<Value> operands;
  for (Val v : arguments)
    operands.push_back(v.value());
  if (!module.lookupSymbol(function)) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(module.getBody());
    auto type = builder.getFunctionType(ValueRange(operands).getTypes(), like.type());
    func::FuncOp::create(builder, builder.getUnknownLoc(), function, type).setPrivate();
  }
  return Val(*this,
             func::CallOp::create(builder, location, function, like.type(), operands).getResult(0));
}

Val KernelBuilder::requantize(Val accumulator, QuantizedMultiplier m, Rounding rounding) {
  return requantize(accumulator, i32(m.multiplier), i32(m.shift), rounding);
}

Val KernelBuilder::requantize(Val accumulator, Val multiplier, Val shift, Rounding rounding) {
  assert(rounding == Rounding::Double && "scales that are rounded once are no multipliers");
  (void)rounding;
  StringRef function =
      accumulator.type().isInteger(64) ? "thimble_requantize_i64" : "thimble_requantize_double";
  return call(function, {accumulator, multiplier, shift}, i32(0));
}
