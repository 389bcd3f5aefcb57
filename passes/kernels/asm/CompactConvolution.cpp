// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/CompactLayer.h"

using namespace mlir;

namespace thimble {
namespace {

class CompactConvolution : public Kernel {
public:
  CompactConvolution(StringRef name, ArrayRef<CompactLayer::Patch> patches, int64_t unrolled)
      : name(name), patches(patches), unrolled(unrolled) {}
  StringRef getName() const override { return name; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<CompactLayer> layer = layerOf(convLayerOf(q));
    if (!layer)
      return std::nullopt;
    Candidate c;
    c.rows = layer->layer.pictures * layer->shape().outH;
    layer->kernel().addTo(c, c.rows);
    c.flashBytes += 4 * layer->tableWords();
    c.scratch.push_back({ElementType::Int32, layer->scratchBytes() / 4});
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    CompactLayer compact = *layerOf(convLayerOf(op, operands));
    const ConvShape &s = compact.shape();
    const bool isOne = compact.layer.pictures == 1;
    if (compact.patch != CompactLayer::Pixels)
      b.store(operands.scratch[0], b.index(0), b.toI32(isOne ? row : row % s.outH));
    callAsm(b, compact.kernel(),
            {{operands.inputs[0].buffer, (isOne ? b.index(0) : row / s.outH) * s.inputElements()},
             {operands.outputs[0].buffer, row * (s.outW * s.outC)},
             {b.table<int32_t>("filters", compact.table()), b.index(0)},
             {operands.scratch[0], b.index(0)}});
  }

private:
  std::optional<CompactLayer> layerOf(const std::optional<ConvLayer> &layer) const {
    for (CompactLayer::Patch patch : patches)
      if (auto compact = CompactLayer::create(layer, patch, unrolled))
        return compact;
    return std::nullopt;
  }

  StringRef name;
  SmallVector<CompactLayer::Patch, 2> patches;
  int64_t unrolled;
};

} // namespace
} // namespace thimble

void thimble::addCompactConvolutionKernels(KernelList &list) {
  auto add = [&](StringRef name, ArrayRef<CompactLayer::Patch> patches, int64_t unrolled) {
    list.push_back(std::make_unique<CompactConvolution>(name, patches, unrolled));
  };
  add("conv_2d.compact_columns", {CompactLayer::Columns}, 4);
  add("conv_2d.compact_by_8", {CompactLayer::Pixels, CompactLayer::Windows}, 4);
  add("conv_2d.compact", {CompactLayer::Pixels, CompactLayer::Windows}, 2);
}
