// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/mcu/MCULiveness.h"

using namespace mlir;
using namespace thimble::mcu;

namespace {
class Recorder {
public:
  void touch(Value buffer, int64_t step) {
    Value root = resolve(buffer).root;
    if (isa<ConstantOp>(root.getDefiningOp()))
      return;
    auto [entry, isNew] = lives.buffers.insert({root, {step, step}});
    entry->second.first = std::min(entry->second.first, step);
    entry->second.last = std::max(entry->second.last, step);
  }

  // A kernel or call, or another stage.
  void step(Operation *stage) {
    for (Value operand : stage->getOperands())
      touch(operand, lives.steps);
    lives.stages[stage].push_back(lives.steps);
    ++lives.steps;
  }

  void stream(StreamOp stream) {
    const SmallVector<Operation *> stages = stream.getStages();
    if (!stream.getSchedule())
      return step(stages.front());
    touch(stream.getPositions(), lives.steps);
    const ArrayRef<int32_t> schedule = *stream.getSchedule();
    for (int32_t stage : schedule)
      step(stages[static_cast<size_t>(stage)]);
    touch(stream.getPositions(), lives.steps - 1);
  }

  Lives lives;
};
} // namespace

Lives thimble::mcu::livesOf(ProgramOp program) {
  Recorder recorder;
  for (Operation &op : program.getBody().front()) {
    if (auto input = dyn_cast<InputOp>(op))
      recorder.touch(input.getBuffer(), -1);
    else if (auto output = dyn_cast<OutputOp>(op))
      recorder.touch(output.getBuffer(), recorder.lives.steps);
    else if (auto stream = dyn_cast<StreamOp>(op))
      recorder.stream(stream);
    else if (isa<CallOp>(op))
      recorder.step(&op);
  }
  for (auto buffer : program.getOps<BufferOp>())
    if (buffer.getBuffer().getType().getLifetime() == Lifetime::State) {
      recorder.touch(buffer.getBuffer(), -1);
      recorder.touch(buffer.getBuffer(), recorder.lives.steps);
    }
  return std::move(recorder.lives);
}
