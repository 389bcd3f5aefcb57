# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Recorded inputs and outputs of models, and how close is equal."""
import re

import numpy as np

from .tools import Failed


class Samples:
    """inputs[s][k] and outputs[s][k]: arrays of sample s."""

    def __init__(self, inputs, outputs):
        self.inputs, self.outputs = inputs, outputs

    def __len__(self):
        return len(self.inputs)


def _numbered(names, prefix):
    found = [n for n in names if re.fullmatch(re.escape(prefix) + r"\d+", n)]
    return sorted(found, key=lambda n: int(n[len(prefix):]))


def load(path, limit=3):
    """Samples of an .npz file with input_K and output_K, first axis the sample.

    Of several references' outputs tflite-micro's count (output_tflm_K), else LiteRT's
    (output_ref_K).
    """
    data = np.load(path, allow_pickle=False)
    inputs = _numbered(data.files, "input_")
    outputs = next((found for prefix in ("output_", "output_tflm_", "output_ref_")
                    if (found := _numbered(data.files, prefix))), [])
    if not inputs or not outputs:
        raise Failed(f"{path} has no input_K or no output_K")
    count = min(limit, len(data[inputs[0]]))
    pick = lambda names: [[data[n][s] for n in names] for s in range(count)]
    return Samples(pick(inputs), pick(outputs))


def difference(got, want, exact=False):
    """Why two arrays are not equal, or None. Integers are equal by the byte; floats, unless exact,
    within 4 ULP + 1e-6 of the largest magnitude."""
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"is {got.dtype}{got.shape}, expected {want.dtype}{want.shape}"
    if got.tobytes() == want.tobytes():
        return None
    a, b = got.astype(np.float64), want.astype(np.float64)
    distance = np.abs(a - b)
    if want.dtype.kind == "f" and not exact:
        finite = np.abs(want[np.isfinite(want)])
        bound = 4 * np.spacing(np.abs(want)) + 1e-6 * (finite.max() if finite.size else 0)
        close = (distance <= bound) | (np.isnan(a) & np.isnan(b)) | (a == b)
        if close.all():
            return None
        return f"{(~close).sum()} of {close.size} elements differ, by up to {np.nanmax(distance)}"
    wrong = distance != 0
    return f"{wrong.sum()} of {wrong.size} elements differ, by up to {np.nanmax(distance)}"


def compare(got, samples, exact=False):
    """Raise Failed at the first of got[s][k] that is not the recorded output. A run's extra last
    sample is the first one once more."""
    for s, row in enumerate(got):
        for k, array in enumerate(row):
            why = difference(array, samples.outputs[s % len(samples)][k], exact)
            if why:
                again = ", run a second time" if s >= len(samples) else ""
                raise Failed(f"output {k} of sample {s % len(samples)}{again}: {why}")
