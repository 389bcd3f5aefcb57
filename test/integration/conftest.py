# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Tests import the package `harness` beside this file, wherever pytest is started."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness.tools import THIMBLE  # noqa: E402


def pytest_sessionstart(session):
    if not THIMBLE.exists():
        pytest.exit(f"{THIMBLE} is not built: cmake --build --preset release", returncode=1)
