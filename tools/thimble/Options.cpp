// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Options.h"

#include "passes/kernels/Kernel.h"
#include "targets/Target.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Option/OptTable.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace llvm::opt;
using namespace thimble;
using namespace thimble::driver;

#define OPTTABLE_STR_TABLE_CODE
#include "tools/thimble/Options.inc"
#undef OPTTABLE_STR_TABLE_CODE

#define OPTTABLE_PREFIXES_TABLE_CODE
#include "tools/thimble/Options.inc"
#undef OPTTABLE_PREFIXES_TABLE_CODE

static constexpr OptTable::Info infoTable[] = {
#define OPTION(...) LLVM_CONSTRUCT_OPT_INFO(__VA_ARGS__),
#include "tools/thimble/Options.inc"
#undef OPTION
};

namespace {
class Table : public GenericOptTable {
public:
  Table() : GenericOptTable(OptionStrTable, OptionPrefixesTable, infoTable) {}
};
} // namespace

void driver::printError(StringRef message) { errs() << "thimble: error: " << message << "\n"; }

static bool fail(const Twine &message) {
  printError(message.str());
  return false;
}

/// Sets `value` to the choice called like the option's argument.
template <typename T>
static bool choose(const InputArgList &args, OptionID id, StringRef option, T &value,
                   ArrayRef<std::pair<StringRef, T>> choices) {
  const Arg *arg = args.getLastArg(id);
  if (!arg)
    return true;
  std::vector<StringRef> names;
  for (const auto &[name, choice] : choices) {
    if (name == arg->getValue()) {
      value = choice;
      return true;
    }
    names.push_back(name);
  }
  return fail("--" + option + " must be one of " + join(names, ", ") + ", got '" + arg->getValue() +
              "'");
}

/// A number of bytes with an optional K or M.
static bool parseSize(const InputArgList &args, OptionID id, StringRef option,
                      std::optional<int64_t> &bytes) {
  const Arg *arg = args.getLastArg(id);
  if (!arg)
    return true;
  StringRef text = arg->getValue();
  int64_t unit = 1;
  if (text.consume_back_insensitive("K"))
    unit = 1024;
  else if (text.consume_back_insensitive("M"))
    unit = 1024 * 1024;
  int64_t number = 0;
  if (text.getAsInteger(10, number) || number < 1 || number > INT32_MAX / unit)
    return fail("--" + option + " must be a size from 1 to 2047M, such as 16384, 16K or 1M, got '" +
                arg->getValue() + "'");
  bytes = number * unit;
  return true;
}

/// Regions of RAM, none faster than the one before it.
static bool parseRegions(const InputArgList &args, std::vector<std::string> &regions) {
  unsigned waitStates = 0;
  for (StringRef text : args.getAllArgValues(OPT_region)) {
    std::optional<MemoryRegion> region = MemoryRegion::parse(text);
    if (!region)
      return fail("--region must be NAME:BYTES[:WAITS], such as RAM:64K or SDRAM:8M:10, got '" +
                  text + "'");
    if (region->waitStates < waitStates)
      return fail("--region '" + text + "' is faster than the region before it");
    waitStates = region->waitStates;
    regions.push_back(region->text());
  }
  if (regions.size() > mostMemoryRegions)
    return fail("--region may be given " + Twine(mostMemoryRegions) + " times, got " +
                Twine(regions.size()));
  return true;
}

/// The words of --report; JSON is written in any case.
static bool parseReports(const InputArgList &args, CompileOptions &options) {
  const Arg *arg = args.getLastArg(OPT_report);
  if (!arg)
    return true;
  for (StringRef word : split(arg->getValue(), ',')) {
    if (word != "html" && word != "json")
      return fail("--report must be html, json or both with a comma between, got '" +
                  Twine(arg->getValue()) + "'");
    options.htmlReport |= word == "html";
  }
  return true;
}

