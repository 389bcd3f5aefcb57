// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#ifndef THIMBLE_PASSES
#define THIMBLE_PASSES

include "mlir/Pass/PassBase.td"

//===-- Phase candidates --------------------------------------------------------------------===//

def ListCandidates : Pass<"nn-list-candidates", "::mlir::ModuleOp"> {
  let summary = "List for every operator the kernels that can compute it";
  let description = [{
    Attaches `mcu.candidates`, an entry of the kernel table each, with estimated cycles of the whole
    operator, bytes of flash and of scratch memory. Fails on an operator without a kernel.

    ```mlir
    %1 = nn.abs %0 : (tensor<4xf32>) -> tensor<4xf32>
    ==>
    %1 = nn.abs %0 {mcu.candidates = [
        {cycles = 96, flash = 60, kernel = "unary.portable", scratch = 0} ]} : (tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let options = [Option<"target", "target", "std::string", "\"cortex-m4\"", "core or board">];
}

//===-- Phase plan --------------------------------------------------------------------------===//

def PlanProgram : Pass<"plan-program", "::mlir::ModuleOp"> {
  let summary = "Choose kernels and turn the network into a program of buffers and streams";
  let description = [{
    Replaces `func.func @main` by one `mcu.program`. Contiguous movements (reshape, a split of the leading axis,
    ...) become aliases; the output of an elementwise kernel takes over the bytes of an input that is not read later.
  }];
  let options = [
    Option<"name", "name", "std::string", "\"model\"", "name of the program">,
    Option<"target", "target", "std::string", "\"cortex-m4\"", "core or board">,
    Option<"optimize", "optimize", "std::string", "\"speed\"", "speed, balanced, ram or flash">];
  let dependentDialects = ["::thimble::mcu::MCUDialect"];
}

def PlaceBuffers : Pass<"mcu-place-buffers", "::mlir::ModuleOp"> {
  let summary = "Give every buffer its place in the arena";
  let description = [{
    Largest first, then a bounded search over orders. Sets `arena_bytes` and `lower_bound`, the most
    bytes live at once.

    ```mlir
    %0 = mcu.buffer "conv1" : !mcu.buffer<1x25x5x64xi8, nhwc, activation>
    ==>
    %0 = mcu.buffer "conv1" at 0 : 8000 : !mcu.buffer<1x25x5x64xi8, nhwc, activation>
    ```
  }];
}

//===-- Phase lower-kernels -----------------------------------------------------------------===//

def LowerKernels : Pass<"mcu-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn every stream into a function of loops";
  let description = [{
    The kernel named by each `mcu.kernel` builds its loops in a function whose arguments are the
    buffers; an `mcu.call` takes the place of the stream. Constants become globals, repacked as the kernel likes.
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::thimble::m4::M4Dialect",
    "::thimble::mcu::MCUDialect"];
}

#endif // THIMBLE_PASSES
