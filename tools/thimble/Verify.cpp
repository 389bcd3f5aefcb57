// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// thimble verify: reference, host and emulated target compared layer by layer.
#include "tools/thimble/Verify.h"

#include "compiler/support/Quote.h"
#include "tools/thimble/Commands.h"
#include "tools/thimble/Firmware.h"
#include "tools/thimble/Session.h"
#include "tools/thimble/Table.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

//===-- Comparison --------------------------------------------------------------------------===//

/// Element `index` as a number, for the size of a difference.
static double element(const uint8_t *bytes, ElementType type, size_t index) {
  auto load = [&](auto value) {
    std::memcpy(&value, bytes + index * sizeof value, sizeof value);
    return static_cast<double>(value);
  };
  switch (type) {
  case ElementType::Bool:
  case ElementType::UInt8:
    return load(uint8_t());
  case ElementType::Int8:
    return load(int8_t());
  case ElementType::Int16:
    return load(int16_t());
  case ElementType::Int32:
    return load(int32_t());
  case ElementType::Int64:
    return load(int64_t());
  case ElementType::Float32:
    return load(float());
  }
  llvm_unreachable("unknown element type");
}

/// "equal", or where and by how much `got` differs first.
static std::string compare(const std::vector<uint8_t> &got, const Tensor &want, size_t sample) {
  const auto *wanted = reinterpret_cast<const uint8_t *>(want.data.data());
  if (got.size() != want.data.size())
    return "has " + std::to_string(got.size()) + " bytes, not " + std::to_string(want.data.size());
  auto first = std::mismatch(got.begin(), got.end(), wanted).first;
  if (first == got.end())
    return "equal";
  auto index = static_cast<size_t>(first - got.begin()) / byteSize(want.type.element);
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "differs at element " << index << " by "
     << llvm::format("%g", element(got.data(), want.type.element, index) -
                               element(wanted, want.type.element, index))
     << " (sample " << sample << ")";
  return text;
}

namespace {
/// The verdicts on one program: by layer, then by output.
struct Column {
  std::string title;
  std::vector<std::string> layers, outputs;
};
} // namespace

// The first difference of a tensor stands.
static void note(std::string &verdict, std::string found) {
  if (verdict.empty() || verdict == "equal")
    verdict = std::move(found);
}

static Column judge(std::string title, const Trace &trace, const Reference &reference) {
  Column column{std::move(title), {}, {}};
  column.layers.resize(reference.layers.size());
  column.outputs.resize(reference.outputs.front().size());
  for (auto [s, records] : llvm::enumerate(trace.samples)) {
    std::vector<size_t> written(reference.layers.size());
    // A layer that runs row by row records a result in pieces.
    std::vector<std::vector<uint8_t>> pieces(reference.layers.size());
    for (const Trace::Record &record : records) {
      if (record.kind == 'O' && record.index < column.outputs.size()) {
        note(column.outputs[record.index],
             compare(record.bytes, reference.outputs[s][record.index], s));
      } else if (record.kind == 'L' && record.index < reference.layers.size()) {
        const auto &values = reference.layers[record.index].values;
        const size_t which = written[record.index];
        if (s >= values.size() || which >= values[s].size())
          continue;
        std::vector<uint8_t> &whole = pieces[record.index];
        whole.insert(whole.end(), record.bytes.begin(), record.bytes.end());
        if (whole.size() < values[s][which].data.size())
          continue;
        note(column.layers[record.index], compare(whole, values[s][which], s));
        whole.clear();
        ++written[record.index];
      }
    }
    for (auto [layer, rest] : llvm::enumerate(pieces))
      if (!rest.empty())
        note(column.layers[layer], "ends after " + std::to_string(rest.size()) + " bytes");
  }
  for (std::string &verdict : column.layers)
    if (verdict.empty())
      verdict = "not seen";
  for (std::string &verdict : column.outputs)
    if (verdict.empty())
      verdict = "missing";
  return column;
}

/// Prints the table; the number of rows with a difference.
static size_t printVerdicts(const Reference &reference, llvm::ArrayRef<Column> columns) {
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"layer", "operator"});
  for (const Column &column : columns)
    rows.front().push_back(column.title);
  size_t different = 0;
  auto addRow = [&](std::string name, std::string op, auto verdictOf) {
    rows.push_back({std::move(name), std::move(op)});
    bool isDifferent = false;
    for (const Column &column : columns) {
      rows.back().push_back(verdictOf(column));
      const std::string &verdict = rows.back().back();
      isDifferent |= verdict != "equal" && verdict != "not seen";
    }
    different += isDifferent;
  };
  for (auto [i, layer] : llvm::enumerate(reference.layers))
    addRow(escapeName(layer.name, 40), layer.op, [i = i](const Column &c) { return c.layers[i]; });
  for (size_t k = 0; k < reference.outputs.front().size(); ++k)
    addRow("output " + std::to_string(k), "", [k](const Column &c) { return c.outputs[k]; });

  printTable(rows, rows.front().size());
  return different;
}

//===-- The command -------------------------------------------------------------------------===//

