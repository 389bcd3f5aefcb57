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

struct Node {
  thimble::object::FunctionSize size;
  SetVector<StringRef> callees;
  enum { New, Active, Done } state = New;
};

class CallGraph {
public:
  CallGraph(MapVector<StringRef, Node> &nodes) : nodes(nodes) {}

  /// Deepest stack of `name`; a cycle, which the compiler does not make, counts
  /// once.
  int64_t depth(StringRef name, bool &exact);

private:
  MapVector<StringRef, Node> &nodes;
};

} // namespace

int64_t CallGraph::depth(StringRef name, bool &exact) {
  auto it = nodes.find(name);
  if (it == nodes.end()) {
    // The hook is the user's: its stack is not the model's.
    if (name == "thimble_layer_hook")
      return 0;
    exact = false;
    return thimble::object::libraryStackBytes(name);
  }
  Node &node = it->second;
  if (node.state != Node::New)
    return node.state == Node::Done ? node.size.stackBytes : 0;
  node.state = Node::Active;
  int64_t deepest = 0;
  for (StringRef callee : node.callees)
    deepest = std::max(deepest, depth(callee, exact));
  node.size.stackBytes = node.size.frameBytes + deepest;
  node.state = Node::Done;
  return node.size.stackBytes;
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
                                                             StringRef entry) {
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
    node.size.frameBytes = frames.lookup(*name);
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

  CallGraph graph(nodes);
  total.stackBytes = graph.depth(entry, total.exact);
  for (auto &[name, node] : nodes) {
    bool exact = true;
    graph.depth(name, exact);
    total.functions.push_back(std::move(node.size));
  }
  return total;
}
