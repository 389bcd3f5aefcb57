// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The kernel table: where kernels are proposed, costed and generated. A kernel is one way to
// compute one operator (or a family of them) on a target. It computes rows of the output; the row
// loop belongs to the stream that the kernel runs in.
#pragma once

#include "dialects/nn/NNOps.h"
#include "passes/kernels/KernelBuilder.h"
#include "passes/m4/Cycles.h"
#include "targets/Target.h"

#include <memory>
#include <optional>

namespace thimble {

class Kernel;

/// Working memory that a kernel wants for the time of its stream.
struct ScratchRequest {
  ElementType element = ElementType::Int8;
  int64_t elements = 0;
  int64_t bytes() const { return elements * static_cast<int64_t>(byteSize(element)); }
};

/// Code that is there once, however many layers run it.
struct SharedCode {
  std::string name;
  int64_t bytes = 0;
};

/// A kernel that can compute an operator, and what that costs.
struct Candidate {
  const Kernel *kernel = nullptr;
  /// Estimates for the whole operator; `flashBytes` with all its code and constants.
  int64_t cycles = 0;
  int64_t flashBytes = 0;
  /// What is fetched and read from flash, call by call: for `cycles` on boards that wait for it.
  struct Calls {
    m4::Cost once;
    int64_t times = 1;
  };
  std::vector<Calls> calls;
  /// The part of `flashBytes` that other layers may need as well.
  llvm::SmallVector<SharedCode, 1> sharedCode;
  /// Stack below the layer's function.
  int64_t stackBytes = 0;
  llvm::SmallVector<ScratchRequest, 1> scratch;
  /// How many times the stream calls the kernel: rows of the output, or 1 where the kernel computes
  /// the whole tensor.
  int64_t rows = 1;
  /// Whether each of those calls gets only its row of the input, and keeps its scratch for the
  /// next: for streams of several stages.
  bool eachRow = false;
  /// Inputs whose bytes the output may take over: every element is read, for the last time, before
  /// the element of the output at the same byte or a later one is written.
  llvm::SmallVector<unsigned, 2> inPlaceInputs;

  /// Reads `words` words of constants beside those of `calls`.
  void readTables(int64_t words) { calls.push_back({m4::Cost{0, 0, words, {}}, 1}); }

  /// Adds what `other` runs, not its code.
  void addRun(const Candidate &other) {
    cycles += other.cycles;
    calls.insert(calls.end(), other.calls.begin(), other.calls.end());
  }
  /// All of it `times` times.
  void repeat(int64_t times) {
    cycles *= times;
    for (Calls &call : calls)
      call.times *= times;
  }

  int64_t scratchBytes() const {
    int64_t bytes = 0;
    for (const ScratchRequest &s : scratch)
      bytes += s.bytes();
    return bytes;
  }
};

/// An operand of an operator as a kernel sees it.
struct KernelOperand {
  TensorType type;
  /// Where the elements are. Null for a constant: use `KernelBuilder::table` for what of it the
  /// kernel reads, repacked as it likes.
  Buffer buffer;
  /// The elements of a constant.
  std::shared_ptr<const Tensor> constant;
};

/// The elements of `operand` in memory: its buffer, or a table of them in flash.
Buffer bufferOf(KernelBuilder &b, const KernelOperand &operand, llvm::StringRef tableName);

struct KernelOperands {
  /// An absent optional operand is missing at the end.
  llvm::SmallVector<KernelOperand> inputs;
  llvm::SmallVector<KernelOperand> outputs;
  llvm::SmallVector<Buffer> scratch;
};

/// What is known about the operands when kernels are proposed.
struct KernelQuery {
  nn::NNOperator op;
  llvm::SmallVector<TensorType> inputs;
  /// Null where an input is not constant.
  llvm::SmallVector<std::shared_ptr<const Tensor>> constants;
  llvm::SmallVector<TensorType> outputs;
  const Target &target;
};
KernelQuery queryFor(nn::NNOperator op, const Target &target);

class Kernel {
public:
  virtual ~Kernel() = default;
  /// operator.variant, unique: "conv_2d.portable".
  virtual llvm::StringRef getName() const = 0;
  /// What it costs to compute `query.op`, with memory that never waits; nothing if this kernel
  /// cannot.
  virtual std::optional<Candidate> propose(const KernelQuery &query) const = 0;
  /// The same on the query's target, whose flash may make it wait.
  std::optional<Candidate> proposeOnTarget(const KernelQuery &query) const;
  /// Builds the code that computes row `row` (of `Candidate::rows`) of the outputs.
  virtual void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
                    Val row) const = 0;
};

/// All kernels, in order of preference among equals.
llvm::ArrayRef<const Kernel *> kernelTable();
/// The kernel called `name`; null if there is none.
const Kernel *findKernel(llvm::StringRef name);
/// Every kernel that can compute `op` on `target`, cheapest in cycles first: those of whole
/// tensors, or those of a row at a time.
llvm::SmallVector<Candidate> candidatesFor(nn::NNOperator op, const Target &target,
                                           bool eachRow = false);

} // namespace thimble
