// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "targets/Target.h"

#include "targets/BoardFiles.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

using namespace thimble;

std::string MemoryRegion::text() const {
  return name + ":" + std::to_string(availableBytes()) + ":" + std::to_string(waitStates);
}

std::optional<MemoryRegion> MemoryRegion::parse(llvm::StringRef text) {
  constexpr uint64_t mostBytes = INT32_MAX;
  constexpr unsigned mostWaitStates = 1000;
  auto [name, numbers] = text.split(':');
  auto [bytes, waits] = numbers.split(':');
  MemoryRegion region;
  region.name = name.str();
  uint64_t unit = 1;
  if (bytes.consume_back_insensitive("K"))
    unit = 1024;
  else if (bytes.consume_back_insensitive("M"))
    unit = 1024 * 1024;
  const bool isName =
      !name.empty() && llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; });
  if (!isName || bytes.getAsInteger(10, region.bytes) || region.bytes > mostBytes / unit ||
      (numbers.contains(':') && waits.getAsInteger(10, region.waitStates)) ||
      region.waitStates > mostWaitStates)
    return std::nullopt;
  region.bytes *= unit;
  return region;
}

static Target cortexM4() {
  Target target;
  target.name = target.core = "cortex-m4";
  target.dsp = target.fpu = true;
  return target;
}

static Target generic() {
  Target target;
  target.name = target.core = "generic";
  return target;
}

// The number that `key` has in `object`, 0 where it has none.
static double number(const llvm::json::Object &object, llvm::StringRef key) {
  return object.getNumber(key).value_or(0);
}

static uint64_t address(const llvm::json::Object &object) {
  uint64_t base = 0;
  // A base that is no number stays 0: the tree's tests check the boards' files.
  (void)object.getString("base").value_or("0").getAsInteger(0, base);
  return base;
}

static Flash parseFlash(const llvm::json::Object &object) {
  auto count = [&](llvm::StringRef key) { return static_cast<unsigned>(number(object, key)); };
  Flash flash;
  flash.base = address(object);
  flash.bytes = static_cast<uint64_t>(number(object, "size"));
  flash.waitStates = count("wait_states");
  flash.line = count("line");
  flash.instructionCache = count("instruction_cache");
  flash.dataCache = count("data_cache");
  flash.prefetch = object.getBoolean("prefetch").value_or(false);
  return flash;
}

static MemoryRegion parseRam(const llvm::json::Object &object) {
  MemoryRegion region;
  region.name = object.getString("name").value_or("").str();
  region.base = address(object);
  region.bytes = static_cast<uint64_t>(number(object, "size"));
  region.reserved = static_cast<uint64_t>(number(object, "reserved"));
  region.waitStates = static_cast<unsigned>(number(object, "wait_states"));
  return region;
}

static std::vector<std::string> strings(const llvm::json::Object &object, llvm::StringRef key) {
  std::vector<std::string> result;
  if (const llvm::json::Array *array = object.getArray(key))
    for (const llvm::json::Value &entry : *array)
      result.push_back(entry.getAsString().value_or("").str());
  return result;
}

static std::optional<Target> parseBoard(llvm::StringRef text) {
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(text);
  if (!value) {
    llvm::consumeError(value.takeError());
    return std::nullopt;
  }
  const llvm::json::Object *board = value->getAsObject();
  if (!board || board->getString("core") != "cortex-m4")
    return std::nullopt;
  Target target = cortexM4();
  target.name = board->getString("name").value_or("").str();
  target.fpu = board->getString("fpu").has_value();
  target.clockHz = number(*board, "clock_hz");
  target.nanojoulesPerCycle = number(*board, "nj_per_cycle");
  target.qemuMachine = board->getString("qemu").value_or("").str();
  if (const llvm::json::Object *startup = board->getObject("startup")) {
    target.startupFiles = strings(*startup, "files");
    target.startupDefines = strings(*startup, "defines");
  }
  if (const llvm::json::Object *flash = board->getObject("flash"))
    target.flash = parseFlash(*flash);
  if (const llvm::json::Array *regions = board->getArray("ram"))
    for (const llvm::json::Value &entry : *regions)
      if (const llvm::json::Object *region = entry.getAsObject())
        target.ram.push_back(parseRam(*region));
  return target;
}

static std::vector<Target> makeTargets() {
  std::vector<Target> targets = {cortexM4(), generic()};
  for (llvm::StringRef text : boardFiles())
    if (std::optional<Target> board = parseBoard(text))
      targets.push_back(std::move(*board));
  return targets;
}

static const std::vector<Target> &allTargets() {
  static const std::vector<Target> targets = makeTargets();
  return targets;
}

const Target *thimble::findTarget(llvm::StringRef name) {
  for (const Target &target : allTargets())
    if (target.name == name)
      return &target;
  return nullptr;
}

std::vector<std::string> thimble::targetNames() {
  std::vector<std::string> names;
  for (const Target &target : allTargets())
    names.push_back(target.name);
  return names;
}
