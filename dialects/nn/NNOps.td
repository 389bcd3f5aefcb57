// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Operators of the nn dialect. Families share a base class; a family's interface lets passes and
// kernels treat its members alike.

#ifndef THIMBLE_NN_OPS
#define THIMBLE_NN_OPS

include "dialects/nn/NNDialect.td"
include "dialects/nn/NNInterfaces.td"

class NN_OpBase<string mnemonic, list<Trait> traits> : Op<NN_Dialect, mnemonic, traits> {
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
}

// An operator: pure, and of the interface.
class NN_Op<string mnemonic, list<Trait> traits = [],
            list<string> extraMethods = []>
    : NN_OpBase<mnemonic, !listconcat([Pure,
        DeclareOpInterfaceMethods<NN_Operator, extraMethods>], traits)>;

def NN_Tensor : RankedTensorOf<[AnyType]>;

//===-- Constants ---------------------------------------------------------------------------===//

def NN_ConstantOp : NN_OpBase<"constant", [Pure, ConstantLike]> {
  let summary = "a tensor known at compile time";
  let description = [{
    Weights, biases and tables. `value` holds the stored integers (or floats) with the storage
    type as element type; the result type adds the quantization.

    ```mlir
    %0 = nn.constant dense<[1, -2]> : tensor<2xi8> -> tensor<2x!quant.uniform<i8:f32, 5.000000e-01>>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs NN_Tensor:$output);
  let assemblyFormat = "attr-dict $value `->` type($output)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===-- Convolutions and matrix products ----------------------------------------------------===//

class NN_MacOp<string mnemonic> : NN_Op<mnemonic, [], ["getMacs"]>;

defvar windowDescription = [{
    `strides` and `dilations` are [height, width]; `pads` is [top, bottom, left, right] in input
    rows and columns: the importer resolves SAME and VALID, so nothing later depends on them. At the
    bottom and right a negative number leaves rows or columns of the input out.
}];

def NN_Conv2DOp : NN_MacOp<"conv_2d"> {
  let summary = "two-dimensional convolution";
  let description = windowDescription # [{
    input N,H,W,C; filter O,KH,KW,I; bias O. C is a multiple of I: C/I groups (TFLM's grouped convolution). Follows TFLM's
    `conv.cc` and `reference_integer_ops::ConvPerChannel`.

    ```mlir
    func.func @f(%x: tensor<1x8x8x3xf32>, %w: tensor<4x3x3x3xf32>, %b: tensor<4xf32>) -> tensor<1x8x8x4xf32> {
      %y = nn.conv_2d %x, %w, %b {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
             pads = array<i64: 1, 1, 1, 1>, activation = #nn.activation<relu>, requant = #nn.requant<double>}
           : (tensor<1x8x8x3xf32>, tensor<4x3x3x3xf32>, tensor<4xf32>) -> tensor<1x8x8x4xf32>
      return %y : tensor<1x8x8x4xf32>
    }
    ```
  }];
  let arguments = (ins NN_Tensor:$input, NN_Tensor:$filter, Optional<NN_Tensor>:$bias,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$pads,
    NN_ActivationAttr:$activation, NN_RequantAttr:$requant);
  let results = (outs NN_Tensor:$output);
}

def NN_DepthwiseConv2DOp : NN_MacOp<"depthwise_conv_2d"> {
  let summary = "two-dimensional convolution of each channel with its own filters";
  let description = windowDescription # [{
    input N,H,W,C; filter 1,KH,KW,C*M; bias C*M: output channel o reads input channel o / M.
    Follows TFLM's `depthwise_conv.cc` and `reference_integer_ops::DepthwiseConvPerChannel`.
  }];
  let arguments = NN_Conv2DOp.arguments;
  let results = (outs NN_Tensor:$output);
}

def NN_TransposeConvOp : NN_MacOp<"transpose_conv"> {
  let summary = "transposed two-dimensional convolution";
  let description = [{
    input N,H,W,I; filter O,KH,KW,I. `pads` [top, bottom, left, right] are those of the forward
    convolution whose gradient this is. Follows TFLM's `transpose_conv.cc`.
  }];
  let arguments = (ins NN_Tensor:$input, NN_Tensor:$filter, Optional<NN_Tensor>:$bias,
    DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
    NN_ActivationAttr:$activation, NN_RequantAttr:$requant);
  let results = (outs NN_Tensor:$output);
}

def NN_FullyConnectedOp : NN_MacOp<"fully_connected"> {
  let summary = "product with a weight matrix";
  let description = [{
    The input is read as a matrix of rows of K elements, K being the filter's second dimension; filter O,K; bias O. The result
    has the same number of rows, of O elements. Follows TFLM's `fully_connected.cc`; with
    `#nn.requant<single>` LiteRT's reference kernel.
  }];
  let arguments = (ins NN_Tensor:$input, NN_Tensor:$filter, Optional<NN_Tensor>:$bias,
    NN_ActivationAttr:$activation, NN_RequantAttr:$requant);
  let results = (outs NN_Tensor:$output);
}

def NN_BatchMatMulOp : NN_MacOp<"batch_matmul"> {
  let summary = "products of matrices, broadcast over the leading dimensions";
  let description = "Follows TFLM's `batch_matmul.cc`. `adjX` and `adjY` transpose the operand first.";
  let arguments = (ins NN_Tensor:$lhs, NN_Tensor:$rhs, BoolAttr:$adjX, BoolAttr:$adjY);
  let results = (outs NN_Tensor:$output);
}

//===-- Pooling -----------------------------------------------------------------------------===//

class NN_PoolOp<string mnemonic, string what, string source> : NN_Op<mnemonic> {
  let summary = what # " over windows of a picture";
  let description = [{
    `filter` and `strides` are [height, width], `pads` [top, bottom, left, right]; padding does not take part.
    At the bottom and right a negative number leaves rows or columns of the input out.
    Follows }] # source # ".";
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$filter, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$pads, NN_ActivationAttr:$activation);
  let results = (outs NN_Tensor:$output);
}
def NN_AveragePool2DOp : NN_PoolOp<"average_pool_2d", "mean",
  "`reference_integer_ops::AveragePool` (rounded half away from zero)">;
