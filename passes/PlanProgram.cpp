// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/analysis/Aliases.h"
#include "passes/analysis/Selection.h"
#include "passes/kernels/Kernel.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

namespace thimble {
#define GEN_PASS_DEF_PLANPROGRAM
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

//===-- The program -------------------------------------------------------------------------===//

class Planner {
public:
  Planner(func::FuncOp function, StringRef name, const Target &target, Objective objective)
      : function(function), target(target), objective(objective), builder(function) {
    program = mcu::ProgramOp::create(builder, function.getLoc(), builder.getStringAttr(name),
                                     IntegerAttr(), IntegerAttr());
    builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
  }

  LogicalResult run() {
    copyConstantResults();
    aliases.emplace(function);
    if (failed(chooseKernels()))
      return failure();
    for (auto [i, argument] : llvm::enumerate(function.getArguments())) {
      auto type = cast<RankedTensorType>(argument.getType());
      buffers[argument] = mcu::InputOp::create(
          builder, function.getLoc(), bufferType(type, mcu::Lifetime::Input),
          builder.getI64IntegerAttr(static_cast<int64_t>(i)),
          nameAttr(function.getArgAttr(static_cast<unsigned>(i), "nn.name")), TypeAttr::get(type),
          IntegerAttr(), IntegerAttr());
    }
    for (Operation &op : function.getBody().front())
      if (auto layer = dyn_cast<nn::NNOperator>(op))
        if (failed(plan(layer)))
          return failure();
    Operation *terminator = function.getBody().front().getTerminator();
    for (auto [i, result] : llvm::enumerate(terminator->getOperands()))
      mcu::OutputOp::create(builder, function.getLoc(),
                            builder.getI64IntegerAttr(static_cast<int64_t>(i)),
                            nameAttr(function.getResultAttr(static_cast<unsigned>(i), "nn.name")),
                            bufferFor(result), TypeAttr::get(result.getType()));
    function.erase();
    return success();
  }

private:
  StringAttr nameAttr(Attribute name) {
    auto text = dyn_cast_or_null<StringAttr>(name);
    return text ? text : builder.getStringAttr("");
  }

  mcu::BufferType bufferType(RankedTensorType type, mcu::Lifetime lifetime) {
    Type storage = nn::storageType(type).getElementType();
    return mcu::BufferType::get(builder.getContext(), type.getShape(), storage,
                                mcu::Layout::Nhwc, lifetime, 0);
  }

  // A result that is a constant is copied from flash like any other layer's.
  void copyConstantResults() {
    Operation *terminator = function.getBody().front().getTerminator();
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPoint(terminator);
    for (OpOperand &operand : terminator->getOpOperands())
      if (operand.get().getDefiningOp<nn::ConstantOp>()) {
        auto copy = nn::ReshapeOp::create(builder, operand.get().getLoc(), operand.get().getType(),
                                          operand.get());
        SmallVector<Attribute> kernels;
        for (const Candidate &c : candidatesFor(copy, target))
          kernels.push_back(builder.getDictionaryAttr(builder.getNamedAttr(
              "kernel", builder.getStringAttr(c.kernel->getName()))));
        copy->setAttr("mcu.candidates", builder.getArrayAttr(kernels));
        operand.set(copy);
      }
  }

  /// The buffer of a tensor, made when it is first asked for.
  Value bufferFor(Value tensor) {
    if (Value known = buffers.lookup(tensor))
      return known;
    auto type = cast<RankedTensorType>(tensor.getType());
    Location loc = tensor.getLoc();
    Value buffer;
    if (auto constant = tensor.getDefiningOp<nn::ConstantOp>()) {
      buffer = mcu::ConstantOp::create(builder, loc, bufferType(type, mcu::Lifetime::Constant),
                                       layerName(loc), constant.getValue());
    } else if (std::optional<Run> run = aliases->lookup(tensor)) {
      mcu::BufferType aliasType = bufferType(type, lifetimeOf(tensor));
      int64_t elementBytes = (aliasType.getElementType().getIntOrFloatBitWidth() + 7) / 8;
      Value whole = bufferFor(run->whole);
      buffer = mcu::AliasOp::create(builder, loc, aliasType, whole,
                                    builder.getI64IntegerAttr(run->elementOffset * elementBytes));
    } else {
      buffer = mcu::BufferOp::create(builder, loc, bufferType(type, lifetimeOf(tensor)),
                                     layerName(loc), IntegerAttr(), IntegerAttr());
    }
    buffers[tensor] = buffer;
    return buffer;
  }

