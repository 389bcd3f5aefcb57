// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// NAME.c: constants, layer functions and the API's definitions.
#include "compiler/emit/Assembly.h"
#include "compiler/emit/c/Constants.h"
#include "compiler/emit/c/EmitC.h"
#include "compiler/emit/c/FunctionPrinter.h"

#include "compiler/support/Grouped.h"
#include "dialects/mcu/MCUOps.h"
#include "passes/m4/Cycles.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace thimble::emit {

static mcu::Lifetime lifetimeOf(const BufferArgument &argument) {
  return llvm::cast<mcu::BufferType>(mcu::resolve(argument.buffer).root.getType()).getLifetime();
}

static void printShape(llvm::raw_ostream &os, const BufferArgument &argument) {
  auto type = llvm::cast<mcu::BufferType>(argument.buffer.getType());
  for (int64_t d : type.getShape())
    os << d << "x";
  os << type.getElementType();
}

// What a reader wants to know of a layer: its name, operator, kernel, shapes and work.
static void printLayerComment(llvm::raw_ostream &os, const LayerCall &call) {
  os << "/* Layer " << call.index << ", \"" << escapeForComment(call.layer)
     << "\": " << escapeForComment(call.op) << "\n * kernel " << escapeForComment(call.kernel)
     << ", ";
  std::string inputs, outputs;
  int64_t scratch = 0;
  for (const BufferArgument &argument : call.arguments) {
    if (lifetimeOf(argument) == mcu::Lifetime::Scratch) {
      scratch += argument.bytes;
      continue;
    }
    std::string &list = argument.written ? outputs : inputs;
    llvm::raw_string_ostream stream(list);
    stream << (list.empty() ? "" : ", ");
    printShape(stream, argument);
  }
  os << (inputs.empty() ? "nothing" : inputs) << " -> " << (outputs.empty() ? "nothing" : outputs);
  if (scratch)
    os << ", scratch " << grouped(scratch) << " bytes";
  if (call.macs)
    os << ", " << grouped(call.macs) << " MACs";
  os << " */\n";
}