def NN_MaxPool2DOp : NN_PoolOp<"max_pool_2d", "maximum", "`reference_integer_ops::MaxPool`">;
def NN_L2Pool2DOp : NN_PoolOp<"l2_pool_2d", "root of the mean square", "`reference_ops::L2Pool`">;

//===-- Normalizations over the last axis ---------------------------------------------------===//

def NN_SoftmaxOp : NN_Op<"softmax"> {
  let summary = "exp(beta x) divided by its sum along the last axis";
  let description = [{Follows TFLM's `softmax_common.cc` and `reference_ops::Softmax`: gemmlowp fixed
    point for 8 bits, two lookup tables for int16.}];
  let arguments = (ins NN_Tensor:$input, F32Attr:$beta);
  let results = (outs NN_Tensor:$output);
}
def NN_LogSoftmaxOp : NN_Op<"log_softmax"> {
  let summary = "logarithm of softmax along the last axis";
  let description = "Follows TFLM's `log_softmax.cc` and `reference_ops::LogSoftmax`.";
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_Tensor:$output);
}
def NN_L2NormalizationOp : NN_Op<"l2_normalization"> {
  let summary = "divides by the Euclidean norm along the last axis";
  let description = "Follows TFLM's `l2norm.cc` and `reference_ops::L2Normalization`.";
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_Tensor:$output);
}

//===-- Elementwise functions of one tensor -------------------------------------------------===//

// `litert`: LiteRT's arithmetic where it differs from TFLite Micro's (see reference/Rule.h). Types
// that only LiteRT has (uint8) follow it without the flag.
class NN_UnaryOp<string mnemonic, string kind, string formula, string source = "">
    : NN_OpBase<mnemonic, [Pure, DeclareOpInterfaceMethods<NN_Operator>,
                           DeclareOpInterfaceMethods<NN_UnaryElementwise>]> {
  let summary = formula # " of every element";
  let description = "Follows " # !if(!empty(source), "TFLM's kernel of the same name", source) # ".";
  let arguments = (ins NN_Tensor:$input, UnitAttr:$litert);
  let results = (outs NN_Tensor:$output);
  let extraClassDefinition = [{
    ::thimble::UnaryParams $cppClass::getUnaryParams() {
      return detail::unaryParams(*this, ::thimble::UnaryOp::}] # kind # [{);
    }
    ::mlir::LogicalResult $cppClass::inferShapes(::llvm::SmallVectorImpl<::llvm::SmallVector<int64_t>> &shapes) {
      return detail::sameShape(*this, shapes);
    }
    ::mlir::LogicalResult $cppClass::evaluate(::llvm::ArrayRef<const ::thimble::Tensor *> inputs,
        ::llvm::MutableArrayRef<::thimble::Tensor> outputs) {
      return detail::evaluateUnary(*this, inputs, outputs);
    }
  }];
}

