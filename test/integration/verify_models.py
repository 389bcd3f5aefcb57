# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Every model of a folder against its goldens in every mode, as a table.

usage: tools/verify-models [DIR] [--only REGEX] [--flags FLAG...] [--markdown]
DIR has a manifest.json with goldens (the folder of models beside the checkout), or NAME.tflite
with NAME.npz (test/models). Instructions and cycles, counted by tools/cycle_count, are of one invoke
of the C, RAM is arena + stack of invoke; `bound` is the most that the plan has live at once. Compile time is the best of three compiles to C, taken when
nothing else runs.
"""
import argparse
import pathlib
import re
import sys
import tempfile
import time

from harness import firmware, goldens, modes, tables
from harness.tools import MODELS, SHARED, Failed, Refused, compile_model, parallel
from shared_models import models

COLUMNS = ("model", "host C", "QEMU C", "QEMU object", "instructions", "cycles", "arena", "bound",
           "stack", "flash", "compile ms")


def listed(folder):
    """[(name, model, [goldens])] of a folder of either kind."""
    if (folder / "manifest.json").exists():
        return models(folder)
    return [(m.stem, m, [m.with_suffix(".npz")]) for m in sorted(folder.glob("*.tflite"))
            if m.with_suffix(".npz").exists()]


def flash_bytes(directory, name):
    """Code and constants of the generated files as GCC makes them."""
    total = 0
    for file in list(directory.glob(f"{name}*.arm.obj")) + list(directory.glob("thimble*.arm.obj")):
        if "glue" not in file.name:
            text = firmware.check([firmware.ARM + "size", file], "size")
            total += int(text.splitlines()[1].split()[0])
    return total


def compile_milliseconds(model, flags):
    """What a user waits for: the best of three, as a machine is never quite idle."""
    best = float("inf")
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="time-") as directory:
            start = time.monotonic()
            compile_model(model, directory, "m", "cortex-m4", "c", flags)
            best = min(best, time.monotonic() - start)
    return round(1000 * best)


def verify(row, flags):
    """One line of the table: a value for each column."""
    name, model, files = row
    line = dict.fromkeys(COLUMNS, "")
    line["model"] = name
    samples = goldens.load(files[0], limit=2)
    for mode in modes.MODES:
        with tempfile.TemporaryDirectory(prefix="verify-") as directory:
            directory = pathlib.Path(directory)
            try:
                result, report = modes.run_mode(model, samples, mode, directory, flags)
            except Refused as error:
                line["host C"] = "not compiled: " + " ".join(str(error).split())[:90]
                return line
            except Failed as error:
                line[mode] = "WRONG: " + " ".join(str(error).split())[:90]
                continue
            line[mode] = "equal"
            if mode == "QEMU C":
                line.update(instructions=result.instructions, cycles=result.cycles,
                            arena=report["arena_bytes"],
                            bound=report["arena_lower_bound_bytes"], stack=result.stack,
                            flash=flash_bytes(directory, "m_"))
    return line


def arguments(program, doc, flags=False):
    """(options, rows): what the command line says, and the models that it selects."""
    parser = argparse.ArgumentParser(prog=program, description=doc.splitlines()[0])
    default = SHARED / "models" if (SHARED / "models" / "manifest.json").exists() else MODELS
    parser.add_argument("dir", nargs="?", type=pathlib.Path, default=default)
    parser.add_argument("--only", default="", help="models whose name matches this")
    if flags:
        parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[], help="flags for compile")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    rows = [r for r in listed(options.dir) if re.search(options.only, r[0])]
    if not rows:
        sys.exit(f"error: no models with goldens in {options.dir}")
    return options, rows


def main():
    options, rows = arguments("verify-models", __doc__, flags=True)
    lines = []
    for row, line in parallel(lambda r: verify(r, options.flags), rows):
        if isinstance(line, Exception):
            line = dict.fromkeys(COLUMNS, "") | {"model": row[0], "host C": f"WRONG: {line}"[:90]}
        lines.append(line)
    for (_, model, _), line in zip(rows, lines):
        if line["QEMU C"] == "equal":
            line["compile ms"] = compile_milliseconds(model, options.flags)
    tables.show(COLUMNS, [line.values() for line in lines], left=4, markdown=options.markdown)
    wrong = sum(any(str(v).startswith("WRONG") for v in line.values()) for line in lines)
    refused = sum(str(line["host C"]).startswith("not compiled") for line in lines)
    print(f"{len(lines) - wrong - refused} equal, {wrong} wrong, {refused} not compiled")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
