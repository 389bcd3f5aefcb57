# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The references run live, and `thimble run`. A missing oracle is an error, never a skip."""
import pathlib
import tempfile

import numpy as np
from tflite_micro.python.tflite_micro import runtime

from .tools import THIMBLE, check

TFLM_ARENA = 16 << 20  # its guess is too small for models of many layers


def tflm(model, inputs, count=None):
    """The `count` or all outputs of tflite-micro for one sample."""
    interpreter = runtime.Interpreter.from_file(str(model), arena_size=TFLM_ARENA)
    for k, array in enumerate(inputs):
        interpreter.set_input(array, k)
    interpreter.invoke()
    outputs = []
    while len(outputs) != count:
        try:
            outputs.append(np.array(interpreter.get_output(len(outputs))))
        except (IndexError, RuntimeError, ValueError):
            break
    return outputs


def thimble_run(model, inputs, count, flags=()):
    """The `count` outputs of `thimble run` for one sample."""
    with tempfile.TemporaryDirectory(prefix="run-") as directory:
        command = [THIMBLE, "run", model, *flags]
        for k, array in enumerate(inputs):
            path = pathlib.Path(directory, f"input_{k}.npy")
            np.save(path, array)
            command += ["--input", path]
        outputs = [pathlib.Path(directory, f"output_{k}.npy") for k in range(count)]
        for path in outputs:
            command += ["--output", path]
        check(command, "thimble run")
        return [np.load(path) for path in outputs]


def random_input(like, rng):
    """Noise of the type and shape of a recorded input."""
    if like.dtype.kind == "f":
        return rng.standard_normal(like.shape).astype(like.dtype)
    info = np.iinfo(like.dtype)
    return rng.integers(info.min, info.max, like.shape, like.dtype, endpoint=True)