def NN_AbsOp : NN_UnaryOp<"abs", "Abs", "absolute value", "TFLM's `elementwise.cc` (quantized: AbsInt8/AbsInt16 with rescaling)">;
def NN_NegOp : NN_UnaryOp<"neg", "Neg", "negative">;
def NN_SqrtOp : NN_UnaryOp<"sqrt", "Sqrt", "square root", "TFLM's `elementwise.cc`">;
def NN_RsqrtOp : NN_UnaryOp<"rsqrt", "Rsqrt", "reciprocal square root", "TFLM's `elementwise.cc` (integers: GetInvSqrtQuantizedMultiplierExp)">;
def NN_SquareOp : NN_UnaryOp<"square", "Square", "square", "TFLM's `elementwise.cc`">;
def NN_ExpOp : NN_UnaryOp<"exp", "Exp", "exponential">;
def NN_LogOp : NN_UnaryOp<"log", "Log", "natural logarithm", "TFLM's `elementwise.cc`">;
def NN_SinOp : NN_UnaryOp<"sin", "Sin", "sine", "TFLM's `elementwise.cc`">;
def NN_CosOp : NN_UnaryOp<"cos", "Cos", "cosine", "TFLM's `elementwise.cc`">;
def NN_FloorOp : NN_UnaryOp<"floor", "Floor", "largest integer not above">;
def NN_CeilOp : NN_UnaryOp<"ceil", "Ceil", "smallest integer not below">;
def NN_RoundOp : NN_UnaryOp<"round", "Round", "nearest integer, ties to even">;
def NN_ReluOp : NN_UnaryOp<"relu", "Relu", "max(0, x)", "TFLM's `activations.cc` (8 and 16 bits are rescaled)">;
def NN_Relu6Op : NN_UnaryOp<"relu6", "Relu6", "min(max(0, x), 6)", "TFLM's `activations.cc`">;
def NN_ReluN1To1Op : NN_UnaryOp<"relu_n1_to_1", "ReluN1To1", "clamp to [-1, 1]", "LiteRT's `activations.cc`">;
def NN_Relu0To1Op : NN_UnaryOp<"relu_0_to_1", "Relu0To1", "clamp to [0, 1]", "LiteRT's `activations.cc`">;
def NN_LogisticOp : NN_UnaryOp<"logistic", "Logistic", "1 / (1 + exp(-x))",
  "TFLM's `logistic_common.cc`: `reference_integer_ops::Logistic` for int8 and int16">;
def NN_TanhOp : NN_UnaryOp<"tanh", "Tanh", "hyperbolic tangent",
  "TFLM's `tanh.cc`: `reference_integer_ops::Tanh` for int8 and int16">;
def NN_EluOp : NN_UnaryOp<"elu", "Elu", "x, or exp(x) - 1 below zero,", "TFLM's `elu.cc` (int8: a table made with floats)">;
def NN_HardSwishOp : NN_UnaryOp<"hard_swish", "HardSwish", "x min(max(0, x + 3), 6) / 6", "TFLM's `hard_swish.cc`">;
def NN_LogicalNotOp : NN_UnaryOp<"logical_not", "LogicalNot", "negation">;
def NN_GeluOp : NN_UnaryOp<"gelu", "Gelu", "Gaussian error linear unit", "LiteRT's `gelu.cc`"> {
  let arguments = (ins NN_Tensor:$input, BoolAttr:$approximate, UnitAttr:$litert);
}
def NN_LeakyReluOp : NN_UnaryOp<"leaky_relu", "LeakyRelu", "x, or alpha x below zero,", "TFLM's `leaky_relu.cc`"> {
  let arguments = (ins NN_Tensor:$input, F32Attr:$alpha, UnitAttr:$litert);
}

