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
  /// Takes row `number` of the input.
  void take(Value *arena, Value *row, Value *number);
  Value *at(Value *arena, int64_t offset) {
    if (offset == 0)
      return arena;
    return builder.CreateConstInBoundsGEP1_32(builder.getInt8Ty(), arena, offset);
  }

  void init();
  void initRegions();
  void accessor(const Twine &suffix, const thimble::emit::TensorInfo &tensor);
  Value *rowCounter(Value *arena) { return at(arena, program.pushed->counter); }
  void pushRows();
  void invoke(bool instrument);
  void callHook(Value *arena, const thimble::emit::LayerCall &call);

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

void ApiBuilder::init() {
  Value *arena = start("init", word, "arena");
  checkArena(arena);
  for (const thimble::emit::StateRange &state : program.states)
    builder.CreateMemSet(at(arena, state.offset), builder.getInt8(0), state.bytes, MaybeAlign());
  returnStatus(THIMBLE_OK);
}

void ApiBuilder::initRegions() {
  Value *regions = start("init_regions", word, "regions");
  returnIf(builder.CreateIsNull(regions), THIMBLE_ERROR_NULL);
  Value *arena = builder.CreateAlignedLoad(pointer, regions, Align(4));
  builder.CreateRet(builder.CreateCall(module.getFunction(program.name + "_init"), {arena}));
}

void ApiBuilder::accessor(const Twine &suffix, const thimble::emit::TensorInfo &tensor) {
  Value *arena = start(suffix, pointer, "arena");
  builder.CreateRet(at(arena, tensor.offset));
}

void ApiBuilder::callHook(Value *arena, const thimble::emit::LayerCall &call) {
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
          builder.CreateCall(hook, {arena, builder.getInt16(call.index), at(arena, argument.offset),
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
  checkArena(arena);
  returnIf(builder.CreateIsNull(rows), THIMBLE_ERROR_NULL);
  const thimble::emit::PushedInput &pushed = *program.pushed;
  Value *first = builder.CreateAlignedLoad(word, rowCounter(arena), Align(4));
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
  take(arena, row, builder.CreateAdd(first, done));
  Value *next = builder.CreateAdd(done, builder.getInt32(1));
  builder.CreateAlignedStore(builder.CreateAdd(first, next), rowCounter(arena), Align(4));
  done->addIncoming(next, body);
  builder.CreateBr(loop);
  builder.SetInsertPoint(end);
  returnStatus(THIMBLE_OK);
}

void ApiBuilder::take(Value *arena, Value *row, Value *number) {
  for (const thimble::emit::Step &step : program.steps)
    if (step.takesRows) {
      builder.CreateCall(own(step.driver), {arena, row, number});
      return;
    }
  const int64_t bytes = program.pushed->rowBytes;
  Value *place =
      builder.CreateInBoundsGEP(builder.getInt8Ty(), at(arena, program.inputs.front().offset),
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
  Value *arena = start("invoke", word, "arena");
  checkArena(arena);
  if (program.pushed) {
    Value *pushed = builder.CreateAlignedLoad(word, rowCounter(arena), Align(4));
    returnIf(builder.CreateICmpNE(pushed, builder.getInt32(program.pushed->rows)),
             THIMBLE_ERROR_ROWS);
    builder.CreateAlignedStore(builder.getInt32(0), rowCounter(arena), Align(4));
  }
  for (const thimble::emit::LayerCall &call : program.calls)
    own(call.function);
  for (const thimble::emit::Step &step : program.steps) {
    if (step.takesRows)
      continue; // by then it has run
    if (step.driver) {
      builder.CreateCall(own(step.driver), {arena});
      continue;
    }
    const thimble::emit::LayerCall &call = program.calls[step.firstCall];
    Function *function = own(call.function);
    SmallVector<Value *> arguments;
    for (const thimble::emit::BufferArgument &argument : call.arguments)
      arguments.push_back(at(arena, argument.offset));
    builder.CreateCall(function, arguments);
    if (instrument)
      callHook(arena, call);
  }
  returnStatus(THIMBLE_OK);
}

void ApiBuilder::build(bool instrument) {
  init();
  initRegions();
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
