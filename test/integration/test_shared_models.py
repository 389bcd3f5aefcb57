# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The models beside the checkout, where there are any: every mode, every kind of input."""
import pytest

from harness import goldens, modes
from harness.tools import SHARED, Refused, run, THIMBLE
from shared_models import UNSUPPORTED, models

FOLDER = SHARED / "models"
ROWS = models(FOLDER) if (FOLDER / "manifest.json").exists() else []
if not ROWS:
    pytest.skip(f"no models in {FOLDER}", allow_module_level=True)


def merged(paths):
    """Two samples of each file; those of real inputs are recorded without the axis of the batch."""
    inputs, outputs = [], []
    for path in paths:
        samples = goldens.load(path, limit=2)
        inputs += samples.inputs
        outputs += [[array.reshape(first.shape) for array, first in zip(row, (outputs or [row])[0])]
                    for row in samples.outputs]
    return goldens.Samples(inputs, outputs)


@pytest.mark.parametrize("name,path,files", [r for r in ROWS if r[0] not in UNSUPPORTED],
                         ids=lambda v: v if isinstance(v, str) else "")
def test_model(name, path, files):
    modes.run_all(path, merged(files))


@pytest.mark.parametrize("name,path,files", [r for r in ROWS if r[0] in UNSUPPORTED],
                         ids=lambda v: v if isinstance(v, str) else "")
def test_unsupported(name, path, files, tmp_path):
    result = run([THIMBLE, "compile", path, "-o", tmp_path / "out"])
    assert result.returncode == 1, result.stdout
    assert "thimble check" in result.stdout or UNSUPPORTED[name].lower() in result.stdout.lower()
    assert not list(tmp_path.rglob("*.*")), "something was left behind"
    result = run([THIMBLE, "check", path])
    assert result.returncode == 1, result.stdout
    assert UNSUPPORTED[name].lower() in result.stdout.lower(), result.stdout
