// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"
#include "test/unit/compiler/networks.h"

#include "mlir/IR/Verifier.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace mlir;

namespace thimble::test {
namespace {

/// Appends random operators to a function.
class Generator {
public:
  Generator(MLIRContext &context, unsigned seed)
      : builder(&context), loc(UnknownLoc::get(&context)), random(seed) {
    static constexpr ElementType kinds[] = {ElementType::Int8, ElementType::Int8,
                                            ElementType::UInt8, ElementType::Int16};
    element = kinds[below(4)];
  }

  OwningOpRef<ModuleOp> run() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    builder.setInsertionPointToEnd(module->getBody());
    Type input = activation({1, 6 + below(5), 6 + below(5), 1 + below(3)}, 0.05f);
    auto function =
        func::FuncOp::create(builder, loc, "main", builder.getFunctionType({input}, {}));
    Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    Value x = convolution(entry->getArgument(0));
    for (int64_t i = 1 + below(6); i > 0; --i)
      x = layer(x);
    SmallVector<Value> results = {tail(x)};
    if (below(4) == 0)
      results.push_back(x);
    func::ReturnOp::create(builder, loc, results);
    function.setFunctionType(builder.getFunctionType({input}, ValueRange(results).getTypes()));
    EXPECT_TRUE(succeeded(verify(*module)));
    return module;
  }

private:
  int64_t below(int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); }
  bool oneIn(int64_t n) { return below(n) == 0; }

  static ArrayRef<int64_t> shapeOf(Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  }
  static TensorType typeOf(Value value) { return *nn::toTensorType(value.getType()); }

  //===-- Types and constants -----------------------------------------------------------------===//

  Type quantized(ArrayRef<int64_t> shape, float scale, int32_t zeroPoint) {
    TensorType type{element, shape.vec(), Quantization{{scale}, {zeroPoint}, -1}};
    return nn::fromTensorType(builder.getContext(), type);
  }
  int32_t anyZeroPoint() {
    if (element == ElementType::Int16)
      return 0;
    int32_t least = element == ElementType::Int8 ? -128 : 0;
    return least + static_cast<int32_t>(oneIn(3) ? 0 : 64 + below(128));
  }
  Type activation(ArrayRef<int64_t> shape, float scale) {
    return quantized(shape, scale, anyZeroPoint());
  }
  /// The type of `value` in another shape.
  static Type reshaped(Value value, ArrayRef<int64_t> shape) {
    return cast<RankedTensorType>(value.getType()).clone(shape);
  }
  Value constant(const Tensor &tensor) {
    return nn::ConstantOp::create(builder, loc,
                                  nn::fromTensorType(builder.getContext(), tensor.type),
                                  nn::toAttribute(builder.getContext(), tensor));
  }

  /// Weights with the faults of pruned ones: `axis` counts output channels, and of the input
  /// channels along `inputAxis` some are never read.
  Tensor filter(std::vector<int64_t> shape, int axis, int inputAxis) {
    TensorType type{element == ElementType::UInt8 ? ElementType::UInt8 : ElementType::Int8, shape,
                    Quantization()};
    bool perChannel = element != ElementType::UInt8 && !oneIn(4);
    Quantization &q = *type.quantization;
    q.axis = perChannel ? axis : -1;
    auto channels = static_cast<size_t>(shape[static_cast<size_t>(axis)]);
    std::vector<bool> isZero(channels),
        isUnread(static_cast<size_t>(shape[static_cast<size_t>(inputAxis)]));
    for (size_t i = 0; i < isUnread.size(); ++i)
      isUnread[i] = isUnread.size() > 1 && oneIn(6);
    q.zeroPoints.assign(perChannel ? channels : 1, element == ElementType::UInt8 ? 120 : 0);
    q.scales.assign(q.zeroPoints.size(), 0.01f);
    for (size_t c = 0; c < channels; ++c) {
      isZero[c] = channels > 1 && oneIn(4);
      // Sums of int16 layers are scaled in 64 bits, which takes no more than 2^7.
      float large = element == ElementType::Int16 ? 10.0f : 1e6f;
      if (perChannel && (isZero[c] || oneIn(20)))
        q.scales[c] = oneIn(2) ? 1e-30f : oneIn(2) ? large : 0.02f;
    }
    Tensor tensor = randomTensor(type, random);
    auto stride = [&](int of) {
      size_t product = 1;
      for (size_t i = static_cast<size_t>(of) + 1; i < shape.size(); ++i)
        product *= static_cast<size_t>(shape[i]);
      return product;
    };
    for (size_t i = 0; i < tensor.data.size(); ++i)
      if (isZero[i / stride(axis) % channels] || isUnread[i / stride(inputAxis) % isUnread.size()])
        tensor.data[i] = static_cast<std::byte>(q.zeroPoints.front());
    return tensor;
  }

