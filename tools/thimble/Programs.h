// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Programs made of generated code: their text, a folder to build and run them in, what they print.
#pragma once

#include "tools/thimble/Data.h"
#include "tools/thimble/Progress.h"

#include "llvm/ADT/SmallString.h"

namespace thimble::driver {

/// The name that generated code has in programs.
inline constexpr const char *programModelName = "model";

/// What `compile` writes for a program. Nothing after an error has been printed.
std::optional<std::vector<OutputFile>> generate(llvm::ArrayRef<uint8_t> model,
                                                CompileOptions options);

/// What differs between programs that run a model on samples.
struct ProgramParts {
  /// Before main. put(), put_record() and the model's header are there already.
  std::string definitions;
  /// Function that runs the model in `arena` on a sample, of which only rows are still to be handed
  /// over: its status. `run_model` is there already.
  std::string run = "run_model";
  /// Statements after each inference.
  std::string afterInvoke;
  /// Sections of the board's memories that hold the regions of RAM after the first; none for more
  /// regions than that.
  std::vector<std::string> sections = {};
};

/// The text of a program that runs the model on `samples`.
std::string programText(llvm::ArrayRef<Sample> samples, const ProgramParts &parts);

/// What a program printed with put_record(), in order.
struct Trace {
  struct Record {
    char kind;
    size_t index;
    std::vector<uint8_t> bytes;
  };
  std::vector<std::vector<Record>> samples;
};

/// A temporary folder that goes when this goes, and programs that run in it. Errors are printed.
class ProgramFolder {
public:
  explicit ProgramFolder(Progress &progress);
  ~ProgramFolder();
  ProgramFolder(const ProgramFolder &) = delete;

  /// False if there is no folder.
  explicit operator bool() const { return !path.empty(); }
  /// The path of a file in the folder.
  std::string operator/(llvm::StringRef name) const;
  /// The folder's own path.
  std::string text() const { return path.str().str(); }

  /// Writes files into the folder.
  bool write(std::vector<OutputFile> files) const;
  /// Runs a program that is found as the shell finds it. `what` says what it does.
  bool run(llvm::StringRef program, llvm::ArrayRef<std::string> arguments, llvm::StringRef what);
  /// The trace that the last program printed.
  std::optional<Trace> trace() const;

private:
  llvm::SmallString<128> path;
  Progress &progress;
};

} // namespace thimble::driver
