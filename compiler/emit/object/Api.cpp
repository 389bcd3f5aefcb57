// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/Api.h"

#include "dialects/mcu/MCUOps.h"
#include "runtime/thimble_types.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace {

class ApiBuilder {
public:
  ApiBuilder(Module &module, const thimble::emit::Program &program)
      : module(module), program(program), builder(module.getContext()), pointer(builder.getPtrTy()),
        word(builder.getInt32Ty()) {}

  void build(bool instrument);

private:
  /// Starts the API function NAME_<suffix>, which takes a pointer, and `more`.
  Argument *start(const Twine &suffix, Type *result, StringRef argument,
                  ArrayRef<Type *> more = {});
  /// Returns `status` where `failed` holds; goes on where not.
  void returnIf(Value *failed, thimble_status status);
  void returnStatus(thimble_status status) {
    builder.CreateRet(ConstantInt::getSigned(word, status));
  }
  /// Returns an error where the arena is null or not aligned.
  void checkArena(Value *arena);
  Function *own(mlir::func::FuncOp layer);
  /// Where each region of RAM begins.
  using Bases = SmallVector<Value *>;
  /// Takes row `number` of the input.
  void take(const Bases &bases, Value *row, Value *number);
  Value *at(Value *base, int64_t offset) {
    if (offset == 0)
      return base;
    return builder.CreateConstInBoundsGEP1_32(builder.getInt8Ty(), base, offset);
  }
  /// The place of a region's address in the arena.
  Value *slotOf(Value *arena, size_t region) {
    return at(arena, thimble::emit::regionSlot(region));
  }
  Value *baseOf(Value *arena, size_t region) {
    return region == 0 ? arena
                       : builder.CreateAlignedLoad(pointer, slotOf(arena, region), Align(4));
  }
  /// Checks the arena and what it says of the regions.
  Bases checkedBases(Value *arena);
  void clearStates(const Bases &bases);

  void init();
  void initRegions();
  void refuseInit();
  void initSeveral();
  void accessor(const Twine &suffix, const thimble::emit::TensorInfo &tensor);
  Value *rowCounter(const Bases &bases) {
    return at(bases[program.pushed->region], program.pushed->counter);
  }
  void pushRows();
  void invoke(bool instrument);
  void callHook(const Bases &bases, const thimble::emit::LayerCall &call);

  Module &module;
  const thimble::emit::Program &program;
  IRBuilder<> builder;
  PointerType *pointer;
  IntegerType *word;
};

} // namespace

Argument *ApiBuilder::start(const Twine &suffix, Type *result, StringRef argument,
                            ArrayRef<Type *> more) {
  SmallVector<Type *> types{pointer};
  llvm::append_range(types, more);
  auto *type = FunctionType::get(result, types, /*isVarArg=*/false);
  auto *function = Function::Create(type, GlobalValue::ExternalLinkage,
                                    Twine(program.name) + "_" + suffix, module);
  function->addFnAttr(Attribute::NoUnwind);
  function->getArg(0)->setName(argument);
  builder.SetInsertPoint(BasicBlock::Create(module.getContext(), "entry", function));
  return function->getArg(0);
}

void ApiBuilder::returnIf(Value *failed, thimble_status status) {
  Function *function = builder.GetInsertBlock()->getParent();
  auto *bad = BasicBlock::Create(module.getContext(), "bad", function);
  auto *good = BasicBlock::Create(module.getContext(), "good", function);
  builder.CreateCondBr(failed, bad, good);
  builder.SetInsertPoint(bad);
  returnStatus(status);
  builder.SetInsertPoint(good);
}

void ApiBuilder::checkArena(Value *arena) {
  returnIf(builder.CreateIsNull(arena), THIMBLE_ERROR_NULL);
  Value *address = builder.CreatePtrToInt(arena, word);
  Value *misaligned =
      builder.CreateIsNotNull(builder.CreateAnd(address, thimble::emit::arenaAlign - 1));
  returnIf(misaligned, THIMBLE_ERROR_ALIGNMENT);
}

ApiBuilder::Bases ApiBuilder::checkedBases(Value *arena) {
  checkArena(arena);
  Bases bases{arena};
  for (size_t region = 1; region < program.regions.size(); ++region) {
    bases.push_back(baseOf(arena, region));
    returnIf(builder.CreateIsNull(bases.back()), THIMBLE_ERROR_STATE);
  }
  return bases;
}

