// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --pass-pipeline="builtin.module(m4.kernel(m4-pair-loads))" | FileCheck %s

// A load moves up to the one before it, over what it does not depend on.
// CHECK-LABEL: @moves_up
// CHECK: %[[X:.*]], %{{.*}} = m4.load_post %{{.*}} {kind = "w", step = 4 : i64}
// CHECK-NEXT: %[[W:.*]] = m4.load %{{.*}} {kind = "w", offset = 0 : i64, table}
// CHECK-NEXT: m4.smlad %[[X]]
m4.kernel @moves_up(%p: !m4.gpr, %q: !m4.gpr) {
  %x, %p1 = m4.load_post %p {kind = "w", step = 4 : i64} : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
  %s = m4.smlad %x, %x, %x : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %w = m4.load %q {kind = "w", table} : (!m4.gpr) -> !m4.gpr
  %t = m4.smlad %w, %s, %s : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  m4.store %t, %p1 {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// Not over a store to the same memory; over one to the frame, and with constants over any.
// CHECK-LABEL: @stores
// CHECK: m4.load %arg0 {kind = "w", offset = 0 : i64}
// CHECK-NEXT: m4.load %arg1 {kind = "sb", offset = 0 : i64, table}
// CHECK-NEXT: m4.store
// CHECK-NEXT: m4.add
// CHECK-NEXT: m4.load %arg1 {kind = "w", offset = 0 : i64}
m4.kernel @stores(%p: !m4.gpr, %q: !m4.gpr) {
  %x = m4.load %p {kind = "w"} : (!m4.gpr) -> !m4.gpr
  m4.store %x, %p {kind = "w", offset = 4 : i64} : (!m4.gpr, !m4.gpr) -> ()
  %c = m4.load %q {kind = "sb", table} : (!m4.gpr) -> !m4.gpr
  %y = m4.add %x, %c : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %z = m4.load %q {kind = "w"} : (!m4.gpr) -> !m4.gpr
  %s = m4.add %y, %z : (!m4.gpr, !m4.gpr) -> !m4.gpr
  m4.store %s, %p {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// Not where all fourteen registers hold something.
// CHECK-LABEL: @no_room
// CHECK: %[[V:.*]]:14 = m4.load_multiple
// CHECK: m4.load %{{.*}} {kind = "w", offset = 0 : i64}
// CHECK-NEXT: m4.add
// CHECK: m4.load %{{.*}} {kind = "w", offset = 4 : i64}
m4.kernel @no_room(%p: !m4.gpr) {
  %v:14 = m4.load_multiple %p : (!m4.gpr) -> (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr)
  m4.store %v#13, %v#0 {kind = "w", offset = 8 : i64} : (!m4.gpr, !m4.gpr) -> ()
  %a = m4.load %v#0 {kind = "w"} : (!m4.gpr) -> !m4.gpr
  %b = m4.add %a, %v#1 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %c = m4.add %b, %v#2 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %d = m4.load %v#0 {kind = "w", offset = 4 : i64} : (!m4.gpr) -> !m4.gpr
  %e = m4.add %d, %c : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %f = m4.smlad %v#1, %v#2, %v#3 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %g = m4.smlad %v#4, %v#5, %v#6 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %h = m4.smlad %v#7, %v#8, %v#9 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %i = m4.smlad %v#10, %v#11, %v#12 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %j = m4.smlad %e, %f, %g : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %k = m4.smlad %h, %i, %j : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  m4.store %k, %v#0 {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}
