// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/analysis/Aliases.h"
#include "passes/kernels/Kernel.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringSwitch.h"

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
  Planner(func::FuncOp function, StringRef name, const Target &target, StringRef objective)
      : function(function), target(target), objective(objective), builder(function) {
    program = mcu::ProgramOp::create(builder, function.getLoc(), builder.getStringAttr(name),
                                     IntegerAttr(), IntegerAttr());
    builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
  }

  LogicalResult run() {
    copyConstantResults();
    aliases.emplace(function);
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

  /// The listed candidate that the objective prefers.
  FailureOr<Candidate> choose(nn::NNOperator op) {
    auto listed = op->getAttrOfType<ArrayAttr>("mcu.candidates");
    if (!listed || listed.empty())
      return op.emitError("has no candidates: run nn-list-candidates first");
    KernelQuery query = queryFor(op, target);
    std::optional<Candidate> best;
    for (DictionaryAttr entry : listed.getAsRange<DictionaryAttr>()) {
      const Kernel *kernel = findKernel(entry.getAs<StringAttr>("kernel").getValue());
      std::optional<Candidate> candidate = kernel ? kernel->propose(query) : std::nullopt;
      if (!candidate)
        continue;
      candidate->kernel = kernel;
      if (!best || cost(*candidate) < cost(*best))
        best = std::move(candidate);
    }
    if (!best)
      return op.emitError("none of its candidates can compute it");
    remark::passed(op.getLoc(), remark::RemarkOpts::name("Kernel").category("kernel"))
        << remark::reason("{0}: {1} cycles estimated, {2} bytes of flash, of {3} candidates",
                          best->kernel->getName(), best->cycles, best->flashBytes, listed.size());
    return *best;
  }

  std::pair<double, double> cost(const Candidate &c) const {
    double cycles = static_cast<double>(c.cycles), flash = static_cast<double>(c.flashBytes);
    if (objective == "flash")
      return {flash, cycles};
    if (objective == "ram")
      return {static_cast<double>(c.scratchBytes()), cycles};
    if (objective == "balanced")
      return {cycles * flash, cycles};
    return {cycles, flash};
  }

  // The input whose bytes the only result can take over, if there is one.
  Value inPlaceBuffer(nn::NNOperator op, const Candidate &candidate) {
    if (op->getNumResults() != 1 || aliases->isAlias(op->getResult(0)))
      return {};
    for (unsigned position : candidate.inPlaceInputs) {
      Value operand = op->getOperand(position);
      if (operand.getDefiningOp<nn::ConstantOp>() || aliases->isAlias(operand) ||
          aliases->isAliased(operand))
        continue;
      bool isLastUse = llvm::all_of(operand.getUsers(), [&](Operation *user) {
        return user == op || user->isBeforeInBlock(op);
      });
      bool twice = llvm::count(op->getOperands(), operand) > 1;
      Value buffer = bufferFor(operand);
      auto source = cast<mcu::BufferType>(buffer.getType());
      auto result = bufferType(cast<RankedTensorType>(op->getResult(0).getType()),
                               mcu::Lifetime::Activation);
      // The operand is all of its root: nothing else lives there.
      auto root = cast<mcu::BufferType>(mcu::resolve(buffer).root.getType());
      if (isLastUse && !twice && root.getBytes() == source.getBytes() &&
          source.getBytes() == result.getBytes())
        return buffer;
    }
    return {};
  }

  LogicalResult plan(nn::NNOperator op) {
    if (aliases->movesNothing(op))
      return success();
    FailureOr<Candidate> candidate = choose(op);
    if (failed(candidate))
      return failure();

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
  StringRef objective;
  OpBuilder builder;
  llvm::DenseMap<Value, Value> buffers;
  std::optional<Aliases> aliases; // once constants are copied
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
    if (failed(Planner(main, name, *known, optimize).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace thimble
