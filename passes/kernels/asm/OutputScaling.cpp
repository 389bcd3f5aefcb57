// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Finding and proving the numbers of an output scaling. What a channel must meet are at most 512
// linear inequalities, one for each side of each step of the reference; all arithmetic on them is
// exact.
#include "passes/kernels/asm/OutputScaling.h"

#include <cmath>
#include <string>
#include <unordered_map>

using namespace thimble;

namespace {

/// What one channel asks at the accumulator S: an output, before it saturates, of at least `value`,
/// or of less.
struct Bound {
  Bound(int64_t accumulator, int32_t value, bool isAtLeast)
      : accumulator(static_cast<int32_t>(accumulator)), value(static_cast<int16_t>(value)),
        isAtLeast(isAtLeast) {}
  int32_t accumulator;
  int16_t value;
  bool isAtLeast;
};
struct Bounds {
  std::vector<Bound> list;
  /// One output for all accumulators.
  bool isConstant = true;
};

template <typename T> struct Range {
  T low, high;
  bool isEmpty() const { return low > high; }
};

int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

bool fitsWord(int64_t value) {
  return value >= std::numeric_limits<int32_t>::min() &&
         value <= std::numeric_limits<int32_t>::max();
}

/// The reference's function of one channel.
class Reference {
public:
  Reference(const RequantPerChannel &requant, size_t channel, AccumulatorInterval interval)
      : requant(requant), channel(static_cast<int64_t>(channel)), interval(interval) {
    if (requant.rounding == Rounding::Single)
      scale = requant.scales[channel];
    else
      scale = std::ldexp(requant.multipliers[channel].multiplier,
                         requant.multipliers[channel].shift - 31);
    inverseScale = scale > 0 ? 1 / scale : 0;
  }

  /// The real number that accumulators are multiplied by.
  double getScale() const { return scale; }

  /// Nothing wraps, so that the function is monotone.
  bool isMonotone() const {
    for (int64_t end : {interval.low, interval.high}) {
      if (!fitsWord(end) || !fitsWord(scaled(end) + requant.outputZeroPoint))
        return false;
      if (requant.rounding == Rounding::Double &&
          !fitsWord(end << std::max(requant.multipliers[channel].shift, 0)))
        return false;
    }
    return true;
  }

  /// The steps within the interval; values are `delta` larger than outputs.
  Bounds bounds(int32_t delta) const {
    int32_t first = at(interval.low), last = at(interval.high);
    Bounds bounds;
    bounds.isConstant = first == last;
    bounds.list.reserve(static_cast<size_t>(2 * (last - first + 1)));
    if (first > requant.clamp.low)
      bounds.list.emplace_back(interval.low, first + delta, true);
    for (int32_t value = first + 1; value <= last; ++value) {
      int64_t step = firstAtLeast(value);
      bounds.list.emplace_back(step - 1, value + delta, false);
      bounds.list.emplace_back(step, value + delta, true);
    }
    if (last < requant.clamp.high)
      bounds.list.emplace_back(interval.high, last + 1 + delta, false);
    return bounds;
  }

private:
  int64_t scaled(int64_t accumulator) const {
    auto word = static_cast<int32_t>(accumulator);
    return requant.rounding == Rounding::Single ? requantizeReal(word, scale)
                                                : requantize(word, requant.multipliers[channel]);
  }
  int32_t at(int64_t accumulator) const {
    return requant.finish(static_cast<int32_t>(accumulator), channel);
  }

  /// The least accumulator whose output is `value` or more; it is known to be above the least of
  /// all. Searches outwards from where real arithmetic has it, then bisects.
  int64_t firstAtLeast(int32_t value) const {
    int64_t below = interval.low, above = interval.high;
    double guess = (value - requant.outputZeroPoint - 0.5) * inverseScale;
    auto probe = static_cast<int64_t>(std::clamp(
        guess + (guess > 0), static_cast<double>(below + 1), static_cast<double>(above)));
    for (int64_t step = 1; above - below > 1; step *= 2) {
      bool isAbove = at(probe) >= value;
      (isAbove ? above : below) = probe;
      probe += isAbove ? -step : step;
      if (probe <= below || probe >= above)
        probe = below + (above - below) / 2;
    }
    return above;
  }

  const RequantPerChannel &requant;
  int64_t channel;
  AccumulatorInterval interval;
  double scale, inverseScale;
};

/// Searches the numbers of one channel.
class ChannelSolver {
public:
  using Channel = OutputScaling::Channel;

  ChannelSolver(const Bounds &bounds, ScaledAccumulator accumulator, int shift, double scale)
      : bounds(bounds), accumulator(accumulator), shift(shift),
        ideal(static_cast<int64_t>(std::clamp<double>(
            std::round(std::ldexp(scale, 32 + shift - accumulator.scale)), 0, maxMultiplier))) {}

