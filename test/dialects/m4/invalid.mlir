// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --allow-unregistered-dialect --split-input-file --verify-diagnostics

func.func @ssat_bits(%a: i32) -> i32 {
  // expected-error @+1 {{attribute 'bits' failed to satisfy constraint: 32-bit signless integer attribute whose minimum value is 1 whose maximum value is 32}}
  %0 = m4.ssat %a {bits = 33 : i32}
  return %0 : i32
}

// -----

func.func @ssat_shift(%a: i32) -> i32 {
  // expected-error @+1 {{shifts registers only}}
  %0 = m4.ssat %a {bits = 8 : i32, shift = "asr", amount = 3 : i64}
  return %0 : i32
}

// -----

func.func @word_type(%a: i64) -> i64 {
  // expected-error @+1 {{operand #0 must be 32-bit signless integer or a core register, but got 'i64'}}
  %0 = "m4.sxtb16"(%a) : (i64) -> i64
  return %0 : i64
}

// -----

func.func @mixed(%a: i32, %b: !m4.gpr) -> i32 {
  // expected-error @+1 {{operands and result are all i32 or all registers}}
  %0 = m4.sadd16 %a, %b : (i32, !m4.gpr) -> i32
  return %0 : i32
}

// -----

func.func @load_rank(%m: memref<4x4xi8>, %i: index) -> i32 {
  // expected-error @+1 {{operand #0 must be 1D memref of integer values, but got 'memref<4x4xi8>'}}
  %0 = m4.load_word %m[%i] : memref<4x4xi8>
  return %0 : i32
}

// -----

// expected-error @+1 {{core registers are r0 to r12 and lr}}
func.func private @no_core_register(!m4.gpr<r13>)

// -----

// expected-error @+1 {{core registers are r0 to r12 and lr}}
func.func private @no_register_at_all(!m4.gpr<sp>)

// -----

// expected-error @+1 {{S registers are s0 to s31}}
func.func private @no_s_register(!m4.fpr<s32>)

// -----

m4.kernel @load_kind(%p: !m4.gpr) {
  // expected-error @+1 {{attribute 'kind' failed to satisfy constraint: string attribute of a load}}
  %a = m4.load %p {kind = "d"} : (!m4.gpr) -> !m4.gpr
  m4.return
}

// -----

