// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/report/ReportFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/JSON.h"

namespace json = llvm::json;

namespace thimble::report {

llvm::ArrayRef<llvm::StringRef> lifetimes() {
  static const llvm::StringRef classes[] = {"input", "activation", "scratch", "output", "state"};
  return classes;
}

//===-- Numbers -----------------------------------------------------------------------------===//

// A 32-bit address space has no more bytes.
static constexpr int64_t mostBytes = UINT32_MAX;
// An index of a layer has 16 bits.
static constexpr size_t mostLayers = UINT16_MAX;
// The sum of all layers' has to fit.
static constexpr int64_t mostCount = 100'000'000'000'000;

static bool readNumber(const json::Object &object, llvm::StringLiteral name, int64_t &number,
                       int64_t most, json::Path path, llvm::StringLiteral expected) {
  const std::optional<int64_t> value = object.getInteger(name);
  if (value && *value >= 0 && *value <= most) {
    number = *value;
    return true;
  }
  path.field(name).report(expected);
  return false;
}

static bool readBytes(const json::Object &object, llvm::StringLiteral name, int64_t &bytes,
                      json::Path path) {
  return readNumber(object, name, bytes, mostBytes, path, "expected bytes from 0 to 4294967295");
}

static bool readCount(const json::Object &object, llvm::StringLiteral name, int64_t &count,
                      json::Path path) {
  return readNumber(object, name, count, mostCount, path,
                    "expected a number from 0 to 100000000000000");
}

//===-- Parts of the file -------------------------------------------------------------------===//

static const json::Object *readObject(const json::Object &object, llvm::StringLiteral name,
                                      json::Path path) {
  const json::Object *inner = object.getObject(name);
  if (!inner)
    path.field(name).report("expected object");
  return inner;
}

bool fromJSON(const json::Value &value, Layer &layer, json::Path path) {
  json::ObjectMapper mapper(value, path);
  if (!mapper || !mapper.map("name", layer.name) || !mapper.map("op", layer.op) ||
      !mapper.map("kernel", layer.kernel))
    return false;
  const json::Object &object = *value.getAsObject();
  return readCount(object, "macs", layer.macs, path) &&
         readCount(object, "cycles_estimate", layer.cycles, path) &&
         readBytes(object, "flash_bytes", layer.flashBytes, path) &&
         readBytes(object, "ram_peak_bytes", layer.ramBytes, path);
}

bool fromJSON(const json::Value &value, Buffer &buffer, json::Path path) {
  json::ObjectMapper mapper(value, path);
  if (!mapper || !mapper.map("name", buffer.name) || !mapper.map("class", buffer.lifetime))
    return false;
  if (!llvm::is_contained(lifetimes(), llvm::StringRef(buffer.lifetime))) {
    path.field("class").report("expected input, activation, scratch, output or state");
    return false;
  }
  const json::Object &object = *value.getAsObject();
  return readBytes(object, "region", buffer.region, path) &&
         readBytes(object, "offset", buffer.offset, path) &&
         readBytes(object, "bytes", buffer.bytes, path) &&
         readCount(object, "first_use", buffer.firstUse, path) &&
         readCount(object, "last_use", buffer.lastUse, path);
}

bool fromJSON(const json::Value &value, Remark &remark, json::Path path) {
  json::ObjectMapper mapper(value, path);
  return mapper && mapper.map("kind", remark.kind) && mapper.map("name", remark.name) &&
         mapper.map("category", remark.category) && mapper.map("layer", remark.layer) &&
         mapper.map("text", remark.text);
}

static bool readPeak(const json::Object &object, Peak &peak, json::Path path) {
  if (const std::optional<int64_t> step = object.getInteger("step")) {
    peak.step = *step;
  } else {
    path.field("step").report("expected a step");
    return false;
  }
  for (const llvm::StringRef lifetime : lifetimes()) {
    // A class that has nothing is left out.
    const int64_t bytes = object.getInteger(lifetime).value_or(0);
    if (bytes < 0 || bytes > mostBytes) {
      path.field(lifetime).report("expected bytes from 0 to 4294967295");
      return false;
    }
    peak.bytes.push_back(bytes);
  }
  return true;
}

static bool readFigures(const json::Object &object, Report &report, json::Path path) {
  const json::Object *bounds = readObject(object, "lower_bounds", path);
  const json::Object *peak = readObject(object, "ram_peak", path);
  const json::Object *flash = readObject(object, "flash_bytes", path);
  return bounds && peak && flash && readBytes(object, "arena_bytes", report.arenaBytes, path) &&
         readBytes(object, "arena_lower_bound_bytes", report.arenaBound, path) &&
         readBytes(object, "stack_bytes", report.stackBytes, path) &&
         readBytes(*bounds, "operator_at_a_time", report.operatorBound,
                   path.field("lower_bounds")) &&
         readBytes(*bounds, "plan", report.planBound, path.field("lower_bounds")) &&
         readPeak(*peak, report.peak, path.field("ram_peak")) &&
         readBytes(*flash, "code", report.codeBytes, path.field("flash_bytes")) &&
         readBytes(*flash, "constants", report.constantBytes, path.field("flash_bytes"));
}

static bool readOrigin(const json::Value &value, Report &report, json::Path path) {
  json::ObjectMapper mapper(value, path);
  if (!mapper || !mapper.map("model", report.model) || !mapper.map("model_sha256", report.sha256) ||
      !mapper.map("name", report.name) || !mapper.map("target", report.target))
    return false;
  const json::Object &object = *value.getAsObject();
  if (!readObject(object, "compiler", path) || !readObject(object, "measured", path))
    return false;
  json::ObjectMapper compiler(*object.get("compiler"), path.field("compiler"));
  json::ObjectMapper measured(*object.get("measured"), path.field("measured"));
  return compiler.map("name", report.compiler) && compiler.map("version", report.version) &&
         compiler.map("optimize", report.optimize) && compiler.map("reference", report.reference) &&
         measured.map("compiler", report.backend) && measured.map("flags", report.flags) &&
         measured.map("estimate", report.isEstimate) && measured.map("note", report.note);
}

/// Whether steps, layers and buffers fit each other.
static bool isConsistent(const Report &report, json::Path path) {
  if (report.layers.size() > mostLayers) {
    path.field("layers").report("expected at most 65535 layers");
    return false;
  }
  for (auto [index, layer] : llvm::enumerate(report.steps))
    if (layer < -1 || layer >= static_cast<int64_t>(report.layers.size())) {
      path.field("steps").index(static_cast<unsigned>(index)).report("expected a layer or -1");
      return false;
    }
  if (report.peak.step < -1 || report.peak.step >= report.stepCount()) {
    path.field("ram_peak").field("step").report("expected a step or -1");
    return false;
  }
  for (auto [index, buffer] : llvm::enumerate(report.buffers))
    if (buffer.firstUse > buffer.lastUse || buffer.lastUse >= report.stepCount()) {
      path.field("buffers")
          .index(static_cast<unsigned>(index))
          .report("expected first_use, last_use and the number of steps to ascend");
      return false;
    }
  return true;
}

static bool readReport(const json::Value &value, Report &report, json::Path path) {
  if (!readOrigin(value, report, path))
    return false;
  json::ObjectMapper mapper(value, path);
  return mapper.map("steps", report.steps) && mapper.map("layers", report.layers) &&
         mapper.map("buffers", report.buffers) && mapper.map("remarks", report.remarks) &&
         readFigures(*value.getAsObject(), report, path) && isConsistent(report, path);
}

//===-- The text ----------------------------------------------------------------------------===//

/// The parser recurses: text that nests deeper than any report does is not for it.
static bool nestsTooDeep(llvm::StringRef text) {
  constexpr int deepest = 16;
  int depth = 0;
  bool isInString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (isInString && c == '\\')
      ++i;
    else if (c == '"')
      isInString = !isInString;
    else if (!isInString && (c == '[' || c == '{') && ++depth > deepest)
      return true;
    else if (!isInString && (c == ']' || c == '}'))
      --depth;
  }
  return false;
}

Result<Report> parseReport(llvm::StringRef text) {
  if (nestsTooDeep(text))
    return Error{"it nests too deep"};
  llvm::Expected<json::Value> value = json::parse(text);
  if (!value)
    return Error{"it is not JSON: " + llvm::toString(value.takeError())};
  json::Path::Root root("report");
  Report report;
  if (!readReport(*value, report, root))
    return Error{llvm::toString(root.getError())};
  return report;
}

} // namespace thimble::report
