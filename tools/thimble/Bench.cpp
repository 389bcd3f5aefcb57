// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// thimble bench: what a model costs on the emulated core, layer by layer.
#include "tools/thimble/Bench.h"

#include "tools/thimble/Commands.h"
#include "tools/thimble/Firmware.h"
#include "tools/thimble/Session.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

/// Writes the benchmark as --json says. A table goes with it unless JSON goes to the output.
static bool show(const Benchmark &benchmark, const BenchmarkSubject &subject,
                 const std::string &jsonFile) {
  if (jsonFile == "-") {
    llvm::outs() << jsonBenchmark(benchmark, subject);
    return true;
  }
  printBenchmark(benchmark, subject);
  return jsonFile.empty() || writeFiles(OutputFile{jsonFile, jsonBenchmark(benchmark, subject)});
}

ExitStatus driver::runBench(const Invocation &invocation) {
  CompileOptions options = invocation.compile;
  const Target &target = *findTarget(options.target);
  if (target.core == "generic") {
    printError("--target 'generic' has no core to measure on: name cortex-m4 or a board");
    return usageError;
  }
  if (!checkProgramKind(options, "bench"))
    return usageError;
  std::string missing = missingForFirmware();
  if (!missing.empty()) {
    printError("'bench' builds firmware and runs it under QEMU: " + missing + " not found");
    return failure;
  }
  const std::string &path = invocation.models.front();
  options.modelFile = llvm::sys::path::filename(path).str();
  auto bytes = readFile(path);
  if (!bytes)
    return failure;
  Session session;
  auto module = session.import(*bytes, options);
  if (!module)
    return failure;
  auto samples = samplesFor(*module, invocation.inputs, 1);
  if (!samples)
    return failure;
  BenchmarkSubject subject{
      options, target, target.qemuMachine.empty() ? *findTarget(anyEmulatedBoard) : target, {}};
  for (const Tensor &tensor : samples->front())
    subject.inputs.push_back(typeText(tensor.type));
  auto benchmark = measure(subject, *bytes, *module, *samples);
  return benchmark && show(*benchmark, subject, invocation.jsonFile) ? success : failure;
}
