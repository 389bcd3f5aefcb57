// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// verify: programs of the generated code that tell what each layer wrote.
#include "tools/thimble/Commands.h"
#include "tools/thimble/Session.h"
#include "tools/thimble/Verify.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace thimble;
using namespace thimble::driver;

// Large models under emulation take minutes.
static constexpr unsigned longestRunSeconds = 600;

//===-- The program -------------------------------------------------------------------------===//

// Lines of text: S starts a sample, "L <layer> <bytes>" and "O <output> <bytes>" are what was
// written, all in hex, and E is the end.
static const char *const programStart = R"(
#include <string.h>
#ifdef THIMBLE_VERIFY_HOST
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
  put(kind, 2);
  put_hex(both, 2);
  put(" ", 1);
  put_hex(data, bytes);
  put("\n", 1);
}

void thimble_layer_hook(void *ctx, uint16_t layer, const void *rows, uint16_t row, uint32_t bytes);
void thimble_layer_hook(void *ctx, uint16_t layer, const void *rows, uint16_t row, uint32_t bytes) {
  (void)ctx;
  (void)row;
  put_record("L ", layer, rows, bytes);
}
)";

std::string Programs::mainProgram(const std::string &name) const {
  std::string macro = llvm::StringRef(name).upper();
  std::string text = "#include \"" + name + ".h\"\n" + programStart;
  text += "static const unsigned char inputs[] = {";
  size_t column = 0;
  for (const Sample &sample : samples)
    for (const Tensor &tensor : sample)
      for (size_t i = 0; i < tensor.data.size(); ++i)
        text += (column++ % 32 ? "" : "\n") +
                std::to_string(static_cast<unsigned>(static_cast<uint8_t>(tensor.data[i]))) + ",";
  text += "0};\nTHIMBLE_ALIGN(" + macro + "_ARENA_ALIGN) static unsigned char arena[" + macro +
          "_ARENA_BYTES + 1];\n\nint main(void) {\n  const unsigned char *data = inputs;\n  if (" +
          name + "_init(arena))\n    return 2;\n  for (unsigned s = 0; s < " +
          std::to_string(samples.size()) + "; ++s) {\n    put(\"S\\n\", 2);\n";
  for (size_t k = 0; k < samples.front().size(); ++k) {
    std::string input = std::to_string(k);
    text += "    memcpy(" + name + "_input_" + input + "(arena), data, " + macro + "_INPUT_" +
            input + "_BYTES);\n    data += " + macro + "_INPUT_" + input + "_BYTES;\n";
  }
  text += "    if (" + name + "_invoke(arena))\n      return 3;\n"
          "#define OUTPUT(k) put_record(\"O \", k, " + name + "_output_##k(arena), " + macro +
          "_OUTPUT_##k##_BYTES)\n@OUTPUTS@  }\n  put(\"E\\n\", 2);\n  return 0;\n}\n";
  return text;
}

//===-- Building and running ----------------------------------------------------------------===//

namespace thimble::driver {
/// A folder that goes when this goes.
struct TemporaryFolder {
  TemporaryFolder() {
    if (std::error_code error = llvm::sys::fs::createUniqueDirectory("thimble-verify", path))
      printError("cannot make a temporary folder: " + error.message());
  }
  ~TemporaryFolder() {
    if (!path.empty())
      (void)llvm::sys::fs::remove_directories(path);
  }
  std::string operator/(llvm::StringRef name) const {
    llvm::SmallString<128> file(path);
    llvm::sys::path::append(file, name);
    return file.str().str();
  }
  llvm::SmallString<128> path;
};
} // namespace thimble::driver

static std::string readText(const std::string &path) {
  auto bytes = readFile(path);
  return bytes ? std::string(bytes->begin(), bytes->end()) : std::string();
}

/// Runs a program with its output and errors in files of `folder`; false after an error has been
/// printed with the first line of what it said.
bool Programs::runProgram(llvm::StringRef program, llvm::ArrayRef<std::string> arguments,
                          llvm::StringRef what, const TemporaryFolder &folder) {
  progress.step(what);
  std::string out = folder / "stdout.txt", errors = folder / "stderr.txt";
  std::vector<llvm::StringRef> argv{program};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(""), llvm::StringRef(out),
                                                llvm::StringRef(errors)};
  std::string message;
  int status = llvm::sys::ExecuteAndWait(program, argv, std::nullopt, redirects, longestRunSeconds,
                                         0, &message);
  if (status == 0)
    return true;
  if (message.empty())
    message = llvm::StringRef(readText(errors)).trim().split('\n').first.str();
  printError(what.str() + " failed with status " + std::to_string(status) +
             (message.empty() ? "" : ": " + message));
  return false;
}

