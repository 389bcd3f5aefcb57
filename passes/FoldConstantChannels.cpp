// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/NNTypes.h"
#include "passes/Passes.h"
#include "passes/analysis/Intervals.h"
#include "passes/analysis/Slices.h"

#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <map>

namespace thimble {
#define GEN_PASS_DEF_FOLDCONSTANTCHANNELS
#include "passes/Passes.h.inc"
} // namespace thimble

using namespace mlir;
using namespace thimble;
using llvm::BitVector;

static Value makeConstant(OpBuilder &builder, Location loc, const Tensor &tensor, Type element) {
  return nn::ConstantOp::create(builder, loc, RankedTensorType::get(tensor.type.shape, element),
                                nn::toAttribute(builder.getContext(), tensor));
}

//===-- Channels of weights -----------------------------------------------------------------===//

namespace {

/// Rewrites filter and bias of one layer so that it reads less and computes the same.
class LayerFolder {
public:
  LayerFolder(Operation *op, MacLayer layer, const Interval &in);

  /// Outputs that are the same number everywhere need no input: `out` is the layer's result.
  void foldOutputs(const Interval &out);
  /// What a constant input adds, if it is the same everywhere, can be added to the bias.
  void foldInputs();
  /// Gives the operator its new constants, if there are any.
  void finish();

private:
  bool reads(int64_t channel, int64_t d) const;
  std::optional<int64_t> uniformSum(int64_t channel, int64_t d) const;
  bool setBias(int64_t channel, int64_t sum);
  void forget(int64_t channel, int64_t d);

  Operation *op;
  MacLayer layer;
  PositionClasses classes;
  std::vector<int32_t> low, high;
  /// Input channels that have one value at each pixel that is read.
  BitVector constantInputs;

  Tensor filter;
  std::byte zeroWeight;
  std::vector<int64_t> biases;
  bool changed = false;
};

} // namespace

LayerFolder::LayerFolder(Operation *op, MacLayer given, const Interval &in)
    : op(op), layer(std::move(given)), classes(classifyPositions(layer, in)),
      low(readIntegers(in.low, layer.requant().inputZeroPoint)),
      high(readIntegers(in.high, layer.requant().inputZeroPoint)),
      constantInputs(static_cast<unsigned>(layer.inputChannels()), true),
      filter(*constantTensor(op->getOperand(1))),
      zeroWeight(static_cast<std::byte>(layer.requant().filterZeroPoint & 255)) {
  for (int64_t channel = 0; channel < layer.channels(); ++channel)
    biases.push_back(layer.bias(channel));
  for (ArrayRef<int64_t> pixels : classes.pixels)
    for (int64_t pixel : pixels)
      for (int64_t c = 0; pixel >= 0 && c < layer.inputChannels(); ++c) {
        auto at = static_cast<size_t>(pixel * layer.inputChannels() + c);
        if (low[at] != high[at])
          constantInputs.reset(static_cast<unsigned>(c));
      }
}

bool LayerFolder::reads(int64_t channel, int64_t d) const {
  for (int64_t tap = 0; tap < layer.taps(); ++tap)
    if (filter.data[static_cast<size_t>(layer.weightAt(channel, tap, d))] != zeroWeight)
      return true;
  return false;
}

void LayerFolder::forget(int64_t channel, int64_t d) {
  for (int64_t tap = 0; tap < layer.taps(); ++tap)
    filter.data[static_cast<size_t>(layer.weightAt(channel, tap, d))] = zeroWeight;
  changed = true;
}

/// Makes `sum` the bias of `channel`, unless its type cannot hold it. Sums of 32 bits wrap anyway.
bool LayerFolder::setBias(int64_t channel, int64_t sum) {
  bool isWide = layer.requant().wideAccumulator;
  if (!isWide)
    sum = static_cast<int32_t>(sum);
  bool hasNarrowBias =
      op->getNumOperands() > 2 &&
      cast<RankedTensorType>(op->getOperand(2).getType()).getElementType().isInteger(32);
  if (hasNarrowBias && sum != static_cast<int32_t>(sum))
    return false;
  biases[static_cast<size_t>(channel)] = sum;
  return true;
}

