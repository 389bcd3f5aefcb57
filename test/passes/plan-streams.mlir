// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic optimize=ram" \
// RUN:   --mcu-place-buffers --split-input-file %s | FileCheck %s
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic stream-input" \
// RUN:   --mcu-place-buffers --split-input-file %s | FileCheck %s --check-prefix=ROWS
// RUN: thimble-opt --nn-list-candidates=target=generic --plan-program="name=net target=generic optimize=ram stream-input" \
// RUN:   --mcu-place-buffers --split-input-file %s | FileCheck %s --check-prefix=ROWS

!q = !quant.uniform<i8:f32, 5.000000e-01:3>
!w = !quant.uniform<i8:f32, 5.000000e-01>

// The first stream takes a row at a time from the caller, whatever is optimized; it needs padding above and
// below. The input has no place. The model gives it without rows: those are the reader's.
// ROWS-LABEL: mcu.program @net attributes
// ROWS: %[[COUNT:.*]] = mcu.buffer "rows pushed" at 0 : {{[0-9]+}} : <1xi32, nhwc, state>
// ROWS-NEXT: %[[X:.*]] = mcu.input 0 "" pushed(%[[COUNT]] : {{.*}}) as tensor<1x512x!quant{{.*}}> : <1x16x16x2xi8, nhwc, input>
// ROWS: %[[RING:.*]] = mcu.buffer "" at 0 : {{[0-9]+}} : <1x16x16x2xi8, nhwc, activation, ring = {{[0-9]+}}>
// ROWS: mcu.stream schedule [{{[0-9]+}}, 0,
// ROWS-NEXT: mcu.copy_rows %[[X]] to %[[RING]] rows(1)
// ROWS-NEXT: mcu.kernel 0
func.func @main(%p: tensor<1x512x!q>) -> tensor<1x16x16x2x!q> {
  %x = nn.reshape %p : (tensor<1x512x!q>) -> tensor<1x16x16x2x!q>
  %w = nn.constant dense<3> : tensor<2x3x3x2xi8> -> tensor<2x3x3x2x!w>
  %b = nn.constant dense<100> : tensor<2xi32> -> tensor<2xi32>
  %z = nn.conv_2d %x, %w, %b {activation = #nn.activation<none>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x16x16x2x!q>, tensor<2x3x3x2x!w>, tensor<2xi32>) -> tensor<1x16x16x2x!q>
  return %z : tensor<1x16x16x2x!q>
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01>

// Rows of the first result take the places of rows of the input that have been read: the arena holds
// far less than the two, 8192 bytes.
// CHECK-LABEL: mcu.program @net attributes {arena_bytes = 4{{[0-9][0-9][0-9]}} : i64, lower_bound = 4{{[0-9][0-9][0-9]}} : i64}
// CHECK: %[[X:.*]] = mcu.input 0
// CHECK: %[[A:.*]] = mcu.buffer {{.*}} : <1x16x16x16xi8, nhwc, activation>
// CHECK: mcu.stream schedule [0, 0, {{.*}}] positions
// CHECK-NEXT: mcu.kernel 0 {{.*}} ins(%[[X]] : {{.*}}) outs(%[[A]] : {{.*}}) walk [0, 0] by [1, 1] rows [1, 1]
// CHECK-NEXT: ^bb0(%[[ROW:.*]]: tensor<1x1x16x16x
// CHECK-NEXT: nn.neg %[[ROW]]
// Two rows of a pool are four of its operand.
// CHECK: mcu.stream schedule [0, 0, 0, 0] positions
// CHECK-NEXT: mcu.kernel 1 {{.*}} ins(%[[A]] : {{.*}}) outs(%[[B:[^ ]*]] : {{.*}}) walk [0, 0] by [4, 2] rows [4, 2]
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<1x4x16x16x
// CHECK: mcu.stream {
// CHECK-NEXT: mcu.kernel 2 {{.*}} ins(%[[B]] :
func.func @main(%x: tensor<1x16x16x16x!q>) -> tensor<1x2x2x16x!q> {
  %a = nn.neg %x : (tensor<1x16x16x16x!q>) -> tensor<1x16x16x16x!q>
  %b = nn.max_pool_2d %a {filter = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>} : (tensor<1x16x16x16x!q>) -> tensor<1x8x8x16x!q>
  %c = nn.max_pool_2d %b {filter = array<i64: 4, 4>, strides = array<i64: 4, 4>, pads = array<i64: 0, 0, 0, 0>, activation = #nn.activation<none>} : (tensor<1x8x8x16x!q>) -> tensor<1x2x2x16x!q>
  return %c : tensor<1x2x2x16x!q>
}

// -----

!q = !quant.uniform<i8:f32, 5.000000e-01:3>
!w = !quant.uniform<i8:f32, 5.000000e-01>

// The wide tensor between two convolutions is a ring of three rows; its padding is the zero point. The
// ring, its scratch and the positions have their places beside the operands, far below its 8192 bytes.
// CHECK-LABEL: mcu.program @net attributes {arena_bytes = {{[1-4][0-9][0-9][0-9]}} : i64
// CHECK: %[[X:.*]] = mcu.input 0
// CHECK: %[[RING:.*]] = mcu.buffer "" at 0 : {{[0-9]+}} : <1x16x16x32xi8, nhwc, activation, ring = 3>
// CHECK: %[[Y:.*]] = mcu.buffer "" at 0 : {{[0-9]+}} : <1x16x16x2xi8, nhwc, output>
// CHECK: mcu.stream schedule
// CHECK-NEXT: mcu.kernel 0 {{.*}} ins(%[[X]], {{.*}} outs(%[[RING]] : {{.*}} walk [0, 0, 0, 0] by [1, 0, 0, 1] rows [1, 0, 0, 1]
// CHECK: nn.conv_2d {{.*}}: (tensor<1x1x16x2x
// CHECK: mcu.kernel 1 {{.*}} ins(%[[RING]], {{.*}} outs(%[[Y]] : {{.*}} walk [0, 0, 0, 0] by [1, 0, 0, 1] rows [3, 0, 0, 1]
// Padding at the sides stays the kernel's.
// CHECK: nn.conv_2d {{.*}}pads = array<i64: 0, 0, 1, 1>{{.*}}: (tensor<1x3x16x32x
// CHECK: mcu.fill_rows %[[RING]] value(3) rows(1)
func.func @main(%x: tensor<1x16x16x2x!q>) -> tensor<1x16x16x2x!q> {
  %v = nn.constant dense<3> : tensor<32x1x1x2xi8> -> tensor<32x1x1x2x!w>
  %c = nn.constant dense<100> : tensor<32xi32> -> tensor<32xi32>
  %y = nn.conv_2d %x, %v, %c {activation = #nn.activation<none>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x16x16x2x!q>, tensor<32x1x1x2x!w>, tensor<32xi32>) -> tensor<1x16x16x32x!q>
  %w = nn.constant dense<3> : tensor<2x3x3x32xi8> -> tensor<2x3x3x32x!w>
  %b = nn.constant dense<100> : tensor<2xi32> -> tensor<2xi32>
  %z = nn.conv_2d %y, %w, %b {activation = #nn.activation<none>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, requant = #nn.requant<double>, strides = array<i64: 1, 1>} : (tensor<1x16x16x32x!q>, tensor<2x3x3x32x!w>, tensor<2xi32>) -> tensor<1x16x16x2x!q>
  return %z : tensor<1x16x16x2x!q>
}
