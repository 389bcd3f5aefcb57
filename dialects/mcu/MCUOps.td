// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
//
// The mcu dialect: the planned network.

#ifndef THIMBLE_MCU_OPS
#define THIMBLE_MCU_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def MCU_Dialect : Dialect {
  let name = "mcu";
  let cppNamespace = "::thimble::mcu";
  let summary = "the planned network: buffers with places, streams of kernels";
  let description = [{
    What a person reads to see where the RAM went. A program is a list of buffers, constants and
    streams. A **stream** owns the row loop of a chain of kernels; a **kernel** computes output
    rows and owns the loops over columns and channels. After planning every buffer has a region
    and an offset; after lowering every kernel is an `mcu.call` of a function of loops.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

class MCU_Op<string mnemonic, list<Trait> traits = []> : Op<MCU_Dialect, mnemonic, traits>;

//===-- Types -------------------------------------------------------------------------------===//

def MCU_Lifetime : I32EnumAttr<"Lifetime", "how long the bytes of a buffer matter", [
    I32EnumAttrCase<"Activation", 0, "activation">, I32EnumAttrCase<"Scratch", 1, "scratch">,
    I32EnumAttrCase<"State", 2, "state">, I32EnumAttrCase<"Constant", 3, "constant">,
    I32EnumAttrCase<"Input", 4, "input">, I32EnumAttrCase<"Output", 5, "output">]> {
  let cppNamespace = "::thimble::mcu";
}
def MCU_Layout : I32EnumAttr<"Layout", "order and width of the elements of a buffer", [
    I32EnumAttrCase<"Nhwc", 0, "nhwc">, I32EnumAttrCase<"Wide", 1, "wide">,
    I32EnumAttrCase<"Chw", 2, "chw">, I32EnumAttrCase<"Packed4", 3, "packed4">]> {
  let cppNamespace = "::thimble::mcu";
}

def MCU_BufferType : TypeDef<MCU_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "bytes in RAM or flash that a kernel reads or writes";
  let description = [{
    Shape, element type, layout, lifetime class and ring depth. `ring` is the number of rows (of the second
    axis) that exist at a time; 0 is the whole tensor. Layout `nhwc` is the tensor's row-major order, `wide` the same
    widened to 16 bits, `chw` strips of channels, `packed4` two elements a byte.

    ```mlir
    !mcu.buffer<1x25x5x64xi8, nhwc, activation>
    ```
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType,
    EnumParameter<MCU_Layout>:$layout, EnumParameter<MCU_Lifetime>:$lifetime,
    DefaultValuedParameter<"int64_t", "0">:$ring);
  let assemblyFormat = "`<` custom<Shape>($shape, $elementType) `,` $layout `,` $lifetime (`,` `ring` `=` $ring^)? `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Elements that are there at a time: of all rows, or of those of the ring.
    int64_t getNumElements() const;
    /// Bytes that are there at a time.
    int64_t getBytes() const;
    /// The same but for the shape.
    BufferType withShape(::llvm::ArrayRef<int64_t> shape) const;
    /// Bytes of one row: of what the axes after the second hold. The first axis must be 1.
    int64_t getRowBytes() const;
  }];
}

def MCU_RegionAttr : AttrDef<MCU_Dialect, "Region"> {
  let mnemonic = "region";
  let summary = "stretch of RAM, and what of it a program uses";
  let description = [{
    `used` bytes from its start on, of the `capacity` that there are for the program. No placement of these
    buffers uses less than `lower_bound`.

    ```mlir
    #mcu.region<name = "CCM", capacity = 65536, used = 8192, lower_bound = 8000>
    ```
  }];
  let parameters = (ins StringRefParameter<>:$name, "int64_t":$capacity, "int64_t":$used, "int64_t":$lower_bound);
  let assemblyFormat = "`<` struct(params) `>`";
}
def MCU_RegionArrayAttr : TypedArrayAttrBase<MCU_RegionAttr, "regions of RAM">;

//===-- Program -----------------------------------------------------------------------------===//

