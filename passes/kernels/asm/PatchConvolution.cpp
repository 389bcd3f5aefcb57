// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Kernels of direct convolutions: which blocks and forms of weights suit a layer.
#include "passes/kernels/Families.h"
#include "passes/kernels/asm/DirectConvolution.h"

using namespace mlir;

namespace thimble {
namespace {

/// Pixels by channels.
struct BlockSize {
  int64_t pixels, channels;
};

ArrayRef<BlockSize> blocksFor(PatchProducts::Place place) {
  // 8 accumulators and what 6 other registers can hold of pointers, pixels and weights.
  static constexpr BlockSize frame[] = {{4, 2}, {3, 2}, {2, 4}, {1, 8}};
  static constexpr BlockSize pointer[] = {{2, 4}, {3, 2}, {1, 8}};
  static constexpr BlockSize registers[] = {{4, 2}, {3, 2}, {2, 2}};
  if (place == PatchProducts::Registers)
    return registers;
  return place == PatchProducts::Frame ? ArrayRef(frame) : ArrayRef(pointer);
}

class PatchConvolution : public Kernel {
public:
  PatchConvolution(StringRef name, PatchProducts::Place place) : name(name), place(place) {}
  StringRef getName() const override { return name; }

  std::optional<Candidate> propose(const KernelQuery &q) const override {
    std::optional<ConvLayer> layer = convLayerOf(q);
    if (!layer)
      return std::nullopt;
    auto best = choose(*layer);
    if (!best)
      return std::nullopt;
    const PatchProducts &products = best->first;
    Candidate c;
    c.rows = layer->pictures * layer->shape.outH;
    products.kernel().addTo(c, c.rows);
    c.flashBytes += 4 * products.groups() * products.groupWords();
    if (products.isInArena())
      c.scratch.push_back({ElementType::Int32, 1 + products.patch.bytes() / 4});
    return c;
  }

  void emit(KernelBuilder &b, nn::NNOperator op, const KernelOperands &operands,
            Val row) const override {
    ConvLayer layer = *convLayerOf(op, operands);
    PatchProducts products = choose(layer)->first;
    const ConvShape &s = layer.shape;
    Val picture = layer.pictures == 1 ? b.index(0) : row / s.outH;
    Val y = layer.pictures == 1 ? row : row % s.outH;
    SmallVector<Address, 4> addresses = {
        {operands.inputs[0].buffer, picture * s.inputElements()},
        {operands.outputs[0].buffer, row * (s.outW * s.outC)},
        {b.table<int32_t>("filters", products.table()), b.index(0)}};
    Vals words;
    if (products.isInArena()) {
      b.store(operands.scratch[0], b.index(0), y);
      addresses.push_back({operands.scratch[0], b.index(0)});
    } else {
      words.push_back(b.toI32(y));
    }
    callAsm(b, products.kernel(), addresses, words);
  }

private:
  using Choice = std::pair<PatchProducts, m4::Cost>;

  std::optional<Choice> choose(const ConvLayer &layer) const {
    if (place == PatchProducts::Registers && !suitsRegisters(layer.shape))
      return std::nullopt;
    for (WeightForm form : {WeightForm::ByteMix, WeightForm::Halves}) {
      if (place == PatchProducts::Registers && form == WeightForm::ByteMix)
        continue;
      if (std::optional<FormScaling> scaling = scalingFor(layer, form))
        return cheapestBlock(layer, form, *scaling);
    }
    return std::nullopt;
  }

  static bool suitsRegisters(const ConvShape &s) {
    return s.kH == 1 && s.kW == 1 && !s.leavesRows() && !s.leavesColumns() && s.inC >= 4 &&
           s.inC <= 16;
  }

  std::optional<Choice> cheapestBlock(const ConvLayer &layer, WeightForm form,
                                      const FormScaling &scaling) const {
    std::optional<Choice> best;
    for (BlockSize block : blocksFor(place)) {
      PatchProducts products{
          layer, {layer.shape, block.pixels}, form, scaling, block.pixels, block.channels, place};
      if (!fits(products))
        continue;
      m4::Cost cost = products.kernel().cost();
      if (!best || cost.cycles < best->second.cycles)
        best.emplace(products, cost);
    }
    return best;
  }

  // Offsets of loads and stores have 12 bits; the code of one layer has its limit too.
  bool fits(const PatchProducts &p) const {
    constexpr int64_t mostOffset = 4095, mostFrame = 2560, mostPairs = 200;
    const ConvShape &s = p.layer.shape;
    if (p.pixels > s.outW || (p.pixels - 1) * s.outC + p.channels > mostOffset)
      return false;
    if (place == PatchProducts::Frame)
      return p.patch.bytes() <= mostFrame && p.pairsOfTaps() <= mostPairs;
    if (place == PatchProducts::Registers)
      return (p.pixels - 1) * s.strideW * s.inC + s.inC <= mostOffset;
    return (p.pixels - 1) * p.patch.tapOffset(1, 0, 0) + 256 <= mostOffset;
  }

  StringRef name;
  PatchProducts::Place place;
};

} // namespace
} // namespace thimble

void thimble::addPatchConvolutionKernels(KernelList &list) {
  list.push_back(std::make_unique<PatchConvolution>("conv_2d.unrolled", PatchProducts::Frame));
  list.push_back(std::make_unique<PatchConvolution>("conv_2d.looped", PatchProducts::Pointer));
  list.push_back(std::make_unique<PatchConvolution>("conv_2d.registers", PatchProducts::Registers));
}
