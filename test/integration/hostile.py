# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Malformed models: the compiler behaves as their manifest says, within 5 seconds.

usage: tools/hostile [DIR] [--thimble PATH] [--only REGEX]
A compiler built by the preset `sanitize` (--thimble build/sanitize/bin/thimble) has no limit on
memory, which AddressSanitizer needs, and more time.
"""
import argparse
import csv
import functools
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

from harness.tools import SHARED, THIMBLE, parallel

SECONDS = 5
# Sanitizers make the compiler several times slower, and tests run side by side.
SANITIZED_SECONDS = 20
BYTES = 2 << 30
# Valid models of what Thimble does not support yet: refused, with this in the message.
LATER = {"tflite/342__valid_control__svdf.tflite": "SVDF"}
BAD_WORDS = ("Sanitizer", "runtime error:", "Assertion", "PLEASE submit a bug", "Stack dump")


def rows(folder, only=""):
    with open(folder / "manifest.csv") as file:
        return [r for r in csv.DictReader(file)
                if r["format"] == "tflite" and re.search(only, r["file"])]


@functools.cache
def is_sanitized(thimble):
    return b"__asan_init" in pathlib.Path(thimble).read_bytes()


def _limits(sanitized):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (256 << 20,) * 2)
    if not sanitized:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES,) * 2)


def behaviour(thimble, model):
    """('accept' | 'reject' | what went wrong, the last line of the errors)."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as directory:
        out = pathlib.Path(directory, "out")
        sanitized = is_sanitized(thimble)
        seconds = SANITIZED_SECONDS if sanitized else SECONDS
        try:
            result = subprocess.run(
                [thimble, "compile", model, "-o", out, "--target", "generic"], cwd=directory,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                timeout=seconds, preexec_fn=lambda: _limits(sanitized))
        except subprocess.TimeoutExpired:
            return f"took over {seconds} s", ""
        errors = result.stderr.decode(errors="replace")
        last = (errors.strip().splitlines() or [""])[-1]
        left = [p for p in pathlib.Path(directory).rglob("*") if p.is_file()]
        if result.returncode < 0 or result.returncode >= 128:
            return f"crashed with status {result.returncode}", last
        if any(word in errors for word in BAD_WORDS):
            return "sanitizer report or assertion", last
        if result.returncode == 0:
            for source in (p for p in left if p.suffix == ".c"):
                build = subprocess.run(
                    ["gcc", "-std=c11", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror",
                     "-fsyntax-only", "-I", source.parent, source], capture_output=True, text=True)
                if build.returncode:
                    return "code that does not compile", build.stderr[:200]
            return ("accept", last) if left else ("wrote nothing", last)
        if result.returncode != 1:
            return f"exit status {result.returncode} instead of 1", last
        messages = [line for line in errors.splitlines() if "error" in line.lower()]
        if not messages:
            return "no error message", last
        if left:
            return f"left {left[0].name} behind", last
        return "reject", last


def run_all(folder, thimble=THIMBLE, only=""):
    """[(row, behaviour, message, as expected?)] of every malformed model."""
    results = []
    for row, got in parallel(lambda r: behaviour(thimble, folder / r["file"]),
                             rows(folder, only)):
        if isinstance(got, Exception):
            got = (f"could not be run: {got}", "")
        want = ("accept", "reject") if row["expect"] == "either" else (row["expect"],)
        good = got[0] in want
        if row["file"] in LATER:
            good = got[0] == "reject" and LATER[row["file"]] in got[1]
        results.append((row, *got, good))
    return results


def main():
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__.splitlines()[0])
    parser.add_argument("dir", nargs="?", type=pathlib.Path, default=SHARED / "hostile")
    parser.add_argument("--thimble", type=pathlib.Path, default=THIMBLE)
    parser.add_argument("--only", default="", help="files whose name matches this")
    options = parser.parse_args()
    if not (options.dir / "manifest.csv").exists():
        sys.exit(f"error: {options.dir} has no manifest.csv")
    results = run_all(options.dir, options.thimble.resolve(), options.only)
    bad = 0
    for row, got, message, good in results:
        if not good:
            bad += 1
            print(f"{row['file']}: expected {row['expect']}, {got}: {message[:160]}")
    print(f"{len(results) - bad} passed, {bad} failed")
    sys.exit(bool(bad) or not results)


if __name__ == "__main__":
    main()
