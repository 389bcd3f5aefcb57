// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCUOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace thimble::mcu;

#define GET_OP_CLASSES
#include "dialects/mcu/MCUOps.cpp.inc"

Place thimble::mcu::resolve(Value buffer) {
  int64_t offset = 0;
  while (auto alias = buffer.getDefiningOp<AliasOp>()) {
    offset += alias.getByteOffset();
    buffer = alias.getSource();
  }
  return {buffer, offset};
}

int64_t thimble::mcu::arenaOffset(Value buffer) {
  Place place = resolve(buffer);
  if (auto input = place.root.getDefiningOp<InputOp>())
    return *input.getOffset() + place.byteOffset;
  return *cast<BufferOp>(place.root.getDefiningOp()).getOffset() + place.byteOffset;
}

size_t thimble::mcu::regionOf(Value buffer) {
  Operation *root = resolve(buffer).root.getDefiningOp();
  auto input = dyn_cast<InputOp>(root);
  return static_cast<size_t>(
      (input ? input.getRegion() : cast<BufferOp>(root).getRegion()).value_or(0));
}

int64_t ProgramOp::getRamBytes(size_t region) {
  if (region == 0)
    return static_cast<int64_t>(*getArenaBytes());
  return cast<RegionAttr>((*getRam())[region]).getUsed();
}

static LogicalResult verifyRam(ProgramOp program, ArrayAttr ram) {
  if (ram.empty())
    return program.emitOpError("ram must have a region");
  for (auto region : ram.getAsRange<RegionAttr>())
    if (region.getUsed() < 0 || region.getCapacity() < 0 || region.getLowerBound() < 0)
      return program.emitOpError("numbers of region '")
             << region.getName() << "' must not be negative";
  const auto arena = static_cast<int64_t>(program.getArenaBytes().value_or(0));
  if (const int64_t used = cast<RegionAttr>(ram[0]).getUsed(); used != arena)
    return program.emitOpError("arena_bytes must be the ")
           << used << " of the first region, got " << arena;
  return success();
}

// A buffer that has a place has it within its region, and not where that has its table.
static LogicalResult verifyPlace(ProgramOp program, Operation *op, std::optional<uint64_t> region,
                                 std::optional<uint64_t> offset, BufferType type) {
  if (!region || !offset)
    return success();
  const size_t regions = program.getNumRamRegions();
  if (*region >= regions)
    return op->emitOpError("is in region ") << *region << " of " << regions;
  const auto begin = static_cast<int64_t>(*offset), end = begin + type.getBytes();
  const int64_t first = *region == 0 ? regionTableBytes(regions) : 0;
  const int64_t last = program.getRamBytes(*region);
  if (begin < first || end > last)
    return op->emitOpError("bytes [") << begin << ", " << end << ") are not within [" << first
                                      << ", " << last << ") of region " << *region;
  return success();
}

LogicalResult ProgramOp::verifyRegions() {
  if (getRam() && failed(verifyRam(*this, *getRam())))
    return failure();
  if (!getArenaBytes())
    return success();
  for (Operation &op : getBody().front()) {
    auto input = dyn_cast<InputOp>(op);
    auto buffer = dyn_cast<BufferOp>(op);
    if (input && failed(verifyPlace(*this, input, input.getRegion(), input.getOffset(),
                                    input.getBuffer().getType())))
      return failure();
    if (buffer && failed(verifyPlace(*this, buffer, buffer.getRegion(), buffer.getOffset(),
                                     buffer.getBuffer().getType())))
      return failure();
  }
  return success();
}

bool InputOp::arrivesByRows() {
  return getPushed() && !getBuffer().use_empty() &&
         llvm::all_of(getBuffer().getUsers(), [](Operation *user) {
           auto copy = dyn_cast<CopyRowsOp>(user);
           return copy && copy.getRows() == 1;
         });
}

static bool hasRows(BufferType buffer) {
  return buffer.getShape().size() >= 2 && buffer.getShape().front() == 1;
}

int64_t InputOp::getRows() {
  const BufferType type = getBuffer().getType();
  return hasRows(type) && type.getShape().size() > 2 ? type.getShape()[1] : 1;
}

LogicalResult InputOp::verify() {
  if (!getPushed())
    return success();
  const BufferType counter = getPushed().getType();
  if (counter.getLifetime() != Lifetime::State || counter.getBytes() != 4)
    return emitOpError("rows are counted in a state of 4 bytes, got ") << counter;
  if (!arrivesByRows())
    return success();
  const StreamOp first = *(*this)->getBlock()->getOps<StreamOp>().begin();
  for (Operation *user : getBuffer().getUsers())
    if (user->getParentOp() != first)
      return user->emitOpError("takes pushed rows: only the first stream can");
  return success();
}

