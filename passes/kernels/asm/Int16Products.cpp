// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/Int16Products.h"
#include "passes/kernels/dsp/DspOps.h"

using namespace mlir;

namespace thimble {

//===-- Scaling -----------------------------------------------------------------------------===//

// The reference computes (S * m + 2^(t-1)) >> t with t = 15 - shift. With q = m << k and
// E = t + k - 32 that is (S * q + (2^(E-1) << 32)) >> (32 + E), and rounding down in two steps is
// rounding down once.
std::optional<Int16Scaling> Int16Scaling::solve(const RequantPerChannel &requant) {
  constexpr int mostBits = 16; // of k: q has 31
  if (!requant.wideAccumulator || requant.rounding != Rounding::Double ||
      requant.outputZeroPoint != 0 || requant.inputZeroPoint != 0)
    return std::nullopt;
  int32_t most = -31, least = 31;
  for (QuantizedMultiplier m : requant.multipliers)
    if (m.multiplier) {
      most = std::max(most, m.shift);
      least = std::min(least, m.shift);
    }
  Int16Scaling result;
  result.saturation = OutputScaling::saturationFor(requant.clamp, 16);
  result.shift = 15 - most + mostBits - 32;
  if (result.shift < 1 || most - least > mostBits)
    return std::nullopt;
  int64_t addend =
      (int64_t(1) << (result.shift - 1)) + result.saturation.delta * (int64_t(1) << result.shift);
  if (std::abs(addend) >= int64_t(1) << 30)
    return std::nullopt;
  result.addend = static_cast<int32_t>(addend);
  for (QuantizedMultiplier m : requant.multipliers)
    result.multipliers.push_back(m.multiplier ? thimble_reduced_multiplier(m.multiplier)
                                                    << (mostBits - (most - m.shift))
                                              : 0);
  return result;
}

Reg Int16Scaling::emit(AsmBuilder &a, Reg sum, Reg multiplier, Reg addend) const {
  return OutputScaling::saturate(a, saturation, asr(a.smmla(sum, multiplier, addend), shift));
}
Val Int16Scaling::emit(KernelBuilder &b, Val sum, Val multiplier) const {
  return OutputScaling::saturate(b, saturation,
                                 dsp::smmla(sum, multiplier, b.i32(addend)) >> shift);
}
std::string Int16Scaling::suffix() const {
  return "e" + std::to_string(shift) + OutputScaling::suffix(saturation);
}

bool Int16Weights::fits() const {
  for (int64_t o = 0; o < outputs; ++o) {
    int64_t sum = 0;
    for (int64_t k = 0; k < depth; ++k)
      sum += std::abs(int64_t(weights[static_cast<size_t>(o * depth + k)]));
    if (std::abs(biases[static_cast<size_t>(o)]) + (sum << 15) >
        std::numeric_limits<int32_t>::max())
      return false;
  }
  return true;
}

//===-- Layout ------------------------------------------------------------------------------===//

// Sums of rows x outputs, two inputs and two weights fill the registers.
static int64_t groupFor(int64_t rows) { return rows == 1 ? 8 : rows == 2 ? 4 : 2; }

Int16Products::Int16Products(const Int16Weights &weights, int64_t rows, int64_t rowStep)
    : w(weights), rows(rows), rowStep(rowStep), group(groupFor(rows)) {}

int64_t Int16Products::mostRows(int64_t outputs, int64_t rowStep) {
  constexpr int64_t reach = 4000 / 2; // elements
  const int64_t step = std::max(outputs, rowStep);
  return std::min<int64_t>(4, 1 + reach / step);
}

int64_t Int16Products::groupStart(int64_t g) const {
  return std::max<int64_t>(std::min(g * group, w.outputs - group), 0);
}

/// For each group: the first sums, the weights, where its outputs start in bytes, the multipliers.
std::vector<int32_t> Int16Products::table() const {
  std::vector<int32_t> words;
  for (int64_t g = 0; g < groups(); ++g) {
    const int64_t first = groupStart(g);
    auto ofOutput = [&](const auto &values, int64_t i) {
      return static_cast<int32_t>(values[static_cast<size_t>(std::min(first + i, w.outputs - 1))]);
    };
    for (int64_t i = 0; i < group; ++i)
      words.push_back(ofOutput(w.biases, i));
    addWeights(first, words);
    words.push_back(static_cast<int32_t>(2 * first));
    for (int64_t i = 0; i < group; ++i)
      words.push_back(ofOutput(w.scaling.multipliers, i));
  }
  return words;
}

int64_t Int16Products::input(int64_t pair, int64_t lane) const {
  if (w.depth % 2 == 1 && w.depth > 1 && pair + 1 == pairs())
    return lane ? w.depth - 1 : -1;
  const int64_t k = 2 * pair + lane;
  return k < w.depth ? k : -1;
}

/// Bytes 0 and 2 are an output's weights of two inputs, bytes 1 and 3 the next output's.
void Int16Products::addWeights(int64_t first, std::vector<int32_t> &words) const {
  auto byte = [&](int64_t o, int64_t pair, int64_t lane) -> uint32_t {
    const int64_t k = input(pair, lane);
    if (o >= w.outputs || k < 0)
      return 0;
    return static_cast<uint8_t>(w.weights[static_cast<size_t>(o * w.depth + k)]);
  };
  for (int64_t pair = 0; pair < pairs(); ++pair)
    for (int64_t o = first; o < first + group; o += 2)
      words.push_back(static_cast<int32_t>(byte(o, pair, 0) | byte(o + 1, pair, 0) << 8 |
                                           byte(o, pair, 1) << 16 | byte(o + 1, pair, 1) << 24));
}

//===-- Code --------------------------------------------------------------------------------===//

class Int16ProductsCode {
public:
  explicit Int16ProductsCode(const Int16Products &p)
      : rows(p.rows), rowStep(p.rowStep), group(p.group), groups(p.groups()), pairs(p.pairs()),
        depth(p.w.depth), outputs(p.w.outputs), scaling(p.w.scaling) {
    scaling.multipliers.clear();
  }

