// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/report/Html.h"

#include "compiler/report/Markup.h"
#include "compiler/report/MemoryChart.h"
#include "compiler/report/Style.h"
#include "compiler/support/Grouped.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

using llvm::formatv;
using llvm::raw_ostream;
using llvm::StringRef;

namespace thimble::report {
namespace {

// Longer remarks list numbers of channels.
constexpr size_t longestRemark = 1000;

std::string cell(const std::string &markup) { return "<td>" + markup + "</td>"; }

std::string numberCell(int64_t number) {
  return "<td class=\"number\">" + grouped(number) + "</td>";
}

/// Thousandths of `whole`, rounded.
int64_t share(int64_t part, int64_t whole) {
  return whole == 0 ? 0 : static_cast<int64_t>(1000.0 * double(part) / double(whole) + 0.5);
}

std::string percent(int64_t thousandths) {
  return formatv("{0}.{1}", thousandths / 10, thousandths % 10);
}

/// A number with a bar as long as its share of the whole.
std::string barCell(const std::string &text, int64_t part, int64_t whole) {
  return formatv("<td class=\"number\">{0}<span class=\"bar\" style=\"width:{1}%\"></span></td>",
                 text, percent(share(part, whole)));
}

/// Columns whose names start with '#' hold numbers.
void beginTable(raw_ostream &os, StringRef caption, llvm::ArrayRef<StringRef> columns) {
  os << "<div class=\"table\"><table>\n<caption>" << caption << "</caption>\n<thead><tr>";
  for (StringRef column : columns) {
    const bool isNumber = column.consume_front("#");
    os << "<th scope=\"col\"" << (isNumber ? " class=\"number\"" : "") << ">" << column << "</th>";
  }
  os << "</tr></thead>\n<tbody>\n";
}

void endTable(raw_ostream &os) { os << "</tbody>\n</table></div>\n"; }

//===-- Head --------------------------------------------------------------------------------===//

void writeFigure(raw_ostream &os, StringRef name, const std::string &value,
                 llvm::ArrayRef<std::string> details) {
  os << "<div><dt>" << name << "</dt><dd>" << value << "</dd>";
  for (const std::string &detail : details)
    os << "<dd>" << detail << "</dd>";
  os << "</div>\n";
}

void writeHead(raw_ostream &os, const Report &report) {
  int64_t macs = 0, cycles = 0;
  for (const Layer &layer : report.layers) {
    macs += layer.macs;
    cycles += layer.cycles;
  }
  os << "<header>\n<h1>" << markupName(report.model) << "</h1>\n";
  os << formatv("<p>compiled as <code>{0}</code> for {1}, optimized for {2}, by the rules of {3}"
                "</p>\n<dl class=\"figures\">\n",
                markupName(report.name), markupName(report.target), markupName(report.optimize),
                markupName(report.reference));
  writeFigure(os, "RAM", grouped(report.arenaBytes + report.stackBytes) + " bytes",
              {"arena " + grouped(report.arenaBytes), "stack " + grouped(report.stackBytes)});
  writeFigure(os, "Flash", grouped(report.codeBytes + report.constantBytes) + " bytes",
              {"code " + grouped(report.codeBytes), "constants " + grouped(report.constantBytes)});
  writeFigure(os, "Time", grouped(cycles) + " cycles",
              {"estimated, layers alone", grouped(macs) + " multiply-accumulates"});
  writeFigure(os, "Least arena", grouped(report.arenaBound) + " bytes",
              {"of this plan: " + grouped(report.planBound) + " are live at once",
               "one operator at a time: at least " + grouped(report.operatorBound)});
  os << "</dl>\n</header>\n";
}

//===-- Memory ------------------------------------------------------------------------------===//

void writeLegend(raw_ostream &os, const Report &report) {
  os << "<ul class=\"legend\">\n";
  for (auto [lifetime, bytes] : llvm::zip(lifetimes(), report.peak.bytes))
    os << formatv("<li><span class=\"{0}\"></span>{0}: {1}</li>\n", lifetime, grouped(bytes));
  const std::pair<StringRef, std::string> lines[] = {
      {"live", "live bytes"},
      {"arena", "arena: " + grouped(report.arenaBytes)},
      {"plan-bound", "most live bytes: " + grouped(report.planBound)},
      {"operator-bound", "bound of one operator at a time: " + grouped(report.operatorBound)}};
  for (const auto &[name, text] : lines)
    os << formatv("<li><svg viewBox=\"0 0 32 8\" aria-hidden=\"true\"><path class=\"{0}\" "
                  "d=\"M0 4H32\"/></svg>{1}</li>\n",
                  name, text);
  os << "</ul>\n";
}

/// A buffer with all its parts, which follow each other in the report.
struct WholeBuffer {
  const Buffer *first;
  int64_t begin, end, firstUse, lastUse, parts;
};

std::vector<WholeBuffer> wholeBuffers(const Report &report) {
  std::vector<WholeBuffer> wholes;
  for (const Buffer &part : report.buffers) {
    const int64_t end = part.offset + part.bytes;
    if (wholes.empty() || wholes.back().first->name != part.name ||
        wholes.back().first->lifetime != part.lifetime ||
        wholes.back().first->region != part.region)
      wholes.push_back({&part, part.offset, end, part.firstUse, part.lastUse, 0});
    WholeBuffer &whole = wholes.back();
    whole.begin = std::min(whole.begin, part.offset);
    whole.end = std::max(whole.end, end);
    whole.firstUse = std::min(whole.firstUse, part.firstUse);
    whole.lastUse = std::max(whole.lastUse, part.lastUse);
    ++whole.parts;
  }
  return wholes;
}

void writeBuffers(raw_ostream &os, const Report &report) {
  os << "<details>\n<summary>Buffers as a table</summary>\n";
  beginTable(os,
             "Every buffer with all its parts: the bytes between its lowest and its highest "
             "address, of which others may have some while they mean nothing.",
             {"buffer", "class", "#region", "#from", "#to", "#first step", "#last step", "#parts"});
  for (const WholeBuffer &whole : wholeBuffers(report))
    os << "<tr>" << cell(markupName(whole.first->name)) << cell(whole.first->lifetime)
       << numberCell(whole.first->region) << numberCell(whole.begin) << numberCell(whole.end)
       << numberCell(whole.firstUse) << numberCell(whole.lastUse) << numberCell(whole.parts)
       << "</tr>\n";
  endTable(os);
  os << "</details>\n";
}

void writeMemory(raw_ostream &os, const Report &report) {
  os << "<section>\n<h2>RAM over time</h2>\n<figure>\n";
  writeMemoryCharts(os, report);
  os << formatv(
      "<figcaption>Each rectangle is a buffer, or a part that comes and goes by itself: "
      "its address over the steps in which its bytes mean something. Layers that run row "
      "by row fire often, a step each, and are drawn narrower. Most bytes are live {0}; "
      "by class:</figcaption>\n",
      report.peak.step < 0 ? "before the first step" : "in step " + grouped(report.peak.step));
  writeLegend(os, report);
  os << "</figure>\n";
  writeBuffers(os, report);
  os << "</section>\n";
}

//===-- Layers ------------------------------------------------------------------------------===//

void writeLayers(raw_ostream &os, const Report &report) {
  int64_t cycles = 0, mostFlash = 0;
  for (const Layer &layer : report.layers) {
    cycles += layer.cycles;
    mostFlash = std::max(mostFlash, layer.flashBytes);
  }
  os << "<section>\n<h2>Layers</h2>\n";
  beginTable(
      os,
      "Cycles are estimates. Bars: the share of all cycles, and flash against the layer that "
      "has most. Flash of code and tables that layers share is the first one's.",
      {"##", "layer", "operator", "kernel", "#MACs", "#cycles", "#share", "#flash",
       "#RAM at its peak"});
  for (auto [index, layer] : llvm::enumerate(report.layers))
    os << "<tr>" << numberCell(static_cast<int64_t>(index)) << cell(markupName(layer.name))
       << cell(markupName(layer.op)) << cell("<code>" + markupName(layer.kernel) + "</code>")
       << numberCell(layer.macs) << numberCell(layer.cycles)
       << barCell(percent(share(layer.cycles, cycles)) + " %", layer.cycles, cycles)
       << barCell(grouped(layer.flashBytes), layer.flashBytes, mostFlash)
       << numberCell(layer.ramBytes) << "</tr>\n";
  endTable(os);
  os << "</section>\n";
}

//===-- Remarks -----------------------------------------------------------------------------===//

void writeRemarks(raw_ostream &os, const Report &report) {
  llvm::MapVector<StringRef, std::vector<const Remark *>> byCategory;
  for (const Remark &remark : report.remarks)
    byCategory[remark.category].push_back(&remark);
  os << "<section>\n<h2>Remarks</h2>\n";
  for (const auto &[category, remarks] : byCategory) {
    // Those on memory are few and about the whole.
    os << formatv("<details{0}>\n<summary>{1} ({2})</summary>\n",
                  category == "memory" ? " open" : "", markupName(category), remarks.size());
    beginTable(os, "What the compiler decided, and why.", {"decision", "layer", "remark"});
    for (const Remark *remark : remarks)
      os << "<tr>" << cell(markupName(remark->name) + " (" + markup(remark->kind) + ")")
         << cell(markup(remark->layer)) << cell(markup(remark->text, longestRemark)) << "</tr>\n";
    endTable(os);
    os << "</details>\n";
  }
  os << "</section>\n";
}

void writeFoot(raw_ostream &os, const Report &report) {
  os << formatv("<footer>\n<p>{0} {1}. Model's SHA-256: <code>{2}</code></p>\n",
                markupName(report.compiler), markup(report.version), markup(report.sha256));
  os << formatv("<p>Code and stack{0}: {1}, <code>{2}</code>. {3}.</p>\n</footer>\n",
                report.isEstimate ? " (estimates)" : "", markup(report.backend),
                markup(report.flags, longestRemark), markup(report.note, longestRemark));
}

std::string page(const Report &report) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        // Nothing is loaded, whatever a name holds.
        "<meta http-equiv=\"Content-Security-Policy\" "
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
     << "<title>" << markupName(report.model) << " compiled by thimble</title>\n"
     << "<style>\n"
     << styleSheet() << "</style>\n</head>\n<body>\n";
  writeHead(os, report);
  os << "<main>\n";
  writeMemory(os, report);
  writeLayers(os, report);
  writeRemarks(os, report);
  os << "</main>\n";
  writeFoot(os, report);
  os << "</body>\n</html>\n";
  return text;
}

} // namespace
} // namespace thimble::report

thimble::Result<std::string> thimble::htmlReport(llvm::StringRef json) {
  Result<report::Report> report = report::parseReport(json);
  if (!report)
    return Error{report.error()};
  return report::page(*report);
}
