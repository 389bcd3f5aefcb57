// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The analyses of reduction, checked on random networks by running them: elements stay in their
// intervals, and noise in place of slices that are not live changes no result.

#include "compiler/Compiler.h"
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/analysis/Intervals.h"
#include "passes/analysis/LiveSlices.h"
#include "test/unit/compiler/networks.h"

#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace thimble {
namespace {

using Change = llvm::function_ref<void(Value, Tensor &)>;

/// Runs `function` and lets `change` see, and change, every tensor that it computes.
std::vector<Tensor> run(func::FuncOp function, ArrayRef<Tensor> inputs, Change change) {
  llvm::DenseMap<Value, std::unique_ptr<Tensor>> tensors;
  for (auto [argument, tensor] : llvm::zip(function.getArguments(), inputs))
    tensors[argument] = std::make_unique<Tensor>(tensor);
  for (Operation &op : function.getBody().front().without_terminator()) {
    if (std::optional<Tensor> constant =
            isa<nn::ConstantOp>(op) ? constantTensor(op.getResult(0)) : std::nullopt) {
      tensors[op.getResult(0)] = std::make_unique<Tensor>(*constant);
      continue;
    }
    SmallVector<const Tensor *> operands;
    for (Value operand : op.getOperands())
      operands.push_back(tensors[operand].get());
    std::vector<Tensor> results;
    for (Type type : op.getResultTypes())
      results.emplace_back(*nn::toTensorType(type));
    EXPECT_TRUE(succeeded(cast<nn::NNOperator>(op).evaluate(operands, results)));
    for (auto [value, tensor] : llvm::zip(op.getResults(), results)) {
      change(value, tensor);
      tensors[value] = std::make_unique<Tensor>(std::move(tensor));
    }
  }
  std::vector<Tensor> results;
  for (Value value : function.getBody().front().getTerminator()->getOperands())
    results.push_back(*tensors[value]);
  return results;
}

bool isLive(const LiveSlices &slices, Value value, int64_t element) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  for (auto axis = static_cast<int64_t>(shape.size()); axis-- > 0;) {
    int64_t size = shape[static_cast<size_t>(axis)];
    if (!slices.live(value, axis)[static_cast<unsigned>(element % size)])
      return false;
    element /= size;
  }
  return true;
}

class Reduce : public testing::TestWithParam<unsigned> {
protected:
  Reduce() {
    prepareContext(context);
    module = test::randomNetwork(context, GetParam());
    main = module->lookupSymbol<func::FuncOp>("main");
  }

  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
  func::FuncOp main;
};

constexpr int rounds = 2 * test::inputKinds;

TEST_P(Reduce, IsExact) {
  OwningOpRef<ModuleOp> reduced = module->clone();
  CompileOptions options;
  options.lastPhase = Phase::Reduce;
  ASSERT_TRUE(succeeded(runPhases(*reduced, options, Phase::Reduce)));
  test::expectSameResults(*module, *reduced, rounds);
}

TEST_P(Reduce, ElementsStayInTheirIntervals) {
  Intervals intervals(main);
  std::mt19937 random(GetParam());
  for (int round = 0; round < rounds; ++round)
    run(main, test::makeInputs(main, round, random), [&](Value value, Tensor &tensor) {
      const Interval *interval = intervals.lookup(value);
      ASSERT_TRUE(interval);
      std::vector<int32_t> elements = readIntegers(tensor), low = readIntegers(interval->low),
                           high = readIntegers(interval->high);
      for (size_t i = 0; i < elements.size(); ++i)
        ASSERT_TRUE(low[i] <= elements[i] && elements[i] <= high[i])
            << value.getDefiningOp()->getName().getStringRef().str() << " element " << i << ": "
            << elements[i] << " not in [" << low[i] << ", " << high[i] << "]";
    });
}

TEST_P(Reduce, NoiseInDeadSlicesChangesNothing) {
  PassManager pm(&context);
  pm.nest<func::FuncOp>().addPass(createFoldConstantChannels());
  OwningOpRef<ModuleOp> folded = module->clone();
  ASSERT_TRUE(succeeded(pm.run(*folded)));
  auto function = folded->lookupSymbol<func::FuncOp>("main");
  LiveSlices slices(function);
  std::mt19937 random(GetParam());
  for (int round = 0; round < rounds; ++round) {
    std::vector<Tensor> inputs = test::makeInputs(main, round, random);
    std::vector<Tensor> expected = run(main, inputs, [](Value, Tensor &) {});
    std::vector<Tensor> actual = run(function, inputs, [&](Value value, Tensor &tensor) {
      Tensor noise = test::randomTensor(tensor.type, random);
      size_t size = byteSize(tensor.type.element);
      for (size_t i = 0; i < tensor.data.size(); ++i)
        if (!isLive(slices, value, static_cast<int64_t>(i / size)))
          tensor.data[i] = noise.data[i];
    });
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(expected[i].data, actual[i].data) << "result " << i << ", input " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(RandomNetworks, Reduce, testing::Range(0u, 300u));

} // namespace
} // namespace thimble
