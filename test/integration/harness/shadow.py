# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Runs compiled C on the host with a shadow of its arena: each access of each step is compared with the plan.

A layer may read its operands and its scratch where they hold something, and write its results and its
scratch; in a stream only the rows of the firing. Bytes hold something from their first write until the
report's `buffers` say that they are free. The driver of a stream may touch its positions and move the rows
that the plan moves. Everything else outside constants and the stack is refused."""
import json
import pathlib
import re
import tempfile

from . import firmware, goldens
from .plan import Plan
from .tools import Failed, check, compile_model, run

HERE = pathlib.Path(__file__).resolve().parent
# Only instrumented: shadow.c has the functions that the sanitizer's library would have. Not optimized, so that
# no access is merged, widened or left out.
UNIT_FLAGS = ["-std=gnu11", "-O0", "-Dinline=inline __attribute__((always_inline))", "-Wall", "-Wextra", "-Werror",
              "-fsanitize=thread", "-finstrument-functions",
              "-finstrument-functions-exclude-function-list=thimble_,shadow"]
FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror"]


def compile_with_plan(model, directory, name="m", target="generic", flags=()):
    """The model's C, its report and its plan; (report, Plan)."""
    directory = pathlib.Path(directory)
    phases = directory / "phases"
    compile_model(model, directory, name, target, flags=[*flags, "--dump-phases", phases])
    report = json.loads((directory / f"{name}.report.json").read_text())
    return report, Plan(next(phases.glob("*-plan.mlir")))


def live_at(report, step):
    """The bytes that the report says are live, as ranges that do not touch."""
    ranges = []
    for begin, end in sorted((b["offset"], b["offset"] + b["bytes"]) for b in report["buffers"]
                             if b["first_use"] <= step <= b["last_use"]):
        if ranges and begin <= ranges[-1][1]:
            ranges[-1] = ranges[-1][0], max(end, ranges[-1][1])
        else:
            ranges.append((begin, end))
    return ranges


def check_lives(report, events):
    """The report says that all that an event may touch is live, and names the layers that fire."""
    if [e.layer for e in events if e.layer is not None] != [s for s in report["steps"] if s >= 0]:
        raise Failed("the report's steps are not those of the plan")
    step, live = None, []
    for event in events:
        if event.step != step:
            step, live = event.step, live_at(report, event.step)
        for touched in {*event.reads, *event.writes, *event.positions}:
            if not any(begin <= touched.begin and touched.end <= end for begin, end in live):
                raise Failed(f"{event} uses {touched}, of which the report has not all in use")


def freed_after(report, step):
    last = len(report["steps"]) - 1
    return [(b["offset"], b["offset"] + b["bytes"]) for b in report["buffers"]
            if b["last_use"] == step < last and b["class"] != "state"]


def initializer(*values):
    return "{%s}" % ", ".join(str(v) for v in values)


def table(kind, name, rows):
    """The text of an array of struct shadow_KIND."""
    return f"static const struct shadow_{kind} {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def function_of(event, name, source):
    """The function that an event calls; NULL for a move of rows."""
    kind, number = ("layer", event.layer) if event.driver is None else ("stream", event.driver)
    if number is None:
        return "NULL"
    found = re.search(rf"\b{name}_{kind}_{number:02d}(_\w+)?(?=\()", source)
    if not found:
        raise Failed(f"{event} has no function")
    return found[0]


def tables(name, source, report, plan):
    """The text of shadow_plan and what it points to."""
    events, states = plan.events(), plan.with_lifetime("state")
    check_lives(report, events)
    ranges = list(states)
    rows = [initializer('"init"', "NULL", 0, 0, 0, 0, 0, 0, len(ranges))]
    step = 0
    for event in events:
        ends = []
        for part in (freed_after(report, step) if event.step != step else [], event.reads, event.writes):
            ranges += part
            ends.append(len(ranges))
        step = event.step
        to = event.writes[0]
        rows.append(initializer(f'"{event}"', function_of(event, name, source), int(event.driver is not None),
                                to.begin, -1 if event.source is None else event.source, to.end - to.begin, *ends))
    given, results = plan.with_lifetime("input") + states, plan.results()
    text = [table("range", what, [initializer(*r) for r in listed or [(0, 0)]])
            for what, listed in (("ranges", ranges), ("given", given), ("results", results))]
    fields = initializer(report["arena_bytes"], "ranges", "events", len(rows), "given", "results",
                         len(given), len(results))
    return "".join([*text, table("event", "events", rows), f"static const struct shadow_plan plan = {fields};\n"])


def write_unit(directory, name, report, plan):
    """The model's C with its plan, and with init and invoke that tell shadow.c of it."""
    source = (pathlib.Path(directory) / f"{name}.c").read_text()
    unit = pathlib.Path(directory) / f"{name}_shadow.inc" # compile's own are the files .c
    unit.write_text(f"""#define {name}_init shadowed_init
#define {name}_invoke shadowed_invoke
#include "shadow_unit.h"
#include "{name}.c"
#undef {name}_init
#undef {name}_invoke
{tables(name, source, report, plan)}SHADOW_FUNCTION({name}_init, shadow_init, shadowed_init)
SHADOW_FUNCTION({name}_invoke, shadow_invoke, shadowed_invoke)
""")
    return unit


def run_shadowed(directory, name, samples, report, plan):
    """Build what is in the directory and run it; raises Failed on any access that the plan does not have."""
    directory = pathlib.Path(directory)
    unit = write_unit(directory, name, report, plan)
    objects = [firmware.compile_c(["gcc"], file, file.stem + ".shadow.obj", flags) for file, flags in (
        (unit, [*UNIT_FLAGS, "-x", "c"]), (firmware.write_glue(directory, name, samples), FLAGS),
        (firmware.write_cases(directory, [name]), FLAGS))]
    program = directory / "shadow.exe"
    check(["gcc", *FLAGS, f"-I{HERE}", HERE / "host_main.c", HERE / "shadow.c", *objects, "-o", program, "-lm"],
          "linking with a shadow")
    result = run([program], timeout=600)
    if result.returncode:
        raise Failed(f"exit status {result.returncode}: {result.stdout[-2000:]}")
    goldens.compare(firmware.decode(result.stdout, samples), samples)


def verify(model, samples, target="generic", flags=()):
    """Every access of the model's C is one of its plan; the report."""
    with tempfile.TemporaryDirectory(prefix="shadow-") as directory:
        report, plan = compile_with_plan(model, directory, "m", target, flags)
        run_shadowed(directory, "m", samples, report, plan)
        return report