static bool fillOptions(const InputArgList &args, Invocation &invocation) {
  CompileOptions &options = invocation.compile;
  if (const Arg *name = args.getLastArg(OPT_name)) {
    options.name = name->getValue();
    invocation.nameGiven = true;
  }
  options.target = args.getLastArgValue(OPT_target, options.target);
  if (!findTarget(options.target))
    return fail("--target must be one of " + join(targetNames(), ", ") + ", got '" +
                options.target + "'");
  if (!parseRegions(args, options.regions))
    return false;
  std::vector<std::pair<StringRef, Phase>> phases;
  for (const PhaseInfo &info : phaseTable())
    phases.push_back({info.name, info.phase});
  invocation.outputPath = args.getLastArgValue(OPT_output_path);
  options.dumpPhasesTo = args.getLastArgValue(OPT_dump_phases);
  options.preferredKernels = args.getAllArgValues(OPT_prefer_kernel);
  for (const std::string &name : options.preferredKernels)
    if (!findKernel(name)) {
      auto names = map_range(kernelTable(), [](const Kernel *kernel) { return kernel->getName(); });
      return fail("--prefer-kernel must be one of " + join(names, ", ") + ", got '" + name + "'");
    }
  options.instrument = args.hasArg(OPT_instrument);
  options.streamInput = args.hasArg(OPT_stream_input);
  invocation.inputs = args.getAllArgValues(OPT_input);
  invocation.jsonFile = args.getLastArgValue(OPT_json);
  invocation.outputs = args.getAllArgValues(OPT_output);
  if (args.getLastArgValue(OPT_emit) == "tflite")
    return fail("--emit tflite is not available in this version: use c, obj, asm or mlir");
  return choose<EmitKind>(args, OPT_emit, "emit", options.emit,
                          {{"c", EmitKind::C},
                           {"obj", EmitKind::Object},
                           {"asm", EmitKind::Assembly},
                           {"mlir", EmitKind::MLIR}}) &&
         choose<std::string>(
             args, OPT_optimize, "optimize", options.optimize,
             {{"speed", "speed"}, {"balanced", "balanced"}, {"ram", "ram"}, {"flash", "flash"}}) &&
         choose<std::string>(args, OPT_reference, "reference", options.reference,
                             {{"tflm", "tflm"}, {"litert", "litert"}}) &&
         choose<FloatAbi>(
             args, OPT_float_abi, "float-abi", options.floatAbi,
             {{"hard", FloatAbi::Hard}, {"softfp", FloatAbi::Softfp}, {"soft", FloatAbi::Soft}}) &&
         parseReports(args, options) &&
         choose<Phase>(args, OPT_compile_to, "compile-to", options.lastPhase, phases) &&
         parseSize(args, OPT_ram, "ram", options.ramBudget) &&
         parseSize(args, OPT_flash, "flash", options.flashBudget);
}

bool driver::parse(const Command &command, ArrayRef<const char *> arguments, Invocation &invocation,
                   bool &helpWanted) {
  Table table;
  unsigned missingIndex = 0, missingCount = 0;
  InputArgList args = table.ParseArgs(arguments, missingIndex, missingCount);
  if (missingCount)
    return fail(Twine("option '") + args.getArgString(missingIndex) + "' needs a value");
  for (const Arg *arg : args) {
    unsigned id = arg->getOption().getID();
    if (is_contained({OPT_quantize, OPT_calibrate, OPT_prune, OPT_io}, OptionID(id)))
      return fail(Twine("option '") + arg->getSpelling() + "' is not available in this version");
    if (id == OPT_UNKNOWN)
      return fail("unknown option '" + arg->getAsString(args) + "'");
    if (id != OPT_INPUT && id != OPT_help && !is_contained(command.options, OptionID(id)))
      return fail(Twine("'") + command.name + "' takes no option '" + arg->getSpelling() + "'");
  }
  helpWanted = args.hasArg(OPT_help);
  if (helpWanted)
    return true;
  invocation.models = args.getAllArgValues(OPT_INPUT);
  if (invocation.models.size() > 1)
    return fail(Twine("'") + command.name + "' takes one " + command.subject +
                " in this version, got " + Twine(invocation.models.size()));
  if (invocation.models.empty())
    return fail(Twine("'") + command.name + "' needs a " + command.subject + ": thimble " +
                command.name + " " + command.operands);
  if (!fillOptions(args, invocation))
    return false;
  const CompileOptions &options = invocation.compile;
  bool wantsObject = options.emit == EmitKind::Object || options.emit == EmitKind::Assembly;
  if (wantsObject && findTarget(options.target)->core == "generic")
    return fail("--emit obj and asm are for a core: the target 'generic' has c only");
  return true;
}

void driver::printHelp(const Command &command) {
  Table table;
  outs() << "usage: thimble " << command.name << " " << command.operands << "\n  "
         << command.summary << "\n";
  if (!command.options.empty())
    outs() << "\noptions:\n";
  for (OptionID id : command.options) {
    std::string spelling = table.getOption(id).getPrefixedName().str();
    if (const char *meta = table.getOptionMetaVar(id))
      spelling += std::string(" ") + meta;
    outs() << "  " << left_justify(spelling, 22) << " " << table.getOptionHelpText(id) << "\n";
  }
}

void driver::printHelp() {
  outs() << "usage: thimble COMMAND ...\n\ncommands:\n";
  for (const Command &command : commands())
    outs() << "  " << left_justify(command.name, 10) << " " << command.summary << "\n";
  outs() << "\n'thimble COMMAND --help' lists the options of a command.\n";
}
