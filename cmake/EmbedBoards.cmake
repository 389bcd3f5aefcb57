# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=x.cpp -DBOARDS=a.json|b.json -P EmbedBoards.cmake
# Writes the C++ source behind targets/BoardFiles.h: the boards' descriptions as string literals.
string(REPLACE "|" ";" boards "${BOARDS}")
set(entries "")
foreach(board ${boards})
  file(READ ${board} text)
  string(APPEND entries "    R\"json(${text})json\",\n")
endforeach()
list(LENGTH boards count)
file(WRITE ${OUTPUT} "// Generated from targets/boards by cmake/EmbedBoards.cmake.
#include \"targets/BoardFiles.h\"

llvm::ArrayRef<llvm::StringLiteral> thimble::boardFiles() {
  static constexpr llvm::StringLiteral files[] = {
${entries}  };
  return files;
}
")
