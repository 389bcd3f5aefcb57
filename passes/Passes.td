// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0

#ifndef THIMBLE_PASSES
#define THIMBLE_PASSES

include "mlir/Pass/PassBase.td"

//===-- Phase simplify ----------------------------------------------------------------------===//
//
// Exact: what the network computes stays the same to the bit, for every input.

def FoldConstants : Pass<"nn-fold-constants", "::mlir::func::FuncOp"> {
  let summary = "Evaluate operators of constants";
  let description = [{
    Replaces an operator whose operands are all constants by what the reference kernel computes. The
    result must not need more flash than the constants that are no longer read and `growth` bytes
    (a tile or fill of a large tensor stays an operator), unless it is the weights or bias of a layer,
    which kernels want to know. `nn.shape` reads only a type and always folds.

    ```mlir
    %0 = nn.constant dense<[1, -2]> : tensor<2xi32> -> tensor<2xi32>
    %1 = nn.abs %0 : (tensor<2xi32>) -> tensor<2xi32>
    ==>
    %1 = nn.constant dense<[1, 2]> : tensor<2xi32> -> tensor<2xi32>
    ```
  }];
  let options = [Option<"growth", "growth", "int64_t", "256",
    "bytes of flash that one folded operator may add">];
  let dependentDialects = ["::thimble::nn::NNDialect"];
}

def FoldPad : Pass<"nn-fold-pad", "::mlir::func::FuncOp"> {
  let summary = "Move a border of zeros into the convolutions that read it";
  let description = [{
    A convolution takes what lies outside its input for zero, so an `nn.pad` of rows and columns with
    zeros (the zero point of a quantized tensor) is just larger `pads`. All uses of the padded tensor
    have to be inputs of `nn.conv_2d` or `nn.depthwise_conv_2d`; filters of floats have to be finite
    constants, since 0 * infinity is no zero. Pooling leaves its padding out and takes none.

    ```mlir
    %0 = nn.pad %x {paddings = array<i64: 0, 0, 1, 1, 1, 1, 0, 0>}
    %1 = nn.conv_2d %0, %w {pads = array<i64: 0, 0, 0, 0>, ...}
    ==>
    %1 = nn.conv_2d %x, %w {pads = array<i64: 1, 1, 1, 1>, ...}
    ```
  }];
}

def RemoveIdleClamps : Pass<"nn-remove-idle-clamps", "::mlir::func::FuncOp"> {
  let summary = "Remove elementwise operators and fused activations that change nothing";
  let description = [{
    An operator of one 8- or 16-bit tensor is evaluated on every value that its operand can have:
    where it gives them all back, it goes. Bounds of the operand come from the clamps before it. A
    fused activation that clamps to the whole range of the type becomes `none`, as does one of a
    pooling whose operand is already within it.

    ```mlir
    %0 = nn.logistic %x : (tensor<8x!x>) -> tensor<8x!unit>
    %1 = nn.relu %0 : (tensor<8x!unit>) -> tensor<8x!unit>
    %2 = nn.abs %1 : (tensor<8x!unit>) -> tensor<8x!y>
    ==>
    %0 = nn.logistic %x : (tensor<8x!x>) -> tensor<8x!unit>
    %2 = nn.abs %0 : (tensor<8x!unit>) -> tensor<8x!y>
    ```
  }];
}

def FuseActivations : Pass<"nn-fuse-activations", "::mlir::func::FuncOp"> {
  let summary = "Fuse clamps into the operators that compute their operands";
  let description = [{
    An elementwise operator that is the only reader of a convolution, matrix product, pooling or
    arithmetic operator, and does not requantize, becomes its fused activation if it does the same to
    every value of an 8- or 16-bit tensor. Clamps of floats compose as intervals.

    ```mlir
    %0 = nn.add %a, %b {activation = #nn.activation<none>} : ...
    %1 = nn.relu %0 : (tensor<4x!q>) -> tensor<4x!q>
    ==>
    %0 = nn.add %a, %b {activation = #nn.activation<relu>} : ...
    ```
  }];
}

def MergeLookups : Pass<"nn-merge-lookups", "::mlir::func::FuncOp"> {
  let summary = "Merge elementwise operators between two 8-bit tensors into one lookup";
  let description = [{
    What elementwise operators, conversions and constants of one value compute from one 8-bit tensor
    is a table of 256 entries, whatever is in between: floats, int16, or the tensor itself again
    (`x * relu6(x + 3)`). At least two operators have to go, or one that scales many numbers, and
    nothing else may read what is between them.

    ```mlir
    %0 = nn.dequantize %x : (tensor<4x!x>) -> tensor<4xf32>
    %1 = nn.exp %0 : (tensor<4xf32>) -> tensor<4xf32>
    %2 = nn.quantize %1 : (tensor<4xf32>) -> tensor<4x!y>
    ==>
    %2 = nn.lookup %x {table = dense<...> : tensor<256xi8>} : (tensor<4x!x>) -> tensor<4x!y>
    ```
  }];
}

