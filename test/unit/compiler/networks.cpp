// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
#include "test/unit/compiler/networks.h"

#include "compiler/Interpreter.h"
#include "dialects/nn/NNTypes.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace thimble::test {

Tensor randomTensor(const TensorType &type, std::mt19937 &random) {
  Tensor tensor(type);
  if (type.element == ElementType::Float32) {
    std::normal_distribution<float> normal(0.0f, 4.0f);
    for (int64_t i = 0; i < tensor.elements(); ++i)
      tensor.as<float>()[i] = i % 17 == 3 ? -0.0f : normal(random);
    return tensor;
  }
  int mask = type.element == ElementType::Bool ? 1 : 255;
  for (std::byte &byte : tensor.data)
    byte = static_cast<std::byte>(static_cast<int>(random()) & mask);
  return tensor;
}

/// The bytes of one element repeated.
static void repeat(Tensor &tensor, const Tensor &element) {
  for (size_t i = 0; i < tensor.data.size(); ++i)
    tensor.data[i] = element.data[i % element.data.size()];
}

static Tensor extreme(TensorType type, bool greatest) {
  type.shape = {1};
  Tensor element(type);
  bool isUnsigned = type.element == ElementType::UInt8 || type.element == ElementType::Bool;
  std::fill(element.data.begin(), element.data.end(), std::byte(greatest ? 255 : 0));
  if (!isUnsigned)
    element.data.back() ^= std::byte(128);
  if (type.element == ElementType::Bool)
    element.data.back() = std::byte(greatest);
  return element;
}

std::vector<Tensor> makeInputs(func::FuncOp function, int round, std::mt19937 &random) {
  std::vector<Tensor> inputs;
  for (Type argument : function.getArgumentTypes()) {
    TensorType type = *nn::toTensorType(argument);
    Tensor tensor = randomTensor(type, random);
    bool isFloat = type.element == ElementType::Float32;
    size_t size = byteSize(type.element);
    switch (isFloat ? 0 : round % inputKinds) {
    case 1:
    case 2:
      repeat(tensor, extreme(type, round % inputKinds == 2));
      break;
    case 3:
      for (size_t i = 0; i < tensor.data.size(); i += size) {
        Tensor element = extreme(type, random() & 1);
        std::copy(element.data.begin(), element.data.end(),
                  tensor.data.begin() + static_cast<long>(i));
      }
      break;
    case 4: {
      type.shape = {1};
      repeat(tensor, randomTensor(type, random));
      break;
    }
    default:
      break;
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

void expectSameResults(ModuleOp before, ModuleOp after, int rounds) {
  std::mt19937 random(1);
  for (func::FuncOp function : before.getOps<func::FuncOp>()) {
    auto changed = after.lookupSymbol<func::FuncOp>(function.getName());
    ASSERT_TRUE(changed);
    ASSERT_EQ(function.getFunctionType(), changed.getFunctionType());
    for (int round = 0; round < rounds; ++round) {
      std::vector<Tensor> inputs = makeInputs(function, round, random);
      auto expected = interpret(function, inputs), actual = interpret(changed, inputs);
      ASSERT_TRUE(succeeded(expected) && succeeded(actual)) << function.getName().str();
      for (size_t i = 0; i < expected->size(); ++i)
        EXPECT_EQ((*expected)[i].data, (*actual)[i].data)
            << "result " << i << " of " << function.getName().str() << ", input " << round;
    }
  }
}

} // namespace thimble::test
