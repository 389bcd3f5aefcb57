# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Single-operator cases by others, as host C: counts of pass, fail and unsupported by operator.

usage: tools/conformance [SUITE...] [--suites DIR] [--target TARGET] [--optimize OBJECTIVE] [--only REGEX] [--verbose]
SUITE is nnapi, tosa_fw_tflite or tflm_seanet; all of them unless told.
"""
import argparse
import collections
import csv
import pathlib
import re
import sys
import tempfile

import numpy as np

from harness import firmware, goldens
from harness.tools import SHARED, Failed, Refused, compile_model, parallel

SUITES = ("nnapi", "tosa_fw_tflite", "tflm_seanet")
# Cases of a batch share one program: linking with sanitizers costs more than most cases.
BATCH = 16

# Operators whose cases compile may refuse, and why; a refusal of any other counts as a failure.
REFUSALS = {
    "WHILE": "control flow: later",
    "CALL_ONCE": "variables: later",
    "VAR_HANDLE": "variables: later",
    "READ_VARIABLE": "variables: later",
    "ASSIGN_VARIABLE": "variables: later",
    "RFFT2D": "signal processing: later",
}

Case = collections.namedtuple("Case", "suite name op model load flags")


def _nnapi(folder):
    for row in csv.DictReader(open(folder / "index.csv")):
        base = folder / "cases" / row["case"]

        def load(base=base, slack=row["litert_ref"] == "close"):
            data = np.load(base / "data.npz", allow_pickle=False)
            pick = lambda p: [data[k] for k in sorted((k for k in data.files if k.startswith(p)),
                                                      key=lambda k: int(k[len(p):]))]
            return pick("in_"), pick("out_"), 1e-4 if slack else 1e-5, 1 if slack else 0

        yield Case("nnapi", row["case"], row["op"], base / "model.tflite", load, [])


def _tosa(folder):
    for row in csv.DictReader(open(folder / "index.csv")):
        base = folder / "cases" / row["case"]

        def load(base=base, row=row):
            read = lambda names: [np.load(base / f) for f in names.split("|") if f]
            return read(row["inputs"]), read(row["expected"]), 1e-5, 0

        yield Case("tosa_fw_tflite", row["case"], row["ops"], base / "model.tflite", load,
                   ["--reference", "litert"])


def _seanet(folder):
    for row in csv.DictReader(open(folder / "index.csv")):
        model = folder / row["path"]
        types_in, types_out = (t.split("/") for t in row["dtypes"].split("->"))

        def load(model=model, types_in=types_in, types_out=types_out):
            def read(stem, dtype):
                return np.loadtxt(model.parent / f"{model.stem}_{stem}_{dtype}.csv", delimiter=",",
                                  dtype=np.int64).astype(dtype).ravel()

            def inputs(k, dtype):
                many = model.parent / f"{model.stem}_input{k}_{dtype}.csv"
                return read(f"input{k}" if many.exists() else "input", dtype)

            return ([inputs(k, t) for k, t in enumerate(types_in)],
                    [read("golden", t) for t in types_out], 0, 0)

        # The goldens were made with multipliers in float, as LiteRT has them; the tflite-micro
        # package computes those of LEAKY_RELU in double.
        flags = ["--reference", "litert"] if row["op"] == "leaky_relu" else []
        yield Case("tflm_seanet", row["case"], row["op"].upper(), model, load, flags)


READERS = {"nnapi": _nnapi, "tosa_fw_tflite": _tosa, "tflm_seanet": _seanet}


def cases(folder, suites=SUITES, only=""):
    """All cases of the suites that exist under the folder."""
    found = []
    for suite in suites:
        if (folder / suite / "index.csv").exists():
            found += [c for c in READERS[suite](folder / suite) if re.search(only, c.name)]
    return found


def verdict(got, wanted, relative, lsb):
    """None, or why the outputs are not those expected."""
    for k, (a, want) in enumerate(zip(got, wanted)):
        if want.dtype.kind == "f":
            if not np.allclose(a.ravel(), want.ravel(), relative or 1e-5, relative or 1e-5,
                               equal_nan=True):
                return f"output {k}: {goldens.difference(a.ravel(), want.ravel())}"
        elif want.size:
            worst = np.abs(a.ravel().astype(np.int64) - want.ravel().astype(np.int64)).max()
            if worst > lsb:
                return f"output {k} differs by {worst}"
    return None


def run_batch(batch, target, flags=()):
    """[(case, 'pass' | 'fail' | 'unsupported', text)] of a few cases. The C for a Cortex-M4 runs on
    the host too: the runtime computes the instructions that the host lacks."""
    results, built, objects = [], [], []
    with tempfile.TemporaryDirectory(prefix="conformance-") as directory:
        directory = pathlib.Path(directory)
        for index, case in enumerate(batch):
            name = f"case_{index}"
            place = directory / name
            try:
                inputs, outputs, relative, lsb = case.load()
                samples = goldens.Samples([inputs], [outputs])
                compile_model(case.model, place, name, target, "c", [*case.flags, *flags])
                objects += firmware.build_host_object(place, name, samples)
                built.append((case, name, samples, relative, lsb))
            except Refused as error:
                results.append((case, "unsupported", str(error)))
            except Exception as error:  # whatever went wrong, it is this case's failure
                results.append((case, "fail", str(error)))
        if built:
            try:
                program = firmware.link_host(directory, [b[1] for b in built], objects)
            except Failed as error:
                return results + [(b[0], "fail", str(error)) for b in built]
            for index, (case, _, samples, relative, lsb) in enumerate(built):
                try:
                    result = firmware.run_host(program, samples, index)
                    whys = [verdict(row, samples.outputs[0], relative, lsb)
                            for row in result.outputs]
                    why = next((w for w in whys if w), None)
                    results.append((case, "fail" if why else "pass", why or ""))
                except Exception as error:
                    results.append((case, "fail", str(error)))
    return results


def may_refuse(case):
    """Whether a refusal of the case is no failure."""
    return any(op in REFUSALS for op in case.op.split("+"))


def run_cases(found, target, flags=()):
    """Every case's (case, verdict, text), on all cores."""
    batches = [found[i:i + BATCH] for i in range(0, len(found), BATCH)]
    results = []
    for batch, result in parallel(lambda batch: run_batch(batch, target, flags), batches):
        if isinstance(result, Exception):
            result = [(case, "fail", str(result)) for case in batch]
        results += [(case, "fail" if kind == "unsupported" and not may_refuse(case) else kind, text)
                    for case, kind, text in result]
    return results


