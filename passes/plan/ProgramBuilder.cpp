// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/plan/ProgramBuilder.h"

#include "dialects/nn/NNTypes.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

/// Builds a program from top to bottom.
class ProgramBuilder {
public:
  ProgramBuilder(Layers &layers, StringRef name)
      : layers(layers), function(layers.getFunction()), aliases(layers.getAliases()),
        builder(function) {
    program = mcu::ProgramOp::create(
        builder, function.getLoc(), builder.getStringAttr(name), IntegerAttr(), IntegerAttr(),
        function->getAttrOfType<IntegerAttr>("mcu.operator_bound"), ArrayAttr());
    builder.setInsertionPointToStart(&program.getBody().emplaceBlock());
  }

  mcu::ProgramOp build() {
    for (auto [i, argument] : llvm::enumerate(function.getArguments())) {
      auto type = cast<RankedTensorType>(argument.getType());
      buffers[argument] = mcu::InputOp::create(
          builder, function.getLoc(), bufferType(type, mcu::Lifetime::Input),
          builder.getI64IntegerAttr(static_cast<int64_t>(i)),
          nameAttr(function.getArgAttr(static_cast<unsigned>(i), "nn.name")),
          TypeAttr::get(typeOfCaller(argument)), countPushedRows(), IntegerAttr(), IntegerAttr());
    }
    MutableArrayRef<Layer> all = layers.all();
    for (size_t i = 0; i < all.size();)
      if (const Chain *chain = layers.chainAt(i)) {
        planChain(*chain);
        i = static_cast<size_t>(chain->end);
      } else {
        plan(all[i], static_cast<int64_t>(i));
        ++i;
      }
    Operation *terminator = function.getBody().front().getTerminator();
    for (auto [i, result] : llvm::enumerate(terminator->getOperands()))
      mcu::OutputOp::create(builder, function.getLoc(),
                            builder.getI64IntegerAttr(static_cast<int64_t>(i)),
                            nameAttr(function.getResultAttr(static_cast<unsigned>(i), "nn.name")),
                            bufferFor(result), TypeAttr::get(result.getType()));
    return program;
  }

private:
  StringAttr nameAttr(Attribute name) {
    auto text = dyn_cast_or_null<StringAttr>(name);
    return text ? text : builder.getStringAttr("");
  }

  /// The type that the model gives an input.
  Type typeOfCaller(BlockArgument argument) {
    auto type = function.getArgAttrOfType<TypeAttr>(argument.getArgNumber(), typeOfCallerAttr);
    return type ? type.getValue() : argument.getType();
  }

  /// The state that counts the rows of the input, where it arrives by rows.
  Value countPushedRows() {
    if (!layers.isInputByRows())
      return {};
    auto type = mcu::BufferType::get(builder.getContext(), {1}, builder.getI32Type(),
                                     mcu::Layout::Nhwc, mcu::Lifetime::State, 0);
    return ram(function.getLoc(), type, "rows pushed");
  }

