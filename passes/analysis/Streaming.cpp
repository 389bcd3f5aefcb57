// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Streaming.h"

#include <algorithm>
#include <limits>
#include <set>

namespace thimble {

//===-- One chain ---------------------------------------------------------------------------===//

namespace {

/// What a firing costs beside its kernel, and a byte that moves.
constexpr int64_t firingCycles = 60;
constexpr double cyclesPerMovedByte = 0.9;

/// Builds the stages of a chain and fires them.
class Player {
public:
  Player(const RowNetwork &network, int begin, int end, const std::vector<int64_t> &heights)
      : network(network), begin(begin), end(end) {
    chain.begin = begin;
    chain.end = end;
    for (int op = begin; op < end; ++op)
      addKernel(op, heights[static_cast<size_t>(op - begin)]);
    addCopies();
    pad();
  }

  Chain play() {
    fired.assign(chain.stages.size(), 0);
    appended.assign(2 * network.tensors.size(), 0);
    for (size_t i = 0; i < network.tensors.size(); ++i)
      if (network.tensors[i].producer < begin)
        appended[2 * i] = network.tensors[i].rows;
    front.assign(network.tensors.size(), 0);
    inUse.assign(network.tensors.size(), 0);
    readers.resize(network.tensors.size());
    for (size_t i = 0; i < chain.stages.size(); ++i)
      for (const Operand &input : chain.stages[i].inputs)
        if (input.isRing)
          readers[static_cast<size_t>(input.tensor)].push_back({i, input.first, input.advance});
    while (std::optional<int> stage = furthestReady())
      fire(*stage);
    countLiveBytes();
    return std::move(chain);
  }

private:
  using Kind = ChainStage::Kind;
  using Operand = ChainStage::Operand;

  const RowTensor &tensor(int number) const { return network.tensors[static_cast<size_t>(number)]; }
  const RowOperator &operatorAt(int number) const {
    return network.operators[static_cast<size_t>(number)];
  }

  //===-- Stages ----------------------------------------------------------------------------===//

  // Whether the tensor begins and ends within the chain, read row by row.
  bool isRing(int number) const {
    const RowTensor &t = tensor(number);
    if (!t.isOwn || t.producer < begin || t.lastReader >= end || t.lastReader < 0 ||
        operatorAt(t.producer).reduces)
      return false;
    for (int op = t.producer + 1; op <= t.lastReader; ++op)
      for (const RowInput &input : operatorAt(op).inputs)
        if (input.tensor == number && !input.isWalked)
          return false;
    return true;
  }

  void addKernel(int op, int64_t height) {
    const RowOperator &o = operatorAt(op);
    ChainStage stage;
    stage.op = op;
    stage.height = height;
    stage.reduces = o.reduces;
    stage.firings = tensor(o.reduces ? o.inputs.front().tensor : o.outputs.front()).rows / height;
    for (const RowInput &input : o.inputs) {
      Operand operand{input.operand, input.tensor, isRing(input.tensor), 0, 0, 0};
      if (input.isWalked) {
        operand.first = -input.padTop; // until the padding is known
        operand.advance = height * input.stride;
        operand.needs = (height - 1) * input.stride + input.window;
      } else {
        operand.needs = tensor(input.tensor).rows;
      }
      stage.inputs.push_back(operand);
    }
    const int result = o.outputs.front();
    stage.output = {0, result, !o.reduces && isRing(result), 0, o.reduces ? 0 : height, 0};
    chain.stages.push_back(std::move(stage));
  }

  // Windows that reach beyond a tensor want a ring, where there can be padding.
  bool leaves(const ChainStage &stage, const Operand &input) const {
    const int64_t last = input.first + (stage.firings - 1) * input.advance + input.needs;
    return input.advance != 0 && (input.first < 0 || last > tensor(input.tensor).rows);
  }

