# Part of the Thimble project. SPDX-License-Identifier: Apache-2.0
"""Multipliers on a boundary, where a float instead of a double on the way makes another number."""
import math

import numpy as np
import pytest

from harness import goldens, oracle
from harness.models import ModelWriter, options


def reduced(factor):
    """The 16 bits of a multiplier that int16 layers use."""
    return (round(math.frexp(factor)[0] * 2**31) + (1 << 15)) >> 16


def boundary_scales(rng):
    """Scales of input, weights and output whose multiplier depends on how the first two are multiplied."""
    while True:
        x, w = np.float32(10 ** rng.uniform(-6, -4)), np.float32(rng.uniform(0.01, 0.04))
        y = np.float32(10 ** rng.uniform(-4.5, -3))
        double, single = float(x) * float(w) / float(y), float(x * w) / float(y)
        if reduced(double) != reduced(single) and 1e-5 < double < 1e-2:
            return x, w, y


def check(tmp_path, seed, build):
    """Compares a model on a boundary with tflite-micro. `build` makes it from a writer, the scales of input,
    weights and output, and a random generator, and returns its sample."""
    rng = np.random.default_rng(seed)
    writer = ModelWriter()
    sample = build(writer, *map(float, boundary_scales(rng)), rng)
    model = tmp_path / "boundary.tflite"
    writer.write(model)
    want = oracle.tflm(model, sample, 1)
    assert not goldens.difference(oracle.thimble_run(model, sample, 1)[0], want[0])


def numbers(rng, shape):
    return rng.integers(-32768, 32768, shape).astype(np.int16)


def fully_connected(writer, x_scale, w_scale, y_scale, rng):
    x = writer.input([4, 40], x_scale, 0, np.int16)
    w = writer.tensor([16, 40], [w_scale], 0, data=rng.integers(-127, 128, (16, 40)).astype(np.int8), axis=0)
    y = writer.output([4, 16], y_scale, 0, np.int16)
    writer.operator("FULLY_CONNECTED", [x, w, -1], [y], options("FullyConnectedOptions"), 3)
    return [numbers(rng, (4, 40))]


def of_two_inputs(operator, table, shapes):
    def build(writer, x_scale, w_scale, y_scale, rng):
        x = writer.input(shapes[0], x_scale, 0, np.int16)
        w = writer.input(shapes[1], w_scale, 0, np.int16)
        y = writer.output(shapes[2], y_scale, 0, np.int16)
        writer.operator(operator, [x, w], [y], options(table), 3)
        return [numbers(rng, shape) for shape in shapes[:2]]
    return build


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("build", [
    pytest.param(fully_connected, id="fully_connected"),
    pytest.param(of_two_inputs("BATCH_MATMUL", "BatchMatMulOptions",
                               ([1, 4, 40], [1, 40, 16], [1, 4, 16])), id="batch_matmul"),
    pytest.param(of_two_inputs("MUL", "MulOptions", ([4, 40],) * 3), id="mul"),
])
def test_int16(tmp_path, seed, build):
    check(tmp_path, seed, build)
