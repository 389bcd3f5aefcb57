// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/ConvertToLLVM.h"

#include "compiler/emit/Assembly.h"
#include "dialects/m4/M4Ops.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;

namespace {

/// Bytes of an element of a buffer in memory.
unsigned elementBytes(Type type) { return (type.getIntOrFloatBitWidth() + 7) / 8; }

/// The address of element `index` of the buffer of type `type` at `base`.
Value elementAddress(OpBuilder &builder, Location loc, Type elementType, Value base, Value index) {
  return LLVM::GEPOp::create(builder, loc, base.getType(), elementType, base,
                             ArrayRef<LLVM::GEPArg>{index}, LLVM::GEPNoWrapFlags::inbounds);
}

//===-- Buffers -----------------------------------------------------------------------------===//

struct ConvertLoad : ConvertOpToLLVMPattern<memref::LoadOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(memref::LoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (adaptor.getIndices().size() != 1)
      return rewriter.notifyMatchFailure(op, "expects a buffer of rank 1");
    Type type = op.getType();
    Value address = elementAddress(rewriter, op.getLoc(), type, adaptor.getMemref(),
                                   adaptor.getIndices().front());
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(op, type, address, elementBytes(type));
    return success();
  }
};

struct ConvertStore : ConvertOpToLLVMPattern<memref::StoreOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(memref::StoreOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (adaptor.getIndices().size() != 1)
      return rewriter.notifyMatchFailure(op, "expects a buffer of rank 1");
    Type type = op.getValueToStore().getType();
    Value address = elementAddress(rewriter, op.getLoc(), type, adaptor.getMemref(),
                                   adaptor.getIndices().front());
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(op, adaptor.getValue(), address, elementBytes(type));
    return success();
  }
};

struct ConvertGlobal : ConvertOpToLLVMPattern<memref::GlobalOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(memref::GlobalOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    MemRefType type = op.getType();
    Attribute value = op.getInitialValueAttr();
    if (type.getRank() != 1 || !op.getConstant() || !isa_and_nonnull<ElementsAttr>(value))
      return rewriter.notifyMatchFailure(op, "expects a constant of rank 1 with a value");
    // Kernels read words from tables of bytes: aligned words cost one cycle less.
    uint64_t bytes = elementBytes(type.getElementType());
    uint64_t alignment = op.getAlignment().value_or(type.getNumElements() * bytes >= 4 ? 4 : bytes);
    auto array = LLVM::LLVMArrayType::get(type.getElementType(), type.getNumElements());
    rewriter.replaceOpWithNewOp<LLVM::GlobalOp>(op, array, /*isConstant=*/true,
                                                LLVM::Linkage::Internal, op.getSymName(), value,
                                                std::max(alignment, bytes));
    return success();
  }
};

struct ConvertGetGlobal : ConvertOpToLLVMPattern<memref::GetGlobalOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(memref::GetGlobalOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<LLVM::AddressOfOp>(op, LLVM::LLVMPointerType::get(op.getContext()),
                                                   op.getName());
    return success();
  }
};

/// A buffer of the arena.
struct ConvertView : ConvertOpToLLVMPattern<memref::ViewOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(memref::ViewOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, elementAddress(rewriter, op.getLoc(), rewriter.getI8Type(),
                                          adaptor.getSource(), adaptor.getByteShift()));
    return success();
  }
};

//===-- Functions ---------------------------------------------------------------------------===//

struct ConvertFunction : ConvertOpToLLVMPattern<func::FuncOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(func::FuncOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    const TypeConverter *converter = getTypeConverter();
    TypeConverter::SignatureConversion signature(op.getNumArguments());
    SmallVector<Type> results;
    if (failed(converter->convertSignatureArgs(op.getArgumentTypes(), signature)) ||
        failed(converter->convertTypes(op.getResultTypes(), results)) || results.size() > 1)
      return rewriter.notifyMatchFailure(op, "has no type in LLVM");
    Type result = results.empty() ? LLVM::LLVMVoidType::get(op.getContext()) : results.front();
    auto type = LLVM::LLVMFunctionType::get(result, signature.getConvertedTypes());
    // Runtime functions are declared private; the linker needs them external.
    auto linkage = op.isDeclaration() ? LLVM::Linkage::External : LLVM::Linkage::Internal;
    auto function = LLVM::LLVMFuncOp::create(rewriter, op.getLoc(), op.getSymName(), type, linkage);
    rewriter.inlineRegionBefore(op.getBody(), function.getBody(), function.end());
    // Blocks other than the entry are converted with their branches.
    if (!function.getBody().empty())
      rewriter.applySignatureConversion(&function.getBody().front(), signature, converter);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ConvertCall : ConvertOpToLLVMPattern<func::CallOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(func::CallOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (op.getNumResults() > 1)
      return rewriter.notifyMatchFailure(op, "expects at most one result");
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(op, op.getResultTypes(), op.getCallee(),
                                              adaptor.getOperands());
    return success();
  }
};

struct ConvertReturn : ConvertOpToLLVMPattern<func::ReturnOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(func::ReturnOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<LLVM::ReturnOp>(op, adaptor.getOperands());
    return success();
  }
};

//===-- m4 ----------------------------------------------------------------------------------===//

struct ConvertLoadWord : ConvertOpToLLVMPattern<thimble::m4::LoadWordOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(thimble::m4::LoadWordOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value address = elementAddress(rewriter, op.getLoc(), op.getBuffer().getType().getElementType(),
                                   adaptor.getBuffer(), adaptor.getIndex());
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(op, op.getType(), address, /*alignment=*/1);
    return success();
  }
};