  void addCopies() {
    for (size_t i = 0; i < chain.stages.size(); ++i)
      for (size_t k = 0; k < chain.stages[i].inputs.size(); ++k) {
        const Operand input = chain.stages[i].inputs[k];
        if (input.isRing || !leaves(chain.stages[i], input))
          continue;
        ChainStage copy;
        copy.kind = Kind::CopyRows;
        copy.height = tensor(input.tensor).rows % input.advance == 0 ? input.advance : 1;
        copy.firings = tensor(input.tensor).rows / copy.height;
        copy.inputs = {{0, input.tensor, false, 0, copy.height, copy.height}};
        copy.output = {0, input.tensor, true, 0, copy.height, 0};
        for (ChainStage &reader : chain.stages)
          for (Operand &other : reader.inputs)
            if (reader.kind == Kind::Kernel && other.tensor == input.tensor && other.advance != 0)
              other.isRing = true;
        chain.stages.insert(chain.stages.begin() + static_cast<std::ptrdiff_t>(i), std::move(copy));
        ++i;
      }
  }

  // Rings begin with the padding that some reader wants first, and end with that it wants last.
  void pad() {
    for (const ChainStage &stage : chain.stages)
      for (const Operand &input : stage.inputs)
        if (input.isRing)
          before[input.tensor] = std::max(before[input.tensor], -input.first);
    for (ChainStage &stage : chain.stages)
      for (Operand &input : stage.inputs) {
        if (!input.isRing)
          continue;
        input.first += before[input.tensor];
        const int64_t wanted =
            input.first + (stage.firings - 1) * input.advance + std::max(input.needs, input.advance);
        int64_t &rows = after[input.tensor];
        rows = std::max(rows, wanted - before[input.tensor] - tensor(input.tensor).rows);
      }
    for (const auto &[ring, rows] : before) {
      if (rows + after[ring] == 0)
        continue;
      fills[ring] = static_cast<int>(chain.stages.size());
      ChainStage fill;
      fill.kind = Kind::FillRows;
      fill.output = {0, ring, true, 0, 1, 0};
      fill.firings = rows + after[ring];
      chain.stages.push_back(std::move(fill));
    }
  }

  //===-- Firings ---------------------------------------------------------------------------===//

  std::optional<int> furthestReady() {
    for (int i = static_cast<int>(chain.stages.size()) - 1; i >= 0; --i)
      if (chain.stages[static_cast<size_t>(i)].kind != Kind::FillRows && isReady(static_cast<size_t>(i)))
        return i;
    return std::nullopt;
  }

  bool isReady(size_t number) {
    const ChainStage &stage = chain.stages[number];
    if (fired[number] == stage.firings)
      return false;
    for (const Operand &input : stage.inputs) {
      if (rowsOf(input) + rowsToFill(input) < wantedRows(number, input))
        return false;
    }
    return true;
  }

  // Rows of an input that the next firing of a stage wants, from the first on.
  int64_t wantedRows(size_t stage, const Operand &input) const {
    return input.first + fired[stage] * input.advance +
           (input.isRing ? std::max(input.needs, input.advance) : input.needs);
  }

  // Rows of padding that can follow at once: all rows of the tensor are there.
  int64_t rowsToFill(const Operand &input) {
    if (!input.isRing)
      return 0;
    const int64_t rest = before[input.tensor] + tensor(input.tensor).rows + after[input.tensor] - rowsOf(input);
    return rest <= after[input.tensor] ? rest : 0;
  }

  // Rows that were there by now, padding included.
  int64_t &rowsOf(const Operand &operand) {
    return appended[2 * static_cast<size_t>(operand.tensor) + (operand.isRing ? 1 : 0)];
  }

  // Padding comes as late as it can: before the first row, and when it is wanted.
  void fire(int number) {
    const size_t index = static_cast<size_t>(number);
    const ChainStage &stage = chain.stages[index];
    for (const Operand &input : stage.inputs)
      while (input.isRing && rowsOf(input) < wantedRows(index, input))
        fireOnce(fills.at(input.tensor));
    if (stage.output.isRing && fired[index] == 0)
      for (int64_t i = 0; i < before[stage.output.tensor]; ++i)
        fireOnce(fills.at(stage.output.tensor));
    fireOnce(number);
  }