// With --instrument generated code calls this after each layer.
static const char *const layerHook = R"(
void thimble_layer_hook(void *ctx, uint16_t layer, const void *rows, uint16_t row, uint32_t bytes);
void thimble_layer_hook(void *ctx, uint16_t layer, const void *rows, uint16_t row, uint32_t bytes) {
  (void)ctx;
  (void)row;
  put_record("L", layer, rows, bytes);
}
)";

namespace {
/// Programs of a model, and what they computed beside the reference.
struct Comparison {
  llvm::ArrayRef<uint8_t> model;
  const std::vector<Sample> &samples;
  const Reference &reference;
  const Target &board; // for the emulated program
  std::vector<Column> columns;
  Progress progress;

  /// Adds a column for a program that `buildAndRun` makes of the files in a folder and runs.
  bool add(std::string title, const CompileOptions &options,
           llvm::function_ref<bool(ProgramFolder &)> buildAndRun);

private:
  bool writeProgram(const ProgramFolder &folder, CompileOptions options) const;
};
} // namespace

/// Writes a program that prints all layers and outputs.
bool Comparison::writeProgram(const ProgramFolder &folder, CompileOptions options) const {
  options.instrument = true;
  auto files = generate(model, options);
  if (!files)
    return false;
  ProgramParts parts{layerHook, "run_model", "", regionSections(board)};
  for (size_t k = 0; k < reference.outputs.front().size(); ++k) {
    std::string index = std::to_string(k);
    parts.afterInvoke += "    put_record(\"O\", " + index + ", model_output_" + index +
                         "(arena), MODEL_OUTPUT_" + index + "_BYTES);\n";
  }
  files->push_back({"main.c", programText(samples, parts)});
  return folder.write(std::move(*files));
}

bool Comparison::add(std::string title, const CompileOptions &options,
                     llvm::function_ref<bool(ProgramFolder &)> buildAndRun) {
  ProgramFolder folder(progress);
  if (!folder || !writeProgram(folder, options) || !buildAndRun(folder))
    return false;
  auto trace = folder.trace();
  if (trace)
    columns.push_back(judge(std::move(title), *trace, reference));
  return trace.has_value();
}

/// Compiles and runs the folder's program with the host's compiler.
static bool runOnHost(ProgramFolder &folder) {
  std::string program = folder / "program";
  return folder.run("cc",
                    {"-std=c11", "-O2", "-DTHIMBLE_PROGRAM_ON_HOST", "-I", folder.text(),
                     folder / "model.c", folder / "main.c", "-o", program, "-lm"},
                    "compiling for the host") &&
         folder.run(program, {}, "running on the host");
}

/// Compares the host's program and, unless the board is a core that is not emulated, the board's.
static bool compareAll(Comparison &comparison, const CompileOptions &options) {
  const Target &board = comparison.board;
  CompileOptions onHost = options, onBoard = options;
  onHost.target = "generic";
  onHost.regions = ramRegions(options);
  onHost.emit = EmitKind::C;
  onBoard.target = board.name;
  bool wantsBoard = board.core != "generic";
  std::string missing = wantsBoard ? missingForFirmware() : "";
  if (!missing.empty())
    llvm::errs() << "thimble: note: the emulated target is not compared: " << missing
                 << " not found\n";
  if (!comparison.add("host C", onHost, runOnHost))
    return false;
  if (!wantsBoard || !missing.empty())
    return true;
  bool isObject = options.emit == EmitKind::Object;
  return comparison.add(
      board.name + (isObject ? " object" : " C"), onBoard, [&](ProgramFolder &folder) {
        return linkFirmware(folder, onBoard, board) && emulateFirmware(folder, board);
      });
}

ExitStatus driver::runVerify(const Invocation &invocation) {
  const CompileOptions &options = invocation.compile;
  // The core alone is emulated as the board that QEMU has for any.
  std::string boardName = options.target == "cortex-m4" ? anyEmulatedBoard : options.target;
  const Target *board = findTarget(boardName);
  if (board->core != "generic" && board->qemuMachine.empty()) {
    printError("--target '" + boardName +
               "' is not emulated by QEMU: verify takes generic, "
               "cortex-m4, mps2-an386 or netduinoplus2");
    return usageError;
  }
  if (!checkProgramKind(options, "verify"))
    return usageError;
  auto bytes = readFile(invocation.models.front());
  if (!bytes)
    return failure;
  Session session;
  auto module = session.import(*bytes, options);
  if (!module)
    return failure;
  auto samples = samplesFor(*module, invocation.inputs, 3);
  if (!samples)
    return failure;
  auto reference = evaluateReference(*module, options, *samples);
  if (mlir::failed(reference)) {
    session.printFirstError();
    return failure;
  }

  Comparison comparison{*bytes, *samples, *reference, *board, {}, {}};
  if (!compareAll(comparison, options))
    return failure;
  comparison.progress.clear();
  size_t different = printVerdicts(*reference, comparison.columns);
  llvm::outs() << reference->layers.size() << " layers, " << samples->size() << " samples: "
               << (different ? std::to_string(different) + " tensors differ" : "all equal") << "\n";
  return different ? failure : success;
}
