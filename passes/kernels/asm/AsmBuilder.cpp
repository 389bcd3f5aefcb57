// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/AsmBuilder.h"

using namespace mlir;
using namespace thimble;
using m4::Timing;

AsmBuilder::AsmBuilder(OpBuilder &builder) : builder(&builder) {}

// Costs of what is built: one pairing model for counting and for building.
void AsmBuilder::count(Timing timing, Reg, bool table) { counter.add(timing, false, table); }

//===-- Arithmetic --------------------------------------------------------------------------===//

static Location nowhere(OpBuilder &builder) { return builder.getUnknownLoc(); }

template <typename Op, typename... Args> Reg AsmBuilder::pure(Args... args) {
  count({});
  if (!builder)
    return {};
  return {Op::create(*builder, nowhere(*builder), m4::GprType::get(builder->getContext()), args...)
              ->getResult(0)};
}

template <typename Op> Reg AsmBuilder::withShift(ArrayRef<Reg> operands, const Shifted &last) {
  count({});
  if (!builder)
    return {};
  SmallVector<Value> values;
  for (Reg r : operands)
    values.push_back(r.value);
  values.push_back(last.reg.value);
  SmallVector<NamedAttribute> attributes;
  if (last.kind) {
    attributes.push_back(builder->getNamedAttr("shift", text(last.kind)));
    attributes.push_back(builder->getNamedAttr("amount", number(last.amount)));
  }
  return {Op::create(*builder, nowhere(*builder),
                     TypeRange{m4::GprType::get(builder->getContext())}, values, attributes)
              ->getResult(0)};
}
template <typename Op> Reg AsmBuilder::shiftable(Reg a, Shifted b) { return withShift<Op>({a}, b); }

Reg AsmBuilder::constant(int64_t value) {
  auto bits = static_cast<uint32_t>(value);
  count({m4::isModifiedImmediate(bits) ? Timing::Alu : Timing::Wide});
  if (!builder)
    return {};
  return {m4::ConstantOp::create(*builder, nowhere(*builder),
                                 m4::GprType::get(builder->getContext()),
                                 number(static_cast<int32_t>(bits)))};
}

Reg AsmBuilder::copy(Reg a) { return pure<m4::CopyOp>(a.value); }
Reg AsmBuilder::add(Reg a, Shifted b) { return shiftable<m4::AddOp>(a, b); }
Reg AsmBuilder::sub(Reg a, Shifted b) { return shiftable<m4::SubOp>(a, b); }
Reg AsmBuilder::rsb(Reg a, Shifted b) { return shiftable<m4::RsbOp>(a, b); }
Reg AsmBuilder::bitAnd(Reg a, Shifted b) { return shiftable<m4::AndOp>(a, b); }
Reg AsmBuilder::bitOr(Reg a, Shifted b) { return shiftable<m4::OrrOp>(a, b); }
Reg AsmBuilder::bitXor(Reg a, Shifted b) { return shiftable<m4::EorOp>(a, b); }
Reg AsmBuilder::packBottom(Reg a, Shifted b) { return shiftable<m4::PackBottomOp>(a, b); }
Reg AsmBuilder::packTop(Reg a, Shifted b) { return shiftable<m4::PackTopOp>(a, b); }
Reg AsmBuilder::sxtab16(Reg a, Shifted b) { return shiftable<m4::Sxtab16Op>(a, b); }

