// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The nn dialect: the imported network.

#ifndef THIMBLE_NN_DIALECT
#define THIMBLE_NN_DIALECT

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/Properties.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def NN_Dialect : Dialect {
  let name = "nn";
  let cppNamespace = "::thimble::nn";
  let summary = "the imported network, with the semantics of TFLite Micro's reference kernels";
  let description = [{
    Operators on tensors with value semantics and static shapes, NHWC. Quantized tensors have
    upstream `!quant.uniform` element types; a bias is plain i32 or i64, its scale is that of the
    input times that of the filter. Every operator gives, bit for bit, what TFLite Micro's
    reference kernel of the same name gives; where references differ, the importer records the
    rule on the operation (`#nn.requant<single>`).

    One interface (`NNOperator`) serves shape inference, evaluation by the reference interpreter
    and cost; one table (`NNLegality.cpp`) says which operand types are legal.
  }];
  let dependentDialects = ["::mlir::quant::QuantDialect"];
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
}

def NN_Activation : I32EnumAttr<"Activation", "activation fused into an operator", [
    I32EnumAttrCase<"None", 0, "none">, I32EnumAttrCase<"Relu", 1, "relu">,
    I32EnumAttrCase<"ReluN1To1", 2, "relu_n1_to_1">, I32EnumAttrCase<"Relu6", 3, "relu6">]> {
  let cppNamespace = "::thimble::nn";
  let genSpecializedAttr = 0;
}
def NN_ActivationAttr : EnumAttr<NN_Dialect, NN_Activation, "activation"> {
  let assemblyFormat = "`<` $value `>`";
}

def NN_Requant : I32EnumAttr<"Requant", "how an accumulator is scaled to the output", [
    I32EnumAttrCase<"Double", 0, "double">, I32EnumAttrCase<"Single", 1, "single">]> {
  let cppNamespace = "::thimble::nn";
  let genSpecializedAttr = 0;
  let description = [{
    `double`: saturating rounding doubling high multiply, then a rounding shift (gemmlowp, TFLite
    Micro). `single`: one rounding of the exact product (LiteRT's int8 FULLY_CONNECTED).
    Accumulators of 64 bits (int16 activations with int64 bias) use TFLM's 64-bit form of `double`.
  }];
}
def NN_RequantAttr : EnumAttr<NN_Dialect, NN_Requant, "requant"> {
  let assemblyFormat = "`<` $value `>`";
}

def NN_MirrorMode : I32EnumAttr<"MirrorMode", "whether the border is repeated", [
    I32EnumAttrCase<"Reflect", 0, "reflect">, I32EnumAttrCase<"Symmetric", 1, "symmetric">]> {
  let cppNamespace = "::thimble::nn";
  let genSpecializedAttr = 0;
}
def NN_MirrorModeAttr : EnumAttr<NN_Dialect, NN_MirrorMode, "mirror"> {
  let assemblyFormat = "`<` $value `>`";
}

#endif // THIMBLE_NN_DIALECT
