// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-translate --mcu-to-asm %s | FileCheck %s --check-prefixes=CHECK,FPU
// RUN: thimble-translate --mcu-to-asm --float-abi=softfp %s | FileCheck %s --check-prefixes=CHECK,FPU
// RUN: thimble-translate --mcu-to-asm --float-abi=soft %s | FileCheck %s --check-prefixes=CHECK,SOFT
// RUN: thimble-translate --mcu-to-sizes --float-abi=soft %s | FileCheck %s --check-prefix=SIZE

// Floats use the FPU where the firmware's ABI has one, products and sums are rounded separately, and the
// object links with any ABI.

mcu.program @f attributes {arena_bytes = 32 : i64} {
  %x = mcu.input 0 "x" at 0 : 0 as tensor<4xf32> : !mcu.buffer<4xf32, nhwc, input>
  %y = mcu.buffer "y" at 0 : 16 : !mcu.buffer<4xf32, nhwc, output>
  mcu.call @f_layer_00_axpy(%x, %y) layer 0 "axpy" "mul" "mul.portable" writes [1] macs 4 cycles 40 : !mcu.buffer<4xf32, nhwc, input>, !mcu.buffer<4xf32, nhwc, output>
  mcu.output 0 "y" %y as tensor<4xf32> : !mcu.buffer<4xf32, nhwc, output>
}
memref.global "private" constant @f_layer_00_scale : memref<4xf32> = dense<[1.5, -2.25, 0.1, 3.0e5]>
func.func private @f_layer_00_axpy(%input: memref<4xf32>, %output: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %zero = arith.constant 0.0 : f32
  %scales = memref.get_global @f_layer_00_scale : memref<4xf32>
  %sum = scf.for %i = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> f32 {
    %x = memref.load %input[%i] : memref<4xf32>
    %scale = memref.load %scales[%i] : memref<4xf32>
    %product = arith.mulf %x, %scale : f32
    %next = arith.addf %acc, %product : f32
    %big = arith.cmpf ogt, %next, %x : f32
    %kept = arith.select %big, %next, %x : f32
    memref.store %kept, %output[%i] : memref<4xf32>
    scf.yield %next : f32
  }
  %negative = arith.cmpf olt, %sum, %zero : f32
  scf.if %negative {
    memref.store %zero, %output[%c0] : memref<4xf32>
  }
  return
}

// CHECK: .eabi_attribute 28, 3
// CHECK-LABEL: f_layer_00_axpy:
// CHECK-NOT: vfma
// FPU: vmul.f32
// FPU: vadd.f32
// SOFT-NOT: {{[[:space:]]v(mov|ldr|str|mul|add)}}
// SOFT: bl __aeabi_fmul
// SOFT: bl __aeabi_fadd

// SIZE: stack {{[0-9]+}} estimated