  std::optional<Channel> solve(OutputScaling::Form form) const {
    return form == OutputScaling::Fold ? solveFold() : solveAdd(form == OutputScaling::Signed);
  }

private:
  static constexpr int64_t maxMultiplier = std::numeric_limits<int32_t>::max();
  static constexpr int tries = 17;
  /// 0, 1, -1, 2, -2, ...
  static int alternating(int i) { return i % 2 ? (i + 1) / 2 : -i / 2; }

  int64_t scaledUp(int64_t value) const { return value * (int64_t(1) << accumulator.scale); }
  bool fits(int64_t offset) const {
    return fitsWord(scaledUp(accumulator.interval.low) + offset) &&
           fitsWord(scaledUp(accumulator.interval.high) + offset);
  }
  /// What smmla adds to the addend.
  static int64_t high(int64_t accumulator, int64_t multiplier) {
    return (accumulator * multiplier) >> 32;
  }

  /// The multipliers that meet all bounds, for addends and an offset. Each bound is l * q >= r for
  /// numbers l and r; few of them narrow the range, so divisions are rare.
  Range<int64_t> multipliersFor(int64_t offset, int64_t addend, int64_t signAddend) const {
    Range<int64_t> q{0, maxMultiplier};
    for (const Bound &bound : bounds.list) {
      int64_t l = scaledUp(bound.accumulator) + offset;
      int64_t high = bound.value * (int64_t(1) << shift) - addend - (l < 0 ? signAddend : 0);
      // No product reaches 2^62.
      int64_t r =
          std::clamp<int64_t>(high, -(int64_t(1) << 30), int64_t(1) << 30) * (int64_t(1) << 32);
      if (!bound.isAtLeast) {
        l = -l;
        r = 1 - r;
      }
      if (l > 0 && l * q.low < r)
        q.low = -floorDivide(-r, l);
      else if (l < 0 && l * q.high < r)
        q.high = floorDivide(-r, -l);
      else if (l == 0 && r > 0)
        return {1, 0};
      if (q.isEmpty())
        break;
    }
    return q;
  }

  //===-- Fold ------------------------------------------------------------------------------===//

  /// Where the offset would be if it were real, for the multiplier `q`.
  double idealOffset(double q) const {
    double perStep = std::ldexp(1.0, 32 + shift) / q;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    Range<double> offset{-infinity, infinity};
    for (const Bound &bound : bounds.list) {
      double least = static_cast<double>(bound.value) * perStep -
                     static_cast<double>(scaledUp(bound.accumulator));
      if (bound.isAtLeast)
        offset.low = std::max(offset.low, least);
      else
        offset.high = std::min(offset.high, least);
    }
    if (std::isinf(offset.low))
      return std::isinf(offset.high) ? 0 : offset.high - perStep / 2;
    return std::isinf(offset.high) ? offset.low + perStep / 2 : (offset.low + offset.high) / 2;
  }

  std::optional<Channel> solveFold() const {
    // A constant output can have any multiplier: let the offset be in reach.
    int64_t start = bounds.isConstant ? maxMultiplier : ideal;
    if (start == 0)
      return std::nullopt;
    double offset = idealOffset(static_cast<double>(start));
    for (int i = 0; i < tries; ++i) {
      double candidate = std::round(offset) + alternating(i);
      if (!(std::abs(candidate) < std::ldexp(1.0, 40)) || !fits(static_cast<int64_t>(candidate)))
        continue;
      auto integer = static_cast<int64_t>(candidate);
      Range<int64_t> q = multipliersFor(integer, 0, 0);
      if (!q.isEmpty()) {
        Channel channel;
        channel.multiplier = static_cast<int32_t>(std::clamp(start, q.low, q.high));
        channel.offset = static_cast<int32_t>(integer);
        return channel;
      }
    }
    return std::nullopt;
  }

  //===-- Add and Signed --------------------------------------------------------------------===//

  /// The addends that meet the bounds on one side of zero.
  Range<int64_t> addendsFor(int64_t multiplier, bool negative) const {
    Range<int64_t> addend{-(int64_t(1) << 40), int64_t(1) << 40};
    for (const Bound &bound : bounds.list) {
      int64_t a = scaledUp(bound.accumulator);
      if ((a < 0) != negative)
        continue;
      int64_t least = bound.value * (int64_t(1) << shift) - high(a, multiplier);
      if (bound.isAtLeast)
        addend.low = std::max(addend.low, least);
      else
        addend.high = std::min(addend.high, least - 1);
    }
    return addend;
  }

