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
  /// Starts the API function NAME_<suffix>, which takes one pointer.
  Argument *start(const Twine &suffix, Type *result, StringRef argument);
  /// Returns `status` where `failed` holds; goes on where not.
  void returnIf(Value *failed, thimble_status status);
  void returnStatus(thimble_status status) {
    builder.CreateRet(ConstantInt::getSigned(word, status));
  }
  Value *at(Value *arena, int64_t offset) {
    if (offset == 0)
      return arena;
    return builder.CreateConstInBoundsGEP1_32(builder.getInt8Ty(), arena, offset);
  }
  Value *slotOf(Value *arena, size_t region) {
    return at(arena, thimble::emit::regionSlot(region));
  }
  /// The base of a region, from the arena's table where it is not the arena.
  Value *baseOf(Value *arena, size_t region) {
    return region == 0 ? arena
                       : builder.CreateAlignedLoad(pointer, slotOf(arena, region), Align(4));
  }
  void checkArena(Value *arena);
  void clearStates(ArrayRef<Value *> bases);

  void init();
  void initRegions();
  void refuseInit();
  void initSeveral();
  void accessor(const Twine &suffix, const thimble::emit::TensorInfo &tensor);
  void invoke(bool instrument);
  void callHook(ArrayRef<Value *> bases, const thimble::emit::LayerCall &call);

  Module &module;
  const thimble::emit::Program &program;
  IRBuilder<> builder;
  PointerType *pointer;
  IntegerType *word;
};

} // namespace

Argument *ApiBuilder::start(const Twine &suffix, Type *result, StringRef argument) {
  auto *type = FunctionType::get(result, {pointer}, /*isVarArg=*/false);
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

void ApiBuilder::clearStates(ArrayRef<Value *> bases) {
  for (const thimble::emit::StateRange &state : program.states)
    builder.CreateMemSet(at(bases[state.region], state.offset), builder.getInt8(0), state.bytes,
                         MaybeAlign());
}

void ApiBuilder::init() {
  Value *arena = start("init", word, "arena");
  checkArena(arena);
  clearStates(arena);
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
  SmallVector<Value *> bases;
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

void ApiBuilder::callHook(ArrayRef<Value *> bases, const thimble::emit::LayerCall &call) {
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
                                    at(bases[argument.region], argument.offset), builder.getInt16(0), builder.getInt32(argument.bytes)});
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

void ApiBuilder::invoke(bool instrument) {
  Value *arena = start("invoke", word, "arena");
  returnIf(builder.CreateIsNull(arena), THIMBLE_ERROR_NULL);
  SmallVector<Value *> bases;
  for (size_t region = 0; region < program.regions.size(); ++region) {
    bases.push_back(baseOf(arena, region));
    if (region > 0)
      returnIf(builder.CreateIsNull(bases.back()), THIMBLE_ERROR_STATE);
  }
  // A function a layer, so that code size, stack and profiles are the layer's own.
  auto own = [&](mlir::func::FuncOp layer) {
    Function *function = module.getFunction(layer.getSymName());
    function->addFnAttr(Attribute::NoInline);
    keepCompileTimeLinear(*function, *builder.GetInsertBlock()->getParent());
    return function;
  };
  for (const thimble::emit::LayerCall &call : program.calls)
    own(call.function);
  for (const thimble::emit::Step &step : program.steps) {
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
  for (auto [k, tensor] : llvm::enumerate(program.inputs))
    accessor("input_" + Twine(k), tensor);
  for (auto [k, tensor] : llvm::enumerate(program.outputs))
    accessor("output_" + Twine(k), tensor);
  invoke(instrument);
}

void thimble::object::addApi(Module &module, const emit::Program &program, bool instrument) {
  ApiBuilder(module, program).build(instrument);
}
