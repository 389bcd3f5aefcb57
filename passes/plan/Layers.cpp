// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/plan/Layers.h"

#include "dialects/nn/NNTypes.h"

#include "mlir/IR/Remarks.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace thimble {

/// What running one operator at a time may take for Speed beyond the tensors: scratch and stack.
static constexpr int64_t spareBytes = 3584;

Layers::Layers(func::FuncOp function, const Aliases &aliases, const Target &target,
               bool inputByRows)
    : function(function), aliases(aliases), target(target), inputByRows(inputByRows),
      tiles(function.getContext(), target) {}

/// The candidates that are listed for `op`, priced.
static FailureOr<SmallVector<Candidate>> candidatesOf(nn::NNOperator op, const Target &target) {
  auto listed = op->getAttrOfType<ArrayAttr>("mcu.candidates");
  if (!listed || listed.empty())
    return op.emitError("has no candidates: run nn-list-candidates first");
  KernelQuery query = queryFor(op, target);
  SmallVector<Candidate> candidates;
  for (DictionaryAttr entry : listed.getAsRange<DictionaryAttr>()) {
    const Kernel *kernel = findKernel(entry.getAs<StringAttr>("kernel").getValue());
    std::optional<Candidate> candidate = kernel ? kernel->proposeOnTarget(query) : std::nullopt;
    if (candidate)
      candidates.push_back(std::move(*candidate));
  }
  if (candidates.empty())
    return op.emitError("none of its candidates can compute it");
  return candidates;
}

LogicalResult Layers::list() {
  for (Operation &operation : function.getBody().front()) {
    auto op = dyn_cast<nn::NNOperator>(operation);
    if (!op || aliases.movesNothing(op))
      continue;
    FailureOr<SmallVector<Candidate>> candidates = candidatesOf(op, target);
    if (failed(candidates))
      return failure();
    layers.emplace_back().op = op;
    ofWhole.push_back(std::move(*candidates));
  }
  describe();
  return success();
}

//===-- The network as rows -----------------------------------------------------------------===//

static bool isConstant(Value tensor) { return tensor.getDefiningOp<nn::ConstantOp>() != nullptr; }

int Layers::numberOf(Value tensor) {
  auto [entry, isNew] = numbers.insert({tensor, static_cast<int>(tensors.size())});
  if (!isNew)
    return entry->second;
  const int number = entry->second;
  auto type = cast<RankedTensorType>(tensor.getType());
  RowTensor row;
  const std::optional<TensorType> plain = nn::toTensorType(type);
  const int64_t bytes = type.getNumElements() * static_cast<int64_t>(byteSize(plain->element));
  row.rows =
      type.getRank() == 4 && type.getDimSize(0) == 1 ? std::max<int64_t>(type.getDimSize(1), 1) : 1;
  row.rowBytes = bytes / row.rows;
  row.isPart = aliases.isAlias(tensor);
  row.isOwn = !row.isPart && !aliases.isAliased(tensor);
  tensors.push_back(tensor);
  network.tensors.push_back(row);
  return number;
}

// `tensor` and what it is a part of.
void Layers::forEachWhole(Value tensor, llvm::function_ref<void(RowTensor &)> body) {
  while (true) {
    body(network.tensors[static_cast<size_t>(numberOf(tensor))]);
    std::optional<Run> run = aliases.lookup(tensor);
    if (!run)
      return;
    tensor = run->whole;
  }
}

