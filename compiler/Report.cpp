// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/Report.h"

#include "compiler/Compiler.h"
#include "dialects/mcu/MCUOps.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace thimble;

//===-- Costs -------------------------------------------------------------------------------===//

namespace {
/// The layers during which a buffer's bytes matter, by its root.
using Uses = llvm::MapVector<Value, BufferUse>;
} // namespace

static void touch(Uses &uses, Value buffer, int64_t layer) {
  Value root = mcu::resolve(buffer).root;
  auto entry = uses.find(root);
  if (entry == uses.end())
    return;
  entry->second.firstUse = std::min(entry->second.firstUse, layer);
  entry->second.lastUse = std::max(entry->second.lastUse, layer);
}

static Uses listBuffers(mcu::ProgramOp program, int64_t layers) {
  Uses uses;
  auto add = [&](Value buffer, StringRef name, std::optional<int64_t> region) {
    auto type = cast<mcu::BufferType>(buffer.getType());
    uses[buffer] = {name.str(), mcu::stringifyLifetime(type.getLifetime()).str(),
                    region.value_or(0), mcu::arenaOffset(buffer), type.getBytes(),
                    std::numeric_limits<int64_t>::max(), 0};
  };
  for (Operation &op : program.getBody().front()) {
    if (auto buffer = dyn_cast<mcu::BufferOp>(op))
      add(buffer.getBuffer(), buffer.getName(), buffer.getRegion());
    else if (auto input = dyn_cast<mcu::InputOp>(op))
      add(input.getBuffer(), input.getName(), input.getRegion());
  }
  int64_t layer = 0;
  for (Operation &op : program.getBody().front()) {
    if (auto input = dyn_cast<mcu::InputOp>(op)) {
      touch(uses, input.getBuffer(), 0);
    } else if (auto output = dyn_cast<mcu::OutputOp>(op)) {
      touch(uses, output.getBuffer(), std::max<int64_t>(layers - 1, 0));
    } else if (auto call = dyn_cast<mcu::CallOp>(op)) {
      for (Value buffer : call.getBuffers())
        touch(uses, buffer, layer);
      ++layer;
    }
  }
  for (auto &[root, use] : uses) {
    use.firstUse = std::min(use.firstUse, use.lastUse);
    // State lives from one inference to the next.
    if (use.lifetime == mcu::stringifyLifetime(mcu::Lifetime::State)) {
      use.firstUse = 0;
      use.lastUse = std::max<int64_t>(layers - 1, 0);
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
  Uses uses = listBuffers(programOp, static_cast<int64_t>(costs.program.calls.size()));
  for (auto &[root, use] : uses)
    costs.buffers.push_back(use);

  llvm::DenseSet<Operation *> counted;
  for (auto [position, call] : llvm::enumerate(costs.program.calls)) {
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
    for (const BufferUse &use : costs.buffers)
      if (use.firstUse <= static_cast<int64_t>(position) &&
          static_cast<int64_t>(position) <= use.lastUse)
        cost.ramBytes += use.bytes;
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

static void writeMeasurement(llvm::json::OStream &json, const CompileOptions &options) {
  bool isC = options.emit == EmitKind::C;
  json.attributeObject("measured", [&] {
    json.attribute("compiler", "LLVM " LLVM_VERSION_STRING ", ARM backend");
    json.attribute("flags", "-mcpu=cortex-m4 -mthumb -O2 -mfloat-abi=" + floatAbiName(options.floatAbi));
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
    json.attribute("state_bytes", costs.program.stateBytes);
    json.attribute("scratch_bytes", costs.program.scratchBytes);
    json.attributeObject("flash_bytes", [&] {
      json.attribute("code", costs.codeBytes);
      json.attribute("constants", costs.constantBytes);
    });
    json.attribute("stack_bytes", costs.stackBytes);
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
