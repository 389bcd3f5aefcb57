// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The driver's command line.
#pragma once

#include "compiler/Options.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Option/ArgList.h"

#include <string>
#include <vector>

namespace thimble::driver {

/// Exit statuses of the driver.
enum ExitStatus { success = 0, failure = 1, usageError = 2 };

enum OptionID {
  OPT_INVALID = 0,
#define OPTION(...) LLVM_MAKE_OPT_ID(__VA_ARGS__),
#include "tools/thimble/Options.inc"
#undef OPTION
};

/// What a command is called with.
struct Invocation {
  std::vector<std::string> models; // of `report` a folder
  CompileOptions compile;
  /// --name was given: it must be usable as it is.
  bool nameGiven = false;
  /// -o: a folder, or for `report` a file; empty if it is not given.
  std::string outputPath;
  std::vector<std::string> inputs, outputs;
  /// --json: a file, "-" for the output, or empty for none.
  std::string jsonFile;
};

struct Command {
  const char *name;
  /// What it works on, "model".
  const char *subject;
  const char *operands;
  const char *summary;
  /// The options that it takes besides --help.
  std::vector<OptionID> options;
  ExitStatus (*run)(const Invocation &);
};

/// All commands, in the order in which help lists them.
llvm::ArrayRef<Command> commands();

/// Parses the arguments after the command's name. On failure an error has been printed.
bool parse(const Command &command, llvm::ArrayRef<const char *> arguments, Invocation &invocation,
           bool &helpWanted);
void printHelp(const Command &command);
void printHelp();

/// Prints "thimble: error: MESSAGE".
void printError(llvm::StringRef message);

} // namespace thimble::driver
