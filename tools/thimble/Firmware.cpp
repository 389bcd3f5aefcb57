// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Firmware.h"

#include "tools/thimble/Options.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace thimble;
using namespace thimble::driver;

static constexpr llvm::StringLiteral crossCompiler = "arm-none-eabi-gcc";
static constexpr llvm::StringLiteral emulator = "qemu-system-arm";
static constexpr llvm::StringLiteral targetsName = "share/thimble/targets";

std::string driver::findBesideProgram(llvm::StringRef name) {
  static int anchor; // an address in the program
  llvm::SmallString<128> path(llvm::sys::fs::getMainExecutable("thimble", &anchor));
  llvm::sys::path::remove_filename(path);
  llvm::sys::path::append(path, "..", name);
  return llvm::sys::fs::exists(path) ? path.str().str() : "";
}

std::string driver::missingForFirmware() {
  std::vector<std::string> missing;
  for (llvm::StringRef program : {crossCompiler, emulator})
    if (!llvm::sys::findProgramByName(program))
      missing.push_back(program.str());
  if (findBesideProgram(targetsName).empty())
    missing.push_back("the folder " + targetsName.str() + " beside the program");
  return llvm::join(missing, " and ");
}

std::vector<std::string> driver::regionSections(const Target &board) {
  std::vector<std::string> sections;
  for (const MemoryRegion &region : llvm::drop_begin(board.ram, board.ram.empty() ? 0 : 1))
    sections.push_back("." + llvm::StringRef(region.name).lower());
  return sections;
}

static std::vector<std::string> compilerFlags(const CompileOptions &options) {
  std::vector<std::string> flags = {
      "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=" + floatAbiName(options.floatAbi),
      "-std=c11",        "-O2",     "-ffunction-sections",
      "-fdata-sections"};
  if (options.floatAbi != FloatAbi::Soft)
    flags.push_back("-mfpu=fpv4-sp-d16");
  return flags;
}

bool driver::linkFirmware(ProgramFolder &folder, const CompileOptions &options,
                          const Target &board) {
  const std::vector<std::string> flags = compilerFlags(options);
  // An object of its own, so that the linker's map tells the model from the rest.
  if (options.emit == EmitKind::C) {
    std::vector<std::string> arguments = flags;
    arguments.insert(arguments.end(), {"-c", folder / "model.c", "-o", folder / "model.o"});
    if (!folder.run(crossCompiler, arguments, "compiling for the board"))
      return false;
  }
  std::string targets = findBesideProgram(targetsName), startup = targets + "/startup";
  std::vector<std::string> arguments = flags;
  arguments.insert(arguments.end(),
                   {"--specs=nano.specs", "-nostartfiles", "-Wl,--gc-sections",
                    "-Wl,--defsym=__stack_size=16384", "-Wl,-Map=" + folder / "firmware.map",
                    "-L" + startup, "-I" + startup, "-I" + folder.text(), "-T",
                    targets + "/boards/" + board.name + ".ld"});
  for (const std::string &define : board.startupDefines)
    arguments.push_back("-D" + define);
  for (const std::string &file : board.startupFiles)
    arguments.push_back(startup + "/" + file);
  arguments.insert(arguments.end(),
                   {folder / "main.c", folder / "model.o", "-o", folder / "firmware.elf", "-lm"});
  return folder.run(crossCompiler, arguments, "building the firmware");
}

bool driver::emulateFirmware(ProgramFolder &folder, const Target &board,
                             llvm::ArrayRef<std::string> extraArguments) {
  std::vector<std::string> arguments = {"-M",
                                        board.qemuMachine,
                                        "-display",
                                        "none",
                                        "-monitor",
                                        "none",
                                        "-serial",
                                        "none",
                                        "-semihosting-config",
                                        "enable=on,target=native",
                                        "-kernel",
                                        folder / "firmware.elf"};
  arguments.insert(arguments.end(), extraArguments.begin(), extraArguments.end());
  return folder.run(emulator, arguments, "running under QEMU");
}

bool driver::checkProgramKind(const CompileOptions &options, llvm::StringRef command) {
  if (options.emit == EmitKind::C || options.emit == EmitKind::Object)
    return true;
  printError("--emit must be one of c, obj for '" + command.str() + "'");
  return false;
}
