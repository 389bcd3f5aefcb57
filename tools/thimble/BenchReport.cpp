// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// bench: the table and the JSON text.
#include "compiler/Compiler.h"
#include "compiler/support/Grouped.h"
#include "compiler/support/Quote.h"
#include "tools/thimble/Bench.h"
#include "tools/thimble/Table.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

static double milliseconds(const Benchmark &benchmark, const Target &target) {
  return 1e3 * static_cast<double>(benchmark.total.time()) / target.clockHz;
}

static double microjoules(const Benchmark &benchmark, const Target &target) {
  return 1e-3 * static_cast<double>(benchmark.total.time()) * target.nanojoulesPerCycle;
}

static double ratio(int64_t part, int64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

//===-- Table -------------------------------------------------------------------------------===//

/// "conv_2d 3x3/2 16-32": filter, stride where it is not 1, channels.
static std::string describe(const LayerBenchmark &layer) {
  if (!layer.shape)
    return layer.op;
  const MacShape &s = *layer.shape;
  auto pair = [](const int64_t (&v)[2]) {
    return v[0] == v[1] ? std::to_string(v[0]) : llvm::formatv("{0}x{1}", v[0], v[1]).str();
  };
  std::string text = layer.op;
  if (layer.op != "fully_connected")
    text += llvm::formatv(" {0}x{1}", s.filter[0], s.filter[1]).str();
  if (s.strides[0] != 1 || s.strides[1] != 1)
    text += "/" + pair(s.strides);
  return text + llvm::formatv(" {0}-{1}", s.inputChannels, s.outputChannels).str();
}

static std::string layerTitle(size_t index, const LayerBenchmark &layer) {
  return llvm::formatv("{0,0+2} {1}", index, escapeName(layer.name, 28)).str();
}

static void printLayers(const Benchmark &benchmark, bool showWaits) {
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"layer", "operator", "kernel", "MACs", "instructions", "cycles", "cycles/MAC",
                  "estimate", "ratio", "%"});
  if (showWaits)
    rows.front().push_back("flash waits");
  for (auto [index, layer] : llvm::enumerate(benchmark.layers)) {
    const Counts &counts = layer.counts;
    rows.push_back(
        {layerTitle(index, layer), describe(layer), layer.kernel,
         layer.macs ? grouped(layer.macs) : "", grouped(counts.instructions),
         grouped(counts.cycles),
         layer.macs ? llvm::formatv("{0:f2}", ratio(counts.cycles, layer.macs)).str() : "",
         grouped(layer.estimate),
         llvm::formatv("{0:f2}", ratio(layer.estimate, counts.time())).str(),
         llvm::formatv("{0:f1}", 100 * ratio(counts.time(), benchmark.total.time())).str()});
    if (showWaits)
      rows.back().push_back(grouped(counts.waits));
  }
  printTable(rows, 3);
}

/// Says which estimate of a layer that matters is farthest from what was counted.
static void printWorstEstimate(const Benchmark &benchmark) {
  std::optional<size_t> worst;
  double farthest = -1, farthestRatio = 0;
  for (auto [index, layer] : llvm::enumerate(benchmark.layers)) {
    double estimated = ratio(layer.estimate, layer.counts.time());
    double off = std::abs(estimated - 1);
    bool matters = ratio(layer.counts.time(), benchmark.total.time()) > layerThatMatters;
    if (matters && off > farthest) {
      worst = index;
      farthest = off;
      farthestRatio = estimated;
    }
  }
  if (worst)
    llvm::outs() << llvm::formatv(
        "worst estimate of layers over {0:P0} of the time: {1}, {2:f2} of "
        "what was counted\n",
        layerThatMatters, layerTitle(*worst, benchmark.layers[*worst]), farthestRatio);
}