//===-- Phase reduce ------------------------------------------------------------------------===//
//
// Exact as well, by arithmetic on integers: floats round, and infinities and NaN spread.

def FoldConstantChannels : Pass<"nn-fold-constant-channels", "::mlir::func::FuncOp"> {
  let summary = "Fold channels that never change into biases";
  let description = [{
    Between which numbers every element lies, for any input, is found forwards: sums take the ends of
    each input by the sign of its weight, and scaling and clamping never decrease. Where both ends
    meet the element is constant. (Sums that could leave their 32 bits are bounded by nothing but the
    clamp.)

    A convolution or matrix product gets zeros for its weights on a constant input channel, whose
    products join the bias; at every position they must add up to the same, or the channel stays (in
    padding it adds nothing, which is another sum than inside, unless the constant is the zero point).
    Outputs that are constant get weights of zero and a bias that is a sum which gives that output.
    A tensor that is constant throughout becomes an `nn.constant`.

    ```mlir
    // %x lies in [-8, 8], channel 1 always is 5; the zero points are 0.
    %y = nn.fully_connected %x, [[1, 2], [0, 0]], [10, -9] {...}
    ==>
    %y = nn.fully_connected %x, [[1, 0], [0, 0]], [20, -9] {...}
    ```
  }];
  let dependentDialects = ["::thimble::nn::NNDialect"];
}

def RemoveDeadSlices : Pass<"nn-remove-dead-slices", "::mlir::func::FuncOp"> {
  let summary = "Remove channels, rows and columns that no result depends on";
  let description = [{
    Channels that are read by no weight but zeros, and rows and columns that no window reaches, are cut
    out of tensors, together with the weights, biases and scales that they had. Each channel
    keeps its own scale, and with that its multiplier. Operators whose operands must have the same
    shape tie what they keep together. Where an input of the network would have to be cut, windows
    leave its last rows out by negative `pads` instead.

    ```mlir
    %y = nn.conv_2d %x, %w : (tensor<1x8x8x3x!x>, tensor<16x1x1x3x!w>) -> tensor<1x8x8x16x!y>
    %z = nn.conv_2d %y, %v : (tensor<1x8x8x16x!y>, tensor<4x1x1x16x!v>) -> tensor<1x8x8x4x!z>
    ==>
    // %v has zeros for all but the first five channels.
    %y = nn.conv_2d %x, %w : (tensor<1x8x8x3x!x>, tensor<5x1x1x3x!w>) -> tensor<1x8x8x5x!y>
    %z = nn.conv_2d %y, %v : (tensor<1x8x8x5x!y>, tensor<4x1x1x5x!v>) -> tensor<1x8x8x4x!z>
    ```
  }];
  let dependentDialects = ["::thimble::nn::NNDialect"];
}

//===-- Phase candidates --------------------------------------------------------------------===//

