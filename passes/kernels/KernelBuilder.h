// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// A small embedded language in which kernels are written: C++ expressions on `Val` build loops of
// scf, arith, memref and m4. From those come both the C source and the object file, so nothing
// about a kernel is written twice.
//
// Numbers: elements of 8 and 16 bits are widened to i32 when loaded and truncated when stored;
// indices have type `index`. Arithmetic on indices never overflows (shapes are bounded by the
// verifier of nn); i32 and i64 arithmetic wraps unless a `NoOverflow` scope says that it has been
// proved not to overflow. Everything that is constant folds while it is built, and loops of one
// trip disappear.
#pragma once

#include "dialects/nn/reference/Quantize.h"
#include "dialects/nn/reference/Tensor.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <string>

namespace thimble {

class KernelBuilder;

/// A scalar in the code being built: i1, i32, i64, index or f32.
class Val {
public:
  Val() = default;
  Val(KernelBuilder &builder, mlir::Value value) : builder(&builder), ir(value) {}

  mlir::Value value() const { return ir; }
  KernelBuilder &getBuilder() const { return *builder; }
  mlir::Type type() const { return ir.getType(); }
  bool isFloat() const { return mlir::isa<mlir::FloatType>(ir.getType()); }
  bool isIndex() const { return ir.getType().isIndex(); }
  /// The number that it is known to be, if it is.
  std::optional<int64_t> constant() const;
  explicit operator bool() const { return static_cast<bool>(ir); }

private:
  KernelBuilder *builder = nullptr;
  mlir::Value ir;
};

Val operator+(Val a, Val b);
Val operator-(Val a, Val b);
Val operator*(Val a, Val b);
/// Division truncates for i32 and i64. Both operands of an index division are not negative.
Val operator/(Val a, Val b);
Val operator%(Val a, Val b);
Val operator-(Val a);
Val operator&(Val a, Val b);
Val operator|(Val a, Val b);
Val operator^(Val a, Val b);
Val operator<<(Val a, Val b);
/// Arithmetic shift.
Val operator>>(Val a, Val b);
Val operator<(Val a, Val b);
Val operator<=(Val a, Val b);
Val operator>(Val a, Val b);
Val operator>=(Val a, Val b);
Val operator==(Val a, Val b);
Val operator!=(Val a, Val b);

/// A C++ number takes the type of the `Val` beside it.
template <typename T> using IfNumber = std::enable_if_t<std::is_arithmetic_v<T>, Val>;
Val constantLike(Val like, double number);
Val constantLike(Val like, int64_t number);
template <typename T> Val literal(Val like, T number) {
  if constexpr (std::is_floating_point_v<T>)
    return constantLike(like, static_cast<double>(number));
  else
    return constantLike(like, static_cast<int64_t>(number));
}
#define THIMBLE_VAL_OPERATOR(op)                                                                   \
  template <typename T> IfNumber<T> operator op(Val a, T b) { return a op literal(a, b); }         \
  template <typename T> IfNumber<T> operator op(T a, Val b) { return literal(b, a) op b; }
THIMBLE_VAL_OPERATOR(+)
THIMBLE_VAL_OPERATOR(-)
THIMBLE_VAL_OPERATOR(*)
THIMBLE_VAL_OPERATOR(/)
THIMBLE_VAL_OPERATOR(%)
THIMBLE_VAL_OPERATOR(&)
THIMBLE_VAL_OPERATOR(|)
THIMBLE_VAL_OPERATOR(^)
THIMBLE_VAL_OPERATOR(<<)
THIMBLE_VAL_OPERATOR(>>)
THIMBLE_VAL_OPERATOR(<)
THIMBLE_VAL_OPERATOR(<=)
THIMBLE_VAL_OPERATOR(>)
THIMBLE_VAL_OPERATOR(>=)
THIMBLE_VAL_OPERATOR(==)
THIMBLE_VAL_OPERATOR(!=)
#undef THIMBLE_VAL_OPERATOR

/// Memory that a kernel reads or writes: a one-dimensional memref and how its elements are read.
struct Buffer {
  mlir::Value memref;
  ElementType element = ElementType::Int8;
};

using Vals = llvm::SmallVector<Val, 4>;

class KernelBuilder {
public:
  /// Builds at `builder`'s insertion point, inside a function of `module`. Constants and runtime
  /// declarations go into the module; `prefix` starts the names of constants, `program` those of
  /// what layers share.
  KernelBuilder(mlir::OpBuilder &builder, mlir::ModuleOp module, mlir::Location loc,
                std::string prefix, std::string program);

  /// The same for another function, whose constants start with `prefix`.
  KernelBuilder forFunction(std::string prefix) {
    return {builder, module, location, std::move(prefix), program};
  }

  mlir::OpBuilder &ir() { return builder; }
  mlir::Location loc() const { return location; }
  mlir::ModuleOp getModule() const { return module; }
  /// The symbol of something that layers of the program share.
  std::string sharedName(llvm::StringRef name) const { return program + "_" + name.str(); }
  /// A location that gives the value built there the C name `name`.
  mlir::Location named(llvm::StringRef name) const;