void LayerFolder::foldOutputs(const Interval &out) {
  std::vector<int32_t> least = readIntegers(out.low), most = readIntegers(out.high);
  auto channels = static_cast<size_t>(layer.channels());
  std::map<int32_t, BitVector> channelsOf;
  for (size_t channel = 0; channel < channels; ++channel) {
    int32_t value = least[channel];
    bool isConstant = true;
    for (size_t i = channel; i < least.size(); i += channels)
      isConstant &= least[i] == value && most[i] == value;
    if (!isConstant)
      continue;
    BitVector &alike = channelsOf[value];
    alike.resize(static_cast<unsigned>(channels));
    alike.set(static_cast<unsigned>(channel));
    // Any sum that occurs will do.
    auto c = static_cast<int64_t>(channel);
    int64_t sum = layer.sum(c, classes.pixels.front(), low, high).low;
    if (!layer.fitsAccumulator(sum) || layer.output(c, {sum, sum}).low != value || !setBias(c, sum))
      continue;
    for (int64_t d = 0; d < layer.depth(); ++d)
      if (reads(c, d))
        forget(c, d);
  }
  if (channelsOf.empty())
    return;
  std::string text;
  for (const auto &[value, alike] : channelsOf)
    text += (text.empty() ? "" : "; ") + std::to_string(value) + " in " + listIndices(alike);
  remark::passed(op->getLoc(), remark::RemarkOpts::name("ConstantChannels").category("reduce"))
      << remark::reason("lo = hi in these of {0} output channels, whatever the input: {1}",
                        channels, text);
}

/// What input `d` of `channel` adds to the sum at every position, if that is the same.
std::optional<int64_t> LayerFolder::uniformSum(int64_t channel, int64_t d) const {
  std::optional<int64_t> uniform;
  for (ArrayRef<int64_t> pixels : classes.pixels) {
    int64_t sum = 0;
    for (auto [tap, pixel] : llvm::enumerate(pixels))
      if (pixel >= 0)
        sum +=
            int64_t(layer.weight(channel, static_cast<int64_t>(tap), d)) *
            low[static_cast<size_t>(pixel * layer.inputChannels() + layer.firstInput(channel) + d)];
    if (uniform && *uniform != sum)
      return std::nullopt;
    uniform = sum;
  }
  return uniform;
}

void LayerFolder::foldInputs() {
  BitVector folded(constantInputs.size()), kept(constantInputs.size());
  for (int64_t channel = 0; channel < layer.channels(); ++channel)
    for (int64_t d = 0; d < layer.depth(); ++d) {
      auto input = static_cast<unsigned>(layer.firstInput(channel) + d);
      if (!constantInputs[input] || !reads(channel, d))
        continue;
      std::optional<int64_t> sum = uniformSum(channel, d);
      if (sum && setBias(channel, biases[static_cast<size_t>(channel)] + *sum)) {
        forget(channel, d);
        folded.set(input);
      } else {
        kept.set(input);
      }
    }
  folded.reset(kept);
  if (folded.any())
    remark::passed(op->getLoc(), remark::RemarkOpts::name("FoldInputs").category("reduce"))
        << remark::reason("the bias takes in constant input channels {0}", listIndices(folded));
  if (kept.any())
    remark::missed(op->getLoc(), remark::RemarkOpts::name("FoldInputs").category("reduce"))
        << remark::reason("constant input channels {0} stay: what they add differs at the border",
                          listIndices(kept));
}

void LayerFolder::finish() {
  if (!changed)
    return;
  OpBuilder builder(op);
  auto elementOf = [&](unsigned operand) {
    return cast<RankedTensorType>(op->getOperand(operand).getType()).getElementType();
  };
  op->setOperand(1, makeConstant(builder, op->getOperand(1).getLoc(), filter, elementOf(1)));
  bool hasBias = op->getNumOperands() > 2;
  // Without a bias int16 layers add in 64 bits, which a bias of 64 bits keeps.
  Type element =
      hasBias ? elementOf(2) : builder.getIntegerType(layer.requant().wideAccumulator ? 64 : 32);
  Tensor bias(thimble::TensorType{element.isInteger(32) ? ElementType::Int32 : ElementType::Int64,
                                  {layer.channels()},
                                  std::nullopt});
  for (auto [i, value] : llvm::enumerate(biases)) {
    if (element.isInteger(32))
      bias.as<int32_t>()[i] = static_cast<int32_t>(value);
    else
      bias.as<int64_t>()[i] = value;
  }
  Value constant =
      makeConstant(builder, hasBias ? op->getOperand(2).getLoc() : op->getLoc(), bias, element);
  if (hasBias)
    op->setOperand(2, constant);
  else
    op->insertOperands(2, constant);
}

