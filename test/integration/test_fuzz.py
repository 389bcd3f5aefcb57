# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""A small, fixed set of damaged models; fuzz.py makes as many as one has time for."""
import fuzz


def test_mutants():
    wrong = fuzz.run(fuzz.small_models(), count=100, seed=1)
    assert not wrong, "\n".join(map(str, wrong))
