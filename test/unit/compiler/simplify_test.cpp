// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Simplification is exact: the interpreter gives the same bytes before and after it, on random
// inputs, for every model of test/models and every function of the lit tests in test/passes.

#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/Interpreter.h"
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

using namespace mlir;

namespace thimble {
namespace {

std::vector<std::string> filesIn(const char *folder, const char *extension) {
  std::vector<std::string> paths;
  for (const auto &entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == extension)
      paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  return paths;
}

Tensor randomTensor(const TensorType &type, std::mt19937 &random) {
  Tensor tensor(type);
  if (type.element == ElementType::Float32) {
    std::normal_distribution<float> normal(0.0f, 4.0f);
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.as<float>()[i] = i % 17 == 3 ? -0.0f : normal(random);
    return tensor;
  }
  int mask = type.element == ElementType::Bool ? 1 : 255;
  for (std::byte &byte : tensor.data)
    byte = static_cast<std::byte>(static_cast<int>(random()) & mask);
  return tensor;
}

void expectSameResults(ModuleOp before, ModuleOp after) {
  std::mt19937 random(1);
  for (func::FuncOp function : before.getOps<func::FuncOp>()) {
    auto simplified = after.lookupSymbol<func::FuncOp>(function.getName());
    ASSERT_TRUE(simplified);
    for (int round = 0; round < 2; ++round) {
      std::vector<Tensor> inputs;
      for (Type type : function.getArgumentTypes())
        inputs.push_back(randomTensor(*nn::toTensorType(type), random));
      auto expected = interpret(function, inputs), actual = interpret(simplified, inputs);
      ASSERT_TRUE(succeeded(expected) && succeeded(actual)) << function.getName().str();
      for (size_t i = 0; i < expected->size(); ++i)
        EXPECT_EQ((*expected)[i].data, (*actual)[i].data)
            << "result " << i << " of " << function.getName().str();
    }
  }
}

void checkSimplify(ModuleOp module) {
  OwningOpRef<ModuleOp> simplified = module.clone();
  CompileOptions options;
  options.lastPhase = Phase::Simplify;
  ASSERT_TRUE(succeeded(runPhases(*simplified, options)));
  expectSameResults(module, *simplified);
}

class SimplifyModel : public testing::TestWithParam<std::string> {};

TEST_P(SimplifyModel, IsExact) {
  std::ifstream file(GetParam(), std::ios::binary);
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  MLIRContext context(MLIRContext::Threading::DISABLED);
  prepareContext(context);
  DiagnosticCollector diagnostics(&context);
  OwningOpRef<ModuleOp> module = importModel(bytes, context, CompileOptions());
  if (!module)
    GTEST_SKIP() << "cannot be imported";
  checkSimplify(*module);
}

class SimplifyCase : public testing::TestWithParam<std::string> {};

TEST_P(SimplifyCase, IsExact) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  prepareContext(context);
  auto module = parseSourceFile<ModuleOp>(GetParam(), &context);
  ASSERT_TRUE(module);
  checkSimplify(*module);
}

std::string nameOf(const testing::TestParamInfo<std::string> &info) {
  return identifierFor(std::filesystem::path(info.param).stem().string());
}
INSTANTIATE_TEST_SUITE_P(Models, SimplifyModel,
                         testing::ValuesIn(filesIn(THIMBLE_TEST_FOLDER "/models", ".tflite")),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Cases, SimplifyCase,
                         testing::ValuesIn(filesIn(THIMBLE_TEST_FOLDER "/passes/simplify", ".mlir")),
                         nameOf);

} // namespace
} // namespace thimble
