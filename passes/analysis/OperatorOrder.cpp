// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/OperatorOrder.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_map>

using namespace thimble;

namespace {

using Set = std::vector<bool>;

/// Which operators have run, and what is live then.
class Progress {
public:
  explicit Progress(const OrderProblem &problem)
      : problem(&problem), done(problem.operators.size()), started(problem.buffers.size()),
        remaining(problem.buffers.size()) {
    for (const OrderOperator &op : problem.operators)
      for (size_t buffer : op.touches)
        ++remaining[buffer];
    for (size_t i = 0; i < remaining.size(); ++i)
      if (const OrderBuffer &buffer = problem.buffers[i]; buffer.isInput) {
        started[i] = true;
        if (remaining[i] > 0 || buffer.isOutput)
          live += buffer.bytes;
      }
  }

  const Set &set() const { return done; }
  int64_t liveBytes() const { return live; }

  bool isReady(size_t op) const {
    const std::vector<size_t> &after = problem->operators[op].after;
    return !done[op] && std::all_of(after.begin(), after.end(), [&](size_t i) { return done[i]; });
  }

  int64_t bytesDuring(size_t number) const {
    const OrderOperator &op = problem->operators[number];
    int64_t bytes = live + op.workBytes;
    for (size_t buffer : op.touches)
      if (!started[buffer])
        bytes += problem->buffers[buffer].bytes;
    auto reused = std::find_if(op.inPlace.begin(), op.inPlace.end(),
                               [&](size_t buffer) { return endsNext(buffer); });
    return reused == op.inPlace.end() ? bytes : bytes - problem->buffers[*reused].bytes;
  }

  void run(size_t number) {
    done[number] = true;
    for (size_t buffer : problem->operators[number].touches) {
      if (!started[buffer])
        live += problem->buffers[buffer].bytes;
      started[buffer] = true;
      if (endsNext(buffer))
        live -= problem->buffers[buffer].bytes;
      --remaining[buffer];
    }
  }

private:
  bool endsNext(size_t buffer) const {
    return remaining[buffer] == 1 && !problem->buffers[buffer].isOutput;
  }

  const OrderProblem *problem;
  Set done;
  std::vector<bool> started;      // buffers that have been touched
  std::vector<unsigned> remaining; // operators that are still to touch each buffer
  int64_t live = 0;
};

/// The beginning of an order.
struct Partial {
  Progress progress;
  int64_t peak;
  std::vector<size_t> order;

  void run(size_t op) {
    peak = std::max(peak, progress.bytesDuring(op));
    progress.run(op);
    order.push_back(op);
  }
};

/// Beginnings of as many operators: one for each set of them.
class Level {
public:
  void add(Partial &&partial) {
    auto [at, isNew] = numbers.try_emplace(partial.progress.set(), partials.size());
    if (isNew)
      partials.push_back(std::move(partial));
    else if (partial.peak < partials[at->second].peak)
      partials[at->second] = std::move(partial);
  }

  /// Takes them all, the most promising first.
  std::vector<Partial> take() {
    numbers.clear();
    std::stable_sort(partials.begin(), partials.end(), [](const Partial &a, const Partial &b) {
      return std::pair(a.peak, a.progress.liveBytes()) < std::pair(b.peak, b.progress.liveBytes());
    });
    return std::move(partials);
  }

private:
  std::vector<Partial> partials;
  std::unordered_map<Set, size_t> numbers;
};

/// What is found out about the operators once.
class Graph {
public:
  explicit Graph(const OrderProblem &problem);

  std::vector<std::vector<size_t>> successors;
  /// The operator that best runs right after this one, where that is sure.
  std::vector<std::optional<size_t>> next;

private:
  std::optional<size_t> nextOf(size_t op) const;
  bool endsWith(size_t buffer, size_t op) const;
  bool startsWith(size_t buffer, size_t op) const;
  bool isAfter(size_t op, size_t earlier) const {
    const std::vector<size_t> &after = problem.operators[op].after;
    return std::find(after.begin(), after.end(), earlier) != after.end();
  }
  int64_t workBytes(size_t number) const {
    const OrderOperator &op = problem.operators[number];
    return op.workBytes - (op.inPlace.empty() ? 0 : problem.buffers[op.inPlace.front()].bytes);
  }

