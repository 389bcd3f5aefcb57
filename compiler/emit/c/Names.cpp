// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "compiler/emit/c/Names.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace thimble::emit {

std::string escapeForComment(StringRef name) {
  constexpr size_t longest = 80;
  std::string text;
  char last = 0;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    std::string piece(1, c);
    if (c == '\\' || c == '"')
      piece = {'\\', c};
    else if (!llvm::isPrint(c))
      piece = "\\x" + llvm::utohexstr(static_cast<unsigned char>(c), /*LowerCase=*/true, 2);
    else if ((last == '*' && c == '/') || (last == '/' && c == '*'))
      piece = {' ', c};
    else if (last == '?' && c == '?') // no trigraphs
      piece = "\\?";
    if (text.size() + piece.size() > longest - 3 && name.size() - i + text.size() > longest)
      return text + "...";
    text += piece;
    last = c;
  }
  return text;
}

StringRef nameHint(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName().strref();
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    return nameHint(call.getCallee());
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (StringRef hint = nameHint(part); !hint.empty())
        return hint;
  return {};
}

std::string macroPrefix(StringRef name) { return name.upper(); }

// Words of C11 and C++17, macros of the headers included and of GNU dialects.
static bool isReservedWord(StringRef name) {
  static const llvm::StringSet<> words = {
      "alignas",      "alignof",   "and",           "and_eq",
      "asm",          "auto",      "bitand",        "bitor",
      "bool",         "break",     "case",          "catch",
      "char",         "char16_t",  "char32_t",      "class",
      "compl",        "const",     "const_cast",    "constexpr",
      "continue",     "decltype",  "default",       "delete",
      "do",           "double",    "dynamic_cast",  "else",
      "enum",         "explicit",  "export",        "extern",
      "false",        "float",     "for",           "friend",
      "goto",         "if",        "inline",        "int",
      "long",         "mutable",   "namespace",     "new",
      "noexcept",     "not",       "not_eq",        "nullptr",
      "operator",     "or",        "or_eq",         "private",
      "protected",    "public",    "register",      "reinterpret_cast",
      "restrict",     "return",    "short",         "signed",
      "sizeof",       "static",    "static_assert", "static_cast",
      "struct",       "switch",    "template",      "this",
      "thread_local", "throw",     "true",          "try",
      "typedef",      "typeid",    "typename",      "typeof",
      "union",        "unsigned",  "using",         "virtual",
      "void",         "volatile",  "wchar_t",       "while",
      "xor",          "xor_eq",    "int8_t",        "uint8_t",
      "int16_t",      "uint16_t",  "int32_t",       "uint32_t",
      "int64_t",      "uint64_t",  "size_t",        "ptrdiff_t",
      "intptr_t",     "uintptr_t", "unix",          "linux",
      "i386",         "arm",       "offsetof",      "constinit",
      "consteval",    "concept",   "requires",      "char8_t",
      "co_await",     "co_return", "co_yield",      "memset",
      "memcpy",       "memmove"};
  return words.contains(name) || name.starts_with("thimble_") || name.starts_with("__");
}

bool Scopes::taken(StringRef name) const {
  if (isReservedWord(name) || reserved.contains(name))
    return true;
  return llvm::any_of(scopes, [&](const llvm::StringSet<> &s) { return s.contains(name); });
}

std::string Scopes::declare(StringRef hint) {
  std::string name;
  for (char c : hint.take_front(40))
    name += llvm::isAlnum(c) ? c : '_';
  // Names in capitals are macros' and those with a leading underscore the implementation's.
  if (hint.upper() == hint)
    name = StringRef(name).lower();
  name = StringRef(name).ltrim('_').str();
  if (name.empty()) {
    do
      name = "v" + std::to_string(unnamed++);
    while (taken(name));
  } else if (llvm::isDigit(name.front())) {
    name = "v" + name;
  }
  std::string unique = name;
  for (unsigned i = 1; taken(unique); ++i)
    unique = name + "_" + std::to_string(i);
  scopes.back().insert(unique);
  return unique;
}

} // namespace thimble::emit