  void fireOnce(int number) {
    ChainStage &stage = chain.stages[static_cast<size_t>(number)];
    const int time = static_cast<int>(chain.schedule.size());
    chain.schedule.push_back(number);
    chain.moveCycles += firingCycles;
    if (stage.kind != Kind::Kernel)
      move(stage.height * tensor(stage.output.tensor).rowBytes);
    if (!stage.reduces)
      append(stage.output, time);
    else if (fired[static_cast<size_t>(number)] + 1 == stage.firings)
      appendWhole(stage.output, time);
    int64_t &count = fired[static_cast<size_t>(number)];
    ++count;
    for (const Operand &input : stage.inputs)
      if (input.isRing)
        release(input, time);
  }

  void move(int64_t bytes) {
    chain.moveCycles += static_cast<int64_t>(cyclesPerMovedByte * static_cast<double>(bytes));
  }

  void append(const Operand &output, int time) {
    int64_t &rows = rowsOf(output);
    for (int64_t i = 0; i < output.advance; ++i)
      if (!output.isRing)
        born[output.tensor].push_back(time);
    rows += output.advance;
    if (!output.isRing)
      return;
    const int64_t inUse = rows - front[static_cast<size_t>(output.tensor)];
    int64_t &depth = chain.rings[output.tensor];
    depth = std::max(depth, inUse);
    setInUse(output.tensor, time, inUse, inUse);
  }

  // The rows in use of a ring during firing `time` and after it.
  void setInUse(int ring, int time, int64_t during, int64_t then) {
    int64_t &rows = inUse[static_cast<size_t>(ring)];
    changes.push_back({time, (during - rows) * tensor(ring).rowBytes});
    changes.push_back({time + 1, (then - during) * tensor(ring).rowBytes});
    rows = then;
  }

  void appendWhole(const Operand &output, int time) {
    rowsOf(output) = tensor(output.tensor).rows;
    born[output.tensor].assign(static_cast<size_t>(tensor(output.tensor).rows), time);
  }

  // The row that no reader has passed yet comes to the front.
  void release(const Operand &input, int time) {
    const size_t ring = static_cast<size_t>(input.tensor);
    int64_t next = std::numeric_limits<int64_t>::max();
    bool isLast = true;
    for (const Reader &reader : readers[ring]) {
      next = std::min(next, reader.first + fired[reader.stage] * reader.advance);
      isLast &= fired[reader.stage] == chain.stages[reader.stage].firings;
    }
    const int64_t before = rowsOf(input) - front[ring];
    if (next > front[ring]) {
      front[ring] = next;
      move((rowsOf(input) - next) * tensor(input.tensor).rowBytes);
    }
    setInUse(input.tensor, time, before, isLast ? 0 : rowsOf(input) - front[ring]);
  }

  //===-- RAM -------------------------------------------------------------------------------===//

  void countLiveBytes() {
    const size_t times = chain.schedule.size();
    std::vector<int64_t> change(times + 1, 0);
    for (const auto &[time, bytes] : changes)
      change[static_cast<size_t>(time)] += bytes;
    auto live = [&](int64_t bytes, int first, int last) {
      change[static_cast<size_t>(first)] += bytes;
      change[static_cast<size_t>(last) + 1] -= bytes;
    };
    for (int number = 0; number < static_cast<int>(network.tensors.size()); ++number)
      if (!isRing(number))
        addWhole(number, static_cast<int>(times) - 1, live);
    // Sums of 32 bits stand for each byte of what is reduced to it.
    for (const ChainStage &stage : chain.stages)
      if (stage.reduces)
        live(4 * tensor(stage.output.tensor).bytes(), 0, static_cast<int>(times) - 1);
    live(static_cast<int64_t>(4 * (chain.rings.size() + chain.stages.size())), 0,
         static_cast<int>(times) - 1);
    chain.liveBytes.assign(static_cast<size_t>(end - begin), 0);
    int64_t bytes = 0;
    for (size_t time = 0; time < times; ++time) {
      bytes += change[time];
      const ChainStage &stage = chain.stages[static_cast<size_t>(chain.schedule[time])];
      // Copies and fills count for the operator that follows.
      const int op = stage.kind == Kind::Kernel ? stage.op : firstReader(stage.output.tensor);
      int64_t &most = chain.liveBytes[static_cast<size_t>(op - begin)];
      most = std::max(most, bytes);
    }
  }

