// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Programs.h"

#include "targets/Target.h"
#include "tools/thimble/Commands.h"
#include "tools/thimble/Session.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace thimble;
using namespace thimble::driver;

// Large models under emulation take minutes.
static constexpr unsigned longestRunSeconds = 600;

//===-- The program -------------------------------------------------------------------------===//

std::optional<std::vector<OutputFile>> driver::generate(llvm::ArrayRef<uint8_t> model,
                                                        CompileOptions options) {
  options.name = programModelName;
  Session session;
  auto files = compileModel(model, session.context, options);
  if (mlir::succeeded(files))
    return std::move(*files);
  session.printFirstError();
  return std::nullopt;
}

// Lines of text: S starts a sample, "KIND INDEX BYTES" is a record in hex, and E is the end.
static const char *const programStart = R"(#include "model.h"
#include <string.h>
#ifdef THIMBLE_PROGRAM_ON_HOST
#include <stdio.h>
static void put(const char *text, size_t length) { fwrite(text, 1, length, stdout); }
#else
#include "board.h"
static void put(const char *text, size_t length) { board_write(text, length); }
#endif

static void put_hex(const void *data, size_t bytes) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *p = data;
  char line[64];
  size_t used = 0;
  for (size_t i = 0; i < bytes; ++i) {
    line[used++] = digits[p[i] >> 4];
    line[used++] = digits[p[i] & 15];
    if (used == sizeof line || i + 1 == bytes) {
      put(line, used);
      used = 0;
    }
  }
}

static void put_record(const char *kind, unsigned index, const void *data, size_t bytes) {
  unsigned char both[2] = {(unsigned char)(index >> 8), (unsigned char)index};
  put(kind, 1);
  put(" ", 1);
  put_hex(both, 2);
  put(" ", 1);
  put_hex(data, bytes);
  put("\n", 1);
}

THIMBLE_ALIGN(MODEL_ARENA_ALIGN) static unsigned char arena[MODEL_ARENA_BYTES + 1];

#ifdef MODEL_INPUT_0_ROWS
THIMBLE_NOINLINE static int run_model(const unsigned char *rows) {
  for (int i = 0; i < MODEL_INPUT_0_ROWS; ++i, rows += MODEL_INPUT_0_ROW_BYTES) {
    int status = model_push_rows(arena, (const MODEL_INPUT_0_TYPE *)(const void *)rows, 1);
    if (status)
      return status;
  }
  return model_invoke(arena);
}
#else
static int run_model(const unsigned char *unused) {
  (void)unused;
  return model_invoke(arena);
}
#endif
)";

/// Memory for all regions, and the table of them that init takes. Only the model's header knows
/// how many there are.
static std::string regionsText(llvm::ArrayRef<std::string> sections) {
  std::string text, table = "static void *const regions[] = {arena";
  for (size_t k = 1; k < mostMemoryRegions; ++k) {
    const std::string number = std::to_string(k), name = "region_" + number;
    const std::string section = k <= sections.size() ? sections[k - 1] : "";
    text += "#if MODEL_NUM_REGIONS > " + number + "\n";
    if (!section.empty())
      text += "#ifndef THIMBLE_PROGRAM_ON_HOST\n__attribute__((section(\"" + section +
              "\")))\n#endif\n";
    text += "THIMBLE_ALIGN(MODEL_ARENA_ALIGN) static unsigned char " + name + "[MODEL_REGION_" +
            number + "_BYTES];\n#endif\n";
    table += "\n#if MODEL_NUM_REGIONS > " + number + "\n, " + name + "\n#endif";
  }
  return text + table + "\n};\n";
}

static std::string inputsText(llvm::ArrayRef<Sample> samples) {
  std::string text = "THIMBLE_ALIGN(8) static const unsigned char inputs[] = {";
  size_t column = 0;
  for (const Sample &sample : samples)
    for (const Tensor &tensor : sample)
      for (size_t i = 0; i < tensor.data.size(); ++i)
        text += (column++ % 32 ? "" : "\n") +
                std::to_string(static_cast<unsigned>(static_cast<uint8_t>(tensor.data[i]))) + ",";
  return text + "0};\n";
}