  std::string name() const {
    return "products_i16_r" + std::to_string(rows) + "x" + std::to_string(rowStep) + "_k" +
           std::to_string(depth) + "_n" + std::to_string(outputs) + scaling.suffix();
  }

  void instructions(AsmBuilder &a, ArrayRef<Reg> arguments) const {
    SReg x0 = a.toS(arguments[0]), y0 = a.toS(arguments[1]);
    Reg w = arguments[2];
    a.loopS(groups, {w}, [&] {
      Regs acc = firstSums(a, w);
      Reg x = a.toR(x0);
      products(a, acc, x, w);
      Reg y = a.add(a.toR(y0), a.loadTablePost(w, 4));
      Reg addend = a.constant(scaling.addend);
      for (int64_t o = 0; o < group; ++o) {
        Reg multiplier = a.loadTablePost(w, 4);
        for (int64_t r = 0; r < rows; ++r) {
          Reg value = scaling.emit(a, acc[o * rows + r], multiplier, addend);
          if (o < outputs)
            a.store(value, y, 2 * (r * outputs + o), Width::U16);
        }
      }
    });
  }

  void portable(KernelBuilder &b, ArrayRef<Buffer> buffers) const {
    Buffer x = buffers[0], y = buffers[1], table = buffers[2];
    auto word = [&](Val index) { return b.load(table, index, "word"); };
    const int64_t step = 2 * group + pairs * group / 2 + 1;
    KernelBuilder::NoOverflow wraps(b, false);
    b.loop("group", groups, [&](Val g) {
      Val start = g * step, trailer = start + group + pairs * group / 2;
      b.loop("o", std::min(group, outputs), [&](Val o) {
        Val multiplier = word(trailer + 1 + o);
        b.loop("row", rows, [&](Val row) {
          Val sum = b.accumulate("pair", pairs, word(start + o), [&](Val pair, Val sum) {
            Val weights = word(start + group + pair * (group / 2) + o / 2);
            weights = b.select(o % 2 == 1, dsp::sxtb16Ror8(weights), dsp::sxtb16(weights));
            Val k = pair * 2;
            if (depth % 2 == 1 && depth > 1)
              k = b.min(k, b.index(depth - 2));
            Val at = row * rowStep + k;
            sum = sum + b.load(x, at, "x") * dsp::lowHalf(weights);
            return depth == 1 ? sum : sum + b.load(x, at + 1, "x") * dsp::highHalf(weights);
          });
          Val out = b.toIndex(word(trailer)) / 2 + row * outputs + o;
          b.store(y, out, scaling.emit(b, sum, multiplier));
        });
      });
    });
  }

private:
  /// By output, then row.
  Regs firstSums(AsmBuilder &a, Reg &w) const {
    Regs acc;
    Regs first = a.loadTableMultiple(w, static_cast<size_t>(group));
    for (Reg sum : first)
      for (int64_t r = 0; r < rows; ++r)
        acc.push_back(r ? a.copy(sum) : sum);
    return acc;
  }

