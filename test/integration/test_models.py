# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The models of test/models in every mode: host C, C under QEMU, object under QEMU."""
import pytest

from harness import goldens, modes
from harness.tools import MODELS

NAMES = sorted(p.stem for p in MODELS.glob("*.tflite"))


@pytest.mark.parametrize("name", NAMES)
def test_model(name):
    flags = ["--reference", "litert"] if name in ("coral_split_concat",) else []
    modes.run_all(MODELS / f"{name}.tflite", goldens.load(MODELS / f"{name}.npz"), flags)