//===-- Tensors -----------------------------------------------------------------------------===//

/// One row of `tensor` if all its rows along the last axis are alike: it then broadcasts.
static Tensor withoutRepetition(const Tensor &tensor) {
  if (tensor.type.rank() == 0)
    return tensor;
  size_t row = static_cast<size_t>(tensor.type.shape.back()) * byteSize(tensor.type.element);
  for (size_t i = row; i < tensor.data.size(); ++i)
    if (tensor.data[i] != tensor.data[i - row])
      return tensor;
  Tensor result = tensor;
  std::fill(result.type.shape.begin(), result.type.shape.end() - 1, 1);
  result.data.resize(row);
  return result;
}

/// Whether all users of `value` combine it with another tensor that has the result's shape.
static bool canBroadcast(Value value) {
  return llvm::all_of(value.getUsers(), [&](Operation *user) {
    return isa<nn::BinaryElementwise>(user) && llvm::any_of(user->getOperands(), [&](Value other) {
             return other != value && shapeOf(other) == shapeOf(user->getResult(0));
           });
  });
}

/// What takes the place of `value`, a result that is the same for every input; none if that would
/// take more flash than computing it.
static std::optional<Tensor> constantFor(Value value, const Interval *interval) {
  Operation *op = value.getDefiningOp();
  if (!interval || !interval->isConstant() || isa<nn::ConstantOp>(op))
    return std::nullopt;
  size_t budget = 256;
  for (Value operand : op->getOperands())
    if (operand.getDefiningOp<nn::ConstantOp>())
      budget += nn::toTensorType(operand.getType())->bytes();
  Tensor tensor = canBroadcast(value) ? withoutRepetition(interval->low) : interval->low;
  return tensor.data.size() <= budget ? std::optional(std::move(tensor)) : std::nullopt;
}

namespace {

struct FoldConstantChannelsPass
    : thimble::impl::FoldConstantChannelsBase<FoldConstantChannelsPass> {
  void runOnOperation() override {
    if (!getOperation().getBody().hasOneBlock())
      return;
    Intervals intervals(getOperation());
    SmallVector<Operation *> ops;
    for (Operation &op : getOperation().getBody().front().without_terminator())
      ops.push_back(&op);
    for (Operation *op : ops)
      foldLayer(op, intervals);
    // Backwards, so that what only constant tensors needed is gone when its turn comes. Intervals
    // are looked up by value: nothing may be erased, and its place be reused, before its turn.
    for (Operation *op : llvm::reverse(ops)) {
      for (Value result : op->getResults())
        if (!result.use_empty())
          replace(result, intervals);
      if (isOpTriviallyDead(op))
        op->erase();
    }
  }

  static void foldLayer(Operation *op, const Intervals &intervals) {
    std::optional<MacLayer> layer = MacLayer::of(op);
    const Interval *in = layer ? intervals.lookup(op->getOperand(0)) : nullptr;
    const Interval *out = layer ? intervals.lookup(op->getResult(0)) : nullptr;
    if (!in || !out || constantFor(op->getResult(0), out))
      return;
    LayerFolder folder(op, std::move(*layer), *in);
    folder.foldOutputs(*out);
    folder.foldInputs();
    folder.finish();
  }

  static void replace(Value value, const Intervals &intervals) {
    std::optional<Tensor> tensor = constantFor(value, intervals.lookup(value));
    if (!tensor)
      return;
    remark::passed(value.getLoc(), remark::RemarkOpts::name("ConstantTensor").category("reduce"))
        << remark::reason("lo = hi in every element, whatever the input: a constant of {0} bytes",
                          tensor->data.size());
    OpBuilder builder(value.getDefiningOp());
    Type element = cast<RankedTensorType>(value.getType()).getElementType();
    value.replaceAllUsesWith(makeConstant(builder, value.getLoc(), *tensor, element));
  }
};

} // namespace
