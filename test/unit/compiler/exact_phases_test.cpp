// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Simplification and reduction are exact: the interpreter gives the same bytes before and after
// them, for every model of test/models and every function of the lit tests in test/passes.

#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "test/unit/compiler/networks.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

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

/// `first` to Phase::Reduce.
void checkPhases(ModuleOp module, Phase first, int rounds) {
  OwningOpRef<ModuleOp> changed = module.clone();
  CompileOptions options;
  options.lastPhase = Phase::Reduce;
  ASSERT_TRUE(succeeded(runPhases(*changed, options, first)));
  test::expectSameResults(module, *changed, rounds);
}

class ExactOnModel : public testing::TestWithParam<std::string> {};

TEST_P(ExactOnModel, GivesTheSameBytes) {
  std::ifstream file(GetParam(), std::ios::binary);
  std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
  MLIRContext context(MLIRContext::Threading::DISABLED);
  prepareContext(context);
  DiagnosticCollector diagnostics(&context);
  OwningOpRef<ModuleOp> module = importModel(bytes, context, CompileOptions());
  if (!module)
    GTEST_SKIP() << "cannot be imported";
  checkPhases(*module, Phase::Simplify, /*rounds=*/2);
}

class ExactOnCase : public testing::TestWithParam<std::string> {};

TEST_P(ExactOnCase, GivesTheSameBytes) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  prepareContext(context);
  auto module = parseSourceFile<ModuleOp>(GetParam(), &context);
  ASSERT_TRUE(module);
  checkPhases(*module, Phase::Simplify, 2 * test::inputKinds);
  checkPhases(*module, Phase::Reduce, 2 * test::inputKinds);
}

std::string nameOf(const testing::TestParamInfo<std::string> &info) {
  return identifierFor(std::filesystem::path(info.param).stem().string());
}
INSTANTIATE_TEST_SUITE_P(Models, ExactOnModel,
                         testing::ValuesIn(filesIn(THIMBLE_TEST_FOLDER "/models", ".tflite")),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Simplify, ExactOnCase,
                         testing::ValuesIn(filesIn(THIMBLE_TEST_FOLDER "/passes/simplify",
                                                   ".mlir")),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Reduce, ExactOnCase,
                         testing::ValuesIn(filesIn(THIMBLE_TEST_FOLDER "/passes/reduce", ".mlir")),
                         nameOf);

} // namespace
} // namespace thimble
