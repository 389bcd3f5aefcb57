// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// What the importers of single operators share. Private to the TFLite importer.
#pragma once

#include "compiler/import/tflite/Import.h"
#include "dialects/nn/NNOps.h"
#include "dialects/nn/reference/Quantize.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace thimble::tflite {

class Importer;

/// Imports one operator: creates nn operations and defines the operator's outputs. Fails after an
/// error was emitted.
using OperatorImporter = mlir::LogicalResult (*)(Importer &, const Operator &);

/// The importer of operators with code `code`; null where there is none.
OperatorImporter importerFor(BuiltinOperator code);

class Importer {
public:
  Importer(const Model &model, mlir::MLIRContext *context, Reference reference);

  mlir::OwningOpRef<mlir::ModuleOp> run();

  mlir::OpBuilder &ir() { return builder; }
  Reference getReference() const { return reference; }
  mlir::InFlightDiagnostic error(const Operator &op);

  //===-- Tensors -----------------------------------------------------------------------------===//
  const Tensor &tensor(int index) const { return graph->tensors[static_cast<size_t>(index)]; }
  const TensorType &typeOf(int index) const { return tensor(index).type; }
  mlir::RankedTensorType irType(int index);
  /// Input `position` of `op` as a value; null where it is absent.
  mlir::Value input(const Operator &op, size_t position);
  /// The same for a bias: plain integers, whose scale is implied.
  mlir::Value bias(const Operator &op, size_t position);
  /// The numbers in input `position`, which must be known at compile time. Emits an error,
  /// calling it `what`, if they are not.
  mlir::FailureOr<std::vector<int64_t>> integers(const Operator &op, size_t position,
                                                 llvm::StringRef what);
  /// The numbers in input `position` where they are known at compile time: an operand that repeats
  /// what the shape of an output says has to agree with it, or may come at run time.
  std::optional<std::vector<int64_t>> knownIntegers(const Operator &op, size_t position);
  /// Fails with an error unless input `position`, where it is known, says `shape`. An element of
  /// -1 stands for any.
  mlir::LogicalResult checkShapeOperand(const Operator &op, size_t position, llvm::StringRef what,
                                        llvm::ArrayRef<int64_t> shape);
  void define(int tensor, mlir::Value value) { values[tensor] = value; }

  //===-- Operations --------------------------------------------------------------------------===//
  mlir::Location locationOf(const Operator &op);
  /// Creates an operation whose results are the operator's outputs. An operation on constants is
  /// evaluated at once, so that shapes computed from shapes are constants for what follows.
  template <typename OpTy>
  mlir::LogicalResult emit(const Operator &op, mlir::ValueRange operands,
                           llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    return finish(op, OpTy::create(builder, locationOf(op), outputTypes(op), operands, attributes));
  }
  /// An operation in between, whose result is not an output of the operator.
  template <typename OpTy>
  mlir::Value intermediate(const Operator &op, mlir::Type type, mlir::ValueRange operands,
                           llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
    return OpTy::create(builder, locationOf(op), mlir::TypeRange(type), operands, attributes);
  }

  //===-- Attributes --------------------------------------------------------------------------===//
  mlir::NamedAttribute attr(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  mlir::NamedAttribute attr(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute attr(llvm::StringRef name, bool value);
  mlir::NamedAttribute attr(llvm::StringRef name, float value);
  mlir::NamedAttribute activation(schema::ActivationFunctionType function);
  mlir::NamedAttribute requant(nn::Requant rule);

private:
  llvm::SmallVector<mlir::Type> outputTypes(const Operator &op);
  mlir::LogicalResult finish(const Operator &op, mlir::Operation *created);
  mlir::Value constant(int tensor, bool plain);
  void importMain();
  void importOperator(const Operator &op);
  void createResults(mlir::func::FuncOp function);

  const Model &model;
  const Subgraph *graph;
  Reference reference;
  mlir::OpBuilder builder;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::DenseMap<int, mlir::Value> values;
  bool failed = false;
};

/// `axis` counted from the front; nothing if it is outside [-rank, rank).
std::optional<int64_t> normalizedAxis(int64_t axis, int64_t rank);

// The tables of the families, in the order in which `importerFor` asks them.
OperatorImporter elementwiseImporter(BuiltinOperator code);
OperatorImporter windowImporter(BuiltinOperator code);
OperatorImporter movementImporter(BuiltinOperator code);
OperatorImporter reductionImporter(BuiltinOperator code);

} // namespace thimble::tflite