  /// Small biases, some that saturate, and some near the end of 32 bits; null now and then.
  Value bias(int64_t channels, double reach) {
    if (oneIn(5))
      return {};
    bool isWide = element == ElementType::Int16 && oneIn(2);
    Tensor tensor(
        TensorType{isWide ? ElementType::Int64 : ElementType::Int32, {channels}, std::nullopt});
    for (int64_t c = 0; c < channels; ++c) {
      double scale = oneIn(6) ? 50.0 : 1.0;
      auto value =
          static_cast<int64_t>((static_cast<double>(below(2001)) / 1000.0 - 1.0) * reach * scale);
      if (oneIn(16))
        value =
            oneIn(2) ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int32_t>::min();
      if (isWide)
        tensor.as<int64_t>()[c] = value;
      else
        tensor.as<int32_t>()[c] = static_cast<int32_t>(value);
    }
    return constant(tensor);
  }

  //===-- Layers with weights -----------------------------------------------------------------===//

  nn::Activation anyActivation() { return oneIn(3) ? nn::Activation::Relu : nn::Activation::None; }

  struct Axis {
    int64_t stride, dilation, before, after, size;
  };
  /// A window of `taps` over `size` elements, with or without padding.
  Axis window(int64_t size, int64_t taps, bool dilates = true) {
    Axis axis{oneIn(4) ? 2 : 1, dilates && oneIn(5) ? 2 : 1, 0, 0, 0};
    int64_t span = (taps - 1) * axis.dilation + 1;
    if (!oneIn(3) || span > size) {
      axis.before = (span - 1) / 2;
      axis.after = span - 1 - axis.before;
    }
    axis.size = (size + axis.before + axis.after - span) / axis.stride + 1;
    return axis;
  }

  /// The numbers that sums of `count` products have about.
  double reachOf(int64_t count) const {
    double input = element == ElementType::Int16 ? 16000 : 64;
    return std::sqrt(static_cast<double>(count)) * 64 * input;
  }
  /// A result in whose range most of such sums lie.
  Type resultOf(Value x, const Tensor &filter, ArrayRef<int64_t> shape, double reach) {
    double steps = element == ElementType::Int16 ? 20000 : 80;
    float scale = typeOf(x).scale() * 0.01f * static_cast<float>(reach / steps);
    return activation(shape, oneIn(16) ? scale * 100 : scale);
  }

