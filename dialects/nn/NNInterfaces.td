// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The interfaces through which everything else talks to operators of nn.

#ifndef THIMBLE_NN_INTERFACES
#define THIMBLE_NN_INTERFACES

include "mlir/IR/OpBase.td"

def NN_Operator : OpInterface<"NNOperator"> {
  let cppNamespace = "::thimble::nn";
  let description = [{
    What every operator can say of itself. The verifier of the interface checks that the operand
    types are a row of the legality table and that the result shapes are the inferred ones.
  }];
  let methods = [
    InterfaceMethod<[{
      The shapes that the results must have. Emits an error on the operation and fails where
      operands and attributes do not fit together.
    }], "::mlir::LogicalResult", "inferShapes",
    (ins "::llvm::SmallVectorImpl<::llvm::SmallVector<int64_t>> &":$shapes)>,
    InterfaceMethod<[{
      Compute the results as the reference kernel does. `inputs[i]` is null for an absent optional
      operand; `outputs` have their types set and are zero-filled.
    }], "::mlir::LogicalResult", "evaluate",
    (ins "::llvm::ArrayRef<const ::thimble::Tensor *>":$inputs,
         "::llvm::MutableArrayRef<::thimble::Tensor>":$outputs)>,
    InterfaceMethod<"Multiply-accumulate operations of one evaluation.",
    "int64_t", "getMacs", (ins), /*methodBody=*/"", /*defaultImplementation=*/"return 0;">
  ];
  let verify = "return ::thimble::nn::detail::verifyOperator($_op);";
}

def NN_UnaryElementwise : OpInterface<"UnaryElementwise", [NN_Operator]> {
  let cppNamespace = "::thimble::nn";
  let description = "A function of one element, applied to every element.";
  let methods = [InterfaceMethod<"Which function, with its parameters.",
    "::thimble::UnaryParams", "getUnaryParams">];
}

def NN_BinaryElementwise : OpInterface<"BinaryElementwise", [NN_Operator]> {
  let cppNamespace = "::thimble::nn";
  let description = "A function of two elements with NumPy broadcasting.";
  let methods = [InterfaceMethod<"Which function.", "::thimble::BinaryOp", "getBinaryOp">,
    InterfaceMethod<"The fused activation.", "::thimble::nn::Activation", "getFusedActivation",
      (ins), /*methodBody=*/"", /*defaultImplementation=*/"return ::thimble::nn::Activation::None;">];
}

def NN_DataMovement : OpInterface<"DataMovement", [NN_Operator]> {
  let cppNamespace = "::thimble::nn";
  let description = [{
    Moves elements without changing them. The movement is a list of strided copies per operand and
    result, known at compile time, optionally over a fill value.
  }];
  let methods = [InterfaceMethod<[{The copies, in order.}],
    "::thimble::nn::MovementPlan", "getMovement">];
}

def NN_Reduction : OpInterface<"Reduction", [NN_Operator]> {
  let cppNamespace = "::thimble::nn";
  let description = "Reduces some axes by one associative function.";
  let methods = [InterfaceMethod<"Which function.", "::thimble::ReduceOp", "getReduceOp">];
}

#endif // THIMBLE_NN_INTERFACES
