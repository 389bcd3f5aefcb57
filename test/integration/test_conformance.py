# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""The conformance suites beside the checkout: no failure, unsupported only what is listed."""
import collections

import pytest

import conformance
from harness.tools import SHARED

FOLDER = SHARED / "suites"
CASES = conformance.cases(FOLDER)
if not CASES:
    pytest.skip(f"no suites in {FOLDER}", allow_module_level=True)

# Groups are what runs in parallel: each is a few dozen cases of one suite.
GROUPS = collections.defaultdict(list)
for number, case in enumerate(CASES):
    GROUPS[f"{case.suite}-{number // (2 * conformance.BATCH)}"].append(case)


@pytest.mark.parametrize("target", ["generic", "cortex-m4"])
@pytest.mark.parametrize("group", sorted(GROUPS))
def test_group(group, target):
    found = GROUPS[group]
    wrong = []
    for start in range(0, len(found), conformance.BATCH):
        batch = found[start:start + conformance.BATCH]
        for case, kind, text in conformance.run_batch(batch, target):
            if kind == "fail" or (kind == "unsupported" and not conformance.may_refuse(case)):
                wrong.append(f"{case.name} ({case.op}): {kind}: {' '.join(text.split())[:300]}")
    assert not wrong, "\n".join(wrong)
