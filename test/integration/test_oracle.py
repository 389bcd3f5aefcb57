# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The interpreter against tflite-micro, run live on random inputs."""
import numpy as np
import pytest

from harness import goldens, oracle
from harness.tools import MODELS

# uint8 is not tflite-micro's; the shape input of a transposed convolution is no noise.
NAMES = sorted({p.stem for p in MODELS.glob("*.tflite")}
               - {"coral_split_concat", "seanet_transpose_conv4"})


@pytest.mark.parametrize("name", NAMES)
def test_run_equals_tflm(name):
    model, rng = MODELS / f"{name}.tflite", np.random.default_rng(20)
    like = goldens.load(MODELS / f"{name}.npz", limit=1).inputs[0]
    for _ in range(5):
        inputs = [oracle.random_input(a, rng) for a in like]
        wants = oracle.tflm(model, inputs)
        gots = oracle.thimble_run(model, inputs, len(wants))
        for k, (got, want) in enumerate(zip(gots, wants)):
            why = goldens.difference(got.reshape(want.shape), want)
            assert not why, f"output {k} {why}"
