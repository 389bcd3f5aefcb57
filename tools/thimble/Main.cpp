// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The driver: thimble COMMAND ...
#include "compiler/Compiler.h"
#include "tools/thimble/Commands.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

llvm::ArrayRef<Command> driver::commands() {
  static const std::vector<Command> table = {
      {"compile",
       "model",
       "MODEL [-o DIR]",
       "compile a model to C or object code",
       {OPT_output_path, OPT_name, OPT_target, OPT_region, OPT_emit, OPT_optimize, OPT_ram,
        OPT_flash, OPT_reference, OPT_stream_input, OPT_instrument, OPT_float_abi,
        OPT_prefer_kernel, OPT_compile_to, OPT_dump_phases, OPT_report},
       runCompile},
      {"check",
       "model",
       "MODEL",
       "say everything that stands against compiling a model",
       {OPT_target, OPT_reference},
       runCheck},
      {"run",
       "model",
       "MODEL --input X.npy [--output Y.npy]",
       "run a model on the host, bit-exactly",
       {OPT_input, OPT_output, OPT_reference},
       runRun},
      {"verify",
       "model",
       "MODEL [--input X.npy]",
       "compare reference, C on the host and the emulated target, layer by layer",
       {OPT_input, OPT_target, OPT_region, OPT_emit, OPT_optimize, OPT_ram, OPT_flash,
        OPT_reference, OPT_stream_input, OPT_float_abi},
       runVerify},
      {"bench",
       "model",
       "MODEL [--target BOARD]",
       "build firmware, run it under QEMU, and tell what each layer costs",
       {OPT_input, OPT_target, OPT_region, OPT_emit, OPT_optimize, OPT_ram, OPT_flash,
        OPT_reference, OPT_stream_input, OPT_float_abi, OPT_json},
       runBench},
      {"report",
       "folder",
       "DIR [-o FILE]",
       "write the report of a compilation into DIR as one HTML page",
       {OPT_output_path},
       runReport},
  };
  return table;
}

std::optional<std::vector<uint8_t>> driver::readFile(const std::string &path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file) {
    printError("cannot read '" + path + "': " + file.getError().message());
    return std::nullopt;
  }
  llvm::StringRef bytes = (*file)->getBuffer();
  return std::vector<uint8_t>(bytes.bytes_begin(), bytes.bytes_end());
}

int main(int argc, char **argv) {
  llvm::StringRef name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h" || name == "help") {
    printHelp();
    return success;
  }
  if (name == "--version") {
    llvm::outs() << "thimble " << compilerVersion() << "\n";
    return success;
  }
  for (const Command &command : commands()) {
    if (name != command.name)
      continue;
    Invocation invocation;
    bool helpWanted = false;
    if (!parse(command, llvm::ArrayRef(argv + 2, argv + argc), invocation, helpWanted))
      return usageError;
    if (helpWanted) {
      printHelp(command);
      return success;
    }
    return command.run(invocation);
  }
  std::string known;
  for (const Command &command : commands())
    known += (known.empty() ? "" : ", ") + std::string(command.name);
  printError(name.empty() ? "a command is needed: " + known
                          : "unknown command '" + name.str() + "': known are " + known);
  return usageError;
}