void Layers::describe() {
  auto read = [&](Value tensor, int step) {
    forEachWhole(tensor, [&](RowTensor &row) { row.lastReader = std::max(row.lastReader, step); });
  };
  auto write = [&](Value tensor, int step) {
    forEachWhole(tensor, [&](RowTensor &row) {
      row.producer = row.producer < 0 ? step : std::min(row.producer, step);
    });
  };
  for (BlockArgument argument : function.getArguments()) {
    const int number = numberOf(argument);
    network.tensors[static_cast<size_t>(number)].arrivesByRows = inputByRows;
  }
  for (auto [index, layer] : llvm::enumerate(layers)) {
    const int step = static_cast<int>(index);
    RowOperator &row = network.operators.emplace_back();
    row.reduces = reducesRows(layer.op, target);
    std::optional<SmallVector<RowInput, 2>> walked;
    if (row.reduces)
      walked.emplace({RowInput{0, -1, /*isWalked=*/true, 1, 1, 0}});
    else
      walked = rowInputsOf(layer.op);
    row.streams = walked && !row.reduces && !aliases.isAlias(layer.op->getResult(0));
    for (OpOperand &operand : layer.op->getOpOperands()) {
      if (isConstant(operand.get()))
        continue;
      read(operand.get(), step);
      RowInput input;
      if (walked)
        for (const RowInput &known : *walked)
          if (known.operand == operand.getOperandNumber())
            input = known;
      input.operand = operand.getOperandNumber();
      input.tensor = numberOf(operand.get());
      row.inputs.push_back(input);
    }
    for (Value result : layer.op->getResults()) {
      write(result, step);
      row.outputs.push_back(numberOf(result));
    }
  }
  for (Value result : function.getBody().front().getTerminator()->getOperands())
    read(result, static_cast<int>(layers.size()));
}

//===-- Chains ------------------------------------------------------------------------------===//

std::vector<TileChoice> Layers::tileChoices(int layer, int64_t height) {
  ArrayRef<Candidate> candidates = ofWhole[static_cast<size_t>(layer)];
  int64_t firings = 1;
  if (height != 0) {
    const RowOperator &row = network.operators[static_cast<size_t>(layer)];
    const int walked = row.reduces ? row.inputs.front().tensor : row.outputs.front();
    firings = network.tensors[static_cast<size_t>(walked)].rows / height;
    candidates = tiles.candidatesFor(layers[static_cast<size_t>(layer)].op, height);
  }
  // Cheapest first: what follows must need less of something.
  std::vector<TileChoice> result;
  for (const Candidate &c : candidates) {
    const TileChoice choice{c.cycles * firings, c.scratchBytes(), c.stackBytes};
    if (llvm::none_of(result, [&](const TileChoice &other) {
          return other.scratchBytes <= choice.scratchBytes && other.stackBytes <= choice.stackBytes;
        }))
      result.push_back(choice);
  }
  return result;
}

const StreamSearch &Layers::search() {
  if (!streams)
    streams = std::make_unique<StreamSearch>(
        network, [&](int op, int64_t height) -> const std::vector<TileChoice> & {
          auto [entry, isNew] = choices.insert({{op, height}, {}});
          if (isNew)
            entry->second = tileChoices(op, height);
          return entry->second;
        });
  return *streams;
}

// Chains stand in for the layers that they are made of.
void Layers::apply(StreamPlan chosen) {
  plan = std::move(chosen);
  for (auto [index, layer] : llvm::enumerate(layers)) {
    layer.height = 0;
    layer.firings = 1;
    layer.liveBytes = liveBytesAt(network, static_cast<int>(index));
    layer.candidates = ofWhole[index];
  }
  for (const Chain &chain : plan.chains)
    for (const ChainStage &stage : chain.stages) {
      if (stage.kind != ChainStage::Kind::Kernel)
        continue;
      Layer &layer = layers[static_cast<size_t>(stage.op)];
      layer.height = stage.height;
      layer.firings = stage.firings;
      layer.liveBytes = chain.liveBytes[static_cast<size_t>(stage.op - chain.begin)];
      layer.candidates = llvm::to_vector(tiles.candidatesFor(layer.op, stage.height));
    }
}

void Layers::choose(Objective objective) {
  apply({});
  select(objective, std::nullopt);
}

bool Layers::choose(Objective objective, int64_t ramBytes, double price) {
  std::optional<StreamPlan> fastest = search().fastest(ramBytes, price);
  if (!fastest)
    return false;
  apply(std::move(*fastest));
  select(objective, plan.ram);
  return true;
}

