# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Malformed models beside the checkout: no crash, no hang, nothing left behind."""
import os

import pytest

import hostile
from harness.tools import BUILD, SHARED, THIMBLE

FOLDER = SHARED / "hostile"
SANITIZED = BUILD / "sanitize" / "bin" / "thimble"
if not (FOLDER / "manifest.csv").exists():
    pytest.skip(f"no malformed models in {FOLDER}", allow_module_level=True)


def wrong(results):
    return "\n".join(f"{row['file']}: expected {row['expect']}, {got}: {message[:160]}"
                     for row, got, message, good in results if not good)


def test_manifest():
    results = hostile.run_all(FOLDER)
    assert results
    assert not wrong(results)


@pytest.mark.skipif(not os.path.exists(SANITIZED), reason="no build of the preset sanitize")
def test_manifest_sanitized():
    assert SANITIZED != THIMBLE
    assert not wrong(hostile.run_all(FOLDER, SANITIZED))
