// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/asm/WindowGather.h"

#include <numeric>
#include <set>

using namespace mlir;
using namespace thimble;

WindowGather::WindowGather(const ConvShape &shape, int64_t pixels, bool isVertical)
    : s(shape), pixelCount(pixels), vertical(isVertical) {
  listTaps();
  listWords();
  findLoads();
}

//===-- Which taps are pairs ----------------------------------------------------------------===//

WindowTap WindowGather::tapAt(int64_t ky, int64_t run, int64_t byte) const {
  return {ky, run + byte / s.inC, byte % s.inC};
}

void WindowGather::listTaps() {
  std::vector<WindowTap> loose;
  const int64_t bytes = runBytes(), whole = bytes / 4 * 4;
  for (int64_t ky = 0; ky < s.kH; ++ky)
    for (int64_t run = 0; run < runsPerRow(); ++run) {
      auto tap = [&](int64_t byte) { return tapAt(ky, run, byte); };
      for (int64_t i = 0; i < whole; i += 4) {
        tapPairs.push_back({tap(i), tap(i + 2)});
        tapPairs.push_back({tap(i + 1), tap(i + 3)});
      }
      if (bytes % 4 >= 2)
        tapPairs.push_back({tap(whole), tap(bytes - 1)});
      if (hasSingle())
        loose.push_back(tap(bytes % 4 == 1 ? whole : whole + 1));
    }
  const size_t regular = tapPairs.size();
  for (size_t i = 0; i < loose.size(); i += 2)
    tapPairs.push_back(
        {loose[i], i + 1 < loose.size() ? std::optional(loose[i + 1]) : std::nullopt});
  loosePairs = tapPairs.size() - regular;
}

std::pair<Val, Val> WindowGather::placeOf(KernelBuilder &b, Val ky, Val kx, Val channel) const {
  const int64_t bytes = runBytes(), whole = bytes / 4 * 4;
  const bool isOneRun = s.dilationW == 1;
  Val byte = isOneRun ? kx * s.inC + channel : channel;
  Val run = isOneRun ? ky : ky * s.kW + kx;
  // Within a run: fours first, then what remains.
  Val isWhole = byte < whole, rest = byte - whole;
  Val pair = b.select(isWhole, byte / 4 * 2 + byte % 2, b.index(whole / 2));
  Val half = b.select(isWhole, byte / 2 % 2, bytes % 4 == 3 ? rest / 2 : rest);
  pair = run * pairsPerRun() + pair;
  if (!hasSingle())
    return {pair, half};
  Val isLoose = byte == (bytes % 4 == 1 ? whole : whole + 1);
  const int64_t regular = s.kH * runsPerRow() * pairsPerRun();
  return {b.select(isLoose, regular + run / 2, pair), b.select(isLoose, run % 2, half)};
}

//===-- Which words they are ----------------------------------------------------------------===//

WindowByte WindowGather::byteOf(int64_t pixel, WindowTap tap) const {
  WindowByte at{tap.ky * s.dilationH, tap.kx * s.dilationW * s.inC + tap.channel};
  if (vertical)
    at.row += pixel * s.strideH;
  else
    at.byte += pixel * s.strideW * s.inC;
  return at;
}

int64_t WindowGather::wordFor(const Word &word) {
  auto found = llvm::find(wordList, word);
  if (found == wordList.end())
    found = wordList.insert(found, word);
  return found - wordList.begin();
}

void WindowGather::listWords() {
  sharesLast = pixelCount == 2 && !tapPairs.back().high;
  for (int64_t pixel = 0; pixel < pixelCount; ++pixel) {
    std::vector<int64_t> &words = operands.emplace_back();
    for (const TapPair &pair : tapPairs) {
      Word word{byteOf(pixel, pair.low), std::nullopt};
      if (pair.high)
        word.high = byteOf(pixel, *pair.high);
      else if (sharesLast)
        word = {byteOf(0, pair.low), byteOf(1, pair.low)};
      words.push_back(wordFor(word));
    }
  }
}

std::optional<int64_t> WindowGather::findWord(WindowByte low, WindowByte high) const {
  auto found = llvm::find(wordList, Word{low, high});
  if (found == wordList.end())
    return std::nullopt;
  return found - wordList.begin();
}