  int firstReader(int number) const {
    for (int op = begin; op < end; ++op)
      for (const RowInput &input : operatorAt(op).inputs)
        if (input.tensor == number)
          return op;
    return begin;
  }

  // A tensor that exists as a whole, if it is live in the chain: rows that were written, and not yet
  // read for the last time.
  template <typename Live> void addWhole(int number, int lastTime, Live live) {
    const RowTensor &t = tensor(number);
    if (t.isPart || t.producer >= end || t.lastReader < begin || (t.lastReader < 0 && t.producer < begin))
      return;
    for (int64_t row = 0; row < t.rows; ++row) {
      const int first = t.producer < begin || !t.isOwn ? 0 : born[number][static_cast<size_t>(row)];
      const int last = t.lastReader >= end || !t.isOwn ? lastTime : lastReadOf(number, row, first);
      live(t.rowBytes, first, last);
    }
  }

  // The firing that reads row `row` of a whole tensor for the last time.
  int lastReadOf(int number, int64_t row, int atLeast) const {
    int last = atLeast;
    for (const ChainStage &stage : chain.stages)
      for (const Operand &input : stage.inputs) {
        if (input.tensor != number || input.isRing)
          continue;
        const int index = static_cast<int>(&stage - chain.stages.data());
        // The last firing that starts at or before the row.
        const int64_t firing = input.advance == 0
                                   ? stage.firings - 1
                                   : std::min(stage.firings - 1, (row - input.first) / input.advance);
        last = std::max(last, timeOf(index, firing));
      }
    return last;
  }

  int timeOf(int stage, int64_t firing) const {
    if (times.empty()) {
      times.resize(chain.stages.size());
      for (size_t time = 0; time < chain.schedule.size(); ++time)
        times[static_cast<size_t>(chain.schedule[time])].push_back(static_cast<int>(time));
    }
    return times[static_cast<size_t>(stage)][static_cast<size_t>(firing)];
  }