void ApiBuilder::clearStates(const Bases &bases) {
  for (const thimble::emit::StateRange &state : program.states)
    builder.CreateMemSet(at(bases[state.region], state.offset), builder.getInt8(0), state.bytes,
                         MaybeAlign());
}

void ApiBuilder::init() {
  Value *arena = start("init", word, "arena");
  checkArena(arena);
  clearStates({arena});
  returnStatus(THIMBLE_OK);
}

void ApiBuilder::initRegions() {
  Value *regions = start("init_regions", word, "regions");
  returnIf(builder.CreateIsNull(regions), THIMBLE_ERROR_NULL);
  Value *arena = builder.CreateAlignedLoad(pointer, regions, Align(4));
  builder.CreateRet(builder.CreateCall(module.getFunction(program.name + "_init"), {arena}));
}

/// NAME_init of a model of several regions.
void ApiBuilder::refuseInit() {
  Value *arena = start("init", word, "arena");
  returnIf(builder.CreateIsNull(arena), THIMBLE_ERROR_NULL);
  returnStatus(THIMBLE_ERROR_REGIONS);
}

/// NAME_init_regions of such a model.
void ApiBuilder::initSeveral() {
  Value *regions = start("init_regions", word, "regions");
  returnIf(builder.CreateIsNull(regions), THIMBLE_ERROR_NULL);
  Bases bases;
  for (size_t k = 0; k < program.regions.size(); ++k) {
    Value *entry = builder.CreateConstInBoundsGEP1_32(pointer, regions, static_cast<unsigned>(k));
    bases.push_back(builder.CreateAlignedLoad(pointer, entry, Align(4)));
    checkArena(bases.back());
  }
  for (size_t k = 1; k < bases.size(); ++k)
    builder.CreateAlignedStore(bases[k], slotOf(bases[0], k), Align(4));
  clearStates(bases);
  returnStatus(THIMBLE_OK);
}

void ApiBuilder::accessor(const Twine &suffix, const thimble::emit::TensorInfo &tensor) {
  Value *arena = start(suffix, pointer, "arena");
  builder.CreateRet(at(baseOf(arena, tensor.region), tensor.offset));
}

void ApiBuilder::callHook(const Bases &bases, const thimble::emit::LayerCall &call) {
  auto *half = builder.getInt16Ty();
  auto *type = FunctionType::get(builder.getVoidTy(), {pointer, half, pointer, half, word}, false);
  FunctionCallee hook = module.getOrInsertFunction("thimble_layer_hook", type);
  // AAPCS: the caller extends narrow arguments.
  cast<Function>(hook.getCallee())->addParamAttr(1, Attribute::ZExt);
  cast<Function>(hook.getCallee())->addParamAttr(3, Attribute::ZExt);
  for (const thimble::emit::BufferArgument &argument : call.arguments) {
    mlir::Value root = thimble::mcu::resolve(argument.buffer).root;
    auto lifetime = cast<thimble::mcu::BufferType>(root.getType()).getLifetime();
    if (argument.written && lifetime != thimble::mcu::Lifetime::Scratch) {
      CallInst *inst =
          builder.CreateCall(hook, {bases.front(), builder.getInt16(call.index),
                                    at(bases[argument.region], argument.offset),
                                    builder.getInt16(0), builder.getInt32(argument.bytes)});
      inst->addParamAttr(1, Attribute::ZExt);
      inst->addParamAttr(3, Attribute::ZExt);
    }
  }
}

/// LLVM's schedulers take time quadratic in the length of a block, and a layer of thousands of
/// operands is one block, as is the call that passes them: such code is left unscheduled.
static void keepCompileTimeLinear(Function &layer, Function &caller) {
  constexpr size_t mostScheduledArguments = 512;
  if (layer.arg_size() > mostScheduledArguments)
    for (Function *function : {&layer, &caller}) {
      function->addFnAttr(Attribute::NoInline); // optnone demands it
      function->addFnAttr(Attribute::OptimizeNone);
    }
}

