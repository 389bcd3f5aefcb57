// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// bench: a firmware that runs the model, and what the emulator counts meanwhile.
#include "dialects/mcu/MCUOps.h"
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"
#include "tools/thimble/Bench.h"
#include "tools/thimble/Commands.h"
#include "tools/thimble/Firmware.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

using namespace thimble;
using namespace thimble::driver;

//===-- What the compiler says --------------------------------------------------------------===//

static std::optional<MacShape> shapeOf(mlir::Operation *op) {
  if (!llvm::isa<nn::Conv2DOp, nn::DepthwiseConv2DOp, nn::FullyConnectedOp>(op))
    return std::nullopt;
  auto input = nn::toTensorType(op->getOperand(0).getType());
  auto filter = nn::toTensorType(op->getOperand(1).getType());
  auto output = nn::toTensorType(op->getResult(0).getType());
  MacShape shape;
  shape.input = name(input->element);
  shape.weights = name(filter->element);
  shape.outputChannels = output->shape.back();
  if (llvm::isa<nn::FullyConnectedOp>(op)) {
    shape.inputChannels = filter->shape[1];
    return shape;
  }
  shape.inputChannels = input->shape.back();
  auto strides = op->getAttrOfType<mlir::DenseI64ArrayAttr>("strides");
  for (int axis : {0, 1}) {
    shape.filter[axis] = filter->shape[1 + axis];
    shape.strides[axis] = strides[axis];
  }
  return shape;
}

/// Adds to the layers what the network says of them; the report has names and costs.
static bool addShapes(Benchmark &benchmark, mlir::ModuleOp imported, CompileOptions options,
                      llvm::StringRef objective) {
  options.optimize = objective.str();
  options.lastPhase = Phase::Plan;
  mlir::OwningOpRef<mlir::ModuleOp> planned = imported.clone();
  if (mlir::failed(runPhases(*planned, options)))
    return false;
  auto layer = benchmark.layers.begin();
  planned->walk([&](mcu::KernelOp kernel) {
    if (layer == benchmark.layers.end())
      return;
    kernel.walk([&](nn::NNOperator op) { layer->shape = shapeOf(op); });
    ++layer;
  });
  return true;
}

/// Reads the report of the compilation; the objective that it was made for.
static std::string readReport(llvm::ArrayRef<OutputFile> files, Benchmark &benchmark) {
  auto file = llvm::find_if(
      files, [](const OutputFile &f) { return llvm::StringRef(f.name).ends_with(".report.json"); });
  llvm::json::Value report = llvm::cantFail(llvm::json::parse(file->contents));
  const llvm::json::Object &object = *report.getAsObject();
  benchmark.arenaBytes = *object.getInteger("arena_bytes");
  benchmark.otherBytes = -benchmark.arenaBytes;
  for (const llvm::json::Value &region : *object.getArray("regions"))
    benchmark.otherBytes += *region.getAsObject()->getInteger("used");
  for (const llvm::json::Value &entry : *object.getArray("layers")) {
    const llvm::json::Object &layer = *entry.getAsObject();
    LayerBenchmark result;
    result.name = layer.getString("name")->str();
    result.op = layer.getString("op")->str();
    result.kernel = layer.getString("kernel")->str();
    result.macs = *layer.getInteger("macs");
    result.estimate = *layer.getInteger("cycles_estimate");
    benchmark.layers.push_back(std::move(result));
  }
  for (const llvm::json::Value &step : *object.getArray("steps"))
    if (const int64_t layer = *step.getAsInteger(); layer >= 0)
      benchmark.steps.push_back(static_cast<size_t>(layer));
  return object.getObject("compiler")->getString("optimize")->str();
}

//===-- The firmware ------------------------------------------------------------------------===//

static const char *const measuredRun = R"(
#include "stack_use.h"
static uint32_t used;
__attribute__((noinline)) static int measured_run(const unsigned char *sample) {
  const uint32_t *top = stack_paint();
  int status = run_model(sample);
  used = stack_used(top);
  return status;
}
)";

static const char *const printStack = R"(    put_record("K", 0, &used, sizeof used);
)";

/// The deepest stack of all samples.
static int64_t deepestStack(const Trace &trace) {
  int64_t deepest = 0;
  for (const auto &records : trace.samples)
    for (const Trace::Record &record : records) {
      uint32_t used = 0;
      if (record.kind != 'K' || record.bytes.size() != sizeof used)
        continue;
      std::memcpy(&used, record.bytes.data(), sizeof used);
      deepest = std::max<int64_t>(deepest, used);
    }
  return deepest;
}

/// Arguments of the plugin for the caches of `target` before the flash of `board`.
static std::string flashSettings(const Flash &target, const Flash &board) {
  if (!target.waitStates || !target.line)
    return "";
  return llvm::formatv(",flash={0:x}:{1:x},wait={2},line={3},icache={4},dcache={5},prefetch={6}",
                       board.base, board.base + board.bytes, target.waitStates, target.line,
                       target.instructionCache / target.line, target.dataCache / target.line,
                       target.prefetch ? 1 : 0)
      .str();
}

//===-- What was counted --------------------------------------------------------------------===//

