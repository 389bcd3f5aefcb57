// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/OperatorOrder.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <unordered_set>

using namespace thimble;

namespace {

using Set = std::vector<bool>;

/// Which operators have run, and what is live then.
class Progress {
public:
  explicit Progress(const OrderProblem &problem)
      : problem(&problem), done(problem.operators.size()), touched(problem.buffers.size()),
        remaining(problem.buffers.size()) {
    for (const OrderOperator &op : problem.operators)
      for (size_t buffer : op.touches)
        ++remaining[buffer];
    for (size_t i = 0; i < remaining.size(); ++i)
      if (const OrderBuffer &buffer = problem.buffers[i]; buffer.isInput) {
        touched[i] = 1;
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
      if (!touched[buffer])
        bytes += problem->buffers[buffer].bytes;
    auto reused = std::find_if(op.inPlace.begin(), op.inPlace.end(),
                               [&](size_t buffer) { return endsNext(buffer); });
    return reused == op.inPlace.end() ? bytes : bytes - problem->buffers[*reused].bytes;
  }

  void run(size_t number) {
    done[number] = true;
    for (size_t buffer : problem->operators[number].touches) {
      if (touched[buffer]++ == 0)
        live += problem->buffers[buffer].bytes;
      if (endsNext(buffer))
        live -= problem->buffers[buffer].bytes;
      --remaining[buffer];
    }
  }

  /// Takes back the operator that has run last.
  void undo(size_t number) {
    done[number] = false;
    for (size_t buffer : problem->operators[number].touches) {
      ++remaining[buffer];
      if (endsNext(buffer))
        live += problem->buffers[buffer].bytes;
      if (--touched[buffer] == 0)
        live -= problem->buffers[buffer].bytes;
    }
  }

private:
  bool endsNext(size_t buffer) const {
    return remaining[buffer] == 1 && !problem->buffers[buffer].isOutput;
  }

  const OrderProblem *problem;
  Set done;
  std::vector<unsigned> touched;   // by how many operators each buffer has been; inputs once more
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
    if (sets.insert(partial.progress.set()).second)
      partials.push_back(std::move(partial));
  }

  bool isEmpty() const { return partials.empty(); }

  /// Takes them all, the most promising first.
  std::vector<Partial> take() {
    sets.clear();
    std::stable_sort(partials.begin(), partials.end(), [](const Partial &a, const Partial &b) {
      return std::pair(a.peak, a.progress.liveBytes()) < std::pair(b.peak, b.progress.liveBytes());
    });
    return std::move(partials);
  }

private:
  std::vector<Partial> partials;
  std::unordered_set<Set> sets;
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

/// An operator that frees no more than it adds may wait for the only operator that comes after it,
/// if that one comes after nothing else and needs as much. What this one adds and frees must be the
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
  const bool waits =
      freed <= added && added + workBytes(op) <= added - freed + readerAdds + workBytes(reader);
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
    std::optional<Partial> best;
    bool isExact = true; // no order is better than this one, or there is none
  };

  /// Continues `start` to any order with a peak below `budget` in about so many steps. Sets of each
  /// size have an equal share of those that are left.
  Found sweep(const Partial &start, int64_t budget, size_t steps) const {
    Found found;
    std::vector<Level> levels(size() + 1);
    std::unordered_set<Set> reached;
    auto enter = [&](Partial &&partial) {
      runFreeChains(partial, budget);
      levels[partial.order.size()].add(std::move(partial));
    };
    enter(Partial(start));
    for (size_t done = 0; done < size() && levels.back().isEmpty(); ++done) {
      const size_t share = std::max<size_t>(steps / (size() - done), 1);
      size_t tried = 0;
      for (const Partial &partial : levels[done].take()) {
        if (tried++ >= share) {
          found.isExact = false;
          break;
        }
        for (size_t op = begin; op < end; ++op) {
          if (!partial.progress.isReady(op) || partial.progress.bytesDuring(op) >= budget ||
              reached.count(setWithNext(partial, op)))
            continue;
          ++tried;
          Partial next = partial;
          runWithNext(next, op);
          if (next.peak < budget && reached.insert(next.progress.set()).second)
            enter(std::move(next));
        }
      }
      steps -= std::min(steps, tried);
    }
    if (!levels.back().isEmpty())
      return {levels.back().take().front(), true};
    return found;
  }

private:
  /// Calls `visit` with `op` and those that best run right after it.
  template <typename Visit> void forChainOf(size_t op, Visit visit) const {
    for (std::optional<size_t> at = op; at && *at < end; at = graph->next[*at])
      visit(*at);
  }
  void runWithNext(Partial &partial, size_t op) const {
    forChainOf(op, [&](size_t at) { partial.run(at); });
  }
  Set setWithNext(const Partial &partial, size_t op) const {
    Set set = partial.progress.set();
    forChainOf(op, [&](size_t at) { set[at] = true; });
    return set;
  }

