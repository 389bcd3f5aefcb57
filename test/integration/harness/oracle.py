# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The references run live, and `thimble run`. A missing oracle is an error, never a skip."""
import pathlib
import tempfile

import numpy as np
from tflite_micro.python.tflite_micro import runtime

from .tools import THIMBLE, check


def tflm(model, inputs):
    """Outputs of tflite-micro for one sample."""
    interpreter = runtime.Interpreter.from_file(str(model))
    for k, array in enumerate(inputs):
        interpreter.set_input(array, k)
    interpreter.invoke()
    outputs = []
    while True:
        try:
            outputs.append(np.array(interpreter.get_output(len(outputs))))
        except (IndexError, RuntimeError, ValueError):
            return outputs


def thimble_run(model, inputs, count, flags=()):
    """The `count` outputs of `thimble run` for one sample. One input and output are .npy, several .npz with
    input_K and output_K."""
    with tempfile.TemporaryDirectory(prefix="run-") as directory:
        source = pathlib.Path(directory, "x.npy" if len(inputs) == 1 else "x.npz")
        if len(inputs) == 1:
            np.save(source, inputs[0])
        else:
            np.savez(source, **{f"input_{k}": a for k, a in enumerate(inputs)})
        target = pathlib.Path(directory, "y.npy" if count == 1 else "y.npz")
        check([THIMBLE, "run", model, "--input", source, "--output", target, *flags], "thimble run")
        data = np.load(target)
        return [data] if count == 1 else [data[f"output_{k}"] for k in range(count)]


def random_input(like, rng):
    """Noise of the type and shape of a recorded input."""
    if like.dtype.kind == "f":
        return rng.standard_normal(like.shape).astype(like.dtype)
    info = np.iinfo(like.dtype)
    return rng.integers(info.min, info.max, like.shape, like.dtype, endpoint=True)
