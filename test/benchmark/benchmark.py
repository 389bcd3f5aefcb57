# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""What every int8 model costs on the emulated core, layer by layer, against the committed baseline.

usage: tools/bench [MODEL or DIR...] [--only REGEX] [--check] [--markdown] [--update]
Default: the models beside the checkout where there are any, and test/models. Fails where a model is
over 3 % slower or larger than test/benchmark/baseline.json says; --update writes that file for the
models measured, --check measures its models alone and leaves the tables of layers out.
"""
import argparse
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import tables  # noqa: E402
from harness.tools import MODELS, SHARED, THIMBLE, Refused, parallel, run  # noqa: E402

BASELINE = HERE / "baseline.json"
FIGURES = ("cycles", "arena", "stack", "code", "constants")
TOLERANCE = 1.03  # of the baseline
MATTERS = 0.02  # of a model's time: below it a layer is noise
OF_PEERS = 1.4  # times the cycles per MAC that similar layers reach
ESTIMATE = 0.10  # how far an estimate may be off
MULTIPLYING = ("conv_2d", "depthwise_conv_2d", "fully_connected")


class Layer:
    """A layer of a model's report."""

    def __init__(self, model, index, report, total):
        self.model, self.index, self.op, self.kernel = model, index, report["op"], report["kernel"]
        self.macs, self.cycles = report["macs"], report["cycles"]
        self.instructions, self.estimate = report["instructions"], report["cycles_estimate"]
        self.per_mac, self.share = report.get("cycles_per_mac"), report["cycles"] / total
        self.channels, self.filter = report.get("channels"), report.get("filter")
        self.strides = report.get("strides")
        self.is_int8 = (self.op in MULTIPLYING and report["input"] == report["weights"] == "int8")

    def describe(self):
        if not self.channels:
            return self.op
        stride = "" if self.strides == [1, 1] else "/" + "x".join(map(str, self.strides))
        window = "" if self.op == "fully_connected" else " " + "x".join(map(str, self.filter))
        return f"{self.op}{window}{stride} {self.channels[0]}-{self.channels[1]}"

    def __str__(self):
        return f"{self.model} layer {self.index} ({self.describe()}, {self.share:.1%} of the time)"

    def is_similar(self, other):
        """Of one class: the same operator and window, channels within a factor of two."""
        return ((self.op, self.filter, self.strides) == (other.op, other.filter, other.strides)
                and all(a <= 2 * b and b <= 2 * a for a, b in zip(self.channels, other.channels)))


class Model:
    """A model's report, {figure: value} and layers."""

    def __init__(self, name, report):
        self.name = name
        flash = report["flash_bytes"]
        self.figures = {"cycles": report["cycles"], "arena": report["arena_bytes"],
                        "stack": report["stack_bytes"], "code": flash["code"],
                        "constants": flash["constants"]}
        self.layers = [Layer(name, i, layer, report["cycles"])
                       for i, layer in enumerate(report["layers"])]
        self.is_int8 = (any(i.startswith("int8") for i in report["inputs"])
                        or any(layer.is_int8 for layer in self.layers))


def measure(path):
    result = run([THIMBLE, "bench", path, "--json", "-"], timeout=600)
    if result.returncode:
        raise Refused(" ".join(result.stdout.split())[:200])
    return Model(path.stem, json.loads(result.stdout))


def listed(given):
    """The models to measure, by name; a name that comes twice is measured once."""
    if not given:
        beside = SHARED / "models" / "models"
        if not beside.is_dir():
            print("no models beside the checkout: test/models alone")
        given = [g for g in (beside, MODELS) if g.is_dir()]
    missing = [str(g) for g in given if not g.exists()]
    if missing:
        sys.exit(f"error: not found: {', '.join(missing)}")
    paths = [p for g in given for p in (sorted(g.glob("*.tflite")) if g.is_dir() else [g])]
    return sorted({p.stem: p for p in reversed(paths)}.values())


# --- tables ---------------------------------------------------------------------------------------

def show_layers(model, markdown):
    print(f"\n{'### ' if markdown else ''}{model.name}\n")
    rows = [[f"{layer.index:02}", layer.describe(), layer.kernel, layer.macs or "",
             layer.instructions, layer.cycles, f"{layer.per_mac:.2f}" if layer.macs else "",
             layer.estimate, f"{layer.estimate / layer.cycles:.2f}", f"{layer.share:.1%}"]
            for layer in model.layers]
    tables.show(["", "operator", "kernel", "MACs", "instructions", "cycles", "cycles/MAC",
                 "estimate", "ratio", "time"], rows, left=3, markdown=markdown)


def change(new, old):
    if not old:
        return ""
    return f"{new / old - 1:+.1%}" if new != old else "="