LogicalResult BufferOp::verify() {
  if (getLazy() && getBuffer().getType().getRing() == 0)
    return emitOpError("is lazy, but no ring");
  Lifetime lifetime = getBuffer().getType().getLifetime();
  if (lifetime == Lifetime::Constant || lifetime == Lifetime::Input)
    return emitOpError("lifetime must be activation, scratch, state or output, got ")
           << stringifyLifetime(lifetime);
  return success();
}

LogicalResult AliasOp::verify() {
  int64_t offset = getByteOffset();
  int64_t source = getSource().getType().getBytes(), part = getBuffer().getType().getBytes();
  if (offset < 0 || offset > source || part > source - offset)
    return emitOpError("bytes [") << offset << ", " << offset + part << ") are not within the "
                                  << source << " bytes of the source";
  return success();
}

// The stages have been verified by then: their walks can be counted.
LogicalResult StreamOp::verifyRegions() {
  const SmallVector<Operation *> stages = getStages();
  for (Operation *op : stages)
    if (!isa<KernelOp, CallOp, CopyRowsOp, FillRowsOp>(op))
      return op->emitOpError("is no stage: a stream holds kernels, calls and moves of rows");
  if (!getSchedule()) {
    if (stages.size() != 1 || !isa<KernelOp>(stages.front()))
      return emitOpError("without a schedule holds one kernel, got ") << stages.size() << " stages";
    return success();
  }
  const ArrayRef<int32_t> schedule = *getSchedule();
  for (int32_t stage : schedule)
    if (stage < 0 || static_cast<size_t>(stage) >= stages.size())
      return emitOpError("fires stage ") << stage << " of " << stages.size();
  for (Operation *op : stages)
    if (isa<KernelOp, CallOp>(op) && !op->hasAttr("advance"))
      return op->emitOpError("must say how it walks through its operands");
  for (Operation *op : stages)
    for (const Walk &walk : walksOf(op))
      if (auto type = cast<BufferType>(walk.buffer().getType());
          walk.advance != 0 && !hasRows(type))
        return op->emitOpError("walks through rows, got ") << type;
  const int64_t slots = Positions(*this).size();
  if (!getPositions() || getPositions().getType().getNumElements() != slots ||
      !getPositions().getType().getElementType().isInteger(32))
    return emitOpError("needs ") << slots << " positions of i32, got " << getPositions().getType();
  return success();
}

// An array of a walk has an element for each of the first `count` operands.
template <typename Op> static LogicalResult verifyWalk(Op op, size_t count) {
  const std::optional<ArrayRef<int64_t>> arrays[] = {op.getFirst(), op.getAdvance(),
                                                     op.getExtent()};
  if (llvm::none_of(arrays, [](const auto &array) { return array.has_value(); }))
    return success();
  for (const auto &array : arrays) {
    if (!array || array->size() != count)
      return op.emitOpError("walk, by and rows must have ") << count << " numbers each";
    for (int64_t rows : *array)
      if (rows < 0)
        return op.emitOpError("rows of a walk must not be negative, got ") << rows;
  }
  return success();
}

static LogicalResult verifyRing(Operation *op, BufferType ring, int64_t rows) {
  if (ring.getRing() == 0)
    return op->emitOpError("appends to a ring, got ") << ring;
  if (rows < 1 || rows > ring.getRing())
    return op->emitOpError("rows must be from 1 to the ring's ")
           << ring.getRing() << ", got " << rows;
  return success();
}

LogicalResult CopyRowsOp::verify() {
  const BufferType source = getSource().getType(), ring = getRing().getType();
  if (failed(verifyRing(*this, ring, getRows())))
    return failure();
  if (!hasRows(source))
    return emitOpError("walks through rows, got ") << source;
  if (source.getRowBytes() != ring.getRowBytes())
    return emitOpError("rows of source and ring must be of the same size");
  return success();
}

LogicalResult FillRowsOp::verify() {
  const int64_t value = getValueAttr().getInt();
  if (value < -128 || value > 255)
    return emitOpError("value must be a byte, got ") << value;
  return verifyRing(*this, getRing().getType(), getRows());
}

LogicalResult KernelOp::verify() {
  Block &body = getBody().front();
  if (body.getNumArguments() != getInputs().size())
    return emitOpError("expects a tensor for each of the ")
           << getInputs().size() << " inputs, got " << body.getNumArguments();
  if (body.empty() || !isa<YieldOp>(body.back()))
    return emitOpError("body must end with mcu.yield");
  if (body.back().getNumOperands() != getOutputs().size())
    return emitOpError("yields ") << body.back().getNumOperands() << " tensors for "
                                  << getOutputs().size() << " outputs";
  return verifyWalk(*this, getInputs().size() + getOutputs().size());
}