  //===-- Numbers -----------------------------------------------------------------------------===//
  Val index(int64_t value);
  Val i32(int64_t value);
  Val i64(int64_t value);
  Val f32(float value);
  Val boolean(bool value);
  /// Conversions. `toI32` and `toIndex` also take i64 (truncating), i1 extends with zeros.
  Val toIndex(Val v);
  Val toI32(Val v);
  Val toI64(Val v);
  /// i32 or i64 to the nearest float, ties to even.
  Val toFloat(Val v);
  /// Truncates towards zero; the caller guarantees that the float is within the range of i32.
  Val toI32Truncating(Val v);
  Val bitcastToI32(Val v);
  Val bitcastToF32(Val v);
  /// Shift that fills with zeros.
  Val shiftRightLogical(Val v, Val bits);

  Val select(Val condition, Val ifTrue, Val ifFalse);
  /// Integers: signed. Floats: as std::min and std::max, the first of equals and NaN.
  Val min(Val a, Val b);
  Val max(Val a, Val b);
  Val clamp(Val v, ClampRange range);
  Val clamp(Val v, FloatRange range);
  Val logicalNot(Val condition);

  //===-- Memory ------------------------------------------------------------------------------===//
  /// Element `index` of `buffer`, widened to i32 (i64 and f32 stay).
  Val load(Buffer buffer, Val index, llvm::StringRef name = "");
  /// Stores `value`, truncated to the element type.
  void store(Buffer buffer, Val index, Val value);
  /// A word from elements of 8, 16 or 32 bits at any alignment, starting with element `index`.
  Val loadWord(Buffer buffer, Val index, llvm::StringRef name = "");
  void storeWord(Buffer buffer, Val index, Val word);

  /// A table in flash, named after the layer and `name`.
  template <typename T> Buffer table(llvm::StringRef name, llvm::ArrayRef<T> values) {
    return tableOf(name, elementTypeOf<T>(), values.size(), values.data());
  }
  Buffer tableOf(llvm::StringRef name, ElementType element, size_t count, const void *data);
  /// The data of a constant tensor.
  Buffer table(llvm::StringRef name, const Tensor &tensor) {
    return tableOf(name, tensor.type.element, static_cast<size_t>(tensor.elements()),
                   tensor.data.data());
  }

  //===-- Control -----------------------------------------------------------------------------===//
  /// for (name = lower; name < upper; name += step) body(name)
  void loop(llvm::StringRef name, Val lower, Val upper, int64_t step,
            llvm::function_ref<void(Val)> body);
  void loop(llvm::StringRef name, int64_t upper, llvm::function_ref<void(Val)> body) {
    loop(name, index(0), index(upper), 1, body);
  }
  /// A loop that carries values: the body maps those of one trip to those of the next.
  Vals loop(llvm::StringRef name, Val lower, Val upper, int64_t step, llvm::ArrayRef<Val> initial,
            llvm::function_ref<Vals(Val, llvm::ArrayRef<Val>)> body);
  /// The same for one value.
  Val accumulate(llvm::StringRef name, Val lower, Val upper, int64_t step, Val initial,
                 llvm::function_ref<Val(Val, Val)> body);
  Val accumulate(llvm::StringRef name, int64_t upper, Val initial,
                 llvm::function_ref<Val(Val, Val)> body) {
    return accumulate(name, index(0), index(upper), 1, initial, body);
  }
  /// if (condition) then()
  void when(Val condition, llvm::function_ref<void()> then);
  void whenElse(Val condition, llvm::function_ref<void()> then,
                llvm::function_ref<void()> otherwise);
  /// Values by either branch.
  Vals choose(Val condition, llvm::function_ref<Vals()> then, llvm::function_ref<Vals()> otherwise);

  //===-- Calls -------------------------------------------------------------------------------===//
  /// A function of the runtime. The type of the result is that of `like`.
  Val call(llvm::StringRef function, llvm::ArrayRef<Val> arguments, Val like);
  /// Scales an accumulator (i32, or i64 for the int16 rule) by a constant multiplier.
  Val requantize(Val accumulator, QuantizedMultiplier multiplier, Rounding rounding);
  /// The same with a multiplier and shift that differ by channel.
  Val requantize(Val accumulator, Val multiplier, Val shift, Rounding rounding);

  /// While one lives, i32 and i64 arithmetic is marked as never overflowing. Only for what has
  /// been proved.
  class NoOverflow {
  public:
    explicit NoOverflow(KernelBuilder &b, bool proved = true) : b(b), before(b.noOverflow) {
      b.noOverflow = proved;
    }
    ~NoOverflow() { b.noOverflow = before; }
    NoOverflow(const NoOverflow &) = delete;

  private:
    KernelBuilder &b;
    bool before;
  };
  bool isNoOverflow() const { return noOverflow; }

private:
  mlir::OpBuilder &builder;
  mlir::ModuleOp module;
  mlir::Location location;
  std::string prefix, program;
  bool noOverflow = false;
};

} // namespace thimble