  void products(AsmBuilder &a, Regs &acc, Reg x, Reg &w) const {
    const int64_t whole = depth / 2;
    constexpr int64_t most = 8;
    const int64_t trips = whole / most;
    Variables carried{x, w};
    for (Reg &sum : acc)
      carried.push_back(sum);
    a.loopS(trips, carried, [&] {
      for (int64_t i = 0; i < most; ++i)
        pair(a, acc, x, w);
    });
    for (int64_t i = trips * most; i < whole; ++i)
      pair(a, acc, x, w);
    if (depth == 1)
      multiply(a, acc, w, [&](int64_t r) { return a.load(x, 2 * r * rowStep, Width::U16); });
    else if (depth % 2)
      multiply(a, acc, w, [&](int64_t r) { return a.load(x, 2 * r * rowStep - 2); });
  }

  void pair(AsmBuilder &a, Regs &acc, Reg &x, Reg &w) const {
    // The first row is read last, and moves the pointer.
    auto load = [&](int64_t r) {
      const int64_t row = rows - 1 - r;
      return row ? a.load(x, 2 * row * rowStep) : a.loadPost(x, 4);
    };
    multiply(a, acc, w, load, /*isReversed=*/true);
  }

  /// Rows are read two at a time: more find no registers.
  void multiply(AsmBuilder &a, Regs &acc, Reg &w, llvm::function_ref<Reg(int64_t)> load,
                bool isReversed = false) const {
    const int64_t atOnce = rows == 4 ? 2 : rows;
    Regs x;
    for (int64_t r = 0; r < atOnce; ++r)
      x.push_back(load(r));
    for (int64_t o = 0; o < group; o += 2) {
      Reg word = a.loadTablePost(w, 4);
      Reg weights[] = {a.sxtb16(word), a.sxtb16Ror8(word)};
      for (int64_t first = 0; first < rows; first += atOnce) {
        for (int64_t r = first; r < first + atOnce; ++r) {
          if (first)
            x[r - first] = load(r);
        }
        for (int64_t r = first; r < first + atOnce; ++r)
          for (int64_t i = 0; i < 2; ++i) {
            Reg &sum = acc[(o + i) * rows + (isReversed ? rows - 1 - r : r)];
            sum = a.smlad(x[r - first], weights[i], sum);
          }
      }
    }
  }

  int64_t rows, rowStep, group, groups, pairs, depth, outputs;
  Int16Scaling scaling; // without multipliers
};

AsmKernel Int16Products::kernel() const {
  Int16ProductsCode code(*this);
  AsmKernel kernel;
  kernel.name = code.name();
  kernel.buffers = {{"x", ElementType::Int16, false},
                    {"y", ElementType::Int16, true},
                    {"table", ElementType::Int32, false}};
  kernel.instructions = [code](AsmBuilder &a, ArrayRef<Reg> arguments) {
    code.instructions(a, arguments);
  };
  kernel.portable = [code](KernelBuilder &b, ArrayRef<Buffer> buffers, ArrayRef<Val>) {
    code.portable(b, buffers);
  };
  return kernel;
}

} // namespace thimble
