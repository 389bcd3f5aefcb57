// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "tools/thimble/Table.h"

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
