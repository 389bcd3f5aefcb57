# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Where things are, and how programs are started."""
import functools
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("THIMBLE_BUILD", ROOT / "build"))
THIMBLE = pathlib.Path(os.environ.get("THIMBLE", BUILD / "bin" / "thimble"))
PLUGIN = BUILD / "lib" / "thimble" / "cycle_count.so"
MODELS = ROOT / "test" / "models"
# Larger models and suites, beside the checkout on the project's own machines.
SHARED = pathlib.Path(os.environ.get("THIMBLE_SHARED", ROOT.parent / "shared"))


class Failed(Exception):
    """A step of a test did not work; the text says which and why."""


def run(command, timeout=120, **options):
    """Run a command without standard input; output and errors as text together in .stdout."""
    return subprocess.run([str(c) for c in command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=options.pop("stderr", subprocess.STDOUT),
                          text=True, errors="replace", timeout=timeout, **options)


def check(command, what, **options):
    """Run a command that has to succeed."""
    result = run(command, **options)
    if result.returncode:
        raise Failed(f"{what} failed with status {result.returncode}:\n{result.stdout[-2000:]}")
    return result.stdout


def c_name(path):
    """The name that compile gives a model by default."""
    return re.sub(r"\W", "_", pathlib.Path(path).stem)


class Refused(Failed):
    """The compiler said that it does not support the model."""


def compile_model(model, directory, name=None, target="generic", emit="c", flags=()):
    """`thimble compile`; returns the name. Raises Refused on exit status 1."""
    name = name or c_name(model)
    command = [THIMBLE, "compile", model, "-o", directory, "--name", name, "--target", target,
               "--emit", emit, *flags]
    result = run(command)
    if result.returncode == 1:
        raise Refused(result.stdout.strip())
    if result.returncode:
        raise Failed(f"{model}: compile exits with {result.returncode}: {result.stdout[-1000:]}")
    return name


@functools.cache
def kernel_table():
    """Names of all kernels, from the message on one that is none."""
    text = run([THIMBLE, "compile", "none.tflite", "--prefer-kernel", "none"]).stdout
    match = re.search(r"must be one of (.*), got 'none'", text)
    if not match:
        raise Failed(f"no kernels in: {text}")
    return match[1].split(", ")


def launcher():
    """ccache where there is one: most generated files are the same as in the last run."""
    return ["ccache"] if shutil.which("ccache") else []


def parallel(function, items, workers=None):
    """[(item, result or exception)] of a function that spends its time in subprocesses."""
    from concurrent.futures import ThreadPoolExecutor

    def guarded(item):
        try:
            return item, function(item)
        except Exception as error:  # each item's error is that item's result
            return item, error

    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        return list(pool.map(guarded, items))
