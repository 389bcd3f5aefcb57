// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Streaming.h"

#include <algorithm>
#include <limits>
#include <optional>

namespace thimble {

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
        const bool arrives = takesRows(network, input.tensor, begin, end);
        if (input.isRing || (!arrives && !leaves(chain.stages[i], input)))
          continue;
        ChainStage copy;
        copy.kind = Kind::CopyRows;
        copy.height =
            !arrives && tensor(input.tensor).rows % input.advance == 0 ? input.advance : 1;
        chain.takesRows |= arrives;
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
        const int64_t wanted = input.first + (stage.firings - 1) * input.advance +
                               std::max(input.needs, input.advance);
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
      if (chain.stages[static_cast<size_t>(i)].kind != Kind::FillRows &&
          isReady(static_cast<size_t>(i)))
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
    const int64_t rest =
        before[input.tensor] + tensor(input.tensor).rows + after[input.tensor] - rowsOf(input);
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

  // A tensor that exists as a whole, if it is live in the chain: rows that were written, and not
  // yet read for the last time.
  template <typename Live> void addWhole(int number, int lastTime, Live live) {
    const RowTensor &t = tensor(number);
    if (t.isPart || t.producer >= end || t.lastReader < begin ||
        (t.lastReader < 0 && t.producer < begin) || takesRows(network, number, begin, end))
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
        const int64_t firing =
            input.advance == 0 ? stage.firings - 1
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
  std::vector<int64_t> fired;                   // by stage
  std::map<int, int64_t> before, after;         // rows of padding, by ring
  std::map<int, int> fills;                     // stages, by ring
  std::vector<int64_t> appended;                // rows, by 2 * tensor + whether it is its ring
  std::vector<int64_t> front;                   // first row that is still there, by ring
  std::vector<int64_t> inUse;                   // rows that are there, by ring
  std::vector<std::pair<int, int64_t>> changes; // of the live bytes of rings: time and bytes
  struct Reader {
    size_t stage;
    int64_t first, advance;
  };
  std::vector<std::vector<Reader>> readers;    // by ring
  std::map<int, std::vector<int>> born;        // firing that wrote each row, by whole tensor
  mutable std::vector<std::vector<int>> times; // firings of each stage
};

} // namespace

bool takesRows(const RowNetwork &network, int number, int begin, int end) {
  const RowTensor &tensor = network.tensors[static_cast<size_t>(number)];
  if (!tensor.arrivesByRows || !tensor.isOwn || begin > 0 || tensor.lastReader < 0 ||
      tensor.lastReader >= end)
    return false;
  for (int op = begin; op < end; ++op)
    for (const RowInput &input : network.operators[static_cast<size_t>(op)].inputs)
      if (input.tensor == number && !input.isWalked)
        return false;
  return true;
}

Chain playChain(const RowNetwork &network, int begin, int end,
                const std::vector<int64_t> &heights) {
  return Player(network, begin, end, heights).play();
}

} // namespace thimble
