// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// NAME.h: the generated API.
#include "compiler/emit/c/EmitC.h"
#include "compiler/emit/c/Literals.h"
#include "compiler/emit/c/Names.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace thimble::emit {

static void printTensor(llvm::raw_ostream &os, const std::string &macro, const TensorInfo &info) {
  const std::string prefix = "#define " + macro + "_";
  os << "/* \"" << escapeForComment(info.name) << "\" */\n";
  os << prefix << "BYTES " << info.bytes << "\n";
  os << prefix << "TYPE " << cType(info.kind) << "\n";
  os << prefix << "ELEMENTS " << info.elements << "\n";
  os << prefix << "RANK " << info.shape.size() << "\n";
  os << prefix << "SHAPE {";
  for (size_t i = 0; i < info.shape.size(); ++i)
    os << (i ? ", " : "") << info.shape[i];
  os << (info.shape.empty() ? "1}\n" : "}\n"); // a scalar's has an element: C has no empty lists
  os << prefix << "SCALE " << floatLiteral(static_cast<float>(info.scale))
     << (info.scale == 0 ? " /* not quantized */\n" : "\n");
  os << prefix << "ZERO_POINT " << (info.zeroPoint < 0 ? "(" : "") << info.zeroPoint
     << (info.zeroPoint < 0 ? ")\n" : "\n");
}

// A section macro that the user may have set.
static void printSection(llvm::raw_ostream &os, const std::string &name, const char *what) {
  os << "#ifndef " << name << " /* " << what << " */\n#define " << name << "\n#endif\n";
}

// The declarations of NAME_init and NAME_init_regions.
static std::string initText(const std::string &name, bool hasRegions) {
  const std::string macro = macroPrefix(name);
  const std::string one = "int " + name + "_init(void *arena);\n";
  const std::string several = "int " + name + "_init_regions(void *const *regions);\n";
  const std::string status = "THIMBLE_OK, or\n * THIMBLE_ERROR_NULL or THIMBLE_ERROR_ALIGNMENT "
                             "and nothing done. */\n";
  if (hasRegions)
    return "/* Prepares " + macro +
           "_NUM_REGIONS regions, which must stay where they are; call it once, and again\n"
           " * to reset the state. The first is the arena of the other functions. " +
           status + several +
           "/* Not for this model, which has several regions: THIMBLE_ERROR_REGIONS. */\n" + one +
           "\n";
  return "/* Prepares the arena; call it once, and again to reset the state. " + status + one +
         "/* The same with an arena in " + macro +
         "_NUM_REGIONS parts; the first is the arena of the other functions. */\n" + several + "\n";
}

