// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/Api.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace llvm;

/// Forgets what the runtime was compiled for: the attributes of the object's own
/// target take its place, and neither compiler name nor the size of wchar_t, which
/// nothing uses, goes into the object.
static void stripTarget(Module &module) {
  for (StringRef name : {"llvm.ident", "llvm.module.flags", "llvm.commandline"})
    if (NamedMDNode *node = module.getNamedMetadata(name))
      node->eraseFromParent();
}

static void setConvention(Function &function, CallingConv::ID convention) {
  function.setCallingConv(convention);
  for (User *user : function.users())
    if (auto *call = dyn_cast<CallBase>(user); call && call->getCalledFunction() == &function)
      call->setCallingConv(convention);
}

Error thimble::object::linkRuntime(Module &module, StringRef bitcode) {
  // A declaration that nothing calls would bring its body, and its floats, into the model.
  for (Function &function : make_early_inc_range(module))
    if (function.isDeclaration() && function.use_empty())
      function.eraseFromParent();
  auto undefined = [](const Function &function) {
    return function.isDeclaration() && !function.isIntrinsic() &&
           function.getName() != "thimble_layer_hook";
  };
  if (none_of(module.functions(), undefined))
    return Error::success();

  // Lazily: only the bodies of what is needed are read.
  Expected<std::unique_ptr<Module>> runtime =
      getLazyBitcodeModule(MemoryBufferRef(bitcode, "runtime"), module.getContext(),
                           /*ShouldLazyLoadMetadata=*/true);
  if (!runtime)
    return runtime.takeError();
  stripTarget(**runtime);
  (*runtime)->setTargetTriple(module.getTargetTriple());
  (*runtime)->setDataLayout(module.getDataLayout());
  for (const Function &function : module)
    if (undefined(function)) {
      const Function *other = (*runtime)->getFunction(function.getName());
      if (!other)
        return createStringError("the runtime has no function '" + function.getName() + "'");
      if (other->getFunctionType() != function.getFunctionType())
        return createStringError("the runtime's function '" + function.getName() +
                                 "' is of another type");
    }
  if (Linker::linkModules(module, std::move(*runtime), Linker::LinkOnlyNeeded))
    return createStringError("linking the runtime failed");
  stripTarget(module);
  for (Function &function : module) {
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
    function.removeFnAttr("tune-cpu");
    function.removeFnAttr("frame-pointer");
    // Made by -ffreestanding; it forbids inlining into functions that may use memset.
    function.removeFnAttr("no-builtins");
    function.setUWTableKind(UWTableKind::None);
    // One convention for all that is internal: a call with another than its callee's is undefined.
    if (!function.isIntrinsic())
      setConvention(function, CallingConv::C);
  }
  return Error::success();
}

void thimble::object::internalize(Module &module, const emit::Program &program) {
  std::string prefix = program.name + "_";
  StringSet<> api{prefix + "init", prefix + "init_regions", prefix + "invoke"};
  if (program.pushed)
    api.insert(prefix + "push_rows");
  for (size_t k = 0; k < program.inputs.size(); ++k)
    api.insert((prefix + "input_" + Twine(k)).str());
  for (size_t k = 0; k < program.outputs.size(); ++k)
    api.insert((prefix + "output_" + Twine(k)).str());
  internalizeModule(module,
                    [&](const GlobalValue &value) { return api.contains(value.getName()); });
  for (GlobalValue &value : module.global_values())
    if (!value.isDeclaration() && !value.getName().starts_with(prefix))
      value.setName(prefix + value.getName());
}