void WindowGather::findLoads() {
  // Fours, and pairs at the end of runs, which are the halves of one or two loads.
  std::set<WindowByte> starts, loose;
  const int64_t bytes = runBytes(), whole = bytes / 4 * 4;
  for (int64_t pixel = 0; pixel < pixelCount; ++pixel) {
    for (int64_t ky = 0; ky < s.kH; ++ky)
      for (int64_t run = 0; run < runsPerRow(); ++run) {
        for (int64_t i = 0; i < whole; i += 4)
          starts.insert(byteOf(pixel, tapAt(ky, run, i)));
        if (bytes % 4 == 3)
          starts.insert(byteOf(pixel, tapAt(ky, run, whole)));
        if (bytes % 4 == 2)
          for (int64_t i : {whole, whole + 1})
            loose.insert(byteOf(pixel, tapAt(ky, run, i)));
      }
    for (const TapPair &pair : ArrayRef(tapPairs).take_back(loosePairs)) {
      loose.insert(byteOf(pixel, pair.low));
      if (pair.high)
        loose.insert(byteOf(pixel, *pair.high));
    }
  }
  // Bytes that words hold anyway need no load of their own.
  for (WindowByte at : starts) {
    Four four{at, findWord(at, at + 2).has_value(), findWord(at + 1, at + 3).has_value()};
    for (int64_t half : {0, 2}) {
      if (four.even)
        loose.erase(at + half);
      if (four.odd)
        loose.erase(at + 1 + half);
    }
    fours.push_back(four);
  }
  for (Four &four : fours)
    if (loose.erase(four.at + 1) + loose.erase(four.at + 3))
      four.odd = true;
  ones.assign(loose.begin(), loose.end());
}

//===-- Code --------------------------------------------------------------------------------===//

namespace thimble {

class GatherEmitter {
public:
  GatherEmitter(AsmBuilder &a, const WindowGather &gather, Reg window, WindowGather::Keep keep)
      : a(a), gather(gather), s(gather.s), window(window), keep(keep) {
    for (const auto &four : gather.fours)
      reach = std::max(reach, four.at.byte + 4);
    for (WindowByte one : gather.ones)
      reach = std::max(reach, one.byte + 1);
  }

  int64_t bytesOfRow() const { return reach; }

  void inside() {
    for (int64_t row = 0; row < gather.rows(); ++row) {
      startRow(row);
      SmallVector<const WindowGather::Four *> fours;
      for (const auto &four : gather.fours)
        if (four.at.row == row)
          fours.push_back(&four);
      SmallVector<WindowByte> ones;
      for (WindowByte one : gather.ones)
        if (one.row == row)
          ones.push_back(one);
      // Loads in runs, as far as there are registers.
      constexpr size_t most = 6;
      while (!fours.empty() || !ones.empty()) {
        const size_t few = std::min(fours.size(), most);
        const size_t fewOnes = few < most ? std::min(ones.size(), most - few) : 0;
        load(ArrayRef(fours).take_front(few), ArrayRef(ones).take_front(fewOnes));
        fours.erase(fours.begin(), fours.begin() + few);
        ones.erase(ones.begin(), ones.begin() + fewOnes);
      }
    }
  }

  void border(int64_t column, int32_t zeroPoint) {
    zeros = a.constant(halves(zeroPoint, zeroPoint));
    const int64_t left = column * s.strideW - s.padLeft;
    auto isInside = [&](WindowByte at) {
      const int64_t x = left + at.byte / s.inC;
      return x >= 0 && x < s.inW;
    };
    int64_t row = -1;
    for (auto [i, word] : llvm::enumerate(gather.wordList)) {
      auto load = [&](WindowByte at) {
        if (!isInside(at))
          return zeros;
        if (at.row != row)
          startRow(row = at.row);
        return loadByte(at);
      };
      Reg low = load(word.low);
      if (!word.high || (!isInside(word.low) && !isInside(*word.high))) {
        keep(static_cast<int64_t>(i), low);
        continue;
      }
      Reg high = load(*word.high);
      keep(static_cast<int64_t>(i), a.packBottom(low, lsl(high, 16)));
    }
  }

private:
  // A byte in a half of a register.
  struct Place {
    Reg reg;
    bool isHigh;
  };

  void startRow(int64_t row) {
    const int64_t offset = row * s.inW * s.inC;
    isFar = offset + reach > 4095;
    rowOffset = isFar ? 0 : offset;
    pointer = isFar ? a.add(window, offset) : window;
  }
  Reg loadByte(WindowByte at) { return a.load(pointer, rowOffset + at.byte, Width::S8); }