bool Programs::compile(CompileOptions &options, const std::string &folder) {
  options.name = "model";
  options.instrument = true;
  Session session;
  auto files = compileModel(model, session.context, options);
  if (mlir::failed(files)) {
    session.printFirstError();
    return false;
  }
  // The model's header says how many outputs there are.
  std::string main = mainProgram(options.name), outputs;
  for (const OutputFile &file : *files)
    for (size_t k = 0; file.name == "model.h" &&
                       file.contents.find("MODEL_OUTPUT_" + std::to_string(k) + "_BYTES") !=
                           std::string::npos;
         ++k)
      outputs += "    OUTPUT(" + std::to_string(k) + ");\n";
  const std::string mark = "@OUTPUTS@";
  main.replace(main.find(mark), mark.size(), outputs);
  files->push_back({"verify_main.c", std::move(main)});
  for (OutputFile &file : *files)
    file.name = folder + "/" + file.name;
  return writeFiles(*files);
}

/// What the program printed.
static std::optional<Trace> parseTrace(const std::string &text) {
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
    } else if ((line.starts_with("L ") || line.starts_with("O ")) && !trace.samples.empty()) {
      auto [number, hex] = line.drop_front(2).split(' ');
      Trace::Record record{line.front() == 'O', 0, {}};
      std::string bytes;
      if (number.getAsInteger(16, record.index) || !llvm::tryGetFromHex(hex, bytes))
        break;
      record.bytes.assign(bytes.begin(), bytes.end());
      trace.samples.back().push_back(std::move(record));
    }
  }
  printError("the program ended before all samples had run");
  return std::nullopt;
}

std::optional<Trace> Programs::runOnHost(CompileOptions options) {
  options.target = "generic";
  options.emit = EmitKind::C;
  TemporaryFolder folder;
  if (folder.path.empty() || !compile(options, folder.path.str().str()))
    return std::nullopt;
  auto compiler = llvm::sys::findProgramByName("cc");
  if (!compiler) {
    printError("'cc', the host's C compiler, is not installed");
    return std::nullopt;
  }
  std::string program = folder / "program";
  if (!runProgram(*compiler,
                  {"-std=c11", "-O2", "-DTHIMBLE_VERIFY_HOST", "-I", folder.path.str().str(),
                   folder / "model.c", folder / "verify_main.c", "-o", program, "-lm"},
                  "compiling for the host", folder) ||
      !runProgram(program, {}, "running on the host", folder))
    return std::nullopt;
  return parseTrace(readText(folder / "stdout.txt"));
}

std::optional<Trace> Programs::runOnBoard(CompileOptions options, const Target &board,
                                          const std::string &targetsFolder) {
  options.target = board.name;
  TemporaryFolder folder;
  if (folder.path.empty() || !compile(options, folder.path.str().str()))
    return std::nullopt;
  std::string startup = targetsFolder + "/startup", elf = folder / "firmware.elf";
  std::vector<std::string> arguments = {"-mcpu=cortex-m4",
                                        "-mthumb",
                                        "-mfloat-abi=" + floatAbiName(options.floatAbi),
                                        "-std=c11",
                                        "-O2",
                                        "-ffunction-sections",
                                        "-fdata-sections",
                                        "--specs=nano.specs",
                                        "-nostartfiles",
                                        "-Wl,--gc-sections",
                                        "-Wl,--defsym=__stack_size=16384",
                                        "-L" + startup,
                                        "-I" + startup,
                                        "-I" + folder.path.str().str(),
                                        "-T",
                                        targetsFolder + "/boards/" + board.name + ".ld"};
  if (options.floatAbi != FloatAbi::Soft)
    arguments.push_back("-mfpu=fpv4-sp-d16");
  for (const std::string &define : board.startupDefines)
    arguments.push_back("-D" + define);
  for (const std::string &file : board.startupFiles)
    arguments.push_back(startup + "/" + file);
  arguments.insert(arguments.end(),
                   {folder / "verify_main.c",
                    folder / (options.emit == EmitKind::Object ? "model.o" : "model.c"), "-o", elf,
                    "-lm"});
  auto compiler = llvm::sys::findProgramByName("arm-none-eabi-gcc");
  auto emulator = llvm::sys::findProgramByName("qemu-system-arm");
  if (!compiler || !emulator ||
      !runProgram(*compiler, arguments, "building the firmware", folder) ||
      !runProgram(*emulator,
                  {"-M", board.qemuMachine, "-display", "none", "-monitor", "none", "-serial",
                   "none", "-semihosting-config", "enable=on,target=native", "-kernel", elf},
                  "running under QEMU", folder))
    return std::nullopt;
  // Semihosting's console is the emulator's standard error or output, by its version.
  std::string text = readText(folder / "stdout.txt");
  return parseTrace(text.empty() ? readText(folder / "stderr.txt") : text);
}
