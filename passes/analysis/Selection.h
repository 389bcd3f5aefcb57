// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// One kernel for each layer, chosen together: layers share code, and time, flash and RAM are traded
// over the whole network.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace thimble {

enum class Objective { Speed, Balanced, Ram, Flash };

/// A way to compute a layer.
struct KernelChoice {
  int64_t cycles = 0;
  /// Constants and code of this layer alone.
  int64_t ownBytes = 0;
  /// Code that is there once for all layers that name it.
  std::vector<std::pair<std::string, int64_t>> sharedCode;
  /// In the arena and on the stack, while the layer runs.
  int64_t scratchBytes = 0, stackBytes = 0;
  int64_t workBytes() const { return scratchBytes + stackBytes; }
};

/// RAM that layers may take: for what is live and scratch, and for the stack of the deepest kernel.
struct RamLimit {
  int64_t arenaBytes = 0, stackBytes = 0;
};

struct LayerChoices {
  std::vector<KernelChoice> choices; // at least one
  /// Bytes of all tensors that are live while the layer runs.
  int64_t liveBytes = 0;
};

/// The index of a choice for each layer. With `limit` all objectives keep to it, where some
/// selection does.
/// - Speed: the fastest that need no more RAM than running one operator at a time does, but for
///   `spareBytes`. A kilobyte of code must save one part in 500 of the whole time.
/// - Ram: the fastest of those with the least peak that some selection has that takes at most a
/// quarter
///   longer than Speed's.
/// - Flash: the least flash, where eight percent more time must save one percent of it, that takes
/// at most
///   1.8 times as long as Speed's.
/// - Balanced: the least product of time and flash.
/// All but Ram keep to Speed's RAM. Flash and Balanced are local searches from the minima of
/// cycles + price * bytes at prices from 1/16 to 65,536 cycles a byte.
std::vector<size_t> selectKernels(const std::vector<LayerChoices> &layers, Objective objective,
                                  int64_t spareBytes, std::optional<RamLimit> limit = {});

/// Cycles and bytes of flash of a selection.
struct SelectionCost {
  int64_t cycles = 0;
  int64_t flashBytes = 0;
  int64_t sharedBytes = 0; // the part that is shared code
};
SelectionCost costOf(const std::vector<LayerChoices> &layers, const std::vector<size_t> &selection);

} // namespace thimble