  void runFreeChains(Partial &partial, int64_t budget) const {
    for (bool hasRun = true; hasRun;) {
      hasRun = false;
      for (size_t op = begin; op < end; ++op)
        hasRun |= partial.progress.isReady(op) && runFreeChain(partial, op, budget);
    }
  }

  /// Runs `op`, a reader of what it computes and so on, until no more is live than before, if the
  /// peak stays below `budget`; otherwise nothing.
  bool runFreeChain(Partial &partial, size_t op, int64_t budget) const {
    const int64_t liveBefore = partial.progress.liveBytes(), peakBefore = partial.peak;
    const size_t length = partial.order.size();
    while (op < end && partial.progress.bytesDuring(op) < budget) {
      partial.run(op);
      if (partial.progress.liveBytes() <= liveBefore)
        return true;
      const std::vector<size_t> &readers = graph->successors[op];
      auto ready = std::find_if(readers.begin(), readers.end(),
                                [&](size_t reader) { return partial.progress.isReady(reader); });
      op = ready == readers.end() ? end : *ready;
    }
    for (; partial.order.size() > length; partial.order.pop_back())
      partial.progress.undo(partial.order.back());
    partial.peak = peakBefore;
    return false;
  }

  const Graph *graph;
  size_t begin, end;
};

/// The operators that every other one has to run before or after. All earlier ones lead to an
/// operator if each has a successor that is no later than it; all later ones come from it if each
/// has a predecessor that is no earlier.
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

/// The best order of a part that continues `start`, better than one with the peak `given`: short
/// sweeps bisect the budget; a long one tries to improve on what they found, or proves that nothing
/// does.
Part::Found searchPart(const Part &part, const Partial &start, int64_t given, size_t stepLimit) {
  const size_t longest = stepLimit / part.size(), shorter = longest / 32;
  Part::Found best{std::nullopt, false};
  int64_t proven = start.peak, most = given; // no order has a lower peak than `proven`
  auto sweep = [&](int64_t budget, size_t steps) {
    Part::Found found = part.sweep(start, budget, steps);
    if (found.best) {
      most = found.best->peak;
      best.best = std::move(found.best);
      return true;
    }
    if (found.isExact)
      proven = budget;
    return false;
  };
  for (int64_t least = proven; least < most;) {
    const int64_t middle = least + (most - least) / 2;
    if (!sweep(middle + 1, shorter))
      least = middle + 1;
  }
  if (proven < most)
    sweep(most, longest);
  best.isExact = proven == most;
  return best;
}

} // namespace

int64_t thimble::peakOf(const OrderProblem &problem, const std::vector<size_t> &order) {
  Partial partial{Progress(problem), inputBytes(problem), {}};
  for (size_t op : order)
    partial.run(op);
  return partial.peak;
}

OperatorOrder thimble::findOrder(const OrderProblem &problem, size_t stepLimit) {
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
      Part::Found found = searchPart(part, start, given.peak, stepLimit);
      if (found.best)
        choice.best = std::move(*found.best);
      if (found.isExact && choice.best.peak > peak)
        bound = choice.best.peak;
    }
    peak = choice.best.peak;
    progress = given.progress;
  }

  OperatorOrder result{{}, peak, bound};
  for (const Choice &choice : choices) {
    const Partial &part = choice.given.peak <= peak ? choice.given : choice.best;
    result.order.insert(result.order.end(), part.order.begin(), part.order.end());
  }
  return result;
}