  template <typename Op>
  Value windowed(Value x, const Tensor &weights, int64_t channels, int64_t products) {
    Axis h = window(shapeOf(x)[1], weights.shape()[1]),
         w = window(shapeOf(x)[2], weights.shape()[2]);
    double reach = reachOf(products);
    return Op::create(builder, loc, resultOf(x, weights, {1, h.size, w.size, channels}, reach), x,
                      constant(weights), bias(channels, reach),
                      ArrayRef<int64_t>{h.stride, w.stride},
                      ArrayRef<int64_t>{h.dilation, w.dilation},
                      ArrayRef<int64_t>{h.before, h.after, w.before, w.after}, anyActivation(),
                      nn::Requant::Double);
  }
  Value convolution(Value x) {
    int64_t channels = 2 + below(6), depth = shapeOf(x)[3], taps = oneIn(2) ? 1 : 3;
    if (depth % 2 == 0 && oneIn(8)) // groups
      depth /= 2, channels *= 2;
    return windowed<nn::Conv2DOp>(x, filter({channels, taps, taps, depth}, 0, 3), channels,
                                  taps * taps * depth);
  }
  Value depthwise(Value x) {
    int64_t channels = shapeOf(x)[3] * (oneIn(3) ? 2 : 1);
    return windowed<nn::DepthwiseConv2DOp>(x, filter({1, 3, 2, channels}, 3, 0), channels, 6);
  }
  Value transposed(Value x) {
    int64_t channels = 2 + below(4);
    Tensor weights = filter({channels, 2, 2, shapeOf(x)[3]}, 0, 3);
    double reach = reachOf(4);
    SmallVector<int64_t> shape = {1, shapeOf(x)[1] * 2, shapeOf(x)[2] * 2, channels};
    return nn::TransposeConvOp::create(builder, loc, resultOf(x, weights, shape, reach), x,
                                       constant(weights), bias(channels, reach),
                                       ArrayRef<int64_t>{2, 2}, ArrayRef<int64_t>{0, 0, 0, 0},
                                       anyActivation(), nn::Requant::Double);
  }
  Value fullyConnected(Value x) {
    int64_t depth = shapeOf(x).back(), rows = typeOf(x).elements() / depth, channels = 2 + below(5);
    Tensor weights = filter({channels, depth}, 0, 1);
    double reach = reachOf(depth);
    bool isSingle = element == ElementType::Int8 && oneIn(4);
    return nn::FullyConnectedOp::create(builder, loc, resultOf(x, weights, {rows, channels}, reach),
                                        x, constant(weights), bias(channels, reach),
                                        anyActivation(),
                                        isSingle ? nn::Requant::Single : nn::Requant::Double);
  }

  //===-- Others ------------------------------------------------------------------------------===//