  /// Neither end of the interval makes the sum leave a word.
  bool addendFits(const Channel &c) const {
    int64_t low = scaledUp(accumulator.interval.low), top = scaledUp(accumulator.interval.high);
    auto sum = [&](int64_t a) {
      return int64_t(c.addend) + (a < 0 ? c.signAddend : 0) + high(a, c.multiplier);
    };
    return fitsWord(sum(low)) && fitsWord(sum(top)) && fitsWord(int64_t(c.addend) + c.signAddend);
  }

  std::optional<Channel> solveAdd(bool hasSign) const {
    // A constant output needs no product: the accumulator may even wrap.
    if (bounds.isConstant)
      return withMultiplier(0, false);
    if (!fits(0))
      return std::nullopt;
    for (int64_t delta : {0, -1, 1})
      if (std::optional<Channel> channel = withMultiplier(ideal + delta, hasSign))
        return channel;
    return withAddend(hasSign);
  }

  std::optional<Channel> withMultiplier(int64_t q, bool hasSign) const {
    if (q < 0 || q > maxMultiplier)
      return std::nullopt;
    return channelFor(q, addendsFor(q, false), addendsFor(q, true), hasSign);
  }

  /// The channel with addends from the ranges for either sign.
  std::optional<Channel> channelFor(int64_t q, Range<int64_t> positive, Range<int64_t> negative,
                                    bool hasSign) const {
    Range<int64_t> both{std::max(positive.low, negative.low),
                        std::min(positive.high, negative.high)};
    if (positive.isEmpty() || negative.isEmpty() || (!hasSign && both.isEmpty()))
      return std::nullopt;
    int64_t addend = middle(both.isEmpty() ? positive : both);
    int64_t signAddend = both.isEmpty() ? middle(negative) - addend : 0;
    if (!fitsWord(addend) || !fitsWord(signAddend))
      return std::nullopt;
    Channel channel;
    channel.multiplier = static_cast<int32_t>(q);
    channel.addend = static_cast<int32_t>(addend);
    channel.signAddend = static_cast<int32_t>(signAddend);
    if (bounds.isConstant || addendFits(channel))
      return channel;
    return std::nullopt;
  }

  /// A range that is open at one end keeps half a step from the other.
  int64_t middle(Range<int64_t> range) const {
    int64_t half = (int64_t(1) << shift) / 2;
    if (range.high - range.low < (int64_t(1) << 39))
      return range.low + (range.high - range.low) / 2;
    return range.low > -range.high ? range.low + half : std::min(range.high - half, half);
  }

  /// Where no addend fits the ideal multiplier, another multiplier may fit the addend between.
  std::optional<Channel> withAddend(bool hasSign) const {
    Range<int64_t> positive = addendsFor(ideal, false), negative = addendsFor(ideal, true);
    if (!hasSign)
      positive =
          negative = {std::max(positive.low, negative.low), std::min(positive.high, negative.high)};
    for (int i = 0; i < tries; ++i) {
      int64_t addend = middle(positive) + alternating(i);
      int64_t signAddend = middle(negative) - middle(positive);
      Range<int64_t> q = multipliersFor(0, addend, signAddend);
      if (q.isEmpty())
        continue;
      return channelFor(std::clamp(ideal, q.low, q.high), {addend, addend},
                        {addend + signAddend, addend + signAddend}, hasSign);
    }
    return std::nullopt;
  }

  const Bounds &bounds;
  ScaledAccumulator accumulator;
  int shift;
  int64_t ideal; // the multiplier that real arithmetic would have
};

/// The largest shift for which no channel's multiplier leaves a word; a channel that needs a
/// smaller one loses bits of its multiplier. Nothing where one cannot be scaled at all.
std::optional<int> commonShift(const RequantPerChannel &requant,
                               llvm::ArrayRef<ScaledAccumulator> accumulators,
                               llvm::ArrayRef<Bounds> bounds) {
  // Addends of 128 steps stay within a word.
  int shift = 22;
  for (size_t c = 0; c < accumulators.size(); ++c) {
    if (bounds[c].isConstant)
      continue;
    int exponent = 0; // the scale is a fraction of 2^exponent
    std::frexp(Reference(requant, c, accumulators[c].interval).getScale(), &exponent);
    shift = std::min(shift, accumulators[c].scale - 1 - exponent);
  }
  if (shift < 0)
    return std::nullopt;
  return shift;
}

} // namespace

