// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Compiler.h"
#include "compiler/Diagnostics.h"
#include "compiler/Interpreter.h"
#include "compiler/support/Npy.h"
#include "dialects/nn/NNTypes.h"
#include "tools/thimble/Commands.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

static std::string shapeText(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t d : shape)
    text += (text.empty() ? "" : "x") + std::to_string(d);
  return "[" + text + "]";
}

// One array for each argument of `main`. An error has been printed where there is none.
static std::optional<std::vector<Tensor>> readInputs(mlir::func::FuncOp main,
                                                     const std::vector<std::string> &paths) {
  if (paths.size() != main.getNumArguments()) {
    printError("the model has " + std::to_string(main.getNumArguments()) +
               " inputs, --input is given " + std::to_string(paths.size()) + " times");
    return std::nullopt;
  }
  std::vector<Tensor> inputs;
  for (auto [argument, path] : llvm::zip(main.getArguments(), paths)) {
    auto bytes = readFile(path);
    if (!bytes)
      return std::nullopt;
    Result<Tensor> array = readNpy(*bytes);
    if (!array) {
      printError(path + ": " + array.error());
      return std::nullopt;
    }
    TensorType wanted = *nn::toTensorType(argument.getType());
    if (array->type.element != wanted.element || array->elements() != wanted.elements()) {
      printError(path + ": the input must be " + name(wanted.element) + shapeText(wanted.shape) +
                 ", got " + name(array->type.element) + shapeText(array->shape()));
      return std::nullopt;
    }
    array->type = wanted;
    inputs.push_back(std::move(*array));
  }
  return inputs;
}

static void print(const Tensor &tensor) {
  llvm::outs() << name(tensor.type.element) << shapeText(tensor.shape()) << ":";
  auto values = [&](auto *data) {
    for (int64_t i = 0; i < tensor.elements(); ++i)
      llvm::outs() << " " << +data[i];
  };
  switch (tensor.type.element) {
  case ElementType::Bool:
    values(tensor.as<bool>());
    break;
  case ElementType::Int8:
    values(tensor.as<int8_t>());
    break;
  case ElementType::UInt8:
    values(tensor.as<uint8_t>());
    break;
  case ElementType::Int16:
    values(tensor.as<int16_t>());
    break;
  case ElementType::Int32:
    values(tensor.as<int32_t>());
    break;
  case ElementType::Int64:
    values(tensor.as<int64_t>());
    break;
  case ElementType::Float32:
    for (int64_t i = 0; i < tensor.elements(); ++i)
      llvm::outs() << " " << llvm::format("%.9g", tensor.as<float>()[i]);
    break;
  }
  llvm::outs() << "\n";
}

ExitStatus driver::runRun(const Invocation &invocation) {
  auto bytes = readFile(invocation.models.front());
  if (!bytes)
    return failure;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  prepareContext(context);
  DiagnosticCollector diagnostics(&context);
  auto module = importModel(*bytes, context, invocation.compile);
  if (!module) {
    printFirst(diagnostics.errors());
    return failure;
  }
  auto main = module->lookupSymbol<mlir::func::FuncOp>("main");
  auto inputs = readInputs(main, invocation.inputs);
  if (!inputs)
    return failure;
  auto results = interpret(main, *inputs);
  if (mlir::failed(results)) {
    printFirst(diagnostics.errors());
    return failure;
  }
  if (invocation.outputs.empty()) {
    for (const Tensor &result : *results)
      print(result);
    return success;
  }
  if (invocation.outputs.size() != results->size()) {
    printError("the model has " + std::to_string(results->size()) + " outputs, --output is given " +
               std::to_string(invocation.outputs.size()) + " times");
    return failure;
  }
  for (auto [result, path] : llvm::zip(*results, invocation.outputs)) {
    std::error_code error;
    llvm::ToolOutputFile file(path, error, llvm::sys::fs::OF_None);
    if (error) {
      printError("cannot write '" + path + "': " + error.message());
      return failure;
    }
    file.os() << writeNpy(result);
    file.keep();
  }
  return success;
}