  template <typename Op> Value pool(Value x) {
    Axis h = window(shapeOf(x)[1], 2, /*dilates=*/false),
         w = window(shapeOf(x)[2], 2, /*dilates=*/false);
    return Op::create(builder, loc, reshaped(x, {1, h.size, w.size, shapeOf(x)[3]}), x,
                      ArrayRef<int64_t>{2, 2}, ArrayRef<int64_t>{h.stride, w.stride},
                      ArrayRef<int64_t>{h.before, h.after, w.before, w.after}, anyActivation());
  }
  /// Another tensor of the shape of `x`, made of `x`.
  Value sibling(Value x) {
    if (oneIn(3))
      return constant(randomTensor(typeOf(x), random));
    int64_t channels = shapeOf(x)[3];
    Tensor weights = filter({channels, 1, 1, channels}, 0, 3);
    double reach = reachOf(channels);
    return nn::Conv2DOp::create(builder, loc, resultOf(x, weights, shapeOf(x), reach), x,
                                constant(weights), bias(channels, reach), ArrayRef<int64_t>{1, 1},
                                ArrayRef<int64_t>{1, 1}, ArrayRef<int64_t>{0, 0, 0, 0},
                                anyActivation(), nn::Requant::Double);
  }
  template <typename Op> Value combined(Value x) {
    Value y = sibling(x);
    float a = typeOf(x).scale(), b = typeOf(y).scale(),
          steps = element == ElementType::Int16 ? 16000 : 80;
    float scale = std::is_same_v<Op, nn::MulOp> ? a * b * steps : std::max(a, b) * 1.5f;
    return Op::create(builder, loc, activation(shapeOf(x), scale), x, y, anyActivation(),
                      /*litert=*/false);
  }
  Value padded(Value x) {
    SmallVector<int64_t> shape(shapeOf(x)), paddings = {0, 0, below(2), below(2), 1, 0, 0, 0};
    for (size_t i = 0; i < shape.size(); ++i)
      shape[i] += paddings[2 * i] + paddings[2 * i + 1];
    return nn::PadOp::create(builder, loc, reshaped(x, shape), x, Value(), paddings);
  }
  Value joined(Value x) {
    Value y = nn::MaxPool2DOp::create(builder, loc, x.getType(), x, ArrayRef<int64_t>{1, 1},
                                      ArrayRef<int64_t>{1, 1}, ArrayRef<int64_t>{0, 0, 0, 0},
                                      nn::Activation::Relu);
    int64_t axis = 1 + below(3);
    SmallVector<int64_t> shape(shapeOf(x));
    shape[static_cast<size_t>(axis)] *= 2;
    return nn::ConcatenationOp::create(builder, loc, reshaped(x, shape), ValueRange{x, y},
                                       static_cast<uint64_t>(axis));
  }
  /// The end of one axis goes; with `splits` it is another result that nobody reads.
  Value shortened(Value x) {
    int64_t axis = 1 + below(3), size = shapeOf(x)[static_cast<size_t>(axis)];
    if (size < 2)
      return x;
    SmallVector<int64_t> first(shapeOf(x)), rest(first), begin(4, 0);
    first[static_cast<size_t>(axis)] = size - 1;
    rest[static_cast<size_t>(axis)] = 1;
    if (oneIn(2))
      return nn::SplitOp::create(builder, loc, TypeRange{reshaped(x, first), reshaped(x, rest)}, x,
                                 static_cast<uint64_t>(axis))
          .getResult(0);
    begin[static_cast<size_t>(axis)] = below(2);
    return nn::SliceOp::create(builder, loc, reshaped(x, first), x, begin, first);
  }
  Value rescaled(Value x) {
    Type type = activation(shapeOf(x), typeOf(x).scale() * 0.8f);
    if (element == ElementType::UInt8 || oneIn(2))
      return nn::QuantizeOp::create(builder, loc, type, x);
    return nn::LeakyReluOp::create(builder, loc, type, x, llvm::APFloat(0.3f), false);
  }
  Value turned(Value x) {
    ArrayRef<int64_t> shape = shapeOf(x);
    return nn::TransposeOp::create(builder, loc,
                                   reshaped(x, {shape[0], shape[2], shape[1], shape[3]}), x,
                                   ArrayRef<int64_t>{0, 2, 1, 3});
  }

  Value layer(Value x) {
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
      return depthwise(x);
    case 3:
      return pool<nn::MaxPool2DOp>(x);
    case 4:
      return pool<nn::AveragePool2DOp>(x);
    case 5:
    case 6:
      return combined<nn::AddOp>(x);
    case 7:
      return oneIn(2) ? combined<nn::MulOp>(x) : combined<nn::SubOp>(x);
    case 8:
      return padded(x);
    case 9:
      return joined(x);
    case 10:
      return rescaled(x);
    case 11:
      return shortened(x);
    case 12:
      return oneIn(2) ? turned(x) : transposed(x);
    default:
      return convolution(x);
    }
  }

  Value tail(Value x) {
    int64_t channels = shapeOf(x)[3];
    switch (below(4)) {
    case 0:
      return convolution(x);
    case 1:
      return fullyConnected(
          nn::ReshapeOp::create(builder, loc, reshaped(x, {1, typeOf(x).elements()}), x));
    case 2:
      return fullyConnected(nn::MeanOp::create(builder, loc,
                                               activation({1, channels}, typeOf(x).scale()), x,
                                               ArrayRef<int64_t>{1, 2}, false));
    default:
      return fullyConnected(fullyConnected(x));
    }
  }

  OpBuilder builder;
  Location loc;
  std::mt19937 random;
  ElementType element;
};

} // namespace

OwningOpRef<ModuleOp> randomNetwork(MLIRContext &context, unsigned seed) {
  return Generator(context, seed).run();
}

} // namespace thimble::test
