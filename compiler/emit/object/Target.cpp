// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/Target.h"

#include "llvm/IR/InstIterator.h"
#include "llvm/MC/MCAsmInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include <mutex>

using namespace llvm;

// The distribution's LLVM has all targets; only this one is registered.
extern "C" {
void LLVMInitializeARMTargetInfo();
void LLVMInitializeARMTarget();
void LLVMInitializeARMTargetMC();
void LLVMInitializeARMAsmPrinter();
void LLVMInitializeARMAsmParser();
}

static void registerTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeARMTargetInfo();
    LLVMInitializeARMTarget();
    LLVMInitializeARMTargetMC();
    LLVMInitializeARMAsmPrinter();
    LLVMInitializeARMAsmParser(); // for the build attribute, which is module assembly
  });
}

Expected<std::unique_ptr<TargetMachine>> thimble::object::createTargetMachine(FloatAbi abi,
                                                                              bool fpu) {
  registerTarget();
  Triple triple("thumbv7em-none-unknown-eabi");
  std::string error;
  const llvm::Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);

  TargetOptions options;
  options.FunctionSections = true;
  options.DataSections = true;
  options.AllowFPOpFusion = FPOpFusion::Strict;
  options.FloatABIType = fpu && abi == FloatAbi::Hard ? FloatABI::Hard : FloatABI::Soft;
  // Without fpregs there are no FPU instructions at all, moves through its registers included.
  const char *features = fpu && abi != FloatAbi::Soft ? "" : "+soft-float,-fpregs";
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(
      triple, "cortex-m4", features, options, Reloc::Static, CodeModel::Small));
  if (!machine)
    return createStringError("LLVM was built without the ARM backend");
  // Nothing unwinds: without this every function costs eight bytes of .ARM.exidx. The options'
  // ExceptionModel cannot say "none".
  const_cast<MCAsmInfo *>(machine->getMCAsmInfo())->setExceptionsType(ExceptionHandling::None);
  return machine;
}

bool thimble::object::usesFloat(const Module &module) {
  auto isFloat = [](const Value &value) { return value.getType()->isFPOrFPVectorTy(); };
  for (const Function &function : module) {
    if (function.isDeclaration())
      continue;
    for (const Instruction &instruction : instructions(function))
      if (isFloat(instruction) ||
          any_of(instruction.operands(), [&](const Use &use) { return isFloat(*use.get()); }))
        return true;
  }
  return false;
}

void thimble::object::setTarget(Module &module, const TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  // Tag_ABI_VFP_args = 3: compatible with both base and VFP variants, as no float crosses the API.
  module.appendModuleInlineAsm(".eabi_attribute 28, 3");
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.setDoesNotThrow();
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    if (!machine.getTargetFeatureString().empty())
      function.addFnAttr("target-features", machine.getTargetFeatureString());
    // Threshold 0: the code generator reports every frame (Codegen.cpp collects them).
    function.addFnAttr("warn-stack-size", "0");
  }
}

void thimble::object::optimize(Module &module, TargetMachine &machine) {
  PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  // Kernels come unrolled as far as their lowering found worth its flash.
  tuning.LoopUnrolling = false;

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
}
