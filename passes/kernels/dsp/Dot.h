// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Products of int8 patches with int8 filters by SMLAD: the inner loops of convolutions and fully
// connected layers.
#pragma once

#include "passes/kernels/dsp/DspOps.h"

namespace thimble::dsp {

/// Filters as the inner loop reads them: `outputs` rows of `depth` weights, each row padded with
/// zeros to a multiple of 4, and biases with the input's zero point folded in.
struct DotFilters {
  int64_t outputs = 0;
  int64_t depth = 0;
  std::vector<int8_t> weights;
  std::vector<int32_t> biases;
  /// The largest magnitude of each output's accumulator, for any int8 input.
  std::vector<int64_t> bounds;

  int64_t paddedDepth() const { return (depth + 3) / 4 * 4; }
  /// Every accumulator fits 32 bits.
  bool fits() const;
};

/// Packs `weights` (outputs x depth). `bias` may be null. A patch holds the stored input values;
/// where it lies outside the picture, the zero point.
DotFilters packFilters(llvm::ArrayRef<int8_t> weights, int64_t outputs, int64_t depth,
                       const Tensor *bias, int32_t inputZeroPoint);

/// Computes all outputs of `pixels` patches that lie one after the other in `patches`, int16
/// elements of `filters.paddedDepth()` a patch, in the order 0 2 1 3 within each four: what SXTB16
/// makes of four bytes. Writes output o of patch p to `output[p * filters.outputs + o]` from
/// `outputStart` on.
void emitDotProducts(KernelBuilder &b, const DotFilters &filters, Int8Requant &requant,
                     Buffer patches, int64_t pixels, Buffer output, Val outputStart);

/// The same for one patch of `filters.depth` int8 elements from `inputStart` of `input` on, which
/// are unpacked for every block of outputs: no scratch, and no slower where weights are read once.
void emitDotProductsOfBytes(KernelBuilder &b, const DotFilters &filters, Int8Requant &requant,
                            Buffer input, Val inputStart, Buffer output, Val outputStart);

/// Widens `count` bytes from `source` into `patches`, in the order that `emitDotProducts` reads;
/// `count` may be any number, up to 3 elements of zeros follow.
void emitWiden(KernelBuilder &b, Buffer source, Val sourceStart, int64_t count, Buffer patches,
               Val patchStart);
/// Fills as many with `value`.
void emitFill(KernelBuilder &b, int32_t value, int64_t count, Buffer patches, Val patchStart);

/// Cycles of `emitDotProducts` for one patch, on average.
double dotCycles(int64_t outputs, int64_t depth, int64_t pixels);

} // namespace thimble::dsp
