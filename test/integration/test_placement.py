# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""thimble-place: google/minimalloc's published instances, beside the checkout where they are."""
import pytest

from harness.tools import BUILD, SHARED, run

FOLDER = SHARED / "suites" / "minimalloc" / "benchmarks" / "challenging"
CAPACITY = 1048576
# A limit of nodes: seconds would be those of the machine.
NODES = 100000
FILES = sorted(FOLDER.glob(f"*.{CAPACITY}.csv"))
if not FILES:
    pytest.skip(f"no instances in {FOLDER}", allow_module_level=True)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.split(".")[0])
def test_instance_fits(file):
    result = run([BUILD / "bin" / "thimble-place", "--capacity", CAPACITY,
                  "--node-limit", NODES, file])
    assert result.returncode == 0, result.stdout
