# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Build compiled models for the host and for boards, run them, measure them."""
import json
import pathlib
import re
import tempfile
import typing

import numpy as np

from .tools import PLUGIN, ROOT, Failed, check, launcher, run

HERE = pathlib.Path(__file__).resolve().parent
STARTUP = ROOT / "targets" / "startup"
BOARDS = ROOT / "targets" / "boards"

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
STRICT = ["-std=c11", *WARNINGS]
HOST_FLAGS = ["-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
ARM = "arm-none-eabi-"


def arm_flags(float_abi="hard"):
    fpu = [] if float_abi == "soft" else ["-mfpu=fpv4-sp-d16"]
    return ["-mcpu=cortex-m4", "-mthumb", f"-mfloat-abi={float_abi}", *fpu, "-O2",
            "-ffunction-sections", "-fdata-sections"]


class Result:
    """Of a run: outputs[s][k] (the last s is sample 0 again), and on a device stack, instructions
    and cycles of the dearest invoke."""

    def __init__(self, outputs, stack=None, instructions=None, cycles=None):
        self.outputs, self.stack = outputs, stack
        self.instructions, self.cycles = instructions, cycles


class Call(typing.NamedTuple):
    """What tools/cycle_count says of one call: of the function asked for at depth 0, of those that
    it called at depth 1."""
    depth: int
    address: int
    instructions: int
    cycles: int
    waits: int


def macro(directory, name, what):
    """The number that NAME_what stands for in the generated header."""
    text = (pathlib.Path(directory) / f"{name}.h").read_text()
    match = re.search(rf"#define\s+{name.upper()}_{what}\s+\(?(\d+)", text)
    if not match:
        raise Failed(f"{name}.h does not define {name.upper()}_{what} as a number")
    return int(match[1])


# What runs a model: NAME_invoke, or rows in pieces of several sizes from outside the arena before it.
PUSH_ROWS = """
static _Alignas(8) unsigned char rows_of_@[@@_INPUT_0_BYTES];
static void *in0(void *a) { return (void)a, rows_of_@; }
__attribute__((noinline)) int @_run(void *arena);
int @_run(void *arena) {
  unsigned row = 0, count = 1;
  while (row < @@_INPUT_0_ROWS) {
    const unsigned left = @@_INPUT_0_ROWS - row, part = count < left ? count : left;
    const void *rows = rows_of_@ + row * @@_INPUT_0_ROW_BYTES;
    const int status = @_push_rows(arena, rows, part);
    if (status)
      return status;
    row += part;
    count = count % 3 + 1;
  }
  return @_invoke(arena);
}
"""


def arrives_by_rows(directory, name):
    return f"{name}_push_rows(" in (pathlib.Path(directory) / f"{name}.h").read_text()


def own_stack(directory, name):
    """Bytes of stack that run_function has beside the model's."""
    if not arrives_by_rows(directory, name):
        return 0
    uses = (pathlib.Path(directory) / f"{name}_glue.arm.su").read_text()
    return int(re.search(rf":{name}_run\t(\d+)\tstatic", uses)[1])


def run_function(directory, name):
    """The function of the firmware that is one inference."""
    return f"{name}_run" if arrives_by_rows(directory, name) else f"{name}_invoke"


def write_glue(directory, name, samples, device=False):
    """NAME_glue.c (what case.h describes), with the samples' inputs in NAME_inputs.bin."""
    directory, upper = pathlib.Path(directory), name.upper()
    rows = [np.ascontiguousarray(a).tobytes() for sample in samples.inputs for a in sample]
    (directory / f"{name}_inputs.bin").write_bytes(b"".join(rows) or b"\0")
    n_in, n_out = len(samples.inputs[0]), len(samples.outputs[0])
    sizes = lambda arrays: ", ".join(str(a.nbytes) for a in arrays)
    text = [f'#include "{name}.h"', '#include "case.h"', "#include <stddef.h>"]
    for what, count in (("INPUT", n_in), ("OUTPUT", n_out)):
        text.append(f'_Static_assert({upper}_NUM_{what}S == {count}, "number of {what}S");')
    for what, arrays in (("INPUT", samples.inputs[0]), ("OUTPUT", samples.outputs[0])):
        for k, a in enumerate(arrays):
            text.append(f'_Static_assert({upper}_{what}_{k}_BYTES == {a.nbytes}, "{what} {k}");')
            text.append(f'_Static_assert({upper}_{what}_{k}_ELEMENTS == {a.size}, "{what} {k}");')
    # Data comes in by the assembler: C text of it would take seconds to parse.
    text.append(f'__asm__(".section .rodata\\n.balign 8\\n{name}_data:\\n'
                f'.incbin \\"{name}_inputs.bin\\"\\n.byte 0\\n.text\\n");')
    text.append(f"extern const unsigned char {name}_data[];")
    if arrives_by_rows(directory, name):
        text.append(PUSH_ROWS.replace("@@", upper).replace("@", name))
    else:
        text += [f"static void *in{k}(void *a) {{ return {name}_input_{k}(a); }}"
                 for k in range(n_in)]
    text += [f"static const void *out{k}(const void *a) {{ return {name}_output_{k}(a); }}"
             for k in range(n_out)]
    listed = lambda stem, count: ", ".join(f"{stem}{k}" for k in range(count))
    text.append(f"static void *(*const ins[])(void *) = {{{listed('in', n_in)}}};")
    text.append(f"static const void *(*const outs[])(const void *) = {{{listed('out', n_out)}}};")
    text.append(f"static const size_t inSizes[] = {{{sizes(samples.inputs[0])}}};")
    text.append(f"static const size_t outSizes[] = {{{sizes(samples.outputs[0])}}};")
    regions = range(macro(directory, name, "NUM_REGIONS"))
    text.append("static const size_t regionSizes[] = {%s};"
                % ", ".join(f"{upper}_REGION_{r}_BYTES" for r in regions))
    memory = "NULL"
    if device:
        # Aligned to what the model asks for and to no more.
        text += [f"static struct {{ _Alignas(2 * {upper}_ARENA_ALIGN) unsigned char before"
                 f"[GUARD + {upper}_ARENA_ALIGN]; unsigned char bytes[{upper}_REGION_{r}_BYTES + "
                 f"GUARD]; }} memory{r};" for r in regions]
        text.append("static void *const memory[] = {%s};"
                    % ", ".join(f"memory{r}.bytes" for r in regions))
        memory = "memory"
    text.append(f"extern const struct test_case {name}_case;")
    text.append(f"const struct test_case {name}_case = {{{upper}_NUM_REGIONS, regionSizes, "
                f"{upper}_ARENA_ALIGN, {name}_init, {name}_init_regions, {run_function(directory, name)}, {n_in}, "
                f"{n_out}, {len(samples)}, ins, outs, inSizes, outSizes, {name}_data, {memory}}};")
    glue = directory / f"{name}_glue.c"
    glue.write_text("\n".join(text) + "\n")
    return glue


def write_cases(directory, names):
    path = pathlib.Path(directory) / "cases.c"
    text = ['#include "case.h"', *[f"extern const struct test_case {n}_case;" for n in names]]
    text.append("const struct test_case *const test_cases[] = {%s};"
                % ", ".join(f"&{n}_case" for n in names))
    path.write_text("\n".join(text) + "\n")
    return path


def generated(directory):
    """The files that compile wrote, before a test added its own: sources and objects."""
    directory = pathlib.Path(directory)
    return sorted(directory.glob("*.c")), sorted(directory.glob("*.o"))


def compile_c(compiler, source, output, flags):
    """Compile one file in its own folder with relative names, so that ccache knows it again."""
    source = pathlib.Path(source)
    check([*launcher(), *compiler, *flags, "-I.", f"-I{HERE}", f"-I{STARTUP}", "-c", source.name,
           "-o", output], f"compiling {source.name}", cwd=source.parent)
    return pathlib.Path(source.parent, output)


def decode(text, samples):
    """outputs[s][k] of the lines `out HEX` that a test program printed."""
    lines = [line[4:] for line in text.splitlines() if line.startswith("out ")]
    want = samples.outputs[0]
    if len(lines) != (len(samples) + 1) * len(want):
        raise Failed(f"the program printed {len(lines)} outputs:\n{text[-500:]}")
    rows = []
    for s in range(len(samples) + 1):
        part = lines[s * len(want):(s + 1) * len(want)]
        rows.append([np.frombuffer(bytes.fromhex(line), w.dtype).reshape(w.shape)
                     for line, w in zip(part, want)])
    return rows


STATUS = {2: "init failed", 3: "invoke failed", 4: "no memory", 5: "bytes beside the arena changed",
          6: "init accepts a bad arena", 70: "fault"}


def _explain(status, text):
    return f"exit status {status} ({STATUS.get(status, 'crash')}):\n{text[-2000:]}"


def build_host_object(directory, name, samples):
    """Compile a C model and its glue for the host, with sanitizers and all warnings; the objects."""
    sources, objects = generated(directory)
    built = [compile_c(["gcc"], s, s.stem + ".host.obj", STRICT + HOST_FLAGS) for s in sources]
    glue = write_glue(directory, name, samples)
    built.append(compile_c(["gcc"], glue, glue.stem + ".host.obj", ["-std=c11", *HOST_FLAGS]))
    return built + objects


def link_host(directory, names, objects):
    """One program of several models; run it with run_host."""
    directory = pathlib.Path(directory)
    cases = write_cases(directory, names)
    program = directory / "host.exe"
    check(["gcc", "-std=c11", *HOST_FLAGS, f"-I{HERE}", HERE / "host_main.c", cases, *objects,
           "-o", program, "-lm"], "linking for the host")
    return program


def run_host(program, samples, index=0, timeout=120):
    result = run([program, index], timeout=timeout)
    if result.returncode:
        raise Failed("on the host: " + _explain(result.returncode, result.stdout))
    return Result(decode(result.stdout, samples))


def host(directory, name, samples):
    """Build and run a C model on the host."""
    objects = build_host_object(directory, name, samples)
    return run_host(link_host(directory, [name], objects), samples)


def board_facts(board):
    return json.loads((BOARDS / f"{board}.json").read_text())


def link_device(directory, name, samples, board="mps2-an386", float_abi="hard", stack=65536,
                compiler=None):
    """A firmware of a C or object model and the test program; its ELF. `compiler` with its flags
    compiles the model's C, and gcc links with the flags of link-time optimization among them."""
    directory, facts = pathlib.Path(directory), board_facts(board)
    flags, gcc = arm_flags(float_abi), [ARM + "gcc"]
    sources, objects = generated(directory)
    compiler = compiler or [*gcc, *STRICT, *flags]
    link_time = [flag for flag in compiler if flag.startswith("-flto")]
    built = [compile_c(compiler, s, s.stem + ".arm.obj", []) for s in sources]
    for file in built + objects:
        writable = [int(n) for n in check([ARM + "size", file], "size").splitlines()[1].split()[1:3]]
        if any(writable):
            raise Failed(f"{file.name} has {writable[0]} bytes of .data and {writable[1]} of .bss, "
                         "but the arena is all that a model may write")
    glue = write_glue(directory, name, samples, device=True)
    for source in (glue, write_cases(directory, [name])):
        built.append(compile_c(gcc, source, source.stem + ".arm.obj",
                               ["-std=c11", "-fstack-usage", *flags]))
    startup = [STARTUP / f for f in facts["startup"]["files"]]
    defines = [f"-D{d}" for d in facts["startup"]["defines"]]
    elf = directory / "firmware.elf"
    check([*gcc, "-std=c11", *flags, *link_time, *defines, "--specs=nano.specs", "-nostartfiles",
           f"-L{STARTUP}", "-T", BOARDS / f"{board}.ld", f"-Wl,--defsym=__stack_size={stack}",
           "-Wl,--gc-sections", f"-I{HERE}", f"-I{STARTUP}", *startup, HERE / "device_main.c",
           *built, *objects, "-o", elf, "-lm"], "linking for the device")
    return elf


def symbols(elf):
    """{name: address} of an ELF."""
    rows = [line.split() for line in check([ARM + "nm", elf], "nm").splitlines()]
    return {r[2]: int(r[0], 16) for r in rows if len(r) == 3}


def qemu(elf, function, board="mps2-an386", timeout=300, settings=""):
    """(exit status, console text, [Call of function and of what it calls]) of a firmware."""
    with tempfile.NamedTemporaryFile("r", suffix=".count") as counts:
        plugin = f"{PLUGIN},out={counts.name},entry={symbols(elf)[function]:#x}{settings}"
        result = run(["qemu-system-arm", "-M", board_facts(board)["qemu"], "-display", "none",
                      "-monitor", "none", "-serial", "none", "-semihosting-config",
                      "enable=on,target=native", "-plugin", plugin, "-kernel", elf],
                     timeout=timeout)
        rows = [line.split() for line in counts]
    calls = [Call(*(int(n, 0) for n in row[1:])) for row in rows if row[0] == "call"]
    return result.returncode, result.stdout, calls


def run_device(elf, name, samples, board="mps2-an386", timeout=300):
    status, text, calls = qemu(elf, run_function(elf.parent, name), board, timeout)
    if status:
        raise Failed("under QEMU: " + _explain(status, text))
    stack = re.search(r"^stack ([0-9a-f]{8})$", text, re.M)
    if not stack:
        raise Failed(f"the firmware did not say its stack:\n{text[-500:]}")
    dearest = max((c for c in calls if not c.depth), key=lambda c: c.cycles)
    return Result(decode(text, samples), int(stack[1], 16) - own_stack(elf.parent, name), dearest.instructions, dearest.cycles)


def device(directory, name, samples, board="mps2-an386", float_abi="hard", compiler=None):
    """Build a model as a firmware and run it under QEMU; its stack is within what it states."""
    elf = link_device(directory, name, samples, board, float_abi, compiler=compiler)
    result = run_device(elf, name, samples, board)
    stated = macro(directory, name, "STACK_BYTES")
    if result.stack > stated:
        raise Failed(f"invoke used {result.stack} bytes of stack, {name.upper()}_STACK_BYTES is "
                     f"{stated}")
    return result


def sections(elf):
    """[(name, address, size, loaded at)] of the allocated sections of an ELF."""
    rows, text = [], check([ARM + "objdump", "-h", elf], "objdump").splitlines()
    for line, flags in zip(text, text[1:]):
        m = re.match(r"\s*\d+\s+(\S+)\s+([0-9a-f]+)\s+([0-9a-f]+)\s+([0-9a-f]+)", line)
        if m and "ALLOC" in flags:
            rows.append((m[1], int(m[3], 16), int(m[2], 16), int(m[4], 16)))
    return rows
