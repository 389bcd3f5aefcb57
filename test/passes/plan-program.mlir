// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --nn-list-candidates --plan-program=name=net --split-input-file %s | FileCheck %s

// Layers are numbered; a buffer and an output have the names that the model gives them.
// CHECK-LABEL: mcu.program @net
// CHECK: %[[X:.*]] = mcu.input 0 "x" as tensor<4xi8>
// CHECK: %[[Y:.*]] = mcu.buffer {{.*}}: <4xi8, nhwc, output>
// CHECK: mcu.stream {
// CHECK-NEXT: mcu.kernel 0 "" "movement.portable" rows(1) ins(%[[X]] : {{.*}}) outs(%[[Y]] :
// CHECK-NEXT: ^bb0(%[[ARG:.*]]: tensor<4xi8>):
// CHECK-NEXT: %[[R:.*]] = nn.reverse %[[ARG]]
// CHECK-NOT: mcu.candidates
// CHECK-NEXT: mcu.yield %[[R]]
// CHECK: mcu.output 0 "y" %[[Y]] as tensor<4xi8>
// CHECK-NOT: func.func
func.func @main(%x: tensor<4xi8> {nn.name = "x"}) -> (tensor<4xi8> {nn.name = "y"}) {
  %y = nn.reverse %x {axes = array<i64: 0>} : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// Contiguous parts of one operand are aliases of it, and those of aliases too.
// CHECK-LABEL: mcu.program @net
// CHECK: %[[X:.*]] = mcu.input 0
// CHECK-NOT: mcu.stream
// CHECK-DAG: %[[R:.*]] = mcu.alias %[[X]][0] : <4x6xi16, nhwc, input> -> <24xi16, nhwc, activation>
// CHECK-DAG: %[[S:.*]] = mcu.alias %[[R]][10] : {{.*}} -> <3xi16, nhwc, output>
// CHECK-DAG: mcu.output 0 "" %[[S]]
// CHECK-DAG: %[[A:.*]] = mcu.alias %[[X]][0] : {{.*}} -> <1x6xi16, nhwc, output>
// CHECK-DAG: mcu.output 1 "" %[[A]]
// CHECK-DAG: %[[B:.*]] = mcu.alias %[[X]][12] : {{.*}} -> <3x6xi16, nhwc, output>
// CHECK-DAG: mcu.output 2 "" %[[B]]
func.func @main(%x: tensor<4x6xi16>) -> (tensor<3xi16>, tensor<1x6xi16>, tensor<3x6xi16>) {
  %r = nn.reshape %x : (tensor<4x6xi16>) -> tensor<24xi16>
  %s = nn.slice %r {begin = array<i64: 5>, size = array<i64: 3>} : (tensor<24xi16>) -> tensor<3xi16>
  %a, %b = nn.split %x {axis = 0 : i64} : (tensor<4x6xi16>) -> (tensor<1x6xi16>, tensor<3x6xi16>)
  return %s, %a, %b : tensor<3xi16>, tensor<1x6xi16>, tensor<3x6xi16>
}

// -----

// A split of an inner axis is no alias; its results have buffers of their own, used or not.
// CHECK-LABEL: mcu.program @net
// CHECK: %[[A:.*]] = mcu.buffer {{.*}}: <4x1xi8, nhwc, output>
// CHECK: %[[B:.*]] = mcu.buffer {{.*}}: <4x5xi8, nhwc, activation>
// CHECK: mcu.kernel {{.*}} "movement.portable" {{.*}} outs(%[[A]], %[[B]] :
func.func @main(%x: tensor<4x6xi8>) -> tensor<4x1xi8> {
  %a, %b = nn.split %x {axis = 1 : i64} : (tensor<4x6xi8>) -> (tensor<4x1xi8>, tensor<4x5xi8>)
  return %a : tensor<4x1xi8>
}

// -----

// Operands of a concatenation of the leading axis are written where they belong, also if they are
// outputs themselves, and if the result is an operand of another concatenation.
// CHECK-LABEL: mcu.program @net
// CHECK: %[[ALL:.*]] = mcu.buffer {{.*}}: <8xi32, nhwc, output>
// CHECK: %[[INNER:.*]] = mcu.alias %[[ALL]][0] : {{.*}} -> <6xi32, nhwc, activation>
// CHECK: %[[A:.*]] = mcu.alias %[[INNER]][0] : {{.*}} -> <4xi32, nhwc, output>
// CHECK: mcu.kernel {{.*}} outs(%[[A]] :
// CHECK: %[[B:.*]] = mcu.alias %[[INNER]][16] : {{.*}} -> <2xi32, nhwc, activation>
// CHECK: mcu.kernel {{.*}} outs(%[[B]] :
// CHECK: %[[C:.*]] = mcu.alias %[[ALL]][24] : {{.*}} -> <2xi32, nhwc, activation>
// CHECK: mcu.kernel {{.*}} outs(%[[C]] :
// CHECK-NOT: mcu.stream
// CHECK: mcu.output 0 "" %[[ALL]]
// CHECK: mcu.output 1 "" %[[A]]
func.func @main(%x: tensor<4xi32>, %y: tensor<2xi32>, %z: tensor<2xi32>)
    -> (tensor<8xi32>, tensor<4xi32>) {
  %a = nn.reverse %x {axes = array<i64: 0>} : (tensor<4xi32>) -> tensor<4xi32>
  %b = nn.reverse %y {axes = array<i64: 0>} : (tensor<2xi32>) -> tensor<2xi32>
  %c = nn.reverse %z {axes = array<i64: 0>} : (tensor<2xi32>) -> tensor<2xi32>
  %ab = nn.concatenation %a, %b {axis = 0 : i64} : (tensor<4xi32>, tensor<2xi32>) -> tensor<6xi32>
  %abc = nn.concatenation %ab, %c {axis = 0 : i64} : (tensor<6xi32>, tensor<2xi32>) -> tensor<8xi32>
  return %abc, %a : tensor<8xi32>, tensor<4xi32>
}

// -----

// Operands that have a place already are copied: inputs, one tensor twice, parts of others.
// CHECK-LABEL: mcu.program @net
// CHECK: %[[X:.*]] = mcu.input 0
// CHECK: mcu.kernel {{.*}} "movement.portable" rows(1) ins(%[[X]], %[[X]] :
// CHECK: %[[R:.*]] = mcu.buffer {{.*}}: <4xi8, nhwc, activation>
// CHECK: nn.reverse
// CHECK: mcu.kernel {{.*}} "movement.portable" rows(1) ins(%[[R]], %[[R]] :
// CHECK: %[[P:.*]] = mcu.alias %[[R]][0] : {{.*}} -> <2xi8, nhwc, activation>
// CHECK: mcu.kernel {{.*}} "movement.portable" rows(1) ins(%[[P]], %[[R]] :
func.func @main(%x: tensor<4xi8>) -> (tensor<8xi8>, tensor<2x4xi8>, tensor<6xi8>) {
  %xx = nn.concatenation %x, %x {axis = 0 : i64} : (tensor<4xi8>, tensor<4xi8>) -> tensor<8xi8>
  %r = nn.reverse %x {axes = array<i64: 0>} : (tensor<4xi8>) -> tensor<4xi8>
  %rr = nn.pack %r, %r {axis = 0 : i64} : (tensor<4xi8>, tensor<4xi8>) -> tensor<2x4xi8>
  %p = nn.slice %r {begin = array<i64: 0>, size = array<i64: 2>} : (tensor<4xi8>) -> tensor<2xi8>
  %pr = nn.concatenation %p, %r {axis = 0 : i64} : (tensor<2xi8>, tensor<4xi8>) -> tensor<6xi8>
  return %xx, %rr, %pr : tensor<8xi8>, tensor<2x4xi8>, tensor<6xi8>
}

// -----

// A tensor that two concatenations want is copied into both.
// CHECK-LABEL: mcu.program @net
// CHECK-COUNT-4: mcu.kernel {{.*}} "movement.portable"
// CHECK-NOT: mcu.alias
func.func @main(%x: tensor<4xi8>, %y: tensor<4xi8>) -> (tensor<8xi8>, tensor<8xi8>) {
  %a = nn.reverse %x {axes = array<i64: 0>} : (tensor<4xi8>) -> tensor<4xi8>
  %b = nn.reverse %y {axes = array<i64: 0>} : (tensor<4xi8>) -> tensor<4xi8>
  %ab = nn.concatenation %a, %b {axis = 0 : i64} : (tensor<4xi8>, tensor<4xi8>) -> tensor<8xi8>
  %ba = nn.concatenation %b, %a {axis = 0 : i64} : (tensor<4xi8>, tensor<4xi8>) -> tensor<8xi8>
  return %ab, %ba : tensor<8xi8>, tensor<8xi8>
}

// -----

// A pack of one tensor is that tensor.
// CHECK-LABEL: mcu.program @net
// CHECK: %[[R:.*]] = mcu.buffer {{.*}}: <4xi8, nhwc, activation>
// CHECK: %[[P:.*]] = mcu.alias %[[R]][0] : {{.*}} -> <1x4xi8, nhwc, output>
// CHECK: mcu.output 0 "" %[[P]]
func.func @main(%x: tensor<4xi8>) -> tensor<1x4xi8> {
  %r = nn.reverse %x {axes = array<i64: 0>} : (tensor<4xi8>) -> tensor<4xi8>
  %p = nn.pack %r {axis = 0 : i64} : (tensor<4xi8>) -> tensor<1x4xi8>
  return %p : tensor<1x4xi8>
}

// -----

// An input may be an output, more than once; a constant is copied to RAM for each output it is.
// CHECK-LABEL: mcu.program @net
// CHECK: %[[X:.*]] = mcu.input 0
// CHECK: %[[C:.*]] = mcu.constant
// CHECK: %[[K:.*]] = mcu.buffer {{.*}}: <3xi8, nhwc, output>
// CHECK: mcu.kernel {{.*}} "movement.portable" rows(1) ins(%[[C]] : {{.*}}) outs(%[[K]] :
// CHECK: %[[L:.*]] = mcu.buffer {{.*}}: <3xi8, nhwc, output>
// CHECK: mcu.kernel {{.*}} "movement.portable" rows(1) ins(%[[C]] : {{.*}}) outs(%[[L]] :
// CHECK: mcu.output 0 "" %[[X]]
// CHECK: mcu.output 1 "" %[[K]]
// CHECK: mcu.output 2 "" %[[X]]
// CHECK: mcu.output 3 "" %[[L]]
func.func @main(%x: tensor<4xi8>) -> (tensor<4xi8>, tensor<3xi8>, tensor<4xi8>, tensor<3xi8>) {
  %c = nn.constant dense<[1, 2, 3]> : tensor<3xi8> -> tensor<3xi8>
  return %x, %c, %x, %c : tensor<4xi8>, tensor<3xi8>, tensor<4xi8>, tensor<3xi8>
}

// -----

// The sum takes over the bytes of an operand that nobody reads later, be it an input.
!q = tensor<8x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK-LABEL: mcu.program @net
// CHECK: %[[X:.*]] = mcu.input 0
// CHECK: %[[S:.*]] = mcu.alias %[[X]][0] : {{.*}} -> <8xi8, nhwc, output>
// CHECK: outs(%[[S]] :
func.func @main(%x: !q, %y: !q) -> !q {
  %s = nn.add %x, %y {activation = #nn.activation<none>} : (!q, !q) -> !q
  return %s : !q
}

// -----

// It takes no bytes over that are wanted: of an output, of an operand with a later reader, of one
// tensor given twice, of a tensor that others are parts of, of a part, of a concatenation's
// operand.
!q = tensor<8x!quant.uniform<i8:f32, 5.000000e-01>>
!h = tensor<4x!quant.uniform<i8:f32, 5.000000e-01>>
!d = tensor<16x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK-LABEL: mcu.program @net
// CHECK: %[[X:.*]] = mcu.input 0
// CHECK: %[[Y:.*]] = mcu.input 1
// CHECK: %[[Z:.*]] = mcu.input 2
// CHECK: %[[S1:.*]] = mcu.buffer
// CHECK: ins(%[[X]], %[[Y]] : {{.*}} outs(%[[S1]] :
// CHECK: %[[S2:.*]] = mcu.buffer
// CHECK: ins(%[[Y]], %[[Y]] : {{.*}} outs(%[[S2]] :
// CHECK: %[[S3:.*]] = mcu.buffer
// CHECK: ins(%[[Z]], %[[X]] : {{.*}} outs(%[[S3]] :
// CHECK: %[[PART:.*]] = mcu.alias %[[Z]][0]
// CHECK: %[[S4:.*]] = mcu.buffer {{.*}}: <4xi8, nhwc, output>
// CHECK: ins(%[[PART]], %[[PART]] : {{.*}} outs(%[[S4]] :
func.func @main(%x: !q, %y: !q, %z: !q) -> (!q, !q, !q, !q, !h) {
  %s1 = nn.add %x, %y {activation = #nn.activation<none>} : (!q, !q) -> !q
  %s2 = nn.add %y, %y {activation = #nn.activation<none>} : (!q, !q) -> !q
  %s3 = nn.add %z, %x {activation = #nn.activation<none>} : (!q, !q) -> !q
  %h = nn.slice %z {begin = array<i64: 0>, size = array<i64: 4>} : (!q) -> !h
  %s4 = nn.add %h, %h {activation = #nn.activation<none>} : (!h, !h) -> !h
  return %x, %s1, %s2, %s3, %s4 : !q, !q, !q, !q, !h
}

// -----

!q = tensor<8x!quant.uniform<i8:f32, 5.000000e-01>>
!d = tensor<16x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK-LABEL: mcu.program @net
// CHECK: %[[ALL:.*]] = mcu.buffer {{.*}}: <16xi8, nhwc, output>
// CHECK: %[[A:.*]] = mcu.alias %[[ALL]][0]
// CHECK: nn.reverse
// CHECK: %[[S:.*]] = mcu.buffer {{.*}}: <8xi8, nhwc, activation>
// CHECK: ins(%[[A]], %{{.*}} : {{.*}} outs(%[[S]] :
// CHECK: %[[T:.*]] = mcu.alias %[[ALL]][8]
// CHECK: nn.reverse
func.func @main(%x: !q, %y: !q) -> (!d, !q) {
  %a = nn.reverse %x {axes = array<i64: 0>} : (!q) -> !q
  %s = nn.add %a, %x {activation = #nn.activation<none>} : (!q, !q) -> !q
  %b = nn.reverse %s {axes = array<i64: 0>} : (!q) -> !q
  %all = nn.concatenation %a, %b {axis = 0 : i64} : (!q, !q) -> !d
  return %all, %x : !d, !q
}
