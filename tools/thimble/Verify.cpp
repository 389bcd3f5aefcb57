// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// thimble verify: reference, host and emulated target compared layer by layer.
#include "tools/thimble/Verify.h"

#include "compiler/support/Quote.h"
#include "dialects/nn/NNTypes.h"
#include "tools/thimble/Commands.h"
#include "tools/thimble/Session.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

#include <random>

using namespace thimble;
using namespace thimble::driver;

//===-- Inputs ------------------------------------------------------------------------------===//

static Tensor randomTensor(const TensorType &type, std::mt19937 &random) {
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    uint32_t bits = random();
    switch (type.element) {
    case ElementType::Bool:
      tensor.as<bool>()[i] = bits & 1;
      break;
    case ElementType::Int8:
    case ElementType::UInt8:
      tensor.as<uint8_t>()[i] = static_cast<uint8_t>(bits);
      break;
    case ElementType::Int16:
      tensor.as<int16_t>()[i] = static_cast<int16_t>(bits);
      break;
    // Such inputs are indices and shapes rather than noise: small ones are legal most often.
    case ElementType::Int32:
      tensor.as<int32_t>()[i] = static_cast<int32_t>(bits & 1);
      break;
    case ElementType::Int64:
      tensor.as<int64_t>()[i] = static_cast<int64_t>(bits & 1);
      break;
    case ElementType::Float32:
      tensor.as<float>()[i] = static_cast<float>(static_cast<int32_t>(bits)) * 0x1p-31f;
      break;
    }
  }
  return tensor;
}

static std::vector<Sample> randomSamples(mlir::func::FuncOp main) {
  constexpr int count = 3;
  std::mt19937 random(1); // the same inputs every time, on every machine
  std::vector<Sample> samples(count);
  for (Sample &sample : samples)
    for (mlir::BlockArgument argument : main.getArguments())
      sample.push_back(randomTensor(*nn::toTensorType(argument.getType()), random));
  return samples;
}

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
    for (const Trace::Record &record : records) {
      if (record.isOutput && record.index < column.outputs.size()) {
        note(column.outputs[record.index],
             compare(record.bytes, reference.outputs[s][record.index], s));
      } else if (!record.isOutput && record.index < reference.layers.size()) {
        const auto &values = reference.layers[record.index].values;
        size_t which = written[record.index]++;
        if (s < values.size() && which < values[s].size())
          note(column.layers[record.index], compare(record.bytes, values[s][which], s));
      }
    }
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
static size_t printTable(const Reference &reference, llvm::ArrayRef<Column> columns) {
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
  for (auto [i, layer] : llvm::enumerate(reference.layers)) {
    llvm::StringRef quoted = layer.name;
    std::string name = quoteName(std::string_view(quoted.data(), quoted.size()), 40);
    addRow(name.substr(1, name.size() - 2), layer.op,
           [i = i](const Column &c) { return c.layers[i]; });
  }
  for (size_t k = 0; k < reference.outputs.front().size(); ++k)
    addRow("output " + std::to_string(k), "", [k](const Column &c) { return c.outputs[k]; });

  std::vector<size_t> widths(rows.front().size());
  for (const auto &row : rows)
    for (auto [width, cell] : llvm::zip(widths, row))
      width = std::max(width, cell.size());
  for (const auto &row : rows) {
    std::string line;
    for (auto [width, cell] : llvm::zip(widths, row))
      line += cell + std::string(width - cell.size() + 2, ' ');
    llvm::outs() << llvm::StringRef(line).rtrim() << "\n";
  }
  return different;
}

//===-- The command -------------------------------------------------------------------------===//

/// The folder with boards and startup code, beside the program as built or as installed.
static std::string findTargetsFolder() {
  static int anchor; // an address in the program
  llvm::SmallString<128> path(llvm::sys::fs::getMainExecutable("thimble", &anchor));
  llvm::sys::path::remove_filename(path);
  llvm::sys::path::append(path, "..", "share", "thimble", "targets");
  return llvm::sys::fs::is_directory(path) ? path.str().str() : "";
}

/// What keeps the emulated target from being compared; empty if nothing does.
static std::string missingForBoard(const std::string &targetsFolder) {
  std::vector<std::string> missing;
  for (const char *program : {"arm-none-eabi-gcc", "qemu-system-arm"})
    if (!llvm::sys::findProgramByName(program))
      missing.push_back(program);
  if (targetsFolder.empty())
    missing.push_back("the folder share/thimble/targets beside the program");
  return llvm::join(missing, " and ");
}

ExitStatus driver::runVerify(const Invocation &invocation) {
  CompileOptions options = invocation.compile;
  // The core alone is emulated as the board that QEMU has for any.
  std::string boardName = options.target == "cortex-m4" ? "mps2-an386" : options.target;
  const Target *board = findTarget(boardName);
  bool hostOnly = board->core == "generic";
  if (!hostOnly && board->qemuMachine.empty()) {
    printError("--target '" + boardName + "' is not emulated by QEMU: verify takes generic, "
               "cortex-m4, mps2-an386 or netduinoplus2");
    return usageError;
  }
  auto bytes = readFile(invocation.models.front());
  if (!bytes)
    return failure;
  Session session;
  auto module = session.import(*bytes, options);
  if (!module)
    return failure;
  auto main = module->lookupSymbol<mlir::func::FuncOp>("main");
  auto samples = invocation.inputs.empty() ? randomSamples(main)
                                           : readSamples(main, invocation.inputs);
  if (!samples)
    return failure;
  auto reference = evaluateReference(*module, options, *samples);
  if (mlir::failed(reference)) {
    session.printFirstError();
    return failure;
  }

  std::vector<Column> columns;
  std::string targets = findTargetsFolder();
  std::string missing = hostOnly ? "" : missingForBoard(targets);
  if (!missing.empty())
    llvm::errs() << "thimble: note: the emulated target is not compared: " << missing
                 << " not found\n";
  {
    Programs programs(*bytes, *samples);
    auto host = programs.runOnHost(options);
    if (!host)
      return failure;
    columns.push_back(judge("host C", *host, *reference));
    if (!hostOnly && missing.empty()) {
      auto emulated = programs.runOnBoard(options, *board, targets);
      if (!emulated)
        return failure;
      bool isObject = options.emit == EmitKind::Object;
      columns.push_back(judge(boardName + (isObject ? " object" : " C"), *emulated, *reference));
    }
  }
  size_t different = printTable(*reference, columns);
  llvm::outs() << reference->layers.size() << " layers, " << samples->size() << " samples: "
               << (different ? std::to_string(different) + " tensors differ" : "all equal") << "\n";
  return different ? failure : success;
}