def ListCandidates : Pass<"nn-list-candidates", "::mlir::ModuleOp"> {
  let summary = "List for every operator the kernels that can compute it";
  let description = [{
    Attaches `mcu.candidates`, an entry of the kernel table each, with estimated cycles of the whole
    operator, bytes of flash and of scratch memory, and the inputs whose bytes the output may take over.
    Fails on an operator without a kernel. Tests use `prefer` to reach kernels that would not be chosen.

    ```mlir
    %1 = nn.abs %0 : (tensor<4xf32>) -> tensor<4xf32>
    ==>
    %1 = nn.abs %0 {mcu.candidates = [
        {cycles = 96, flash = 60, inPlace = array<i64: 0>, kernel = "unary.portable", scratch = 0} ]} : (tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"cortex-m4\"", "core or board">,
    ListOption<"prefer", "prefer", "std::string", "kernels that are listed alone where they apply, the first before the others">,
  ];
}

//===-- Phase plan --------------------------------------------------------------------------===//

def OrderOperators : Pass<"nn-order-operators", "::mlir::func::FuncOp"> {
  let summary = "Put operators into the order that needs the least memory";
  let description = [{
    The order with the lowest peak of live bytes, with the least scratch of each operator's candidates,
    and in place where all of them can be: there the last reader of an input has its result. The given
    order stays where another would not lower the peak. The function gets `mcu.operator_bound`: no order
    has fewer bytes live, whichever kernels are chosen.

    ```mlir
    %a = nn.conv_2d %x, ... : (tensor<1x8x8x4x!x>, ...) -> tensor<1x8x8x16x!q>
    %b = nn.conv_2d %x, ... : (tensor<1x8x8x4x!x>, ...) -> tensor<1x8x8x16x!q>
    %c = nn.max_pool_2d %a ... : (tensor<1x8x8x16x!q>) -> tensor<1x1x1x16x!q>
    %d = nn.max_pool_2d %b ... : (tensor<1x8x8x16x!q>) -> tensor<1x1x1x16x!q>
    ==>
    %a = nn.conv_2d %x, ... : (tensor<1x8x8x4x!x>, ...) -> tensor<1x8x8x16x!q>
    %c = nn.max_pool_2d %a ... : (tensor<1x8x8x16x!q>) -> tensor<1x1x1x16x!q>
    %b = nn.conv_2d %x, ... : (tensor<1x8x8x4x!x>, ...) -> tensor<1x8x8x16x!q>
    %d = nn.max_pool_2d %b ... : (tensor<1x8x8x16x!q>) -> tensor<1x1x1x16x!q>
    ```
  }];
}

def PlanProgram : Pass<"plan-program", "::mlir::ModuleOp"> {
  let summary = "Choose kernels and turn the network into a program of buffers and streams";
  let description = [{
    Replaces `func.func @main` by one `mcu.program`. Contiguous movements (reshape, a split of the
    leading axis, ...) become aliases; the output of an elementwise kernel takes over the bytes of an
    input that is not read later. Needs the list of candidates, of which `optimize` prefers one. With `optimize=ram`,
    or `ram`, chains of operators become streams of several stages, which run row by row. With `stream-input`
    the first of them takes the rows of the input as they come, if it can.

    ```mlir
    func.func @main(%x: tensor<8xf32>) -> tensor<8xf32> {
      %0 = nn.neg %x {mcu.candidates = [...]} : (tensor<8xf32>) -> tensor<8xf32>
      return %0 : tensor<8xf32>
    }
    ==>
    mcu.program @model {
      %0 = mcu.input 0 "x" as tensor<8xf32> : !mcu.buffer<8xf32, nhwc, input>
      %1 = mcu.alias %0[0] : !mcu.buffer<8xf32, nhwc, input> -> !mcu.buffer<8xf32, nhwc, output>
      mcu.stream {
        mcu.kernel 0 "neg" "unary.portable" rows(1) ins(%0 : ...) outs(%1 : ...) cycles 96 flash 60 { ... }
      }
      mcu.output 0 "y" %1 as tensor<8xf32> : !mcu.buffer<8xf32, nhwc, output>
    }
    ```
  }];
  let options = [
    Option<"name", "name", "std::string", "\"model\"", "name of the program">,
    Option<"target", "target", "std::string", "\"cortex-m4\"", "core or board">,
    Option<"optimize", "optimize", "std::string", "\"speed\"", "speed, balanced, ram or flash">,
    Option<"ram", "ram", "int64_t", "0", "bytes for tensors, scratch and stack; 0: as the objective has it">,
    Option<"inputByRows", "stream-input", "bool", "false", "the caller hands over the only input row by row">];
  let dependentDialects = ["::thimble::mcu::MCUDialect"];
}

def PlaceBuffers : Pass<"mcu-place-buffers", "::mlir::ModuleOp"> {
  let summary = "Give every buffer its place in the arena";
  let description = [{
    First fit and best fit in a few orders; where they miss the lower bound an exact search, which a
    limit of nodes may stop. Sets `arena_bytes` and `lower_bound`, below which no placement can get; one
    remark says whether they meet, another what is live in the largest step. With `region`s, fastest
    first, that cannot all be in the first, buffers with many accesses per byte are in the fast ones and
    `ram` says what is used; what fits nowhere is in the last, beyond its end.

    ```mlir
    %0 = mcu.buffer "conv1" : !mcu.buffer<1x25x5x64xi8, nhwc, activation>
    ==>
    %0 = mcu.buffer "conv1" at 0 : 8000 : !mcu.buffer<1x25x5x64xi8, nhwc, activation>
    ```
  }];
  let options = [
    ListOption<"regions", "region", "std::string", "NAME:BYTES:WAITS of each region of RAM; none: one without a limit">,
    Option<"stack", "stack", "int64_t", "0", "bytes of the first region that the stack takes">];
}

//===-- Phase lower-kernels -----------------------------------------------------------------===//

def LowerKernels : Pass<"mcu-lower-kernels", "::mlir::ModuleOp"> {
  let summary = "Turn every kernel into a function of loops";
  let description = [{
    The kernel named by each `mcu.kernel` builds its loops in a function whose arguments are the
    buffers; an `mcu.call` takes the place of the kernel, and of a stream that holds nothing else. Constants become globals, repacked as the
    kernel likes.

    ```mlir
    mcu.stream {
      mcu.kernel 0 "neg" "unary.portable" rows(1) ins(%0 : ...) outs(%1 : ...) cycles 96 flash 60 { ... }
    }
    ==>
    mcu.call @model_layer_00_neg(%0, %1) layer 0 "neg" "neg" "unary.portable" writes [1] macs 0 cycles 96 : ...
    func.func private @model_layer_00_neg(%input: memref<8xf32>, %output: memref<8xf32>) { ... }
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::thimble::m4::M4Dialect",
    "::thimble::mcu::MCUDialect"];
}

def LowerStreams : Pass<"mcu-lower-streams", "::mlir::ModuleOp"> {
  let summary = "Turn every schedule of firings into a function";
  let description = [{
    The driver of a stream gets the arena and goes through the schedule, a table of one byte a firing. A firing
    calls the stage's function with the addresses of its rows and moves positions and rings on. Buffers
    must be placed and kernels lowered.

    ```mlir
    mcu.stream schedule [0, 1, 0, 1] positions(%p : ...) { mcu.call ... mcu.call ... }
    ==>
    mcu.stream schedule [0, 1, 0, 1] positions(%p : ...) driver @model_stream_00 { mcu.call ... mcu.call ... }
    func.func private @model_stream_00(%arena: memref<4096xi8>) { ... }
    ```
  }];
  let options = [Option<"instrument", "instrument", "bool", "false", "Call thimble_layer_hook after each firing.">];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
    "::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect", "::thimble::mcu::MCUDialect"];
}

