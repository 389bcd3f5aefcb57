// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Report.h"

#include "compiler/Compiler.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace thimble;

//===-- Costs -------------------------------------------------------------------------------===//

static std::vector<BufferUse> listBuffers(const mcu::Lives &lives) {
  std::vector<BufferUse> uses;
  for (auto &[root, parts] : lives.buffers) {
    auto type = cast<mcu::BufferType>(root.getType());
    auto input = root.getDefiningOp<mcu::InputOp>();
    auto buffer = root.getDefiningOp<mcu::BufferOp>();
    const auto region = static_cast<int64_t>(mcu::regionOf(root));
    for (const mcu::Life &part : parts) {
      const mcu::Life life = lives.withinSteps(part);
      if (life.last < life.first)
        continue;
      uses.push_back({(input ? input.getName() : buffer.getName()).str(),
                      mcu::stringifyLifetime(type.getLifetime()).str(), region,
                      mcu::arenaOffset(root) + life.begin, life.end - life.begin, life.first,
                      life.last});
    }
  }
  return uses;
}

static int64_t bytesOf(memref::GlobalOp global) {
  MemRefType type = global.getType();
  return type.getNumElements() * ((type.getElementTypeBitWidth() + 7) / 8);
}

FailureOr<Costs> thimble::countCosts(ModuleOp module, const object::CodeSize &size) {
  FailureOr<emit::Program> program = emit::describeProgram(module);
  if (failed(program))
    return failure();
  Costs costs;
  costs.program = std::move(*program);
  costs.codeBytes = size.codeBytes;
  costs.constantBytes = size.constantBytes;
  costs.stackBytes = size.stackBytes;

  auto programOp = *module.getOps<mcu::ProgramOp>().begin();
  const mcu::Lives lives = mcu::livesOf(programOp);
  costs.steps.assign(static_cast<size_t>(lives.steps), -1);
  for (auto [layer, call] : llvm::enumerate(costs.program.calls))
    for (int64_t step : lives.stages.lookup(call.operation))
      costs.steps[static_cast<size_t>(step)] = static_cast<int64_t>(layer);
  costs.buffers = listBuffers(lives);
  costs.peak = mcu::peakOf(lives);
  const std::vector<int64_t> live = mcu::liveBytes(lives);

  llvm::DenseSet<Operation *> counted;
  for (const emit::LayerCall &call : costs.program.calls) {
    LayerCost cost;
    func::FuncOp function = call.function;
    for (const object::FunctionSize &code : size.functions)
      if (function.getSymName() == code.name && counted.insert(function).second)
        cost.codeBytes = code.codeBytes;
    function.walk([&](memref::GetGlobalOp get) {
      auto global = module.lookupSymbol<memref::GlobalOp>(get.getName());
      if (global && counted.insert(global).second)
        cost.constantBytes += bytesOf(global);
    });
    for (int64_t step : lives.stages.lookup(call.operation))
      cost.ramBytes = std::max(cost.ramBytes, live[static_cast<size_t>(step)]);
    costs.layers.push_back(cost);
  }
  return costs;
}

//===-- JSON --------------------------------------------------------------------------------===//

// Names come from the model and need not be UTF-8, which JSON text has to be.
static std::string text(StringRef untrusted) {
  return llvm::json::isUTF8(untrusted) ? untrusted.str() : llvm::json::fixUTF8(untrusted);
}

static void writeLayers(llvm::json::OStream &json, const Costs &costs) {
  json.attributeArray("layers", [&] {
    for (auto [call, cost] : llvm::zip(costs.program.calls, costs.layers))
      json.object([&, &call = call, &cost = cost] {
        json.attribute("name", text(call.layer));
        json.attribute("op", call.op);
        json.attribute("kernel", call.kernel);
        json.attribute("macs", call.macs);
        json.attribute("cycles_estimate", call.cycles);
        json.attribute("flash_bytes", cost.flashBytes());
        json.attribute("ram_peak_bytes", cost.ramBytes);
      });
  });
}

