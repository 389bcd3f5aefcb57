// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --verify-roundtrip | FileCheck %s

// Instructions on registers name their types; those on words of ordinary code are in ops.mlir.
// CHECK-LABEL: m4.kernel @words(%arg0: !m4.gpr, %arg1: !m4.gpr, %arg2: !m4.gpr)
m4.kernel @words(%a: !m4.gpr, %b: !m4.gpr, %acc: !m4.gpr) {
  // CHECK-NEXT: m4.smlad %arg0, %arg1, %arg2 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.smladx
  // CHECK-NEXT: m4.smlabb
  // CHECK-NEXT: m4.smlabt
  // CHECK-NEXT: m4.smlatb
  // CHECK-NEXT: m4.smlatt
  // CHECK-NEXT: m4.smuad
  // CHECK-NEXT: m4.smmul
  // CHECK-NEXT: m4.smmla
  // CHECK-NEXT: m4.smmlar
  // CHECK-NEXT: m4.sadd16
  // CHECK-NEXT: m4.ssub16
  // CHECK-NEXT: m4.smax8
  // CHECK-NEXT: m4.smin8
  // CHECK-NEXT: m4.sxtb16
  // CHECK-NEXT: m4.sxtb16_ror8
  // CHECK-NEXT: m4.pkhbt
  // CHECK-NEXT: m4.pkhtb
  // CHECK-NEXT: m4.ssat %{{.*}} {amount = 7 : i64, bits = 8 : i32, shift = "asr"} : (!m4.gpr) -> !m4.gpr
  %0 = m4.smlad %a, %b, %acc : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %1 = m4.smladx %a, %b, %0 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %2 = m4.smlabb %a, %b, %1 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %3 = m4.smlabt %a, %b, %2 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %4 = m4.smlatb %a, %b, %3 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %5 = m4.smlatt %a, %b, %4 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %6 = m4.smuad %a, %5 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %7 = m4.smmul %a, %6 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %8 = m4.smmla %a, %b, %7 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %9 = m4.smmlar %a, %b, %8 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %10 = m4.sadd16 %9, %a : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %11 = m4.ssub16 %10, %a : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %12 = m4.smax8 %11, %a : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %13 = m4.smin8 %12, %a : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %14 = m4.sxtb16 %13 : (!m4.gpr) -> !m4.gpr
  %15 = m4.sxtb16_ror8 %14 : (!m4.gpr) -> !m4.gpr
  %16 = m4.pkhbt %15, %a : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %17 = m4.pkhtb %16, %a : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %18 = m4.ssat %17 {bits = 8 : i32, shift = "asr", amount = 7 : i64} : (!m4.gpr) -> !m4.gpr
  m4.store %18, %a {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// CHECK-LABEL: m4.kernel @arithmetic
m4.kernel @arithmetic(%a: !m4.gpr, %b: !m4.gpr) {
  // CHECK-NEXT: m4.add %arg0, %arg1 {amount = 8 : i64, shift = "lsl"} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.sub %{{.*}}, %arg1 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.rsb
  // CHECK-NEXT: m4.and
  // CHECK-NEXT: m4.orr
  // CHECK-NEXT: m4.eor
  // CHECK-NEXT: m4.bic
  // CHECK-NEXT: m4.pack_bottom
  // CHECK-NEXT: m4.pack_top
  %0 = m4.add %a, %b {shift = "lsl", amount = 8 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %1 = m4.sub %0, %b : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %2 = m4.rsb %1, %b {shift = "asr", amount = 1 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %3 = m4.and %2, %b {shift = "lsr", amount = 2 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %4 = m4.orr %3, %b {shift = "ror", amount = 3 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %5 = m4.eor %4, %b : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %6 = m4.bic %5, %b : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %7 = m4.pack_bottom %6, %b {shift = "lsl", amount = 8 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %8 = m4.pack_top %7, %b {shift = "asr", amount = 8 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.add_imm %{{.*}} {value = -12 : i64} : (!m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.rsb_imm
  // CHECK-NEXT: m4.and_imm
  // CHECK-NEXT: m4.orr_imm
  // CHECK-NEXT: m4.eor_imm
  // CHECK-NEXT: m4.lsl %
  // CHECK-NEXT: m4.lsr %
  // CHECK-NEXT: m4.asr %
  // CHECK-NEXT: m4.ror %
  // CHECK-NEXT: m4.lsl_by
  // CHECK-NEXT: m4.asr_by
  // CHECK-NEXT: m4.constant {value = 305419896 : i64} : () -> !m4.gpr
  // CHECK-NEXT: m4.copy
  %9 = m4.add_imm %8 {value = -12 : i64} : (!m4.gpr) -> !m4.gpr
  %10 = m4.rsb_imm %9 {value = 0 : i64} : (!m4.gpr) -> !m4.gpr
  %11 = m4.and_imm %10 {value = 255 : i64} : (!m4.gpr) -> !m4.gpr
  %12 = m4.orr_imm %11 {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
  %13 = m4.eor_imm %12 {value = 128 : i64} : (!m4.gpr) -> !m4.gpr
  %14 = m4.lsl %13 {value = 3 : i64} : (!m4.gpr) -> !m4.gpr
  %15 = m4.lsr %14 {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
  %16 = m4.asr %15 {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
  %17 = m4.ror %16 {value = 8 : i64} : (!m4.gpr) -> !m4.gpr
  %18 = m4.lsl_by %17, %b : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %19 = m4.asr_by %18, %b : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %20 = m4.constant {value = 305419896 : i64} : () -> !m4.gpr
  %21 = m4.copy %20 : (!m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.sxtb %
  // CHECK-NEXT: m4.uxtb %{{.*}} {amount = 8 : i64, shift = "ror"}
  // CHECK-NEXT: m4.sxth
  // CHECK-NEXT: m4.uxtb16
  // CHECK-NEXT: m4.sxtab16
  // CHECK-NEXT: m4.usat %{{.*}} {bits = 8 : i64}
  %22 = m4.sxtb %19 : (!m4.gpr) -> !m4.gpr
  %23 = m4.uxtb %22 {shift = "ror", amount = 8 : i64} : (!m4.gpr) -> !m4.gpr
  %24 = m4.sxth %23 : (!m4.gpr) -> !m4.gpr
  %25 = m4.uxtb16 %24 : (!m4.gpr) -> !m4.gpr
  %26 = m4.sxtab16 %25, %21 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %27 = m4.usat %26 {bits = 8 : i64} : (!m4.gpr) -> !m4.gpr
  m4.store %27, %a {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// CHECK-LABEL: m4.kernel @products
m4.kernel @products(%a: !m4.gpr, %b: !m4.gpr) {
  // CHECK-NEXT: m4.mul %
  // CHECK-NEXT: m4.mla %
  // CHECK-NEXT: m4.mls %
  // CHECK-NEXT: m4.smulbb
  // CHECK-NEXT: m4.smulbt
  // CHECK-NEXT: m4.smultb
  // CHECK-NEXT: m4.smultt
  // CHECK-NEXT: m4.smlawb
  // CHECK-NEXT: m4.smlawt
  // CHECK-NEXT: %[[LOW:.*]], %[[HIGH:.*]] = m4.smull %arg0, %{{.*}} : (!m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  // CHECK-NEXT: m4.smlal %arg0, %arg1, %[[LOW]], %[[HIGH]] : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  // CHECK-NEXT: m4.smlald
  // CHECK-NEXT: m4.smlalbb
  // CHECK-NEXT: m4.smlalbt
  // CHECK-NEXT: m4.smlaltb
  // CHECK-NEXT: m4.smlaltt
  // CHECK-NEXT: m4.adds
  // CHECK-NEXT: m4.adc
  %0 = m4.mul %a, %b : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %1 = m4.mla %a, %b, %0 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %2 = m4.mls %a, %b, %1 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %3 = m4.smulbb %a, %2 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %4 = m4.smulbt %a, %3 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %5 = m4.smultb %a, %4 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %6 = m4.smultt %a, %5 : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %7 = m4.smlawb %a, %b, %6 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %8 = m4.smlawt %a, %b, %7 : (!m4.gpr, !m4.gpr, !m4.gpr) -> !m4.gpr
  %l0, %h0 = m4.smull %a, %8 : (!m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  %l1, %h1 = m4.smlal %a, %b, %l0, %h0 : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  %l2, %h2 = m4.smlald %a, %b, %l1, %h1 : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  %l3, %h3 = m4.smlalbb %a, %b, %l2, %h2 : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  %l4, %h4 = m4.smlalbt %a, %b, %l3, %h3 : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  %l5, %h5 = m4.smlaltb %a, %b, %l4, %h4 : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  %l6, %h6 = m4.smlaltt %a, %b, %l5, %h5 : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  %l = m4.adds %l6, %a : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %h = m4.adc %h6, %b : (!m4.gpr, !m4.gpr) -> !m4.gpr
  m4.store %l, %a {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %h, %a {kind = "w", offset = 4 : i64} : (!m4.gpr, !m4.gpr) -> ()
  m4.return
}

// Memory, the frame and S registers.
// CHECK-LABEL: m4.kernel @memory
// CHECK-SAME: attributes {frame = 64 : i64}
m4.kernel @memory(%p: !m4.gpr, %q: !m4.gpr) attributes {frame = 64 : i64} {
  // CHECK-NEXT: m4.load %arg0 {kind = "w", offset = 0 : i64} : (!m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.load %arg0 {kind = "sb", offset = 1 : i64}
  // CHECK-NEXT: m4.load %arg0 {kind = "ub", offset = 2 : i64, table}
  // CHECK-NEXT: m4.load %arg0 {kind = "sh", offset = 4 : i64}
  // CHECK-NEXT: m4.load %arg0 {kind = "uh", offset = -4 : i64}
  // CHECK-NEXT: m4.load {kind = "w", offset = 8 : i64} : () -> !m4.gpr
  %0 = m4.load %p {kind = "w"} : (!m4.gpr) -> !m4.gpr
  %1 = m4.load %p {kind = "sb", offset = 1 : i64} : (!m4.gpr) -> !m4.gpr
  %2 = m4.load %p {kind = "ub", offset = 2 : i64, table} : (!m4.gpr) -> !m4.gpr
  %3 = m4.load %p {kind = "sh", offset = 4 : i64} : (!m4.gpr) -> !m4.gpr
  %4 = m4.load %p {kind = "uh", offset = -4 : i64} : (!m4.gpr) -> !m4.gpr
  %5 = m4.load {kind = "w", offset = 8 : i64} : () -> !m4.gpr
  // CHECK-NEXT: %[[V:.*]], %[[P:.*]] = m4.load_post %arg0 {kind = "w", step = 4 : i64} : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
  // CHECK-NEXT: m4.load_indexed %[[P]], %[[V]] {amount = 2 : i64, kind = "w", shift = "lsl"}
  // CHECK-NEXT: %[[M:.*]]:3 = m4.load_multiple %[[P]] : (!m4.gpr) -> (!m4.gpr, !m4.gpr, !m4.gpr)
  // CHECK-NEXT: %[[NEXT:.*]], %[[N:.*]]:2 = m4.load_multiple_post %[[P]] {table} : (!m4.gpr) -> (!m4.gpr, !m4.gpr, !m4.gpr)
  %6, %p1 = m4.load_post %p {kind = "w", step = 4 : i64} : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
  %7 = m4.load_indexed %p1, %6 {kind = "w", shift = "lsl", amount = 2 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  %m:3 = m4.load_multiple %p1 : (!m4.gpr) -> (!m4.gpr, !m4.gpr, !m4.gpr)
  %p2, %n:2 = m4.load_multiple_post %p1 {table} : (!m4.gpr) -> (!m4.gpr, !m4.gpr, !m4.gpr)
  // CHECK-NEXT: m4.store %[[M]]#0, %arg1 {kind = "b", offset = 3 : i64} : (!m4.gpr, !m4.gpr) -> ()
  // CHECK-NEXT: m4.store %[[M]]#1, %arg1 {kind = "h", offset = 0 : i64}
  // CHECK-NEXT: m4.store %[[M]]#2 {kind = "w", offset = 12 : i64} : (!m4.gpr) -> ()
  // CHECK-NEXT: m4.store_post %[[N]]#0, %[[NEXT]] {kind = "w", step = 4 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  m4.store %m#0, %q {kind = "b", offset = 3 : i64} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %m#1, %q {kind = "h"} : (!m4.gpr, !m4.gpr) -> ()
  m4.store %m#2 {kind = "w", offset = 12 : i64} : (!m4.gpr) -> ()
  %p3 = m4.store_post %n#0, %p2 {kind = "w", step = 4 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK-NEXT: m4.frame_address {offset = 16 : i64} : () -> !m4.gpr
  // CHECK-NEXT: m4.move_frame {step = 8 : i64} : () -> ()
  // CHECK-NEXT: m4.move_frame {step = -8 : i64} : () -> ()
  %8 = m4.frame_address {offset = 16 : i64} : () -> !m4.gpr
  m4.move_frame {step = 8 : i64} : () -> ()
  m4.move_frame {step = -8 : i64} : () -> ()
  // CHECK-NEXT: %[[S:.*]] = m4.to_s %{{.*}} : (!m4.gpr) -> !m4.fpr
  // CHECK-NEXT: %[[T:.*]] = m4.copy_s %[[S]] : (!m4.fpr) -> !m4.fpr
  // CHECK-NEXT: m4.to_r %[[T]] : (!m4.fpr) -> !m4.gpr
  // CHECK-NEXT: %[[L:.*]] = m4.load_s %arg1 {offset = 4 : i64, table} : (!m4.gpr) -> !m4.fpr
  // CHECK-NEXT: m4.store_s %[[L]] {offset = 20 : i64} : (!m4.fpr) -> ()
  // CHECK-NEXT: m4.store_s %[[T]], %arg1 {offset = 0 : i64} : (!m4.fpr, !m4.gpr) -> ()
  %s = m4.to_s %8 : (!m4.gpr) -> !m4.fpr
  %t = m4.copy_s %s : (!m4.fpr) -> !m4.fpr
  %9 = m4.to_r %t : (!m4.fpr) -> !m4.gpr
  %u = m4.load_s %q {offset = 4 : i64, table} : (!m4.gpr) -> !m4.fpr
  m4.store_s %u {offset = 20 : i64} : (!m4.fpr) -> ()
  m4.store_s %t, %q : (!m4.fpr, !m4.gpr) -> ()
  m4.return
}

// CHECK-LABEL: m4.kernel @structure
m4.kernel @structure(%p: !m4.gpr, %n: !m4.gpr) {
  // CHECK-NEXT: %[[S:.*]] = m4.to_s
  // CHECK-NEXT: %[[R:.*]]:2 = m4.loop 4 while ne carry(%[[LEFT:.*]] = %arg1, %[[SUM:.*]] = %[[S]]) : !m4.gpr, !m4.fpr {
  %s = m4.to_s %p : (!m4.gpr) -> !m4.fpr
  %r:2 = m4.loop 4 while ne carry(%left = %n, %sum = %s) : !m4.gpr, !m4.fpr {
    // CHECK-NEXT: m4.compare %[[LEFT]], %arg0 : (!m4.gpr, !m4.gpr) -> ()
    // CHECK-NEXT: m4.select %[[LEFT]], %arg0 {condition = "lt"} : (!m4.gpr, !m4.gpr) -> !m4.gpr
    m4.compare %left, %p : (!m4.gpr, !m4.gpr) -> ()
    %a = m4.select %left, %p {condition = "lt"} : (!m4.gpr, !m4.gpr) -> !m4.gpr
    // CHECK-NEXT: m4.compare_imm %{{.*}} {value = 3 : i64} : (!m4.gpr) -> ()
    // CHECK-NEXT: %[[IF:.*]] = m4.if "eq" taken 1 of 4 {
    // CHECK-NEXT: m4.yield %[[LEFT]] : !m4.gpr
    // CHECK-NEXT: } else {
    // CHECK-NEXT: m4.yield %arg0 : !m4.gpr
    // CHECK-NEXT: } : !m4.gpr
    m4.compare_imm %a {value = 3 : i64} : (!m4.gpr) -> ()
    %b = m4.if "eq" taken 1 of 4 {
      m4.yield %left : !m4.gpr
    } else {
      m4.yield %p : !m4.gpr
    } : !m4.gpr
    // CHECK-NEXT: m4.store %[[IF]], %arg0
    // CHECK-NEXT: %[[L:.*]] = m4.subs %[[LEFT]] {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
    // CHECK-NEXT: m4.next %[[L]], %[[SUM]] : !m4.gpr, !m4.fpr
    m4.store %b, %p {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
    %l = m4.subs %left {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
    m4.next %l, %sum : !m4.gpr, !m4.fpr
  }
  // CHECK: m4.return
  m4.return
}

// A loop that carries nothing, and registers that are allocated.
// CHECK-LABEL: m4.kernel @allocated(%arg0: !m4.gpr<r0>)
m4.kernel @allocated(%p: !m4.gpr<r0>) attributes {portable = @loops, cycles = 12 : i64} {
  // CHECK: m4.loop 2 while hi {
  m4.loop 2 while hi {
    // CHECK-NEXT: m4.load %arg0 {{.*}} : (!m4.gpr<r0>) -> !m4.gpr<lr>
    %a = m4.load %p {kind = "w"} : (!m4.gpr<r0>) -> !m4.gpr<lr>
    // CHECK-NEXT: m4.to_s {{.*}} : (!m4.gpr<lr>) -> !m4.fpr<s31>
    %s = m4.to_s %a : (!m4.gpr<lr>) -> !m4.fpr<s31>
    m4.compare_imm %a {value = 9 : i64} : (!m4.gpr<lr>) -> ()
    m4.next
  }
  m4.return
}
func.func private @loops(%p: memref<8xi8>)

// CHECK-LABEL: @call
func.func @call(%p: memref<8xi32>, %i: index, %n: i32) {
  // CHECK-NEXT: m4.call @structure(%arg0) at(%arg1) words(%arg2) writes [0] : memref<8xi32>
  m4.call @structure(%p) at (%i) words (%n) writes [0] : memref<8xi32>
  // CHECK-NEXT: m4.call @memory(%arg0, %arg0) at(%arg1, %arg1) writes [0, 1] : memref<8xi32>, memref<8xi32>
  m4.call @memory(%p, %p) at (%i, %i) writes [0, 1] : memref<8xi32>, memref<8xi32>
  return
}
