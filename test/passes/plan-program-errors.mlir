// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt --plan-program=target=cortex-m4 --split-input-file --verify-diagnostics %s
// RUN: not thimble-opt --plan-program="target=cortex-m4 stream-input" --split-input-file %s 2>&1 | FileCheck %s --check-prefix=ROWS

func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  // expected-error @+1 {{has no candidates: run nn-list-candidates first}}
  %y = nn.reverse %x {axes = array<i64: 0>} : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

func.func @main(%x: tensor<4xi8>) -> tensor<4xi8> {
  // expected-error @+1 {{none of its candidates can compute it}}
  %y = nn.reverse %x {axes = array<i64: 0>, mcu.candidates = [{kernel = "conv_2d.portable"}]}
     : (tensor<4xi8>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// -----

// expected-error @+1 {{has no function 'main'}}
module {}

// -----

// ROWS: error: an input that arrives by rows must be the only one, but the model has 2
func.func @main(%x: tensor<4xi8>, %y: tensor<4xi8>) -> tensor<4xi8> {
  // expected-error @+1 {{has no candidates}}
  %z = nn.maximum %x, %y : (tensor<4xi8>, tensor<4xi8>) -> tensor<4xi8>
  return %z : tensor<4xi8>
}
