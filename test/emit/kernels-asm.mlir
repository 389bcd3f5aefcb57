// Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
// RUN: thimble-opt %s --pass-pipeline="builtin.module(m4.kernel(m4-allocate-registers))" | thimble-translate --m4-to-asm | FileCheck %s
// What is printed assembles:
// RUN: thimble-opt %s --pass-pipeline="builtin.module(m4.kernel(m4-allocate-registers))" | thimble-translate --m4-to-asm -o %t.s
// RUN: llvm-mc -triple=thumbv7em-none-eabi -mcpu=cortex-m4 -filetype=obj %t.s -o %t.o

// Every form of an operand.
// CHECK-LABEL: forms:
// CHECK-NEXT: push {r4, r5, r6}
m4.kernel @forms(%x: !m4.gpr, %y: !m4.gpr, %n: !m4.gpr) {
  // CHECK: movw [[A:r[0-9]+|lr]], #4660
  %a = m4.constant {value = 4660 : i64} : () -> !m4.gpr
  // CHECK: movw [[B:r[0-9]+|lr]], #22136
  // CHECK: movt [[B]], #4660
  %b = m4.constant {value = 305419896 : i64} : () -> !m4.gpr
  // CHECK: mov.w [[C:r[0-9]+|lr]], #4278255360
  %c = m4.constant {value = -16711936 : i64} : () -> !m4.gpr
  // CHECK: add.w {{.*}}, [[A]], [[B]], lsl #3
  %d = m4.add %a, %b {shift = "lsl", amount = 3 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK: subw {{.*}}, {{.*}}, #12
  %e = m4.add_imm %d {value = -12 : i64} : (!m4.gpr) -> !m4.gpr
  // CHECK: ssat {{.*}}, #8, {{.*}}, asr #7
  %f = m4.ssat %e {bits = 8 : i32, shift = "asr", amount = 7 : i64} : (!m4.gpr) -> !m4.gpr
  // CHECK: sxtb16 {{.*}}, [[C]], ror #8
  %g = m4.sxtb16_ror8 %c : (!m4.gpr) -> !m4.gpr
  // CHECK: pkhtb {{.*}}, {{.*}}, {{.*}}, asr #16
  %h = m4.pack_top %f, %g {shift = "asr", amount = 16 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK: strb.w {{.*}}, [r1, #5]
  m4.store %h, %y {kind = "b", offset = 5 : i64} : (!m4.gpr, !m4.gpr) -> ()
  // CHECK: ldrsb.w {{.*}}, [r0, #3]
  %i = m4.load %x {kind = "sb", offset = 3 : i64} : (!m4.gpr) -> !m4.gpr
  // CHECK: ldrb.w {{.*}}, [r0, {{.*}}]
  %j = m4.load_indexed %x, %i {kind = "b"} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK: ldrsh {{.*}}, [r0], #-2
  %k, %x1 = m4.load_post %x {kind = "sh", step = -2 : i64} : (!m4.gpr) -> (!m4.gpr, !m4.gpr)
  // CHECK: smlald [[LO:r[0-9]+|lr]], [[HI:r[0-9]+|lr]], {{.*}}, {{.*}}
  %lo, %hi = m4.smlald %j, %k, %i, %h : (!m4.gpr, !m4.gpr, !m4.gpr, !m4.gpr) -> (!m4.gpr, !m4.gpr)
  // CHECK: cmp.w r2, #4
  m4.compare_imm %n {value = 4 : i64} : (!m4.gpr) -> ()
  // CHECK-NEXT: it eq
  // CHECK-NEXT: moveq [[LO]], [[HI]]
  %s = m4.select %lo, %hi {condition = "eq"} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  // CHECK: str {{.*}}, [{{.*}}], #4
  %x2 = m4.store_post %s, %x1 {kind = "w", step = 4 : i64} : (!m4.gpr, !m4.gpr) -> !m4.gpr
  m4.store %x2, %y {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
  // CHECK: strb.w {{.*}}, [{{.*}}, r2]
  m4.store_indexed %x2, %y, %n {kind = "b"} : (!m4.gpr, !m4.gpr, !m4.gpr) -> ()
  // CHECK: pop {r4, r5, r6}
  // CHECK-NEXT: bx lr
  m4.return
}

// Loops, branches, S registers and the frame.
// CHECK-LABEL: structure:
// CHECK: subw sp, sp, #64
m4.kernel @structure(%x: !m4.gpr, %n: !m4.gpr) attributes {frame = 64 : i64} {
  // CHECK: vmov s0, r1
  %s = m4.to_s %n : (!m4.gpr) -> !m4.fpr
  // CHECK: str.w r1, [sp, #8]
  m4.store %n {kind = "w", offset = 8 : i64} : (!m4.gpr) -> ()
  %three = m4.constant {value = 3 : i64} : () -> !m4.gpr
  // CHECK: .p2align 2
  // CHECK-NEXT: 1:
  %r:2 = m4.loop 3 while ne carry(%p = %x, %left = %three) : !m4.gpr, !m4.gpr {
    // CHECK-NEXT: vmov [[V:r[0-9]+]], s0
    %v = m4.to_r %s : (!m4.fpr) -> !m4.gpr
    // CHECK-NEXT: cmp.w [[V]], r0
    m4.compare %v, %p : (!m4.gpr, !m4.gpr) -> ()
    // CHECK-NEXT: bne.w 2f
    m4.if "eq" taken 1 of 3 {
      // CHECK-NEXT: str.w [[V]], [r0]
      m4.store %v, %p {kind = "w"} : (!m4.gpr, !m4.gpr) -> ()
      m4.yield
    }
    // CHECK-NEXT: 2:
    // CHECK-NEXT: addw r0, r0, #4
    %q = m4.add_imm %p {value = 4 : i64} : (!m4.gpr) -> !m4.gpr
    // CHECK-NEXT: subs.w [[L:r[0-9]+]], [[L]], #1
    %l = m4.subs %left {value = 1 : i64} : (!m4.gpr) -> !m4.gpr
    // CHECK-NEXT: bne.w 1b
    m4.next %q, %l : !m4.gpr, !m4.gpr
  }
  // CHECK: addw sp, sp, #64
  m4.return
}
