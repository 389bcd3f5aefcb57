// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --split-input-file --verify-diagnostics

m4.kernel @overwritten(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  %a = m4.load %x {kind = "w"} : (!m4.gpr<r0>) -> !m4.gpr<r2>
  %b = m4.load %x {kind = "w", offset = 4 : i64} : (!m4.gpr<r0>) -> !m4.gpr<r2>
  // expected-error @+1 {{reads '!m4.gpr<r2>', which holds something else}}
  %s = m4.add %a, %b : (!m4.gpr<r2>, !m4.gpr<r2>) -> !m4.gpr<r3>
  m4.store %s, %y {kind = "w"} : (!m4.gpr<r3>, !m4.gpr<r1>) -> ()
  m4.return
}

// -----

m4.kernel @moved(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  // expected-error @+1 {{carries a value from '!m4.gpr<r0>' to '!m4.gpr<r3>'}}
  %a, %n = m4.load_post %x {kind = "w", step = 4 : i64} : (!m4.gpr<r0>) -> (!m4.gpr<r2>, !m4.gpr<r3>)
  m4.store %a, %y {kind = "w"} : (!m4.gpr<r2>, !m4.gpr<r1>) -> ()
  m4.return
}

// -----

m4.kernel @descends(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  // expected-error @+1 {{fills registers that do not ascend}}
  %a:2 = m4.load_multiple %x : (!m4.gpr<r0>) -> (!m4.gpr<r3>, !m4.gpr<r2>)
  m4.store %a#0, %a#1 {kind = "w"} : (!m4.gpr<r3>, !m4.gpr<r2>) -> ()
  m4.return
}

// -----

m4.kernel @second_trip(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  %n = m4.constant {value = 4 : i64} : () -> !m4.gpr<r4>
  %r = m4.loop 4 while ne carry(%left = %n) : !m4.gpr<r4> {
    // expected-error @+1 {{reads '!m4.gpr<r0>', which an earlier trip changed}}
    %a = m4.load %x {kind = "w"} : (!m4.gpr<r0>) -> !m4.gpr<r0>
    m4.store %a, %y {kind = "w"} : (!m4.gpr<r0>, !m4.gpr<r1>) -> ()
    %l = m4.subs %left {value = 1 : i64} : (!m4.gpr<r4>) -> !m4.gpr<r4>
    m4.next %l : !m4.gpr<r4>
  }
  m4.return
}

// -----

m4.kernel @one_body(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  m4.compare_imm %x {value = 0 : i64} : (!m4.gpr<r0>) -> ()
  m4.if "eq" taken 1 of 2 {
    %a = m4.load %y {kind = "w"} : (!m4.gpr<r1>) -> !m4.gpr<r0>
    m4.store %a, %y {kind = "w"} : (!m4.gpr<r0>, !m4.gpr<r1>) -> ()
    m4.yield
  }
  // expected-error @+1 {{reads '!m4.gpr<r0>', which holds something else}}
  m4.store %x, %y {kind = "w"} : (!m4.gpr<r0>, !m4.gpr<r1>) -> ()
  m4.return
}

// -----

m4.kernel @one_register(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  // expected-error @+1 {{has two results in '!m4.gpr<r2>'}}
  %low, %high = m4.smull %x, %y : (!m4.gpr<r0>, !m4.gpr<r1>) -> (!m4.gpr<r2>, !m4.gpr<r2>)
  m4.store %high, %y {kind = "w"} : (!m4.gpr<r2>, !m4.gpr<r1>) -> ()
  m4.return
}

// -----

m4.kernel @too_early(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  // expected-error @+1 {{writes '!m4.gpr<r0>' before it has read it}}
  %a = m4.smax8 %x, %y : (!m4.gpr<r0>, !m4.gpr<r1>) -> !m4.gpr<r0>
  m4.store %a, %y {kind = "w"} : (!m4.gpr<r0>, !m4.gpr<r1>) -> ()
  m4.return
}

// -----

m4.kernel @yields(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  m4.compare_imm %x {value = 0 : i64} : (!m4.gpr<r0>) -> ()
  // expected-error @+1 {{carries a value from '!m4.gpr<r1>' to '!m4.gpr<r0>'}}
  %r = m4.if "eq" taken 1 of 2 {
    m4.yield %x : !m4.gpr<r0>
  } else {
    m4.yield %y : !m4.gpr<r1>
  } : !m4.gpr<r0>
  m4.return
}

// -----

m4.kernel @carries(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  // expected-error @+1 {{carries a value from '!m4.gpr<r1>' to '!m4.gpr<r2>'}}
  "m4.loop"(%y) <{condition = "ne", trips = 2 : i64}> ({
  ^bb0(%left: !m4.gpr<r2>):
    %l = m4.subs %left {value = 1 : i64} : (!m4.gpr<r2>) -> !m4.gpr<r2>
    m4.next %l : !m4.gpr<r2>
  }) : (!m4.gpr<r1>) -> !m4.gpr<r2>
  m4.return
}

// -----

m4.kernel @s_overwritten(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  %s = m4.to_s %x : (!m4.gpr<r0>) -> !m4.fpr<s4>
  %t = m4.to_s %y : (!m4.gpr<r1>) -> !m4.fpr<s4>
  // expected-error @+1 {{reads '!m4.fpr<s4>', which holds something else}}
  %a = m4.to_r %s : (!m4.fpr<s4>) -> !m4.gpr<r2>
  m4.return
}

// -----

// What is right is not refused: LDM that ascends, a loop that keeps what it reads, both bodies.
m4.kernel @right(%x: !m4.gpr<r0>, %y: !m4.gpr<r1>) {
  %n, %a:2 = m4.load_multiple_post %x : (!m4.gpr<r0>) -> (!m4.gpr<r0>, !m4.gpr<r4>, !m4.gpr<lr>)
  %r = m4.loop 4 while ne carry(%left = %a#0) : !m4.gpr<r4> {
    m4.compare %left, %a#1 : (!m4.gpr<r4>, !m4.gpr<lr>) -> ()
    %v = m4.if "eq" taken 1 of 2 {
      %z = m4.constant {value = 0 : i64} : () -> !m4.gpr<r5>
      m4.yield %z : !m4.gpr<r5>
    } else {
      %c = m4.copy %left : (!m4.gpr<r4>) -> !m4.gpr<r5>
      m4.yield %c : !m4.gpr<r5>
    } : !m4.gpr<r5>
    m4.store %v, %n {kind = "w"} : (!m4.gpr<r5>, !m4.gpr<r0>) -> ()
    %l = m4.subs %left {value = 1 : i64} : (!m4.gpr<r4>) -> !m4.gpr<r4>
    m4.next %l : !m4.gpr<r4>
  }
  m4.store %r, %y {kind = "w"} : (!m4.gpr<r4>, !m4.gpr<r1>) -> ()
  m4.return
}
