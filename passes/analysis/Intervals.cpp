// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "passes/analysis/Intervals.h"

#include "dialects/nn/NNTypes.h"
#include "passes/analysis/Pointwise.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <map>

using namespace mlir;

namespace thimble {

//===-- Sizes -------------------------------------------------------------------------------===//

// A small file can describe large tensors: of those nothing is known.
static constexpr int64_t mostElements = 1 << 22;
static constexpr int64_t mostTaps = 1 << 25;

template <typename Pool> static int64_t tapsOf(Pool pool) {
  return pool.getOutput().getType().getNumElements() * pool.getFilter()[0] * pool.getFilter()[1];
}

/// Whether the tensors of `op` and the work of evaluating it are of a reasonable size.
static bool isAffordable(Operation *op) {
  auto isSmall = [](Type type) {
    return cast<RankedTensorType>(type).getNumElements() <= mostElements;
  };
  if (!llvm::all_of(op->getOperandTypes(), isSmall) || !llvm::all_of(op->getResultTypes(), isSmall))
    return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<nn::AveragePool2DOp, nn::MaxPool2DOp>(
          [](auto pool) { return tapsOf(pool) <= mostTaps; })
      .Case<nn::Conv2DOp, nn::DepthwiseConv2DOp, nn::TransposeConvOp>([](auto conv) {
        int64_t channels = conv.getOutput().getType().getShape().back();
        ArrayRef<int64_t> filter = cast<RankedTensorType>(conv.getFilter().getType()).getShape();
        return conv.getOutput().getType().getNumElements() / channels * filter[1] * filter[2] <=
               mostTaps;
      })
      .Default(true);
}

//===-- Tensors -----------------------------------------------------------------------------===//

static void storeInteger(Tensor &tensor, int64_t index, int64_t value) {
  if (tensor.type.element == ElementType::Int16)
    tensor.as<int16_t>()[index] = static_cast<int16_t>(value);
  else
    tensor.data[static_cast<size_t>(index)] = static_cast<std::byte>(value & 255);
}

static Tensor filled(const TensorType &type, int32_t value) {
  Tensor tensor(type);
  for (int64_t i = 0; i < tensor.elements(); ++i)
    storeInteger(tensor, i, value);
  return tensor;
}

/// The results of `op` on `inputs` by the reference kernels; none where they refuse.
static std::optional<std::vector<Tensor>> evaluate(nn::NNOperator op,
                                                   ArrayRef<const Tensor *> inputs) {
  std::vector<Tensor> results;
  for (Type type : op->getResultTypes())
    results.emplace_back(*nn::toTensorType(type));
  // What evaluation reports is for whoever runs the network.
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  if (failed(op.evaluate(inputs, results)))
    return std::nullopt;
  return results;
}

//===-- Products ----------------------------------------------------------------------------===//

/// Numbers the pixels of `input`, `size` bytes each: equal ones alike.
static std::vector<int64_t> numberPixels(const Interval &input, size_t size) {
  llvm::StringMap<int64_t> numbers;
  std::vector<int64_t> result;
  for (size_t at = 0; at < input.low.data.size(); at += size) {
    std::string key(reinterpret_cast<const char *>(&input.low.data[at]), size);
    key.append(reinterpret_cast<const char *>(&input.high.data[at]), size);
    result.push_back(numbers.try_emplace(key, numbers.size()).first->second);
  }
  return result;
}

PositionClasses classifyPositions(const MacLayer &layer, const Interval &input) {
  size_t size = static_cast<size_t>(layer.inputChannels()) * byteSize(input.low.type.element);
  std::vector<int64_t> numbers = numberPixels(input, size);
  PositionClasses classes;
  std::map<std::vector<int64_t>, size_t> classOf;
  std::vector<int64_t> pixels(static_cast<size_t>(layer.taps())), key(pixels.size());
  for (int64_t position = 0; position < layer.positions(); ++position) {
    for (size_t tap = 0; tap < pixels.size(); ++tap) {
      pixels[tap] = layer.pixel(position, static_cast<int64_t>(tap));
      key[tap] = pixels[tap] < 0 ? -1 : numbers[static_cast<size_t>(pixels[tap])];
    }
    auto [found, isNew] = classOf.try_emplace(key, classes.pixels.size());
    if (isNew)
      classes.pixels.push_back(pixels);
    classes.classOf.push_back(found->second);
  }
  return classes;
}

static Interval multiply(const MacLayer &layer, const Interval &input, const TensorType &type) {
  std::vector<int32_t> low = readIntegers(input.low, layer.requant().inputZeroPoint),
                       high = readIntegers(input.high, layer.requant().inputZeroPoint);
  PositionClasses classes = classifyPositions(layer, input);
  std::vector<std::vector<Range>> ranges(classes.pixels.size());
  for (auto [row, pixels] : llvm::zip(ranges, classes.pixels))
    for (int64_t channel = 0; channel < layer.channels(); ++channel)
      row.push_back(layer.output(channel, layer.sum(channel, pixels, low, high)));
  Interval result{Tensor(type), Tensor(type)};
  int64_t at = 0;
  for (size_t position : classes.classOf)
    for (const Range &range : ranges[position]) {
      storeInteger(result.low, at, range.low);
      storeInteger(result.high, at++, range.high);
    }
  return result;
}

//===-- Elementwise operators ---------------------------------------------------------------===//

/// By trying all numbers that an element of the one operand can be.
static std::optional<Interval> lookUp(nn::NNOperator op, const Interval &input,
                                      const TensorType &type) {
  FailureOr<std::vector<int32_t>> table = tabulate(op);
  if (failed(table))
    return std::nullopt;
  std::vector<int32_t> low = readIntegers(input.low), high = readIntegers(input.high);
  int32_t least = storageRange(input.low.type.element).low;
  llvm::DenseMap<std::pair<int32_t, int32_t>, Range> found;
  Interval result{Tensor(type), Tensor(type)};
  for (size_t i = 0; i < low.size(); ++i) {
    auto [entry, isNew] = found.try_emplace({low[i], high[i]});
    if (isNew) {
      auto [min, max] = std::minmax_element(table->begin() + (low[i] - least),
                                            table->begin() + (high[i] - least) + 1);
      entry->second = {*min, *max};
    }
    storeInteger(result.low, static_cast<int64_t>(i), entry->second.low);
    storeInteger(result.high, static_cast<int64_t>(i), entry->second.high);
  }
  return result;
}

/// Whether a left shift of numbers up to `magnitude` leaves 32 bits.
static bool overflows(int64_t magnitude, int32_t shift) {
  return shift > 0 && magnitude << shift > std::numeric_limits<int32_t>::max();
}

/// Whether `op` is monotone in each operand alone: then its extremes are at the corners.
static bool hasCorners(nn::BinaryElementwise op, const TensorType &a, const TensorType &b,
                       const TensorType &out) {
  BinaryParams params;
  params.op = op.getBinaryOp();
  params.activation = static_cast<Activation>(op.getFusedActivation());
  bool isWide = out.element == ElementType::Int16;
  switch (params.op) {
  case BinaryOp::Minimum:
  case BinaryOp::Maximum:
    return true;
  case BinaryOp::Add:
  case BinaryOp::Sub:
    // Both operands are scaled to at most 2^29.
    return out.quantization && !overflows(1 << 30, prepareScaled(params, a, b, out).output.shift);
  case BinaryOp::Mul:
    return out.quantization && !overflows(isWide ? 1 << 30 : 1 << 16,
                                          prepareProduct(params, a, b, out).multiplier.shift);
  default:
    return false;
  }
}

static std::optional<Interval> evaluateCorners(nn::BinaryElementwise op, const Interval &a,
                                               const Interval &b, const TensorType &type) {
  if (!hasCorners(op, a.low.type, b.low.type, type))
    return std::nullopt;
  Interval result{filled(type, storageRange(type.element).high),
                  filled(type, storageRange(type.element).low)};
  for (const Tensor *x : {&a.low, &a.high})
    for (const Tensor *y : {&b.low, &b.high}) {
      auto corner = evaluate(op, {x, y});
      if (!corner)
        return std::nullopt;
      std::vector<int32_t> values = readIntegers(corner->front()), low = readIntegers(result.low),
                           high = readIntegers(result.high);
      for (size_t i = 0; i < values.size(); ++i) {
        storeInteger(result.low, static_cast<int64_t>(i), std::min(low[i], values[i]));
        storeInteger(result.high, static_cast<int64_t>(i), std::max(high[i], values[i]));
      }
    }
  return result;
}

//===-- Operators that never decrease -------------------------------------------------------===//

static bool isMonotoneReduction(nn::Reduction op) {
  std::optional<TensorType> in = nn::toTensorType(op->getOperand(0).getType()),
                            out = nn::toTensorType(op->getResult(0).getType());
  switch (op.getReduceOp()) {
  case ReduceOp::Max:
  case ReduceOp::Min:
    return true;
  case ReduceOp::Mean:
  case ReduceOp::Sum: {
    if (!in->quantization)
      return false;
    int64_t count = in->elements() / out->elements();
    int64_t magnitude = count << (in->element == ElementType::Int16 ? 16 : 8);
    return magnitude < 1 << 30 &&
           !overflows(magnitude, prepareSum(op.getReduceOp(), *in, *out, count).multiplier.shift);
  }
  default:
    return false;
  }
}

/// Whether no result of `op` gets less where an element of an operand of 8 or 16 bits gets greater.
static bool isMonotone(Operation *op) {
  if (auto reduction = dyn_cast<nn::Reduction>(op))
    return isMonotoneReduction(reduction);
  return isa<nn::DataMovement, nn::GatherOp, nn::GatherNDOp, nn::AveragePool2DOp, nn::MaxPool2DOp,
             nn::ResizeNearestNeighborOp>(op);
}

//===-- The network -------------------------------------------------------------------------===//

Intervals::Intervals(func::FuncOp function) {
  for (Operation &op : function.getBody().front()) {
    if (auto layer = dyn_cast<nn::NNOperator>(op)) {
      visit(layer);
    } else if (isa<nn::ConstantOp>(op) && isAffordable(&op)) {
      if (std::optional<Tensor> value = constantTensor(op.getResult(0)))
        known[op.getResult(0)] = std::make_unique<Interval>(Interval{*value, *value});
    }
  }
}

const Interval *Intervals::lookup(Value value) const {
  auto found = known.find(value);
  return found == known.end() ? nullptr : found->second.get();
}

/// What is known, or the whole range of the type.
const Interval *Intervals::find(Value value) {
  if (const Interval *interval = lookup(value))
    return interval;
  TensorType type = *nn::toTensorType(value.getType());
  if (!hasFewValues(type))
    return nullptr;
  ClampRange range = storageRange(type.element);
  auto whole =
      std::make_unique<Interval>(Interval{filled(type, range.low), filled(type, range.high)});
  return (known[value] = std::move(whole)).get();
}

/// The results of `op` on the least and on the greatest operands.
void Intervals::visit(nn::NNOperator op) {
  if (!isAffordable(op))
    return;
  SmallVector<const Tensor *> low, high;
  for (Value operand : op->getOperands()) {
    const Interval *interval = find(operand);
    if (!interval)
      return;
    low.push_back(&interval->low);
    high.push_back(&interval->high);
  }
  bool isConstant = op.getMacs() <= mostTaps && llvm::all_of(op->getOperands(), [&](Value v) {
                      return lookup(v)->isConstant();
                    });
  if (isConstant || isMonotone(op)) {
    auto least = evaluate(op, low), most = isConstant ? least : evaluate(op, high);
    if (!least || !most)
      return;
    for (auto [i, result] : llvm::enumerate(op->getResults()))
      known[result] =
          std::make_unique<Interval>(Interval{std::move((*least)[i]), std::move((*most)[i])});
  } else if (std::optional<Interval> interval = evaluateBetween(op)) {
    known[op->getResult(0)] = std::make_unique<Interval>(std::move(*interval));
  }
}

std::optional<Interval> Intervals::evaluateBetween(nn::NNOperator op) {
  TensorType type = *nn::toTensorType(op->getResult(0).getType());
  if (!hasFewValues(type))
    return std::nullopt;
  if (std::optional<MacLayer> layer = MacLayer::of(op))
    return multiply(*layer, *find(op->getOperand(0)), type);
  if (isPointwise(op) && varyingOperands(op).size() == 1)
    if (auto interval = lookUp(op, *find(varyingOperands(op).front()), type))
      return interval;
  if (auto binary = dyn_cast<nn::BinaryElementwise>(op.getOperation()))
    return evaluateCorners(binary, *find(op->getOperand(0)), *find(op->getOperand(1)), type);
  return std::nullopt;
}

} // namespace thimble
