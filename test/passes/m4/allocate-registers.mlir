// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --pass-pipeline="builtin.module(m4.kernel(m4-allocate-registers,m4-count-cycles))" --split-input-file --verify-diagnostics | FileCheck %s

// What a loop carries is one register before, in and after it; arguments are where they arrive.
// CHECK-LABEL: m4.kernel @dot
// CHECK-SAME: (%arg0: !m4.gpr<r0>, %arg1: !m4.gpr<r1>, %arg2: !m4.gpr<r2>)
// CHECK-SAME: cycles = {{[0-9]+}} : i64
// CHECK: %[[ZERO:.*]] = m4.constant {value = 0 : i64} : () -> !m4.gpr<[[SUM:r[0-9]+]]>
// CHECK: m4.loop 8 while ne carry({{.*}}) : !m4.gpr<[[SUM]]>, !m4.gpr<r0>, !m4.gpr<r1>, !m4.gpr<[[LEFT:r[0-9]+]]>
// CHECK: m4.smlad {{.*}} -> !m4.gpr<[[SUM]]>
// CHECK: m4.subs {{.*}} -> !m4.gpr<[[LEFT]]>
m4.kernel @dot(%x: !m4.gpr, %w: !m4.gpr, %y: !m4.gpr) {
  %zero = m4.constant {value = 0 : i64} : () -> !m4.gpr
  %eight = m4.constant {value = 8 : i64} : () -> !m4.gpr
  %r:4 = m4.loop 8 while ne carry(%sum = %zero, %px = %x, %pw = %w, %left = %eight) : !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr {
    %a, %nx = m4.load_post %px {kind = "w", step = 4 : i64} : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
    %b, %nw = m4.load_post %pw {kind = "w", step = 4 : i64, table} : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
    %s = m4.smlad %a, %b, %sum : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
    %l = m4.subs %left {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
    m4.next %s, %nx, %nw, %l : !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr
  }
  m4.store %r#0, %y {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// -----

// A value that is still read gets a copy before it is changed in place.
// CHECK-LABEL: @copy
// CHECK: %[[COPY:.*]] = m4.copy %arg0 : (!m4.gpr<r0>) -> !m4.gpr<[[P:r[0-9]+]]>
// CHECK: m4.load_post %[[COPY]] {{.*}} -> (!m4.gpr<{{.*}}>, !m4.gpr<[[P]]>)
m4.kernel @copy(%x: !m4.gpr, %y: !m4.gpr) {
  %a, %next = m4.load_post %x {kind = "w", step = 4 : i64} : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
  m4.store %a, %x {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %a, %next {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// -----

// LDM ascends, whatever was free.
// CHECK-LABEL: @ascending
// CHECK: m4.load_multiple %arg0 : (!m4.gpr<r0>) -> (!m4.gpr<r0>, !m4.gpr<r2>, !m4.gpr<r3>)
m4.kernel @ascending(%x: !m4.gpr, %y: !m4.gpr) {
  %a:3 = m4.load_multiple %x : (!m4.gpr) -> (!m4.gpr, !m4.gpr, !m4.gpr)
  %s = m4.smlad %a#0, %a#1, %a#2 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  m4.store %s, %y {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// -----

// Where they cannot ascend, loads: the one that overwrites the base comes last.
// CHECK-LABEL: @split
// CHECK: m4.loop
// CHECK-NEXT: m4.load %[[P:.*]] {kind = "w", offset = 4 : i64} : (!m4.gpr<r1>) -> !m4.gpr<r0>
// CHECK-NEXT: m4.load %[[P]] {kind = "w", offset = 0 : i64} : (!m4.gpr<r1>) -> !m4.gpr<r1>
m4.kernel @split(%x: !m4.gpr, %y: !m4.gpr) {
  %eight = m4.constant {value = 8 : i64} : () -> !m4.gpr
  %r:3 = m4.loop 8 while ne carry(%p = %y, %q = %x, %left = %eight) : !m4.gpr, !m4.gpr, !m4.gpr {
    %a:2 = m4.load_multiple %p : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
    %l = m4.subs %left {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
    m4.next %a#0, %a#1, %l : !m4.gpr, !m4.gpr, !m4.gpr
  }
  m4.store %r#0, %r#1 {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// -----

// What does not fit is an error, never a spill.
// expected-error @+1 {{has no register left: 15 hold something when 'm4.load' needs one}}
m4.kernel @too_many(%p: !m4.gpr) {
  %v:13 = m4.load_multiple %p : (!m4.gpr) -> (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr)
  %w = m4.load %p {kind = "w", offset = 52 : i64} : (!m4.gpr) -> !m4.gpr
  m4.store %v#0, %p {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#1, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#2, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#3, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#4, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#5, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#6, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#7, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#8, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#9, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#10, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#11, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %v#12, %w {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}
