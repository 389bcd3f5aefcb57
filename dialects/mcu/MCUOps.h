// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The mcu dialect: types and operations.
#pragma once

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/MapVector.h"

#include "dialects/mcu/MCUDialect.h.inc"
#include "dialects/mcu/MCUEnums.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/mcu/MCUTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/mcu/MCUAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/mcu/MCUOps.h.inc"

namespace thimble::mcu {

/// The buffer that `buffer` is a part of, and where in it: aliases followed to
/// their end. Offset in bytes.
struct Place {
  mlir::Value root;
  int64_t byteOffset;
};
Place resolve(mlir::Value buffer);

/// The offset of a placed buffer in its region (in the arena, where that is the first), aliases
/// followed. The buffer's root must be an input or a buffer with an offset.
int64_t arenaOffset(mlir::Value buffer);
/// The region of RAM that a placed buffer is in.
size_t regionOf(mlir::Value buffer);

/// Bytes of an address in the table of regions: what the widest pointers take, so that offsets are
/// the same everywhere.
inline constexpr int64_t regionAddressBytes = 8;
/// Bytes at the start of the first region with the addresses of the others.
inline int64_t regionTableBytes(size_t regions) {
  return regionAddressBytes * (static_cast<int64_t>(regions) - 1);
}

/// Attribute of a function's argument: memory that is only read.
inline constexpr llvm::StringLiteral readOnlyAttr = "mcu.read_only";

/// How a stage of a stream goes through one of its operands. Rows count from 0 in each.
struct Walk {
  mlir::OpOperand *operand;
  /// The row at which the first firing finds it: with a ring, after what was appended first.
  int64_t first;
  /// Rows that a firing moves it on; 0 where all firings see the same bytes.
  int64_t advance;
  /// Rows that a firing touches; 0 where it may touch all.
  int64_t extent;
  bool writes;

  mlir::Value buffer() const { return operand->get(); }
  bool isRing() const;
  bool isLazyRing() const;
  /// Whether its rows are where the caller has them.
  bool isPushed() const;
  int64_t rowBytes() const;
};
/// Those of a kernel, call, `copy_rows` or `fill_rows` in a stream of several stages; a kernel's
/// scratch is not walked.
llvm::SmallVector<Walk> walksOf(mlir::Operation *stage);

/// Where a stream of several stages keeps how far they have come: slots of i32, in bytes.
class Positions {
public:
  explicit Positions(StreamOp stream);

  int64_t size() const { return slots; }
  /// The slot with the bytes of a ring that are in use.
  int64_t ofRing(mlir::Value ring) const { return rings.lookup(ring); }
  /// The slot of an operand; none if the address of its rows never changes: it is not walked, or a
  /// ring's only reader, whose next row is always in front, or it appends to a ring.
  std::optional<int64_t> of(mlir::OpOperand &operand) const;
  /// The slot with the number of the next firing of a stage that has `each_row`.
  int64_t ofFirings(mlir::Operation *stage) const { return counters.lookup(stage); }
  /// The operands through which stages read `ring`.
  llvm::ArrayRef<Walk> readersOf(mlir::Value ring) const;
  /// What each slot holds before the first firing.
  llvm::ArrayRef<int64_t> initial() const { return starts; }

private:
  int64_t add(int64_t start);

  int64_t slots = 0;
  llvm::DenseMap<mlir::Value, int64_t> rings;
  llvm::DenseMap<mlir::OpOperand *, int64_t> operands;
  llvm::DenseMap<mlir::Operation *, int64_t> counters;
  llvm::MapVector<mlir::Value, llvm::SmallVector<Walk, 2>> readers;
  llvm::SmallVector<int64_t> starts;
};

} // namespace thimble::mcu