Reg AsmBuilder::add(Reg a, int64_t value) {
  if (value == 0)
    return a;
  const int64_t magnitude = value < 0 ? -value : value;
  // ADDW and SUBW take 12 bits; a larger number that is no modified immediate takes two steps.
  if (magnitude > 4095 && !m4::isShiftedByte(static_cast<uint32_t>(magnitude))) {
    const int64_t high = magnitude & ~int64_t(0xfff), low = magnitude & 0xfff;
    if (high > 0xff000)
      return add(a, Shifted(constant(value)));
    Reg part =
        pure<m4::AddImmOp>(a.value, builder ? number(value < 0 ? -high : high) : IntegerAttr());
    return low ? add(part, value < 0 ? -low : low) : part;
  }
  return pure<m4::AddImmOp>(a.value, builder ? number(value) : IntegerAttr());
}
Reg AsmBuilder::rsb(Reg a, int64_t value) {
  return pure<m4::RsbImmOp>(a.value, builder ? number(value) : IntegerAttr());
}
Reg AsmBuilder::bitAnd(Reg a, int64_t value) {
  return pure<m4::AndImmOp>(a.value, builder ? number(value) : IntegerAttr());
}
Reg AsmBuilder::bitXor(Reg a, int64_t value) {
  return pure<m4::EorImmOp>(a.value, builder ? number(value) : IntegerAttr());
}
Reg AsmBuilder::shiftLeft(Reg a, int64_t bits) {
  return bits == 0 ? a : pure<m4::LslOp>(a.value, builder ? number(bits) : IntegerAttr());
}
Reg AsmBuilder::shiftRight(Reg a, int64_t bits) {
  return bits == 0 ? a : pure<m4::AsrOp>(a.value, builder ? number(bits) : IntegerAttr());
}
Reg AsmBuilder::shiftRightLogical(Reg a, int64_t bits) {
  return bits == 0 ? a : pure<m4::LsrOp>(a.value, builder ? number(bits) : IntegerAttr());
}
Reg AsmBuilder::shiftLeftBy(Reg a, Reg bits) { return pure<m4::LslByOp>(a.value, bits.value); }
Reg AsmBuilder::shiftRightBy(Reg a, Reg bits) { return pure<m4::AsrByOp>(a.value, bits.value); }

#define THIMBLE_TWO(method, Op)                                                                    \
  Reg AsmBuilder::method(Reg a, Reg b) { return pure<m4::Op>(a.value, b.value); }
#define THIMBLE_THREE(method, Op)                                                                  \
  Reg AsmBuilder::method(Reg a, Reg b, Reg acc) {                                                  \
    return pure<m4::Op>(a.value, b.value, acc.value);                                              \
  }
THIMBLE_TWO(mul, MulOp)
THIMBLE_TWO(smulbb, SmulbbOp)
THIMBLE_TWO(smulbt, SmulbtOp)
THIMBLE_TWO(smultb, SmultbOp)
THIMBLE_TWO(smultt, SmulttOp)
THIMBLE_TWO(smuad, SmuadOp)
THIMBLE_TWO(smmul, SmmulOp)
THIMBLE_TWO(sadd16, Sadd16Op)
THIMBLE_TWO(ssub16, Ssub16Op)
THIMBLE_TWO(adds, AddsOp)
THIMBLE_TWO(adc, AdcOp)
THIMBLE_THREE(mla, MlaOp)
THIMBLE_THREE(smlad, SmladOp)
THIMBLE_THREE(smladx, SmladxOp)
THIMBLE_THREE(smlabb, SmlabbOp)
THIMBLE_THREE(smlabt, SmlabtOp)
THIMBLE_THREE(smlatb, SmlatbOp)
THIMBLE_THREE(smlatt, SmlattOp)
THIMBLE_THREE(smlawb, SmlawbOp)
THIMBLE_THREE(smlawt, SmlawtOp)
THIMBLE_THREE(smmla, SmmlaOp)
THIMBLE_THREE(smmlar, SmmlarOp)
#undef THIMBLE_TWO
#undef THIMBLE_THREE

// Two instructions in one operation.
Reg AsmBuilder::smax8(Reg a, Reg b) {
  count({});
  return pure<m4::Smax8Op>(a.value, b.value);
}
Reg AsmBuilder::smin8(Reg a, Reg b) {
  count({});
  return pure<m4::Smin8Op>(a.value, b.value);
}
Reg AsmBuilder::sxtb16(Reg a) { return pure<m4::Sxtb16Op>(a.value); }
Reg AsmBuilder::sxtb16Ror8(Reg a) { return pure<m4::Sxtb16Ror8Op>(a.value); }
Reg AsmBuilder::uxtb16(Shifted a) { return withShift<m4::Uxtb16Op>({}, a); }
Reg AsmBuilder::sxtb(Shifted a) { return withShift<m4::SxtbOp>({}, a); }
Reg AsmBuilder::uxtb(Shifted a) { return withShift<m4::UxtbOp>({}, a); }
Reg AsmBuilder::sxth(Shifted a) { return withShift<m4::SxthOp>({}, a); }