/// Functions of a firmware by address, without the bit that says Thumb.
using FunctionNames = std::multimap<uint64_t, std::string>;

static std::optional<FunctionNames> readFunctions(const std::string &elf) {
  auto binary = llvm::object::ObjectFile::createObjectFile(elf);
  if (!binary) {
    printError("the firmware cannot be read: " + llvm::toString(binary.takeError()));
    return std::nullopt;
  }
  FunctionNames functions;
  for (const llvm::object::SymbolRef &symbol : binary->getBinary()->symbols()) {
    uint64_t address = llvm::cantFail(symbol.getValue()) & ~uint64_t(1);
    if (llvm::object::ELFSymbolRef(symbol).getELFType() == llvm::ELF::STT_FUNC)
      functions.emplace(address, llvm::cantFail(symbol.getName()).str());
  }
  return functions;
}

// Compilers give functions with equal code one address: the order of the calls says which it is.
static bool isLayer(const FunctionNames &functions, uint64_t address) {
  auto [first, last] = functions.equal_range(address);
  return std::any_of(first, last, [](const auto &function) {
    return llvm::StringRef(function.second).starts_with("model_layer_");
  });
}

/// Reads the counter's file: the dearest inference, and its calls of layers in order.
static bool readCounts(llvm::StringRef text, const FunctionNames &functions, Benchmark &benchmark) {
  std::vector<Counts> steps;
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n');
  for (llvm::StringRef line : lines) {
    llvm::SmallVector<llvm::StringRef, 6> words;
    line.split(words, ' ');
    uint64_t address = 0;
    Counts counts;
    if (words.size() != 6 || words[0] != "call" || words[2].getAsInteger(0, address) ||
        words[3].getAsInteger(10, counts.instructions) ||
        words[4].getAsInteger(10, counts.cycles) || words[5].getAsInteger(10, counts.waits))
      continue;
    if (words[1] != "0") {
      if (isLayer(functions, address))
        steps.push_back(counts);
      continue;
    }
    if (steps.size() != benchmark.steps.size()) {
      printError("the firmware runs layers " + std::to_string(steps.size()) +
                 " times, the plan has " + std::to_string(benchmark.steps.size()));
      return false;
    }
    if (counts.time() > benchmark.total.time()) {
      benchmark.total = counts;
      for (LayerBenchmark &layer : benchmark.layers)
        layer.counts = {};
      for (auto [layer, measured] : llvm::zip(benchmark.steps, steps))
        benchmark.layers[layer].counts += measured;
    }
    steps.clear();
  }
  return true;
}

static std::optional<std::string> readText(const std::string &path) {
  auto bytes = readFile(path);
  if (!bytes)
    return std::nullopt;
  return std::string(bytes->begin(), bytes->end());
}

/// Flash of the model's object and of what it made the linker take from libraries; start-up and the
/// program around the model take nothing from them.
static FlashUse modelFlash(llvm::StringRef map) {
  return readLinkMap(
      map, [](llvm::StringRef file) { return file == "model.o" || file.contains(".a("); });
}

/// Runs the folder's firmware under the counter.
static bool runCounted(ProgramFolder &folder, const BenchmarkSubject &subject,
                       Benchmark &benchmark) {
  std::string plugin = findBesideProgram("lib/thimble/cycle_count.so");
  if (plugin.empty()) {
    printError("lib/thimble/cycle_count.so beside the program not found");
    return false;
  }
  auto functions = readFunctions(folder / "firmware.elf");
  if (!functions)
    return false;
  // Handing over rows is part of an inference.
  const llvm::StringRef counted = subject.options.streamInput ? "run_model" : "model_invoke";
  auto entry = llvm::find_if(*functions, [&](const auto &f) { return f.second == counted; });
  std::string counts = folder / "counts.txt";
  plugin += ",out=" + counts + ",entry=" + std::to_string(entry->first) +
            flashSettings(subject.target.flash, subject.board.flash);
  if (!emulateFirmware(folder, subject.board, {"-plugin", plugin}))
    return false;
  auto trace = folder.trace();
  auto text = readText(counts), map = readText(folder / "firmware.map");
  if (!trace || !text || !map)
    return false;
  benchmark.samples = trace->samples.size();
  benchmark.stackBytes = deepestStack(*trace);
  benchmark.flash = modelFlash(*map);
  return readCounts(*text, *functions, benchmark);
}

std::optional<Benchmark> driver::measure(const BenchmarkSubject &subject,
                                         llvm::ArrayRef<uint8_t> model, mlir::ModuleOp imported,
                                         llvm::ArrayRef<Sample> samples) {
  Progress progress;
  ProgramFolder folder(progress);
  auto files = folder ? generate(model, subject.options) : std::nullopt;
  if (!files)
    return std::nullopt;
  Benchmark benchmark;
  std::string objective = readReport(*files, benchmark);
  ProgramParts parts{measuredRun, "measured_run", printStack, regionSections(subject.board)};
  files->push_back({"main.c", programText(samples, parts)});
  if (!addShapes(benchmark, imported, subject.options, objective) ||
      !folder.write(std::move(*files)) || !linkFirmware(folder, subject.options, subject.board) ||
      !runCounted(folder, subject, benchmark))
    return std::nullopt;
  return benchmark;
}