struct ConvertStoreWord : ConvertOpToLLVMPattern<thimble::m4::StoreWordOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(thimble::m4::StoreWordOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value address = elementAddress(rewriter, op.getLoc(), op.getBuffer().getType().getElementType(),
                                   adaptor.getBuffer(), adaptor.getIndex());
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(op, adaptor.getValue(), address, /*alignment=*/1);
    return success();
  }
};

/// The number of bits is an immediate of the instruction, which a function's
/// argument is not: the intrinsic, not the runtime's function.
struct ConvertSsat : ConvertOpToLLVMPattern<thimble::m4::SsatOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(thimble::m4::SsatOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value bits = LLVM::ConstantOp::create(rewriter, op.getLoc(), op.getType(), op.getBitsAttr());
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(op, op.getType(),
                                                       rewriter.getStringAttr("llvm.arm.ssat"),
                                                       ValueRange{adaptor.getValue(), bits});
    return success();
  }
};

/// A kernel gets addresses, then words.
struct ConvertKernelCall : ConvertOpToLLVMPattern<thimble::m4::CallOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;
  LogicalResult matchAndRewrite(thimble::m4::CallOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<Value> arguments;
    for (auto [type, base, offset] :
         llvm::zip(op.getBuffers().getTypes(), adaptor.getBuffers(), adaptor.getOffsets()))
      arguments.push_back(elementAddress(rewriter, op.getLoc(),
                                         cast<MemRefType>(type).getElementType(), base.front(),
                                         offset.front()));
    for (ValueRange word : adaptor.getWords())
      arguments.push_back(word.front());
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(op, TypeRange(), op.getKernel(), arguments);
    return success();
  }
};

/// Pure instructions on words: calls of the runtime's functions, which inlining
/// turns into the instructions.
struct ConvertWordOp : ConversionPattern {
  explicit ConvertWordOp(const LLVMTypeConverter &converter)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), 1, &converter.getContext()) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<Value> operands,
                                ConversionPatternRewriter &rewriter) const override {
    StringRef function = thimble::m4::runtimeFunction(op);
    if (function.empty())
      return rewriter.notifyMatchFailure(op, "is no instruction on words");
    rewriter.replaceOpWithNewOp<LLVM::CallOp>(op, op->getResultTypes(), function, operands);
    return success();
  }
};

} // namespace

/// Declares the runtime functions that ConvertWordOp will call: a pattern must
/// not add symbols.
static void declareWordFunctions(ModuleOp module) {
  SymbolTable symbols(module);
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  module.walk([&](Operation *op) {
    StringRef name = thimble::m4::runtimeFunction(op);
    if (name.empty() || symbols.lookup(name))
      return;
    auto type = builder.getFunctionType(op->getOperandTypes(), op->getResultTypes());
    auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), name, type);
    function.setPrivate();
    symbols.insert(function);
  });
}

/// Kernels become functions of one piece of assembly, and calls of a portable function calls of
/// what is chosen.
static void convertKernels(ModuleOp module, bool mayUseFpu) {
  OpBuilder builder(module.getContext());
  for (auto kernel : llvm::make_early_inc_range(module.getOps<thimble::m4::KernelOp>())) {
    auto portable = module.lookupSymbol<func::FuncOp>(*kernel.getPortable());
    if (thimble::emit::usesFpu(kernel) && !mayUseFpu) {
      portable.setSymName(kernel.getSymName());
      kernel.erase();
      continue;
    }
    SmallVector<Type> types;
    for (Type type : portable.getArgumentTypes())
      types.push_back(isa<MemRefType>(type) ? Type(LLVM::LLVMPointerType::get(module.getContext()))
                                            : type);
    builder.setInsertionPoint(kernel);
    const std::string name = kernel.getSymName().str();
    const std::string text = llvm::join(thimble::emit::assemblyOf(kernel), "\n");
    Location loc = kernel.getLoc();
    auto function = LLVM::LLVMFuncOp::create(
        builder, loc, name,
        LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(module.getContext()), types));
    kernel.erase();
    portable.erase();
    function.setPassthroughAttr(builder.getStrArrayAttr({"naked", "noinline"}));
    builder.setInsertionPointToStart(function.addEntryBlock(builder));
    LLVM::InlineAsmOp::create(builder, loc, TypeRange(), ValueRange(), text, "",
                              /*has_side_effects=*/true, /*is_align_stack=*/false,
                              LLVM::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
    LLVM::UnreachableOp::create(builder, loc);
  }
}

LogicalResult thimble::object::convertToLLVM(ModuleOp module, const llvm::DataLayout &layout,
                                             bool mayUseFpu) {
  MLIRContext *context = module.getContext();
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);
  context->loadDialect<cf::ControlFlowDialect, LLVM::LLVMDialect>();
  convertKernels(module, mayUseFpu);
  declareWordFunctions(module);
  module->setAttr(LLVM::LLVMDialect::getDataLayoutAttrName(),
                  StringAttr::get(context, layout.getStringRepresentation()));

  LowerToLLVMOptions options(context);
  options.dataLayout = layout;
  options.overrideIndexBitwidth(32);
  LLVMTypeConverter converter(context, options);
  converter.addConversion(
      [](MemRefType type) -> Type { return LLVM::LLVMPointerType::get(type.getContext()); });

  RewritePatternSet patterns(context);
  populateSCFToControlFlowConversionPatterns(patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  patterns.add<ConvertLoad, ConvertStore, ConvertGlobal, ConvertGetGlobal, ConvertView,
               ConvertFunction, ConvertCall, ConvertReturn, ConvertLoadWord, ConvertStoreWord,
               ConvertSsat, ConvertWordOp, ConvertKernelCall>(converter);

  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  return applyFullConversion(module, target, std::move(patterns));
}