def PairLoads : Pass<"m4-pair-loads", "::thimble::m4::KernelOp"> {
  let summary = "Put loads behind one another";
  let description = [{
    A load right after another takes one cycle instead of two. Each load moves up to the last one before it,
    over instructions that it does not depend on, where a core register is free all the way.

    ```mlir
    %x, %p1 = m4.load_post %p0 {kind = "w", step = 4 : i64} : ...
    %s1 = m4.smlad %x, %y, %s0 : ...
    %w, %q1 = m4.load_post %q0 {kind = "w", step = 4 : i64, table} : ...
    ==>
    %x, %p1 = m4.load_post %p0 {kind = "w", step = 4 : i64} : ...
    %w, %q1 = m4.load_post %q0 {kind = "w", step = 4 : i64, table} : ...
    %s1 = m4.smlad %x, %y, %s0 : ...
    ```
  }];
}

def AllocateRegisters : Pass<"m4-allocate-registers", "::thimble::m4::KernelOp"> {
  let summary = "Give every virtual register of a kernel a number";
  let description = [{
    Values that are one register (carried by a loop, changed in place, yielded by an `m4.if`) form webs, with a
    copy where one of them is still read. Webs are colored in the order of their starts, which needs no more
    registers than are alive at a time; nothing is ever spilled: what does not fit is an error of the kernel.
    An LDM whose registers cannot ascend becomes loads, which take as long. With `pair-loads`, loads are put
    behind one another first (`m4-pair-loads`), unless there are then too few registers.

    ```mlir
    %s = m4.smlad %x, %w, %acc : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
    ==>
    %s = m4.smlad %x, %w, %acc : (!m4.gpr<r0>, !m4.gpr<r1>, !m4.gpr<r4>) -> !m4.gpr<r4>
    ```
  }];
  let options = [Option<"pairLoads", "pair-loads", "bool", "false", "Put loads behind one another first">];
}

def CountCycles : Pass<"m4-count-cycles", "::thimble::m4::KernelOp"> {
  let summary = "Note what one call of a kernel costs";
  let description = [{
    Adds up the timing table of the Cortex-M4 over the kernel's instructions, loops by their trips.

    ```mlir
    m4.kernel @k(%x: !m4.gpr<r0>) { ... }
    ==>
    m4.kernel @k(%x: !m4.gpr<r0>) attributes {cycles = 1234 : i64} { ... }
    ```
  }];
}

#endif // THIMBLE_PASSES
