// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// verify: what each layer should compute.
#include "compiler/Interpreter.h"
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNOps.h"
#include "tools/thimble/Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace thimble;
using namespace thimble::driver;

// Marks an operator through planning, which clones it into a stream.
static constexpr llvm::StringLiteral tagName = "verify_tag";

static int64_t tagOf(Operation *op) { return op->getAttrOfType<IntegerAttr>(tagName).getInt(); }

/// Numbers the operators of the network.
static void tagOperators(func::FuncOp main) {
  int64_t next = 0;
  Builder builder(main.getContext());
  main.walk([&](nn::NNOperator op) { op->setAttr(tagName, builder.getI64IntegerAttr(next++)); });
}

FailureOr<Reference> driver::evaluateReference(ModuleOp imported, const CompileOptions &given,
                                               ArrayRef<Sample> samples) {
  Reference reference;
  auto main = imported.lookupSymbol<func::FuncOp>("main");
  for (const Sample &sample : samples) {
    FailureOr<std::vector<Tensor>> outputs = interpret(main, sample);
    if (failed(outputs))
      return failure();
    reference.outputs.push_back(std::move(*outputs));
  }

  OwningOpRef<ModuleOp> planned = imported.clone();
  CompileOptions options = given;
  options.lastPhase = Phase::Reduce;
  if (failed(runPhases(*planned, options)))
    return failure();
  main = planned->lookupSymbol<func::FuncOp>("main");
  tagOperators(main);
  std::map<int64_t, std::vector<std::vector<Tensor>>> byTag;
  for (const Sample &sample : samples) {
    auto keep = [&](Operation *op, ArrayRef<const Tensor *> results) {
      std::vector<Tensor> copies;
      for (const Tensor *result : results)
        copies.push_back(*result);
      if (op->hasAttr(tagName))
        byTag[tagOf(op)].push_back(std::move(copies));
    };
    if (failed(interpret(main, sample, keep)))
      return failure();
  }

  options.lastPhase = Phase::Plan;
  if (failed(runPhases(*planned, options, Phase::Candidates)))
    return failure();
  planned->walk([&](mcu::KernelOp kernel) {
    Reference::Layer layer;
    layer.name = kernel.getLayer().str();
    kernel.walk([&](nn::NNOperator op) {
      layer.op = op->getName().stripDialect().str();
      // What planning added, copies of constants, has no tag and is seen in the outputs.
      if (op->hasAttr(tagName))
        layer.values = byTag[tagOf(op)];
    });
    reference.layers.push_back(std::move(layer));
  });
  return reference;
}
