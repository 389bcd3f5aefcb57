# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=x.cpp -DBITCODE=x.bc -DHEADERS=a.h|b.h -P EmbedFiles.cmake
# Writes the C++ source behind runtime/RuntimeFiles.h: files as arrays of bytes.
function(byte_array name path out)
  file(READ ${path} hex HEX)
  string(LENGTH "${hex}" digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
  set(${out} "const unsigned char ${name}[${bytes}] = {\n${hex}};\n" PARENT_SCOPE)
endfunction()

string(REPLACE "|" ";" headers "${HEADERS}")
set(arrays "")
set(entries "")
set(index 0)
foreach(header ${headers})
  byte_array(header${index} ${header} text)
  get_filename_component(name ${header} NAME)
  string(APPEND arrays "${text}")
  string(APPEND entries "    {\"${name}\", view(header${index})},\n")
  math(EXPR index "${index} + 1")
endforeach()
byte_array(bitcode ${BITCODE} text)
string(APPEND arrays "${text}")
file(WRITE ${OUTPUT} "// Generated from the runtime by cmake/EmbedFiles.cmake.
#include \"runtime/RuntimeFiles.h\"

namespace {
${arrays}
template <size_t N> std::string_view view(const unsigned char (&bytes)[N]) {
  return {reinterpret_cast<const char *>(bytes), N};
}
} // namespace

thimble::RuntimeFileList thimble::runtimeHeaders() {
  static const RuntimeFile files[] = {
${entries}  };
  return {files, ${index}};
}
std::string_view thimble::runtimeBitcode() { return view(bitcode); }
")
