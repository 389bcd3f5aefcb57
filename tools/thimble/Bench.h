// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The parts of `thimble bench`: measuring a firmware, and telling what was found.
#pragma once

#include "targets/Target.h"
#include "tools/thimble/Data.h"
#include "tools/thimble/LinkMap.h"

namespace thimble::driver {

/// What tools/cycle_count counts. Waits, for flash, come on top of the cycles.
struct Counts {
  int64_t instructions = 0, cycles = 0, waits = 0;

  int64_t time() const { return cycles + waits; }
  Counts &operator+=(const Counts &other) {
    instructions += other.instructions;
    cycles += other.cycles;
    waits += other.waits;
    return *this;
  }
};

/// What a convolution or a product with a matrix multiplies.
struct MacShape {
  std::string input, weights; // types: "int8"
  int64_t filter[2] = {1, 1}, strides[2] = {1, 1};
  int64_t inputChannels = 0, outputChannels = 0;
};

struct LayerBenchmark {
  std::string name, op, kernel; // `name` is untrusted
  int64_t macs = 0;
  int64_t estimate = 0; // cycles, by the cost model
  std::optional<MacShape> shape;
  Counts counts;
};

struct Benchmark {
  std::vector<LayerBenchmark> layers;
  /// The layers that run in turn; row by row one often.
  std::vector<size_t> steps;
  /// Of the dearest of all samples, as the layers' are.
  Counts total;
  size_t samples = 0;
  int64_t arenaBytes = 0, stackBytes = 0;
  /// In regions of RAM beside the arena's.
  int64_t otherBytes = 0;
  /// Of the model and of the library functions that it needs.
  FlashUse flash;
};

/// What bench is about.
struct BenchmarkSubject {
  const CompileOptions &options;
  const Target &target;
  /// The board that is emulated in the target's place.
  const Target &board;
  /// Types of the model's inputs: "int8[1x490]".
  std::vector<std::string> inputs;
};

/// Builds and runs a firmware of `imported`, read from `model`, on `samples`. Nothing after an
/// error has been printed.
std::optional<Benchmark> measure(const BenchmarkSubject &subject, llvm::ArrayRef<uint8_t> model,
                                 mlir::ModuleOp imported, llvm::ArrayRef<Sample> samples);

void printBenchmark(const Benchmark &benchmark, const BenchmarkSubject &subject);
std::string jsonBenchmark(const Benchmark &benchmark, const BenchmarkSubject &subject);

/// Shares of a model's time below this are noise.
inline constexpr double layerThatMatters = 0.02;

} // namespace thimble::driver