  mcu::Lifetime lifetimeOf(Value tensor) {
    bool returned = llvm::any_of(tensor.getUsers(), [](Operation *user) {
      return user->hasTrait<OpTrait::IsTerminator>();
    });
    return returned ? mcu::Lifetime::Output : mcu::Lifetime::Activation;
  }

  StringAttr layerName(Location loc) {
    if (auto named = dyn_cast<NameLoc>(loc))
      return named.getName();
    return builder.getStringAttr("");
  }

  //===-- Choice of kernels -----------------------------------------------------------------===//

  /// The candidates that are listed for `op`, priced.
  FailureOr<SmallVector<Candidate>> candidatesOf(nn::NNOperator op) {
    auto listed = op->getAttrOfType<ArrayAttr>("mcu.candidates");
    if (!listed || listed.empty())
      return op.emitError("has no candidates: run nn-list-candidates first");
    KernelQuery query = queryFor(op, target);
    SmallVector<Candidate> candidates;
    for (DictionaryAttr entry : listed.getAsRange<DictionaryAttr>()) {
      const Kernel *kernel = findKernel(entry.getAs<StringAttr>("kernel").getValue());
      std::optional<Candidate> candidate = kernel ? kernel->proposeOnTarget(query) : std::nullopt;
      if (candidate)
        candidates.push_back(std::move(*candidate));
    }
    if (candidates.empty())
      return op.emitError("none of its candidates can compute it");
    return candidates;
  }

  /// Chooses for all layers together.
  LogicalResult chooseKernels() {
    std::vector<LayerChoices> layers;
    SmallVector<nn::NNOperator> ops;
    SmallVector<SmallVector<Candidate>> candidates;
    llvm::DenseMap<Operation *, int64_t> live = liveBytes();
    for (Operation &op : function.getBody().front()) {
      auto layer = dyn_cast<nn::NNOperator>(op);
      if (!layer || aliases->movesNothing(layer))
        continue;
      FailureOr<SmallVector<Candidate>> listed = candidatesOf(layer);
      if (failed(listed))
        return failure();
      LayerChoices &choices = layers.emplace_back();
      choices.liveBytes = live.lookup(&op);
      for (const Candidate &candidate : *listed)
        choices.choices.push_back(choiceOf(candidate));
      ops.push_back(layer);
      candidates.push_back(std::move(*listed));
    }
    // What running one operator at a time may take beyond the tensors: scratch and stack.
    constexpr int64_t spareBytes = 3584;
    std::vector<size_t> selection = selectKernels(layers, objective, spareBytes);
    for (auto [i, op] : llvm::enumerate(ops)) {
      explain(op, candidates[i], selection[i]);
      chosen[op] = std::move(candidates[i][selection[i]]);
    }
    return success();
  }

  static KernelChoice choiceOf(const Candidate &candidate) {
    KernelChoice choice;
    choice.cycles = candidate.cycles;
    choice.ownBytes = candidate.flashBytes;
    for (const SharedCode &code : candidate.sharedCode) {
      choice.ownBytes -= code.bytes;
      choice.sharedCode.push_back({code.name, code.bytes});
    }
    choice.workBytes = candidate.scratchBytes() + candidate.stackBytes;
    return choice;
  }

  static std::string costText(const Candidate &c) {
    return llvm::formatv("{0}: {1} cycles estimated, {2} bytes of flash, {3} of scratch and stack",
                         c.kernel->getName(), c.cycles, c.flashBytes,
                         c.scratchBytes() + c.stackBytes);
  }
  /// A remark with the chosen kernel and those that it was preferred to.
  void explain(nn::NNOperator op, ArrayRef<Candidate> candidates, size_t best) {
    std::string others;
    for (auto [i, candidate] : llvm::enumerate(candidates))
      if (i != best)
        others += (others.empty() ? "; not " : "; ") + costText(candidate);
    remark::passed(op.getLoc(), remark::RemarkOpts::name("Kernel").category("kernel"))
        << remark::reason("{0}{1}", costText(candidates[best]), others);
  }