def NN_LookupOp : NN_OpBase<"lookup", [Pure, DeclareOpInterfaceMethods<NN_Operator>]> {
  let summary = "table lookup of every 8-bit element";
  let description = [{
    `table` has 256 entries of the output's storage type, indexed by the element's value minus the
    least value of its type. Simplification turns chains of 8-bit elementwise operators into one lookup.
  }];
  let arguments = (ins NN_Tensor:$input, ElementsAttr:$table);
  let results = (outs NN_Tensor:$output);
}

//===-- Conversions -------------------------------------------------------------------------===//

class NN_ConversionOp<string mnemonic, string what, string source> : NN_Op<mnemonic> {
  let summary = what;
  let description = "Follows " # source # ".";
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_Tensor:$output);
}
def NN_CastOp : NN_ConversionOp<"cast", "converts the stored numbers",
  "TFLM's `cast.cc`; a float outside the integer's range saturates">;
def NN_QuantizeOp : NN_ConversionOp<"quantize", "converts to another quantization",
  "TFLM's `quantize_common.cc`: `AffineQuantize` from float, `Requantize` between integers">;
def NN_DequantizeOp : NN_ConversionOp<"dequantize", "converts quantized numbers to floats",
  "TFLM's `dequantize.cc`">;

//===-- Elementwise functions of two tensors ------------------------------------------------===//

class NN_BinaryOpBase<string mnemonic, string kind, string formula, string fused>
    : NN_OpBase<mnemonic, [Pure, DeclareOpInterfaceMethods<NN_Operator>,
                           DeclareOpInterfaceMethods<NN_BinaryElementwise, ["getFusedActivation"]>]> {
  let summary = formula # " of every pair of elements, with broadcasting";
  let description = "Follows TFLM's kernel of the same name (LiteRT's for uint8).";
  let results = (outs NN_Tensor:$output);
  let extraClassDefinition = [{
    ::thimble::BinaryOp $cppClass::getBinaryOp() { return ::thimble::BinaryOp::}] # kind # [{; }
    Activation $cppClass::getFusedActivation() { return }] # fused # [{; }
    ::mlir::LogicalResult $cppClass::inferShapes(::llvm::SmallVectorImpl<::llvm::SmallVector<int64_t>> &shapes) {
      return detail::broadcastShape(*this, shapes);
    }
    ::mlir::LogicalResult $cppClass::evaluate(::llvm::ArrayRef<const ::thimble::Tensor *> inputs,
        ::llvm::MutableArrayRef<::thimble::Tensor> outputs) {
      return detail::evaluateBinary(*this, inputs, outputs);
    }
  }];
}
class NN_BinaryOp<string mnemonic, string kind, string formula>
    : NN_BinaryOpBase<mnemonic, kind, formula, "Activation::None"> {
  let arguments = (ins NN_Tensor:$lhs, NN_Tensor:$rhs, UnitAttr:$litert);
}
class NN_ArithmeticOp<string mnemonic, string kind, string formula>
    : NN_BinaryOpBase<mnemonic, kind, formula, "getActivation()"> {
  let arguments = (ins NN_Tensor:$lhs, NN_Tensor:$rhs, NN_ActivationAttr:$activation, UnitAttr:$litert);
}
def NN_AddOp : NN_ArithmeticOp<"add", "Add", "sum">;
def NN_SubOp : NN_ArithmeticOp<"sub", "Sub", "difference">;
def NN_MulOp : NN_ArithmeticOp<"mul", "Mul", "product">;
def NN_DivOp : NN_ArithmeticOp<"div", "Div", "quotient">;
def NN_MinimumOp : NN_BinaryOp<"minimum", "Minimum", "lesser">;
def NN_MaximumOp : NN_BinaryOp<"maximum", "Maximum", "greater">;
def NN_SquaredDifferenceOp : NN_BinaryOp<"squared_difference", "SquaredDifference", "squared difference">;
def NN_FloorDivOp : NN_BinaryOp<"floor_div", "FloorDiv", "quotient, rounded down,">;
def NN_FloorModOp : NN_BinaryOp<"floor_mod", "FloorMod", "remainder with the sign of the divisor">;
def NN_PowOp : NN_BinaryOp<"pow", "Pow", "power">;
def NN_Atan2Op : NN_BinaryOp<"atan2", "Atan2", "angle">;
def NN_EqualOp : NN_BinaryOp<"equal", "Equal", "whether equal,">;
def NN_NotEqualOp : NN_BinaryOp<"not_equal", "NotEqual", "whether different,">;
def NN_LessOp : NN_BinaryOp<"less", "Less", "whether less,">;
def NN_LessEqualOp : NN_BinaryOp<"less_equal", "LessEqual", "whether not greater,">;
def NN_GreaterOp : NN_BinaryOp<"greater", "Greater", "whether greater,">;
def NN_GreaterEqualOp : NN_BinaryOp<"greater_equal", "GreaterEqual", "whether not less,">;
def NN_LogicalAndOp : NN_BinaryOp<"logical_and", "LogicalAnd", "conjunction">;
def NN_LogicalOrOp : NN_BinaryOp<"logical_or", "LogicalOr", "disjunction">;
def NN_PReluOp : NN_BinaryOp<"prelu", "Prelu", "x, or alpha x below zero,">;

