// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Evaluation by the reference kernels of operators that compute. Verified
// operations have types and attributes that the kernels take.

#include "dialects/nn/NNOps.h"
#include "dialects/nn/NNTypes.h"
#include "dialects/nn/reference/Conv.h"
#include "dialects/nn/reference/MatMul.h"
#include "dialects/nn/reference/Pool.h"
#include "dialects/nn/reference/Softmax.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace thimble::nn {

using Inputs = llvm::ArrayRef<const Tensor *>;
using Outputs = llvm::MutableArrayRef<Tensor>;

static thimble::Activation convert(nn::Activation activation) {
  return static_cast<thimble::Activation>(activation);
}
static_assert(static_cast<int>(nn::Activation::Relu6) ==
                  static_cast<int>(thimble::Activation::Relu6),
              "the importer's and the kernels' activations are numbered alike");
static Rounding convert(Requant requant) {
  return requant == Requant::Single ? Rounding::Single : Rounding::Double;
}
static Pads toPads(llvm::ArrayRef<int64_t> pads) {
  return {static_cast<int>(pads[0]), static_cast<int>(pads[1]), static_cast<int>(pads[2]),
          static_cast<int>(pads[3])};
}
static const Tensor *optional(Inputs inputs, size_t index) {
  return index < inputs.size() ? inputs[index] : nullptr;
}

//===-- Convolutions and matrix products ----------------------------------------------------===//

static Window2D toWindow(llvm::ArrayRef<int64_t> strides, llvm::ArrayRef<int64_t> dilations,
                         llvm::ArrayRef<int64_t> pads) {
  Window2D window;
  window.strideH = static_cast<int>(strides[0]);
  window.strideW = static_cast<int>(strides[1]);
  window.dilationH = static_cast<int>(dilations[0]);
  window.dilationW = static_cast<int>(dilations[1]);
  window.pads = toPads(pads);
  return window;
}

RequantPerChannel requantOf(Operation *op) {
  TensorType in = *toTensorType(op->getOperand(0).getType()),
             filter = *toTensorType(op->getOperand(1).getType()),
             out = *toTensorType(op->getResult(0).getType());
  std::optional<TensorType> bias;
  if (op->getNumOperands() > 2)
    bias = toTensorType(op->getOperand(2).getType());
  const TensorType *biasType = bias ? &*bias : nullptr;
  return llvm::TypeSwitch<Operation *, RequantPerChannel>(op)
      .Case([&](Conv2DOp o) {
        return prepareConv(in, filter, biasType, out, convert(o.getActivation()),
                           convert(o.getRequant()));
      })
      .Case([&](DepthwiseConv2DOp o) {
        return prepareDepthwiseConv(in, filter, out, convert(o.getActivation()),
                                    convert(o.getRequant()));
      })
      .Case([&](TransposeConvOp o) {
        return prepareTransposeConv(in, filter, out, convert(o.getActivation()),
                                    convert(o.getRequant()));
      })
      .Case([&](FullyConnectedOp o) {
        return prepareFullyConnected(in, filter, biasType, out, convert(o.getActivation()),
                                     convert(o.getRequant()));
      })
      .Case([&](BatchMatMulOp) { return prepareBatchMatMul(in, filter, out); });
}

LogicalResult Conv2DOp::evaluate(Inputs inputs, Outputs outputs) {
  conv2d(*inputs[0], *inputs[1], optional(inputs, 2), outputs[0],
         toWindow(getStrides(), getDilations(), getPads()), requantOf(*this));
  return success();
}

LogicalResult DepthwiseConv2DOp::evaluate(Inputs inputs, Outputs outputs) {
  depthwiseConv2d(*inputs[0], *inputs[1], optional(inputs, 2), outputs[0],
                  toWindow(getStrides(), getDilations(), getPads()), requantOf(*this));
  return success();
}

LogicalResult TransposeConvOp::evaluate(Inputs inputs, Outputs outputs) {
  transposeConv2d(*inputs[0], *inputs[1], optional(inputs, 2), outputs[0],
                  toWindow(getStrides(), {1, 1}, getPads()), requantOf(*this));
  return success();
}

LogicalResult FullyConnectedOp::evaluate(Inputs inputs, Outputs outputs) {
  fullyConnected(*inputs[0], *inputs[1], optional(inputs, 2), outputs[0], requantOf(*this));
  return success();
}

LogicalResult BatchMatMulOp::evaluate(Inputs inputs, Outputs outputs) {
  batchMatMul(*inputs[0], *inputs[1], getAdjX(), getAdjY(), outputs[0], requantOf(*this));
  return success();
}

//===-- Pooling -----------------------------------------------------------------------------===//

template <typename Op> static PoolWindow poolWindow(Op op) {
  PoolWindow window;
  window.filterH = static_cast<int>(op.getFilter()[0]);
  window.filterW = static_cast<int>(op.getFilter()[1]);
  window.strideH = static_cast<int>(op.getStrides()[0]);
  window.strideW = static_cast<int>(op.getStrides()[1]);
  window.pads = toPads(op.getPads());
  return window;
}

LogicalResult AveragePool2DOp::evaluate(Inputs inputs, Outputs outputs) {
  averagePool2d(*inputs[0], outputs[0], poolWindow(*this),
                preparePool(outputs[0].type, convert(getActivation())));
  return success();
}
LogicalResult MaxPool2DOp::evaluate(Inputs inputs, Outputs outputs) {
  maxPool2d(*inputs[0], outputs[0], poolWindow(*this),
            preparePool(outputs[0].type, convert(getActivation())));
  return success();
}
LogicalResult L2Pool2DOp::evaluate(Inputs inputs, Outputs outputs) {
  l2Pool2d(*inputs[0], outputs[0], poolWindow(*this),
           preparePool(outputs[0].type, convert(getActivation())));
  return success();
}

//===-- Normalizations ----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::evaluate(Inputs inputs, Outputs outputs) {
  softmax(*inputs[0], outputs[0], prepareSoftmax(inputs[0]->type, getBeta().convertToFloat()));
  return success();
}
LogicalResult LogSoftmaxOp::evaluate(Inputs inputs, Outputs outputs) {
  logSoftmax(*inputs[0], outputs[0], prepareLogSoftmax(inputs[0]->type));
  return success();
}
LogicalResult L2NormalizationOp::evaluate(Inputs inputs, Outputs outputs) {
  l2Normalization(*inputs[0], outputs[0]);
  return success();
}

} // namespace thimble::nn
