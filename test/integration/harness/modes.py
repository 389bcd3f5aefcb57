# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""A model in every form that is compiled, all compared with the reference and with each other."""
import json
import pathlib
import tempfile

from . import firmware, goldens
from .tools import Failed, compile_model

MODES = {"host C": ("generic", "c"), "QEMU C": ("cortex-m4", "c"), "QEMU object": ("cortex-m4", "obj")}
# C for the core, run on the host: the portable functions beside kernels of instructions.
PORTABLE = "cortex-m4 C on the host"


def outputs_written(directory):
    """{name: bytes} of the files whose bytes a compilation has to repeat."""
    return {p.name: p.read_bytes() for p in sorted(pathlib.Path(directory).iterdir())
            if p.suffix in (".c", ".h", ".o", ".json", ".s", ".mlir")}


def compile_twice(model, directory, name, target, emit, flags=()):
    """Compile into directory, and elsewhere from a copy of the model: the same bytes."""
    compile_model(model, directory, name, target, emit, flags)
    with tempfile.TemporaryDirectory(prefix="other-place-") as other:
        copy = pathlib.Path(other, "deeper", pathlib.Path(model).name)
        copy.parent.mkdir()
        copy.write_bytes(pathlib.Path(model).read_bytes())
        compile_model(copy, pathlib.Path(other, "out"), name, target, emit, flags)
        first, second = outputs_written(directory), outputs_written(pathlib.Path(other, "out"))
    if first != second:
        names = [n for n in sorted(first.keys() | second.keys()) if first.get(n) != second.get(n)]
        raise Failed(f"two compilations from different paths differ in {', '.join(names)}")


def check_report(directory, name):
    """The report's arena is the header's; returns the report."""
    report = json.loads(pathlib.Path(directory, f"{name}.report.json").read_text())
    stated = firmware.macro(directory, name, "ARENA_BYTES")
    if report["arena_bytes"] != stated:
        raise Failed(f"the report says arena_bytes {report['arena_bytes']}, the header {stated}")
    if report["regions"][0]["used"] != stated:
        raise Failed(f"the report says that region 0 uses {report['regions'][0]['used']} bytes")
    for buffer in report["buffers"]:
        if not 0 <= buffer["offset"] <= report["regions"][buffer["region"]]["used"] - buffer["bytes"]:
            raise Failed(f"buffer {buffer['name']} lies outside its region")
    return report


def run_mode(model, samples, mode, directory, flags=()):
    """Compile and run one mode, checked against the samples; (result, report)."""
    target, emit = MODES["QEMU C" if mode == PORTABLE else mode]
    name = "m_" + "".join(c if c.isalnum() else "_" for c in pathlib.Path(model).stem)
    compile_twice(model, directory, name, target, emit, flags)
    report = check_report(directory, name)
    runner = firmware.host if "host" in mode else firmware.device
    result = runner(directory, name, samples)
    goldens.compare(result.outputs, samples)
    return result, report


def run_all(model, samples, flags=(), kinds=tuple(MODES)):
    """Every mode of `kinds`; {mode: (result, report)}. All outputs agree bit for bit, floats too."""
    results = {}
    for mode in kinds:
        with tempfile.TemporaryDirectory(prefix="thimble-") as directory:
            try:
                results[mode] = run_mode(model, samples, mode, directory, flags)
            except Failed as error:
                raise type(error)(f"{mode}: {error}") from None
    first = results["host C"][0].outputs
    for mode, (result, _) in results.items():
        for s, row in enumerate(result.outputs):
            for k, array in enumerate(row):
                if array.tobytes() != first[s][k].tobytes():
                    raise Failed(f"{mode}: output {k} of sample {s} is not that of host C, bit for bit")
    return results
