// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-asm %s | FileCheck %s
// RUN: thimble-translate --mcu-to-asm --layer-hooks %s | FileCheck %s --check-prefix=HOOK
// RUN: thimble-translate --mcu-to-object %s -o %t.o
// RUN: llvm-readelf -A -S -s %t.o | FileCheck %s --check-prefix=ELF
// RUN: thimble-translate --mcu-to-object %s -o %t.2.o && cmp %t.o %t.2.o
// RUN: thimble-translate --mcu-to-sizes %s | FileCheck %s --check-prefix=SIZE

// An integer program: the whole API, no FPU instruction, no library call.

mcu.program @demo attributes {arena_bytes = 32 : i64, lower_bound = 32 : i64} {
  %x = mcu.input 0 "x" at 0 : 8 as tensor<8xi8> : !mcu.buffer<8xi8, nhwc, input>
  %y = mcu.buffer "y" at 0 : 16 : !mcu.buffer<8xi8, nhwc, output>
  %s = mcu.buffer "s" at 0 : 0 : !mcu.buffer<8xi8, nhwc, state>
  mcu.call @demo_layer_00_add(%x, %y) layer 0 "dense */" "add" "add.portable" writes [1] macs 8 cycles 100 : !mcu.buffer<8xi8, nhwc, input>, !mcu.buffer<8xi8, nhwc, output>
  mcu.output 0 "y" %y as tensor<8xi8> : !mcu.buffer<8xi8, nhwc, output>
}
memref.global "private" constant @demo_layer_00_weights : memref<8xi8> = dense<[1, -2, 3, -4, 5, -6, 7, -8]>
func.func private @thimble_requantize_double(i32, i32, i32) -> i32
func.func private @thimble_not_called(f32) -> f32
func.func private @demo_layer_00_add(%input: memref<8xi8>, %output: memref<8xi8>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %multiplier = arith.constant 1395864371 : i32
  %shift = arith.constant -3 : i32
  %weights = memref.get_global @demo_layer_00_weights : memref<8xi8>
  scf.for %i = %c0 to %c8 step %c1 {
    %a = memref.load %input[%i] : memref<8xi8>
    %w = memref.load %weights[%i] : memref<8xi8>
    %a32 = arith.extsi %a : i8 to i32
    %w32 = arith.extsi %w : i8 to i32
    %product = arith.muli %a32, %w32 overflow<nsw> : i32
    %scaled = func.call @thimble_requantize_double(%product, %multiplier, %shift) : (i32, i32, i32) -> i32
    %clamped = m4.ssat %scaled {bits = 8 : i32}
    %result = arith.trunci %clamped : i32 to i8
    memref.store %result, %output[%i] : memref<8xi8>
  }
  return
}

// CHECK-NOT: {{[[:space:]](vmov|vldr|vstr|vmul|vadd)}}
// CHECK: .eabi_attribute 28, 3
// CHECK-LABEL: demo_layer_00_add:
// CHECK: ssat {{r[0-9]+|lr}}, #8
// CHECK-LABEL: demo_init:
// CHECK-LABEL: demo_invoke:
// CHECK: bl demo_layer_00_add
// CHECK-NOT: thimble_layer_hook

// HOOK-LABEL: demo_invoke:
// HOOK: bl demo_layer_00_add
// HOOK: bl thimble_layer_hook

// ELF-NOT: .ARM.exidx
// ELF: .text.demo_invoke
// ELF: .rodata
// ELF-NOT: scale.mlir
// ELF-NOT: WEAK
// ELF: FUNC LOCAL {{.*}} demo_layer_00_add
// ELF-NOT: GLOBAL
// ELF: FUNC GLOBAL {{.*}} demo_init{{$}}
// ELF-NEXT: FUNC GLOBAL {{.*}} demo_init_regions{{$}}
// ELF-NEXT: FUNC GLOBAL {{.*}} demo_input_0{{$}}
// ELF-NEXT: FUNC GLOBAL {{.*}} demo_output_0{{$}}
// ELF-NEXT: FUNC GLOBAL {{.*}} demo_invoke{{$}}
// ELF-NOT: GLOBAL
// ELF: TagName: ABI_VFP_args
// ELF-NEXT: Description: Not Permitted

// SIZE: code
// SIZE-NEXT: constants 8
// SIZE-NEXT: stack {{[0-9]+$}}
// SIZE-NEXT: demo_layer_00_add code