Reg AsmBuilder::ssat(int bits, Shifted a) {
  Reg result = withShift<m4::SsatOp>({}, a);
  if (builder)
    result.value.getDefiningOp()->setAttr("bits", builder->getI32IntegerAttr(bits));
  return result;
}
Reg AsmBuilder::usat(int bits, Shifted a) {
  Reg result = withShift<m4::UsatOp>({}, a);
  if (builder)
    result.value.getDefiningOp()->setAttr("bits", number(bits));
  return result;
}

template <typename Op> static void longSum(OpBuilder *builder, Reg a, Reg b, Reg &low, Reg &high) {
  if (!builder)
    return;
  auto gpr = m4::GprType::get(builder->getContext());
  auto op = Op::create(*builder, builder->getUnknownLoc(), TypeRange{gpr, gpr},
                       ValueRange{a.value, b.value, low.value, high.value});
  low.value = op->getResult(0);
  high.value = op->getResult(1);
}
void AsmBuilder::smlald(Reg a, Reg b, Reg &low, Reg &high) {
  count({});
  longSum<m4::SmlaldOp>(builder, a, b, low, high);
}
void AsmBuilder::smlal(Reg a, Reg b, Reg &low, Reg &high) {
  count({});
  longSum<m4::SmlalOp>(builder, a, b, low, high);
}
std::pair<Reg, Reg> AsmBuilder::smull(Reg a, Reg b) {
  count({});
  if (!builder)
    return {};
  auto gpr = m4::GprType::get(builder->getContext());
  auto op = m4::SmullOp::create(*builder, nowhere(*builder), gpr, gpr, a.value, b.value);
  return {{op->getResult(0)}, {op->getResult(1)}};
}

//===-- S registers -------------------------------------------------------------------------===//

SReg AsmBuilder::toS(Reg a) {
  count({});
  if (!builder)
    return {};
  return {m4::ToSOp::create(*builder, nowhere(*builder), m4::FprType::get(builder->getContext()),
                            a.value)};
}
Reg AsmBuilder::toR(SReg a) { return pure<m4::ToROp>(a.value); }
SReg AsmBuilder::copy(SReg a) {
  count({});
  if (!builder)
    return {};
  return {m4::CopySOp::create(*builder, nowhere(*builder), m4::FprType::get(builder->getContext()),
                              a.value)};
}

//===-- Memory ------------------------------------------------------------------------------===//

static StringRef kindOf(Width width, bool isStore) {
  switch (width) {
  case Width::Word:
    return "w";
  case Width::S8:
    return isStore ? "b" : "sb";
  case Width::U8:
    return "b";
  case Width::S16:
    return isStore ? "h" : "sh";
  case Width::U16:
    return "h";
  }
  llvm_unreachable("no other width");
}

Reg AsmBuilder::loadFrom(Reg base, int64_t offset, Width width, bool table) {
  count({Timing::Load}, base, table);
  if (!builder)
    return {};
  return {m4::LoadOp::create(*builder, nowhere(*builder), m4::GprType::get(builder->getContext()),
                             base.value, text(kindOf(width, false)), number(offset),
                             table ? builder->getUnitAttr() : UnitAttr())};
}
Reg AsmBuilder::loadAndStep(Reg &base, int64_t step, Width width, bool table) {
  count({Timing::Load}, base, table);
  if (!builder)
    return {};
  auto gpr = m4::GprType::get(builder->getContext());
  auto op = m4::LoadPostOp::create(*builder, nowhere(*builder), gpr, gpr, base.value,
                                   text(kindOf(width, false)), number(step),
                                   table ? builder->getUnitAttr() : UnitAttr());
  base.value = op.getNext();
  return {op.getValue()};
}
Reg AsmBuilder::loadAt(Reg base, Reg index, int shift, Width width, bool table) {
  count({Timing::Load}, base, table);
  if (!builder)
    return {};
  return {m4::LoadIndexedOp::create(
      *builder, nowhere(*builder), m4::GprType::get(builder->getContext()), base.value, index.value,
      text(kindOf(width, false)), shift ? text("lsl") : StringAttr(),
      shift ? number(shift) : IntegerAttr(), table ? builder->getUnitAttr() : UnitAttr())};
}
Regs AsmBuilder::loadSeveral(Reg &base, size_t count, bool table) {
  this->count({Timing::LoadMultiple, static_cast<unsigned>(count)}, base, table);
  Regs loaded(count);
  if (!builder)
    return loaded;
  auto gpr = m4::GprType::get(builder->getContext());
  SmallVector<Type> types(count, gpr);
  auto op = m4::LoadMultiplePostOp::create(*builder, nowhere(*builder), gpr, types, base.value,
                                           table ? builder->getUnitAttr() : UnitAttr());
  base.value = op.getNext();
  for (auto [reg, value] : llvm::zip(loaded, op.getValues()))
    reg.value = value;
  return loaded;
}