  /// Bytes of the tensors that are live while each operator runs.
  llvm::DenseMap<Operation *, int64_t> liveBytes() {
    struct Life {
      int64_t first, last, bytes;
    };
    llvm::MapVector<Value, Life> lives;
    auto touch = [&](Value tensor, int64_t step) {
      if (tensor.getDefiningOp<nn::ConstantOp>())
        return;
      Value root = aliases->rootOf(tensor);
      auto type = bufferType(cast<RankedTensorType>(root.getType()), mcu::Lifetime::Activation);
      auto entry = lives.insert({root, {step, step, type.getBytes()}}).first;
      entry->second.last = std::max(entry->second.last, step);
    };
    for (BlockArgument argument : function.getArguments())
      touch(argument, 0);
    llvm::DenseMap<Operation *, int64_t> bytes;
    int64_t step = 0;
    for (Operation &op : function.getBody().front()) {
      ++step;
      for (Value operand : op.getOperands())
        touch(operand, step);
      for (Value result : op.getResults())
        touch(result, step);
    }
    step = 0;
    for (Operation &op : function.getBody().front()) {
      ++step;
      for (auto &[root, life] : lives)
        if (life.first <= step && step <= life.last)
          bytes[&op] += life.bytes;
    }
    return bytes;
  }

  // The input whose bytes the only result can take over, if there is one.
  Value inPlaceBuffer(nn::NNOperator op, const Candidate &candidate) {
    for (unsigned position : candidate.inPlaceInputs) {
      Value operand = op->getOperand(position);
      bool isLastUse = llvm::all_of(operand.getUsers(), [&](Operation *user) {
        return user == op || user->isBeforeInBlock(op);
      });
      if (isLastUse && aliases->canTakeOver(op, position))
        return bufferFor(operand);
    }
    return {};
  }

  LogicalResult plan(nn::NNOperator op) {
    if (aliases->movesNothing(op))
      return success();
    const Candidate *candidate = &chosen.find(op)->second;

    SmallVector<Value> inputs, outputs, scratch;
    for (Value operand : op->getOperands())
      inputs.push_back(bufferFor(operand));
    if (Value shared = inPlaceBuffer(op, *candidate)) {
      Value result = op->getResult(0);
      buffers[result] = mcu::AliasOp::create(
          builder, op.getLoc(),
          bufferType(cast<RankedTensorType>(result.getType()), lifetimeOf(result)), shared,
          builder.getI64IntegerAttr(0));
    }
    for (Value result : op->getResults())
      outputs.push_back(bufferFor(result));
    for (const ScratchRequest &request : candidate->scratch) {
      TensorType type{request.element, {request.elements}, std::nullopt};
      scratch.push_back(mcu::BufferOp::create(
          builder, op.getLoc(),
          bufferType(nn::fromTensorType(builder.getContext(), type), mcu::Lifetime::Scratch),
          layerName(op.getLoc()), IntegerAttr(), IntegerAttr()));
    }

    auto stream = mcu::StreamOp::create(builder, op.getLoc(), builder.getI64IntegerAttr(layers++),
                                        layerName(op.getLoc()),
                                        builder.getI64IntegerAttr(candidate->rows));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&stream.getBody().emplaceBlock());
    auto kernel = mcu::KernelOp::create(builder, op.getLoc(),
                                        builder.getStringAttr(candidate->kernel->getName()), inputs,
                                        outputs, scratch, builder.getI64IntegerAttr(candidate->cycles),
                                        builder.getI64IntegerAttr(candidate->flashBytes));
    Block &body = kernel.getBody().emplaceBlock();
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, body.addArgument(operand.getType(), op.getLoc()));
    builder.setInsertionPointToStart(&body);
    // Operands that are one tensor twice have an argument each.
    Operation *clone = builder.clone(*op, mapping);
    clone->setOperands(body.getArguments());
    clone->removeAttr("mcu.candidates");
    mcu::YieldOp::create(builder, op.getLoc(), clone->getResults());
    return success();
  }

  func::FuncOp function;
  mcu::ProgramOp program;
  const Target &target;
  Objective objective;
  OpBuilder builder;
  llvm::DenseMap<Value, Value> buffers;
  std::optional<Aliases> aliases; // once constants are copied
  llvm::DenseMap<Operation *, Candidate> chosen;
  int64_t layers = 0;
};

struct PlanProgramPass : thimble::impl::PlanProgramBase<PlanProgramPass> {
  using PlanProgramBase::PlanProgramBase;

  void runOnOperation() override {
    const Target *known = findTarget(target);
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!known || !main) {
      getOperation().emitError() << (main ? "unknown target '" + target + "'"
                                          : std::string("has no function 'main'"));
      return signalPassFailure();
    }
    auto objective = llvm::StringSwitch<Objective>(optimize)
                         .Case("balanced", Objective::Balanced)
                         .Case("ram", Objective::Ram)
                         .Case("flash", Objective::Flash)
                         .Default(Objective::Speed);
    if (failed(Planner(main, name, *known, objective).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace thimble
