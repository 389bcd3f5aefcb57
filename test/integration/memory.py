# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""What every model of a folder takes of RAM and time, from the fastest plan to the smallest, as a table.

usage: tools/memory [DIR] [--only REGEX] [--markdown]
DIR as for verify-models. Each model is compiled for speed, with three budgets between, for RAM, and for RAM with
its input by rows; each plan is verified against its goldens as host C, as C and as an object under QEMU. Bytes and cycles are those of the C.
"""
import sys

from harness import tables
from harness.tools import parallel
from verify_models import arguments, compile_milliseconds, verify

COLUMNS = ("model", "plan", "verdict", "RAM", "arena", "bound", "stack", "cycles", "compile ms")
MODES = ("host C", "QEMU C", "QEMU object")


def ram(line):
    return line["arena"] + line["stack"]


def plans(row):
    """[(plan, flags, line of verify)] of a model; a refused one has one line."""
    ends = {}
    for plan in ("speed", "ram"):
        flags = ["--optimize", plan]
        ends[plan] = (plan, flags, verify(row, flags))
        if ends[plan][2]["QEMU C"] != "equal":
            return [ends[plan]]
    most, least = ram(ends["speed"][2]), ram(ends["ram"][2])
    between = []
    # The compiler's own figure of the stack of C has a margin.
    margin = 256
    for part in (0.75, 0.5, 0.25):
        budget = int(least + part * (most - least)) + margin
        flags = ["--ram", str(budget)]
        between.append((f"--ram {budget}", flags, verify(row, flags)))
    flags = ["--optimize", "ram", "--stream-input"]
    by_rows = ("ram, input by rows", flags, verify(row, flags))
    return [ends["speed"], *between, ends["ram"], by_rows]


def table_line(name, plan, line):
    found = [str(line[mode]) for mode in MODES]
    verdict = next((text for text in found if text != "equal"), "equal")
    total = ram(line) if line["QEMU C"] == "equal" else ""
    return [name, plan, verdict, total, *(line[c] for c in COLUMNS[4:])]


def main():
    options, rows = arguments("memory", __doc__)
    lines, found = [], []
    for row, result in parallel(plans, rows):
        if isinstance(result, Exception):
            result = [("", [], {c: "" for c in ("arena", "bound", "stack", "cycles", "compile ms")}
                       | dict.fromkeys(MODES, f"WRONG: {result}"[:90]))]
        found.append((row, result))
    for (name, model, _), result in found: # times are taken when nothing else runs
        for plan, flags, line in result:
            if line["QEMU C"] == "equal":
                line["compile ms"] = compile_milliseconds(model, flags)
            lines.append(table_line(name, plan, line))
    tables.show(COLUMNS, lines, left=3, markdown=options.markdown)
    wrong = [line for line in lines if str(line[2]).startswith("WRONG")]
    over = [line for line in lines if str(line[1]).startswith("--ram") and line[3]
            and line[3] > int(line[1].split()[1])]
    print(f"{len(lines)} plans, {len(wrong)} wrong, {len(over)} over their budget")
    sys.exit(bool(wrong or over))


if __name__ == "__main__":
    main()