// The rows are a loop that the stream's driver, or a copy to the input's place, is the body of.
void ApiBuilder::pushRows() {
  Value *arena = start("push_rows", word, "arena", {pointer, word});
  Function *function = builder.GetInsertBlock()->getParent();
  Value *rows = function->getArg(1), *count = function->getArg(2);
  const Bases bases = checkedBases(arena);
  returnIf(builder.CreateIsNull(rows), THIMBLE_ERROR_NULL);
  const thimble::emit::PushedInput &pushed = *program.pushed;
  Value *first = builder.CreateAlignedLoad(word, rowCounter(bases), Align(4));
  Value *left = builder.CreateSub(builder.getInt32(pushed.rows), first);
  returnIf(builder.CreateICmpUGT(count, left), THIMBLE_ERROR_ROWS);

  BasicBlock *before = builder.GetInsertBlock();
  auto *loop = BasicBlock::Create(module.getContext(), "loop", function);
  auto *body = BasicBlock::Create(module.getContext(), "body", function);
  auto *end = BasicBlock::Create(module.getContext(), "end", function);
  builder.CreateBr(loop);
  builder.SetInsertPoint(loop);
  PHINode *done = builder.CreatePHI(word, 2);
  done->addIncoming(builder.getInt32(0), before);
  builder.CreateCondBr(builder.CreateICmpULT(done, count), body, end);
  builder.SetInsertPoint(body);
  Value *row = builder.CreateInBoundsGEP(
      builder.getInt8Ty(), rows, builder.CreateMul(done, builder.getInt32(pushed.rowBytes)));
  take(bases, row, builder.CreateAdd(first, done));
  Value *next = builder.CreateAdd(done, builder.getInt32(1));
  builder.CreateAlignedStore(builder.CreateAdd(first, next), rowCounter(bases), Align(4));
  done->addIncoming(next, body);
  builder.CreateBr(loop);
  builder.SetInsertPoint(end);
  returnStatus(THIMBLE_OK);
}

void ApiBuilder::take(const Bases &bases, Value *row, Value *number) {
  for (const thimble::emit::Step &step : program.steps)
    if (step.takesRows) {
      Bases arguments = bases;
      arguments.append({row, number});
      builder.CreateCall(own(step.driver), arguments);
      return;
    }
  const int64_t bytes = program.pushed->rowBytes;
  const thimble::emit::TensorInfo &input = program.inputs.front();
  Value *place =
      builder.CreateInBoundsGEP(builder.getInt8Ty(), at(bases[input.region], input.offset),
                                builder.CreateMul(number, builder.getInt32(bytes)));
  builder.CreateMemCpy(place, MaybeAlign(), row, MaybeAlign(), bytes);
}

// A function a layer, so that code size, stack and profiles are the layer's own.
Function *ApiBuilder::own(mlir::func::FuncOp layer) {
  Function *function = module.getFunction(layer.getSymName());
  function->addFnAttr(Attribute::NoInline);
  keepCompileTimeLinear(*function, *builder.GetInsertBlock()->getParent());
  return function;
}

void ApiBuilder::invoke(bool instrument) {
  const Bases bases = checkedBases(start("invoke", word, "arena"));
  if (program.pushed) {
    Value *pushed = builder.CreateAlignedLoad(word, rowCounter(bases), Align(4));
    returnIf(builder.CreateICmpNE(pushed, builder.getInt32(program.pushed->rows)),
             THIMBLE_ERROR_ROWS);
    builder.CreateAlignedStore(builder.getInt32(0), rowCounter(bases), Align(4));
  }
  for (const thimble::emit::LayerCall &call : program.calls)
    own(call.function);
  for (const thimble::emit::Step &step : program.steps) {
    if (step.takesRows)
      continue; // by then it has run
    if (step.driver) {
      builder.CreateCall(own(step.driver), bases);
      continue;
    }
    const thimble::emit::LayerCall &call = program.calls[step.firstCall];
    Function *function = own(call.function);
    SmallVector<Value *> arguments;
    for (const thimble::emit::BufferArgument &argument : call.arguments)
      arguments.push_back(at(bases[argument.region], argument.offset));
    builder.CreateCall(function, arguments);
    if (instrument)
      callHook(bases, call);
  }
  returnStatus(THIMBLE_OK);
}

void ApiBuilder::build(bool instrument) {
  if (program.hasRegions()) {
    refuseInit();
    initSeveral();
  } else {
    init();
    initRegions();
  }
  if (program.pushed)
    pushRows();
  else
    for (auto [k, tensor] : llvm::enumerate(program.inputs))
      accessor("input_" + Twine(k), tensor);
  for (auto [k, tensor] : llvm::enumerate(program.outputs))
    accessor("output_" + Twine(k), tensor);
  invoke(instrument);
}

void thimble::object::addApi(Module &module, const emit::Program &program, bool instrument) {
  ApiBuilder(module, program).build(instrument);
}
