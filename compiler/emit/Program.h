// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// A plain description of a lowered program: what the emitters need to know of `mcu.program` to
// write the generated API and the body of `NAME_invoke`.
#pragma once

#include "dialects/mcu/MCUOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace thimble::emit {

/// What an element of an input or output is to the caller. Bool takes a byte that is 0 or 1.
enum class ElementKind { Bool, Int8, UInt8, Int16, Int32, Int64, Float32 };

/// The C type of an element, e.g. "int8_t".
llvm::StringRef cType(ElementKind kind);
/// Bytes of an element.
int64_t byteSize(ElementKind kind);

/// One input or output of the model.
struct TensorInfo {
  std::string name; // as the model has it: untrusted
  ElementKind kind;
  std::vector<int64_t> shape;
  int64_t elements, bytes;
  size_t region;         // of RAM
  int64_t offset;        // in the region, bytes; -1 for an input whose rows a stream takes
  double scale = 0;      // 0 where the tensor is not quantized
  int64_t zeroPoint = 0; // in the storage type's values
};

/// A buffer that a layer function takes.
struct BufferArgument {
  mlir::Value buffer;
  size_t region;
  int64_t offset, bytes; // in the region
  bool written;
};

/// One layer: a call of its function, or all those of a stream.
struct LayerCall {
  int64_t index;
  std::string layer, op, kernel; // `layer` is untrusted
  int64_t macs, cycles;
  mlir::Operation *operation; // mcu.call
  mlir::func::FuncOp function;
  std::vector<BufferArgument> arguments;
};

/// What NAME_invoke calls in turn: the function of a layer, or the driver of a stream of several.
struct Step {
  mlir::func::FuncOp driver; // null: the only layer's function; takes all regions
  size_t firstCall, calls;   // the layers, in `Program::calls`
  bool takesRows = false;    // the driver also takes a row of the input, and its number
};

/// How the caller hands over the only input. Bytes.
struct PushedInput {
  size_t region;   // of RAM
  int64_t counter; // offset in it of the state that counts the rows, an int32
  int64_t rows, rowBytes;
};

/// Bytes of a region that must hold zeros after NAME_init.
struct StateRange {
  size_t region;
  int64_t offset, bytes;
};

/// A stretch of RAM that the caller provides.
struct RegionInfo {
  std::string name;                // of the target's
  std::optional<int64_t> capacity; // what there is for the program
  int64_t bytes, lowerBound;
};

struct Program {
  std::string name;                       // the symbol of mcu.program, a C identifier
  int64_t arenaBytes = 0, lowerBound = 0; // of the first region
  int64_t operatorBound = 0;
  std::vector<RegionInfo> regions; // at least one
  int64_t scratchBytes = 0;        // of the layer that needs most
  int64_t stateBytes = 0;
  std::vector<TensorInfo> inputs, outputs; // in the model's order
  std::vector<LayerCall> calls;            // in execution order, those of a stream in a chain's
  std::vector<Step> steps;                 // in execution order
  std::vector<StateRange> states;
  std::optional<PushedInput> pushed; // none: as a whole

  bool hasRegions() const { return regions.size() > 1; }
  int64_t ramBytes() const;
};

/// Alignment of the arena in bytes: that of the widest element, int64.
constexpr int64_t arenaAlign = 8;
/// Where in the first region the address of a later one is.
inline int64_t regionSlot(size_t region) { return mcu::regionTableBytes(region); }

/// Describes the only `mcu.program` of `module`, whose buffers must be placed and whose streams
/// must be lowered to calls. Reports an error on the module or operation otherwise.
mlir::FailureOr<Program> describeProgram(mlir::ModuleOp module);

} // namespace thimble::emit