def show_summary(models, baseline, markdown):
    print()
    header = ["model"]
    for figure in FIGURES:
        header += [figure, ""]
    rows = []
    for model in models:
        old = baseline.get(model.name, {})
        row = [model.name]
        for figure in FIGURES:
            row += [model.figures[figure], change(model.figures[figure], old.get(figure))]
        rows.append(row)
    tables.show(header, rows, left=1, markdown=markdown)


# --- judgements -----------------------------------------------------------------------------------

def worse_than_baseline(models, baseline):
    """What fails: figures over the tolerance."""
    found = []
    for model in models:
        for figure, old in baseline.get(model.name, {}).items():
            new = model.figures[figure]
            if new > old * TOLERANCE:
                found.append(f"{model.name}: {figure} {new:,}, {change(new, old)} of the baseline's "
                             f"{old:,}")
    return found


def portable_layers(layers):
    return [f"{layer}: kernel {layer.kernel}" for layer in layers
            if layer.share > MATTERS and layer.kernel.endswith(".portable")]


def slow_layers(layers):
    """(warnings, number of layers that do not matter) of those behind their peers."""
    warnings, small = [], 0
    for layer in layers:
        best = min((other for other in layers if layer.is_similar(other)), key=lambda o: o.per_mac)
        if layer.per_mac <= OF_PEERS * best.per_mac:
            continue
        if layer.share > MATTERS:
            warnings.append(f"{layer}: {layer.per_mac:.2f} cycles/MAC, "
                            f"{layer.per_mac / best.per_mac:.2f} times those of {best}")
        else:
            small += 1
    return warnings, small


def wrong_estimates(models):
    """Layers that matter whose estimate is off, the worst first."""
    off = [(abs(layer.estimate / layer.cycles - 1), layer) for model in models
           for layer in model.layers if layer.share > MATTERS]
    wrong = sorted(((o, layer) for o, layer in off if o > ESTIMATE), key=lambda p: -p[0])
    texts = [f"{layer}: estimate {layer.estimate:,} for {layer.cycles:,} cycles, ratio "
             f"{layer.estimate / layer.cycles:.2f}" for _, layer in wrong]
    return texts, len(off)


def show_warnings(title, texts, limit):
    if texts:
        print(f"\nwarning: {len(texts)} {title}")
        for text in texts[:limit]:
            print(f"  {text}")
        if limit is not None and len(texts) > limit:
            print(f"  and {len(texts) - limit} more")


def show_judgements(models, limit):
    """Warnings at the end of the output; with a limit on how many of each kind are listed."""
    layers = [layer for model in models for layer in model.layers if layer.is_int8]
    show_warnings(f"int8 layers over {MATTERS:.0%} of the time use a portable kernel",
                  portable_layers(layers), limit)
    slow, small = slow_layers(layers)
    show_warnings(f"int8 layers over {MATTERS:.0%} of the time take more than {OF_PEERS} times what "
                  f"similar layers reach ({small} smaller ones do)", slow, limit)
    wrong, count = wrong_estimates(models)
    show_warnings(f"of {count} layers over {MATTERS:.0%} of the time have an estimate more than "
                  f"{ESTIMATE:.0%} off", wrong, limit)


# --- the command ----------------------------------------------------------------------------------

def update(models, baseline):
    baseline.update({model.name: model.figures for model in models})
    BASELINE.write_text(json.dumps(dict(sorted(baseline.items())), indent=1) + "\n")
    print(f"wrote {len(models)} models to {BASELINE.name}")


def main():
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="*", type=pathlib.Path, help="models, or folders of models")
    parser.add_argument("--only", default="", help="models whose name matches this")
    parser.add_argument("--check", action="store_true", help="only what has a baseline, in brief")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--update", action="store_true", help="write the baseline")
    options = parser.parse_args()
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    paths = [p for p in listed(options.paths)
             if re.search(options.only, p.stem) and (p.stem in baseline or not options.check)]
    results = parallel(measure, paths, workers=2)
    models = [m for _, m in results if isinstance(m, Model) and m.is_int8]
    failed = [(p, e) for p, e in results if isinstance(e, Exception)]
    if not options.check:
        for model in models:
            show_layers(model, options.markdown)
    if models:
        show_summary(models, baseline, options.markdown)
        show_judgements(models, 3 if options.check else None)
    lost = [f"{p.stem}: {e}" for p, e in failed if p.stem in baseline]
    worse = lost + worse_than_baseline(models, baseline)
    print(f"\n{len(models)} int8 models measured, {len(failed)} cannot be, "
          f"{len(results) - len(models) - len(failed)} of other types")
    if options.update:
        update(models, baseline)
    elif worse:
        print("worse than the baseline (tools/bench --update accepts it):")
        print("\n".join(f"  {text}" for text in worse))
    sys.exit(bool(lost if options.update else worse) or not models)


if __name__ == "__main__":
    main()
