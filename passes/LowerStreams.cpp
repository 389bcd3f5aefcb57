// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCUOps.h"
#include "passes/Passes.h"
#include "passes/kernels/KernelBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/FormatVariadic.h"

namespace thimble {
#define GEN_PASS_DEF_LOWERSTREAMS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

/// The function of one stream while it is built. Addresses are bytes from the start of a region.
///
/// It fires all of the schedule. Where a stage takes rows of the caller, it is called for each row
/// instead, with the row and its number, and fires what that makes possible.
class Driver {
public:
  Driver(OpBuilder &builder, ModuleOp module, StringRef name, mcu::StreamOp stream, bool instrument)
      : stream(stream), regions(stream->getParentOfType<mcu::ProgramOp>().getNumRamRegions()),
        taker(stream.getTaker()), positions(stream), instrument(instrument), builder(builder),
        function(makeFunction(module, name)),
        b(builder, module, builder.getUnknownLoc(), name.str(), name.str()) {}

  func::FuncOp build() {
    builder.setInsertionPointToStart(&function.getBody().front());
    KernelBuilder::NoOverflow guard(b); // positions are within the arena
    const int64_t slots = positions.size();
    progress = {view(regionOf(stream.getPositions()),
                     b.index(mcu::arenaOffset(stream.getPositions())),
                     MemRefType::get({slots}, builder.getI32Type()), "positions"),
                ElementType::Int32};
    SmallVector<int8_t> schedule(*stream.getSchedule());
    Buffer table = b.table<int8_t>("schedule", schedule);
    Buffer rows = instrument ? b.table<int16_t>("rows", firstRows()) : Buffer();
    auto fireAll = [&](Val begin, Val end) {
      b.loop("firing", begin, end, 1, [&](Val firing) {
        if (instrument)
          row = b.load(rows, firing, "row");
        fireOneOf(b.toIndex(b.load(table, firing, "stage")));
      });
    };
    if (taker) {
      Val number(b, function.getArgument(rowArgument() + 1));
      b.when(number == 0, [&] { startPositions(); });
      Buffer begins = b.table<int16_t>("begins", firstFirings());
      Val index = b.toIndex(number);
      fireAll(b.toIndex(b.load(begins, index)), b.toIndex(b.load(begins, index + 1)));
    } else {
      startPositions();
      fireAll(b.index(0), b.index(static_cast<int64_t>(schedule.size())));
    }
    func::ReturnOp::create(builder, b.loc());
    return function;
  }

private:
  void startPositions() {
    for (auto [slot, start] : llvm::enumerate(positions.initial()))
      store(static_cast<int64_t>(slot), b.i32(start));
  }

  /// For each row of the caller the firing with which it begins, and the number of all firings: a
  /// row is taken first thing, but for padding before the first.
  SmallVector<int16_t> firstFirings() {
    const int32_t number = stream.numberOf(taker);
    SmallVector<int16_t> firings;
    for (auto [firing, stage] : llvm::enumerate(*stream.getSchedule()))
      if (stage == number)
        firings.push_back(static_cast<int16_t>(firing));
    firings.front() = 0;
    firings.push_back(static_cast<int16_t>(stream.getSchedule()->size()));
    return firings;
  }

  func::FuncOp makeFunction(ModuleOp module, StringRef name) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToEnd(module.getBody());
    auto program = stream->getParentOfType<mcu::ProgramOp>();
    SmallVector<Type> types;
    SmallVector<std::string> names;
    for (size_t region = 0; region < regions; ++region) {
      types.push_back(MemRefType::get({program.getRamBytes(region)}, builder.getI8Type()));
      names.push_back(region == 0 ? "arena" : llvm::formatv("region_{0}", region).str());
    }
    if (taker) {
      const int64_t bytes = taker.getSource().getType().getRowBytes();
      llvm::append_values(types, MemRefType::get({bytes}, builder.getI8Type()),
                          builder.getI32Type());
      llvm::append_values(names, "pushed", "number");
    }
    auto made = func::FuncOp::create(builder, builder.getUnknownLoc(), name,
                                     builder.getFunctionType(types, {}));
    made.setPrivate();
    made.addEntryBlock();
    for (auto [argument, argumentName] : llvm::zip(made.getArguments(), names))
      argument.setLoc(NameLoc::get(builder.getStringAttr(argumentName)));
    if (taker)
      made.setArgAttr(rowArgument(), mcu::readOnlyAttr, builder.getUnitAttr());
    return made;
  }