bool Layers::chooseByRows(Objective objective) {
  if (!search().takesRows())
    return false;
  int64_t most = 0;
  for (size_t i = 0; i < layers.size(); ++i)
    most = std::max(most, liveBytesAt(network, static_cast<int>(i)));
  constexpr double price = 1.0 / 1000;
  return choose(objective, most + spareBytes, price);
}

/// A remark for each chain: what runs row by row.
void Layers::explainChains() const {
  for (const Chain &chain : plan.chains) {
    std::string heights;
    for (const ChainStage &stage : chain.stages)
      if (stage.kind == ChainStage::Kind::Kernel)
        heights += (heights.empty() ? "" : ", ") + std::to_string(stage.height);
    remark::passed(layers[static_cast<size_t>(chain.begin)].op->getLoc(),
                   remark::RemarkOpts::name("Streaming").category("memory"))
        << remark::reason(
               "layers {0} to {1} run row by row: {2} rows at a time, {3} firings, {4} cycles more",
               chain.begin, chain.end - 1, heights, chain.schedule.size(), chain.moveCycles);
  }
}

const Chain *Layers::chainAt(size_t index) const {
  for (const Chain &chain : plan.chains)
    if (chain.begin == static_cast<int>(index))
      return &chain;
  return nullptr;
}

//===-- Kernels -----------------------------------------------------------------------------===//

static std::string costText(const Candidate &c) {
  return llvm::formatv("{0}: {1} cycles estimated, {2} bytes of flash, {3} of scratch and stack",
                       c.kernel->getName(), c.cycles, c.flashBytes,
                       c.scratchBytes() + c.stackBytes);
}

/// A remark with the chosen kernel and those that it was preferred to.
static void explainKernel(Layer &layer) {
  std::string others;
  for (auto [i, candidate] : llvm::enumerate(layer.candidates))
    if (i != layer.chosen)
      others += (others.empty() ? "; not " : "; ") + costText(candidate);
  const std::string often =
      layer.height == 0
          ? ""
          : llvm::formatv("{0} times {1} rows with ", layer.firings, layer.height).str();
  remark::passed(layer.op.getLoc(), remark::RemarkOpts::name("Kernel").category("kernel"))
      << remark::reason("{0}{1}{2}", often, costText(layer.kernel()), others);
}

static KernelChoice choiceOf(const Candidate &candidate, int64_t firings) {
  KernelChoice choice;
  choice.cycles = candidate.cycles * firings;
  choice.ownBytes = candidate.flashBytes;
  for (const SharedCode &code : candidate.sharedCode) {
    choice.ownBytes -= code.bytes;
    choice.sharedCode.push_back({code.name, code.bytes});
  }
  choice.scratchBytes = candidate.scratchBytes();
  choice.stackBytes = candidate.stackBytes;
  return choice;
}

void Layers::select(Objective objective, std::optional<RamLimit> limit) {
  std::vector<LayerChoices> ofLayers;
  for (const Layer &layer : layers) {
    LayerChoices &of = ofLayers.emplace_back();
    of.liveBytes = layer.liveBytes;
    for (const Candidate &candidate : layer.candidates)
      of.choices.push_back(choiceOf(candidate, layer.firings));
  }
  const std::vector<size_t> selection = selectKernels(ofLayers, objective, spareBytes, limit);
  for (auto [layer, chosen] : llvm::zip(layers, selection))
    layer.chosen = chosen;
}

int64_t Layers::cycles() const {
  int64_t cycles = 0;
  for (const Layer &layer : layers)
    cycles += layer.kernel().cycles * layer.firings;
  for (const Chain &chain : plan.chains)
    cycles += chain.moveCycles;
  return cycles;
}

int64_t Layers::stackBytes() const {
  int64_t bytes = 0;
  for (const Layer &layer : layers)
    bytes = std::max(bytes, layer.kernel().stackBytes);
  return bytes;
}

void Layers::explain() {
  explainChains();
  for (Layer &layer : layers)
    explainKernel(layer);
}

} // namespace thimble