  const OrderProblem &problem;
  std::vector<std::vector<size_t>> touchedBy;
};

Graph::Graph(const OrderProblem &problem)
    : successors(problem.operators.size()), problem(problem), touchedBy(problem.buffers.size()) {
  for (size_t i = 0; i < successors.size(); ++i) {
    for (size_t earlier : problem.operators[i].after)
      successors[earlier].push_back(i);
    for (size_t buffer : problem.operators[i].touches)
      touchedBy[buffer].push_back(i);
  }
  for (size_t i = 0; i < successors.size(); ++i)
    next.push_back(nextOf(i));
}

/// Whether in every order `op` touches the buffer last and nothing but what computes it first.
bool Graph::endsWith(size_t buffer, size_t op) const {
  const std::vector<size_t> &by = touchedBy[buffer];
  return problem.buffers[buffer].isInput ? by.size() == 1
                                         : by.size() == 2 && isAfter(op, by.front());
}

/// Whether in every order `op` touches the buffer first.
bool Graph::startsWith(size_t buffer, size_t op) const {
  const std::vector<size_t> &by = touchedBy[buffer];
  return !problem.buffers[buffer].isInput && std::all_of(by.begin(), by.end(), [&](size_t other) {
    return other == op || isAfter(other, op);
  });
}

/// An operator that frees no more than it adds may wait for the only operator that comes after it, if
/// that one comes after nothing else and needs as much. What this one adds and frees must be the
/// same in every order.
std::optional<size_t> Graph::nextOf(size_t op) const {
  if (successors[op].size() != 1)
    return std::nullopt;
  const size_t reader = successors[op].front();
  if (problem.operators[reader].after.size() != 1)
    return std::nullopt;
  int64_t added = 0, freed = 0;
  for (size_t buffer : problem.operators[op].touches) {
    const int64_t bytes = problem.buffers[buffer].bytes;
    const bool starts = startsWith(buffer, op), ends = endsWith(buffer, op);
    const bool isPrivate = starts && touchedBy[buffer].size() == 1;
    if (!starts && !ends)
      return std::nullopt;
    added += starts ? bytes : 0;
    freed += (ends || isPrivate) && !problem.buffers[buffer].isOutput ? bytes : 0;
  }
  int64_t readerAdds = 0;
  for (size_t buffer : problem.operators[reader].touches)
    if (startsWith(buffer, reader))
      readerAdds += problem.buffers[buffer].bytes;
  const bool waits = freed <= added && added + workBytes(op) <=
                                           added - freed + readerAdds + workBytes(reader);
  return waits ? std::optional(reader) : std::nullopt;
}

/// Operators [begin, end) of the given order, with all before them done.
class Part {
public:
  Part(const Graph &graph, size_t begin, size_t end) : graph(&graph), begin(begin), end(end) {}

  size_t size() const { return end - begin; }

  Partial runAsGiven(Partial partial) const {
    for (size_t op = begin; op < end; ++op)
      partial.run(op);
    return partial;
  }

  struct Found {
    std::optional<Partial> best; // below the budget
    bool isExact = true;
  };

  /// Follows at most `width` sets of each size, and only to peaks below `budget`.
  Found sweep(Partial start, int64_t budget, size_t width) const {
    Found found;
    std::vector<Level> levels(size() + 1);
    auto enter = [&](Partial &&partial) {
      runFreeChains(partial);
      levels[partial.order.size()].add(std::move(partial));
    };
    enter(std::move(start));
    for (size_t done = 0; done < size(); ++done) {
      std::vector<Partial> partials = levels[done].take();
      found.isExact &= partials.size() <= width;
      for (size_t i = 0; i < std::min(width, partials.size()); ++i)
        for (size_t op = begin; op < end; ++op)
          if (partials[i].progress.isReady(op) && partials[i].progress.bytesDuring(op) < budget) {
            Partial next = partials[i];
            runWithNext(next, op);
            if (next.peak < budget)
              enter(std::move(next));
          }
    }
    if (std::vector<Partial> whole = levels.back().take(); !whole.empty())
      found.best = std::move(whole.front());
    return found;
  }

private:
  void runWithNext(Partial &partial, size_t op) const {
    for (std::optional<size_t> at = op; at && *at < end; at = graph->next[*at])
      partial.run(*at);
  }

  void runFreeChains(Partial &partial) const {
    for (size_t op = begin; op < end;)
      op = partial.progress.isReady(op) && runFreeChain(partial, op) ? begin : op + 1;
  }

  /// Runs `op`, a reader of what it computes and so on, until no more is live than before, if the
  /// peak stays as it is.
  bool runFreeChain(Partial &partial, size_t op) const {
    std::optional<Partial> chain;
    while (op < end) {
      const Progress &now = chain ? chain->progress : partial.progress;
      if (now.bytesDuring(op) > partial.peak)
        return false;
      if (!chain)
        chain = partial;
      chain->run(op);
      if (chain->progress.liveBytes() <= partial.progress.liveBytes()) {
        partial = std::move(*chain);
        return true;
      }
      const std::vector<size_t> &readers = graph->successors[op];
      auto ready = std::find_if(readers.begin(), readers.end(),
                                [&](size_t reader) { return chain->progress.isReady(reader); });
      op = ready == readers.end() ? end : *ready;
    }
    return false;
  }

