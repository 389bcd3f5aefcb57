# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""tools/cycle_count: costs worked out by hand from the Cortex-M4's Technical Reference Manual, the
model of flash, and the cycle counter beside the checkout where there is one."""
import json

import pytest

from harness import firmware, goldens
from harness.tools import MODELS, SHARED, check, compile_model, run

P = 2  # cycles to refill the pipeline after a taken branch

# name: (code, instructions, cycles); each is followed by BX LR. Memory around SP may be written.
CASES = {
    "empty": ("", 0, 0),
    "one_cycle": ("add r1, r2, r3, lsl #4; smlad r1, r2, r3, r1; sxtb16 r1, r2, ror #8; "
                  "umaal r1, r2, r3, r12; ssat r1, #8, r2, asr #3; smmlar r1, r2, r3, r1; "
                  "pkhbt r1, r2, r3, lsl #16; bfi r1, r2, #3, #4; nop.w", 9, 9),
    "divides": ("mov r3, #3; udiv r1, r2, r3; sdiv r1, r2, r3", 3, 1 + 7 + 7),
    "one_load": ("ldr r1, [sp]; mov r2, r1; ldrsb.w r1, [sp, #3]", 3, 2 + 1 + 2),
    "paired_loads": ("ldr r1, [sp]; ldrb r2, [sp, #1]; ldrh.w r3, [sp, #2]; ldr r12, [sp, #4]",
                     4, 2 + 1 + 1 + 1),
    "written_back": ("mov r3, sp; ldr r1, [r3], #4; ldr r2, [r3, #4]!", 3, 1 + 2 + 1),
    "address_from_load": ("mov r1, sp; push {r1}; ldr r1, [sp]; ldr r1, [r1]; pop {r2}",
                          5, 1 + 2 + 2 + 2 + 2),
    "index_from_load": ("mov r3, sp; movs r1, #0; push {r1}; ldr r1, [sp]; ldr r2, [r3, r1]; "
                        "pop {r1}", 6, 1 + 1 + 2 + 2 + 2 + 2),
    "literals": ("ldr r1, =0x12345678; ldr.w r2, =0x23456789", 2, 2 + 1),
    "stores": ("str r1, [sp, #-8]; strb r1, [sp, #-5]; str.w r1, [sp, #-16]", 3, 3),
    "indexed_store": ("mvn r2, #7; str r1, [sp, r2]; ldr r1, [sp]; strb.w r1, [sp, r2]",
                      4, 1 + 2 + 2 + 1),
    "load_after_store": ("ldr r1, [sp]; str r1, [sp, #-8]; ldr r2, [sp]", 3, 2 + 1 + 2),
    "several": ("push {r1-r3}; pop {r1-r3}; stmdb sp!, {r4-r11, lr}; ldm.w sp!, {r4-r11, lr}; "
                "ldrd r1, r2, [sp]; strd r1, r2, [sp, #-8]", 6, 4 + 4 + 10 + 10 + 3 + 3),
    "load_after_several": ("ldrd r1, r2, [sp]; ldr r3, [sp]; ldm sp, {r1, r2}; ldr r3, [sp]",
                           4, 3 + 2 + 3 + 2),
    "unaligned": ("ldr r1, [sp, #-6]; nop; ldr r1, [sp, #-5]; nop; ldrh r1, [sp, #-5]; nop; "
                  "ldrsh r1, [sp, #-6]", 7, 2 + 1 + 1 + 2 + 2 + 1 + 2 + 1 + 1 + 2),
    "unaligned_pair": ("mov r3, sp; subs r3, #7; ldr r1, [r3]; ldr r2, [r3, #1]",
                       4, 1 + 1 + 2 + 2 + 1 + 1),
    "exclusive": ("sub r3, sp, #8; ldrex r1, [r3]; strex r2, r1, [r3]", 3, 1 + 2 + 2),
    "special": ("mrs r1, primask; msr apsr_nzcvq, r1", 2, 2 + 2),
    "loop": ("movs r1, #5; 1: subs r1, #1; bne 1b", 11, 1 + 5 * 2 + 4 * P),
    "zero_branches": ("movs r1, #0; cbnz r1, 1f; cbz r1, 1f; nop; 1:", 3, 1 + 1 + 1 + P),
    "wide_branches": ("cmp r1, r1; bne.w 1f; beq.w 1f; nop; 1: b.w 2f; nop; 2:",
                      4, 1 + 1 + 1 + P + 1 + P),
    "computed_branch": ("adr r1, 1f; mov pc, r1; nop; .balign 4; 1:", 2, 1 + 1 + P),
    "calls": ("push {r4, lr}; bl case_empty; ldr r1, =case_empty; blx r1; pop {r4, pc}; .ltorg",
              5 + 2, 3 + 2 * (1 + P + 1 + P) + 2 + 3 + P),
    "table_branch": ("movs r1, #0; tbb [pc, r1]; 1: .byte (2f - 1b) / 2, 0; 2:", 2, 1 + 2 + P),
    "skipped": ("cmp r1, r1; ite ne; movne r1, r1; moveq r1, r1", 4, 4),
    "float": ("vadd.f32 s0, s1, s2; vfma.f32 s3, s4, s5; vmls.f32 s6, s4, s5; vdiv.f32 s7, s8, s9; "
              "vsqrt.f32 s10, s11; vcvt.s32.f32 s12, s13; vabs.f32 s14, s15; vcmp.f32 s0, #0",
              8, 1 + 3 + 3 + 14 + 14 + 1 + 1 + 1),
    "float_waits": ("vmul.f32 s0, s1, s2; vadd.f32 s3, s0, s4; vmov r1, s3; vfma.f32 s5, s6, s7; "
                    "vfma.f32 s5, s6, s7; vstr s5, [sp, #-8]", 6, 1 + 2 + 2 + 3 + 4 + 3),
    "float_moves": ("vmov.f32 s0, s1; vadd.f32 s2, s0, s0; vmov s3, r1; vadd.f32 s4, s3, s3; "
                    "vmov d0, r1, r2; vmov.f32 s5, #1.0", 6, 1 + 1 + 1 + 1 + 2 + 1),
    "float_memory": ("vldr s0, [sp]; vldr s1, [sp]; vldr d1, [sp]; vstr s0, [sp, #-8]; "
                     "vpush {s0-s3}; vpop {d0, d1}", 6, 2 + 2 + 3 + 2 + 5 + 5),
    # QEMU begins a block at each KiB: nothing changes, even for an instruction across it.
    "page": (".balign 1024; .skip 1018; ldr r1, [sp]; ldr r2, [sp]; 1: ldr r3, [sp]; ldr r1, [sp]; "
             "ldr r2, [sp]", 5, 2 + 4),
    "across_page": (".balign 1024; .skip 1020; ldr r1, [sp]; ldr.w r2, [sp]; ldr r3, [sp]; "
                    "ldr r1, [sp]", 4, 2 + 3),
}


def assembly():
    text = [".syntax unified", ".thumb", ".fpu fpv4-sp-d16", ".text"]
    for name, (code, _, _) in CASES.items():
        lines = [line.strip() for line in code.split(";")]
        placed = [line for line in lines if line.startswith((".balign 1024", ".skip"))]
        text += [".balign 4", *placed, f".global case_{name}", f".type case_{name}, %function",
                 ".thumb_func", f"case_{name}:", *(l for l in lines if l not in placed), "bx lr",
                 ".ltorg"]
    return "\n".join(text) + "\n"


def callers():
    keeps = '__asm__ volatile("" ::: "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "memory");'
    text = [f"void case_{name}(void);" for name in CASES]
    text += ["__attribute__((noinline)) void cases(void) {"]
    text += [f"case_{name}(); {keeps}" for name in CASES]
    text += ["}", "int main(void) { cases(); return 0; }"]
    return "\n".join(text) + "\n"


def link(directory, text, main):
    (directory / "code.s").write_text(text)
    (directory / "main.c").write_text(main)
    elf, board = directory / "firmware.elf", "mps2-an386"
    check([firmware.ARM + "gcc", *firmware.arm_flags(), "-nostartfiles", f"-L{firmware.STARTUP}",
           "--specs=nano.specs", "-T", firmware.BOARDS / f"{board}.ld", f"-I{firmware.STARTUP}",
           *(firmware.STARTUP / f for f in firmware.board_facts(board)["startup"]["files"]),
           directory / "main.c", directory / "code.s", "-o", elf], "linking")
    return elf


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    elf = link(tmp_path_factory.mktemp("cases"), assembly(), callers())
    status, text, calls = firmware.qemu(elf, "cases")
    assert status == 0, text
    return calls


@pytest.fixture(scope="module")
def cases(counted):
    """The calls of cases, and last that of their caller."""
    return [c for c in counted if c.depth < 2]


@pytest.mark.parametrize("index,name", list(enumerate(CASES)), ids=list(CASES))
def test_cost(cases, index, name):
    _, instructions, cycles = CASES[name]
    returns = 0 if name == "calls" else 1
    call = cases[index]
    assert call.depth == 1
    assert (call.instructions, call.cycles) == (instructions + returns, cycles + returns * (1 + P))


def test_calls_are_included(cases):
    assert [c.depth for c in cases] == [1] * len(CASES) + [0]
    inside = sum(c.cycles for c in cases[:-1])
    assert inside < cases[-1].cycles < inside + 8 * len(CASES)


def test_calls_of_calls_come_first(counted):
    first = list(CASES).index("calls")
    assert [c.depth for c in counted[first:first + 3]] == [2, 2, 1]


FLASH_CODE = """
.syntax unified
.thumb
.text
.balign 64
.global waits
.thumb_func
waits:              @ lines of 16 bytes: code in 0 and 1, data in 2 to 4
  adr r1, 1f        @ line 0
  ldr r2, [r1]      @ waits
  ldr r2, [r1, #12] @ the same line
  ldr r2, [r1, #16] @ waits
  ldr r2, [r1]      @ waits unless cached
  nop
  nop
  nop
  nop               @ line 1
  bx lr
.balign 32
1: .word 1, 2, 3, 4, 5, 6, 7, 8
"""


@pytest.mark.parametrize("settings,waits", [
    ("wait=0", 0),
    ("wait=5,icache=64,dcache=8", 2 * 5 + 2 * 5),
    ("wait=5,icache=64,dcache=8,prefetch=1", 5 + 1 + 2 * 5),
    ("wait=3,icache=64,dcache=8,prefetch=1", 3 + 0 + 2 * 3),
    ("wait=5,icache=64,dcache=0", 2 * 5 + 3 * 5),
])
def test_flash(tmp_path, settings, waits):
    elf = link(tmp_path, FLASH_CODE, "void waits(void); int main(void) { waits(); return 0; }")
    status, text, calls = firmware.qemu(elf, "waits",
                                        settings=f",flash=0:0x400000,line=16,{settings}")
    assert status == 0, text
    assert calls[0].waits == waits


COUNTER = SHARED / "m4cycles" / "m4run"


@pytest.mark.skipif(not COUNTER.exists(), reason="no other cycle counter beside the checkout")
@pytest.mark.parametrize("emit", ["c", "obj"])
@pytest.mark.parametrize("name", ["kws_ref_model", "tmx_mnist_dw_q", "hello_world_float"])
def test_agrees_with_other_counter(name, emit, tmp_path):
    compile_model(MODELS / f"{name}.tflite", tmp_path, "m", "cortex-m4", emit)
    elf = firmware.link_device(tmp_path, "m", goldens.load(MODELS / f"{name}.npz", limit=1))
    status, text, calls = firmware.qemu(elf, "m_invoke")
    assert status == 0, text
    report = json.loads(run(["python3", COUNTER, elf, "--calls", "m_invoke", "--calls",
                             "m_layer_*", "--json"], timeout=600).stdout)
    ours = sorted((c.instructions, c.cycles) for c in calls if c.depth < 2)
    theirs = sorted((c["instructions"], c["cycles"]) for c in report["calls"])
    assert [i for i, _ in ours] == [i for i, _ in theirs]
    assert [c for _, c in ours] == pytest.approx([c for _, c in theirs], rel=0.03)
