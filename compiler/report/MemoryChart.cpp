// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/report/MemoryChart.h"

#include "compiler/report/Markup.h"
#include "compiler/report/StepAxis.h"
#include "compiler/support/Grouped.h"

#include "llvm/Support/FormatVariadic.h"

#include <set>

namespace thimble::report {
namespace {

// The chart in its own units; the plot within it is in those of steps and bytes.
constexpr int64_t width = 1000, height = 440;
constexpr int64_t left = 76, top = 12, plotWidth = width - left - 12, plotHeight = 370;
constexpr int64_t bandTop = top + plotHeight + 6, bandHeight = 20;
// Titles of more parts than this would make the page large: then a buffer has one.
constexpr size_t mostTitles = 3000;

/// "step 3" or "steps 3 to 7".
std::string stepsText(int64_t first, int64_t last) {
  return first == last ? llvm::formatv("step {0}", grouped(first)).str()
                       : llvm::formatv("steps {0} to {1}", grouped(first), grouped(last)).str();
}

std::string title(const Buffer &buffer) {
  return llvm::formatv("<title>{0}: {1}, {2} bytes at {3}, {4}</title>", markupName(buffer.name),
                       buffer.lifetime, grouped(buffer.bytes), grouped(buffer.offset),
                       stepsText(buffer.firstUse, buffer.lastUse));
}

/// 1, 2 or 5 times a power of ten, so that a few make `range`.
int64_t tickFor(int64_t range) {
  constexpr int64_t fewest = 4;
  int64_t power = 1;
  while (power * 10 * fewest <= range)
    power *= 10;
  for (int64_t factor : {5, 2})
    if (factor * power * fewest <= range)
      return factor * power;
  return power;
}

class Chart {
public:
  Chart(llvm::raw_ostream &os, const Report &report, const StepAxis &axis, int64_t region,
        bool isOnly)
      : os(os), report(report), axis(axis), region(region), isOnly(isOnly),
        live(static_cast<size_t>(report.stepCount()) + 1) {
    for (const Buffer &buffer : report.buffers)
      if (buffer.region == region)
        add(buffer);
    for (size_t i = 1; i < live.size(); ++i)
      live[i] += live[i - 1];
    live.pop_back();
    if (isOnly)
      range = std::max(range, report.arenaBytes);
    // A bound far above would squeeze the plan.
    if (showsOperatorBound())
      range = std::max(range, report.operatorBound);
  }

  void write() {
    os << llvm::formatv("<svg class=\"memory\" xmlns=\"http://www.w3.org/2000/svg\" "
                        "viewBox=\"0 0 {0} {1}\" role=\"img\" "
                        "aria-labelledby=\"chart{2} about{2}\">\n",
                        width, height, region);
    os << llvm::formatv("<title id=\"chart{0}\">RAM over time{1}</title>\n", region,
                        isOnly ? "" : llvm::formatv(", region {0}", region).str());
    os << llvm::formatv("<desc id=\"about{0}\">{1} buffers or parts of buffers at their addresses "
                        "over {2} steps; at most {3} bytes are live, in step {4}.</desc>\n",
                        region, parts.size(), report.stepCount(),
                        grouped(*std::max_element(live.begin(), live.end())),
                        std::max_element(live.begin(), live.end()) - live.begin());
    writeBytes();
    writePlot();
    writeLayers();
    os << "</svg>\n";
  }

private:
  void add(const Buffer &buffer) {
    parts.push_back(&buffer);
    live[static_cast<size_t>(buffer.firstUse)] += buffer.bytes;
    live[static_cast<size_t>(buffer.lastUse + 1)] -= buffer.bytes;
    range = std::max(range, buffer.offset + buffer.bytes);
  }

  bool showsOperatorBound() const {
    return isOnly && report.operatorBound <= report.arenaBytes + report.arenaBytes / 2;
  }

  //===-- Bytes -----------------------------------------------------------------------------===//

  void writeBytes() {
    const int64_t tick = tickFor(range);
    os << "<g class=\"axis\">\n";
    for (int64_t bytes = 0; bytes <= range; bytes += tick) {
      const int64_t y = top + plotHeight - bytes * plotHeight / range;
      os << llvm::formatv("<path d=\"M{0} {1}h{2}\"/><text x=\"{3}\" y=\"{4}\">{5}</text>\n", left,
                          y, plotWidth, left - 8, y + 4, grouped(bytes));
    }
    os << "</g>\n";
  }

  //===-- Buffers ---------------------------------------------------------------------------===//

  // Bytes go up.
  void writePlot() {
    os << llvm::formatv("<svg class=\"plot\" x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\" "
                        "viewBox=\"0 0 {4} {5}\" preserveAspectRatio=\"none\">\n"
                        "<g transform=\"matrix(1 0 0 -1 0 {5})\">\n",
                        left, top, plotWidth, plotHeight, axis.width(), range);
    for (size_t i = 0; i < parts.size();)
      i = writeBuffer(i);
    writeLiveBytes();
    if (isOnly) {
      writeLine("arena", report.arenaBytes);
      writeLine("plan-bound", report.planBound);
    }
    if (showsOperatorBound())
      writeLine("operator-bound", report.operatorBound);
    os << "</g>\n</svg>\n";
  }

