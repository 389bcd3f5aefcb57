// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/Passes.h"
#include "passes/plan/PlanSearch.h"
#include "passes/plan/ProgramBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringSwitch.h"

namespace thimble {
#define GEN_PASS_DEF_PLANPROGRAM
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;

namespace thimble {
namespace {

// A result that is a constant is copied from flash like any other layer's.
void copyConstantResults(func::FuncOp function, const Target &target) {
  Operation *terminator = function.getBody().front().getTerminator();
  OpBuilder builder(terminator);
  for (OpOperand &operand : terminator->getOpOperands())
    if (operand.get().getDefiningOp<nn::ConstantOp>()) {
      auto copy = nn::ReshapeOp::create(builder, operand.get().getLoc(), operand.get().getType(),
                                        operand.get());
      SmallVector<Attribute> kernels;
      for (const Candidate &c : candidatesFor(copy, target))
        kernels.push_back(builder.getDictionaryAttr(
            builder.getNamedAttr("kernel", builder.getStringAttr(c.kernel->getName()))));
      copy->setAttr("mcu.candidates", builder.getArrayAttr(kernels));
      operand.set(copy);
    }
}

/// Gives the only input the shape in which the network reads it, so that it has the rows of
/// pictures.
LogicalResult takeInputAsRead(func::FuncOp function) {
  if (function.getNumArguments() != 1)
    return function.emitError(
               "an input that arrives by rows must be the only one, but the model has ")
           << function.getNumArguments();
  BlockArgument input = function.getArgument(0);
  if (!input.hasOneUse())
    return success();
  auto reshape = dyn_cast<nn::ReshapeOp>(*input.user_begin());
  if (!reshape)
    return success();
  function.setArgAttr(0, typeOfCallerAttr, TypeAttr::get(input.getType()));
  input.setType(reshape.getType());
  reshape.getResult().replaceAllUsesWith(input);
  reshape.erase();
  function.setType(FunctionType::get(function.getContext(), input.getType(),
                                     function.getFunctionType().getResults()));
  return success();
}

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
    if (inputByRows && failed(takeInputAsRead(main)))
      return signalPassFailure();
    copyConstantResults(main, *known);
    const Aliases aliases(main);
    Layers layers(main, aliases, *known, inputByRows);
    if (failed(layers.list()))
      return signalPassFailure();
    PlanSearch search(layers, objective);
    if (ram > 0)
      search.keepTo(ram);
    else
      search.optimize();
    layers.explain();
    search.build(name);
    main.erase();
  }
};

} // namespace
} // namespace thimble