def NN_AddNOp : NN_Op<"add_n"> {
  let summary = "sum of several tensors of one shape";
  let description = "Follows TFLM's `add_n.cc`.";
  let arguments = (ins Variadic<NN_Tensor>:$inputs);
  let results = (outs NN_Tensor:$output);
}
def NN_SelectOp : NN_Op<"select"> {
  let summary = "elements of one or the other tensor by a condition, with broadcasting";
  let description = "Follows TFLM's `select.cc` (SELECT_V2). The importer reshapes the condition of SELECT.";
  let arguments = (ins NN_Tensor:$condition, NN_Tensor:$onTrue, NN_Tensor:$onFalse);
  let results = (outs NN_Tensor:$output);
}

//===-- Movement of elements ----------------------------------------------------------------===//

class NN_MovementOp<string mnemonic, string what>
    : NN_OpBase<mnemonic, [Pure, DeclareOpInterfaceMethods<NN_Operator>,
                           DeclareOpInterfaceMethods<NN_DataMovement>]> {
  let summary = what;
  let description = "Follows TFLM's kernel of the same name.";
  let results = (outs NN_Tensor:$output);
  code evaluateByCopies = [{
    ::mlir::LogicalResult $cppClass::evaluate(::llvm::ArrayRef<const ::thimble::Tensor *> inputs,
        ::llvm::MutableArrayRef<::thimble::Tensor> outputs) {
      return detail::evaluateMovement(*this, inputs, outputs);
    }
  }];
  let extraClassDefinition = evaluateByCopies;
}
def NN_ReshapeOp : NN_MovementOp<"reshape", "the same elements in another shape"> {
  let description = "RESHAPE, SQUEEZE and EXPAND_DIMS are all imported as this. Never moves a byte when planned as an alias.";
  let arguments = (ins NN_Tensor:$input);
  let hasFolder = 1;
}
def NN_TransposeOp : NN_MovementOp<"transpose", "permutes the axes"> {
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$permutation);
  let hasFolder = 1;
}
def NN_SliceOp : NN_MovementOp<"slice", "a box cut out of a tensor"> {
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$begin, DenseI64ArrayAttr:$size);
  let hasFolder = 1;
}
def NN_StridedSliceOp : NN_MovementOp<"strided_slice", "every n-th element of a box"> {
  let description = [{The importer resolves the masks of STRIDED_SLICE: `begin`, `strides` and `size`
    (elements taken) have one entry for each axis of the input; the result may have fewer (shrunk) or more (new) axes of size 1.
    Follows TFLM's `strided_slice.cc`.}];
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$begin, DenseI64ArrayAttr:$size,
    DenseI64ArrayAttr:$strides);
  let hasFolder = 1;
}
def NN_ConcatenationOp : NN_MovementOp<"concatenation", "tensors joined along an axis"> {
  let description = "Follows TFLM's `concatenation.cc`; uint8 inputs whose quantization differs are rescaled first: the importer inserts nn.lookup.";
  let arguments = (ins Variadic<NN_Tensor>:$inputs, I64Attr:$axis);
  let hasFolder = 1;
}
def NN_SplitOp : NN_MovementOp<"split", "a tensor cut into several along an axis"> {
  let description = "SPLIT and SPLIT_V; the result types say where to cut.";
  let arguments = (ins NN_Tensor:$input, I64Attr:$axis);
  let results = (outs Variadic<NN_Tensor>:$outputs);
}
def NN_PackOp : NN_MovementOp<"pack", "tensors stacked along a new axis"> {
  let arguments = (ins Variadic<NN_Tensor>:$inputs, I64Attr:$axis);
}
def NN_UnpackOp : NN_MovementOp<"unpack", "a tensor taken apart along an axis"> {
  let arguments = (ins NN_Tensor:$input, I64Attr:$axis);
  let results = (outs Variadic<NN_Tensor>:$outputs);
}
def NN_PadOp : NN_MovementOp<"pad", "a border of one value"> {
  let description = "PAD and PADV2. `paddings` is [before, after] for each axis; without `value` the border is zero (the zero point of a quantized tensor).";
  let arguments = (ins NN_Tensor:$input, Optional<NN_Tensor>:$value, DenseI64ArrayAttr:$paddings);
  let hasFolder = 1;
}
def NN_MirrorPadOp : NN_MovementOp<"mirror_pad", "a border that mirrors the tensor"> {
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$paddings, NN_MirrorModeAttr:$mode);
  let hasFolder = 1;
}
def NN_TileOp : NN_MovementOp<"tile", "a tensor repeated along its axes"> {
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$multiples);
  let hasFolder = 1;
}
def NN_BroadcastToOp : NN_MovementOp<"broadcast_to", "a tensor repeated along its axes of size 1"> {
  let arguments = (ins NN_Tensor:$input);
  let hasFolder = 1;
}
def NN_ReverseOp : NN_MovementOp<"reverse", "a tensor reversed along some axes"> {
  let description = "Follows LiteRT's `reverse.cc` (REVERSE_V2).";
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$axes);
  let hasFolder = 1;
}
def NN_SpaceToDepthOp : NN_MovementOp<"space_to_depth", "blocks of pixels moved into channels"> {
  let arguments = (ins NN_Tensor:$input, I64Attr:$blockSize);
}
def NN_DepthToSpaceOp : NN_MovementOp<"depth_to_space", "channels moved into blocks of pixels"> {
  let arguments = (ins NN_Tensor:$input, I64Attr:$blockSize);
}
def NN_SpaceToBatchNDOp : NN_MovementOp<"space_to_batch_nd", "blocks of a padded tensor moved into the batch"> {
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$blockShape, DenseI64ArrayAttr:$paddings);
}
def NN_BatchToSpaceNDOp : NN_MovementOp<"batch_to_space_nd", "batch moved into blocks of a cropped tensor"> {
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$blockShape, DenseI64ArrayAttr:$crops);
}

