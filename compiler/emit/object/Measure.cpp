// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/object/Codegen.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace llvm;
using namespace llvm::object;

int64_t thimble::object::libraryStackBytes(StringRef function) {
  bool copies = function.starts_with("mem") || function.starts_with("__aeabi_mem");
  return copies ? 32 : 72;
}

namespace {

/// Bytes of stack, of the object and of C that another compiler compiles.
struct Depth {
  int64_t bytes = 0, ofC = 0;
};

struct Node {
  thimble::object::FunctionSize size;
  Depth depth;
  SetVector<StringRef> callees;
  enum { New, Active, Done } state = New;
};

class CallGraph {
public:
  CallGraph(MapVector<StringRef, Node> &nodes, const thimble::object::Frames &frames)
      : nodes(nodes), frames(frames) {}

  /// Deepest stack of `name`; a cycle, which the compiler does not make, counts
  /// once.
  Depth depth(StringRef name, bool &exact);

private:
  MapVector<StringRef, Node> &nodes;
  const thimble::object::Frames &frames;
};

} // namespace

Depth CallGraph::depth(StringRef name, bool &exact) {
  auto it = nodes.find(name);
  if (it == nodes.end()) {
    // The hook is the user's: its stack is not the model's.
    if (name == "thimble_layer_hook")
      return {};
    exact = false;
    const int64_t bytes = thimble::object::libraryStackBytes(name);
    return {bytes, bytes};
  }
  Node &node = it->second;
  if (node.state != Node::New)
    return node.state == Node::Done ? node.depth : Depth();
  node.state = Node::Active;
  Depth deepest;
  for (StringRef callee : node.callees) {
    const Depth below = depth(callee, exact);
    deepest = {std::max(deepest.bytes, below.bytes), std::max(deepest.ofC, below.ofC)};
  }
  const thimble::object::Frame frame = frames.lookup(name);
  const int64_t ofC = frame.isFixed ? frame.bytes : alignTo(frame.bytes + frame.bytes / 2 + 8, 8);
  node.depth = {frame.bytes + deepest.bytes, ofC + deepest.ofC};
  node.size.stackBytes = node.depth.bytes;
  node.state = Node::Done;
  return node.depth;
}

/// Adds the callee of each relocation in `section`, the code of `caller`.
static Error addCallees(const SectionRef &section, Node &caller,
                        const DenseMap<uint64_t, StringRef> &bySection,
                        const ELFObjectFileBase &elf) {
  for (const RelocationRef &relocation : section.relocations()) {
    symbol_iterator symbol = relocation.getSymbol();
    if (symbol == elf.symbol_end())
      continue;
    ELFSymbolRef callee(*symbol);
    Expected<section_iterator> where = callee.getSection();
    if (!where)
      return where.takeError();
    if (*where == elf.section_end()) {
      Expected<StringRef> name = callee.getName();
      if (!name)
        return name.takeError();
      if (!name->empty())
        caller.callees.insert(*name);
    } else if (auto it = bySection.find((*where)->getIndex()); it != bySection.end()) {
      caller.callees.insert(it->second);
    }
  }
  return Error::success();
}

Expected<thimble::object::CodeSize> thimble::object::measure(StringRef object, const Frames &frames,
                                                             ArrayRef<std::string> entries) {
  Expected<std::unique_ptr<llvm::object::ObjectFile>> file =
      llvm::object::ObjectFile::createELFObjectFile(MemoryBufferRef(object, "object"));
  if (!file)
    return file.takeError();
  auto &elf = cast<ELFObjectFileBase>(**file);

  CodeSize total;
  for (const SectionRef &section : elf.sections()) {
    uint64_t flags = ELFSectionRef(section).getFlags();
    if (flags & ELF::SHF_EXECINSTR)
      total.codeBytes += section.getSize();
    else if (flags & ELF::SHF_ALLOC)
      total.constantBytes += section.getSize();
  }

  MapVector<StringRef, Node> nodes;
  DenseMap<uint64_t, StringRef> bySection;
  for (const ELFSymbolRef &symbol : elf.symbols()) {
    Expected<section_iterator> section = symbol.getSection();
    Expected<StringRef> name = symbol.getName();
    if (!section)
      return section.takeError();
    if (!name)
      return name.takeError();
    if (symbol.getELFType() != ELF::STT_FUNC || *section == elf.section_end())
      continue;
    Node &node = nodes[*name];
    node.size.name = name->str();
    node.size.codeBytes = (*section)->getSize(); // with its literals and jump tables
    node.size.frameBytes = frames.lookup(*name).bytes;
    bySection[(*section)->getIndex()] = *name;
  }
  for (const SectionRef &section : elf.sections()) {
    Expected<section_iterator> code = section.getRelocatedSection();
    if (!code)
      return code.takeError();
    if (*code == elf.section_end())
      continue;
    if (auto it = bySection.find((*code)->getIndex()); it != bySection.end())
      if (Error error = addCallees(section, nodes[it->second], bySection, elf))
        return error;
  }

  CallGraph graph(nodes, frames);
  for (StringRef entry : entries) {
    const Depth deepest = graph.depth(entry, total.exact);
    total.stackBytes = std::max(total.stackBytes, deepest.bytes);
    total.stackBytesForC = std::max(total.stackBytesForC, deepest.ofC);
  }
  for (auto &[name, node] : nodes) {
    bool exact = true;
    graph.depth(name, exact);
    total.functions.push_back(std::move(node.size));
  }
  return total;
}
