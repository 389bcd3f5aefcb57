// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// thimble report: NAME.report.json as a page.
#include "compiler/report/Html.h"
#include "compiler/support/Quote.h"
#include "tools/thimble/Commands.h"
#include "tools/thimble/Data.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;
using namespace thimble::driver;

static constexpr llvm::StringLiteral jsonSuffix = ".report.json";

/// The paths of all reports in a folder, in the order of their names.
static std::optional<std::vector<std::string>> reportsIn(const std::string &folder) {
  std::vector<std::string> reports;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    if (llvm::StringRef(entry->path()).ends_with(jsonSuffix))
      reports.push_back(entry->path());
  if (error) {
    printError("cannot read folder '" + folder + "': " + error.message());
    return std::nullopt;
  }
  llvm::sort(reports);
  return reports;
}

/// The report that `path` is, or the only one in it.
static std::optional<std::string> findReport(const std::string &path) {
  if (!llvm::sys::fs::is_directory(path))
    return path;
  std::optional<std::vector<std::string>> reports = reportsIn(path);
  if (!reports)
    return std::nullopt;
  if (reports->size() == 1)
    return reports->front();
  if (reports->empty()) {
    printError("folder '" + path + "' has no file NAME.report.json: 'thimble compile' writes it");
    return std::nullopt;
  }
  std::vector<std::string> names;
  for (llvm::StringRef report : *reports)
    names.push_back(quoteName(std::string_view(llvm::sys::path::filename(report))));
  printError("folder '" + path + "' has " + std::to_string(names.size()) +
             " reports, name one: " + llvm::join(names, ", "));
  return std::nullopt;
}

/// NAME.report.html beside NAME.report.json.
static std::string pageBeside(llvm::StringRef report) {
  report.consume_back(".json");
  return (report + ".html").str();
}

ExitStatus driver::runReport(const Invocation &invocation) {
  std::optional<std::string> path = findReport(invocation.models.front());
  if (!path)
    return failure;
  std::optional<std::vector<uint8_t>> bytes = readFile(*path);
  if (!bytes)
    return failure;
  Result<std::string> html =
      htmlReport({reinterpret_cast<const char *>(bytes->data()), bytes->size()});
  if (!html) {
    printError("'" + *path + "' is no report: " + html.error());
    return failure;
  }
  const OutputFile page{invocation.outputPath.empty() ? pageBeside(*path) : invocation.outputPath,
                        std::move(*html)};
  if (!writeFiles(page))
    return failure;
  llvm::outs() << page.name << "\n";
  return success;
}
