// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCULiveness.h"

using namespace mlir;
using namespace thimble::mcu;

static BufferType typeOf(Value buffer) { return cast<BufferType>(buffer.getType()); }

namespace {

//===-- Tensors -----------------------------------------------------------------------------===//

/// The touches of one buffer, any bytes in any order.
class Touches {
public:
  /// Scratch means nothing once a kernel has run.
  explicit Touches(bool isScratch = false) : isScratch(isScratch) {}

  void add(int64_t step, int64_t begin, int64_t end) {
    // Operands of one kernel, and of the same kernel again.
    if (!touches.empty() && step - touches.back().last <= 1 && isScratch) {
      Life &last = touches.back();
      if (step == last.last || (begin == last.begin && end == last.end)) {
        last = {last.first, step, std::min(begin, last.begin), std::max(end, last.end)};
        return;
      }
    }
    touches.push_back({step, step, begin, end});
  }

  /// Bytes matter from their first touch to their last.
  SmallVector<Life, 1> lives() const {
    if (isScratch)
      return {touches.begin(), touches.end()};
    SmallVector<int64_t> bounds;
    for (const Life &touch : touches)
      bounds.append({touch.begin, touch.end});
    llvm::sort(bounds);
    bounds.erase(llvm::unique(bounds), bounds.end());
    SmallVector<Life, 1> parts;
    for (size_t i = 0; i + 1 < bounds.size(); ++i)
      addPart(parts, bounds[i], bounds[i + 1]);
    llvm::stable_sort(parts, [](const Life &a, const Life &b) { return a.first < b.first; });
    return parts;
  }

private:
  void addPart(SmallVector<Life, 1> &parts, int64_t begin, int64_t end) const {
    Life part{std::numeric_limits<int64_t>::max(), -1, begin, end};
    for (const Life &touch : touches)
      if (touch.begin <= begin && end <= touch.end) {
        part.first = std::min(part.first, touch.first);
        part.last = std::max(part.last, touch.last);
      }
    if (part.first > part.last)
      return; // between two parts
    if (!parts.empty() && parts.back().end == begin && parts.back().first == part.first &&
        parts.back().last == part.last)
      parts.back().end = end;
    else
      parts.push_back(part);
  }

  bool isScratch;
  SmallVector<Life> touches;
};

//===-- Rings -------------------------------------------------------------------------------===//

/// The slots of one ring while its stream runs: a row each.
class RingRows {
public:
  explicit RingRows(Value ring)
      : rowBytes(typeOf(ring).getRowBytes()), isLazy(ring.getDefiningOp<BufferOp>().getLazy()) {}

  void append(int64_t step, int64_t rows) {
    for (int64_t i = closeGap(step, rows); i < rows; ++i)
      since.push_back(step);
  }
  /// After the step, `rows` rows are free: the others move to the front, now or with the next to
  /// come.
  void release(int64_t step, int64_t rows) {
    const auto freed = std::min<int64_t>(rows, static_cast<int64_t>(since.size()) - gap);
    if (!isLazy)
      return freeLast(step, freed);
    for (int64_t i = 0; i < freed; ++i)
      freeSlot(gap++, step);
  }
  SmallVector<Life, 1> finish(int64_t lastStep) {
    freeLast(lastStep, static_cast<int64_t>(since.size()) - gap);
    llvm::stable_sort(lives, [](const Life &a, const Life &b) { return a.first < b.first; });
    return std::move(lives);
  }

  int64_t front = 0; // the row of the tensor, padding included, that is in front

private:
  /// Rows move to the front before `rows` others come, some of which take over their slots: how
  /// many.
  int64_t closeGap(int64_t step, int64_t rows) {
    for (int64_t slot = 0; slot < gap; ++slot)
      since[static_cast<size_t>(slot)] = step;
    const int64_t reused = std::min(gap, rows);
    freeLast(step, gap - reused);
    gap = 0;
    return reused;
  }
  void freeLast(int64_t step, int64_t slots) {
    for (int64_t i = 0; i < slots; ++i) {
      freeSlot(static_cast<int64_t>(since.size()) - 1, step);
      since.pop_back();
    }
  }
  void freeSlot(int64_t slot, int64_t step) {
    lives.push_back(
        {since[static_cast<size_t>(slot)], step, slot * rowBytes, (slot + 1) * rowBytes});
  }

  int64_t rowBytes;
  bool isLazy;
  int64_t gap = 0;            // free slots in front
  SmallVector<int64_t> since; // the step in which each slot was filled
  SmallVector<Life, 1> lives;
};

//===-- The program -------------------------------------------------------------------------===//

class Recorder {
public:
  void input(Value buffer) { touch(buffer, -1); }
  void output(Value buffer) { touch(buffer, lives.steps); }
  void state(Value buffer) {
    touch(buffer, -1);
    touch(buffer, lives.steps);
  }

  void single(Operation *stage) {
    for (Value operand : stage->getOperands())
      touch(operand, lives.steps);
    lives.stages[stage].push_back(lives.steps++);
  }