def MCU_ProgramOp : MCU_Op<"program", [IsolatedFromAbove, Symbol, SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "one model, planned";
  let description = [{
    The body runs from top to bottom once an inference. `arena_bytes` and `lower_bound` appear when
    buffers are placed; no placement of these buffers has a smaller arena than the bound.
    `operator_bound` is the least that any plan has live that runs one operator at a time.
    `inputs` and `outputs` are in the model's order; the operands are buffers named in the body's
    terminator-free list by `mcu.input` and `mcu.output`.

    `ram` has the regions of the target that the program uses, where they are known. The first is the arena; `arena_bytes` and
    `lower_bound` are its own. With several it begins with the addresses of the others, 8 bytes each
    (`mcu::regionTableBytes`), and `at 1 : 64` is byte 64 of the second.

    ```mlir
    mcu.program @identity {
      %x = mcu.input 0 "x" as tensor<4xf32> : !mcu.buffer<4xf32, nhwc, input>
      %y = mcu.alias %x[0] : !mcu.buffer<4xf32, nhwc, input> -> !mcu.buffer<4xf32, nhwc, output>
      mcu.output 0 "y" %y as tensor<4xf32> : !mcu.buffer<4xf32, nhwc, output>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<I64Attr>:$arena_bytes,
    OptionalAttr<I64Attr>:$lower_bound, OptionalAttr<I64Attr>:$operator_bound,
    OptionalAttr<MCU_RegionArrayAttr>:$ram);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Regions of RAM that the buffers are in; one unless `ram` says otherwise.
    size_t getNumRamRegions() { return getRam() ? getRam()->size() : 1; }
    /// Bytes of a region of a placed program.
    int64_t getRamBytes(size_t region);
  }];
}

// A place in the arena: unset before planning.
class MCU_PlacedOp<string mnemonic> : MCU_Op<mnemonic> {
  let results = (outs MCU_BufferType:$buffer);
}
defvar placement = (ins OptionalAttr<I64Attr>:$region, OptionalAttr<I64Attr>:$offset);

def MCU_InputOp : MCU_PlacedOp<"input"> {
  let summary = "buffer that the caller fills before an inference";
  let description = [{
    `tensor` is the type with quantization, for the generated API.

    With `pushed` the caller hands over its rows one by one, before the rest of the program runs; the
    state that is named counts them. Where a chain takes each row as it comes, because the only readers are
    `mcu.copy_rows` of a row in the first stream, the input has no place: no picture exists as a whole.
  }];
  let arguments = !con((ins I64Attr:$index, StrAttr:$name, TypeAttr:$tensor,
    Optional<MCU_BufferType>:$pushed), placement);
  let assemblyFormat = [{
    $index $name (`at` $region^ `:` $offset)? (`pushed` `(` $pushed^ `:` type($pushed) `)`)?
    `as` $tensor attr-dict `:` type($buffer)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Whether a chain takes its rows as they come.
    bool arrivesByRows();
    /// What the caller hands over at a time; a tensor without rows is one.
    int64_t getRows();
  }];
}
def MCU_BufferOp : MCU_PlacedOp<"buffer"> {
  let summary = "buffer in RAM";
  let description = [{
    `name` is that of the tensor it holds, or of the scratch's kernel. A `lazy` ring moves its rows to the front
    when the next are appended, not as soon as rows have been passed: what is free in between is in front of
    the rows that are kept, where it is behind them with another ring.
  }];
  let arguments = !con((ins StrAttr:$name, UnitAttr:$lazy), placement);
  let assemblyFormat = "$name (`at` $region^ `:` $offset)? (`lazy` $lazy^)? attr-dict `:` type($buffer)";
  let hasVerifier = 1;
}
def MCU_ConstantOp : MCU_Op<"constant", [Pure]> {
  let summary = "tensor in flash, as the model has it";
  let description = "Kernels repack what they need; a constant that no lowered kernel reads is not emitted.";
  let arguments = (ins StrAttr:$name, ElementsAttr:$value);
  let results = (outs MCU_BufferType:$buffer);
  let assemblyFormat = "$name attr-dict $value `:` type($buffer)";
}
def MCU_AliasOp : MCU_Op<"alias", [Pure]> {
  let summary = "part of another buffer, or the same bytes in another shape";
  let description = "`byte_offset` counts from the start of `source`. What reshape, and contiguous slice, split and concatenation become.";
  let arguments = (ins MCU_BufferType:$source, I64Attr:$byte_offset);
  let results = (outs MCU_BufferType:$buffer);
  let assemblyFormat = "$source `[` $byte_offset `]` attr-dict `:` type($source) `->` type($buffer)";
  let hasVerifier = 1;
}
def MCU_OutputOp : MCU_Op<"output"> {
  let summary = "buffer that the caller reads after an inference";
  let arguments = (ins I64Attr:$index, StrAttr:$name, MCU_BufferType:$buffer, TypeAttr:$tensor);
  let assemblyFormat = "$index $name $buffer `as` $tensor attr-dict `:` type($buffer)";
}

//===-- Streams and kernels -----------------------------------------------------------------===//

def MCU_StreamOp : MCU_Op<"stream", [SingleBlock, NoTerminator, NoRegionArguments]> {
  let summary = "row loop over a chain of kernels";
  let description = [{
    A stream of one kernel computes whole tensors. A stream of several **stages** has a `schedule`:
    the position in the body of the stage that fires next, for each firing. A stage is a kernel,
    `mcu.copy_rows` or `mcu.fill_rows`; each firing takes it some rows further. Tensors between the stages
    may be **rings**, buffers of fewer rows than the tensor: what writes to a ring appends rows, and rows that
    every reader has passed make room by moving the others to the front. So the rows that a stage reads are
    always consecutive, and kernels need not know of rings.

    `positions` holds an i32 for each ring and each operand that is walked, see `mcu::Positions`: how many bytes
    of the ring are in use, or how far the operand has come. Lowering makes `driver`, the function with the loop
    over the firings.

    ```mlir
    mcu.program @twice {
      %x = mcu.input 0 "x" as tensor<1x4x8xf32> : !mcu.buffer<1x4x8xf32, nhwc, input>
      %ring = mcu.buffer "ring" : !mcu.buffer<1x4x8xf32, nhwc, activation, ring = 1>
      %y = mcu.buffer "y" : !mcu.buffer<1x4x8xf32, nhwc, output>
      %p = mcu.buffer "" : !mcu.buffer<3xi32, nhwc, scratch>
      mcu.stream schedule [0, 1, 0, 1, 0, 1, 0, 1] positions(%p : !mcu.buffer<3xi32, nhwc, scratch>) {
        mcu.copy_rows %x to %ring rows(1) : !mcu.buffer<1x4x8xf32, nhwc, input> -> !mcu.buffer<1x4x8xf32, nhwc, activation, ring = 1>
        mcu.kernel 0 "negate" "unary.portable" rows(1) ins(%ring : !mcu.buffer<1x4x8xf32, nhwc, activation, ring = 1>)
            outs(%y : !mcu.buffer<1x4x8xf32, nhwc, output>) walk [0, 0] by [1, 1] rows [1, 1] cycles 96 flash 40 {
        ^bb0(%t: tensor<1x1x8xf32>):
          %0 = nn.neg %t : (tensor<1x1x8xf32>) -> tensor<1x1x8xf32>
          mcu.yield %0 : tensor<1x1x8xf32>
        }
      }
      mcu.output 0 "y" %y as tensor<1x4x8xf32> : !mcu.buffer<1x4x8xf32, nhwc, output>
    }
    ```
  }];
  let arguments = (ins OptionalAttr<DenseI32ArrayAttr>:$schedule, Optional<MCU_BufferType>:$positions,
    OptionalAttr<FlatSymbolRefAttr>:$driver);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`schedule` $schedule^ `positions` `(` $positions `:` type($positions) `)`)? (`driver` $driver^)?
    attr-dict-with-keyword $body
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The stages, in the order by which the schedule counts them.
    ::llvm::SmallVector<::mlir::Operation *> getStages() {
      return ::llvm::map_to_vector(getBody().front(), [](::mlir::Operation &op) { return &op; });
    }
    /// By which the schedule counts a stage.
    int32_t numberOf(::mlir::Operation *stage);
    /// How often the schedule fires a stage; once without a schedule.
    int64_t firingsOf(::mlir::Operation *stage);
    /// The stage that takes a row of an input from the caller, if there is one.
    CopyRowsOp getTaker();
  }];
}

// What a stage says of its operands.
defvar walk = (ins OptionalAttr<DenseI64ArrayAttr>:$first, OptionalAttr<DenseI64ArrayAttr>:$advance,
  OptionalAttr<DenseI64ArrayAttr>:$extent);

def MCU_KernelOp : MCU_Op<"kernel", [AttrSizedOperandSegments, SingleBlock, IsolatedFromAbove]> {
  let summary = "computes rows of the outputs of one operator";
  let description = [{
    `layer` is the name that the model gives the operator and `index` its place among the layers.
    `kernel` names an entry of the kernel table. The region holds the operator it computes, on
    tensors that stand for `inputs`, so that nothing of its meaning is said twice. A firing calls the kernel
    `rows` times. `cycles` and `flash` are the cost model's estimates for all firings.

    In a stream of several stages the operator is that of one firing. `walk` is the row at which the first
    firing finds each input and output (in that order), `by` the number of rows that a firing moves it on
    (0 where the operand is not walked), `rows` the number of rows that it touches. With `each_row` the operator is that of all firings: each of its `rows` calls
    is a firing, which gets the number of the row.
  }];
  let arguments = !con((ins I64Attr:$index, StrAttr:$layer, StrAttr:$kernel, I64Attr:$rows,
    Variadic<MCU_BufferType>:$inputs, Variadic<MCU_BufferType>:$outputs, Variadic<MCU_BufferType>:$scratch,
    I64Attr:$cycles, I64Attr:$flash, UnitAttr:$each_row), walk);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $index $layer $kernel `rows` `(` $rows `)` (`ins` `(` $inputs^ `:` type($inputs) `)`)? `outs` `(` $outputs `:` type($outputs) `)`
    (`scratch` `(` $scratch^ `:` type($scratch) `)`)? (`walk` $first^ `by` $advance `rows` $extent)? (`each_row` $each_row^)? `cycles` $cycles `flash` $flash
    attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}
def MCU_YieldOp : MCU_Op<"yield", [Pure, Terminator, ParentOneOf<["KernelOp"]>]> {
  let summary = "ends the operator of a kernel";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}
def MCU_CopyRowsOp : MCU_Op<"copy_rows", [ParentOneOf<["StreamOp"]>]> {
  let summary = "appends the next rows of a tensor to a ring";
  let arguments = (ins MCU_BufferType:$source, MCU_BufferType:$ring, I64Attr:$rows);
  let assemblyFormat = "$source `to` $ring `rows` `(` $rows `)` attr-dict `:` type($source) `->` type($ring)";
  let hasVerifier = 1;
}
def MCU_FillRowsOp : MCU_Op<"fill_rows", [ParentOneOf<["StreamOp"]>]> {
  let summary = "appends rows of padding to a ring";
  let description = "Every byte of the rows is `value`.";
  let arguments = (ins MCU_BufferType:$ring, I64Attr:$value, I64Attr:$rows);
  let assemblyFormat = "$ring `value` `(` $value `)` `rows` `(` $rows `)` attr-dict `:` type($ring)";
  let hasVerifier = 1;
}
def MCU_CallOp : MCU_Op<"call", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a lowered kernel";
  let description = [{
    `callee` is a function whose arguments are memrefs, one for each buffer: what a kernel becomes.
    `writes` are the positions of the buffers that it writes. In a stream of several stages `walk`, `by` and `rows`
    speak of all buffers; with `each_row` the function's last argument is the number of the firing.
  }];
  let arguments = !con((ins FlatSymbolRefAttr:$callee, Variadic<MCU_BufferType>:$buffers,
    I64Attr:$index, StrAttr:$layer, StrAttr:$op, StrAttr:$kernel, DenseI64ArrayAttr:$writes,
    I64Attr:$macs, I64Attr:$cycles, UnitAttr:$each_row), walk);
  let assemblyFormat = [{
    $callee `(` $buffers `)` `layer` $index $layer $op $kernel `writes` $writes `macs` $macs `cycles` $cycles
    (`walk` $first^ `by` $advance `rows` $extent)? (`each_row` $each_row^)? attr-dict `:` type($buffers)
  }];
  let hasVerifier = 1;
}

#endif // THIMBLE_MCU_OPS