m4.kernel @store_kind(%p: !m4.gpr) {
  // expected-error @+1 {{attribute 'kind' failed to satisfy constraint: string attribute of a store}}
  m4.store %p, %p {kind = "sb"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// -----

m4.kernel @shift_kind(%p: !m4.gpr) {
  // expected-error @+1 {{attribute 'shift' failed to satisfy constraint: string attribute of a shift}}
  %a = m4.add %p, %p {shift = "rrx", amount = 1 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  m4.return
}

// -----

m4.kernel @condition(%p: !m4.gpr) {
  m4.compare_imm %p {value = 0 : i64} : (!m4.gpr) -> ()
  // expected-error @+1 {{attribute 'condition' failed to satisfy constraint: string attribute of a condition}}
  %a = m4.select %p, %p {condition = "zero"} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  m4.return
}

// -----

// expected-error @+1 {{has more arguments than r0 to r3 hold}}
m4.kernel @five(%a: !m4.gpr, %b: !m4.gpr, %c: !m4.gpr, %d: !m4.gpr, %e: !m4.gpr) {
  m4.return
}

// -----

// expected-error @+1 {{arguments must be core registers}}
m4.kernel @s_argument(%a: !m4.fpr) {
  m4.return
}

// -----

// expected-error @+1 {{frame must be a multiple of 4 bytes}}
m4.kernel @frame(%a: !m4.gpr) attributes {frame = 6 : i64} {
  m4.return
}

// -----

func.func @return_parent() {
  // expected-error @+1 {{expects parent op 'm4.kernel'}}
  m4.return
}

// -----

m4.kernel @no_types(%n: !m4.gpr) {
  // expected-error @+1 {{needs a type for each carried register}}
  %r:2 = m4.loop 2 while ne carry(%a = %n, %b = %n) : !m4.gpr {
    m4.next
  }
  m4.return
}

// -----

m4.kernel @no_trips(%n: !m4.gpr) {
  // expected-error @+1 {{runs its body at least once}}
  m4.loop 0 while ne {
    m4.compare_imm %n {value = 0 : i64} : (!m4.gpr) -> ()
    m4.next
  }
  m4.return
}

// -----

m4.kernel @carried(%n: !m4.gpr) {
  // expected-error @+1 {{carried registers must be of the same classes everywhere}}
  %r = m4.loop 2 while ne carry(%a = %n) : !m4.gpr {
    %s = m4.to_s %a : (!m4.gpr) -> !m4.fpr
    m4.compare_imm %n {value = 0 : i64} : (!m4.gpr) -> ()
    m4.next %s : !m4.fpr
  }
  m4.return
}

// -----

m4.kernel @no_flags(%n: !m4.gpr) {
  // expected-error @+1 {{no instruction sets the flags that m4.next reads}}
  m4.loop 2 while ne {
    %a = m4.load %n {kind = "w"} : (!m4.gpr) -> !m4.gpr
    m4.next
  }
  m4.return
}

// -----

// What a body in between does to the flags is not known.
m4.kernel @flags_before_if(%n: !m4.gpr) {
  // expected-error @+1 {{no instruction sets the flags that m4.next reads}}
  m4.loop 2 while ne {
    m4.compare_imm %n {value = 0 : i64} : (!m4.gpr) -> ()
    m4.if "eq" taken 1 of 2 {
      m4.yield
    }
    m4.next
  }
  m4.return
}

// -----

m4.kernel @loop_end(%n: !m4.gpr) {
  // expected-error @+1 {{must end with m4.next}}
  "m4.loop"() <{condition = "ne", trips = 2 : i64}> ({
    "test.end"() : () -> ()
  }) : () -> ()
  m4.return
}

// -----

// expected-error @+1 {{must end with m4.return}}
"m4.kernel"() <{sym_name = "kernel_end"}> ({
^bb0(%n: !m4.gpr):
  "test.end"() : () -> ()
}) : () -> ()

// -----

m4.kernel @no_result(%n: !m4.gpr) {
  m4.compare_imm %n {value = 0 : i64} : (!m4.gpr) -> ()
  // expected-error @+1 {{bodies must yield a register for each result}}
  %r = m4.if "eq" taken 1 of 2 {
    m4.yield
  } else {
    m4.yield %n : !m4.gpr
  } : !m4.gpr
  m4.return
}

// -----

m4.kernel @no_else(%n: !m4.gpr) {
  m4.compare_imm %n {value = 0 : i64} : (!m4.gpr) -> ()
  // expected-error @+1 {{needs an else for its results}}
  %r = m4.if "eq" taken 1 of 2 {
    m4.yield %n : !m4.gpr
  } : !m4.gpr
  m4.return
}

// -----

m4.kernel @two(%p: !m4.gpr, %q: !m4.gpr) {
  m4.return
}
func.func @offsets(%m: memref<4xi8>, %i: index) {
  // expected-error @+1 {{needs an offset for each buffer}}
  m4.call @two(%m, %m) at (%i) writes [0] : memref<4xi8>, memref<4xi8>
  return
}

// -----

m4.kernel @one(%p: !m4.gpr) {
  m4.return
}
func.func @writes(%m: memref<4xi8>, %i: index) {
  // expected-error @+1 {{writes a buffer that it does not pass}}
  m4.call @one(%m) at (%i) writes [1] : memref<4xi8>
  return
}

// -----

m4.kernel @alone(%p: !m4.gpr) {
  m4.return
}
func.func @too_many(%m: memref<4xi8>, %i: index, %n: i32) {
  // expected-error @+1 {{passes 2 operands to 'alone', which takes 1}}
  m4.call @alone(%m) at (%i) words (%n) writes [0] : memref<4xi8>
  return
}

// -----

func.func @unknown(%m: memref<4xi8>, %i: index) {
  // expected-error @+1 {{'unknown' is not a kernel}}
  m4.call @unknown(%m) at (%i) writes [0] : memref<4xi8>
  return
}