  void stream(StreamOp stream) {
    const SmallVector<Operation *> stages = stream.getStages();
    if (!stream.getSchedule())
      return single(stages.front());
    const Positions positions(stream);
    llvm::MapVector<Value, RingRows> rings;
    llvm::DenseMap<Operation *, int64_t> firings;
    const ArrayRef<int32_t> schedule = *stream.getSchedule();
    const int64_t first = lives.steps;
    for (int32_t number : schedule) {
      Operation *stage = stages[static_cast<size_t>(number)];
      fire(stage, firings[stage], rings);
      ++firings[stage];
      release(stage, positions, firings, rings);
      lives.stages[stage].push_back(lives.steps++);
    }
    for (int64_t step : {first, lives.steps - 1})
      touch(stream.getPositions(), step);
    for (auto &[ring, rows] : rings)
      lives.buffers[ring] = rows.finish(lives.steps - 1);
  }

  Lives finish() {
    for (auto &[root, touched] : tensors)
      lives.buffers[root] = touched.lives();
    return std::move(lives);
  }

  Lives lives;

private:
  void touch(Value buffer, int64_t step) { touch(buffer, step, 0, typeOf(buffer).getBytes()); }

  void touch(Value buffer, int64_t step, int64_t begin, int64_t end) {
    const Place place = resolve(buffer);
    auto input = place.root.getDefiningOp<InputOp>();
    if (isa<ConstantOp>(place.root.getDefiningOp()) || (input && input.arrivesByRows()))
      return;
    if (begin == end)
      return;
    const bool isScratch = typeOf(place.root).getLifetime() == Lifetime::Scratch;
    tensors.insert({place.root, Touches(isScratch)})
        .first->second.add(step, place.byteOffset + begin, place.byteOffset + end);
  }

  void fire(Operation *stage, int64_t firing, llvm::MapVector<Value, RingRows> &rings) {
    SmallVector<Value> walked;
    for (const Walk &walk : walksOf(stage)) {
      walked.push_back(walk.buffer());
      if (walk.isRing()) {
        auto ring = rings.insert({walk.buffer(), RingRows(walk.buffer())}).first;
        if (walk.writes)
          ring->second.append(lives.steps, walk.advance);
      } else if (walk.advance != 0) {
        const int64_t bytes = walk.rowBytes();
        const int64_t row = walk.first + firing * walk.advance;
        touch(walk.buffer(), lives.steps, row * bytes, (row + walk.extent) * bytes);
      } else {
        touch(walk.buffer(), lives.steps);
      }
    }
    for (Value operand : stage->getOperands()) // scratch
      if (!llvm::is_contained(walked, operand))
        touch(operand, lives.steps);
  }

  // What all readers of a ring have passed is free.
  void release(Operation *stage, const Positions &positions,
               const llvm::DenseMap<Operation *, int64_t> &firings,
               llvm::MapVector<Value, RingRows> &rings) {
    for (const Walk &walk : walksOf(stage)) {
      if (!walk.isRing() || walk.writes)
        continue;
      int64_t passed = std::numeric_limits<int64_t>::max();
      for (const Walk &reader : positions.readersOf(walk.buffer()))
        passed = std::min(passed, reader.first +
                                      firings.lookup(reader.operand->getOwner()) * reader.advance);
      RingRows &ring = rings.find(walk.buffer())->second;
      ring.release(lives.steps, passed - ring.front);
      ring.front = passed;
    }
  }

  llvm::MapVector<Value, Touches> tensors;
};

} // namespace

Lives thimble::mcu::livesOf(ProgramOp program) {
  Recorder recorder;
  for (Operation &op : program.getBody().front()) {
    if (auto input = dyn_cast<InputOp>(op))
      recorder.input(input.getBuffer());
    else if (auto output = dyn_cast<OutputOp>(op))
      recorder.output(output.getBuffer());
    else if (auto stream = dyn_cast<StreamOp>(op))
      recorder.stream(stream);
    else if (isa<CallOp>(op))
      recorder.single(&op);
  }
  for (auto buffer : program.getOps<BufferOp>())
    if (buffer.getBuffer().getType().getLifetime() == Lifetime::State)
      recorder.state(buffer.getBuffer());
  return recorder.finish();
}

//===-- Live bytes --------------------------------------------------------------------------===//

Life Lives::withinSteps(const Life &life) const {
  const int64_t lastStep = std::max<int64_t>(steps - 1, 0);
  return {std::max<int64_t>(life.first, 0), std::min(life.last, lastStep), life.begin, life.end};
}

std::vector<int64_t> thimble::mcu::liveBytes(const Lives &lives) {
  std::vector<int64_t> bytes(static_cast<size_t>(std::max<int64_t>(lives.steps, 1)) + 1, 0);
  for (auto &[root, parts] : lives.buffers)
    for (const Life &part : parts) {
      const Life life = lives.withinSteps(part);
      bytes[static_cast<size_t>(life.first)] += life.end - life.begin;
      bytes[static_cast<size_t>(life.last + 1)] -= life.end - life.begin;
    }
  for (size_t i = 1; i < bytes.size(); ++i)
    bytes[i] += bytes[i - 1];
  bytes.pop_back();
  return bytes;
}

Peak thimble::mcu::peakOf(const Lives &lives) {
  const std::vector<int64_t> live = liveBytes(lives);
  auto at = [&](int64_t step) {
    Peak peak{step, 0, {}};
    for (auto &[root, parts] : lives.buffers)
      for (const Life &life : parts)
        if (life.first <= step && step <= life.last) {
          peak.bytes += life.end - life.begin;
          peak.byLifetime[typeOf(root).getLifetime()] += life.end - life.begin;
        }
    return peak;
  };
  Peak before = at(-1), largest = at(llvm::max_element(live) - live.begin());
  return before.bytes > largest.bytes ? before : largest;
}