// Whether any value in the module's functions is a float.
static bool usesFloat(ModuleOp module) {
  return module
      ->walk([](Operation *op) {
        auto isFloat = [](Type type) {
          auto memref = llvm::dyn_cast<MemRefType>(type);
          return llvm::isa<FloatType>(memref ? memref.getElementType() : type);
        };
        const bool found = llvm::any_of(op->getResultTypes(), isFloat) ||
                           llvm::any_of(op->getOperandTypes(), isFloat);
        return found ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static std::string regionName(size_t region) { return "region_" + std::to_string(region); }

// The expression of an address in a region.
static std::string addressIn(size_t region, int64_t offset) {
  return (region == 0 ? "base" : regionName(region)) + " + " + std::to_string(offset);
}

static std::string loadRegion(const std::string &name, size_t region) {
  return name + "_region(arena, " + std::to_string(regionSlot(region)) + ")";
}

// Where the arena has the addresses of the other regions.
static void printRegion(llvm::raw_ostream &os, const std::string &name) {
  os << "static uint8_t *" << name << "_region(const void *arena, size_t slot) {\n"
     << "  return *(uint8_t *const *)(const void *)((const uint8_t *)arena + slot);\n}\n\n";
}

static void printAccessor(llvm::raw_ostream &os, const std::string &name, const TensorInfo &info,
                          bool isInput, size_t index) {
  const std::string type = (isInput ? "" : "const ") + cType(info.kind).str() + " *";
  const std::string isConst = isInput ? "" : "const ";
  const std::string base =
      info.region == 0 ? "(" + isConst + "uint8_t *)arena" : loadRegion(name, info.region);
  os << type << name << (isInput ? "_input_" : "_output_") << index << "(" << isConst
     << "void *arena) {\n  return (" << type << ")(" << isConst << "void *)(" << base << " + "
     << info.offset << ");\n}\n";
}

static void printArenaChecks(llvm::raw_ostream &os, const std::string &name) {
  os << "  if (arena == NULL)\n    return THIMBLE_ERROR_NULL;\n"
     << "  if ((uintptr_t)arena % " << macroPrefix(name) << "_ARENA_ALIGN != 0)\n"
     << "    return THIMBLE_ERROR_ALIGNMENT;\n";
}

static void printInitRegions(llvm::raw_ostream &os, const std::string &name,
                             const Program &program) {
  const std::string macro = macroPrefix(name);
  os << "int " << name << "_init(void *arena) {\n"
     << "  return arena == NULL ? THIMBLE_ERROR_NULL : THIMBLE_ERROR_REGIONS;\n}\n\n"
     << "int " << name << "_init_regions(void *const *regions) {\n"
     << "  if (regions == NULL)\n    return THIMBLE_ERROR_NULL;\n"
     << "  for (size_t i = 0; i < " << macro << "_NUM_REGIONS; ++i) {\n"
     << "    if (regions[i] == NULL)\n      return THIMBLE_ERROR_NULL;\n"
     << "    if ((uintptr_t)regions[i] % " << macro << "_ARENA_ALIGN != 0)\n"
     << "      return THIMBLE_ERROR_ALIGNMENT;\n  }\n";
  for (size_t region = 1; region < program.regions.size(); ++region)
    os << "  *(void **)(void *)((uint8_t *)regions[0] + " << regionSlot(region) << ") = regions["
       << region << "];\n";
  for (const StateRange &state : program.states)
    os << "  memset((uint8_t *)regions[" << state.region << "] + " << state.offset << ", 0, "
       << state.bytes << ");\n";
  os << "  return THIMBLE_OK;\n}\n\n";
}

static void printInit(llvm::raw_ostream &os, const std::string &name, const Program &program) {
  os << "int " << name << "_init(void *arena) {\n";
  printArenaChecks(os, name);
  for (const StateRange &state : program.states)
    os << "  memset((uint8_t *)arena + " << state.offset << ", 0, " << state.bytes << ");\n";
  os << "  return THIMBLE_OK;\n}\n\n"
     << "int " << name << "_init_regions(void *const *regions) {\n"
     << "  return regions == NULL ? THIMBLE_ERROR_NULL : " << name << "_init(regions[0]);\n}\n\n";
}

static void printCall(llvm::raw_ostream &os, const LayerCall &call, bool instrument) {
  func::FuncOp function = call.function;
  std::string text = function.getSymName().str() + "(";
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    auto type = llvm::cast<MemRefType>(function.getArgument(i).getType());
    text += (i ? ", (" : "(") + scalarType(type.getElementType()) + " *)(void *)(" +
            addressIn(call.arguments[i].region, call.arguments[i].offset) + ")";
  }
  os << wrapped(text + ");", 2);
  if (!instrument)
    return;
  for (const BufferArgument &argument : call.arguments)
    if (argument.written && lifetimeOf(argument) != mcu::Lifetime::Scratch)
      os << wrapped("thimble_layer_hook(arena, " + std::to_string(call.index) + ", " +
                        addressIn(argument.region, argument.offset) + ", 0, " +
                        std::to_string(argument.bytes) + ");",
                    2);
}

static void printRowCounter(llvm::raw_ostream &os, const PushedInput &pushed) {
  const std::string base = pushed.region == 0 ? "(uint8_t *)arena" : regionName(pushed.region);
  os << "  int32_t *const pushed = (int32_t *)(void *)(" << base << " + " << pushed.counter
     << ");\n";
}

// The checks of a function that runs the model, and variables for what they find.
static void printEntry(llvm::raw_ostream &os, const std::string &name, const Program &program) {
  // Addresses in the arena are computed, not read: before it is known to be one.
  const bool isEarly = program.pushed && program.pushed->region == 0;
  if (isEarly)
    printRowCounter(os, *program.pushed);
  printArenaChecks(os, name);
  for (size_t region = 1; region < program.regions.size(); ++region)
    os << "  uint8_t *const " << regionName(region) << " = " << loadRegion(name, region) << ";\n"
       << "  if (" << regionName(region) << " == NULL)\n    return THIMBLE_ERROR_STATE;\n";
  if (program.pushed && !isEarly)
    printRowCounter(os, *program.pushed);
}

// The arguments of a driver: all regions.
static std::string basesOf(const Program &program, llvm::StringRef arena) {
  std::string bases = "(int8_t *)" + arena.str();
  for (size_t region = 1; region < program.regions.size(); ++region)
    bases += ", (int8_t *)" + regionName(region);
  return bases;
}

// The driver of the stream that takes the rows of the input, if one does.
static func::FuncOp driverOfRows(const Program &program) {
  for (const Step &step : program.steps)
    if (step.takesRows)
      return step.driver;
  return {};
}

static void printPushRows(llvm::raw_ostream &os, const std::string &name, const Program &program) {
  const PushedInput &pushed = *program.pushed;
  const TensorInfo &input = program.inputs.front();
  const std::string type = cType(input.kind).str();
  os << "int " << name << "_push_rows(void *arena, const " << type << " *rows, uint32_t count) {\n"
     << "  const int8_t *row = (const int8_t *)(const void *)rows;\n";
  printEntry(os, name, program);
  os << "  if (rows == NULL)\n    return THIMBLE_ERROR_NULL;\n"
     << "  if (count > (uint32_t)(" << pushed.rows
     << " - *pushed))\n    return THIMBLE_ERROR_ROWS;\n"
     << "  for (; count > 0; --count, ++*pushed, row += " << pushed.rowBytes << ")\n";
  if (func::FuncOp driver = driverOfRows(program))
    os << "    " << driver.getSymName() << "(" << basesOf(program, "arena") << ", row, *pushed);\n";
  else
    os << "    thimble_copy_rows((int8_t *)"
       << (input.region == 0 ? "arena" : regionName(input.region)) << " + " << input.offset
       << " + *pushed * " << pushed.rowBytes << ", row, " << pushed.rowBytes << ");\n";
  os << "  return THIMBLE_OK;\n}\n\n";
}

static void printInvoke(llvm::raw_ostream &os, const std::string &name, const Program &program,
                        bool instrument) {
  const bool usesBase = llvm::any_of(program.steps, [&](const Step &step) {
    return !step.takesRows &&
           (step.driver || llvm::any_of(program.calls[step.firstCall].arguments,
                                        [](const BufferArgument &a) { return a.region == 0; }));
  });
  os << "int " << name << "_invoke(void *arena) {\n";
  if (usesBase)
    os << "  uint8_t *const base = (uint8_t *)arena;\n";
  printEntry(os, name, program);
  if (program.pushed)
    os << "  if (*pushed != " << program.pushed->rows << ")\n    return THIMBLE_ERROR_ROWS;\n"
       << "  *pushed = 0;\n";
  for (Step step : program.steps)
    if (step.takesRows)
      continue; // by then it has run
    else if (step.driver)
      os << wrapped(step.driver.getSymName().str() + "(" + basesOf(program, "base") + ");", 2);
    else
      printCall(os, program.calls[step.firstCall], instrument);
  os << "  return THIMBLE_OK;\n}\n";
}

// What a call of the kernel costs.
static void printKernelComment(llvm::raw_ostream &os, m4::KernelOp kernel) {
  os << "/* " << grouped(static_cast<int64_t>(kernel.getCycles().value_or(0))) << " cycles a call, "
     << m4::stackBytes(kernel) << " bytes of stack. */\n";
}

// The first lines of `definition`, up to its body, with every parameter marked as unused: only
// instructions read them.
static std::string nakedSignature(llvm::StringRef definition, const std::string &qualifiers) {
  std::string text = qualifiers + "THIMBLE_NAKED\n";
  llvm::StringRef signature = definition.split('\n').second.split("{\n").first;
  for (char c : signature)
    text += c == ',' || c == ')' ? std::string(" THIMBLE_UNUSED") + c : std::string(1, c);
  return text + "{\n";
}

namespace {
// Constants and functions, each printed once, constants before the first function that reads them.
struct Definitions {
  ModuleOp module;
  std::string macro;
  Scopes scopes;
  llvm::DenseSet<Operation *> printed;
  std::string text;

  LogicalResult print(const LayerCall &call) {
    std::string comment;
    llvm::raw_string_ostream os(comment);
    printLayerComment(os, call);
    return print(call.function, comment);
  }

  /// The loop over the firings of a stream.
  LogicalResult print(func::FuncOp driver, const Step &step) {
    const std::string first = std::to_string(step.firstCall);
    const std::string last = std::to_string(step.firstCall + step.calls - 1);
    return print(driver, step.calls == 1
                             ? "/* Layer " + first + ", row by row. */\n"
                             : "/* Layers " + first + " to " + last + ", row by row. */\n");
  }

private:
  LogicalResult print(func::FuncOp function, const std::string &comment) {
    if (!printed.insert(function).second)
      return success();
    if (function.isExternal())
      return function.emitOpError("layer function has no body");
    if (failed(printKernels(function)) || failed(printConstants(function)))
      return failure();
    llvm::raw_string_ostream os(text);
    os << comment;
    FunctionPrinter printer(scopes, macro + "_HOT THIMBLE_NOINLINE");
    FailureOr<std::string> definition = printer.print(function);
    if (failed(definition))
      return failure();
    os << *definition << "\n";
    return success();
  }

  LogicalResult printConstants(func::FuncOp function) {
    WalkResult walked = function.walk([&](memref::GetGlobalOp get) {
      auto global = module.lookupSymbol<memref::GlobalOp>(get.getName());
      if (!global)
        return get.emitOpError("'") << get.getName() << "' is not a constant",
               WalkResult::interrupt();
      if (!printed.insert(global).second)
        return WalkResult::advance();
      FailureOr<std::string> constant = printConstant(global, macro);
      if (failed(constant))
        return WalkResult::interrupt();
      text += *constant + "\n";
      return WalkResult::advance();
    });
    return failure(walked.wasInterrupted());
  }

  LogicalResult printKernels(func::FuncOp function) {
    WalkResult walked = function.walk([&](m4::CallOp called) {
      auto kernel = module.lookupSymbol<m4::KernelOp>(called.getKernel());
      auto portable = kernel && kernel.getPortable()
                          ? module.lookupSymbol<func::FuncOp>(*kernel.getPortable())
                          : func::FuncOp();
      if (!portable)
        return called.emitOpError("calls no kernel with a portable function"),
               WalkResult::interrupt();
      const bool isNew = printed.insert(kernel).second;
      return isNew && failed(print(kernel, portable)) ? WalkResult::interrupt()
                                                      : WalkResult::advance();
    });
    return failure(walked.wasInterrupted());
  }

  // The kernel's instructions and, for other compilers, its portable function.
  LogicalResult print(m4::KernelOp kernel, func::FuncOp portable) {
    // Its constants are its own: they are not there where the instructions are.
    std::string before;
    std::swap(text, before);
    const LogicalResult printedConstants = printConstants(portable);
    std::swap(text, before);
    const std::string &constants = before;
    if (failed(printedConstants))
      return failure();
    const std::string hot = macro + "_HOT ";
    FunctionPrinter printer(scopes, hot + "THIMBLE_NOINLINE");
    FailureOr<std::string> definition = printer.print(portable, kernel.getSymName());
    if (failed(definition))
      return failure();
    llvm::raw_string_ostream os(text);
    printKernelComment(os, kernel);
    os << (usesFpu(kernel) ? "#if THIMBLE_ASM_FP\n" : "#if THIMBLE_ASM\n")
       << nakedSignature(*definition, hot) << "  __asm__(";
    for (const std::string &line : assemblyOf(kernel))
      os << "\n      \"" << line << "\\n\"";
    os << ");\n}\n#else\n" << constants << *definition << "#endif\n\n";
    return success();
  }
};
} // namespace

FailureOr<std::vector<EmittedFile>> emitC(ModuleOp module, const EmitOptions &options) {
  FailureOr<Program> program = describeProgram(module);
  if (failed(program))
    return failure();
  const std::string name = options.name.empty() ? program->name : options.name;

  Definitions definitions{module, macroPrefix(name), {}, {}, {}};
  for (Operation &op : module.getOps())
    if (auto symbol = llvm::dyn_cast<SymbolOpInterface>(op))
      definitions.scopes.reserve(symbol.getName());
  for (const LayerCall &call : program->calls)
    if (failed(definitions.print(call)))
      return failure();
  for (const Step &step : program->steps)
    if (step.driver && failed(definitions.print(step.driver, step)))
      return failure();

  std::string text;
  llvm::raw_string_ostream os(text);
  const bool isFloat = usesFloat(module);
  os << "/* SPDX-License-Identifier: Apache-2.0 */\n"
     << "/* Made by Thimble " << escapeForComment(options.version) << " for "
     << (options.portable ? "any core" : "the Cortex-M4") << ". Buffers lie in the arena at fixed "
     << "offsets; those of\n * different layers share bytes where their lives allow. */\n"
     << "#include \"" << name << ".h\"\n\n#include \"thimble_runtime.h\"\n\n";
  if (llvm::StringRef(definitions.text).contains("INFINITY") ||
      llvm::StringRef(definitions.text).contains("NAN"))
    os << "#include <math.h>\n";
  os << "#include <stdbool.h>\n";
  if (!program->states.empty())
    os << "#include <string.h>\n";
  os << "\n";
  if (isFloat)
    os << "THIMBLE_FP_STRICT_BEGIN\n\n";
  os << definitions.text;
  if (program->hasRegions()) {
    printRegion(os, name);
    printInitRegions(os, name, *program);
  } else {
    printInit(os, name, *program);
  }
  for (size_t i = 0; i < program->inputs.size() && !program->pushed; ++i)
    printAccessor(os, name, program->inputs[i], true, i);
  for (size_t i = 0; i < program->outputs.size(); ++i)
    printAccessor(os, name, program->outputs[i], false, i);
  os << "\n";
  if (program->pushed)
    printPushRows(os, name, *program);
  printInvoke(os, name, *program, options.instrument);
  if (isFloat)
    os << "\nTHIMBLE_FP_STRICT_END\n";
  return std::vector<EmittedFile>{{name + ".h", emitHeader(*program, options)},
                                  {name + ".c", text}};
}

} // namespace thimble::emit
