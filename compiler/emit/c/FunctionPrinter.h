// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// Prints a layer function: structured control flow over scalars and 1-D memrefs.
//
// A pure value with one use is folded into the expression that uses it. Until then it is
// *pending*; it becomes a const local after all when something that it reads is about to change:
// memory by a store, a variable by an assignment. Values carried by loops are variables. A loop
// takes over the variable of the value it starts from if nobody reads that value afterwards, and
// a conditional assigns straight to the variable of the loop around it where that is safe: so an
// accumulator keeps one name through all loops.
#pragma once

#include "compiler/emit/c/Expression.h"
#include "compiler/emit/c/Names.h"
#include "dialects/m4/M4Ops.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseMap.h"

namespace thimble::emit {

class FunctionPrinter {
public:
  /// `qualifiers` precede the return type, on a line of their own.
  FunctionPrinter(Scopes &scopes, llvm::StringRef qualifiers)
      : scopes(scopes), qualifiers(qualifiers) {}

  /// The definition of `function`, called `name`, or failure with an error reported on an
  /// operation.
  mlir::FailureOr<std::string> print(mlir::func::FuncOp function, llvm::StringRef name);
  mlir::FailureOr<std::string> print(mlir::func::FuncOp function) {
    return print(function, function.getSymName());
  }

private:
  // Functions.cpp: statements.
  std::string signature(mlir::func::FuncOp function, llvm::StringRef name);
  void printCall(m4::CallOp called);
  mlir::LogicalResult printBlock(mlir::Block &block);
  mlir::LogicalResult printOperation(mlir::Operation *op);
  mlir::LogicalResult printFor(mlir::scf::ForOp loop);
  mlir::LogicalResult printIf(mlir::scf::IfOp branch);
  mlir::LogicalResult printSwitch(mlir::scf::IndexSwitchOp choice);
  mlir::FailureOr<std::string> printRegion(mlir::Region &region, std::vector<std::string> targets);
  void printYield(mlir::Operation *yield);
  void assign(llvm::StringRef variable, const Expression &value);
  void line(const std::string &text);

  // Values.cpp: what becomes of the result of an operation.
  void define(mlir::Value value, Expression expression);
  Expression materialize(mlir::Value value, const Expression &expression);
  template <typename Predicate> void flush(Predicate isAffected);
  void flushMemoryReaders();
  void flushVariableReaders();
  void setVariable(mlir::Value value, const std::string &variable);
  std::string takeOver(mlir::scf::ForOp loop, unsigned i);
  std::string yieldTarget(mlir::scf::IfOp branch, unsigned i);
  Expression use(mlir::Value value);     // once: no longer pending
  Expression useFree(mlir::Value value); // as often as needed

  // Expressions.cpp: the expression of an operation; nothing if it has no C form.
  std::optional<Expression> expression(mlir::Operation *op);
  std::optional<Expression> integerArithmetic(mlir::Operation *op);
  std::optional<Expression> floatArithmetic(mlir::Operation *op);
  std::optional<Expression> conversion(mlir::Operation *op);
  std::optional<Expression> comparison(mlir::Operation *op);
  std::optional<Expression> memory(mlir::Operation *op);
  Expression unsignedOperand(mlir::Value value);
  Expression element(mlir::Value buffer, mlir::Value index);
  Expression call(llvm::StringRef callee, llvm::ArrayRef<Expression> arguments);
  Expression callRuntime(llvm::StringRef callee, mlir::Operation *op);

  Scopes &scopes;
  std::string qualifiers;
  std::string out;
  unsigned depth = 0;
  llvm::DenseMap<mlir::Value, Expression> values;
  std::vector<mlir::Value> pending;              // oldest first
  llvm::StringMap<mlir::Value> holders;          // the live value in each variable
  std::vector<std::vector<std::string>> targets; // of the yields of the open regions
};

/// Whether the function of the runtime that the user of `use` becomes takes a uint32_t there.
bool takesUnsigned(mlir::OpOperand &use);
/// Whether the function of the runtime that `op` becomes returns a uint32_t.
bool givesUnsigned(mlir::Operation *op);
/// Whether all uses of `value` take a uint32_t.
bool isWord(mlir::Value value);

/// The C type of a scalar or of a memref's element: index is int32_t, i1 bool.
std::string scalarType(mlir::Type type);

/// Breaks `text`, a statement indented by `indent` columns, into lines of at most 100 columns.
std::string wrapped(const std::string &text, unsigned indent);

} // namespace thimble::emit