Reg AsmBuilder::load(Reg base, int64_t offset, Width width) {
  return loadFrom(base, offset, width, false);
}
Reg AsmBuilder::loadTable(Reg base, int64_t offset, Width width) {
  return loadFrom(base, offset, width, true);
}
Reg AsmBuilder::loadPost(Reg &base, int64_t step, Width width) {
  return loadAndStep(base, step, width, false);
}
Reg AsmBuilder::loadTablePost(Reg &base, int64_t step, Width width) {
  return loadAndStep(base, step, width, true);
}
Reg AsmBuilder::loadIndexed(Reg base, Reg index, int shift, Width width) {
  return loadAt(base, index, shift, width, false);
}
Reg AsmBuilder::loadTableIndexed(Reg base, Reg index, int shift, Width width) {
  return loadAt(base, index, shift, width, true);
}
Regs AsmBuilder::loadTableMultiple(Reg &base, size_t count) {
  return loadSeveral(base, count, true);
}
Regs AsmBuilder::loadMultiple(Reg &base, size_t count) { return loadSeveral(base, count, false); }
Reg AsmBuilder::loadFrame(int64_t offset, Width width) {
  return loadFrom({}, offset, width, false);
}

void AsmBuilder::store(Reg value, Reg base, int64_t offset, Width width) {
  count({Timing::Store}, base);
  if (builder)
    m4::StoreOp::create(*builder, nowhere(*builder), value.value, base.value,
                        text(kindOf(width, true)), number(offset));
}
void AsmBuilder::storePost(Reg value, Reg &base, int64_t step, Width width) {
  count({Timing::Store}, base);
  if (builder)
    base.value = m4::StorePostOp::create(*builder, nowhere(*builder),
                                         m4::GprType::get(builder->getContext()), value.value,
                                         base.value, text(kindOf(width, true)), number(step));
}
void AsmBuilder::storeIndexed(Reg value, Reg base, Reg index, Width width) {
  count({Timing::Store}, base);
  if (builder)
    m4::StoreIndexedOp::create(*builder, nowhere(*builder), value.value, base.value, index.value,
                               text(kindOf(width, true)));
}
void AsmBuilder::storeFrame(Reg value, int64_t offset, Width width) {
  store(value, {}, offset, width);
}

SReg AsmBuilder::loadS(Reg base, int64_t offset) {
  count({Timing::FpuLoad}, base);
  if (!builder)
    return {};
  return {m4::LoadSOp::create(*builder, nowhere(*builder), m4::FprType::get(builder->getContext()),
                              base.value, number(offset), UnitAttr())};
}
SReg AsmBuilder::loadFrameS(int64_t offset) { return loadS({}, offset); }
void AsmBuilder::storeFrameS(SReg value, int64_t offset) {
  count({Timing::FpuLoad});
  if (builder)
    m4::StoreSOp::create(*builder, nowhere(*builder), value.value, Value(), number(offset));
}

Reg AsmBuilder::frameAddress(int64_t offset) {
  return pure<m4::FrameAddressOp>(builder ? number(offset) : IntegerAttr());
}
void AsmBuilder::moveFrame(int64_t step) {
  count({});
  if (builder)
    m4::MoveFrameOp::create(*builder, nowhere(*builder), number(step));
}

//===-- Control -----------------------------------------------------------------------------===//

namespace {
SmallVector<Value> valuesOf(ArrayRef<Carried> variables) {
  SmallVector<Value> values;
  for (const Carried &variable : variables)
    values.push_back(*variable.value);
  return values;
}
void assign(ArrayRef<Carried> variables, ValueRange values) {
  for (auto [variable, value] : llvm::zip(variables, values))
    *variable.value = value;
}
} // namespace