std::string emitHeader(const Program &program, const EmitOptions &options) {
  const std::string name = options.name.empty() ? program.name : options.name;
  const std::string macro = macroPrefix(name);
  std::string text;
  llvm::raw_string_ostream os(text);
  auto define = [&](const char *what, const auto &value, const char *comment = "") {
    os << "#define " << macro << "_" << what << " " << value;
    if (*comment)
      os << " /* " << comment << " */";
    os << "\n";
  };
  os << "/* SPDX-License-Identifier: Apache-2.0 */\n"
     << "/* Made by Thimble " << escapeForComment(options.version)
     << ". The caller owns the arena: " << macro << "_ARENA_BYTES bytes aligned to\n"
     << " * " << macro << "_ARENA_ALIGN. Two arenas are two independent instances. */\n"
     << "#ifndef " << macro << "_H\n#define " << macro << "_H\n\n"
     << "#include \"thimble_types.h\"\n\n";
  auto isBool = [](const TensorInfo &tensor) { return tensor.kind == ElementKind::Bool; };
  const bool hasBool =
      llvm::any_of(program.inputs, isBool) || llvm::any_of(program.outputs, isBool);
  if (hasBool)
    os << "#include <stdbool.h>\n\n";

  define("MODEL_SHA256", "\"" + escapeForComment(options.modelSha256) + "\"");
  define("COMPILER_VERSION", "\"" + escapeForComment(options.version) + "\"");
  os << "\n";
  define("ARENA_BYTES", program.arenaBytes, "activations, scratch and state");
  define("ARENA_ALIGN", arenaAlign);
  define("STATE_BYTES", program.stateBytes, "of the arena: kept between inferences");
  define("SCRATCH_BYTES", program.scratchBytes, "of the arena: working space of kernels");
  define(
      "STACK_BYTES", options.stackBytes,
      ("peak stack of " + name + (program.pushed ? "_push_rows and _invoke" : "_invoke")).c_str());
  define("NUM_REGIONS", program.regions.size());
  define("REGION_0_BYTES", macro + "_ARENA_BYTES");
  for (size_t k = 1; k < program.regions.size(); ++k) {
    const std::string region = "REGION_" + std::to_string(k);
    // C has no empty arrays.
    define((region + "_BYTES").c_str(), std::max<int64_t>(program.regions[k].bytes, 1),
           escapeForComment(program.regions[k].name).c_str());
    define((region + "_ALIGN").c_str(), macro + "_ARENA_ALIGN");
  }
  define("NUM_LAYERS", program.calls.size());
  define("NUM_INPUTS", program.inputs.size());
  define("NUM_OUTPUTS", program.outputs.size());
  os << "\n";
  for (size_t i = 0; i < program.inputs.size(); ++i)
    printTensor(os, macro + "_INPUT_" + std::to_string(i), program.inputs[i]), os << "\n";
  if (program.pushed) {
    define("INPUT_0_ROWS", program.pushed->rows, ("to push, see " + name + "_push_rows").c_str());
    define("INPUT_0_ROW_BYTES", program.pushed->rowBytes);
    os << "\n";
  }
  for (size_t i = 0; i < program.outputs.size(); ++i)
    printTensor(os, macro + "_OUTPUT_" + std::to_string(i), program.outputs[i]), os << "\n";

  os << "/* Attributes, a section for example; define them before this file is included. */\n";
  printSection(os, macro + "_CONST", "of the constants");
  printSection(os, macro + "_HOT", "of the layers' functions");
  printSection(os, macro + "_ARENA", "of the arena, where the caller declares it");

  os << "\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << initText(name, program.hasRegions())
     << (program.pushed ? "/* Where to read the outputs, until the next inference. */\n"
                        : "/* Where to write the inputs, before every inference, and to read the "
                          "outputs, until the next. */\n");
  for (size_t i = 0; i < program.inputs.size() && !program.pushed; ++i)
    os << cType(program.inputs[i].kind) << " *" << name << "_input_" << i << "(void *arena);\n";
  for (size_t i = 0; i < program.outputs.size(); ++i)
    os << "const " << cType(program.outputs[i].kind) << " *" << name << "_output_" << i
       << "(const void *arena);\n";
  if (program.pushed)
    os << "\n/* Takes the next `count` rows of the input, from the first on, and computes what "
          "they make "
       << "possible.\n * They may go as soon as it returns; the arena is to be left alone until "
       << name << "_invoke.\n * THIMBLE_OK, or THIMBLE_ERROR_NULL, THIMBLE_ERROR_ALIGNMENT or "
       << "THIMBLE_ERROR_ROWS (more than are\n * missing) and nothing done. */\n"
       << "int " << name << "_push_rows(void *arena, const " << cType(program.inputs.front().kind)
       << " *rows, uint32_t count);\n"
       << "\n/* Ends an inference whose rows have been pushed and writes the outputs; the next row "
          "is the "
       << "first of\n * the next input. THIMBLE_OK, or THIMBLE_ERROR_NULL, THIMBLE_ERROR_ALIGNMENT "
          "or "
       << "THIMBLE_ERROR_ROWS\n * (some are missing) and nothing done. */\n";
  else
    os << "\n/* One inference: reads the inputs, which it may overwrite, and writes the outputs. "
       << "THIMBLE_OK, or\n * THIMBLE_ERROR_NULL or THIMBLE_ERROR_ALIGNMENT and nothing done. */\n";
  os << "int " << name << "_invoke(void *arena);\n";
  if (options.instrument)
    os << "\n/* Defined by the caller: called after each layer with the arena, the layer's index "
       << "and each buffer\n * that it wrote. */\n"
       << "void thimble_layer_hook(void *ctx, uint16_t layer, const void *rows, uint16_t row, "
       << "uint32_t bytes);\n";
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << macro << "_H */\n";
  return text;
}

} // namespace thimble::emit