static void writeBuffers(llvm::json::OStream &json, const Costs &costs) {
  json.attributeArray("buffers", [&] {
    for (const BufferUse &use : costs.buffers)
      json.object([&] {
        json.attribute("name", text(use.name));
        json.attribute("class", use.lifetime);
        json.attribute("region", use.region);
        json.attribute("offset", use.offset);
        json.attribute("bytes", use.bytes);
        json.attribute("first_use", use.firstUse);
        json.attribute("last_use", use.lastUse);
      });
  });
}

static void writeRegions(llvm::json::OStream &json, const emit::Program &program) {
  json.attributeArray("regions", [&] {
    for (const emit::RegionInfo &region : program.regions)
      json.object([&] {
        json.attribute("name", region.name);
        json.attribute("bytes", region.capacity);
        json.attribute("used", region.bytes);
        json.attribute("lower_bound", region.lowerBound);
      });
  });
}

/// What is live when most bytes are, by class.
static void writePeak(llvm::json::OStream &json, const mcu::Peak &peak) {
  json.attributeObject("ram_peak", [&] {
    json.attribute("step", peak.step);
    for (auto [lifetime, bytes] : peak.byLifetime)
      json.attribute(mcu::stringifyLifetime(lifetime), bytes);
  });
}

static void writeMeasurement(llvm::json::OStream &json, const CompileOptions &options) {
  bool isC = options.emit == EmitKind::C;
  json.attributeObject("measured", [&] {
    json.attribute("compiler", "LLVM " LLVM_VERSION_STRING ", ARM backend");
    json.attribute("flags",
                   "-mcpu=cortex-m4 -mthumb -O2 -mfloat-abi=" + floatAbiName(options.floatAbi));
    json.attribute("estimate", isC);
    json.attribute("note", isC ? "code and stack are estimates for the C files compiled by GCC -O2 "
                                 "for the Cortex-M4, made from what LLVM's object measures"
                               : "code and constants are those of the object; the stack of library "
                                 "functions that it calls is an upper estimate");
  });
}

std::string thimble::jsonReport(const Costs &costs, const CompileOptions &options,
                                StringRef modelSha256, ArrayRef<RemarkEntry> remarks) {
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::json::OStream json(os, /*IndentSize=*/1);
  json.object([&] {
    json.attribute("model", text(options.modelFile));
    json.attribute("model_sha256", modelSha256);
    json.attribute("name", options.name);
    json.attributeObject("compiler", [&] {
      json.attribute("name", "thimble");
      json.attribute("version", compilerVersion());
      json.attribute("optimize", options.optimize);
      json.attribute("reference", options.reference);
      json.attribute("instrument", options.instrument);
    });
    json.attribute("target", options.target);
    writeMeasurement(json, options);
    json.attribute("arena_bytes", costs.program.arenaBytes);
    json.attribute("arena_lower_bound_bytes", costs.program.lowerBound);
    writeRegions(json, costs.program);
    json.attributeObject("lower_bounds", [&] {
      json.attribute("operator_at_a_time", costs.program.operatorBound);
      json.attribute("plan", costs.peak.bytes);
    });
    writePeak(json, costs.peak);
    json.attribute("state_bytes", costs.program.stateBytes);
    json.attribute("scratch_bytes", costs.program.scratchBytes);
    json.attributeObject("flash_bytes", [&] {
      json.attribute("code", costs.codeBytes);
      json.attribute("constants", costs.constantBytes);
    });
    json.attribute("stack_bytes", costs.stackBytes);
    json.attributeArray("steps", [&] {
      for (int64_t layer : costs.steps)
        json.value(layer);
    });
    writeLayers(json, costs);
    writeBuffers(json, costs);
    json.attributeArray("remarks", [&] {
      for (const RemarkEntry &remark : remarks)
        json.object([&] {
          json.attribute("kind", remark.kind);
          json.attribute("name", remark.name);
          json.attribute("category", remark.category);
          json.attribute("layer", text(remark.layer));
          json.attribute("text", text(remark.text));
        });
    });
  });
  os << "\n";
  return result;
}