//===-- Indexing by run-time tensors --------------------------------------------------------===//

def NN_GatherOp : NN_Op<"gather"> {
  let summary = "slices picked by indices along an axis";
  let description = "Follows TFLM's `gather.cc`. An index outside the axis is clamped to it.";
  let arguments = (ins NN_Tensor:$input, NN_Tensor:$indices, I64Attr:$axis, I64Attr:$batchDims);
  let results = (outs NN_Tensor:$output);
}
def NN_GatherNDOp : NN_Op<"gather_nd"> {
  let summary = "slices picked by index tuples";
  let description = "Follows TFLM's `gather_nd.cc`. Indices outside an axis are clamped to it.";
  let arguments = (ins NN_Tensor:$input, NN_Tensor:$indices);
  let results = (outs NN_Tensor:$output);
}
def NN_ScatterNDOp : NN_Op<"scatter_nd"> {
  let summary = "slices added at index tuples of a zero tensor";
  let description = "Follows LiteRT's `scatter_nd.cc`. Slices whose indices lie outside are dropped.";
  let arguments = (ins NN_Tensor:$indices, NN_Tensor:$updates);
  let results = (outs NN_Tensor:$output);
}
def NN_OneHotOp : NN_Op<"one_hot"> {
  let summary = "one value at the index along a new axis, another elsewhere";
  let description = "Follows LiteRT's `one_hot.cc`.";
  let arguments = (ins NN_Tensor:$indices, NN_Tensor:$onValue, NN_Tensor:$offValue, I64Attr:$axis);
  let results = (outs NN_Tensor:$output);
}
def NN_FillOp : NN_Op<"fill"> {
  let summary = "a tensor of one value";
  let description = "Follows TFLM's `fill.cc`.";
  let arguments = (ins NN_Tensor:$value);
  let results = (outs NN_Tensor:$output);
}
def NN_ShapeOp : NN_Op<"shape"> {
  let summary = "the shape of a tensor as a tensor";
  let description = "Always a constant here: shapes are static.";
  let arguments = (ins NN_Tensor:$input);
  let results = (outs NN_Tensor:$output);
}

