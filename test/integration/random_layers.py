# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Random layers of each family under QEMU against the reference interpreter, with a count of what ran.

usage: tools/random-layers [--family NAME...] [--count N] [--seed N] [--first N] [--jobs N]
                           [--optimize GOAL] [--prefer-kernel NAME] [--emit KIND]
Layers are compiled many to a model, as C or as an object in turn, and models in turn for speed, for
flash, and with each kernel of the family chosen wherever it applies; the last three options fix that.
The reference is `thimble run`, which is compared with tflite-micro on the way. Of 2,000 layers or more
all that harness/coverage.py asks for must have run. A layer depends on family, seed and number alone;
for one that differs the command is printed that runs it again.
"""
import argparse
import json
import pathlib
import re
import sys
import tempfile

import numpy as np

from harness import firmware, goldens, oracle
from harness.coverage import Coverage, function_facts, kernels
from harness.layers import FAMILIES, Layers
from harness.tools import Failed, compile_model, parallel

LAYERS = 25  # of a model
ENOUGH = 2000  # layers of a family


def variants(family):
    """[(flags, kind of code)] that models are compiled with in turn."""
    flags = [["--optimize", "speed"], ["--optimize", "flash"],
             *(["--prefer-kernel", kernel] for kernel in kernels(family))]
    return [(f, kind) for kind in ("c", "obj") for f in flags]


def references(model, layers):
    """Samples with the interpreter's outputs, which are tflite-micro's."""
    inputs = layers.samples()
    outputs = []
    for sample in inputs:
        outputs.append(oracle.thimble_run(model, sample, len(layers.list)))
        for layer, got, want in zip(layers.list, outputs[-1], oracle.tflm(model, sample, len(layers.list))):
            if why := goldens.difference(got, want):
                raise Failed(f"layer {layer.number}: `thimble run` is not tflite-micro: {why}")
    return goldens.Samples(inputs, outputs)


def functions_called(source):
    """{index of a layer: names of the kernels' functions that it calls} of generated C."""
    called = {}
    for match in re.finditer(r"^static void \w+?_layer_(\d+)_\w+\([^;{]*\) \{\n(.*?)^\}", source, re.M | re.S):
        called[int(match[1])] = re.findall(r"^ +(\w+)\(", match[2], re.M)
    return called


def facts_of(layers, samples, directory, report):
    """The facts of each layer that was compiled as such; some are constant, or become others."""
    source = pathlib.Path(directory, "m.c")
    called = functions_called(source.read_text()) if source.exists() else {}
    ran = {layer["name"]: (i, layer["kernel"]) for i, layer in enumerate(report["layers"])}
    for k, layer in enumerate(layers.list):
        if layer.output not in ran:
            continue
        index, kernel = ran[layer.output]
        facts = {**layer.facts, "kernel": kernel}
        for name in called.get(index, []):
            facts.update(function_facts(name))
        values = samples.outputs[0][k]
        ends = (values == values.min()) | (values == values.max())
        facts["saturation"] = "at both ends" if ends.mean() > 0.9 else "inside"
        yield facts


def differences(layers, samples, outputs):
    """{number of a layer: why its outputs are wrong}."""
    wrong = {}
    for s, row in enumerate(outputs):
        for k, layer in enumerate(layers.list):
            why = goldens.difference(row[k], samples.outputs[s % len(samples)][k])
            if why:
                wrong.setdefault(layer.number, f"sample {s}: {why}")
    return wrong


def run_model(family, seed, numbers, flags, emit):
    """({number: why it failed}, facts of its layers)."""
    layers = Layers(family, seed, numbers)
    with tempfile.TemporaryDirectory(prefix="layers-") as directory:
        model = pathlib.Path(directory, "m.tflite")
        layers.writer.write(model)
        samples = references(model, layers)
        code = pathlib.Path(directory, "out")
        compile_model(model, code, "m", "cortex-m4", emit, flags)
        report = json.loads((code / "m.report.json").read_text())
        facts = list(facts_of(layers, samples, code, report))
        result = firmware.device(code, "m", samples)
        return differences(layers, samples, result.outputs), facts


def run_some(family, seed, numbers, flags, emit):
    """As run_model; where the model as a whole fails, each layer alone."""
    try:
        return run_model(family, seed, numbers, flags, emit)
    except Failed as error:
        if len(numbers) == 1:
            return {numbers[0]: str(error)}, []
    failed, facts = {}, []
    for number in numbers:
        wrong, found = run_some(family, seed, [number], flags, emit)
        failed.update(wrong)
        facts += found
    return failed or {numbers[0]: "its model fails, no layer of it alone"}, facts


def run_family(family, seed, first, count, choices, jobs=1, size=LAYERS):
    """([(number, flags, kind of code, why)] of layers that failed, Coverage); `size` layers a model."""
    models = []
    for start in range(first, first + count, size):
        numbers = list(range(start, min(start + size, first + count)))
        models.append((numbers, *choices[(start // size) % len(choices)]))
    coverage, failed = Coverage(), []
    for (numbers, flags, emit), outcome in parallel(lambda m: run_some(family, seed, *m), models, jobs):
        if isinstance(outcome, Exception):
            outcome = {numbers[0]: repr(outcome)}, []
        wrong, facts = outcome
        failed += [(number, flags, emit, why) for number, why in wrong.items()]
        for layer in facts:
            coverage.add(layer)
    return failed, coverage


def show(family, seed, failed, coverage, required):
    """Print what ran; whether all is well."""
    print(f"== {family}: {coverage.layers:,} layers, {coverage.constants:,} that became constants")
    for line in coverage.lines():
        print(f"   {line}")
    for number, flags, emit, why in failed:
        print(f"   FAILED: {why}\n      tools/random-layers --family {family} --seed {seed} "
              f"--first {number} --count 1 {' '.join(flags)} --emit {emit}")
    missing = coverage.missing(family) if required else []
    if required and coverage.layers < ENOUGH:
        missing.append(f"{ENOUGH:,} layers")
    for what in missing:
        print(f"   NEVER RAN: {what}")
    return not failed and not missing


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--family", nargs="+", choices=FAMILIES, default=FAMILIES)
    parser.add_argument("--count", type=int, default=2800,
                        help="layers of each family; of fewer than 2,000 no coverage is asked")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first layer")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--optimize", help="speed, balanced, ram or flash, instead of variants in turn")
    parser.add_argument("--prefer-kernel", metavar="NAME", help="choose this kernel wherever it applies")
    parser.add_argument("--emit", choices=["c", "obj"], help="instead of both in turn")
    arguments = parser.parse_args()
    fixed = [*(["--optimize", arguments.optimize] if arguments.optimize else []),
             *(["--prefer-kernel", arguments.prefer_kernel] if arguments.prefer_kernel else [])]
    good = True
    for family in arguments.family:
        choices = [(fixed or flags, arguments.emit or emit) for flags, emit in variants(family)]
        failed, coverage = run_family(family, arguments.seed, arguments.first, arguments.count,
                                      choices, arguments.jobs)
        good &= show(family, arguments.seed, failed, coverage,
                     arguments.count >= ENOUGH and not (fixed or arguments.emit))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