  void load(ArrayRef<const WindowGather::Four *> fours, ArrayRef<WindowByte> ones) {
    Regs words, bytes;
    for (const auto *four : fours)
      words.push_back(a.load(pointer, rowOffset + four->at.byte));
    for (WindowByte one : ones)
      bytes.push_back(loadByte(one));
    for (auto [four, word] : llvm::zip(fours, words)) {
      if (four->even)
        have(four->at, four->at + 2, a.sxtb16(word));
      if (four->odd)
        have(four->at + 1, four->at + 3, a.sxtb16Ror8(word));
    }
    for (auto [one, byte] : llvm::zip(ones, bytes))
      places.insert({one, Place{byte, false}});
    combine();
  }

  void have(WindowByte low, WindowByte high, Reg value) {
    if (std::optional<int64_t> word = gather.findWord(low, high))
      keep(*word, value);
    places.insert({low, Place{value, false}});
    places.insert({high, Place{value, true}});
  }

  // Makes the words whose bytes have come, and forgets bytes that no word needs any more.
  void combine() {
    std::set<WindowByte> needed;
    for (auto [i, word] : llvm::enumerate(gather.wordList)) {
      if (isRegular(word) || !made.insert(static_cast<int64_t>(i)).second)
        continue;
      auto low = places.find(word.low);
      auto high = word.high ? places.find(*word.high) : low;
      if (low != places.end() && high != places.end()) {
        keep(static_cast<int64_t>(i), pack(word, low->second, high->second));
        continue;
      }
      made.erase(static_cast<int64_t>(i));
      needed.insert(word.low);
      if (word.high)
        needed.insert(*word.high);
    }
    for (auto it = places.begin(); it != places.end();)
      it = needed.count(it->first) ? std::next(it) : places.erase(it);
  }

  // That a load of four gives as it is.
  bool isRegular(const WindowGather::Word &word) const {
    return llvm::any_of(gather.fours, [&](const WindowGather::Four &four) {
      return (four.even && word == WindowGather::Word{four.at, four.at + 2}) ||
             (four.odd && word == WindowGather::Word{four.at + 1, four.at + 3});
    });
  }

  Reg pack(const WindowGather::Word &word, Place low, Place high) {
    if (!word.high)
      return low.isHigh ? a.shiftRight(low.reg, 16) : low.reg;
    if (low.isHigh)
      return high.isHigh ? a.packTop(high.reg, asr(low.reg, 16))
                         : a.packBottom(a.shiftRight(low.reg, 16), lsl(high.reg, 16));
    return a.packBottom(low.reg, high.isHigh ? Shifted(high.reg) : lsl(high.reg, 16));
  }

  AsmBuilder &a;
  const WindowGather &gather;
  const ConvShape &s;
  Reg window, pointer, zeros;
  WindowGather::Keep keep;
  int64_t reach = 0, rowOffset = 0;
  bool isFar = false;
  std::map<WindowByte, Place> places;
  std::set<int64_t> made;
};

} // namespace thimble

bool WindowGather::isInside(int64_t x) const {
  AsmBuilder counting;
  const int64_t left = (x * s.strideW - s.padLeft) * s.inC;
  auto keep = [](int64_t, Reg) {};
  return left >= 0 && left + GatherEmitter(counting, *this, {}, keep).bytesOfRow() <= s.inW * s.inC;
}

void WindowGather::emit(AsmBuilder &a, Reg window, std::optional<int64_t> column, int32_t zeroPoint,
                        Keep keep) const {
  GatherEmitter emitter(a, *this, window, keep);
  if (column)
    emitter.border(*column, zeroPoint);
  else
    emitter.inside();
}

double WindowGather::misalignment() const {
  constexpr double cycles[] = {0, 2, 1, 2}; // of a word at such an address
  const int64_t rowBytes = s.inW * s.inC, step = (vertical ? 1 : pixelCount) * s.strideW * s.inC;
  const int64_t grid = std::gcd(std::gcd<int64_t>(4, step), rowBytes);
  double sum = 0;
  for (const Four &four : fours) {
    const int64_t at = four.at.byte - s.padLeft * s.inC + 4 * s.inW * s.inC;
    for (int64_t i = 0; i < 4; i += grid)
      sum += cycles[(at + i) & 3] * static_cast<double>(grid) / 4;
  }
  return sum;
}
