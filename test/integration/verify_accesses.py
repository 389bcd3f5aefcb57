# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Every model of a folder run with a shadow of its arena, which refuses accesses that its plan does not have.

usage: tools/verify-accesses [DIR] [--only REGEX] [--markdown]
DIR as for verify-models. Each model is compiled for speed, for half of the RAM between, and for RAM, as C of
any core and as C of the Cortex-M4 with the portable functions; what the shadow is, harness/shadow.py says.
"""
import sys

from harness import goldens, shadow, tables
from harness.tools import Refused, parallel
from verify_models import arguments

COLUMNS = ("model", "plan", "generic", "cortex-m4")


def verdict(row, target, flags):
    """(what to say, bytes of RAM or None)."""
    _, model, files = row
    try:
        report = shadow.verify(model, goldens.load(files[0], limit=1), target, flags)
        return "within", report["arena_bytes"] + report["stack_bytes"]
    except Refused as error:
        return "not compiled: " + " ".join(str(error).split())[:90], None
    except Exception as error: # whatever it is, the other plans are still of interest
        return "WRONG: " + " ".join(str(error).split())[-200:], None


def plans(row):
    """A line of the table for each plan of a model."""
    most, least = (verdict(row, "generic", ["--optimize", plan]) for plan in ("speed", "ram"))
    lines = [[row[0], "speed", most[0], verdict(row, "cortex-m4", ["--optimize", "speed"])[0]]]
    if most[0].startswith("not compiled"):
        return lines
    if None not in (most[1], least[1]) and least[1] < most[1]:
        flags = ["--ram", str((most[1] + least[1]) // 2)]
        lines.append([row[0], " ".join(flags), *(verdict(row, t, flags)[0] for t in COLUMNS[2:])])
    lines.append([row[0], "ram", least[0], verdict(row, "cortex-m4", ["--optimize", "ram"])[0]])
    return lines


def main():
    options, rows = arguments("verify-accesses", __doc__)
    lines = []
    for row, found in parallel(plans, rows):
        if isinstance(found, Exception):
            found = [[row[0], "", f"WRONG: {found}", ""]]
        lines += found
    tables.show(COLUMNS, lines, left=4, markdown=options.markdown)
    runs = [cell for line in lines for cell in line[2:]]
    wrong = sum(cell.startswith("WRONG") for cell in runs)
    print(f"{runs.count('within')} runs within their plans, {wrong} wrong")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
