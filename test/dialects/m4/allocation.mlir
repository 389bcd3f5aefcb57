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