std::string driver::programText(llvm::ArrayRef<Sample> samples, const ProgramParts &parts) {
  std::string text =
      programStart + regionsText(parts.sections) + parts.definitions + inputsText(samples);
  text += "int main(void) {\n  const unsigned char *data = inputs;\n"
          "  if (model_init_regions(regions))\n    return 2;\n  for (unsigned s = 0; s < " +
          std::to_string(samples.size()) +
          "; ++s) {\n    const unsigned char *sample = data;\n    put(\"S\\n\", 2);\n";
  for (size_t k = 0; k < samples.front().size(); ++k) {
    std::string input = std::to_string(k);
    text += "#ifndef MODEL_INPUT_0_ROWS\n    memcpy(model_input_" + input +
            "(arena), data, MODEL_INPUT_" + input + "_BYTES);\n#endif\n    data += MODEL_INPUT_" +
            input + "_BYTES;\n";
  }
  return text + "    if (" + parts.run + "(sample))\n      return 3;\n" + parts.afterInvoke +
         "  }\n  put(\"E\\n\", 2);\n  return 0;\n}\n";
}

//===-- The folder --------------------------------------------------------------------------===//

ProgramFolder::ProgramFolder(Progress &progress) : progress(progress) {
  if (std::error_code error = llvm::sys::fs::createUniqueDirectory("thimble", path)) {
    printError("cannot make a temporary folder: " + error.message());
    path.clear();
  }
}

ProgramFolder::~ProgramFolder() {
  if (!path.empty())
    (void)llvm::sys::fs::remove_directories(path);
}

std::string ProgramFolder::operator/(llvm::StringRef name) const {
  llvm::SmallString<128> file(path);
  llvm::sys::path::append(file, name);
  return file.str().str();
}

bool ProgramFolder::write(std::vector<OutputFile> files) const {
  for (OutputFile &file : files)
    file.name = *this / file.name;
  return writeFiles(files);
}

static std::string readText(const std::string &path) {
  auto bytes = readFile(path);
  return bytes ? std::string(bytes->begin(), bytes->end()) : std::string();
}

bool ProgramFolder::run(llvm::StringRef program, llvm::ArrayRef<std::string> arguments,
                        llvm::StringRef what) {
  progress.step(what);
  auto found = llvm::sys::findProgramByName(program);
  if (!found) {
    printError("'" + program.str() + "' is not installed");
    return false;
  }
  std::string out = *this / "stdout.txt", errors = *this / "stderr.txt";
  std::vector<llvm::StringRef> argv{*found};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""), llvm::StringRef(out),
                                                llvm::StringRef(errors)};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(*found, argv, std::nullopt, redirects, longestRunSeconds,
                                         0, &message);
  if (status == 0)
    return true;
  if (message.empty())
    message = llvm::StringRef(readText(errors)).trim().split('\n').first.str();
  printError(what.str() + " failed with status " + std::to_string(status) +
             (message.empty() ? "" : ": " + message));
  return false;
}

//===-- What it printed ---------------------------------------------------------------------===//

static std::optional<Trace::Record> parseRecord(llvm::StringRef line) {
  auto [number, hex] = line.drop_front(2).split(' ');
  Trace::Record record{line.front(), 0, {}};
  std::string bytes;
  if (number.getAsInteger(16, record.index) || !llvm::tryGetFromHex(hex, bytes))
    return std::nullopt;
  record.bytes.assign(bytes.begin(), bytes.end());
  return record;
}

std::optional<Trace> ProgramFolder::trace() const {
  // Semihosting's console is the emulator's standard error or output, by its version.
  std::string text = readText(*this / "stdout.txt");
  if (text.empty())
    text = readText(*this / "stderr.txt");
  Trace trace;
  llvm::StringRef rest = text;
  while (!rest.empty()) {
    llvm::StringRef line;
    std::tie(line, rest) = rest.split('\n');
    line = line.rtrim('\r');
    if (line == "S") {
      trace.samples.emplace_back();
    } else if (line == "E") {
      return trace;
    } else if (line.size() > 2 && line[1] == ' ' && !trace.samples.empty()) {
      std::optional<Trace::Record> record = parseRecord(line);
      if (!record)
        break;
      trace.samples.back().push_back(std::move(*record));
    }
  }
  printError("the program ended before all samples had run");
  return std::nullopt;
}
