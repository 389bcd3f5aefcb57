// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#include "dialects/nn/NNLegality.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

namespace thimble::nn {

namespace {

struct Pattern {
  std::string type;
  bool optional = false;
  bool repeated = false;
};

// One row with T replaced by a type.
struct Signature {
  std::vector<Pattern> operands, results;
  std::string text;
};

std::vector<Pattern> parsePatterns(llvm::StringRef list, llvm::StringRef t) {
  std::vector<Pattern> patterns;
  llvm::SmallVector<llvm::StringRef> parts;
  list.split(parts, ',');
  for (llvm::StringRef part : parts) {
    part = part.trim();
    Pattern pattern;
    pattern.optional = part.consume_back("?");
    pattern.repeated = part.consume_back("...");
    pattern.type = part == "T" ? t.str() : part.str();
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

std::string print(llvm::ArrayRef<Pattern> patterns) {
  return llvm::join(llvm::map_range(patterns,
                                    [](const Pattern &p) {
                                      return p.type + (p.optional ? "?" : p.repeated ? "..." : "");
                                    }),
                    ", ");
}

Signature instantiate(const LegalityRow &row, llvm::StringRef t) {
  auto [operands, results] = row.signature.split("->");
  Signature signature;
  signature.operands = parsePatterns(operands, t);
  signature.results = parsePatterns(results, t);
  signature.text = print(signature.operands) + " -> " + print(signature.results);
  return signature;
}

std::vector<Signature> instances(const LegalityRow &row) {
  if (row.types.empty())
    return {instantiate(row, "")};
  std::vector<Signature> result;
  for (llvm::StringRef type : llvm::split(row.types, ' '))
    result.push_back(instantiate(row, type));
  return result;
}

/// The signatures of an operator. Every verification asks, so the table is read once.
llvm::ArrayRef<std::pair<const LegalityRow *, Signature>> signaturesOf(llvm::StringRef op) {
  using Signatures = std::vector<std::pair<const LegalityRow *, Signature>>;
  static const llvm::StringMap<Signatures> byOperator = [] {
    llvm::StringMap<Signatures> map;
    for (const LegalityRow &row : legalityTable())
      for (Signature &signature : instances(row))
        map[row.op].emplace_back(&row, std::move(signature));
    return map;
  }();
  auto found = byOperator.find(op);
  if (found == byOperator.end())
    return {};
  return found->second;
}

bool matches(llvm::ArrayRef<Pattern> patterns, llvm::ArrayRef<const TensorType *> types) {
  size_t i = 0;
  for (const Pattern &pattern : patterns) {
    if (pattern.repeated) {
      size_t first = i;
      while (i < types.size() && types[i] && typeName(*types[i]) == pattern.type)
        ++i;
      if (i == first)
        return false;
    } else if (i >= types.size() || !types[i]) {
      if (!pattern.optional)
        return false;
      ++i;
    } else if (typeName(*types[i++]) != pattern.type) {
      return false;
    }
  }
  return i >= types.size();
}

std::string describe(llvm::ArrayRef<const TensorType *> types) {
  std::string text;
  for (const TensorType *type : types)
    if (type)
      text += (text.empty() ? "" : ", ") + typeName(*type);
  return text.empty() ? "nothing" : text;
}

std::string quantizationName(const TensorType &type) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.9g", static_cast<double>(type.scale())) << ":"
                                 << type.zeroPoint();
  return text;
}

bool perTensorQuantized(const TensorType *type) {
  return type && type->quantization && !type->quantization->perChannel();
}

std::optional<std::string> checkEqual(llvm::ArrayRef<const TensorType *> types, bool near) {
  const TensorType *first = nullptr;
  for (const TensorType *type : types) {
    if (!perTensorQuantized(type))
      continue;
    if (!first) {
      first = type;
      continue;
    }
    float difference = std::fabs(type->scale() - first->scale());
    if (type->zeroPoint() != first->zeroPoint() || (near ? difference > 1e-6f : difference != 0))
      return "expects equal quantization of its tensors, got " + quantizationName(*first) +
             " and " + quantizationName(*type);
  }
  return std::nullopt;
}

std::optional<std::string> checkRules(llvm::StringRef op, unsigned rules,
                                      llvm::ArrayRef<const TensorType *> operands,
                                      llvm::ArrayRef<const TensorType *> results) {
  llvm::SmallVector<const TensorType *> all(operands);
  all.append(results.begin(), results.end());
  if (!(rules & AnyZeroPoint))
    for (const TensorType *type : all)
      if (perTensorQuantized(type) && type->element == ElementType::Int16 && type->zeroPoint() != 0)
        return "expects zero point 0 of an i16 quantization, got " +
               std::to_string(type->zeroPoint());
  if (rules & (SameQuantization | NearQuantization))
    if (auto why = checkEqual(all, rules & NearQuantization))
      return why;
  if (rules & SameInputs)
    if (auto why = checkEqual(operands, /*near=*/false))
      return why;
  for (const FixedOutput &fixed : fixedOutputs()) {
    if (fixed.op != op || typeName(*results.front()) != fixed.type)
      continue;
    const TensorType &result = *results.front();
    double scale = static_cast<double>(result.scale());
    if (result.zeroPoint() == fixed.zeroPoint &&
        std::fabs(scale - fixed.scale) <= fixed.tolerance * fixed.scale)
      continue;
    // int16 softmax has two forms, told apart by the operand.
    if (llvm::any_of(fixedOutputs(), [&](const FixedOutput &other) {
          return &other != &fixed && other.op == op && other.type == fixed.type &&
                 result.zeroPoint() == other.zeroPoint;
        }))
      continue;
    std::string text;
    llvm::raw_string_ostream(text)
        << "expects a result of scale " << llvm::format("%.9g", fixed.scale) << " and zero point "
        << fixed.zeroPoint << ", got " << quantizationName(result);
    return text;
  }
  return std::nullopt;
}

// Float activations meet quantized weights.
bool isHybrid(llvm::ArrayRef<const TensorType *> operands) {
  return operands.size() >= 2 && operands[0] && operands[1] &&
         operands[0]->element == ElementType::Float32 && operands[1]->quantization.has_value();
}

} // namespace

std::string typeName(const TensorType &type) {
  llvm::StringRef plain = "f32", quantized = "q32";
  switch (type.element) {
  case ElementType::Bool:
    plain = "i1";
    break;
  case ElementType::Int8:
    plain = "i8", quantized = "q8";
    break;
  case ElementType::UInt8:
    plain = "u8", quantized = "qu8";
    break;
  case ElementType::Int16:
    plain = "i16", quantized = "q16";
    break;
  case ElementType::Int32:
    plain = "i32";
    break;
  case ElementType::Int64:
    plain = "i64";
    break;
  case ElementType::Float32:
    break;
  }
  if (!type.quantization)
    return plain.str();
  return type.quantization->perChannel() ? (quantized + " per channel").str() : quantized.str();
}

std::vector<std::string> legalSignatures(llvm::StringRef op) {
  std::vector<std::string> result;
  for (const auto &[row, signature] : signaturesOf(op))
    result.push_back(signature.text);
  return result;
}

std::optional<std::string> whyIllegal(llvm::StringRef op,
                                      llvm::ArrayRef<const TensorType *> operands,
                                      llvm::ArrayRef<const TensorType *> results) {
  for (const auto &[row, signature] : signaturesOf(op))
    if (matches(signature.operands, operands) && matches(signature.results, results))
      return checkRules(op, row->rules, operands, results);
  std::vector<std::string> legal = legalSignatures(op);
  if (legal.empty())
    return "is not an operator of the table of types";
  if (isHybrid(operands))
    return "has float activations and quantized weights: hybrid (dynamic-range) arithmetic is not "
           "supported; quantize activations as well, or keep weights in float32";
  return "does not accept " + describe(operands) + " -> " + describe(results) + "; it accepts " +
         llvm::join(legal, "; ");
}

void printOperatorsPage(llvm::raw_ostream &os) {
  os << "<!-- Part of the Thimble project. SPDX-License-Identifier: Apache-2.0 -->\n"
        "<!-- Generated from dialects/nn/NNLegalityTable.cpp by thimble-operators-doc. -->\n\n"
        "# Supported operators\n\n"
        "A row says which types the operands and results of an operator have together. `q8`, "
        "`qu8`, `q16` and `q32`\nare quantized per tensor, `u8` is an unsigned byte without "
        "quantization, `?` marks an operand that may be\nabsent and `...` one or more. `T` is the "
        "same type everywhere in a row.\n\n"
        "| operator | operands -> results | T | quantization |\n|---|---|---|---|\n";
  llvm::StringRef previous;
  for (const LegalityRow &row : legalityTable()) {
    os << "| " << (row.op == previous ? "" : ("`nn." + row.op + "`").str()) << " | "
       << row.signature << " | " << row.types << " | ";
    if (row.rules & (SameQuantization | NearQuantization))
      os << "equal";
    else if (row.rules & SameInputs)
      os << "equal inputs";
    os << " |\n";
    previous = row.op;
  }
  os << "\n## Results of fixed quantization\n\n| operator | result | scale | zero point |\n"
        "|---|---|---|---|\n";
  for (const FixedOutput &fixed : fixedOutputs())
    os << "| `nn." << fixed.op << "` | " << fixed.type << " | 1/" << 1 / fixed.scale << " | "
       << fixed.zeroPoint << " |\n";
}

} // namespace thimble::nn