void driver::printBenchmark(const Benchmark &benchmark, const BenchmarkSubject &subject) {
  const Target &target = subject.target;
  bool showWaits = target.flash.waitStates > 0;
  printLayers(benchmark, showWaits);
  printWorstEstimate(benchmark);

  auto &os = llvm::outs();
  const Counts &total = benchmark.total;
  os << "cycles  " << grouped(total.cycles) << " for " << grouped(total.instructions)
     << " instructions";
  if (showWaits)
    os << ", and about " << grouped(total.waits) << " waiting for flash";
  if (benchmark.samples > 1)
    os << ", the most of " << benchmark.samples << " samples";
  os << "\n";
  if (target.clockHz > 0)
    os << llvm::formatv("time    {0:f3} ms at {1:f0} MHz\n", milliseconds(benchmark, target),
                        target.clockHz / 1e6);
  if (target.nanojoulesPerCycle > 0)
    os << llvm::formatv("energy  {0:f1} uJ at {1:f3} nJ a cycle\n", microjoules(benchmark, target),
                        target.nanojoulesPerCycle);
  os << "RAM     " << grouped(benchmark.arenaBytes + benchmark.otherBytes + benchmark.stackBytes)
     << " bytes: arena " << grouped(benchmark.arenaBytes) << ", ";
  if (benchmark.otherBytes > 0)
    os << "other regions " << grouped(benchmark.otherBytes) << ", ";
  os << "stack " << grouped(benchmark.stackBytes) << "\n"
     << "flash   " << grouped(benchmark.flash.code + benchmark.flash.constants) << " bytes: code "
     << grouped(benchmark.flash.code) << ", constants " << grouped(benchmark.flash.constants)
     << "\n";
}

//===-- JSON --------------------------------------------------------------------------------===//

static void writeCounts(llvm::json::OStream &json, const Counts &counts) {
  json.attribute("instructions", counts.instructions);
  json.attribute("cycles", counts.cycles);
  json.attribute("wait_cycles", counts.waits);
}

static void writeShape(llvm::json::OStream &json, const MacShape &shape) {
  json.attribute("input", shape.input);
  json.attribute("weights", shape.weights);
  json.attribute("filter", llvm::json::Array{shape.filter[0], shape.filter[1]});
  json.attribute("strides", llvm::json::Array{shape.strides[0], shape.strides[1]});
  json.attribute("channels", llvm::json::Array{shape.inputChannels, shape.outputChannels});
}

static void writeLayer(llvm::json::OStream &json, const LayerBenchmark &layer) {
  json.attribute("name", layer.name);
  json.attribute("op", layer.op);
  json.attribute("kernel", layer.kernel);
  if (layer.shape)
    writeShape(json, *layer.shape);
  json.attribute("macs", layer.macs);
  writeCounts(json, layer.counts);
  if (layer.macs)
    json.attribute("cycles_per_mac", ratio(layer.counts.cycles, layer.macs));
  json.attribute("cycles_estimate", layer.estimate);
}

std::string driver::jsonBenchmark(const Benchmark &benchmark, const BenchmarkSubject &subject) {
  const Target &target = subject.target;
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    llvm::StringRef file = subject.options.modelFile;
    json.attribute("model", llvm::json::isUTF8(file) ? file.str() : llvm::json::fixUTF8(file));
    json.attribute("target", target.name);
    json.attribute("emulated", subject.board.name);
    json.attribute("emit", subject.options.emit == EmitKind::Object ? "obj" : "c");
    json.attribute("version", compilerVersion());
    json.attribute("inputs", llvm::json::Array(subject.inputs));
    json.attribute("samples", static_cast<int64_t>(benchmark.samples));
    writeCounts(json, benchmark.total);
    if (target.clockHz > 0)
      json.attribute("milliseconds", milliseconds(benchmark, target));
    if (target.nanojoulesPerCycle > 0)
      json.attribute("microjoules", microjoules(benchmark, target));
    json.attribute("arena_bytes", benchmark.arenaBytes);
    json.attribute("other_ram_bytes", benchmark.otherBytes);
    json.attribute("stack_bytes", benchmark.stackBytes);
    json.attributeObject("flash_bytes", [&] {
      json.attribute("code", benchmark.flash.code);
      json.attribute("constants", benchmark.flash.constants);
    });
    json.attributeArray("layers", [&] {
      for (const LayerBenchmark &layer : benchmark.layers)
        json.object([&] { writeLayer(json, layer); });
    });
  });
  os << "\n";
  return text;
}