LogicalResult CallOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto function =
      symbols.lookupNearestSymbolFrom<FunctionOpInterface>((*this)->getParentOp(), getCalleeAttr());
  if (!function)
    return emitOpError("'") << getCallee() << "' is not a function";
  const size_t buffers = function.getNumArguments() - (getEachRow() ? 1 : 0);
  if (buffers != getBuffers().size())
    return emitOpError("'") << getCallee() << "' takes " << buffers << " buffers, got "
                            << getBuffers().size();
  for (int64_t position : getWrites())
    if (position < 0 || position >= static_cast<int64_t>(getBuffers().size()))
      return emitOpError("writes position ")
             << position << " of " << getBuffers().size() << " buffers";
  return success();
}

LogicalResult CallOp::verify() { return verifyWalk(*this, getBuffers().size()); }

int32_t StreamOp::numberOf(Operation *stage) {
  const SmallVector<Operation *> stages = getStages();
  return static_cast<int32_t>(llvm::find(stages, stage) - stages.begin());
}

int64_t StreamOp::firingsOf(Operation *stage) {
  return getSchedule() ? llvm::count(*getSchedule(), numberOf(stage)) : 1;
}

CopyRowsOp StreamOp::getTaker() {
  for (auto copy : getOps<CopyRowsOp>())
    if (auto input = copy.getSource().getDefiningOp<InputOp>(); input && input.arrivesByRows())
      return copy;
  return {};
}

//===-- Walks -------------------------------------------------------------------------------===//

bool Walk::isRing() const { return cast<BufferType>(buffer().getType()).getRing() != 0; }
bool Walk::isLazyRing() const {
  auto ring = buffer().getDefiningOp<BufferOp>();
  return ring && ring.getLazy();
}
bool Walk::isPushed() const {
  auto input = buffer().getDefiningOp<InputOp>();
  return input && input.arrivesByRows();
}
int64_t Walk::rowBytes() const { return cast<BufferType>(buffer().getType()).getRowBytes(); }

SmallVector<Walk> thimble::mcu::walksOf(Operation *stage) {
  SmallVector<Walk> walks;
  if (auto copy = dyn_cast<CopyRowsOp>(stage)) {
    const int64_t rows = copy.getRows();
    walks.push_back({&copy.getSourceMutable(), 0, rows, rows, /*writes=*/false});
    walks.push_back({&copy.getRingMutable(), 0, rows, rows, /*writes=*/true});
  } else if (auto fill = dyn_cast<FillRowsOp>(stage)) {
    const int64_t rows = fill.getRows();
    walks.push_back({&fill.getRingMutable(), 0, rows, rows, /*writes=*/true});
  } else {
    auto kernel = dyn_cast<KernelOp>(stage);
    auto call = dyn_cast<CallOp>(stage);
    const ArrayRef<int64_t> first = kernel ? *kernel.getFirst() : *call.getFirst();
    const ArrayRef<int64_t> advance = kernel ? *kernel.getAdvance() : *call.getAdvance();
    const ArrayRef<int64_t> extent = kernel ? *kernel.getExtent() : *call.getExtent();
    for (auto [i, start, rows, touched] : llvm::enumerate(first, advance, extent)) {
      const bool writes = kernel ? i >= kernel.getInputs().size()
                                 : llvm::is_contained(call.getWrites(), static_cast<int64_t>(i));
      walks.push_back(
          {&stage->getOpOperand(static_cast<unsigned>(i)), start, rows, touched, writes});
    }
  }
  return walks;
}

Positions::Positions(StreamOp stream) {
  SmallVector<Walk> walks;
  for (Operation *stage : stream.getStages())
    llvm::append_range(walks, walksOf(stage));
  for (const Walk &walk : walks)
    if (walk.isRing()) {
      if (rings.insert({walk.buffer(), slots}).second)
        add(0);
      if (!walk.writes)
        readers[walk.buffer()].push_back(walk);
    }
  for (const Walk &walk : walks) {
    const bool moves =
        walk.isRing() ? !walk.writes && (walk.isLazyRing() || readers[walk.buffer()].size() > 1)
                      : walk.advance != 0;
    if (moves && !walk.isPushed())
      operands[walk.operand] = add(walk.first * walk.rowBytes());
  }
  for (Operation *stage : stream.getStages()) {
    auto kernel = dyn_cast<KernelOp>(stage);
    auto call = dyn_cast<CallOp>(stage);
    if ((kernel && kernel.getEachRow()) || (call && call.getEachRow()))
      counters[stage] = add(0);
  }
}

int64_t Positions::add(int64_t start) {
  starts.push_back(start);
  return slots++;
}

std::optional<int64_t> Positions::of(OpOperand &operand) const {
  auto found = operands.find(&operand);
  return found == operands.end() ? std::nullopt : std::optional<int64_t>(found->second);
}

ArrayRef<Walk> Positions::readersOf(Value ring) const {
  auto found = readers.find(ring);
  return found == readers.end() ? ArrayRef<Walk>() : ArrayRef<Walk>(found->second);
}