  const RowNetwork &network;
  int begin, end;
  Chain chain;
  std::vector<int64_t> fired;                       // by stage
  std::map<int, int64_t> before, after;             // rows of padding, by ring
  std::map<int, int> fills;                         // stages, by ring
  std::vector<int64_t> appended;                    // rows, by 2 * tensor + whether it is its ring
  std::vector<int64_t> front;                       // first row that is still there, by ring
  std::vector<int64_t> inUse;                       // rows that are there, by ring
  std::vector<std::pair<int, int64_t>> changes;     // of the live bytes of rings: time and bytes
  struct Reader {
    size_t stage;
    int64_t first, advance;
  };
  std::vector<std::vector<Reader>> readers;         // by ring
  std::map<int, std::vector<int>> born;             // firing that wrote each row, by whole tensor
  mutable std::vector<std::vector<int>> times;      // firings of each stage
};

} // namespace

Chain playChain(const RowNetwork &network, int begin, int end,
                const std::vector<int64_t> &heights) {
  return Player(network, begin, end, heights).play();
}

//===-- Where to cut ------------------------------------------------------------------------===//

static constexpr int64_t impossible = std::numeric_limits<int64_t>::max() / 4;

/// A chain or one whole operator.
struct StreamSearch::Slice {
  int begin = 0;
  std::vector<int64_t> heights;
  Chain chain; // no stages: one whole operator
  int64_t ringBytes = 0;
  struct Layer {
    int64_t liveBytes = 0;
    const std::vector<TileChoice> *choices = nullptr;
  };
  std::vector<Layer> layers;
};

StreamSearch::~StreamSearch() = default;

StreamSearch::StreamSearch(const RowNetwork &network, TileChoices choices)
    : network(network), choices(std::move(choices)), slices(network.operators.size() + 1) {
  for (int op = 0; op < static_cast<int>(network.operators.size()); ++op) {
    addWhole(op);
    addSlices(op);
  }
  listStacks();
  unlimitedCycles = shortest(impossible, 0)->cycles;
}

void StreamSearch::listStacks() {
  constexpr int64_t step = 32;
  std::set<int64_t> depths{0};
  for (const auto &ending : slices)
    for (const Slice &slice : ending)
      for (const Slice::Layer &layer : slice.layers)
        for (const TileChoice &choice : *layer.choices)
          depths.insert((choice.stackBytes + step - 1) / step * step);
  stacks.assign(depths.begin(), depths.end());
}

int64_t liveBytesAt(const RowNetwork &network, int op) {
  int64_t bytes = 0;
  for (const RowTensor &t : network.tensors)
    if (!t.isPart && t.producer <= op && std::max(t.lastReader, t.producer) >= op)
      bytes += t.bytes();
  return bytes;
}

void StreamSearch::addWhole(int op) {
  Slice slice;
  slice.begin = op;
  slice.layers = {{liveBytesAt(network, op), &choices(op, 0)}};
  slices[static_cast<size_t>(op) + 1].push_back(std::move(slice));
}

// The greatest divisor of `rows` up to `most`.
static int64_t heightFor(int64_t rows, int64_t most) {
  int64_t height = std::min(rows, most);
  while (rows % height != 0)
    --height;
  return height;
}

/// Rows of a firing that are tried.
static constexpr int64_t tallest[] = {1, 2, 4, 8};

/// Numbers of firings that are tried: pictures of all sizes take turns one by one.
static constexpr int64_t turns[] = {4, 6, 8, 12, 16, 24, 32};

template <typename Rows>
std::vector<int64_t> StreamSearch::heightsOf(int begin, int end, Rows rowsOfFiring) const {
  std::vector<int64_t> heights;
  for (int op = begin; op < end; ++op) {
    const RowOperator &o = network.operators[static_cast<size_t>(op)];
    const int64_t rows = network.tensors[static_cast<size_t>(o.outputs.front())].rows;
    heights.push_back(o.reduces ? 1 : heightFor(rows, std::max<int64_t>(rowsOfFiring(rows), 1)));
  }
  return heights;
}

std::optional<StreamSearch::Slice> StreamSearch::sliceOf(int begin, const std::vector<int64_t> &heights) const {
  Slice slice;
  slice.begin = begin;
  slice.heights = heights;
  for (size_t i = 0; i < heights.size(); ++i) {
    slice.layers.push_back({0, &choices(begin + static_cast<int>(i), heights[i])});
    if (slice.layers.back().choices->empty())
      return std::nullopt;
  }
  slice.chain = playChain(network, begin, begin + static_cast<int>(heights.size()), heights);
  for (size_t i = 0; i < heights.size(); ++i)
    slice.layers[i].liveBytes = slice.chain.liveBytes[i];
  for (const auto &[tensor, depth] : slice.chain.rings)
    slice.ringBytes += depth * network.tensors[static_cast<size_t>(tensor)].rowBytes;
  return slice;
}

void StreamSearch::addSlices(int begin) {
  constexpr int longest = 40;
  const int operators = static_cast<int>(network.operators.size());
  for (int end = begin + 1; end <= std::min(operators, begin + longest); ++end) {
    const RowOperator &last = network.operators[static_cast<size_t>(end) - 1];
    if (!last.streams && !last.reduces)
      return;
    std::set<std::vector<int64_t>> patterns;
    for (int64_t most : tallest)
      patterns.insert(heightsOf(begin, end, [=](int64_t) { return most; }));
    for (int64_t firings : turns)
      patterns.insert(heightsOf(begin, end, [=](int64_t rows) { return std::min<int64_t>(rows / firings, 8); }));
    for (const std::vector<int64_t> &heights : patterns)
      if (std::optional<Slice> slice = sliceOf(begin, heights))
        slices[static_cast<size_t>(end)].push_back(std::move(*slice));
  }
}

StreamSearch::Slice StreamSearch::improved(Slice slice, const Limits &limits) const {
  double value = costOf(slice, limits).value;
  for (bool isBetter = true; isBetter;) {
    isBetter = false;
    for (size_t i = 0; i < slice.heights.size(); ++i)
      for (int64_t most : tallest) {
        const int op = slice.begin + static_cast<int>(i);
        std::vector<int64_t> heights = slice.heights;
        heights[i] = heightsOf(op, op + 1, [=](int64_t) { return most; }).front();
        if (heights == slice.heights)
          continue;
        std::optional<Slice> other = sliceOf(slice.begin, heights);
        if (!other || costOf(*other, limits).value >= value)
          continue;
        slice = std::move(*other);
        value = costOf(slice, limits).value;
        isBetter = true;
      }
  }
  return slice;
}

StreamSearch::SliceCost StreamSearch::costOf(const Slice &slice, const Limits &limits) const {
  SliceCost cost{slice.chain.moveCycles, 0};
  int64_t scratch = 0;
  for (const Slice::Layer &layer : slice.layers) {
    const TileChoice *best = nullptr;
    for (const TileChoice &choice : *layer.choices)
      if (layer.liveBytes + choice.scratchBytes <= limits.ram.arenaBytes &&
          choice.stackBytes <= limits.ram.stackBytes && (!best || choice.cycles < best->cycles))
        best = &choice;
    if (!best)
      return {impossible, static_cast<double>(impossible)};
    cost.cycles += best->cycles;
    scratch = std::max(scratch, best->scratchBytes);
  }
  cost.value = static_cast<double>(cost.cycles) +
               limits.bytePrice * static_cast<double>(slice.ringBytes + scratch);
  return cost;
}

StreamSearch::Path StreamSearch::shortest(const Limits &limits) const {
  constexpr double never = static_cast<double>(impossible);
  std::vector<double> values(slices.size(), never);
  std::vector<const Slice *> last(slices.size(), nullptr);
  values[0] = 0;
  for (size_t end = 1; end < slices.size(); ++end)
    for (const Slice &slice : slices[end]) {
      const double before = values[static_cast<size_t>(slice.begin)];
      if (before >= never)
        continue;
      const double all = before + costOf(slice, limits).value;
      if (all < values[end]) {
        values[end] = all;
        last[end] = &slice;
      }
    }
  Path path{impossible, limits.ram, {}};
  if (values.back() >= never)
    return path;
  path.cycles = 0;
  for (size_t end = slices.size() - 1; end > 0; end = static_cast<size_t>(last[end]->begin)) {
    path.slices.push_back(last[end]);
    path.cycles += costOf(*last[end], limits).cycles;
  }
  std::reverse(path.slices.begin(), path.slices.end());
  return path;
}

std::optional<StreamSearch::Path> StreamSearch::shortest(int64_t ramBytes, double bytePrice) const {
  std::optional<Path> best;
  for (int64_t stack : stacks) {
    Path path = shortest(Limits{{ramBytes - stack, stack}, bytePrice});
    if (path.cycles < (best ? best->cycles : impossible))
      best = std::move(path);
  }
  return best;
}

std::optional<StreamPlan> StreamSearch::fastest(int64_t ramBytes, double price) const {
  const double bytePrice = price * static_cast<double>(unlimitedCycles) / 1024;
  const std::optional<Path> path = shortest(ramBytes, bytePrice);
  if (!path)
    return std::nullopt;
  StreamPlan plan;
  plan.ram = path->ram;
  for (const Slice *found : path->slices) {
    const Slice slice = improved(*found, {plan.ram, bytePrice});
    plan.cycles += costOf(slice, {plan.ram, bytePrice}).cycles;
    if (!slice.chain.stages.empty())
      plan.chains.push_back(slice.chain);
  }
  return plan;
}

int64_t StreamSearch::leastRam(int64_t cycles) const {
  constexpr int64_t step = 16;
  int64_t tooFew = 0, enough = 0;
  for (const auto &ending : slices)
    for (const Slice &slice : ending)
      for (const Slice::Layer &layer : slice.layers)
        for (const TileChoice &choice : *layer.choices)
          enough = std::max(enough, layer.liveBytes + choice.scratchBytes);
  enough += stacks.empty() ? 0 : stacks.back();
  while (enough - tooFew > step) {
    const int64_t middle = tooFew + (enough - tooFew) / 2;
    const std::optional<StreamPlan> plan = fastest(middle);
    (plan && plan->cycles <= cycles ? enough : tooFew) = middle;
  }
  return enough;
}

} // namespace thimble