void AsmBuilder::repeat(int64_t trips, Variables carried, Body body) {
  m4::Cost before = counter.total();
  counter.total() = {};
  counter.separate();
  if (!builder) {
    body();
  } else {
    SmallVector<Value> initial = valuesOf(carried);
    auto loop = m4::LoopOp::create(*builder, nowhere(*builder), TypeRange(ValueRange(initial)),
                                   initial, number(trips), text("ne"));
    Block &block = loop.getBody().emplaceBlock();
    for (Value value : initial)
      block.addArgument(value.getType(), nowhere(*builder));
    assign(carried, block.getArguments());
    OpBuilder::InsertionGuard guard(*builder);
    builder->setInsertionPointToStart(&block);
    body();
    m4::NextOp::create(*builder, nowhere(*builder), valuesOf(carried));
    assign(carried, loop.getFinal());
  }
  counter.addBranch(true);
  counter.total().addCode(4);
  m4::Cost all = counter.total() * trips;
  all.cycles -= m4::CycleCounter::takenBranch - 1;
  counter.total() = before;
  counter.total() += all;
}

void AsmBuilder::loop(int64_t trips, Variables carried, Body body) {
  if (trips == 1)
    return body();
  if (trips < 1)
    return;
  Reg left = constant(trips);
  carried.push_back(left);
  repeat(trips, carried, [&] {
    body();
    left = subs(left, 1);
  });
}

void AsmBuilder::loopS(int64_t trips, Variables carried, Body body) {
  if (trips == 1)
    return body();
  if (trips < 1)
    return;
  SReg left = toS(constant(trips));
  carried.push_back(left);
  repeat(trips, carried, [&] {
    body();
    left = toS(subs(toR(left), 1));
  });
}

void AsmBuilder::loopUntil(Reg &pointer, Reg end, int64_t trips, Variables carried, Body body) {
  if (trips == 1)
    return body();
  carried.push_back(pointer);
  repeat(trips, carried, [&] {
    body();
    compare(pointer, end);
  });
}
void AsmBuilder::loopUntil(Reg &pointer, SReg end, int64_t trips, Variables carried, Body body) {
  if (trips == 1)
    return body();
  carried.push_back(pointer);
  repeat(trips, carried, [&] {
    body();
    compare(pointer, toR(end));
  });
}

void AsmBuilder::compare(Reg a, Reg b) {
  count({});
  if (builder)
    m4::CompareOp::create(*builder, nowhere(*builder), a.value, b.value);
}
void AsmBuilder::compare(Reg a, int64_t value) {
  count({});
  if (builder)
    m4::CompareImmOp::create(*builder, nowhere(*builder), a.value, number(value));
}
Reg AsmBuilder::subs(Reg a, int64_t value) {
  return pure<m4::SubsOp>(a.value, builder ? number(value) : IntegerAttr());
}
Reg AsmBuilder::select(StringRef condition, Reg then, Reg otherwise) {
  count({});
  return pure<m4::SelectOp>(otherwise.value, then.value, builder ? text(condition) : StringAttr());
}

void AsmBuilder::branch(StringRef condition, int64_t taken, int64_t of, Variables carried,
                        Body then, Body otherwise) {
  m4::Cost before = counter.total();
  // Builds one body; returns what it costs.
  auto build = [&](Region *region, Body body) {
    counter.total() = {};
    counter.separate();
    if (!builder) {
      if (body)
        body();
    } else {
      OpBuilder::InsertionGuard guard(*builder);
      builder->setInsertionPointToStart(&region->emplaceBlock());
      if (body)
        body();
      m4::YieldOp::create(*builder, nowhere(*builder), valuesOf(carried));
    }
    counter.separate();
    return counter.total();
  };
  const bool hasElse = otherwise || !carried.empty();
  m4::Cost first, second;
  if (builder) {
    SmallVector<Value> outside = valuesOf(carried);
    auto op = m4::IfOp::create(*builder, nowhere(*builder), TypeRange(ValueRange(outside)),
                               text(condition), number(taken), number(of));
    first = build(&op.getThen(), then);
    assign(carried, outside);
    if (hasElse)
      second = build(&op.getOtherwise(), otherwise);
    assign(carried, op.getValues());
  } else {
    first = build(nullptr, then);
    second = build(nullptr, otherwise);
  }
  first.cycles += 1 + (otherwise ? m4::CycleCounter::takenBranch : 0);
  second.cycles += m4::CycleCounter::takenBranch;
  counter.total() = before;
  counter.total() += m4::eitherOf(first, second, taken, of);
  counter.total().addCode(otherwise ? 8 : 4);
}
