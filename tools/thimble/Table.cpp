// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Table.h"

#include "compiler/support/Quote.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace thimble;

void driver::printTable(llvm::ArrayRef<std::vector<std::string>> rows, size_t leftAligned) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto &row : rows)
    for (auto [width, cell] : llvm::zip(widths, row))
      width = std::max(width, cell.size());
  for (const auto &row : rows) {
    std::string line;
    for (auto [column, cell] : llvm::enumerate(row)) {
      std::string space(widths[column] - cell.size(), ' ');
      line += (column < leftAligned ? cell + space : space + cell) + "  ";
    }
    llvm::outs() << llvm::StringRef(line).rtrim() << "\n";
  }
}

std::string driver::layerCell(llvm::StringRef name, size_t limit) {
  std::string quoted = quoteName(std::string_view(name.data(), name.size()), limit);
  return quoted.substr(1, quoted.size() - 2);
}

std::string driver::grouped(int64_t number) {
  std::string text = std::to_string(number);
  size_t first = number < 0 ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;)
    text.insert(at -= 3, ",");
  return text;
}
