// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Places buffers that a table lists, and prints what that took.
#include "passes/analysis/Placement.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <ctime>
#include <optional>

using namespace llvm;
using namespace thimble;

namespace {

cl::list<std::string> files(cl::Positional, cl::OneOrMore, cl::desc("FILE.csv..."));
cl::opt<int64_t> capacity("capacity", cl::init(0), cl::value_desc("bytes"),
                          cl::desc("Accept any placement that fits (0: the least peak)"));
cl::opt<int64_t> nodeLimit("node-limit", cl::init(100000), cl::value_desc("nodes"),
                           cl::desc("How far to search"));
cl::opt<double> timeLimit("time-limit", cl::init(PlacementOptions().secondLimit),
                          cl::value_desc("seconds"), cl::desc("How long to search"));
cl::opt<uint64_t> seed("seed", cl::init(PlacementOptions().seed), cl::value_desc("number"),
                       cl::desc("Decides between equals"));

/// A row of the format of google/minimalloc: a buffer is live in [lower, upper).
std::optional<PlacementBuffer> readRow(StringRef row) {
  SmallVector<StringRef> cells;
  row.split(cells, ',');
  PlacementBuffer buffer;
  if (cells.size() != 4 || !to_integer(cells[1], buffer.first, 10) ||
      !to_integer(cells[2], buffer.last, 10) || !to_integer(cells[3].trim(), buffer.bytes, 10) ||
      buffer.last <= buffer.first || buffer.bytes < 0)
    return std::nullopt;
  --buffer.last;
  return buffer;
}

std::optional<std::vector<PlacementBuffer>> readTable(StringRef path) {
  auto file = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file) {
    errs() << "thimble-place: " << path << ": " << file.getError().message() << "\n";
    return std::nullopt;
  }
  line_iterator line(**file);
  if (line.is_at_end() || line->trim() != "id,lower,upper,size") {
    errs() << path << ":1: expected id,lower,upper,size\n";
    return std::nullopt;
  }
  std::vector<PlacementBuffer> buffers;
  for (++line; !line.is_at_end(); ++line) {
    const std::optional<PlacementBuffer> buffer = readRow(*line);
    if (!buffer) {
      errs() << path << ":" << line.line_number() << ": expected NAME,LOWER,UPPER,SIZE\n";
      return std::nullopt;
    }
    buffers.push_back(*buffer);
  }
  return buffers;
}

/// Time of the processor: what other programs do meanwhile does not count.
double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

} // namespace

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(
      argc, argv, "Places the buffers of tables, without overlap, as low as possible.\n");
  PlacementOptions options;
  options.nodeLimit = nodeLimit;
  options.secondLimit = timeLimit;
  options.capacity = capacity;
  options.seed = seed;

  outs() << "name                 buffers  capacity      peak     bound  optimal     nodes"
            "  seconds\n";
  bool allFit = true;
  for (const std::string &path : files) {
    const auto buffers = readTable(path);
    if (!buffers)
      return 2;
    const double start = seconds();
    const Placement placement = placeBuffers(*buffers, options);
    allFit = allFit && (capacity == 0 || placement.peak <= capacity);
    outs() << left_justify(sys::path::stem(path), 20)
           << format("%8zu%10lld%10lld%10lld", buffers->size(), (long long)capacity,
                     (long long)placement.peak, (long long)placement.lowerBound)
           << right_justify(placement.isOptimal() ? "yes" : "no", 9)
           << format("%10lld%9.2f\n", (long long)placement.nodes, seconds() - start);
    outs().flush();
  }
  return allFit ? 0 : 1;
}