  void fireOneOf(Val stage) {
    const SmallVector<Operation *> stages = stream.getStages();
    const auto numbers =
        llvm::to_vector(llvm::seq<int64_t>(0, static_cast<int64_t>(stages.size()) - 1));
    auto choice = scf::IndexSwitchOp::create(builder, b.loc(), TypeRange(), stage.value(), numbers,
                                             static_cast<unsigned>(numbers.size()));
    // The last stage is the default: there is no other number in the schedule.
    for (auto [region, op] :
         llvm::zip(choice->getRegions().drop_front(), ArrayRef(stages).drop_back()))
      fillCase(region, op);
    fillCase(choice.getDefaultRegion(), stages.back());
  }

  void fillCase(Region &region, Operation *stage) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&region.emplaceBlock());
    fire(stage);
    scf::YieldOp::create(builder, b.loc());
  }

  void fire(Operation *stage) {
    const SmallVector<mcu::Walk> walks = mcu::walksOf(stage);
    for (const mcu::Walk &walk : walks)
      if (walk.writes && walk.isLazyRing())
        makeRoom(walk.buffer());
    if (auto call = dyn_cast<mcu::CallOp>(stage)) {
      run(call, walks);
    } else if (auto copy = dyn_cast<mcu::CopyRowsOp>(stage)) {
      Value source = copy == taker ? view(function.getArgument(rowArgument()), b.index(0), byte())
                                   : rowsOf(walks[0]);
      callRuntime("thimble_copy_rows", {rowsOf(walks[1]), source,
                                        b.i32(walks[0].advance * walks[0].rowBytes()).value()});
    } else {
      auto fill = cast<mcu::FillRowsOp>(stage);
      callRuntime("thimble_fill_rows",
                  {rowsOf(walks[0]), b.i32(static_cast<int8_t>(fill.getValue())).value(),
                   b.i32(walks[0].advance * walks[0].rowBytes()).value()});
    }
    for (const mcu::Walk &walk : walks)
      if (walk.advance != 0 && !walk.isPushed())
        moveOn(walk);
    if (auto call = dyn_cast<mcu::CallOp>(stage); call && call.getEachRow())
      add(positions.ofFirings(call), 1);
  }

  void run(mcu::CallOp call, ArrayRef<mcu::Walk> walks) {
    auto callee = getModule().lookupSymbol<func::FuncOp>(call.getCallee());
    SmallVector<Value> arguments;
    for (const mcu::Walk &walk : walks) {
      auto type = cast<MemRefType>(callee.getArgumentTypes()[walk.operand->getOperandNumber()]);
      arguments.push_back(view(regionOf(walk.buffer()), addressOf(walk), type));
    }
    if (call.getEachRow())
      arguments.push_back(load(positions.ofFirings(call)).value());
    func::CallOp::create(builder, b.loc(), callee, arguments);
    if (instrument)
      callHook(call, walks);
  }

  void callHook(mcu::CallOp call, ArrayRef<mcu::Walk> walks) {
    for (const mcu::Walk &walk : walks) {
      auto type = cast<mcu::BufferType>(walk.buffer().getType());
      if (!walk.writes || (walk.advance == 0 && !isResult(call, walk)))
        continue;
      const int64_t bytes = walk.advance ? walk.advance * walk.rowBytes() : type.getBytes();
      auto hook = [&] {
        callRuntime("thimble_layer_hook", {function.getArgument(0), b.i32(call.getIndex()).value(),
                                           rowsOf(walk), row.value(), b.i32(bytes).value()});
      };
      if (walk.advance)
        hook();
      else // the sum of all rows is there with the last
        b.when(load(positions.ofFirings(call)) == stream.firingsOf(call) - 1, hook);
    }
  }

  /// Whether a stage that takes in a row at a time writes its result there, not its sums.
  static bool isResult(mcu::CallOp call, const mcu::Walk &walk) {
    return call.getEachRow() &&
           walk.operand->getOperandNumber() == static_cast<unsigned>(call.getWrites().front());
  }

  /// The first row of the result that each firing makes.
  SmallVector<int16_t> firstRows() {
    const SmallVector<Operation *> stages = stream.getStages();
    SmallVector<int16_t> rows, next(stages.size(), 0);
    const ArrayRef<int32_t> schedule = *stream.getSchedule();
    for (int32_t stage : schedule) {
      rows.push_back(next[static_cast<size_t>(stage)]);
      for (const mcu::Walk &walk : mcu::walksOf(stages[static_cast<size_t>(stage)]))
        if (walk.writes)
          next[static_cast<size_t>(stage)] += static_cast<int16_t>(walk.advance);
    }
    return rows;
  }

  //===-- Addresses -------------------------------------------------------------------------===//

  /// Where the rows of an operand are that the next firing wants.
  Val addressOf(const mcu::Walk &walk) {
    const int64_t start = mcu::arenaOffset(walk.buffer());
    std::optional<int64_t> slot = positions.of(*walk.operand);
    if (!slot && walk.isRing() && walk.writes)
      slot = positions.ofRing(walk.buffer());
    return slot ? b.toIndex(load(*slot)) + start : b.index(start);
  }

  Value view(Value of, Val address, MemRefType type, StringRef name = "") {
    Location loc = name.empty() ? b.loc() : b.named(name);
    return memref::ViewOp::create(builder, loc, type, of, address.value(), ValueRange());
  }
  /// The region that a buffer is in.
  Value regionOf(Value buffer) {
    return function.getArgument(static_cast<unsigned>(mcu::regionOf(buffer)));
  }
  MemRefType byte() { return MemRefType::get({1}, builder.getI8Type()); }
  Value bytesAt(Value buffer, Val address) { return view(regionOf(buffer), address, byte()); }
  Value rowsOf(const mcu::Walk &walk) { return bytesAt(walk.buffer(), addressOf(walk)); }

  //===-- Positions -------------------------------------------------------------------------===//

  Val load(int64_t slot) { return b.load(progress, b.index(slot)); }
  void store(int64_t slot, Val value) { b.store(progress, b.index(slot), value); }
  void add(int64_t slot, int64_t bytes) { store(slot, load(slot) + bytes); }

  void moveOn(const mcu::Walk &walk) {
    const int64_t bytes = walk.advance * walk.rowBytes();
    if (!walk.isRing())
      add(*positions.of(*walk.operand), bytes);
    else if (walk.writes)
      add(positions.ofRing(walk.buffer()), bytes);
    else
      release(walk, bytes);
  }

  /// The reader has passed `bytes` of a ring; what all readers have passed makes room.
  void release(const mcu::Walk &walk, int64_t bytes) {
    std::optional<int64_t> own = positions.of(*walk.operand);
    if (!own)
      return moveToFront(walk.buffer(), b.i32(bytes));
    add(*own, bytes);
    if (!walk.isLazyRing())
      makeRoom(walk.buffer());
  }

  void makeRoom(Value ring) {
    // Readers may begin behind rows that are still to come.
    Val passed = load(positions.ofRing(ring));
    for (const mcu::Walk &reader : positions.readersOf(ring))
      passed = b.min(passed, load(*positions.of(*reader.operand)));
    b.when(passed > 0, [&] {
      for (const mcu::Walk &reader : positions.readersOf(ring)) {
        const int64_t slot = *positions.of(*reader.operand);
        store(slot, load(slot) - passed);
      }
      moveToFront(ring, passed);
    });
  }

  void moveToFront(Value ring, Val passed) {
    const int64_t inUse = positions.ofRing(ring), start = mcu::arenaOffset(ring);
    Val left = load(inUse) - passed;
    store(inUse, left);
    // Where a firing takes the whole ring there is nothing left to move.
    if (passed.constant() == cast<mcu::BufferType>(ring.getType()).getBytes())
      return;
    callRuntime("thimble_copy_rows", {bytesAt(ring, b.index(start)),
                                      bytesAt(ring, b.toIndex(passed) + start), left.value()});
  }

  ModuleOp getModule() { return function->getParentOfType<ModuleOp>(); }

  void callRuntime(StringRef name, ValueRange arguments) {
    if (!getModule().lookupSymbol(name)) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPointToStart(getModule().getBody());
      func::FuncOp::create(builder, builder.getUnknownLoc(), name,
                           builder.getFunctionType(arguments.getTypes(), {}))
          .setPrivate();
    }
    func::CallOp::create(builder, b.loc(), name, TypeRange(), arguments);
  }

  /// The argument with a row of the caller, after the regions; its number follows.
  unsigned rowArgument() const { return static_cast<unsigned>(regions); }

  mcu::StreamOp stream;
  size_t regions;        // of RAM: the first arguments
  mcu::CopyRowsOp taker; // of the caller's rows; null: all data is in the arena
  mcu::Positions positions;
  bool instrument;
  OpBuilder &builder;
  func::FuncOp function;
  KernelBuilder b;
  Buffer progress;
  Val row; // of the firing's result, for the hook
};

struct LowerStreamsPass : thimble::impl::LowerStreamsBase<LowerStreamsPass> {
  using LowerStreamsBase::LowerStreamsBase;

  void runOnOperation() override {
    size_t number = 0;
    WalkResult walked = getOperation().walk([&](mcu::StreamOp stream) {
      if (!stream.getSchedule())
        return WalkResult::advance();
      auto program = stream->getParentOfType<mcu::ProgramOp>();
      if (!program.getArenaBytes() || !stream.getOps<mcu::KernelOp>().empty())
        return stream.emitOpError("wants placed buffers and lowered kernels"),
               WalkResult::interrupt();
      const std::string name = llvm::formatv("{0}_stream_{1,0+2}", program.getSymName(), number++);
      OpBuilder builder(&getContext());
      func::FuncOp driver = Driver(builder, getOperation(), name, stream, instrument).build();
      stream.setDriverAttr(FlatSymbolRefAttr::get(driver));
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace thimble