  /// The parts of a buffer follow each other. Returns the first part of the next.
  size_t writeBuffer(size_t first) {
    const Buffer &buffer = *parts[first];
    const bool hasTitles = parts.size() <= mostTitles;
    os << "<g class=\"" << buffer.lifetime << "\">\n";
    if (!hasTitles)
      os << title(buffer) << "\n";
    size_t i = first;
    for (;
         i < parts.size() && parts[i]->name == buffer.name && parts[i]->lifetime == buffer.lifetime;
         ++i) {
      const Buffer &part = *parts[i];
      const int64_t x = axis.at(part.firstUse);
      os << llvm::formatv("<rect x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\"", x, part.offset,
                          axis.at(part.lastUse + 1) - x, part.bytes);
      os << (hasTitles ? ">" + title(part) + "</rect>\n" : "/>\n");
    }
    os << "</g>\n";
    return i;
  }

  void writeLiveBytes() {
    os << "<path class=\"live\" d=\"M0 " << live.front();
    for (int64_t step = 0; step < report.stepCount(); ++step) {
      const int64_t bytes = live[static_cast<size_t>(step)];
      if (step > 0 && bytes == live[static_cast<size_t>(step - 1)])
        continue;
      if (step > 0)
        os << "H" << axis.at(step) << "V" << bytes;
    }
    os << "H" << axis.width() << "\"/>\n";
  }

  void writeLine(llvm::StringRef name, int64_t bytes) {
    os << llvm::formatv("<path class=\"{0}\" d=\"M0 {1}H{2}\"/>\n", name, bytes, axis.width());
  }

  //===-- Layers ----------------------------------------------------------------------------===//

  void writeLayers() {
    os << "<g class=\"band\">\n";
    for (const Stretch &stretch : axis.stretches())
      writeStretch(stretch);
    os << llvm::formatv("<text class=\"name\" x=\"{0}\" y=\"{1}\">layer</text>\n</g>\n", left - 8,
                        bandTop + 14);
    os << llvm::formatv("<text class=\"name\" x=\"{0}\" y=\"{1}\">steps in the order in which they "
                        "run: {2}</text>\n",
                        left + plotWidth, height - 8, grouped(report.stepCount()));
  }

  void writeStretch(const Stretch &stretch) {
    const int64_t x = left + axis.at(stretch.firstStep) * plotWidth / axis.width();
    const int64_t end = left + axis.at(stretch.lastStep + 1) * plotWidth / axis.width();
    os << llvm::formatv(
        "<g><title>{0}</title><rect x=\"{1}\" y=\"{2}\" width=\"{3}\" height=\"{4}\"/>",
        stretchTitle(stretch), x, bandTop, std::max<int64_t>(end - x, 1), bandHeight);
    const std::string label = stretchLabel(stretch);
    constexpr int64_t digitWidth = 8;
    if (static_cast<int64_t>(label.size()) * digitWidth <= end - x)
      os << llvm::formatv("<text x=\"{0}\" y=\"{1}\">{2}</text>", (x + end) / 2, bandTop + 14,
                          label);
    os << "</g>\n";
  }

  static std::string stretchLabel(const Stretch &stretch) {
    if (stretch.firstLayer < 0)
      return "";
    if (stretch.firstLayer == stretch.lastLayer)
      return std::to_string(stretch.firstLayer);
    return std::to_string(stretch.firstLayer) + "-" + std::to_string(stretch.lastLayer);
  }

  std::string stretchTitle(const Stretch &stretch) const {
    const std::string steps = stepsText(stretch.firstStep, stretch.lastStep);
    if (stretch.firstLayer < 0)
      return "rows move: " + steps;
    const Layer &layer = report.layers[static_cast<size_t>(stretch.firstLayer)];
    if (stretch.firstLayer == stretch.lastLayer)
      return llvm::formatv("layer {0}, {1} ({2}): {3}", stretch.firstLayer, markupName(layer.name),
                           markup(layer.op), steps);
    return llvm::formatv("layers {0} to {1} row by row: {2}", stretch.firstLayer, stretch.lastLayer,
                         steps);
  }

  llvm::raw_ostream &os;
  const Report &report;
  const StepAxis &axis;
  const int64_t region;
  const bool isOnly; // the arena and its bounds are about this region
  std::vector<const Buffer *> parts;
  std::vector<int64_t> live; // by step
  int64_t range = 1;         // of addresses
};

} // namespace

void writeMemoryCharts(llvm::raw_ostream &os, const Report &report) {
  const StepAxis axis(report);
  std::set<int64_t> regions = {0};
  for (const Buffer &buffer : report.buffers)
    regions.insert(buffer.region);
  for (int64_t region : regions)
    Chart(os, report, axis, region, regions.size() == 1).write();
}

} // namespace thimble::report
