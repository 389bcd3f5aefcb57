// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Interpreter.h"

#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"

using namespace mlir;
using namespace thimble;

namespace {

/// The tensors that are alive: each dies after its last use.
class Environment {
public:
  void define(Value value, Tensor tensor) {
    remainingUses[value] = std::distance(value.use_begin(), value.use_end());
    tensors.insert({value, std::make_unique<Tensor>(std::move(tensor))});
  }
  const Tensor *lookup(Value value) const {
    auto it = tensors.find(value);
    return it == tensors.end() ? nullptr : it->second.get();
  }
  void use(Value value) {
    if (--remainingUses[value] == 0)
      tensors.erase(value);
  }

private:
  llvm::DenseMap<Value, std::unique_ptr<Tensor>> tensors;
  llvm::DenseMap<Value, int64_t> remainingUses;
};

} // namespace

static LogicalResult evaluate(nn::NNOperator op, Environment &environment, LayerObserver observer) {
  SmallVector<const Tensor *> inputs;
  for (Value operand : op->getOperands())
    inputs.push_back(environment.lookup(operand));
  SmallVector<Tensor> outputs;
  for (Value result : op->getResults())
    outputs.emplace_back(*nn::toTensorType(result.getType()));
  if (failed(op.evaluate(inputs, outputs)))
    return op.emitError("cannot be evaluated");
  for (auto [result, tensor] : llvm::zip(op->getResults(), outputs))
    environment.define(result, std::move(tensor));
  if (observer) {
    SmallVector<const Tensor *> results;
    for (Value result : op->getResults())
      results.push_back(environment.lookup(result));
    observer(op, results);
  }
  for (Value operand : op->getOperands())
    environment.use(operand);
  return success();
}

FailureOr<std::vector<Tensor>> thimble::interpret(func::FuncOp function, ArrayRef<Tensor> inputs,
                                                  LayerObserver observer) {
  Environment environment;
  for (auto [argument, tensor] : llvm::zip(function.getArguments(), inputs))
    environment.define(argument, tensor);
  for (Operation &op : function.getBody().front()) {
    if (auto constant = dyn_cast<nn::ConstantOp>(op)) {
      std::optional<Tensor> value = nn::toTensor(constant.getValue(), constant.getType());
      if (!value)
        return constant.emitError("has data that does not fit its type");
      environment.define(constant, std::move(*value));
    } else if (auto layer = dyn_cast<nn::NNOperator>(op)) {
      if (failed(evaluate(layer, environment, observer)))
        return failure();
    }
  }
  std::vector<Tensor> results;
  for (Value result : function.getBody().front().getTerminator()->getOperands())
    results.push_back(*environment.lookup(result));
  return results;
}
