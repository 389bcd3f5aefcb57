# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Some random layers of each family: in every form that is compiled, and with each of the family's
kernels. tools/random-layers runs thousands."""
import pytest

import random_layers
from harness import goldens, modes, oracle
from harness.coverage import kernels
from harness.layers import FAMILIES, Layers


@pytest.mark.parametrize("family", FAMILIES)
def test_every_form(tmp_path, family):
    layers = Layers(family, seed=1, numbers=range(16))
    model = tmp_path / f"{family}.tflite"
    layers.writer.write(model)
    inputs = layers.samples()[0]
    outputs = oracle.tflm(model, inputs, len(layers.list))
    results = modes.run_all(model, goldens.Samples([inputs], [outputs]),
                            kinds=[*modes.MODES, modes.PORTABLE])
    ran = {layer["kernel"] for layer in results["QEMU C"][1]["layers"]}
    assert ran & set(kernels(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_kernel(family):
    size, choices = 12, [v for v in random_layers.variants(family) if v[1] == "c"]
    failed, coverage = random_layers.run_family(family, seed=2, first=0, count=size * len(choices),
                                                choices=choices, size=size)
    assert not failed
    for kernel in sorted(set(kernels(family)) - set(coverage.counters["kernel"])):  # that rarely apply
        failed, coverage = random_layers.run_family(family, seed=3, first=0, count=60,
                                                    choices=[(["--prefer-kernel", kernel], "c")])
        assert not failed
        assert kernel in coverage.counters["kernel"]
