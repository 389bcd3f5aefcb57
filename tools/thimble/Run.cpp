// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Interpreter.h"
#include "tools/thimble/Commands.h"
#include "tools/thimble/Data.h"
#include "tools/thimble/Session.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

static void print(const Tensor &tensor) {
  llvm::outs() << typeText(tensor.type) << ":";
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
  Session session;
  auto module = session.import(*bytes, invocation.compile);
  if (!module)
    return failure;
  auto main = module->lookupSymbol<mlir::func::FuncOp>("main");
  auto samples = readSamples(main, invocation.inputs);
  if (!samples)
    return failure;
  if (samples->size() != 1) {
    printError("'run' takes one sample, --input has " + std::to_string(samples->size()));
    return failure;
  }
  auto results = interpret(main, samples->front());
  if (mlir::failed(results)) {
    session.printFirstError();
    return failure;
  }
  if (invocation.outputs.empty()) {
    for (const Tensor &result : *results)
      print(result);
    return success;
  }
  return writeTensors(*results, invocation.outputs) ? success : failure;
}