//===-- Reductions --------------------------------------------------------------------------===//

class NN_ReductionOp<string mnemonic, string kind, string what, string source = "TFLM's `reduce_common.cc`">
    : NN_OpBase<mnemonic, [Pure, DeclareOpInterfaceMethods<NN_Operator>,
                           DeclareOpInterfaceMethods<NN_Reduction>]> {
  let summary = what # " over some axes";
  let description = "Follows " # source # ".";
  let arguments = (ins NN_Tensor:$input, DenseI64ArrayAttr:$axes, BoolAttr:$keepDims);
  let results = (outs NN_Tensor:$output);
  let extraClassDefinition = [{
    ::thimble::ReduceOp $cppClass::getReduceOp() { return ::thimble::ReduceOp::}] # kind # [{; }
    ::mlir::LogicalResult $cppClass::inferShapes(::llvm::SmallVectorImpl<::llvm::SmallVector<int64_t>> &shapes) {
      return detail::reducedShape(*this, getAxes(), getKeepDims(), shapes);
    }
    ::mlir::LogicalResult $cppClass::evaluate(::llvm::ArrayRef<const ::thimble::Tensor *> inputs,
        ::llvm::MutableArrayRef<::thimble::Tensor> outputs) {
      return detail::evaluateReduction(*this, getAxes(), inputs, outputs);
    }
  }];
}
def NN_MeanOp : NN_ReductionOp<"mean", "Mean", "mean", "TFLM's `reduce_common.cc`: integer sum and one fixed-point scaling for 8 and 16 bits">;
def NN_SumOp : NN_ReductionOp<"sum", "Sum", "sum">;
def NN_ReduceMaxOp : NN_ReductionOp<"reduce_max", "Max", "maximum">;
def NN_ReduceMinOp : NN_ReductionOp<"reduce_min", "Min", "minimum">;
def NN_ReduceProdOp : NN_ReductionOp<"reduce_prod", "Prod", "product", "LiteRT's `reduce.cc`">;
def NN_ReduceAnyOp : NN_ReductionOp<"reduce_any", "Any", "disjunction", "LiteRT's `reduce.cc`">;
def NN_ReduceAllOp : NN_ReductionOp<"reduce_all", "All", "conjunction", "LiteRT's `reduce.cc`">;

class NN_ArgOp<string mnemonic, string what> : NN_Op<mnemonic> {
  let summary = "index of the " # what # " along an axis";
  let description = "Follows TFLM's `arg_min_max.cc`: the first of equals wins.";
  let arguments = (ins NN_Tensor:$input, I64Attr:$axis);
  let results = (outs NN_Tensor:$output);
}
def NN_ArgMaxOp : NN_ArgOp<"arg_max", "maximum">;
def NN_ArgMinOp : NN_ArgOp<"arg_min", "minimum">;

//===-- Resizing ----------------------------------------------------------------------------===//

class NN_ResizeOp<string mnemonic, string what> : NN_Op<mnemonic> {
  let summary = "a picture scaled " # what;
  let description = "Follows TFLM's kernel of the same name.";
  let arguments = (ins NN_Tensor:$input, BoolAttr:$alignCorners, BoolAttr:$halfPixelCenters);
  let results = (outs NN_Tensor:$output);
}
def NN_ResizeBilinearOp : NN_ResizeOp<"resize_bilinear", "with linear interpolation">;
def NN_ResizeNearestNeighborOp : NN_ResizeOp<"resize_nearest_neighbor", "by its nearest pixels">;

#endif // THIMBLE_NN_OPS