  mcu::BufferType bufferType(RankedTensorType type, mcu::Lifetime lifetime) {
    Type storage = nn::storageType(type).getElementType();
    return mcu::BufferType::get(builder.getContext(), type.getShape(), storage, mcu::Layout::Nhwc,
                                lifetime, 0);
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
    } else if (std::optional<Run> run = aliases.lookup(tensor)) {
      mcu::BufferType aliasType = bufferType(type, lifetimeOf(tensor));
      int64_t elementBytes = (aliasType.getElementType().getIntOrFloatBitWidth() + 7) / 8;
      Value whole = bufferFor(run->whole);
      buffer = mcu::AliasOp::create(builder, loc, aliasType, whole,
                                    builder.getI64IntegerAttr(run->elementOffset * elementBytes));
    } else {
      buffer = ram(loc, bufferType(type, lifetimeOf(tensor)), layerName(loc));
    }
    buffers[tensor] = buffer;
    return buffer;
  }

  mcu::Lifetime lifetimeOf(Value tensor) {
    bool returned = llvm::any_of(
        tensor.getUsers(), [](Operation *user) { return user->hasTrait<OpTrait::IsTerminator>(); });
    return returned ? mcu::Lifetime::Output : mcu::Lifetime::Activation;
  }

  StringAttr layerName(Location loc) {
    if (auto named = dyn_cast<NameLoc>(loc))
      return named.getName();
    return builder.getStringAttr("");
  }

  // The input whose bytes the only result can take over, if there is one.
  Value inPlaceBuffer(nn::NNOperator op, const Candidate &candidate) {
    for (unsigned position : candidate.inPlaceInputs) {
      Value operand = op->getOperand(position);
      bool isLastUse = llvm::all_of(operand.getUsers(), [&](Operation *user) {
        return user == op || user->isBeforeInBlock(op);
      });
      if (isLastUse && aliases.canTakeOver(op, position))
        return bufferFor(operand);
    }
    return {};
  }

  //===-- Whole tensors ---------------------------------------------------------------------===//

  void plan(Layer &layer, int64_t index) {
    nn::NNOperator op = layer.op;
    const Candidate &candidate = layer.kernel();
    SmallVector<Value> inputs, outputs, scratch;
    for (Value operand : op->getOperands())
      inputs.push_back(bufferFor(operand));
    if (Value shared = inPlaceBuffer(op, candidate)) {
      Value result = op->getResult(0);
      buffers[result] = mcu::AliasOp::create(
          builder, op.getLoc(),
          bufferType(cast<RankedTensorType>(result.getType()), lifetimeOf(result)), shared,
          builder.getI64IntegerAttr(0));
    }
    for (Value result : op->getResults())
      outputs.push_back(bufferFor(result));
    for (const ScratchRequest &request : candidate.scratch)
      scratch.push_back(ram(op.getLoc(), scratchType(request)));
    auto stream = mcu::StreamOp::create(builder, op.getLoc(), DenseI32ArrayAttr(), Value(),
                                        FlatSymbolRefAttr());
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&stream.getBody().emplaceBlock());
    addKernel(op, layer, index, inputs, outputs, scratch, Rows());
  }

  /// How a stage goes through its inputs and outputs.
  struct Rows {
    DenseI64ArrayAttr first, advance, extent;
  };

  /// A stage for `op`, which is the layer's operator or its tile.
  void addKernel(nn::NNOperator op, Layer &layer, int64_t index, ValueRange inputs,
                 ValueRange outputs, ValueRange scratch, const Rows &rows) {
    const Candidate &candidate = layer.kernel();
    Location loc = layer.op.getLoc();
    auto kernel =
        mcu::KernelOp::create(builder, loc, builder.getI64IntegerAttr(index), layerName(loc),
                              builder.getStringAttr(candidate.kernel->getName()),
                              builder.getI64IntegerAttr(candidate.rows), inputs, outputs, scratch,
                              builder.getI64IntegerAttr(candidate.cycles * layer.firings),
                              builder.getI64IntegerAttr(candidate.flashBytes),
                              candidate.eachRow ? builder.getUnitAttr() : UnitAttr(), rows.first,
                              rows.advance, rows.extent);
    Block &body = kernel.getBody().emplaceBlock();
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&body);
    // Operands that are one tensor twice have an argument each.
    Operation *clone = builder.clone(*op);
    for (OpOperand &operand : clone->getOpOperands())
      operand.set(body.addArgument(operand.get().getType(), loc));
    clone->removeAttr("mcu.candidates");
    mcu::YieldOp::create(builder, loc, clone->getResults());
  }

  mcu::BufferType scratchType(const ScratchRequest &request,
                              mcu::Lifetime lifetime = mcu::Lifetime::Scratch) {
    TensorType type{request.element, {request.elements}, std::nullopt};
    return bufferType(nn::fromTensorType(builder.getContext(), type), lifetime);
  }

  mcu::BufferOp ram(Location loc, mcu::BufferType type) { return ram(loc, type, layerName(loc)); }
  mcu::BufferOp ram(Location loc, mcu::BufferType type, StringRef name) {
    return mcu::BufferOp::create(builder, loc, type, builder.getStringAttr(name), UnitAttr(),
                                 IntegerAttr(), IntegerAttr());
  }

  //===-- Chains ----------------------------------------------------------------------------===//

  /// The rings of a chain, and the scratch that its kernels use in turn.
  struct ChainBuffers {
    llvm::DenseMap<int, Value> rings;
    Value scratch;
    SmallVector<SmallVector<Value, 1>> scratchOf; // by stage
  };

  void planChain(const Chain &chain) {
    Location loc = layers.all()[static_cast<size_t>(chain.begin)].op.getLoc();
    ChainBuffers own;
    for (const auto &[number, depth] : chain.rings) {
      Value tensor = layers.tensor(number);
      mcu::BufferType whole =
          bufferType(cast<RankedTensorType>(tensor.getType()), mcu::Lifetime::Activation);
      own.rings[number] =
          ram(tensor.getLoc(),
              mcu::BufferType::get(builder.getContext(), whole.getShape(), whole.getElementType(),
                                   mcu::Layout::Nhwc, mcu::Lifetime::Activation, depth));
    }
    addScratch(chain, own);
    // Whole tensors that it touches have their buffers before the stream.
    for (const ChainStage &stage : chain.stages) {
      for (const ChainStage::Operand &input : stage.inputs)
        (void)bufferOf(input, own);
      (void)bufferOf(stage.output, own);
      if (stage.kind == ChainStage::Kind::Kernel)
        for (Value operand : layerOf(stage).op->getOperands())
          if (operand.getDefiningOp<nn::ConstantOp>())
            (void)bufferFor(operand);
    }
    auto positions = ram(loc, positionsType(1), "positions");
    auto stream = mcu::StreamOp::create(builder, loc, builder.getDenseI32ArrayAttr(chain.schedule),
                                        positions, FlatSymbolRefAttr());
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&stream.getBody().emplaceBlock());
    for (auto [i, stage] : llvm::enumerate(chain.stages))
      addStage(stage, own, own.scratchOf[i]);
    positions.getBuffer().setType(positionsType(mcu::Positions(stream).size()));
  }

  mcu::BufferType positionsType(int64_t slots) {
    return mcu::BufferType::get(builder.getContext(), {slots}, builder.getI32Type(),
                                mcu::Layout::Nhwc, mcu::Lifetime::Activation, 0);
  }

  Layer &layerOf(const ChainStage &stage) { return layers.all()[static_cast<size_t>(stage.op)]; }

  Value bufferOf(const ChainStage::Operand &operand, const ChainBuffers &own) {
    return operand.isRing ? own.rings.lookup(operand.tensor)
                          : bufferFor(layers.tensor(operand.tensor));
  }

  /// One buffer for all kernels that need their scratch only while they run.
  void addScratch(const Chain &chain, ChainBuffers &own) {
    constexpr int64_t alignment = 8;
    SmallVector<SmallVector<int64_t, 1>> offsets;
    int64_t most = 0;
    for (const ChainStage &stage : chain.stages) {
      int64_t end = 0;
      offsets.emplace_back();
      if (stage.kind == ChainStage::Kind::Kernel && !stage.reduces)
        for (const ScratchRequest &request : layerOf(stage).kernel().scratch) {
          end = llvm::alignTo(end, alignment);
          offsets.back().push_back(end);
          end += request.bytes();
        }
      most = std::max(most, end);
    }
    own.scratchOf.resize(chain.stages.size());
    for (auto [i, stage] : llvm::enumerate(chain.stages))
      if (stage.reduces)
        for (const ScratchRequest &request : layerOf(stage).kernel().scratch)
          // What is kept from firing to firing is no scratch.
          own.scratchOf[i].push_back(
              ram(layerOf(stage).op.getLoc(), scratchType(request, mcu::Lifetime::Activation)));
    if (most == 0)
      return;
    Location loc = layers.all()[static_cast<size_t>(chain.begin)].op.getLoc();
    own.scratch = ram(loc, scratchType({ElementType::Int8, most}));
    for (auto [i, stage] : llvm::enumerate(chain.stages))
      for (auto [k, offset] : llvm::enumerate(offsets[i]))
        own.scratchOf[i].push_back(
            mcu::AliasOp::create(builder, loc, scratchType(layerOf(stage).kernel().scratch[k]),
                                 own.scratch, builder.getI64IntegerAttr(offset)));
  }

  void addStage(const ChainStage &stage, const ChainBuffers &own, ValueRange scratch) {
    Location loc = program.getLoc();
    Value output = bufferOf(stage.output, own);
    if (stage.kind == ChainStage::Kind::CopyRows) {
      mcu::CopyRowsOp::create(builder, loc, bufferOf(stage.inputs.front(), own), output,
                              builder.getI64IntegerAttr(stage.height));
    } else if (stage.kind == ChainStage::Kind::FillRows) {
      mcu::FillRowsOp::create(
          builder, loc, output,
          builder.getI64IntegerAttr(paddingByte(layers.tensor(stage.output.tensor))),
          builder.getI64IntegerAttr(stage.height));
    } else {
      addTile(stage, own, output, scratch);
    }
  }

  void addTile(const ChainStage &stage, const ChainBuffers &own, Value output, ValueRange scratch) {
    Layer &layer = layerOf(stage);
    SmallVector<Value> inputs;
    SmallVector<int64_t> first, advance, extent;
    for (OpOperand &operand : layer.op->getOpOperands()) {
      const auto walked = llvm::find_if(stage.inputs, [&](const ChainStage::Operand &input) {
        return input.operand == operand.getOperandNumber();
      });
      const bool isWalked = walked != stage.inputs.end();
      inputs.push_back(isWalked ? bufferOf(*walked, own) : bufferFor(operand.get()));
      first.push_back(isWalked ? walked->first : 0);
      advance.push_back(isWalked ? walked->advance : 0);
      extent.push_back(isWalked && walked->advance != 0 ? walked->needs : 0);
    }
    first.push_back(stage.output.first);
    advance.push_back(stage.output.advance);
    extent.push_back(stage.output.advance);
    addKernel(layers.tileOf(layer), layer, stage.op, inputs, output, scratch,
              {builder.getDenseI64ArrayAttr(first), builder.getDenseI64ArrayAttr(advance),
               builder.getDenseI64ArrayAttr(extent)});
  }

  Layers &layers;
  func::FuncOp function;
  const Aliases &aliases;
  OpBuilder builder;
  mcu::ProgramOp program;
  llvm::DenseMap<Value, Value> buffers;
};

} // namespace

mcu::ProgramOp buildProgram(Layers &layers, StringRef name) {
  return ProgramBuilder(layers, name).build();
}

} // namespace thimble