OutputScaling::Saturation OutputScaling::saturationFor(ClampRange clamp, int width) {
  Saturation s;
  s.width = s.bits = width;
  const int32_t half = int32_t(1) << (width - 1), span = clamp.high - clamp.low + 1;
  const int32_t cutBelow = clamp.low + half, cutAbove = half - 1 - clamp.high;
  if (cutBelow == 0 && cutAbove == 0)
    return s;
  if (span > 0 && (span & (span - 1)) == 0) {
    s.isUnsigned = true;
    s.bits = static_cast<int>(std::log2(span));
    s.delta = -clamp.low;
    s.after = clamp.low;
  } else {
    // One saturates at `low`, the other at `high`; with nothing to cut below, the first at `high`.
    s.delta = cutBelow ? -cutBelow : cutAbove;
    s.isTwice = true;
    s.between = cutBelow ? cutBelow + cutAbove : -cutAbove;
    s.after = cutBelow ? -cutAbove : 0;
  }
  return s;
}

/// All that a solution depends on, as bytes.
static std::string keyOf(const RequantPerChannel &requant,
                         llvm::ArrayRef<ScaledAccumulator> accumulators, bool mayOffset,
                         int mostShift, int shiftStep) {
  std::string key;
  auto add = [&](auto number) {
    static_assert(std::is_arithmetic_v<decltype(number)> || std::is_enum_v<decltype(number)>);
    key.append(reinterpret_cast<const char *>(&number), sizeof number);
  };
  add(requant.multipliers.size());
  add(requant.scales.size());
  for (const QuantizedMultiplier &m : requant.multipliers) {
    add(m.multiplier);
    add(m.shift);
  }
  for (double scale : requant.scales)
    add(scale);
  for (int32_t number : {requant.inputZeroPoint, requant.filterZeroPoint, requant.outputZeroPoint,
                         requant.clamp.low, requant.clamp.high, mostShift, shiftStep})
    add(number);
  add(requant.rounding);
  add(requant.wideAccumulator);
  add(mayOffset);
  for (const ScaledAccumulator &accumulator : accumulators) {
    add(accumulator.scale);
    add(accumulator.interval.low);
    add(accumulator.interval.high);
  }
  return key;
}

std::optional<OutputScaling> OutputScaling::solve(const RequantPerChannel &requant,
                                                  llvm::ArrayRef<ScaledAccumulator> accumulators,
                                                  bool mayOffset, int mostShift, int shiftStep) {
  // Kernels of one layer, and of its tiles, ask the same.
  constexpr size_t mostKnown = 4096;
  thread_local std::unordered_map<std::string, std::optional<OutputScaling>> known;
  if (known.size() >= mostKnown)
    known.clear();
  auto [entry, isNew] =
      known.try_emplace(keyOf(requant, accumulators, mayOffset, mostShift, shiftStep));
  if (isNew)
    entry->second = solveAnew(requant, accumulators, mayOffset, mostShift, shiftStep);
  return entry->second;
}

std::optional<OutputScaling>
OutputScaling::solveAnew(const RequantPerChannel &requant,
                         llvm::ArrayRef<ScaledAccumulator> accumulators, bool mayOffset,
                         int mostShift, int shiftStep) {
  OutputScaling result;
  if (requant.clamp.low > requant.clamp.high || requant.clamp.low < -128 ||
      requant.clamp.high > 127)
    return std::nullopt;
  result.saturation = saturationFor(requant.clamp);

  std::vector<Bounds> bounds;
  for (size_t c = 0; c < accumulators.size(); ++c) {
    Reference reference(requant, c, accumulators[c].interval);
    if (!reference.isMonotone())
      return std::nullopt;
    bounds.push_back(reference.bounds(result.saturation.delta));
  }
  std::optional<int> shift = commonShift(requant, accumulators, bounds);
  if (!shift)
    return std::nullopt;
  *shift = std::min(*shift, mostShift);
  *shift -= *shift % shiftStep;
  result.shift = *shift;

  auto solveAll = [&](Form form) {
    result.form = form;
    result.channels.clear();
    for (size_t c = 0; c < accumulators.size(); ++c) {
      double scale = Reference(requant, c, accumulators[c].interval).getScale();
      std::optional<Channel> channel =
          ChannelSolver(bounds[c], accumulators[c], *shift, scale).solve(form);
      if (!channel)
        return false;
      result.channels.push_back(*channel);
    }
    return true;
  };
  if ((mayOffset && solveAll(Fold)) || solveAll(Add) || solveAll(Signed))
    return result;
  return std::nullopt;
}

std::optional<OutputScaling>
OutputScaling::solveShared(const RequantPerChannel &requant,
                           llvm::ArrayRef<ScaledAccumulator> accumulators, bool mayOffset) {
  struct Shifts {
    int most, step;
  };
  std::optional<OutputScaling> best;
  for (Shifts shifts : {Shifts{12, 4}, Shifts{32, 4}, Shifts{32, 1}}) {
    auto solved = solve(requant, accumulators, mayOffset, shifts.most, shifts.step);
    if (solved && (!best || solved->form < best->form))
      best = std::move(solved);
    if (best && best->form == (mayOffset ? Fold : Add))
      break;
  }
  return best;
}