  const Graph *graph;
  size_t begin, end;
};

/// The operators that every other one has to run before or after. All earlier ones lead to an operator
/// if each has a successor that is no later than it; all later ones come from it if each has a
/// predecessor that is no earlier.
std::vector<size_t> cutsOf(const OrderProblem &problem, const Graph &graph) {
  const size_t count = problem.operators.size();
  std::vector<bool> followsAll(count);
  size_t latest = 0; // of the first successors of the operators so far
  for (size_t i = 0; i < count; ++i) {
    followsAll[i] = latest <= i;
    const auto &next = graph.successors[i];
    latest = std::max(latest, next.empty() ? count : *std::min_element(next.begin(), next.end()));
  }
  std::vector<size_t> cuts;
  bool hasSource = false;  // an operator later than i that is after none
  size_t earliest = count; // of the last predecessors of the operators later than i
  for (size_t i = count; i-- > 0;) {
    if (followsAll[i] && !hasSource && earliest >= i)
      cuts.push_back(i);
    const auto &after = problem.operators[i].after;
    hasSource |= after.empty();
    if (!after.empty())
      earliest = std::min(earliest, *std::max_element(after.begin(), after.end()));
  }
  std::reverse(cuts.begin(), cuts.end());
  return cuts;
}

std::vector<Part> partsOf(const OrderProblem &problem, const Graph &graph) {
  std::vector<Part> parts;
  size_t begin = 0;
  auto add = [&](size_t end) {
    if (begin < end)
      parts.emplace_back(graph, begin, end);
    begin = end;
  };
  for (size_t cut : cutsOf(problem, graph)) {
    add(cut);
    add(cut + 1);
  }
  add(problem.operators.size());
  return parts;
}

int64_t inputBytes(const OrderProblem &problem) {
  int64_t bytes = 0;
  for (const OrderBuffer &buffer : problem.buffers)
    bytes += buffer.isInput ? buffer.bytes : 0;
  return bytes;
}

/// What some operator needs for itself, or all inputs.
int64_t lowerBound(const OrderProblem &problem) {
  int64_t bound = inputBytes(problem);
  for (const OrderOperator &op : problem.operators) {
    int64_t bytes = op.workBytes;
    for (size_t buffer : op.touches)
      bytes += problem.buffers[buffer].bytes;
    if (!op.inPlace.empty())
      bytes -= problem.buffers[op.inPlace.front()].bytes;
    bound = std::max(bound, bytes);
  }
  return bound;
}

/// The best order of a part that continues `start`, better than `given`; `isExact` if there is none
/// with a lower peak.
Part::Found searchPart(const Part &part, const Partial &start, int64_t given, size_t stateLimit) {
  Part::Found best;
  for (size_t share : {256, 16, 1}) {
    const size_t width = std::max<size_t>(stateLimit / share / part.size(), 1);
    Part::Found found = part.sweep(start, best.best ? best.best->peak : given, width);
    if (found.best)
      best.best = std::move(found.best);
    best.isExact = found.isExact || (best.best && best.best->peak == start.peak);
    if (best.isExact)
      break;
  }
  return best;
}

} // namespace

int64_t thimble::peakOf(const OrderProblem &problem, const std::vector<size_t> &order) {
  Partial partial{Progress(problem), inputBytes(problem), {}};
  for (size_t op : order)
    partial.run(op);
  return partial.peak;
}

OperatorOrder thimble::findOrder(const OrderProblem &problem, size_t stateLimit) {
  const Graph graph(problem);
  struct Choice {
    Partial given, best;
  };
  std::vector<Choice> choices;
  int64_t bound = lowerBound(problem); // no order has a lower peak
  int64_t peak = bound;                // of the parts so far
  Progress progress(problem);
  for (const Part &part : partsOf(problem, graph)) {
    const Partial start{progress, peak, {}};
    const Partial given = part.runAsGiven(start);
    Choice &choice = choices.emplace_back(Choice{given, given});
    if (given.peak > peak) {
      Part::Found found = searchPart(part, start, given.peak, stateLimit);
      if (found.best)
        choice.best = std::move(*found.best);
      if (found.isExact && choice.best.peak > peak)
        bound = choice.best.peak;
    }
    peak = choice.best.peak;
    progress = given.progress;
  }

  OperatorOrder result{{}, peak, bound == peak};
  for (const Choice &choice : choices) {
    const Partial &part = choice.given.peak <= peak ? choice.given : choice.best;
    result.order.insert(result.order.end(), part.order.begin(), part.order.end());
  }
  return result;
}