def table(results):
    """Counts by operator as text, one line a suite and operator."""
    counts = collections.defaultdict(collections.Counter)
    for case, kind, _ in results:
        counts[case.suite, case.op][kind] += 1
        counts[case.suite, "all"][kind] += 1
    lines = [f"{'suite':16}{'operator':44}{'pass':>6}{'fail':>6}{'unsupported':>13}"]
    for (suite, op), n in sorted(counts.items(), key=lambda i: (i[0][0], i[0][1] == "all", i[0][1])):
        lines.append(f"{suite:16}{op[:43]:44}{n['pass']:6}{n['fail']:6}{n['unsupported']:13}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__.splitlines()[0])
    parser.add_argument("suite", nargs="*", metavar="SUITE")
    parser.add_argument("--suites", type=pathlib.Path, default=SHARED / "suites")
    parser.add_argument("--target", default="generic", help="generic or cortex-m4")
    parser.add_argument("--optimize", default="speed", help="ram runs row by row what can")
    parser.add_argument("--only", default="", help="cases whose name matches this")
    parser.add_argument("--verbose", action="store_true", help="say why a case is unsupported")
    options = parser.parse_args()
    for suite in set(options.suite) - set(SUITES):
        parser.error(f"SUITE is one of {', '.join(SUITES)}, got '{suite}'")
    found = cases(options.suites, options.suite or SUITES, options.only)
    if not found:
        sys.exit(f"error: no cases in {options.suites}")
    results = run_cases(found, options.target, ["--optimize", options.optimize])
    for case, kind, text in results:
        if kind == "fail" or (kind == "unsupported" and options.verbose):
            print(f"{kind} {case.suite}/{case.name}: {' '.join(text.split())[:300]}")
    print(table(results))
    sys.exit(any(kind == "fail" for _, kind, _ in results))


if __name__ == "__main__":
    main()
